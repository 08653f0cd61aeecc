//! What an attachment is called: what is left of the name a phone or computer gave it.

use serde::Serialize;

use super::Format;

/// A name is no longer, its end included.
const LONGEST: usize = 120;

/// A file's name that is only a name: one line, no folder, nothing a system takes for more than a letter, and the end that goes with what
/// the file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// What is left of the name somebody sent.
    pub fn of(sent: &str, format: Format) -> Self {
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let cleaned: String = last.chars().filter(|c| !is_invisible(*c)).map(without_meaning).collect();
        let cleaned = cleaned.trim_matches(|c: char| c == '.' || c.is_whitespace());
        let (stem, end) = match cleaned.rsplit_once('.') {
            Some((stem, end)) if has_end(end, format) => (stem.trim_end(), end.to_ascii_lowercase()),
            _ => (cleaned, usual_end(format)),
        };
        let stem = if stem.is_empty() { "attachment" } else { stem };
        let room = LONGEST.saturating_sub(end.chars().count() + 1);
        let stem: String = stem.chars().take(room).collect();
        Self(format!("{}.{end}", stem.trim_end()))
    }

    /// One that was kept.
    pub(crate) fn kept(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn has_end(end: &str, format: Format) -> bool {
    format.extensions().iter().any(|known| known.eq_ignore_ascii_case(end))
}

fn usual_end(format: Format) -> String {
    format.extensions().first().copied().unwrap_or("bin").to_owned()
}

/// Control characters, and those that turn the order of letters around or take no room: `gnp.exe` can be made to look like `exe.png`.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// What Windows allows in no name.
fn without_meaning(c: char) -> char {
    if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_name_is_left() {
        for (sent, format, kept) in [
            ("IMG_2041.JPG", Format::Jpeg, "IMG_2041.jpg"),
            ("维修 发票.pdf", Format::Pdf, "维修 发票.pdf"),
            ("../../etc/passwd", Format::Pdf, "passwd.pdf"),
            ("C:\\Users\\w\\gate.jpeg", Format::Jpeg, "gate.jpeg"),
            ("bill.pdf.exe", Format::Pdf, "bill.pdf.exe.pdf"),
            ("photo.png", Format::Jpeg, "photo.png.jpg"),
            ("\u{202e}gnp.exe", Format::Png, "gnp.exe.png"),
            ("a\r\nSet-Cookie: x", Format::Png, "aSet-Cookie_ x.png"),
            ("<img src=x>.png", Format::Png, "_img src=x_.png"),
            ("  . .jpg", Format::Jpeg, "jpg.jpg"),
            ("", Format::WebP, "attachment.webp"),
            ("...", Format::WebP, "attachment.webp"),
        ] {
            assert_eq!(FileName::of(sent, format).as_str(), kept, "{sent:?}");
        }
        let long = FileName::of(&"长".repeat(300), Format::Jpeg);
        assert_eq!(long.as_str().chars().count(), LONGEST);
        assert!(long.as_str().ends_with(".jpg"));
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_one_line_with_the_right_end(sent in any::<String>()) {
            let name = FileName::of(&sent, Format::Jpeg);
            let text = name.as_str();
            prop_assert!(text.ends_with(".jpg") || text.ends_with(".jpeg"));
            prop_assert!(text.chars().count() <= LONGEST && !text.starts_with('.'));
            prop_assert!(!text.contains(['/', '\\', '"', '<']) && !text.chars().any(is_invisible));
            // What was kept is kept again as it is.
            prop_assert_eq!(&FileName::of(text, Format::Jpeg), &name);
        }
    }
}
