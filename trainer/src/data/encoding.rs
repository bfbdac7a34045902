//! What bytes mean: UTF-8, unless a byte order mark or a person says otherwise.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

use super::repair;
use crate::error::InputError;
use crate::recipe::hint;

/// An encoding of text, by one of the names that the WHATWG's Encoding Standard gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// Names that a message may propose.
const NAMES: [&str; 42] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "latin1",
    "ascii",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "cp1252",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "x-mac-cyrillic",
    "ibm866",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
];

/// So many characters of more than one byte, all of them well formed, leave no doubt that a file is UTF-8.
const BEYOND_DOUBT: usize = 8;

impl FromStr for Encoding {
    type Err = String;

    /// Also by a name as Python writes it: `latin-1`, `utf_8`.
    fn from_str(name: &str) -> Result<Self, String> {
        let lower = name.trim().to_lowercase();
        let spellings = [lower.clone(), lower.replace('_', "-"), lower.replace(['-', '_'], "")];
        let known = spellings
            .iter()
            .find_map(|name| encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()));
        known.map(Self).ok_or_else(|| {
            format!("no encoding that can be read has this name{}", hint(&lower, NAMES.into_iter()))
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name().to_lowercase())
    }
}

/// The text that bytes of a file are. A byte order mark counts more than what a person told, and so does UTF-8 that is
/// beyond doubt: data may be files of several sources. The mark stays in front of the text.
pub(super) fn decode(path: &Path, bytes: Vec<u8>, told: Option<Encoding>) -> Result<String, InputError> {
    if bytes.starts_with(b"\xFF\xFE\0\0") || bytes.starts_with(b"\0\0\xFE\xFF") {
        let reason = match repair::command(path, "iconv -f utf-32 -t utf-8") {
            Some(command) => format!("not UTF-8 but UTF-32 (convert it: {command})"),
            None => "not UTF-8 but UTF-32 (convert it: iconv -f utf-32 -t utf-8)".to_owned(),
        };
        return Err(InputError::in_file(path, reason));
    }
    let marked = encoding_rs::Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let encoding = marked.or(told.map(|told| told.0)).unwrap_or(UTF_8);
    if encoding != UTF_8 && !(encoding.is_ascii_compatible() && is_utf8(&bytes)) {
        return decode_as(path, &bytes, encoding);
    }
    if let Some(encoding) = utf16(&bytes) {
        let encoding = Encoding(encoding);
        let reason = format!(
            "not UTF-8: every other byte is zero, as in UTF-16 without a byte order mark (--encoding {encoding})"
        );
        return Err(InputError::at_line(path, 1, reason));
    }
    String::from_utf8(bytes)
        .map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

/// Whether bytes of a file for which another encoding was told are UTF-8 all the same.
fn is_utf8(bytes: &[u8]) -> bool {
    str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().filter(|c| !c.is_ascii()).nth(BEYOND_DOUBT - 1).is_some())
}

/// The UTF-16 that bytes without a byte order mark look like: their first character is in ASCII.
fn utf16(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match bytes {
        [0, 1..=u8::MAX, ..] => Some(UTF_16BE),
        [1..=u8::MAX, 0, ..] => Some(UTF_16LE),
        _ => None,
    }
}

fn decode_as(
    path: &Path,
    bytes: &[u8],
    encoding: &'static encoding_rs::Encoding,
) -> Result<String, InputError> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    // Again, to tell where it fails.
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(3 * bytes.len() + 16);
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    let at = match result {
        DecoderResult::Malformed(length, behind) => read - usize::from(length) - usize::from(behind),
        DecoderResult::InputEmpty | DecoderResult::OutputFull => read,
    };
    let byte = bytes.get(at).copied().unwrap_or_default();
    let reason = format!(
        "not {}: byte 0x{byte:02X}, {at} bytes into the file, is no character of it (name another with --encoding NAME)",
        Encoding(encoding)
    );
    Err(InputError::at_line(path, 1 + text.matches('\n').count(), reason))
}

/// Says where bytes stop to be UTF-8, and how they can be read nevertheless.
fn not_utf8(path: &Path, bytes: &[u8], valid: usize) -> InputError {
    let line = 1 + bytes[..valid].iter().filter(|&&byte| byte == b'\n').count();
    let before = bytes[..valid].iter().rev().take_while(|&&byte| byte != b'\n').count();
    let mut remedy = match is_western(&bytes[valid..]) {
        true => {
            "if it is Western European: --encoding windows-1252; Central European: --encoding windows-1250"
        }
        false => {
            "tell its encoding, such as --encoding gb18030 for Chinese, --encoding shift_jis for Japanese, \
             --encoding euc-kr for Korean, --encoding windows-1251 for Cyrillic"
        }
    }
    .to_owned();
    if is_western(&bytes[valid..])
        && let Some(command) = repair::command(path, "iconv -f windows-1252 -t utf-8")
    {
        remedy += &format!("; or convert it: {command}");
    }
    let reason = format!("not UTF-8: byte 0x{:02X}, {before} bytes into the line ({remedy})", bytes[valid]);
    InputError::at_line(path, line, reason)
}

/// Whether letters beyond ASCII stand alone between others, as accented ones do, and not in rows.
fn is_western(bytes: &[u8]) -> bool {
    let beyond = bytes.split(u8::is_ascii).filter(|row| !row.is_empty()).take(1000);
    let (alone, rows) =
        beyond.fold((0, 0), |(alone, rows), row| (alone + usize::from(row.len() == 1), rows + 1));
    2 * alone > rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], told: &str) -> Result<String, String> {
        let told = (!told.is_empty()).then(|| told.parse().unwrap());
        decode(Path::new("a.csv"), bytes.to_vec(), told).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_a_person_names() {
        for name in NAMES {
            assert!(name.parse::<Encoding>().is_ok(), "{name}");
        }
        let named = |name: &str| name.parse::<Encoding>().map(|encoding| encoding.to_string());
        assert_eq!(named("latin-1").as_deref(), Ok("windows-1252"), "as in browsers");
        assert_eq!(named("UTF_8").as_deref(), Ok("utf-8"));
        assert_eq!(named("Shift-JIS").as_deref(), Ok("shift_jis"));
        assert!(named("windows-1253x").unwrap_err().contains("did you mean `windows-1253`?"));
        assert!(named("utf-7").unwrap_err().starts_with("no encoding that can be read has this name"));

        assert_eq!(read(b"caf\xE9 \x80", "latin1").as_deref(), Ok("café €"));
        assert_eq!(read(b"\xC4\xE3\xBA\xC3", "gbk").as_deref(), Ok("你好"));
        assert_eq!(read(b"a\0\xE9\0", "utf-16le").as_deref(), Ok("aé"));
        assert_eq!(read("é".as_bytes(), "latin1").as_deref(), Ok("Ã©"), "what was told counts");
        let much = "é".repeat(8);
        assert_eq!(read(much.as_bytes(), "latin1"), Ok(much), "but not against all evidence");
        assert_eq!(read(b"one\ntwo \xAA", "iso-8859-7").unwrap(), "one\ntwo \u{37a}");
        assert_eq!(
            read(b"one\ntwo \xAE", "iso-8859-7").unwrap_err(),
            "a.csv:2: not iso-8859-7: byte 0xAE, 8 bytes into the file, is no character of it (name another with \
             --encoding NAME)"
        );
    }

    #[test]
    fn a_byte_order_mark_tells() {
        assert_eq!(read(b"\xFF\xFEa\0\n\0", "").as_deref(), Ok("\u{FEFF}a\n"));
        assert_eq!(read(b"\xFE\xFF\0a", "latin1").as_deref(), Ok("\u{FEFF}a"));
        assert_eq!(read(b"\xEF\xBB\xBF\xC3\xA9", "latin1").as_deref(), Ok("\u{FEFF}é"));
        assert!(
            read(b"\xFF\xFEa\0\x00\xD8b\0", "").unwrap_err().starts_with("a.csv:1: not utf-16le: byte 0x")
        );
        let said = read(b"\xFF\xFE\0\0a\0\0\0", "").unwrap_err();
        assert_eq!(
            said,
            "a.csv: not UTF-8 but UTF-32 (convert it: iconv -f utf-32 -t utf-8 a.csv > a.new.csv)"
        );
    }

    #[test]
    fn says_how_to_read_what_is_not_utf8() {
        assert_eq!(
            read(b"one\ntwo caf\xE9, d\xE9j\xE0\n", "").unwrap_err(),
            "a.csv:2: not UTF-8: byte 0xE9, 7 bytes into the line (if it is Western European: --encoding \
             windows-1252; Central European: --encoding windows-1250; or convert it: iconv -f windows-1252 -t utf-8 \
             a.csv > a.new.csv)"
        );
        let said = read(b"\xC4\xE3\xBA\xC3", "").unwrap_err();
        assert!(said.contains("(tell its encoding, such as --encoding gb18030 for Chinese, "), "{said}");
        assert!(read(b"l\0a\0", "").unwrap_err().ends_with("(--encoding utf-16le)"));
        assert!(read(b"\0l\0a", "").unwrap_err().ends_with("(--encoding utf-16be)"));
    }
}
