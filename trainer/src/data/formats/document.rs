//! One file a text: `pos/0_9.txt`.

use std::path::Path;

use super::{Each, File, Format, Wanted, only};
use crate::error::InputError;

/// A file that is one text as a whole, whose label is the name of its folder. A folder's layout
/// tells that a file is meant so, not its name.
pub(in crate::data) struct Document;

impl Document {
    /// The text of a file with this content.
    pub(in crate::data) fn text(content: &str) -> &str {
        content.trim_end_matches(['\r', '\n'])
    }
}

impl Format for Document {
    fn endings(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn is_of_one_class(&self) -> bool {
        true
    }

    fn records(&self, file: File<'_>, wanted: &Wanted<'_>, each: Each<'_>) -> Result<(), InputError> {
        let folder = file.path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let values = only(file.path, wanted, Self::text(file.content), &folder)?;
        each(None, &values[..wanted.names.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::form::Reading;

    #[test]
    fn the_folder_names_the_class() {
        let file = File { path: Path::new("train/pos/0_9.txt"), content: "Two\nlines\n" };
        let mut read = Vec::new();
        let mut each = |line, values: &[&str]| {
            assert_eq!(line, None);
            read.extend(values.iter().map(|&value| value.to_owned()));
            Ok(())
        };
        Document.records(file, &Wanted::examples(&Reading::default()), &mut each).unwrap();
        assert_eq!(read, ["Two\nlines", "pos"]);
    }
}
