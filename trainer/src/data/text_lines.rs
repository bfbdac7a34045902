//! Lines of standard input, read as those of a file are: each line can be answered before the next one is there.

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind};
use std::path::Path;

use super::bytes;
use super::encoding::Encoding;
use super::lines::{self, BYTE_ORDER_MARK};
use crate::error::{InputError, STANDARD_INPUT};

/// Lines of standard input, each as soon as it is there.
pub(crate) struct TextLines<R> {
    input: R,
    encoding: Option<Encoding>,
    /// How many lines were taken.
    taken: usize,
    /// What was read and is still to be taken.
    ready: VecDeque<String>,
}

impl<R: BufRead> TextLines<R> {
    /// Lines of text in an encoding, or else in UTF-8.
    pub(crate) fn new(input: R, encoding: Option<Encoding>) -> Self {
        Self { input, encoding, taken: 0, ready: VecDeque::new() }
    }

    /// Reads a line, or all there is if only the whole can be decoded. Returns whether there was anything.
    fn fill(&mut self) -> Result<bool, InputError> {
        let path = Path::new(STANDARD_INPUT);
        let fault = |error: std::io::Error| InputError::in_file(path, error.to_string());
        let mut read = Vec::new();
        let begin = loop {
            match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other.map_err(fault)?,
            }
        };
        let is_first = self.taken == 0;
        if self.encoding.is_some() || is_first && bytes::are_of_a_whole(begin) {
            self.input.read_to_end(&mut read).map_err(fault)?;
        } else {
            self.input.read_until(b'\n', &mut read).map_err(fault)?;
        }
        if read.is_empty() {
            return Ok(false);
        }
        let content = bytes::text(path, read, self.encoding).map_err(|error| error.behind(self.taken))?;
        let content = if is_first { content.trim_start_matches(BYTE_ORDER_MARK).to_owned() } else { content };
        let content = lines::unify(content, !is_first);
        let lines = lines::of(path, &content).map_err(|error| error.behind(self.taken))?;
        self.ready.extend(lines.map(|(_, line)| line.to_owned()));
        Ok(true)
    }
}

impl<R: BufRead> Iterator for TextLines<R> {
    type Item = Result<String, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        self.taken += 1;
        self.ready.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(bytes: &[u8], encoding: &str) -> Vec<Result<String, String>> {
        let encoding = (!encoding.is_empty()).then(|| encoding.parse().unwrap());
        let mut lines = Vec::new();
        for line in TextLines::new(bytes, encoding) {
            let failed = line.is_err();
            lines.push(line.map_err(|error| error.to_string()));
            if failed {
                break;
            }
        }
        lines
    }

    /// What a file gives line by line and as a whole is the same.
    #[test]
    fn standard_input_is_read_as_files_are() {
        for content in [
            "a\nb\n",
            "\u{FEFF}a\r\nb",
            "a\rb\r",
            "a\r\r\n\r\nb",
            "",
            "\n",
            "a\u{FEFF}",
            "a\nb\rc",
            "a\rb\nc",
            "a\n\u{FEFF}b",
        ] {
            let whole = lines::unify(content.trim_start_matches(BYTE_ORDER_MARK).to_owned(), false);
            let expected = lines::of(Path::new("-"), &whole)
                .map(|lines| lines.map(|(_, line)| line.to_owned()).collect::<Vec<_>>());
            let found = given(content.as_bytes(), "").into_iter().collect::<Result<Vec<_>, _>>();
            assert_eq!(found, expected.map_err(|error| error.to_string()), "{content:?}");
        }
        assert_eq!(given(b"caf\xE9\nb", "latin1"), [Ok("café".to_owned()), Ok("b".to_owned())]);
        assert_eq!(given(b"\xFF\xFEa\0\n\0b\0", ""), [Ok("a".to_owned()), Ok("b".to_owned())]);
        assert_eq!(given(&bytes::tests::gzip(b"a\nb"), "").len(), 2);
        let said = given(b"a\nb\ncaf\xE9\n", "");
        assert_eq!(said[..2], [Ok("a".to_owned()), Ok("b".to_owned())]);
        let reason = said[2].as_ref().unwrap_err();
        assert!(
            reason.starts_with("standard input:3: not UTF-8: byte 0xE9, 3 bytes into the line"),
            "{reason}"
        );
    }
}
