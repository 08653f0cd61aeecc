//! Who asks: a WS-Security UsernameToken with a digest (Web Services Security UsernameToken Profile 1.1.1, 3.1), which ONVIF
//! devices have to understand. The password itself does not travel.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_wire::Timestamp;
use sha1::{Digest as _, Sha1};

use super::soap::escaped;

const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// The header for a request made at `time` by the device's clock.
pub(super) fn header(user: &str, password: &str, nonce: [u8; 16], time: Timestamp) -> String {
    let created = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (digest, nonce) = (digest(password, &nonce, &created), BASE64_STANDARD.encode(nonce));
    format!(
        "<w:Security xmlns:w=\"{SECURITY}\" xmlns:u=\"{UTILITY}\"><w:UsernameToken><w:Username>{}</w:Username>\
         <w:Password Type=\"{DIGEST}\">{digest}</w:Password><w:Nonce EncodingType=\"{BASE64}\">{nonce}</w:Nonce>\
         <u:Created>{created}</u:Created></w:UsernameToken></w:Security>",
        escaped(user)
    )
}

fn digest(password: &str, nonce: &[u8], created: &str) -> String {
    let hash = Sha1::new().chain_update(nonce).chain_update(created).chain_update(password).finalize();
    BASE64_STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the ONVIF Application Programmer's Guide 1.0, 6.1.1.3.
    #[test]
    fn the_digest_is_that_of_the_guide() {
        let nonce = BASE64_STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        assert_eq!(digest("userpassword", &nonce, "2010-09-16T07:50:45Z"), "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    }

    #[test]
    fn the_password_does_not_travel() {
        let header = header("o'neill <x>", "hunter2", [7; 16], "2026-01-31T08:30:05.25Z".parse().unwrap());
        assert!(!header.contains("hunter2"));
        assert!(header.contains("<w:Username>o'neill &lt;x&gt;</w:Username>"));
        assert!(header.contains("<u:Created>2026-01-31T08:30:05Z</u:Created>"));
    }
}
