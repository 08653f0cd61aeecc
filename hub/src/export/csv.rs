//! RFC 4180, for files that people open in a spreadsheet.

/// What makes a spreadsheet take a cell for a formula, at its beginning (OWASP, *CSV Injection*); the wide ones count in Chinese and
/// Japanese versions.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// One line, with its end. No value is an empty cell.
pub(super) fn line<'a>(cells: impl Iterator<Item = Option<&'a str>>) -> String {
    let cells: Vec<String> = cells.map(|cell| cell.map_or_else(String::new, self::cell)).collect();
    cells.join(",") + "\r\n"
}

/// What devices and people write is never run: an apostrophe makes a spreadsheet show it as it is.
fn cell(text: &str) -> String {
    let safe = if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    if safe.contains([',', '"', '\r', '\n', ';', '\t']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes a line apart as RFC 4180 says, by itself.
    fn parse(line: &str) -> Vec<String> {
        let line = line.strip_suffix("\r\n").unwrap();
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        cells
    }

    #[test]
    fn a_formula_is_shown_and_not_run() {
        for text in ["=HYPERLINK(\"http://x\",\"y\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(parse(&line([Some(text)].into_iter()))[0].starts_with('\''), "{text}");
        }
        assert_eq!(line([Some("a-b"), None, Some("x, \"y\"")].into_iter()), "a-b,,\"x, \"\"y\"\"\"\r\n");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cells in proptest::collection::vec(".*", 1..6)) {
            let read = parse(&line(cells.iter().map(|cell| Some(cell.as_str()))));
            prop_assert_eq!(read.len(), cells.len());
            for (read, cell) in read.iter().zip(&cells) {
                let said = read.strip_prefix('\'').filter(|_| cell.starts_with(FORMULA)).unwrap_or(read);
                prop_assert_eq!(said, cell);
                prop_assert!(!read.starts_with(FORMULA));
            }
        }
    }
}
