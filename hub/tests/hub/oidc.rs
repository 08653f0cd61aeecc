//! Signing in by OpenID Connect: with a real provider, and with one that lies.

mod forger;

use gatepost_testbed::account::PASSWORD;
use gatepost_testbed::browser::{Browser, Shown};
use gatepost_testbed::http;
use gatepost_testbed::oidc_provider::{OidcProvider, Settings};
use gatepost_testbed::port;
use serde_json::{Value, json};

use crate::page::drive;
use crate::process::{Home, Hub, command};
use forger::{Forger, Token};

const COOKIE: &str = "__Host-gatepost";
const ATTEMPT: &str = "__Host-gatepost-oidc";
const SECRET: &str = "a secret of the client";

/// A hub that asks this provider.
fn home(port: u16, issuer: &str, more: &str) -> Home {
    let home = Home::with_broker(&format!(
        "[broker]\nlisten = \"127.0.0.1:0\"\n[oidc]\nissuer = \"{issuer}\"\nclient_id = \"{}\"\n{more}",
        OidcProvider::CLIENT_ID
    ));
    std::fs::write(std::path::Path::new(&home.config()).with_file_name("client.secret"), SECRET).unwrap();
    home.at_port(port)
}

fn page(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn callback(port: u16) -> String {
    format!("{}/api/v1/oidc/callback", page(port))
}

/// Makes an account that the provider calls `provider_name`.
fn add(home: &Home, name: &str, provider_name: &str) {
    let told = home.call(&[
        "person",
        "add",
        name,
        "--display-name",
        name,
        "--role",
        "operator",
        "--provider-name",
        provider_name,
    ]);
    assert_eq!(told, "", "who signs in by the provider needs no link");
}

/// Goes through the provider's pages as whoever this is there, to where the hub leaves them.
fn sign_in(browser: &mut Browser, hub: &Hub, login: &str) -> Shown {
    let mut shown = browser.open(&hub.url("/api/v1/oidc/start")).unwrap();
    // It asks who they are, and the first time whether the hub may be told; once more if somebody else was there before.
    for _ in 0..4 {
        if shown.url.starts_with(&hub.web) {
            break;
        }
        assert_eq!(shown.status, 200, "{shown:?}");
        shown = browser.submit(&shown, &[("login", login), ("password", "x")]).unwrap();
    }
    assert!(shown.url.starts_with(&hub.web), "{shown:?}");
    shown
}

/// What the page is told of why they are not let in.
fn refused(shown: &Shown) -> &str {
    shown.url.split_once("/#sign-in-failed=").unwrap_or_else(|| panic!("{shown:?}")).1
}

/// Who is signed in in this browser.
fn who(browser: &Browser, hub: &Hub) -> Option<Value> {
    let cookie = format!("{COOKIE}={}", browser.cookies.get(COOKIE)?);
    let answer = http::send("GET", &hub.url("/api/v1/session"), Some(&cookie), None::<&()>).unwrap();
    (answer.status == 200).then(|| answer.json::<Value>().unwrap()["person"].clone())
}

/// What the access log says of everybody but who asks, the latest first: whom, what, and more.
fn log(hub: &Hub) -> Vec<(Value, String, String)> {
    let log = hub.get("/api/v1/access-log?limit=200");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let records = log["records"].as_array().unwrap().iter().filter(|record| record["name"] != "tester");
    records.map(|one| (one["name"].clone(), text(&one["action"]), text(&one["detail"]))).collect()
}

fn change(hub: &Hub, name: &str, change: Value) -> (u16, Value) {
    let url = hub.url(&format!("/api/v1/people/{name}"));
    let answer = http::send("PATCH", &url, Some(&hub.cookie), Some(&change)).unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn the_provider_vouches_for_people_who_have_an_account() {
    let port = port::free().unwrap();
    let settings =
        Settings { redirect_uri: callback(port), client_secret: Some(SECRET.into()), ..Settings::default() };
    let provider = OidcProvider::start(settings).unwrap();
    let home = home(port, &provider.issuer(), "client_secret_file = \"client.secret\"\n");
    let check = command(&["check", "--config", &home.config()]);
    assert!(String::from_utf8_lossy(&check.stderr).contains(&callback(port)), "{check:?}");
    let hub = home.start();
    add(&home, "wang.li", "Wang.Li");
    let ways: Value = http::get_json(&hub.url("/api/v1/sign-in-ways")).unwrap();
    assert_eq!(ways["oidc"]["start"], hub.url("/api/v1/oidc/start"));
    assert_eq!(ways["oidc"]["label"]["zh"], "统一身份认证登录");

    let mut browser = Browser::default();
    let begun = browser.step("GET", &hub.url("/api/v1/oidc/start"), None).unwrap();
    let to = begun.location.unwrap();
    for word in [
        "response_type=code",
        "code_challenge_method=S256",
        "prompt=login",
        "scope=openid+profile",
        "nonce=",
        "state=",
    ] {
        assert!(to.contains(word), "{to}");
    }
    assert!(!to.contains(&browser.cookies[ATTEMPT][..64]), "the secret of an attempt is in its cookie alone");
    assert!(begun.set_cookies[0].contains("SameSite=Lax") && begun.set_cookies[0].contains("HttpOnly"));

    let shown = sign_in(&mut browser, &hub, "Wang.Li");
    assert_eq!((shown.url.as_str(), shown.status), (hub.url("/").as_str(), 200));
    assert!(!browser.cookies.contains_key(ATTEMPT), "what was begun is over");
    let person = who(&browser, &hub).unwrap();
    assert_eq!(
        (&person["name"], &person["state"], &person["password"]),
        (&json!("wang.li"), &json!("active"), &json!(false))
    );
    assert_eq!(person["provider"]["name"], "Wang.Li");
    assert!(person["provider"]["bound"].is_string(), "{person}");
    let told = log(&hub);
    assert_eq!((told[0].1.as_str(), told[0].2.as_str()), ("signed_in", "OpenID Connect"));
    assert_eq!(told[1].1, "provider_bound");
    assert!(told[1].2.contains("sub-Wang.Li") && told[1].2.contains(&provider.issuer()), "{told:?}");

    // The same name at the provider is given to somebody else.
    let mut other = Browser::default();
    assert_eq!(refused(&sign_in(&mut other, &hub, "Wang.Li=another")), "another");
    assert!(who(&other, &hub).is_none() && who(&browser, &hub).is_some());
    assert_eq!(
        log(&hub)[0],
        (json!("wang.li"), "sign_in_failed".into(), "OpenID Connect: bound to another subject".into())
    );
    // And the same person gets another name there.
    let mut again = Browser::default();
    sign_in(&mut again, &hub, "Wang.Li-Zhao=sub-Wang.Li");
    assert_eq!(who(&again, &hub).unwrap()["name"], "wang.li");
    // Somebody who has no account here, whatever they are called.
    let mut stranger = Browser::default();
    assert_eq!(refused(&sign_in(&mut stranger, &hub, "li.na")), "nobody");
    assert_eq!(log(&hub)[0], (json!(null), "sign_in_failed".into(), "OpenID Connect: li.na".into()));
    assert_eq!(refused(&sign_in(&mut stranger, &hub, "tester")), "nobody", "a name here is not a name there");

    // An administrator lets another subject come, and shuts the account.
    let (status, person) = change(&hub, "wang.li", json!({ "unbind": true }));
    assert_eq!(
        (status, &person["state"], &person["provider"]["bound"]),
        (200, &json!("invited"), &json!(null))
    );
    assert!(who(&browser, &hub).is_none(), "its sessions are over");
    assert_eq!(log(&hub)[0].1, "provider_unbound");
    sign_in(&mut other, &hub, "Wang.Li=another");
    assert_eq!(who(&other, &hub).unwrap()["name"], "wang.li");
    let mut first = Browser::default();
    assert_eq!(refused(&sign_in(&mut first, &hub, "Wang.Li")), "another");
    assert_eq!(change(&hub, "wang.li", json!({ "disabled": true })).0, 200);
    assert!(who(&other, &hub).is_none());
    assert_eq!(refused(&sign_in(&mut other, &hub, "Wang.Li=another")), "disabled");
    assert_eq!(refused(&sign_in(&mut first, &hub, "Wang.Li")), "disabled");
    assert_eq!(log(&hub)[0].2, "OpenID Connect: disabled");
    assert!(!hub.daemon.log().contains(SECRET));
}

#[test]
fn an_answer_counts_once_and_in_the_browser_that_asked() {
    let port = port::free().unwrap();
    let settings = Settings { redirect_uri: callback(port), id_token_claims: true, ..Settings::default() };
    let mut provider = OidcProvider::start(settings).unwrap();
    let home = home(
        port,
        &provider.issuer(),
        "claim = \"email\"\nprompt = \"provider\"\nlabel = { zh = \"校园账号\" }\n",
    );
    let hub = home.start();
    add(&home, "wang.li", "wang.li@school.example");
    let issuer = provider.issuer();
    let mut browser = Browser::default();
    let to_callback = |browser: &mut Browser| {
        let mut shown = browser.step("GET", &hub.url("/api/v1/oidc/start"), None).unwrap();
        let kept = browser.cookies[ATTEMPT].clone();
        loop {
            let next = match &shown.location {
                Some(next) if next.starts_with(&callback(port)) => return (next.clone(), kept),
                Some(next) if next.starts_with('/') => format!("{issuer}{next}"),
                Some(next) => next.clone(),
                None => {
                    let url =
                        shown.text.split_once("action=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
                    let prompt = if shown.text.contains("value=\"login\"") { "login" } else { "consent" };
                    let form = [("prompt", prompt), ("login", "wang.li"), ("password", "x")];
                    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
                    shown = browser.step("POST", &url, Some(&form)).unwrap();
                    continue;
                }
            };
            shown = browser.step("GET", &next, None).unwrap();
        }
    };
    let (answer, kept) = to_callback(&mut browser);
    // Somebody else is sent there: to sign them in as who they are not, or because the address was seen.
    let mut victim = Browser::default();
    assert_eq!(refused(&victim.open(&answer).unwrap()), "stale");
    victim.step("GET", &hub.url("/api/v1/oidc/start"), None).unwrap();
    assert_eq!(refused(&victim.open(&answer).unwrap()), "stale", "the state is of another attempt");
    assert!(who(&victim, &hub).is_none());

    let shown = browser.open(&answer).unwrap();
    assert_eq!(shown.url, hub.url("/"));
    assert_eq!(who(&browser, &hub).unwrap()["name"], "wang.li");
    // The same once more: without the cookie, and with it.
    let mut replayed = Browser::default();
    assert_eq!(refused(&replayed.open(&answer).unwrap()), "stale");
    replayed.cookies.insert(ATTEMPT.into(), kept);
    assert_eq!(refused(&replayed.open(&answer).unwrap()), "stale", "the provider takes a code once");
    assert!(who(&replayed, &hub).is_none());

    // An address that the provider does not vouch for says nothing; who does not go through with it is not let in.
    add(&home, "li.na", "unverified@school.example");
    assert_eq!(refused(&sign_in(&mut Browser::default(), &hub, "unverified")), "nobody");
    let mut undecided = Browser::default();
    let asked = undecided.open(&hub.url("/api/v1/oidc/start")).unwrap();
    let abort = asked
        .text
        .split("href=\"")
        .find_map(|rest| rest.split('"').next().filter(|to| to.ends_with("/abort")));
    let abort = abort.map(|to| if to.starts_with('/') { format!("{issuer}{to}") } else { to.to_owned() });
    assert_eq!(refused(&undecided.open(&abort.unwrap()).unwrap()), "cancelled");

    // New keys: a running hub asks for them when it sees one it does not know.
    provider.restart().unwrap();
    let mut later = Browser::default();
    sign_in(&mut later, &hub, "wang.li");
    assert_eq!(who(&later, &hub).unwrap()["name"], "wang.li");

    // The provider goes away: while somebody is on the way, and before the hub starts.
    let mut on_the_way = Browser::default();
    let (answer, _) = to_callback(&mut on_the_way);
    provider.kill().unwrap();
    assert_eq!(refused(&on_the_way.open(&answer).unwrap()), "unreachable");
    drop(hub);
    let hub = home.start();
    assert_eq!(refused(&Browser::default().open(&hub.url("/api/v1/oidc/start")).unwrap()), "unreachable");
    assert!(who(&browser, &hub).is_some(), "who is signed in stays so");
    let cookie = home.account(&hub, "zhao", &["--role", "operator"]);
    assert!(!cookie.is_empty());
    let given = json!({ "name": "zhao", "password": PASSWORD });
    assert_eq!(http::send("POST", &hub.url("/api/v1/session"), None, Some(&given)).unwrap().status, 201);
    provider.restart().unwrap();
    let back = http::wait_until("the provider to be asked again", std::time::Duration::from_secs(20), || {
        let begun = Browser::default().step("GET", &hub.url("/api/v1/oidc/start"), None).unwrap();
        begun.location.filter(|to| to.starts_with(&provider.issuer()))
    });
    back.unwrap();
}

#[test]
fn what_a_provider_says_is_believed_only_if_it_is_whole() {
    let port = port::free().unwrap();
    let forger = Forger::start();
    let home = home(port, &forger.issuer(), "client_secret_file = \"client.secret\"\n");
    let hub = home.start();
    add(&home, "wang.li", "wang.li");
    let attempt = |token: Token| {
        let mut browser = Browser::default();
        let begun = browser.step("GET", &hub.url("/api/v1/oidc/start"), None).unwrap();
        let to = begun.location.unwrap();
        let given =
            |name: &str| to.split_once(&format!("{name}=")).unwrap().1.split('&').next().unwrap().to_owned();
        forger.answers(token.with_nonce(&given("nonce")));
        let shown = browser.open(&format!("{}?code=c&state={}", callback(port), given("state"))).unwrap();
        (shown, browser)
    };
    let forged: Vec<(&str, Token)> = vec![
        ("another nonce", Token::good().claim("nonce", json!("x"))),
        ("no nonce", Token::good().claim("nonce", Value::Null)),
        ("another audience", Token::good().claim("aud", json!("another"))),
        ("others may use it, too", Token::good().claim("aud", json!([OidcProvider::CLIENT_ID, "another"]))),
        ("another party", Token::good().claim("azp", json!("another"))),
        ("another issuer", Token::good().claim("iss", json!("https://id.example"))),
        ("over", Token::good().lasts(-1)),
        ("made long ago", Token::good().made(-3600)),
        ("made in the future", Token::good().made(3600)),
        ("unsigned", Token::good().unsigned()),
        ("signed with the client's secret", Token::good().signed_with_secret(SECRET)),
        ("signed by another key of the same name", Token::good().signed_by_another()),
        ("no subject", Token::good().claim("sub", Value::Null)),
        ("a subject without end", Token::good().claim("sub", json!("x".repeat(300)))),
        ("not a token", Token::nonsense()),
        ("no token", Token::none()),
    ];
    for (what, token) in forged {
        let (shown, browser) = attempt(token);
        assert_eq!(refused(&shown), "not_believed", "{what}");
        assert!(who(&browser, &hub).is_none(), "{what}");
    }
    let markup = "<img src=x onerror=alert(1)>";
    let (shown, _) =
        attempt(Token::good().claim("preferred_username", json!(markup)).claim("sub", json!("2")));
    assert_eq!(refused(&shown), "nobody");
    assert!(!shown.url.contains("img") && log(&hub)[0].2.contains(markup), "it is text, in the log alone");

    let (_, browser) = attempt(Token::good());
    assert_eq!(who(&browser, &hub).unwrap()["name"], "wang.li", "one that is whole");
    // A key that nobody knows has the keys asked for once a minute at most, however often it is named.
    let before = forger.keys_asked();
    for _ in 0..3 {
        let (shown, _) = attempt(Token::good().signed_as("made-up"));
        assert_eq!(refused(&shown), "not_believed");
    }
    assert_eq!(forger.keys_asked(), before + 1);
    let bare = Browser::default().open(&format!("{}?error=access_denied", callback(port))).unwrap();
    assert_eq!(refused(&bare), "stale", "nobody began");
    let log = hub.daemon.log();
    assert!(!log.contains(SECRET), "the client's secret is in no log");
}

/// The way a person takes, in a real browser, which keeps to the cookies' terms.
#[test]
fn people_come_by_the_provider_in_a_browser() {
    let port = port::free().unwrap();
    let settings = Settings { redirect_uri: callback(port), ..Settings::default() };
    let provider = OidcProvider::start(settings).unwrap();
    let label = "label = { zh = \"校园账号登录\", en = \"Campus account\" }\n";
    let home = home(port, &provider.issuer(), label);
    let hub = home.start();
    home.account(&hub, "li.na", &["--role", "administrator"]);
    add(&home, "wang.li", "wang.li");
    drive("oidc-page.mjs", &hub, &[("GATEPOST_NAME", "li.na")], |_| {});
}

#[test]
fn links_to_the_provider_are_kept_apart() {
    let home = Home::embedded();
    let hub = home.start();
    let ways: Value = http::get_json(&hub.url("/api/v1/sign-in-ways")).unwrap();
    assert_eq!(ways, json!({ "oidc": null }));
    assert_eq!(refused(&Browser::default().open(&hub.url("/api/v1/oidc/start")).unwrap()), "not_offered");
    let new = |name: &str, provider: Value| {
        let new = json!({ "name": name, "display_name": name, "roles": ["operator"], "sites": null, "provider": provider });
        let answer = http::post_json(&hub.url("/api/v1/people"), &new).unwrap();
        (answer.status, serde_json::from_slice::<Value>(&answer.body).unwrap())
    };
    let (status, added) = new("wang.li", json!("wang@school.example"));
    assert_eq!((status, &added["invitation"]), (201, &json!(null)));
    let (status, problem) = new("li.na", json!("wang@school.example"));
    assert_eq!((status, &problem["parameter"]), (400, &json!("provider")));
    for bad in [json!(""), json!("a\nb"), json!("x".repeat(256))] {
        assert_eq!(new("li.na", bad).1["parameter"], "provider");
    }
    let (status, added) = new("li.na", json!(null));
    assert_eq!(
        (status, &added["person"]["provider"]),
        (201, &json!(null)),
        "the name was not taken by who was refused"
    );
    assert!(added["invitation"]["token"].is_string());
    assert_eq!(change(&hub, "li.na", json!({ "provider": "wang@school.example" })).0, 400);
    let (_, person) = change(&hub, "li.na", json!({ "provider": "li@school.example" }));
    assert_eq!(person["provider"], json!({ "name": "li@school.example", "bound": null }));
    let (_, person) = change(&hub, "li.na", json!({ "display_name": "李娜" }));
    assert_eq!(person["provider"]["name"], "li@school.example", "what is left out stays");
    let (_, person) = change(&hub, "li.na", json!({ "provider": null }));
    assert_eq!(person["provider"], json!(null));
    assert_eq!(log(&hub)[1].2, "李娜; operator; every site; OpenID Connect: li@school.example");
    assert!(home.call(&["person", "list"]).contains("at the provider: wang@school.example"));
}
