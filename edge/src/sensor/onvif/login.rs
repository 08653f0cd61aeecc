//! Who asks. ONVIF devices understand one of two ways, many both: a WS-Security UsernameToken with a digest (Web Services
//! Security UsernameToken Profile 1.1.1, 3.1), and HTTP's digest (RFC 7616). By neither the password itself travels.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_wire::Timestamp;
use http_auth::{PasswordClient, PasswordParams};
use hyper::header::WWW_AUTHENTICATE;
use hyper::{HeaderMap, Method};
use sha1::{Digest as _, Sha1};

use super::soap::escaped;

const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// A user of a device.
pub(super) struct Login {
    pub user: String,
    pub password: String,
}

impl Login {
    /// WS-Security's header for a request made at `time` by the device's clock.
    pub fn token(&self, time: Timestamp) -> String {
        let mut nonce = [0; 16];
        nonce.fill_with(|| fastrand::u8(..));
        let created = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (digest, nonce) = (digest(&self.password, &nonce, &created), BASE64_STANDARD.encode(nonce));
        format!(
            "<w:Security xmlns:w=\"{SECURITY}\" xmlns:u=\"{UTILITY}\"><w:UsernameToken><w:Username>{}</w:Username>\
             <w:Password Type=\"{DIGEST}\">{digest}</w:Password><w:Nonce EncodingType=\"{BASE64}\">{nonce}</w:Nonce>\
             <u:Created>{created}</u:Created></w:UsernameToken></w:Security>",
            escaped(&self.user)
        )
    }

    /// What to say to a device that refused a request and asks who it was; in words why there is nothing to say.
    pub fn respond(&self, refusal: &HeaderMap, path: &str, body: &[u8]) -> Result<String, String> {
        let mut client = PasswordClient::try_from(refusal.get_all(WWW_AUTHENTICATE))?;
        client.respond(&PasswordParams {
            username: &self.user,
            password: &self.password,
            uri: path,
            method: Method::POST.as_str(),
            body: Some(body),
        })
    }
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

    fn login() -> Login {
        Login { user: "o'neill <x>".to_owned(), password: "hunter2".to_owned() }
    }

    #[test]
    fn the_password_does_not_travel() {
        let token = login().token("2026-01-31T08:30:05.25Z".parse().unwrap());
        assert!(!token.contains("hunter2"));
        assert!(token.contains("<w:Username>o'neill &lt;x&gt;</w:Username>"));
        assert!(token.contains("<u:Created>2026-01-31T08:30:05Z</u:Created>"));
    }

    #[test]
    fn of_several_ways_the_digest_is_taken_and_never_the_password_in_the_clear() {
        let mut refusal = HeaderMap::new();
        let respond = |refusal: &HeaderMap| login().respond(refusal, "/onvif/events", b"<x/>");
        assert!(respond(&refusal).is_err());
        refusal.append(WWW_AUTHENTICATE, "Basic realm=\"camera\"".parse().unwrap());
        assert!(respond(&refusal).is_err());
        let digest = "Digest realm=\"camera\", qop=\"auth\", nonce=\"dcd98b71\"";
        refusal.append(WWW_AUTHENTICATE, digest.parse().unwrap());
        let said = respond(&refusal).unwrap();
        assert!(said.starts_with("Digest ") && said.contains("uri=\"/onvif/events\""), "{said}");
        assert!(!said.contains("hunter2"));
    }
}
