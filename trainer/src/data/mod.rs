//! Labelled texts: what a folder of data holds, read and checked before anything else happens.

mod batch;
pub mod starter;
mod tsv;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use batch::{Batch, Batches};

use crate::error::InputError;

/// A text and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The number of its class.
    pub class: usize,
    /// The text.
    pub text: String,
}

/// A folder of labelled texts.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Names of the classes.
    pub labels: Vec<String>,
    /// `train.tsv`.
    pub train: Vec<Example>,
    /// `dev.tsv`, if there is one.
    pub dev: Option<Vec<Example>>,
    /// `test.tsv`, if there is one.
    pub test: Option<Vec<Example>>,
}

impl Dataset {
    /// Reads a folder to train on: `train.tsv` or `train.tsv.gz`, and `dev`, `test` and
    /// `labels.txt` where they are. Without `labels.txt` the labels of the training file are the classes.
    pub fn read(folder: &Path) -> Result<Self> {
        let Some(train_path) = find(folder, "train") else {
            let reason = "no train.tsv or train.tsv.gz in this folder";
            return Err(InputError::in_file(folder, reason).into());
        };
        let train = tsv::read(&train_path)?;
        let labels = match read_labels(folder)? {
            Some(labels) => labels,
            None => infer_labels(&train),
        };
        let train = classify(&train_path, train, &labels)?;
        for (class, label) in labels.iter().enumerate() {
            if !train.iter().any(|example| example.class == class) {
                let reason = format!("class {class} (`{label}`) has no example");
                return Err(InputError::in_file(&train_path, reason).into());
            }
        }
        if labels.len() < 2 {
            return Err(InputError::in_file(&train_path, "there must be at least two classes").into());
        }
        let part = |name| -> Result<Option<Vec<Example>>> {
            find(folder, name).map(|path| classify(&path, tsv::read(&path)?, &labels)).transpose()
        };
        let (dev, test) = (part("dev")?, part("test")?);
        Ok(Self { train, dev, test, labels })
    }

    /// Reads what a model with these labels is to be tested on: a file, or a folder's test part.
    pub fn read_test(path: &Path, labels: &[String]) -> Result<Vec<Example>> {
        if !path.is_dir() {
            return classify(path, tsv::read(path)?, labels);
        }
        let Some(test) = find(path, "test") else {
            let reason = "no test.tsv or test.tsv.gz in this folder (a single file can be given as well)";
            return Err(InputError::in_file(path, reason).into());
        };
        if let Some(found) = read_labels(path)?
            && found != labels
        {
            let reason = format!("its classes are {}, the model's {}", found.join(", "), labels.join(", "));
            return Err(InputError::in_file(&path.join("labels.txt"), reason).into());
        }
        classify(&test, tsv::read(&test)?, labels)
    }
}

/// The file of a part, plain or compressed.
fn find(folder: &Path, part: &str) -> Option<PathBuf> {
    ["tsv", "tsv.gz"].iter().map(|ending| folder.join(format!("{part}.{ending}"))).find(|path| path.is_file())
}

fn read_labels(folder: &Path) -> Result<Option<Vec<String>>> {
    let path = folder.join("labels.txt");
    if !path.is_file() {
        return Ok(None);
    }
    let text = tsv::read_text(&path)?;
    let labels: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    for (line, label) in (1..).zip(&labels) {
        if label.is_empty() || !seen.insert(label) {
            let reason = if label.is_empty() { "empty label" } else { "this label stands twice" };
            return Err(InputError::at_line(&path, line, reason).into());
        }
    }
    if labels.len() > 256 {
        return Err(InputError::in_file(&path, "more than 256 classes").into());
    }
    Ok(Some(labels))
}

/// The distinct labels of a file: by number if all are numbers, else by name.
fn infer_labels(rows: &[tsv::Row]) -> Vec<String> {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    let numbers: Option<BTreeSet<usize>> = names.iter().map(|name| name.parse().ok()).collect();
    match numbers {
        // A missing number is an empty class, which the caller refuses by name.
        Some(numbers) => (0..=numbers.last().copied().unwrap_or(0).min(256)).map(|n| n.to_string()).collect(),
        None => names.into_iter().map(str::to_owned).collect(),
    }
}

/// Turns labels into classes: a label is the number of a class or its name.
fn classify(path: &Path, rows: Vec<tsv::Row>, labels: &[String]) -> Result<Vec<Example>> {
    let examples: Vec<Example> = rows
        .into_iter()
        .map(|tsv::Row { line, label, text }| {
            let number = label.parse().ok().filter(|&class: &usize| class < labels.len());
            let class = labels.iter().position(|name| *name == label).or(number);
            class.map(|class| Example { class, text }).ok_or_else(|| {
                let classes = match labels.len() {
                    0..=12 => labels.join(", "),
                    n => format!("{}, ... ({n} in all)", labels[..10].join(", ")),
                };
                InputError::at_line(path, line, format!("unknown label `{label}`; the classes are {classes}"))
            })
        })
        .collect::<Result<_, _>>()?;
    if examples.is_empty() {
        return Err(InputError::in_file(path, "no examples below the header").into());
    }
    Ok(examples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        folder
    }

    fn fault(files: &[(&str, &[u8])]) -> String {
        let folder = folder(files);
        let error = Dataset::read(folder.path()).unwrap_err();
        assert!(error.downcast_ref::<InputError>().is_some(), "{error:#} is not the user's fault");
        error.to_string().replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn reads_a_folder() {
        let folder = folder(&[
            ("train.tsv", b"label\ttext\n0\tbad\tly\n1\tgood\n"),
            ("test.tsv", b"label\ttext\npos\tfine\n"),
            ("labels.txt", b"neg\npos\n"),
        ]);
        let data = Dataset::read(folder.path()).unwrap();
        assert_eq!(data.train[0], Example { class: 0, text: "bad\tly".into() });
        assert_eq!(data.test.as_deref(), Some(&[Example { class: 1, text: "fine".into() }][..]));
        assert_eq!(data.dev, None);
        let alone = folder.path().join("test.tsv");
        assert_eq!(Dataset::read_test(&alone, &data.labels).unwrap(), data.test.clone().unwrap());
        assert_eq!(Dataset::read_test(folder.path(), &data.labels).unwrap(), data.test.unwrap());
    }

    #[test]
    fn reads_gzip_and_infers_names() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"label\ttext\nspam\tbuy\nham\thello\n").unwrap();
        let folder = folder(&[("train.tsv.gz", &gzip.finish().unwrap())]);
        let data = Dataset::read(folder.path()).unwrap();
        assert_eq!(data.labels, ["ham", "spam"]);
        assert_eq!(data.train[0].class, 1);
    }

    #[test]
    fn names_file_line_and_reason() {
        assert!(fault(&[]).ends_with("no train.tsv or train.tsv.gz in this folder"));
        assert_eq!(
            fault(&[("train.tsv", b"text,label\na,0\n")]),
            "train.tsv:1: the header should be `label<TAB>text`, but is `text,label`"
        );
        assert_eq!(
            fault(&[("train.tsv", b"label\ttext\n0\ta\nb\n")]),
            "train.tsv:3: no tab between label and text"
        );
        assert_eq!(fault(&[("train.tsv", b"label\ttext\n0\ta\n1\t\xFF\n")]), "train.tsv:3: not UTF-8");
        assert_eq!(
            fault(&[("train.tsv", b"label\ttext\n0\ta\n7\tb\n"), ("labels.txt", b"x\ny\n")]),
            "train.tsv:3: unknown label `7`; the classes are x, y"
        );
        assert_eq!(
            fault(&[("train.tsv", b"label\ttext\n0\ta\n2\tb\n")]),
            "train.tsv: class 1 (`1`) has no example"
        );
        assert_eq!(fault(&[("train.tsv", b"label\ttext\n")]), "train.tsv: no examples below the header");
        assert_eq!(
            fault(&[("train.tsv", b"label\ttext\n0\ta\n")]),
            "train.tsv: there must be at least two classes"
        );
        assert_eq!(fault(&[("train.tsv", b"")]), "train.tsv: the file is empty");
        assert_eq!(
            fault(&[("train.tsv", b"label\ttext\n0\ta\n1\tb\n"), ("labels.txt", b"x\nx\n")]),
            "labels.txt:2: this label stands twice"
        );
        assert!(fault(&[("train.tsv.gz", b"not gzip")]).starts_with("train.tsv.gz: "));
    }
}
