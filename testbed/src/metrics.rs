//! What a daemon tells Prometheus, and what is written down of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::footage::workspace_root;
use crate::{Error, Result};

/// Figures that docs/METRICS.md lists: name, and whether its row says that it may be missing.
pub fn documented() -> Result<BTreeMap<String, bool>> {
    let file = workspace_root().join("docs/METRICS.md");
    let text = fs::read_to_string(&file).map_err(Error::io(file.display().to_string()))?;
    let rows = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `gatepost_")?.split_once('`')?;
        Some((format!("gatepost_{name}"), rest.contains(", if ")))
    });
    Ok(rows.collect())
}

/// Names of the figures in a text of OpenMetrics, as docs/METRICS.md writes them: a counter's with `_total`, an info's with `_info`.
pub fn served(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
        Some(match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
    };
    text.lines().filter_map(name).collect()
}

/// The value of the series with this name and labels, as it is written: `gatepost_hub_devices{presence="online"}`.
pub fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}
