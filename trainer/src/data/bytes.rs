//! What is in a file: its text, whether it is compressed or not.

use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::error::InputError;

/// The first bytes of gzip data (RFC 1952).
const GZIP: &[u8] = &[0x1F, 0x8B];

/// What Windows programs write in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The content of a text file: decompressed if its first bytes say that it is gzip data, without a
/// byte order mark, and with line feeds alone as line ends, as Python reads text (a tokenizer takes
/// a carriage return for a letter).
pub(super) fn read_text(path: &Path) -> Result<String, InputError> {
    let mut bytes = std::fs::read(path).map_err(|error| InputError::in_file(path, error.to_string()))?;
    if bytes.starts_with(GZIP) {
        bytes = decompress(path, &bytes)?;
    } else if path.extension().is_some_and(|ending| ending == "gz") {
        let reason = "no gzip data, though its name ends in .gz (rename it, or fetch it again)";
        return Err(InputError::in_file(path, reason));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text })
}

fn decompress(path: &Path, gzip: &[u8]) -> Result<Vec<u8>, InputError> {
    let mut plain = Vec::new();
    match flate2::read::MultiGzDecoder::new(gzip).read_to_end(&mut plain) {
        Ok(_) => Ok(plain),
        Err(error) => {
            let what = match error.kind() {
                ErrorKind::UnexpectedEof => "the gzip data is cut short".to_owned(),
                _ => format!("the gzip data is damaged: {error}"),
            };
            let reason =
                format!("{what} ({} bytes could be read; copy or fetch the file again)", plain.len());
            Err(InputError::in_file(path, reason))
        }
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> InputError {
    let bytes = error.as_bytes();
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return InputError::at_line(path, 1, "not UTF-8 but UTF-16: save it as UTF-8");
    }
    let valid = &bytes[..error.utf8_error().valid_up_to()];
    let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
    let reason = format!(
        "not UTF-8: byte 0x{:02X}, {} bytes into the file (save it as UTF-8, for example with `iconv -t utf-8`)",
        bytes[valid.len()],
        valid.len()
    );
    InputError::at_line(path, line, reason)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;

    /// Compresses, as `gzip` does.
    pub(in crate::data) fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(plain).unwrap();
        gzip.finish().unwrap()
    }

    fn read(name: &str, bytes: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let place = format!("{}/", folder.path().display());
        read_text(&path).map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn decompresses_what_is_compressed_whatever_its_name() {
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read("a.gz", &members).as_deref(), Ok("one two"));
        assert_eq!(read("a.txt", &members).as_deref(), Ok("one two"));
        assert_eq!(read("a.txt", b"plain").as_deref(), Ok("plain"));
        assert_eq!(read("a.txt", b"\xEF\xBB\xBFmarked\xEF\xBB\xBF").as_deref(), Ok("marked\u{FEFF}"));
        assert_eq!(read("a.txt", b"\r\na\r\n\rb\r").as_deref(), Ok("\na\n\rb\r"));
    }

    #[test]
    fn names_what_is_wrong_with_the_bytes() {
        let fault = |name, bytes: &[u8]| read(name, bytes).unwrap_err();
        let good = gzip(b"a text that is long enough to be cut");
        assert!(
            fault("a.gz", b"text").starts_with("a.gz: no gzip data, though its name"),
            "{}",
            fault("a.gz", b"text")
        );
        for cut in [2, 12, good.len() - 5] {
            let said = fault("a.gz", &good[..cut]);
            assert!(said.starts_with("a.gz: the gzip data is cut short ("), "{cut}: {said}");
        }
        let mut flipped = good.clone();
        let crc = good.len() - 6;
        flipped[crc] ^= 1;
        let said = fault("a.csv", &flipped);
        assert!(said.starts_with("a.csv: the gzip data is damaged: "), "{said}");
        let said = fault("a.tsv", b"one\ntwo\xC3(\n");
        assert!(said.starts_with("a.tsv:2: not UTF-8: byte 0xC3, 7 bytes into the file"), "{said}");
        assert_eq!(fault("a.tsv", b"\xFF\xFEl\0"), "a.tsv:1: not UTF-8 but UTF-16: save it as UTF-8");
        assert!(fault("a.tsv", &gzip(b"\xFF")).starts_with("a.tsv:1: not UTF-8: byte 0xFF, 0 bytes"));
    }
}
