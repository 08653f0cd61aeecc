//! From a file to a [`Config`]: every complaint names the file, the line and the key.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod oidc;
mod traces;

use std::io;
use std::path::{Path, PathBuf};

use gatepost_wire::MAX_EVIDENCE_BYTES;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::{
    Broker, BrokerMode, BrokerTable, Config, EmbeddedBroker, ExternalBroker, File, Login, Secret, StoreTable,
    Tls, TlsTable, Webhook, WebhookTable,
};
use crate::authority::AuthorityFiles;
use crate::store::Database;

/// Room for one clip and its topic.
const DEFAULT_MAX_PACKET_BYTES: u32 = MAX_EVIDENCE_BYTES as u32 + 1024 * 1024;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something that is not allowed.
    #[error("{}:{line}: `{key}`: {problem}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Dotted path of the key.
        key: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A text and where it came from.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn wrong(&self, at: usize, key: &str, problem: impl ToString) -> ConfigError {
        let line = 1 + self.text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count();
        ConfigError::Wrong { file: self.file.into(), line, key: key.into(), problem: problem.to_string() }
    }

    /// A path in the file is relative to the file.
    fn path(&self, path: &Path) -> PathBuf {
        self.file.parent().map_or_else(|| path.to_owned(), |dir| dir.join(path))
    }

    /// Whose certificates count: those of the system unless a file is given.
    fn authorities(&self, ca_file: Option<&Path>) -> PathBuf {
        ca_file.map_or_else(|| PathBuf::from(SYSTEM_AUTHORITIES), |file| self.path(file))
    }
}

/// Reads any TOML file into its type.
///
/// # Errors
/// Names the file, the line and the key.
pub fn read_toml<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ConfigError> {
    let source = Source { file, text };
    let wrong = |path: Option<&serde_path_to_error::Path>, error: &toml::de::Error| {
        // `Spanned` shows up in the path as a field of toml's own.
        let key = path.map_or_else(|| ".".to_owned(), ToString::to_string);
        let key = key.split(".$__").next().unwrap_or(&key).to_owned();
        source.wrong(error.span().map_or(0, |span| span.start), &key, error.message())
    };
    let deserializer = toml::Deserializer::parse(text).map_err(|e| wrong(None, &e))?;
    serde_path_to_error::deserialize(deserializer).map_err(|e| wrong(Some(e.path()), e.inner()))
}

/// Reads and checks the whole configuration, and the files it names.
///
/// # Errors
/// The first thing that is wrong.
pub fn load(file: &Path) -> Result<Config, ConfigError> {
    parse(&read(file)?, file, |secret| std::fs::read_to_string(secret))
}

/// Checks the text of a configuration; `secret` gives what stands in a file that it names.
fn parse(
    text: &str,
    file: &Path,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Config, ConfigError> {
    let parsed: File = read_toml(file, text)?;
    let source = Source { file, text };
    let data_dir = source.path(&parsed.data_dir);
    let enrolment = &parsed.enrolment.listen;
    let listens = [
        ("enrolment.listen", enrolment),
        ("broker.tls_listen", &parsed.broker.tls_listen),
        ("web.tls_listen", &parsed.web.tls_listen),
    ];
    for (key, listen) in listens {
        if let Some(listen) = listen
            && parsed.tls.names.is_empty()
        {
            let problem = "`tls.names` is missing: under which host names and addresses is this hub reached?";
            return Err(source.wrong(listen.span().start, key, problem));
        }
    }
    Ok(Config {
        oidc: oidc::oidc(parsed.oidc, &parsed.web, &parsed.tls, &source, &secret)?,
        enrolment: parsed.enrolment.listen.map(Spanned::into_inner),
        tls: tls(parsed.tls, &source, &data_dir)?,
        database: database(parsed.store, &source, &data_dir, &secret)?,
        broker: broker(parsed.broker, &source, &data_dir, &secret)?,
        webhooks: webhooks(parsed.webhooks, &source, &secret)?,
        traces: traces::traces(parsed.traces, &source, &secret)?,
        incident_deadlines: parsed.incident_deadlines,
        kept: parsed.retention,
        metrics: parsed.metrics.listen,
        log: parsed.log,
        web: parsed.web,
        data_dir,
    })
}

fn read(file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable { file: file.into(), source })
}

fn tls(table: TlsTable, source: &Source<'_>, data_dir: &Path) -> Result<Tls, ConfigError> {
    let external = match (table.authority_certificate, table.authority_key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            Some((source.path(certificate.get_ref()), source.path(key.get_ref())))
        }
        (Some(certificate), None) => {
            let at = certificate.span().start;
            return Err(source.wrong(at, "tls.authority_certificate", "`authority_key` is missing"));
        }
        (None, Some(key)) => {
            let at = key.span().start;
            return Err(source.wrong(at, "tls.authority_key", "`authority_certificate` is missing"));
        }
    };
    Ok(Tls {
        names: table.names,
        authority: AuthorityFiles { folder: data_dir.join("keys"), external },
        certificate_valid: table.certificate_valid_s.get(),
    })
}

fn database(
    table: StoreTable,
    source: &Source<'_>,
    data_dir: &Path,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Database, ConfigError> {
    match (table.path, table.url, table.password_file) {
        (Some(path), Some(_), _) => {
            let problem = "there is one database: a SQLite file (`path`) or a PostgreSQL server (`url`)";
            Err(source.wrong(path.span().start, "store.path", problem))
        }
        (path, None, Some(file)) => {
            let problem = match path {
                Some(_) => "a SQLite file has no password: remove it, or `path` and give a `url`",
                None => "`url` is missing: whose password is it?",
            };
            Err(source.wrong(file.span().start, "store.password_file", problem))
        }
        (Some(path), None, None) => Ok(Database::File(source.path(path.get_ref()))),
        (None, None, None) => Ok(Database::File(data_dir.join("hub.sqlite"))),
        (None, Some(server), None) => Ok(Database::Server(server.into_inner())),
        (None, Some(server), Some(file)) => {
            let password = password(&file, "store.password_file", source, secret)?;
            Ok(Database::Server(server.into_inner().with_password(password)))
        }
    }
}

/// What stands in a file that holds a password and nothing else.
fn password(
    file: &Spanned<PathBuf>,
    key: &str,
    source: &Source<'_>,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<String, ConfigError> {
    let path = source.path(file.get_ref());
    let wrong = |problem: String| source.wrong(file.span().start, key, problem);
    let text = secret(&path).map_err(|e| wrong(format!("{}: {e}", path.display())))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(wrong(format!("{} is empty: write the password into it", path.display())));
    }
    Ok(password.to_owned())
}

fn broker(
    table: BrokerTable,
    source: &Source<'_>,
    data_dir: &Path,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Broker, ConfigError> {
    let max_packet_bytes = table.max_packet_bytes.map_or(DEFAULT_MAX_PACKET_BYTES, Into::into);
    match table.mode {
        BrokerMode::Embedded => {
            let only_external =
                |key: &str| format!("`{key}` belongs to mode = \"external\": remove it or change the mode");
            refuse(&table.url, "url", source, only_external)?;
            refuse(&table.ca_file, "ca_file", source, only_external)?;
            refuse(&table.username, "username", source, only_external)?;
            refuse(&table.password_file, "password_file", source, only_external)?;
            refuse(&table.client_id, "client_id", source, only_external)?;
            refuse(&table.share_group, "share_group", source, only_external)?;
            Ok(Broker::Embedded(EmbeddedBroker {
                listen: table.listen.map_or(super::LoopbackAddr::on_port(1883), Spanned::into_inner),
                tls_listen: table.tls_listen.map(Spanned::into_inner),
                max_packet_bytes,
                devices_file: table
                    .devices_file
                    .map_or_else(|| data_dir.join("devices.toml"), |path| source.path(path.get_ref())),
            }))
        }
        BrokerMode::External => {
            let only_embedded =
                |key: &str| format!("`{key}` belongs to mode = \"embedded\": remove it or change the mode");
            refuse(&table.listen, "listen", source, only_embedded)?;
            refuse(&table.tls_listen, "tls_listen", source, only_embedded)?;
            refuse(&table.devices_file, "devices_file", source, only_embedded)?;
            let mode = source.text.find("external").unwrap_or(0);
            let url = table.url.ok_or_else(|| {
                source.wrong(
                    mode,
                    "broker.url",
                    "mode = \"external\" needs it, e.g. url = \"mqtt://127.0.0.1:1883\"",
                )
            })?;
            Ok(Broker::External(ExternalBroker {
                url: url.into_inner(),
                ca_file: table.ca_file.map(|file| source.path(file.get_ref())),
                login: login(table.username, table.password_file, source, secret)?,
                client_id: table.client_id.map_or_else(|| "gatepost-hub".into(), Spanned::into_inner),
                share_group: table.share_group.map(Spanned::into_inner),
                max_packet_bytes,
            }))
        }
    }
}

fn refuse<T>(
    value: &Option<Spanned<T>>,
    key: &str,
    source: &Source<'_>,
    problem: impl Fn(&str) -> String,
) -> Result<(), ConfigError> {
    match value {
        None => Ok(()),
        Some(value) => Err(source.wrong(value.span().start, &format!("broker.{key}"), problem(key))),
    }
}

fn login(
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
    source: &Source<'_>,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Option<Login>, ConfigError> {
    match (username, password_file) {
        (None, None) => Ok(None),
        (Some(username), None) => Err(source.wrong(
            username.span().start,
            "broker.username",
            "`password_file` is missing: a name alone is no login",
        )),
        (None, Some(file)) => Err(source.wrong(
            file.span().start,
            "broker.password_file",
            "`username` is missing: a password alone is no login",
        )),
        (Some(username), Some(file)) => {
            let password = password(&file, "broker.password_file", source, secret)?;
            Ok(Some(Login { username: username.into_inner(), password }))
        }
    }
}

/// Where Debian keeps the authorities the world knows.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

fn webhooks(
    tables: Vec<WebhookTable>,
    source: &Source<'_>,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Vec<Webhook>, ConfigError> {
    let mut webhooks: Vec<Webhook> = Vec::with_capacity(tables.len());
    for table in tables {
        let at = table.secret_file.span().start;
        if webhooks.iter().any(|other| other.name == table.name) {
            let problem = format!("there are two of the name {}", table.name.as_str());
            return Err(source.wrong(at, "webhooks.name", problem));
        }
        let path = source.path(table.secret_file.get_ref());
        let wrong = |problem: String| {
            source.wrong(at, "webhooks.secret_file", format!("{}: {problem}", path.display()))
        };
        let text = secret(&path).map_err(|error| wrong(error.to_string()))?;
        let secret = Secret::parse(&text).map_err(|problem| wrong(problem.to_owned()))?;
        webhooks.push(Webhook {
            name: table.name,
            url: table.url,
            secret,
            ca_file: source.authorities(table.ca_file.as_deref()),
            tells: table.tells,
            sites: table.sites,
            give_up_after: std::time::Duration::from_secs(table.give_up_after_s.into()),
        });
    }
    Ok(webhooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hub.toml");
        std::fs::write(&file, text).unwrap();
        std::fs::write(dir.path().join("password"), "secret\n").unwrap();
        let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";
        std::fs::write(dir.path().join("webhook.secret"), secret).unwrap();
        load(&file).map_err(|e| e.to_string().replace(&dir.path().display().to_string(), ""))
    }

    #[test]
    fn an_empty_file_is_complete() {
        let config = load_text("").unwrap();
        assert_eq!(config.database, Database::File("/var/lib/gatepost-hub/hub.sqlite".into()));
        assert!(matches!(config.broker, Broker::Embedded(_)));
    }

    #[test]
    fn complaints_name_file_line_and_key() {
        for (text, at) in [
            ("\n[web]\nlisen = \"127.0.0.1:80\"\n", "/hub.toml:3: `web.lisen`: unknown field"),
            ("[web]\n\nlisten = \"0.0.0.0:80\"\n", "/hub.toml:3: `web.listen`: 0.0.0.0:80 can be reached"),
            (
                "[broker]\nlisten = \"192.168.1.2:1883\"\n",
                "/hub.toml:2: `broker.listen`: 192.168.1.2:1883 can be",
            ),
            (
                "[enrolment]\nlisten = \"0.0.0.0:8443\"\n",
                "/hub.toml:2: `enrolment.listen`: `tls.names` is missing",
            ),
            ("[tls]\nnames = [\"https://hub\"]\n", "/hub.toml:2: `tls.names[0]`: \"https://hub\" is neither"),
            (
                "[tls]\nauthority_key = \"ca.key\"\n",
                "/hub.toml:2: `tls.authority_key`: `authority_certificate`",
            ),
            (
                "[tls]\ncertificate_valid_s = 29\n",
                "/hub.toml:2: `tls.certificate_valid_s`: 30 seconds or more",
            ),
            ("[log]\nlevel = \"loud\"\n", "/hub.toml:2: `log.level`: unknown variant `loud`"),
            ("[broker]\nmax_packet_bytes = 0\n", "/hub.toml:2: `broker.max_packet_bytes`:"),
            (
                "[retention]\nevidence_days = 0\n",
                "/hub.toml:2: `retention.evidence_days`: a number of days from 1 to 3650",
            ),
            (
                "[retention]\nrecord_days = 179\n",
                "/hub.toml:2: `retention.record_days`: a number of days from 180 to 3650",
            ),
            (
                "[retention]\nattachment_days = 0\n",
                "/hub.toml:2: `retention.attachment_days`: a number of days from 1 to 3650",
            ),
            (
                "[retention]\nhealth_days = 401\n",
                "/hub.toml:2: `retention.health_days`: a number of days from 1 to 400",
            ),
            ("data_dir = 7\n", "/hub.toml:1: `data_dir`: invalid type"),
            (
                "[broker]\nurl = \"mqtt://localhost\"\n",
                "/hub.toml:2: `broker.url`: `url` belongs to mode = \"external\"",
            ),
            ("[broker]\nmode = \"external\"\n", "/hub.toml:2: `broker.url`: mode = \"external\" needs it"),
            (
                "[broker]\nmode = \"external\"\nurl = \"mqtt://localhost\"\nusername = \"hub\"\npassword_file = \"none\"\n",
                "/hub.toml:5: `broker.password_file`: /none: No such file",
            ),
            (
                "[store]\npath = \"hub.sqlite\"\nurl = \"postgres://hub@localhost/gatepost\"\n",
                "/hub.toml:2: `store.path`: there is one database",
            ),
            (
                "[store]\npassword_file = \"password\"\n",
                "/hub.toml:2: `store.password_file`: `url` is missing",
            ),
            (
                "[store]\nurl = \"postgres://hub@db.example/gatepost?sslmode=require\"\n",
                "/hub.toml:2: `store.url`: sslmode=require does not make sure who the server is",
            ),
            (
                "[store]\nurl = \"postgres://hub:secret@localhost/gatepost\"\n",
                "/hub.toml:2: `store.url`: a password does not belong here",
            ),
            ("[web\n", "/hub.toml:1: `.`:"),
        ] {
            let error = load_text(text).unwrap_err();
            assert!(error.starts_with(at), "{text}\n{error}");
        }
    }

    #[test]
    fn a_webhook_is_whole_or_refused() {
        let table = "[[webhooks]]\nname = \"district\"\nurl = \"https://hooks.example/a\"\nsecret_file = \"webhook.secret\"\n";
        let webhook = &load_text(table).unwrap().webhooks[0];
        assert_eq!(
            (webhook.tells.len(), webhook.sites.as_ref(), webhook.give_up_after.as_secs()),
            (4, None, 86_400)
        );
        for (text, complaint) in [
            (table.replace("webhook.secret", "none"), "`webhooks.secret_file`: /none: No such file"),
            (
                table.replace("webhook.secret", "password"),
                "`webhooks.secret_file`: /password: `whsec_` and 24 to 64",
            ),
            (
                table.replace("https", "http"),
                "`webhooks[0].url`: \"http://hooks.example/a\": without TLS it may",
            ),
            (table.replace("district", "The district"), "`webhooks[0].name`: \"The district\" is no name"),
            (table.repeat(2), "`webhooks.name`: there are two of the name district"),
        ] {
            let error = load_text(&text).unwrap_err();
            assert!(error.contains(complaint), "{text}\n{error}");
        }
    }

    #[test]
    fn a_provider_is_whole_or_refused() {
        let table = "[oidc]\nissuer = \"https://id.example\"\nclient_id = \"gatepost\"\nclient_secret_file = \"password\"\n";
        let oidc = load_text(table).unwrap().oidc.unwrap();
        assert_eq!(oidc.redirect_uri(), "http://127.0.0.1:8080/api/v1/oidc/callback");
        assert_eq!(oidc.client_secret.as_ref().unwrap().reveal(), "secret");
        assert!(!format!("{oidc:?}").contains("secret\""), "{oidc:?}");
        let elsewhere = format!("[web]\nhost_names = [\"gate.example\"]\n{table}");
        assert_eq!(load_text(&elsewhere).unwrap().oidc.unwrap().page, "https://gate.example");
        for (text, complaint) in [
            (table.replace("https", "http"), "`oidc.issuer`: \"http://id.example\": without TLS"),
            (table.replace("\"password\"", "\"none\""), "`oidc.client_secret_file`: /none: No such file"),
            (
                table.replace("client_id = \"gatepost\"", "client_id = \"\""),
                "`oidc.client_id`: \"\" is no client id",
            ),
            (format!("{table}claim = \"name\"\n"), "`oidc.claim`: unknown variant `name`"),
            (format!("{table}label = {{ zh = \"\" }}\n"), "`oidc.label.zh`: one line of 1 to 40"),
            (format!("{table}client_secret = \"x\"\n"), "`oidc.client_secret`: unknown field"),
            (
                format!("[web]\nlisten = \"127.0.0.1:0\"\n{table}"),
                "`oidc.issuer`: the provider has to know the address",
            ),
        ] {
            let error = load_text(&text).unwrap_err();
            assert!(error.contains(complaint), "{text}\n{error}");
        }
    }

    #[test]
    fn an_external_broker_with_login() {
        let text = "[broker]\nmode = \"external\"\nurl = \"mqtt://localhost\"\nusername = \"hub\"\npassword_file = \"password\"";
        let Broker::External(broker) = load_text(text).unwrap().broker else { panic!("embedded") };
        assert_eq!(broker.login.as_ref().unwrap().password, "secret");
        assert!(!format!("{broker:?}").contains("secret"));
    }
    #[test]
    fn a_server_with_a_password_that_nobody_sees() {
        let text = "[store]\nurl = \"postgres://hub@localhost/gatepost\"\npassword_file = \"password\"\n";
        let config = load_text(text).unwrap();
        let expected: crate::store::Server = "postgres://hub@localhost/gatepost".parse().unwrap();
        assert_eq!(config.database, Database::Server(expected.with_password("secret".into())));
        assert!(!format!("{config:?}").contains("secret"));
    }
}
