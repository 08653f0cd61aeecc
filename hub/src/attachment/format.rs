//! What may be attached, told by the bytes. What the sender or the name says decides nothing.

/// Formats of attachments: there are no others. None of them runs anything in a browser when it is served as what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// A photo.
    Jpeg,
    /// A drawing, or what a screen showed.
    Png,
    /// A photo.
    WebP,
    /// A paper. It is never shown by the page, only handed out.
    Pdf,
}

/// Bytes that cannot be attached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There are none.
    #[error("the file is empty")]
    Empty,
    /// No beginning of a known format.
    #[error(
        "not a JPEG, PNG, WebP or PDF file: it begins like none of them, whatever its name says; save a photo as JPEG, a document as PDF"
    )]
    Unknown,
    /// It begins as one, and does not go on as one.
    #[error("a damaged {format}: {problem}; save it anew and send that")]
    Damaged {
        /// What it began as.
        format: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Behind its last mark a PDF may have line ends, and some programs leave more.
const PDF_TAIL: usize = 1024;

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::WebP, Self::Pdf];

    /// Looks at the first bytes; of a PDF at the last ones, too.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Unfit> {
        if bytes.is_empty() {
            return Err(Unfit::Empty);
        }
        if bytes.starts_with(b"\xff\xd8\xff") {
            return Ok(Self::Jpeg);
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Ok(Self::Png);
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Ok(Self::WebP);
        }
        if bytes.starts_with(b"%PDF-") {
            let tail = bytes.get(bytes.len().saturating_sub(PDF_TAIL)..).unwrap_or(bytes);
            let ends = tail.windows(5).any(|five| five == b"%%EOF");
            return if ends { Ok(Self::Pdf) } else { Err(Self::Pdf.damaged("its end is missing")) };
        }
        Err(Unfit::Unknown)
    }

    /// It began as this.
    pub(super) const fn damaged(self, problem: &'static str) -> Unfit {
        Unfit::Damaged { format: self.name(), problem }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Pdf => "PDF",
        }
    }

    /// As it is named in the database and over HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// The format of this name, if it is one of them.
    pub fn named(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.media_type() == media_type)
    }

    /// Ends of names of such files, the usual one first.
    pub(super) const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::WebP => &["webp"],
            Self::Pdf => &["pdf"],
        }
    }
}
