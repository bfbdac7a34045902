//! What is in a file: its text, whether it is compressed or not.

use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;

use super::encoding::{self, Encoding};
use super::lines::{self, BYTE_ORDER_MARK};
use crate::error::{InputError, STANDARD_INPUT};
use crate::recipe::hint;

/// The first bytes of gzip data (RFC 1952).
const GZIP: &[u8] = &[0x1F, 0x8B];

/// So many bytes tell what a file is.
const BEGINNING: u64 = 1 << 16;

/// The bytes of a file, or of standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    let read = match path.as_os_str() == STANDARD_INPUT {
        true => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
        false => std::fs::read(path),
    };
    read.map_err(|error| unreadable(path, &error))
}

/// The first bytes of a file, at most [`BEGINNING`] of them, as they are when they are decompressed. Of standard input
/// nothing is taken.
pub(super) fn beginning(path: &Path) -> Result<Vec<u8>, InputError> {
    let fault = |error| unreadable(path, &error);
    let mut bytes = Vec::new();
    if path.as_os_str() == STANDARD_INPUT {
        bytes.extend_from_slice(std::io::stdin().lock().fill_buf().map_err(fault)?);
    } else {
        std::fs::File::open(path).map_err(fault)?.take(BEGINNING).read_to_end(&mut bytes).map_err(fault)?;
    }
    if bytes.starts_with(GZIP) {
        let mut plain = Vec::new();
        // It ends in the middle; what came before that counts.
        let _ = flate2::read::MultiGzDecoder::new(&bytes[..]).take(BEGINNING).read_to_end(&mut plain);
        return Ok(plain);
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> InputError {
    match error.kind() {
        ErrorKind::NotFound => missing(path),
        _ => InputError::in_file(path, error.to_string()),
    }
}

/// The content of a text file, or of standard input, without a byte order mark and with line feeds alone as line ends.
pub(super) fn read_text(path: &Path, encoding: Option<Encoding>) -> Result<String, InputError> {
    content(path, read(path)?, encoding)
}

/// The same of bytes that were read.
pub(super) fn content(path: &Path, bytes: Vec<u8>, encoding: Option<Encoding>) -> Result<String, InputError> {
    let mut text = text(path, bytes, encoding)?;
    let marks = text.len() - text.trim_start_matches(BYTE_ORDER_MARK).len();
    text.drain(..marks);
    Ok(lines::unify(text, false))
}

/// The text that bytes of a file are: decompressed if the first of them say that they are gzip data.
pub(super) fn text(
    path: &Path,
    mut bytes: Vec<u8>,
    encoding: Option<Encoding>,
) -> Result<String, InputError> {
    if bytes.starts_with(GZIP) {
        bytes = decompress(path, &bytes)?;
    } else if path.extension().is_some_and(|ending| ending == "gz") {
        let reason = "no gzip data, though its name ends in .gz (rename it, or fetch it again)";
        return Err(InputError::in_file(path, reason));
    }
    encoding::decode(path, bytes, encoding)
}

/// Whether bytes that begin so have a meaning only as a whole, and not line by line.
pub(super) fn are_of_a_whole(begin: &[u8]) -> bool {
    [GZIP, b"\xFF\xFE", b"\xFE\xFF"].iter().any(|mark| begin.starts_with(mark))
}

/// Says that there is nothing of this name, and what is called alike.
pub(super) fn missing(path: &Path) -> InputError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let hint = hint(&name, names.iter().map(String::as_str));
    InputError::in_file(path, format!("there is no such file or folder{hint}"))
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
        read_text(&path, None).map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn decompresses_what_is_compressed_whatever_its_name() {
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read("a.gz", &members).as_deref(), Ok("one two"));
        assert_eq!(read("a.txt", &members).as_deref(), Ok("one two"));
        assert_eq!(read("a.txt", b"plain").as_deref(), Ok("plain"));
        assert_eq!(read("a.txt", b"\xEF\xBB\xBFmarked\xEF\xBB\xBF").as_deref(), Ok("marked\u{FEFF}"));
        assert_eq!(read("a.gz", &gzip(b"\xFF\xFEa\0\r\0\n\0")).as_deref(), Ok("a\n"));
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
        assert!(said.starts_with("a.tsv:2: not UTF-8: byte 0xC3, 3 bytes into the line"), "{said}");
        assert!(fault("a.tsv", &gzip(b"\xFF")).starts_with("a.tsv:1: not UTF-8: byte 0xFF, 0 bytes"));
    }

    #[test]
    fn says_what_is_called_alike_where_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reviews.csv"), b"").unwrap();
        let said = missing(&folder.path().join("review.csv")).to_string();
        assert!(said.ends_with("there is no such file or folder (did you mean `reviews.csv`?)"), "{said}");
    }
}
