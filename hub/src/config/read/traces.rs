//! The collector of traces.

use std::io;
use std::path::{Path, PathBuf};

use super::{ConfigError, SYSTEM_AUTHORITIES, Source, password};
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
    let system = || PathBuf::from(SYSTEM_AUTHORITIES);
    Ok(Some(Traces {
        url: table.url,
        token,
        ca_file: table.ca_file.map_or_else(system, |file| source.path(&file)),
        share: table.share,
    }))
}
