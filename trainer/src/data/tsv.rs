//! `label<TAB>text` files: a header, one example a line, no quoting and no escapes.

use std::io::Read;
use std::path::Path;

use anyhow::Result;

use crate::error::InputError;

/// One line below the header.
pub(super) struct Row {
    /// Its number in the file, from 1.
    pub(super) line: usize,
    pub(super) label: String,
    pub(super) text: String,
}

/// Reads a file, which may be compressed.
pub(super) fn read(path: &Path) -> Result<Vec<Row>> {
    let text = read_text(path)?;
    let mut lines = (1..).zip(text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)));
    match lines.next() {
        Some((_, "label\ttext")) => {}
        Some((_, "")) if text.is_empty() => {
            return Err(InputError::in_file(path, "the file is empty").into());
        }
        header => {
            let found: String = header.unwrap_or_default().1.chars().take(60).collect();
            let reason = format!("the header should be `label<TAB>text`, but is `{found}`");
            return Err(InputError::at_line(path, 1, reason).into());
        }
    }
    let lines_in_file = text.split('\n').count();
    let mut rows = Vec::new();
    for (line, content) in lines {
        // Behind the last line feed there is no line.
        if content.is_empty() && line == lines_in_file {
            break;
        }
        let Some((label, text)) = content.split_once('\t') else {
            return Err(InputError::at_line(path, line, "no tab between label and text").into());
        };
        rows.push(Row { line, label: label.to_owned(), text: text.to_owned() });
    }
    Ok(rows)
}

/// The content of a text file, decompressed if its name ends in `.gz`.
pub(super) fn read_text(path: &Path) -> Result<String> {
    let fault = |error: std::io::Error| InputError::in_file(path, error.to_string());
    let mut bytes = std::fs::read(path).map_err(fault)?;
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).map_err(fault)?;
        bytes = plain;
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        InputError::at_line(path, line, "not UTF-8").into()
    })
}
