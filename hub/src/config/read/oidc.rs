//! The provider of sign-ins.

use std::io;
use std::path::Path;

use super::{ConfigError, Source, password};
use crate::config::oidc::{ClientSecret, Oidc, OidcTable};
use crate::config::{TlsTable, Web};

pub(super) fn oidc(
    table: Option<OidcTable>,
    web: &Web,
    tls: &TlsTable,
    source: &Source<'_>,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Option<Oidc>, ConfigError> {
    let Some(table) = table else { return Ok(None) };
    let page = web.page(&tls.names);
    // The provider sends people back to an address that it was told once.
    if page.ends_with(":0") {
        let problem = "the provider has to know the address of the page: give `web.listen`, or `web.tls_listen`, a port that stays";
        return Err(source.wrong(table.issuer.span().start, "oidc.issuer", problem));
    }
    let client_secret = match table.client_secret_file {
        None => None,
        Some(file) => Some(ClientSecret::kept(password(&file, "oidc.client_secret_file", source, secret)?)),
    };
    Ok(Some(Oidc {
        issuer: table.issuer.into_inner(),
        client_id: table.client_id,
        client_secret,
        claim: table.claim,
        prompt: table.prompt,
        label: table.label,
        ca_file: source.authorities(table.ca_file.as_deref()),
        page,
    }))
}
