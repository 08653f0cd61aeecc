//! What a broker run by someone else needs, made here so that nobody has to write access rules by hand: certificates,
//! revocations, and rules by which a box publishes and reads its own topics and nobody else's.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gatepost_wire::Timestamp;
use gatepost_wire::topic::{HUB_FILTERS, PREFIX};

use crate::authority::{Authority, HUB_NAME, IssueError, Revoked};
use crate::config::ServerName;

/// What a box publishes on, below its own level.
const PUBLISHED: [&str; 5] = ["event", "evidence/+", "health", "presence", "command/reply"];
/// What it reads there.
const READ: &str = "command";

/// A broker whose configuration is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Eclipse mosquitto 2.
    Mosquitto,
    /// EMQX 5.
    Emqx,
}

/// The files cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file cannot be written.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

/// Writes `ca.pem`, `server.pem`, `server.key`, `crl.pem`, the access rules and a configuration to include, into a folder;
/// which files, in words for a person, comes back.
///
/// # Errors
/// Names the file.
pub fn write_files(
    product: Product,
    folder: &Path,
    authority: &Authority,
    names: &[ServerName],
    revoked: &[Revoked],
    now: Timestamp,
) -> Result<Vec<PathBuf>, FilesError> {
    let names: Vec<String> = names.iter().map(|name| name.as_str().to_owned()).collect();
    let (certificate, key) = authority.server(&names, now)?.pem;
    let (rules, configuration) = match product {
        Product::Mosquitto => {
            (("acl", mosquitto_rules()), ("gatepost.conf", mosquitto_configuration(folder)))
        }
        Product::Emqx => (("acl.conf", emqx_rules()), ("gatepost.hocon", emqx_configuration(folder))),
    };
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |source| FilesError::File { file, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut written = Vec::new();
    for (name, text) in [
        ("ca.pem", authority.pem().to_owned()),
        ("server.pem", format!("{certificate}{}", authority.pem())),
        ("server.key", key),
        ("crl.pem", authority.revocation_list(revoked, now)?),
        rules,
        configuration,
    ] {
        let file = folder.join(name);
        let mode = if name.ends_with(".key") { 0o640 } else { 0o644 };
        write(&file, &text, mode).map_err(failed(&file))?;
        written.push(file);
    }
    Ok(written)
}

fn write(file: &Path, text: &str, mode: u32) -> io::Result<()> {
    // Made with its rights from the start: a key is never readable by all, not even for a moment.
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut open = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

const HEAD: &str = "# Made by `gatepost-hub broker-files`; do not edit, make it again.\n";

fn mosquitto_rules() -> String {
    let mut text = format!("{HEAD}# A certificate's common name is the user name.\nuser {HUB_NAME}\n");
    for filter in HUB_FILTERS {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "topic read {filter}");
    }
    let _ = writeln!(text, "topic write {PREFIX}/+/{READ}\n\n# Every box, below its own name.");
    for topic in PUBLISHED {
        let _ = writeln!(text, "pattern write {PREFIX}/%u/{topic}");
    }
    let _ = writeln!(text, "pattern read {PREFIX}/%u/{READ}");
    text
}

fn mosquitto_configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{HEAD}# After a revocation make crl.pem again and send mosquitto SIGHUP; a live connection of the revoked box\n\
         # stays until it breaks, which only the hub's own broker does better.\n\
         listener 8883\n\
         cafile {folder}/ca.pem\n\
         certfile {folder}/server.pem\n\
         keyfile {folder}/server.key\n\
         crlfile {folder}/crl.pem\n\
         tls_version tlsv1.3\n\
         require_certificate true\n\
         use_identity_as_username true\n\
         allow_anonymous false\n\
         acl_file {folder}/acl\n\
         # Else it drops what a slow hub has not fetched yet, acknowledged or not (docs/BROKER.md).\n\
         max_queued_messages 0\n"
    )
}

fn emqx_rules() -> String {
    let list = |topics: &[String]| topics.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
    let hub: Vec<String> =
        HUB_FILTERS.iter().flat_map(|it| [(*it).to_owned(), format!("$share/+/{it}")]).collect();
    let boxes: Vec<String> =
        PUBLISHED.iter().map(|topic| format!("{PREFIX}/${{username}}/{topic}")).collect();
    format!(
        "%% Made by `gatepost-hub broker-files`; do not edit, make it again.\n\
         {{allow, {{username, \"{HUB_NAME}\"}}, subscribe, [{}]}}.\n\
         {{allow, {{username, \"{HUB_NAME}\"}}, publish, [\"{PREFIX}/+/{READ}\"]}}.\n\
         {{allow, all, publish, [{}]}}.\n\
         {{allow, all, subscribe, [\"{PREFIX}/${{username}}/{READ}\"]}}.\n\
         {{deny, all}}.\n",
        list(&hub),
        list(&boxes),
    )
}

fn emqx_configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "{HEAD}listeners.tcp.default.enable = false\n\
         listeners.ws.default.enable = false\n\
         listeners.ssl.default {{\n\
         \x20 bind = \"0.0.0.0:8883\"\n\
         \x20 ssl_options {{\n\
         \x20   cacertfile = \"{folder}/ca.pem\"\n\
         \x20   certfile = \"{folder}/server.pem\"\n\
         \x20   keyfile = \"{folder}/server.key\"\n\
         \x20   verify = verify_peer\n\
         \x20   fail_if_no_peer_cert = true\n\
         \x20   versions = [\"tlsv1.3\"]\n\
         \x20 }}\n\
         }}\n\
         mqtt {{ peer_cert_as_username = cn, peer_cert_as_clientid = cn, max_packet_size = \"9MB\" }}\n\
         authorization {{\n\
         \x20 no_match = deny\n\
         \x20 deny_action = disconnect\n\
         \x20 sources = [{{ type = file, enable = true, path = \"{folder}/acl.conf\" }}]\n\
         }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_name_every_topic_of_the_contract() {
        for rules in [mosquitto_rules(), emqx_rules()] {
            for filter in HUB_FILTERS {
                assert!(rules.contains(filter), "{filter}: {rules}");
            }
            for topic in ["event", "evidence/+", "health", "presence", "command/reply", "command"] {
                let own = [format!("{PREFIX}/%u/{topic}"), format!("{PREFIX}/${{username}}/{topic}")];
                assert!(own.iter().any(|own| rules.contains(own)), "{topic}: {rules}");
            }
        }
    }
}
