//! A provider that says what it is told to, true or not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use data_encoding::BASE64URL_NOPAD;
use gatepost_testbed::oidc_provider::OidcProvider;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

const KEY_NAME: &str = "key-1";

/// By what a token is signed.
#[derive(Debug, Clone)]
enum Signed {
    /// The provider's own key.
    Own,
    /// Another, which it does not name.
    Another,
    /// The client's secret, as HS256 has it.
    Secret(String),
    /// Nothing.
    Not,
}

/// An ID token; or what stands in its place.
#[derive(Debug, Clone)]
pub struct Token {
    claims: Value,
    key: String,
    signed: Signed,
    instead: Option<Value>,
}

impl Token {
    /// One that is as it should be, once it has a nonce.
    pub fn good() -> Self {
        let claims = json!({ "sub": "1", "aud": OidcProvider::CLIENT_ID, "preferred_username": "wang.li" });
        Self { claims, key: KEY_NAME.into(), signed: Signed::Own, instead: None }.made(0).lasts(300)
    }

    /// What is no token.
    pub fn nonsense() -> Self {
        Self { instead: Some(json!("a.b.c")), ..Self::good() }
    }

    /// The provider forgot it.
    pub fn none() -> Self {
        Self { instead: Some(Value::Null), ..Self::good() }
    }

    /// With this claim in place of what it would say; null: without it.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    pub fn made(self, ago_s: i64) -> Self {
        self.claim("iat", json!(jiff::Timestamp::now().as_second() + ago_s))
    }

    pub fn lasts(self, seconds: i64) -> Self {
        self.claim("exp", json!(jiff::Timestamp::now().as_second() + seconds))
    }

    pub fn unsigned(self) -> Self {
        Self { signed: Signed::Not, ..self }
    }

    pub fn signed_with_secret(self, secret: &str) -> Self {
        Self { signed: Signed::Secret(secret.into()), ..self }
    }

    pub fn signed_by_another(self) -> Self {
        Self { signed: Signed::Another, ..self }
    }

    pub fn signed_as(self, key: &str) -> Self {
        Self { key: key.into(), signed: Signed::Another, ..self }
    }

    /// Unless it says something else on purpose.
    pub fn with_nonce(self, nonce: &str) -> Self {
        if self.claims.get("nonce").is_some() { self } else { self.claim("nonce", json!(nonce)) }
    }
}

struct Keys {
    own: EcdsaKeyPair,
    another: EcdsaKeyPair,
}

/// The running provider.
pub struct Forger {
    port: u16,
    next: Arc<Mutex<Option<Token>>>,
    keys_asked: Arc<AtomicUsize>,
}

impl Forger {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let forger = Self { port, next: Arc::default(), keys_asked: Arc::default() };
        let (next, asked, issuer) =
            (Arc::clone(&forger.next), Arc::clone(&forger.keys_asked), forger.issuer());
        std::thread::spawn(move || {
            let keys = Keys { own: new_key(), another: new_key() };
            for stream in listener.incoming() {
                answer(stream.unwrap(), &issuer, &keys, &next, &asked);
            }
        });
        forger
    }

    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What the next code is worth.
    pub fn answers(&self, token: Token) {
        *self.next.lock().unwrap() = Some(token);
    }

    /// How often its keys were asked for.
    pub fn keys_asked(&self) -> usize {
        self.keys_asked.load(Ordering::SeqCst)
    }
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn answer(stream: TcpStream, issuer: &str, keys: &Keys, next: &Mutex<Option<Token>>, asked: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(bytes) = header.strip_prefix("content-length: ") {
            length = bytes.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let told = match line.split(' ').nth(1).unwrap() {
        "/.well-known/openid-configuration" => json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            // It offers all of it: what the hub takes is the hub's to say.
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        }),
        "/keys" => {
            asked.fetch_add(1, Ordering::SeqCst);
            let point = keys.own.public_key().as_ref();
            json!({ "keys": [{
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY_NAME,
                "x": base64(&point[1..33]), "y": base64(&point[33..65]),
            }] })
        }
        "/token" => {
            let body = String::from_utf8(body).unwrap();
            assert!(
                body.contains("code_verifier=") && body.contains("grant_type=authorization_code"),
                "{body}"
            );
            let token = next.lock().unwrap().take().unwrap();
            json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": sign(token, issuer, keys) })
        }
        path => panic!("{path}"),
    };
    let mut told = told;
    if told["id_token"].is_null() {
        told.as_object_mut().unwrap().remove("id_token");
    }
    let told = told.to_string();
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        told.len()
    );
    stream.write_all(format!("{head}{told}").as_bytes()).unwrap();
}

fn sign(token: Token, issuer: &str, keys: &Keys) -> Value {
    if let Some(instead) = token.instead {
        return instead;
    }
    let mut claims = token.claims;
    if claims.get("iss").is_none() {
        claims["iss"] = json!(issuer);
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let alg = match &token.signed {
        Signed::Own | Signed::Another => "ES256",
        Signed::Secret(_) => "HS256",
        Signed::Not => "none",
    };
    let head = json!({ "alg": alg, "kid": token.key, "typ": "JWT" });
    let text = format!("{}.{}", base64(head.to_string()), base64(claims.to_string()));
    let ecdsa = |key: &EcdsaKeyPair| base64(key.sign(&SystemRandom::new(), text.as_bytes()).unwrap());
    let signature = match &token.signed {
        Signed::Own => ecdsa(&keys.own),
        Signed::Another => ecdsa(&keys.another),
        Signed::Secret(secret) => {
            base64(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes()))
        }
        Signed::Not => String::new(),
    };
    json!(format!("{text}.{signature}"))
}
