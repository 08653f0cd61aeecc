//! What a browser does with cookies, redirections and forms, where a test has to see each step or what a real browser would not do.
//! Blocking, no TLS; whether a real one keeps to the cookies' terms is for a real one to show.

use std::collections::BTreeMap;
use std::time::Duration;

use ureq::http::Request;
use ureq::{Agent, Body};

use crate::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(15);
const MOST_REDIRECTIONS: usize = 20;

/// Somebody's browser, which has one jar for all ports of this machine, as browsers have.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// Its cookies, by name.
    pub cookies: BTreeMap<String, String>,
}

/// What a browser shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its address, with what stands behind `#`.
    pub url: String,
    /// Status code.
    pub status: u16,
    /// Where it leads on, if it does.
    pub location: Option<String>,
    /// Each header `set-cookie`.
    pub set_cookies: Vec<String>,
    /// Body as text.
    pub text: String,
}

impl Browser {
    /// Opens an address and goes where it is sent.
    pub fn open(&mut self, url: &str) -> Result<Shown> {
        let first = self.step("GET", url, None)?;
        self.follow(first)
    }

    /// Sends the form of a page, with these fields besides its hidden ones, and goes where it is sent.
    pub fn submit(&mut self, page: &Shown, fields: &[(&str, &str)]) -> Result<Shown> {
        let action = attribute(&page.text, "<form", "action").unwrap_or_default();
        let hidden = page.text.split("<input").filter(|input| input.contains("type=\"hidden\""));
        let hidden = hidden.filter_map(|input| Some((value(input, "name")?, value(input, "value")?)));
        let fields: Vec<(String, String)> =
            hidden.chain(fields.iter().map(|(name, value)| ((*name).into(), (*value).into()))).collect();
        let first = self.step("POST", &join(&page.url, &action), Some(&fields))?;
        self.follow(first)
    }

    fn follow(&mut self, mut shown: Shown) -> Result<Shown> {
        for _ in 0..MOST_REDIRECTIONS {
            let Some(location) = &shown.location else { return Ok(shown) };
            let next = join(&shown.url, location);
            shown = self.step("GET", &next, None)?;
        }
        Ok(shown)
    }

    /// One request; a redirection is not followed.
    pub fn step(&mut self, method: &str, url: &str, form: Option<&[(String, String)]>) -> Result<Shown> {
        let failed = |source: ureq::Error| Error::Http { url: url.into(), source: Box::new(source) };
        let mut request = Request::builder().method(method).uri(url.split('#').next().unwrap_or(url));
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let body = form.map_or_else(String::new, |fields| {
            let pairs: Vec<_> =
                fields.iter().map(|(name, value)| format!("{}={}", quote(name), quote(value))).collect();
            pairs.join("&")
        });
        if form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(body).map_err(|error| failed(error.into()))?;
        let mut answer = agent().run(request).map_err(failed)?;
        let text = text(answer.body_mut()).map_err(failed)?;
        let header = |name: &str| {
            let values = answer.headers().get_all(name).iter();
            values.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect::<Vec<_>>()
        };
        let set_cookies = header("set-cookie");
        for set in &set_cookies {
            self.keep(set);
        }
        let status = answer.status().as_u16();
        let location = header("location").pop().filter(|_| (300..400).contains(&status));
        Ok(Shown { url: url.into(), status, location, set_cookies, text })
    }

    fn keep(&mut self, set: &str) {
        let Some((name, value)) = set.split(';').next().and_then(|pair| pair.split_once('=')) else { return };
        if value.is_empty() || set.contains("Max-Age=0") || set.contains("01 Jan 1970") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.into(), value.into());
        }
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

fn text(body: &mut Body) -> std::result::Result<String, ureq::Error> {
    Ok(String::from_utf8_lossy(&body.read_to_vec()?).into_owned())
}

/// An address that a page names.
fn join(page: &str, named: &str) -> String {
    if named.contains("://") {
        return named.into();
    }
    let host = page.find("://").map_or(0, |at| at + 3);
    let origin = page.get(host..).and_then(|rest| rest.find('/')).map_or(page.len(), |at| host + at);
    format!("{}{named}", page.get(..origin).unwrap_or(page))
}

/// The attribute of the first such element.
fn attribute(html: &str, element: &str, name: &str) -> Option<String> {
    let tag = html.split_once(element)?.1.split_once('>')?.0;
    value(tag, name)
}

fn value(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!("{name}=\""))?.1;
    Some(rest.split_once('"')?.0.replace("&amp;", "&"))
}

/// As `application/x-www-form-urlencoded` has it.
fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_addresses() {
        let page = "<form autocomplete=\"off\" action=\"/go?a=1&amp;b=2\" method=\"post\"><input type=\"hidden\" name=\"x\" value=\"y\"/>";
        assert_eq!(attribute(page, "<form", "action").as_deref(), Some("/go?a=1&b=2"));
        assert_eq!(join("http://127.0.0.1:1/a/b?c", "/d"), "http://127.0.0.1:1/d");
        assert_eq!(join("http://127.0.0.1:1", "http://127.0.0.1:2/d"), "http://127.0.0.1:2/d");
        assert_eq!(quote("wang.li=7 x"), "wang.li%3D7%20x");
    }

    #[test]
    fn a_jar_forgets_what_it_is_told_to_forget() {
        let mut browser = Browser::default();
        browser.keep("a=1; Path=/; HttpOnly");
        browser.keep("b=2");
        browser.keep("a=; Path=/; Max-Age=0");
        assert_eq!(browser.cookies, BTreeMap::from([("b".to_owned(), "2".to_owned())]));
    }
}
