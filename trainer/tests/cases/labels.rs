//! Labels: one column, of names or of numbers, and what is likely a mistake in it.

use serde_json::{Value, json};

use super::desk::Desk;
use super::{counted, csv, kinds, message, sentences, train};

#[test]
fn a_model_is_tested_on_its_own_labels_or_not_at_all() {
    let desk = Desk::empty();
    let rows = sentences(160);
    desk.write("p12.csv", csv(["1", "2"], &rows));
    desk.write("p12_float.csv", csv(["1.0", "2.0"], &rows[..40]));
    desk.write("p01.csv", csv(["0", "1"], &rows[..40]));
    desk.write("names.csv", csv(["neg", "pos"], &rows));
    desk.write("mixed.csv", csv(["neg", "1"], &rows[..40]));
    train(&desk, &["p12.csv"], "numbered");
    train(&desk, &["names.csv"], "named");

    for test in ["p12.csv", "p12_float.csv"] {
        assert!(desk.json(&["evaluate", "numbered", test, "--json"])["accuracy"].as_f64().unwrap() > 0.95);
    }
    let said = desk.refused(&["evaluate", "numbered", "p01.csv"]);
    assert!(said.contains("p01.csv:2: label `0`: the labels of this file are the numbers 0, 1"), "{said}");
    assert!(said.contains("the model's classes have the names 1, 2; they disagree"), "{said}");
    let said = desk.refused(&["evaluate", "numbered", "names.csv"]);
    assert!(said.contains("names.csv:2: unknown label `neg`; the model's classes are 1, 2"), "{said}");

    // Numbers from 0 are those of classes that have names; but a column is of numbers or of names.
    let by_number = desk.json(&["evaluate", "named", "p01.csv", "--json"]);
    assert!(by_number["accuracy"].as_f64().unwrap() > 0.95, "{by_number}");
    assert_eq!(by_number["warnings"], json!([]));
    let said = desk.refused(&["evaluate", "named", "p12.csv"]);
    assert!(said.contains("unknown label `2`; the model's classes are neg, pos"), "{said}");
    let said = desk.refused(&["evaluate", "named", "mixed.csv"]);
    assert!(said.contains("label `1` is a number, but `neg` in mixed.csv:2 is a name"), "{said}");

    // A class that is not tested is told, and so is what lies beside the test part.
    desk.write("set/test.csv", "label,text\npos,the soup was lovely\n");
    desk.write("set/train.csv", "");
    desk.write("set/notes.md", "");
    let one = desk.json(&["evaluate", "named", "set", "--json"]);
    assert_eq!(kinds(&one), ["files-not-read", "missing-class"]);
    assert!(message(&one, "files-not-read").starts_with("set: notes.md is not read"), "{one}");
    assert!(
        desk.ok(&["evaluate", "named", "set"]).contains("\nwarning[missing-class]: no test text of these")
    );
}

#[test]
fn names_and_numbers_in_one_data_set_disagree() {
    let desk = Desk::empty();
    let rows = sentences(40);
    desk.write("names.csv", csv(["neg", "pos"], &rows));
    desk.write("numbers.csv", csv(["0", "1"], &rows));
    desk.write("floats.csv", csv(["0.0", "1.0"], &rows));
    desk.write("from_one.csv", csv(["1", "2"], &rows));
    desk.write("list", "neg\npos\n");
    desk.write("numbered_list", "1\n2\n");
    for args in [
        &["names.csv", "numbers.csv"][..],
        &["numbers.csv", "names.csv"],
        &["names.csv", "--test", "numbers.csv"],
        &["numbers.csv", "--dev", "names.csv"],
        &["names.csv", "--test", "numbers.csv", "--labels", "list"],
        &["floats.csv", "--test", "names.csv", "--labels", "list"],
    ] {
        let said = desk.refused(&[&["data"], args].concat());
        assert!(said.contains(".csv:2: label `0"), "{args:?}: {said}");
        assert!(said.contains("` is a number, but `neg` in names.csv:2 is a name"), "{args:?}: {said}");
    }
    for args in
        [&["numbers.csv", "--labels", "numbered_list"][..], &["from_one.csv", "--test", "numbers.csv"]]
    {
        let said = desk.refused(&[&["data"], args].concat());
        assert!(
            said.contains("numbers.csv:2: label `0`: the labels of this file are the numbers 0, 1"),
            "{said}"
        );
    }

    // What agrees is read: a column as it is written, numbers with a list of names, names that are numbers, too.
    desk.write("grades.csv", "label,text\n1,a b\n2,c d\nother,e f\n");
    desk.write("few_grades.csv", "label,text\n2,c d\n");
    for (args, labels) in [
        (&["numbers.csv", "--test", "floats.csv"][..], json!(["0", "1"])),
        (&["floats.csv"], json!(["0", "1"])),
        (&["floats.csv", "--labels", "list"], json!(["neg", "pos"])),
        (&["from_one.csv", "--labels", "numbered_list"], json!(["1", "2"])),
        (&["grades.csv", "--test", "few_grades.csv"], json!(["1", "2", "other"])),
    ] {
        assert_eq!(counted(&desk, args)["labels"], labels, "{args:?}");
    }
    // Files of one class each are one column.
    for (name, text) in [("1", "a"), ("2", "b"), ("other", "c")] {
        desk.write(&format!("by_class/{name}.txt"), text);
    }
    assert_eq!(counted(&desk, &["by_class"])["labels"], json!(["1", "2", "other"]));
}

#[test]
fn a_label_of_several_lines_is_refused() {
    let desk = Desk::empty();
    desk.write("set.csv", format!("{}\"pos\nneg\",so\n", csv(["neg", "pos"], &sentences(40))));
    assert!(desk.refused(&["train", "set.csv"]).contains("set.csv:42: a label of several lines"));
}

#[test]
fn a_label_has_no_blanks_around_it_and_is_not_empty() {
    let desk = Desk::empty();
    desk.write("blanks.csv", "label,text\nneg,a b\npos ,c d\n\u{A0}neg\t,e f\n pos,g h\n");
    desk.write("train.tsv", "label\ttext\nneg \ta b\n pos\tc d\n");
    desk.write("list", "pos \n neg\n\n");
    assert_eq!(counted(&desk, &["blanks.csv"])["train"]["per_class"], json!([2, 2]));
    assert_eq!(counted(&desk, &["train.tsv", "--labels", "list"])["labels"], json!(["pos", "neg"]));

    for (name, content) in [
        ("empty.csv", "label,text\n1.0,a\n0.0,b\n,c\n"),
        ("empty.tsv", "text\tlabel\na\t1\nb\t0\nc\t\u{3000}\n"),
        (
            "empty.jsonl",
            "\n{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 0}\n{\"text\": \"c\", \"label\": \"\"}\n",
        ),
        (
            "null.jsonl",
            "\n{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 0}\n{\"text\": \"c\", \"label\": null}\n",
        ),
    ] {
        desk.write(name, content);
        let said = desk.refused(&["data", name]);
        assert!(said.contains(&format!("{name}:4: empty label")), "{said}");
    }
    desk.write("floats.jsonl", "{\"text\": \"a b\", \"label\": 1.0}\n{\"text\": \"c d\", \"label\": 0}\n");
    desk.write("true.jsonl", "{\"text\": \"a b\", \"label\": true}\n{\"text\": \"c d\", \"label\": false}\n");
    assert_eq!(counted(&desk, &["floats.jsonl"])["labels"], json!(["0", "1"]));
    assert_eq!(counted(&desk, &["true.jsonl"])["labels"], json!(["false", "true"]));
    // Numbers below 0 are names, which can be left out.
    desk.write("signed.csv", "label,text\n-1,a b\n0,c d\n1.0,e f\n");
    assert_eq!(counted(&desk, &["signed.csv"])["labels"], json!(["-1", "0", "1"]));
    assert_eq!(counted(&desk, &["signed.csv", "--without", "-1"])["labels"], json!(["0", "1"]));
}

#[test]
fn names_that_are_likely_a_mistake_are_told_everywhere() {
    let desk = Desk::empty();
    let rows = sentences(80);
    let usual = csv(["neg", "pos"], &rows);
    for (name, label, kind) in [
        ("case", "Neg", "similar-names"),
        ("unseen", "neg\u{200B}", "odd-names"),
        ("control", "n\u{1B}[31m", "odd-names"),
        ("missing", "nan", "odd-names"),
        ("both", "\"neg,pos\"", "several-labels"),
        ("rare", "meh", "rare-class"),
    ] {
        let file = format!("{name}.csv");
        desk.write(&file, format!("{usual}{label},the room was so\n"));
        let found = counted(&desk, &[&file]);
        assert!(message(&found, kind).contains(&format!("{file}:82")), "{found}");
        assert!(!desk.ok(&["data", &file]).contains('\u{1B}'), "{name}");
    }
    assert_eq!(kinds(&counted(&desk, &["rare.csv", "--without", "meh"])), ["nothing-held-out"]);

    // Trained on, they stand in the metrics, on the terminal and in the report.
    let args =
        ["train", "case.csv", "--recipe", "starter", "--set", "epochs=1", "--set", "quantized_epochs=0"];
    let said = desk.ok(&[&args[..], &["--out", "run"]].concat());
    assert!(said.contains("warning[similar-names]: `Neg` (case.csv:82), `neg` (case.csv:2) are"), "{said}");
    let metrics: Value = serde_json::from_str(&desk.read("run/metrics.json")).unwrap();
    assert_eq!(kinds(&metrics)[..2], ["similar-names", "rare-class"]);
    assert!(desk.read("run/report.html").contains("warning[similar-names]: "));
}

#[test]
fn what_is_not_one_label_and_one_text_is_refused_with_advice() {
    let desk = Desk::empty();
    for (name, content, place) in [
        ("series.tsv", "label\tsteps\tchannels\tvalues\n1\t2\t1\t0.5 0.25\n", "series.tsv:1"),
        ("measured.csv", "label,text\n0,0.25 1.5\n1,2.5 0.125\n", "measured.csv:2"),
        ("stars.csv", "label,text\n0,3\n1,5\n", "stars.csv:2"),
        ("number.jsonl", "{\"label\": 0, \"text\": 3}\n", "number.jsonl:1"),
        ("numbers.jsonl", "{\"label\": 0, \"text\": [0.5, 1]}\n", "numbers.jsonl:1"),
    ] {
        desk.write(name, content);
        let said = desk.refused(&["data", name, "--input", "text"]);
        assert!(said.contains(&format!("error: {place}: ")), "{said}");
        assert!(said.contains("what is read as texts has words, not numbers (if another"), "{said}");
    }
    // Codes of words are words, and a text may be a number.
    desk.write("codes.csv", "label,text\n0,12 7 99\n1,8 15\n");
    desk.write("some.csv", "label,text\n0,a room\n1,5\n");
    assert_eq!(counted(&desk, &["codes.csv"])["train"]["words"]["max"], 3);
    counted(&desk, &["some.csv"]);

    desk.write("lists.jsonl", "{\"text\": \"a\", \"label\": [\"x\", \"y\"]}\n");
    let said = desk.refused(&["data", "lists.jsonl"]);
    assert!(
        said.contains("lists.jsonl:1: `label` is a list: KiloRNN gives a text one label, not several ("),
        "{said}"
    );
}

#[test]
fn texts_without_labels_do_not_calibrate() {
    let desk = Desk::empty();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/import/keras-seed");
    let (weights, tokenizer) = (format!("{golden}.npz"), format!("{golden}.json"));
    let files = ["import", "keras", "--weights", &weights, "--tokenizer", &tokenizer];
    let how = ["--activation", "relu", "--padding", "tokens", "--maxlen", "12", "--out", "refused", "--data"];
    desk.write("texts.txt", "the film\nthe room\n");
    desk.write("texts.csv", "text\nthe film\nthe room\n");
    desk.write("texts.jsonl", "{\"text\": \"the film\"}\n");
    for name in ["texts.txt", "texts.csv", "texts.jsonl"] {
        let said = desk.refused(&[&files[..], &how, &[name]].concat());
        assert!(
            said.contains(": texts to calibrate with have the form of training data, each with its label ("),
            "{said}"
        );
    }
}
