//! The collector of traces.

use std::io;
use std::path::Path;

use super::{ConfigError, Source, password};
use crate::config::traces::{BearerToken, Traces, TracesTable};

pub(super) fn traces(
    table: Option<TracesTable>,
    source: &Source<'_>,
    secret: impl Fn(&Path) -> io::Result<String>,
) -> Result<Option<Traces>, ConfigError> {
    let Some(table) = table else { return Ok(None) };
    let token = match table.token_file {
        None => None,
        Some(file) => {
            let key = "traces.token_file";
            let token = BearerToken::kept(password(&file, key, source, secret)?).ok_or_else(|| {
                let path = source.path(file.get_ref());
                let problem =
                    format!("{} holds more than a token: one word of ASCII is needed", path.display());
                source.wrong(file.span().start, key, problem)
            })?;
            Some(token)
        }
    };
    Ok(Some(Traces {
        url: table.url,
        token,
        ca_file: source.authorities(table.ca_file.as_deref()),
        share: table.share,
    }))
}
