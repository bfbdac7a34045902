//! Commands that mend a file, as messages print them: they work as they stand there.

use std::path::{Path, PathBuf};

use shell_words::quote;

use crate::error::STANDARD_INPUT;

/// The command that puts the file through `filter` into a new one beside it. There is none for standard input.
pub(super) fn command(path: &Path, filter: &str) -> Option<String> {
    if path.as_os_str() == STANDARD_INPUT {
        return None;
    }
    let file = path.to_string_lossy();
    let new = beside(path);
    let (file, new) = (quote(&file), new.to_string_lossy());
    let new = quote(&new);
    Some(match path.extension().is_some_and(|ending| ending == "gz") {
        true => format!("gzip -dc {file} | {filter} > {new}"),
        // `tr` reads standard input alone.
        false if filter.starts_with("tr ") => format!("{filter} < {file} > {new}"),
        false => format!("{filter} {file} > {new}"),
    })
}

/// `a.csv` or `a.csv.gz` as `a.new.csv`.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    path.with_file_name(match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.new.{ending}"),
        None => format!("{name}.new"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_a_new_file_of_the_same_format() {
        let of = |path: &str, filter: &str| command(Path::new(path), filter).unwrap_or_default();
        assert_eq!(of("d/it's.csv", "iconv"), r"iconv 'd/it'\''s.csv' > 'd/it'\''s.new.csv'");
        assert_eq!(of("a.tsv.gz", "tr a b"), "gzip -dc a.tsv.gz | tr a b > a.new.tsv");
        assert_eq!(of("a.txt", "tr a b"), "tr a b < a.txt > a.new.txt");
        assert_eq!(of("-", "tr a b"), "");
    }
}
