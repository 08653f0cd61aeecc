//! Lists as files for other programs: CSV for a spreadsheet, JSON for everything else. Pure.

mod csv;

use serde::Serialize;
use serde_json::Value;

use crate::alert::Alert;
use crate::incident::Incident;

/// What a file begins with, so that Excel reads Chinese as UTF-8 and not as the system's own encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Something a file has a line for.
pub trait Line: Serialize {
    /// Names of the columns, and where each stands in the JSON of the API, as a JSON pointer.
    const COLUMNS: &'static [(&'static str, &'static str)];
}

impl Line for Incident {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("number", "/number"),
        ("id", "/id"),
        ("kind", "/kind"),
        ("severity", "/severity"),
        ("edge", "/edge"),
        ("camera", "/camera"),
        ("camera_label", "/camera_label"),
        ("zone", "/zone"),
        ("zone_label", "/zone_label"),
        ("sensor", "/sensor"),
        ("sensor_label", "/sensor_label"),
        ("cause", "/cause"),
        ("object", "/object"),
        ("alarms", "/alarms"),
        ("attachments", "/attachments"),
        ("opened", "/opened"),
        ("first", "/first"),
        ("last", "/last"),
        ("stage", "/stage"),
        ("outcome", "/outcome"),
        ("reason", "/reason"),
        ("assignee", "/assignee/name"),
        ("due", "/due"),
        ("overdue", "/overdue"),
        ("merged_into", "/merged_into"),
    ];
}

impl Line for Alert {
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("id", "/id"),
        ("kind", "/kind"),
        ("severity", "/severity"),
        ("edge", "/edge"),
        ("camera", "/camera"),
        ("camera_label", "/camera_label"),
        ("zone", "/zone"),
        ("zone_label", "/zone_label"),
        ("rule", "/rule"),
        ("sensor", "/sensor"),
        ("sensor_label", "/sensor_label"),
        ("input", "/input"),
        ("object", "/object"),
        ("direction", "/direction"),
        ("count", "/count"),
        ("cause", "/cause"),
        ("detail", "/detail"),
        ("phase", "/phase"),
        ("began", "/began"),
        ("last", "/last"),
        ("ended", "/ended"),
        ("received", "/received"),
        ("events", "/events"),
    ];
}

/// As what a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// RFC 4180, a line of names first.
    #[default]
    Csv,
    /// An array of what the API tells of each.
    Json,
}

impl Format {
    /// What a file begins with.
    pub fn head<T: Line>(self) -> String {
        match self {
            Self::Csv => {
                let names = T::COLUMNS.iter().map(|(name, _)| Some(*name));
                format!("{BYTE_ORDER_MARK}{}", csv::line(names))
            }
            Self::Json => "[\n".to_owned(),
        }
    }

    /// These lines; `first`: nothing but the head was written before them.
    ///
    /// # Errors
    /// When one cannot be written as JSON.
    pub fn lines<T: Line>(self, lines: &[T], first: bool) -> serde_json::Result<String> {
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let value = serde_json::to_value(line)?;
            match self {
                Self::Csv => text.push_str(&csv_line::<T>(&value)),
                Self::Json => {
                    if index > 0 || !first {
                        text.push_str(",\n");
                    }
                    text.push_str(&value.to_string());
                }
            }
        }
        Ok(text)
    }

    /// What it ends with.
    pub const fn tail(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Json => "\n]\n",
        }
    }

    /// How a file's name ends.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

fn csv_line<T: Line>(value: &Value) -> String {
    let cells: Vec<Option<String>> = T::COLUMNS
        .iter()
        .map(|(_, at)| match value.pointer(at) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        })
        .collect();
    csv::line(cells.iter().map(Option::as_deref))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing {
        name: &'static str,
        of: Option<u8>,
    }

    impl Line for Thing {
        const COLUMNS: &'static [(&'static str, &'static str)] = &[("name", "/name"), ("of", "/of")];
    }

    #[test]
    fn a_file_in_pieces_is_whole() {
        let file = |format: Format| {
            let pieces: [&[Thing]; 2] = [
                &[Thing { name: "一", of: Some(1) }],
                &[Thing { name: "=1+1", of: None }, Thing { name: "c", of: Some(3) }],
            ];
            let mut text = format.head::<Thing>();
            for (index, piece) in pieces.iter().enumerate() {
                text.push_str(&format.lines(piece, index == 0).unwrap());
            }
            text + format.tail()
        };
        assert_eq!(file(Format::Csv), "\u{feff}name,of\r\n一,1\r\n'=1+1,\r\nc,3\r\n");
        let json: Value = serde_json::from_str(&file(Format::Json)).unwrap();
        assert_eq!(json[1]["name"], "=1+1", "a program gets what was said");
        assert_eq!(json.as_array().unwrap().len(), 3);
        let none = Format::Json.head::<Thing>() + Format::Json.tail();
        assert_eq!(serde_json::from_str::<Value>(&none).unwrap(), serde_json::json!([]));
    }
}
