//! Folders and files as a whole; what a single format reads and refuses is tested beside it.

use super::bytes::tests::gzip;
use super::*;

/// Writes files, in folders where their names say so.
pub(in crate::data) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn read(files: &[(&str, &[u8])]) -> Result<Dataset> {
    Dataset::read(&Inputs::from(folder(files).path()))
}

fn fault(files: &[(&str, &[u8])]) -> String {
    let folder = folder(files);
    let error = Dataset::read(&Inputs::from(folder.path())).unwrap_err();
    assert!(error.downcast_ref::<InputError>().is_some(), "{error:#} is not the user's fault");
    let said = error.to_string().replace(&format!("{}/", folder.path().display()), "");
    said.replace(&folder.path().display().to_string(), "FOLDER")
}

fn example(class: usize, text: &str) -> Example {
    Example::new(class, text)
}

const ROWS: &[u8] = b"label\ttext\n0\ta\n1\tb\n";

#[test]
fn reads_a_folder() {
    let folder = folder(&[
        ("train.tsv", b"label\ttext\n0\tbad\tly\n1\tgood\n"),
        ("test.tsv", b"label\ttext\n1\tfine\n"),
        ("labels.txt", b"neg\npos\n"),
    ]);
    let data = Dataset::read(&Inputs::from(folder.path())).unwrap();
    assert_eq!(data.train[0], example(0, "bad\tly"));
    assert_eq!(data.test.as_deref(), Some(&[example(1, "fine")][..]));
    assert_eq!(data.dev, None);
    for path in [folder.path().join("test.tsv"), folder.path().to_owned()] {
        let test = Test::read(&[path], &Reading::default(), &data.labels, &[]).unwrap();
        assert_eq!(Some(test.examples), data.test);
    }
}

#[test]
fn leaves_classes_out() {
    let folder = folder(&[
        ("train.tsv", b"label\tgroup\ttext\n0\tf\ta\n1\tg\tb\n2\th\tc\n"),
        ("test.tsv", b"label\ttext\n2\tc\n1\tb\n0\ta\n"),
        ("labels.txt", b"x\noos\ny\n"),
    ]);
    let without = ["oos".to_owned()];
    let reading = Reading { group: Some("group".into()), ..Reading::default() };
    let inputs = Inputs { without: without.to_vec(), reading, ..Inputs::from(folder.path()) };
    let data = Dataset::read(&inputs).unwrap();
    assert_eq!(data.labels, ["x", "y"]);
    assert_eq!(data.train, [example(0, "a"), example(1, "c")]);
    assert_eq!(data.groups.unwrap(), ["f", "h"]);
    let test = [example(1, "c"), example(0, "a")];
    assert_eq!(data.test.unwrap(), test);

    // A model without the class, and one that has it: the numbers are the model's.
    let read = |labels: &[String], without: &[String]| {
        let test = Test::read(&[folder.path().to_owned()], &Reading::default(), labels, without);
        test.map(|test| test.examples)
    };
    let all = ["x", "oos", "y"].map(str::to_owned);
    assert_eq!(read(&data.labels, &without).unwrap(), test);
    assert_eq!(read(&all, &without).unwrap(), [example(2, "c"), example(0, "a")]);
    assert_eq!(read(&all, &[]).unwrap().len(), 3);
    assert!(read(&data.labels, &[]).unwrap_err().to_string().contains("its classes are x, oos, y"));
    let error = read(&all, &["ooos".to_owned()]).unwrap_err().to_string();
    assert_eq!(error, "--without ooos: no such class (did you mean `oos`?); the classes are x, oos, y");
    assert!(read(&all, &all).unwrap_err().to_string().contains("all its examples are left out"));
}

#[test]
fn reads_any_format_in_each_part_compressed_or_not() {
    let data = read(&[
        ("train.csv.gz", &gzip(b"text,label\n\"a, b\",spam\nhello,ham\n")),
        ("dev.jsonl", &gzip(br#"{"text": "c", "label": "ham"}"#)),
        ("test.tsv", b"label\ttext\nspam\td\n"),
    ])
    .unwrap();
    assert_eq!(data.labels, ["ham", "spam"]);
    assert_eq!(data.train, [example(1, "a, b"), example(0, "hello")]);
    assert_eq!(data.dev.unwrap(), [example(0, "c")]);
    assert_eq!(data.test.unwrap(), [example(1, "d")]);
}

#[test]
fn reads_a_folder_a_class_as_in_acl_imdb() {
    let data = read(&[
        ("train/pos/0_9.txt", b"Good.\nVery."),
        ("train/pos/1_7.txt", b"Fine."),
        ("train/neg/0_2.txt", b"Bad."),
        ("train/unsup/0_0.txt", b"Who knows."),
        ("train/urls_pos.txt", b"an address\n"),
        ("train/labeledBow.feat", b"9 0:9\n"),
        ("test/neg/0_1.txt", b"Poor."),
        ("README", b"Large Movie Review Dataset"),
    ])
    .unwrap();
    assert_eq!(data.labels, ["neg", "pos"]);
    assert_eq!(data.train, [example(1, "Good.\nVery."), example(0, "Bad."), example(1, "Fine.")], "mixed");
    assert_eq!(data.test.unwrap(), [example(0, "Poor.")]);
}

#[test]
fn reads_a_file_a_class_with_and_without_parts() {
    let split = read(&[
        ("train/positive.txt", b"good\n\nfine\n"),
        ("train/negative.txt", b"bad\n"),
        ("test/negative.txt.gz", &gzip(b"poor\n")),
        ("labels.txt", b"positive\nnegative\n"),
    ])
    .unwrap();
    assert_eq!(split.labels, ["positive", "negative"]);
    assert_eq!(split.train, [example(0, "good"), example(1, "bad"), example(0, "fine")]);
    assert_eq!(split.test.unwrap(), [example(1, "poor")]);
    let unsplit = read(&[("b.txt", b"x\ny\n"), ("a.txt", b"z\n")]).unwrap();
    assert_eq!(unsplit.train, [example(1, "x"), example(0, "z"), example(1, "y")]);
    assert_eq!(unsplit.test, None);
}

#[test]
fn reads_several_files_and_parts_by_name() {
    let folder = folder(&[
        ("one.tsv", ROWS),
        ("two.jsonl", br#"{"label": 1, "text": "c"}"#),
        ("set/train.tsv", ROWS),
        ("set/test.tsv", b"label\ttext\n0\tits own\n"),
        ("more.csv", b"label,text\n1,x\n"),
        ("names", b"neg\npos\n"),
    ]);
    let path = |name: &str| folder.path().join(name);
    let mut inputs = Inputs {
        data: vec![path("one.tsv"), path("two.jsonl"), path("set")],
        dev: vec![path("more.csv"), path("two.jsonl")],
        ..Inputs::default()
    };
    let data = Dataset::read(&inputs).unwrap();
    let texts: Vec<&str> = data.train.iter().map(|example| example.text.as_str()).collect();
    assert_eq!(texts, ["a", "b", "c", "a", "b"]);
    assert_eq!(data.dev.unwrap(), [example(1, "x"), example(1, "c")]);
    assert_eq!(data.test.unwrap(), [example(0, "its own")]);
    inputs.test = vec![path("more.csv")];
    inputs.labels = Some(path("names"));
    let data = Dataset::read(&inputs).unwrap();
    assert_eq!(data.test.unwrap(), [example(1, "x")], "a named test part replaces the folder's");
    assert_eq!(data.labels, ["neg", "pos"]);
}

#[test]
fn names_file_line_and_reason() {
    let starts = |files: &[(&str, &[u8])], expected: &str| {
        let said = fault(files);
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    };
    starts(&[], "FOLDER: no train part in this folder: there should be a file train (.tsv, ");
    starts(&[("train.tsv", b"text,label\na,0\n")], "train.tsv:1: no column is named `text`");
    starts(&[("train.tsv", b"label\ttext\n0\ta\n1\t\xFF\n")], "train.tsv:3: not UTF-8");
    starts(&[("train.csv", b"label text\n")], "train.csv:1: no column is named `text`");
    starts(
        &[("train.tsv", ROWS), ("train.csv", ROWS)],
        "FOLDER: more than one train part: train.tsv, train.csv",
    );
    starts(
        &[("train.tsv", b"label\ttext\n0\ta\n7\tb\n"), ("labels.txt", b"x\ny\n")],
        "train.tsv:3: unknown label `7`; the classes are x, y",
    );
    starts(
        &[("train.tsv", b"label\ttext\n0\ta\n0\tb\n"), ("labels.txt", b"x\ny\n")],
        "train.tsv: class 1 (`y`) has no example",
    );
    starts(&[("train.tsv", b"label\ttext\n0\ta\n2\tb\n")], "train.tsv: class 1 (`1`) has no example");
    starts(&[("train.tsv", b"label\ttext\n")], "train.tsv: there are no examples in it");
    starts(&[("train.tsv", b"label\ttext\n0\ta\n")], "train.tsv: there must be at least two classes");
    starts(&[("train.tsv", ROWS), ("labels.txt", b"x\nx\n")], "labels.txt:2: this label stands twice");
    starts(&[("train.tsv", ROWS), ("labels.txt", b"x\n\ny\n")], "labels.txt:2: empty label");
    starts(&[("train.tsv.gz", b"not gzip")], "train.tsv.gz: no gzip data");
    starts(&[("train.tsv.gz", &gzip(ROWS)[..20])], "train.tsv.gz: the gzip data is cut short");
    starts(&[("train.tsv", ROWS), ("test.jsonl", b"{\n")], "test.jsonl:1: invalid JSON in column 1: ");
    starts(
        &[("train/pos/1.txt", b"a"), ("train/neg/1.md", b"a")],
        "train/neg: no .txt file in the folder of this",
    );
    starts(&[("train/readme.md", b"a")], "train: neither a folder of .txt files for each class nor");
    starts(
        &[("train/pos.txt", b"a\n"), ("train/neg.txt", b"\n")],
        "train/neg.txt: there are no examples in it",
    );
    starts(
        &[("train/b/1.txt", b"a"), ("train/a/1.txt", b"a"), ("test/c/1.txt", b"a")],
        "test/c/1.txt: unknown label `c`; the classes are a, b",
    );
}

#[test]
fn refuses_files_of_unknown_format_and_lists_that_disagree() {
    let folder = folder(&[
        ("a/train.tsv", ROWS),
        ("a/labels.txt", b"x\ny\n"),
        ("b/train.tsv", ROWS),
        ("b/labels.txt", b"y\nx\n"),
        ("c.parquet", b"PAR1"),
    ]);
    let fault = |names: &[&str]| {
        let data = names.iter().map(|name| folder.path().join(name)).collect();
        Dataset::read(&Inputs { data, ..Inputs::default() }).unwrap_err().to_string()
    };
    assert!(fault(&["c.parquet"]).contains("c.parquet: of no known format: its name should end in .tsv"));
    assert!(fault(&["nothing.csv"]).contains("nothing.csv: there is no such file or folder"));
    assert!(fault(&["a", "b"]).contains("b/labels.txt: its classes are y, x, those before x, y"));
}
