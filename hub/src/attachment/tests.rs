//! What is left of what people send.

use proptest::prelude::*;

use super::*;

/// A segment of a JPEG.
fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], content].concat()
}

/// Exif as a phone writes it: orientation, the phone's name and where it was.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x03".to_vec();
    tiff.extend(b"\x01\x10\0\x02\0\0\0\x09\0\0\0\x50");
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x60");
    tiff.extend([0; 40]);
    tiff.extend(b"PhoneX 9\0 GPS 31.2304 N 121.4737 E");
    tiff
}

/// Two scans with a comment between them, restarts and a stuffed FF in the coded picture.
const SCANS: &[u8] = b"\x12\xff\x00\x34\xff\xd0\x56";

fn jpeg(orientation: u8) -> Vec<u8> {
    [
        &b"\xff\xd8"[..],
        &segment(0xe0, b"JFIF\0\x01\x02\0\0\x48\0\x48\x01\x01RGB"),
        &segment(0xe1, &exif(orientation)),
        &segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>owner</x:xmpmeta>"),
        &segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
        &segment(0xe2, b"MPF\0preview"),
        &segment(0xed, b"Photoshop 3.0\0IPTC author"),
        &segment(0xee, b"Adobe\0\x64\0\0\0\0\x01more"),
        &segment(0xfe, b"a comment"),
        b"\xff\xff",
        &segment(0xdb, &[1; 65])[1..],
        &segment(0xda, b"head"),
        SCANS,
        &segment(0xfe, b"between scans"),
        &segment(0xda, b"head"),
        SCANS,
        b"\xff\xd9",
        b"ftyp a film with sound, and where it was taken",
    ]
    .concat()
}

fn kept(sent: &[u8]) -> Content {
    Content::parse(Bytes::copy_from_slice(sent)).unwrap_or_else(|error| panic!("{error}"))
}

fn says(content: &Content, words: &[u8]) -> bool {
    content.bytes().windows(words.len()).any(|window| window == words)
}

#[test]
fn a_photo_keeps_its_picture_and_loses_where_and_by_whom_it_was_taken() {
    let photo = kept(&jpeg(6));
    assert_eq!(photo.format(), Format::Jpeg);
    for word in ["PhoneX", "GPS", "owner", "preview", "author", "comment", "between", "film", "RGB", "more"] {
        assert!(!says(&photo, word.as_bytes()), "{word}");
    }
    let turned = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let expected = [
        &b"\xff\xd8"[..],
        &segment(0xe0, b"JFIF\0\x01\x02\0\0\x48\0\x48\0\0"),
        &segment(0xe1, turned),
        &segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
        &segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"),
        &segment(0xdb, &[1; 65]),
        &segment(0xda, b"head"),
        SCANS,
        &segment(0xda, b"head"),
        SCANS,
        b"\xff\xd9",
    ]
    .concat();
    assert_eq!(photo.bytes(), &expected);
    assert_eq!(photo.sha256(), hex(&Sha256::digest(&expected)), "of what is kept");
    assert_eq!(kept(photo.bytes()).bytes(), photo.bytes(), "there is nothing more to take out");
    assert!(!says(&kept(&jpeg(1)), b"Exif"), "one that is the right way up needs none");
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length[..], kind, content, b"sum!"].concat()
}

fn png(parts: &[Vec<u8>]) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

#[test]
fn a_png_keeps_its_picture_only() {
    let (head, data, end) = (chunk(b"IHDR", &[0; 13]), chunk(b"IDAT", b"pixels"), chunk(b"IEND", b""));
    let sent = [
        head.clone(),
        chunk(b"gAMA", b"\0\0\0\x01"),
        chunk(b"tEXt", b"Author\0Wang"),
        chunk(b"eXIf", b"MM GPS"),
        chunk(b"tIME", b"1234567"),
        data.clone(),
        end.clone(),
        b"behind the end".to_vec(),
    ];
    let expected = png(&[head.clone(), chunk(b"gAMA", b"\0\0\0\x01"), data.clone(), end.clone()]);
    assert_eq!(kept(&png(&sent)).bytes(), &expected);
    for bad in [
        png(&[head.clone(), data.clone()]),
        png(&[head.clone(), end.clone()]),
        png(&[data.clone(), end.clone()]),
        png(&[head.clone(), head, data, end]),
    ] {
        let refused = Content::parse(bad.into()).unwrap_err();
        assert!(matches!(refused, Unfit::Damaged { format: "PNG", .. }), "{refused}");
    }
}

fn riff(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    let pad: &[u8] = if content.len() % 2 == 1 { b"\0" } else { b"" };
    [kind, &length[..], content, pad].concat()
}

fn webp(parts: &[Vec<u8>]) -> Vec<u8> {
    riff(b"RIFF", &[b"WEBP".to_vec(), parts.concat()].concat())
}

#[test]
fn a_webp_keeps_its_picture_only() {
    let head = |flags: u8| riff(b"VP8X", &[flags, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    let picture = riff(b"VP8 ", b"pixels!");
    let mut sent = webp(&[
        head(0x2c),
        riff(b"ICCP", b"profile"),
        picture.clone(),
        riff(b"EXIF", b"MM GPS"),
        riff(b"XMP ", b"<owner/>"),
        riff(b"LIST", b"more"),
    ]);
    sent.extend(b"behind the end");
    let expected = webp(&[head(0x20), riff(b"ICCP", b"profile"), picture.clone()]);
    assert_eq!(kept(&sent).bytes(), &expected);
    assert_eq!(kept(&webp(std::slice::from_ref(&picture))).format(), Format::WebP);
    for bad in [webp(&[head(0x02), picture.clone()]), webp(&[head(0)]), webp(&[picture.clone(), picture])] {
        let refused = Content::parse(bad.into()).unwrap_err();
        assert!(matches!(refused, Unfit::Damaged { format: "WebP", .. }), "{refused}");
    }
}

#[test]
fn what_it_is_is_told_by_its_bytes() {
    let paper = b"%PDF-1.7\n1 0 obj\n%%EOF\n";
    assert_eq!((kept(paper).format(), kept(paper).bytes().as_ref()), (Format::Pdf, &paper[..]));
    for sent in [
        &b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"[..],
        b"<!doctype html><script>alert(1)</script>",
        b"PK\x03\x04 an office file",
        b"\0\0\0\x18ftypheic",
        b"GIF89a",
        b"MZ",
        b" %PDF-1.7 %%EOF",
    ] {
        assert_eq!(Content::parse(Bytes::from_static(sent)).unwrap_err(), Unfit::Unknown);
    }
    assert_eq!(Content::parse(Bytes::new()).unwrap_err(), Unfit::Empty);
    let cut = Content::parse(Bytes::from_static(b"%PDF-1.7 and no end")).unwrap_err();
    assert!(cut.to_string().contains("PDF") && cut.to_string().contains("end is missing"), "{cut}");
    for format in Format::ALL {
        assert_eq!(Format::named(format.media_type()), Some(format));
    }
    assert_eq!(Format::named("image/svg+xml"), None);
}

#[test]
fn a_photo_that_is_cut_off_anywhere_is_refused() {
    let whole = jpeg(6);
    let end = whole.windows(2).rposition(|two| two == [0xff, 0xd9]).unwrap();
    for cut in 3..end + 2 {
        let refused = Content::parse(Bytes::copy_from_slice(&whole[..cut])).unwrap_err();
        assert!(matches!(refused, Unfit::Damaged { format: "JPEG", .. }), "{cut}: {refused}");
    }
}

proptest! {
    /// Whatever stands behind a good beginning, in whole parts or not: it is kept or refused, never a panic, and what is kept is no larger
    /// by more than a frame, and is kept again as it is.
    #[test]
    fn malformed_pictures_are_refused_or_kept_and_nothing_panics(
        of in 0_usize..4,
        parts in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..8),
        rest in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let kinds: [&[u8; 4]; 8] = [b"IHDR", b"IDAT", b"IEND", b"tEXt", b"VP8X", b"VP8 ", b"LIST", b"RIFF"];
        let mut sent = Vec::new();
        for (kind, content) in &parts {
            let named = kinds[usize::from(*kind) % kinds.len()];
            match of {
                0 => sent.extend(segment(*kind, content)),
                1 => sent.extend(chunk(named, content)),
                2 => sent.extend(riff(named, content)),
                _ => sent.extend(content),
            }
        }
        sent.extend(&rest);
        let sent = match of {
            0 => [&b"\xff\xd8"[..], &segment(0xda, b""), b"x", &sent, b"\xff\xd9"].concat(),
            1 => png(&[chunk(b"IHDR", b""), sent, chunk(b"IDAT", b""), chunk(b"IEND", b"")]),
            2 => webp(&[sent, riff(b"VP8L", b"x")]),
            _ => [&b"%PDF-"[..], &sent, b"%%EOF"].concat(),
        };
        if let Ok(content) = Content::parse(Bytes::copy_from_slice(&sent)) {
            prop_assert!(content.bytes().len() <= sent.len() + 64);
            let again = Content::parse(content.bytes().clone()).unwrap();
            prop_assert_eq!(again.bytes(), content.bytes());
        }
    }
}
