//! Files and folders: what is read, in which form, and what happened to it.

use serde_json::{Value, json};

use super::desk::Desk;
use super::{TAUGHT, counted, csv, gzip, kinds, message, sentences};

#[test]
fn files_that_were_joined_are_told_by_line() {
    let desk = Desk::empty();
    let rows = sentences(10);
    let (csv, jsonl) = (csv(["0", "1"], &rows), "{\"text\": \"a\", \"label\": 1}\n");
    let tsv = csv.replace(',', "\t");
    for (name, content, line) in [
        ("header.csv", [&csv[..], &csv].concat(), 12),
        ("marked.csv", ["\u{FEFF}", &csv, "\u{FEFF}", &csv].concat(), 12),
        ("header.tsv", [&tsv[..], &tsv].concat(), 12),
        ("marked.tsv", ["\u{FEFF}", &tsv, "\u{FEFF}", &tsv].concat(), 12),
        ("cut.csv", [csv.trim_end(), &csv].concat(), 11),
        ("cut.tsv", [tsv.trim_end(), &tsv].concat(), 11),
        ("marked.jsonl", [jsonl, "\u{FEFF}", jsonl].concat(), 2),
        ("marked.txt", ["one\ntwo\n", "\u{FEFF}three\n"].concat(), 3),
    ] {
        desk.write(name, content);
        let said = desk.refused(&["data", name]);
        assert!(said.contains(&format!("{name}:{line}: ")), "{said}");
        assert!(said.contains("were two files joined"), "{said}");
    }
}

#[test]
fn what_lies_in_a_folder_is_read_or_named() {
    let desk = Desk::empty();
    let rows = sentences(60);
    for name in ["val", "valid", "validation", "dev"] {
        for part in ["train", "test", name] {
            desk.write(&format!("as_{name}/{part}.csv"), csv(["0", "1"], &rows));
        }
        let found = counted(&desk, &[&format!("as_{name}")]);
        assert_eq!(
            (&found["dev"]["examples"], kinds(&found)),
            (&60.into(), vec!["duplicate-texts"; 3]),
            "{name}"
        );
    }
    desk.write("as_dev/val.csv", csv(["0", "1"], &rows));
    assert!(
        desk.refused(&["data", "as_dev"])
            .contains("as_dev: more than one dev part: as_dev/dev.csv, as_dev/val")
    );

    desk.write("set/train/pos/1.txt", "fine");
    desk.write("set/train/pos/1.json", "{}");
    desk.write("set/train/neg/1.txt", "poor");
    desk.write("set/train/unsup/1.txt", "who knows");
    desk.write("set/train/urls.txt", "an address");
    for name in ["README.md", "labels.txt", ".hidden", "groups.txt", "more.txt", "testing.csv"] {
        desk.write(&format!("set/{name}"), "neg\npos\n");
    }
    let said = message(&counted(&desk, &["set"]), "files-not-read").to_owned();
    let all = "set: README.md, groups.txt, more.txt, testing.csv, train/pos/1.json, train/unsup, train/urls.txt are not read";
    assert!(said.starts_with(all), "{said}");
    // What is read otherwise is none of these.
    desk.write("set/testing.csv", "label,text\npos,good\n");
    let args = [
        "train",
        "set",
        "--test",
        "set/testing.csv",
        "--groups",
        "set/groups.txt",
        "--unlabelled",
        "set/more.txt",
    ];
    let said = desk.ok(&[&args[..], &TAUGHT].concat());
    assert!(
        said.contains("set: README.md, train/pos/1.json, train/unsup, train/urls.txt are not read"),
        "{said}"
    );
    // Of many the first are named; a part that another file replaces is not read.
    (0..20).for_each(|i| desk.write(&format!("as_val/{i:02}.log"), ""));
    let said = counted(&desk, &["as_val", "--test", "as_dev/test.csv"]);
    let said = message(&said, "files-not-read");
    assert!(
        said.contains("as_val: 00.log, 01.log, ") && said.contains(", 09.log and 11 more are not"),
        "{said}"
    );

    // A file that is no class is one where each file is a class; it is told, for it has next to no texts.
    for (name, class) in [("pos", 1), ("neg", 0)] {
        let of_class = rows.iter().filter(|row| row.0 == class).map(|row| format!("{}\n", row.1));
        desk.write(&format!("by_class/{name}.txt"), of_class.collect::<String>());
    }
    desk.write("by_class/README.txt", "These sentences are mine.\n");
    let found = counted(&desk, &["by_class"]);
    assert_eq!(kinds(&found), ["odd-names", "rare-class", "nothing-held-out"]);
    assert!(
        message(&found, "rare-class").contains("`README` has 1 example (by_class/README.txt:1)"),
        "{found}"
    );

    let said = desk.refused(&["train", "nodata"]);
    assert!(said.contains("nodata: there is no such file or folder"), "{said}");
    assert!(desk.refused(&["data", "set/tran"]).contains("(did you mean `train`?)"));
    assert!(
        desk.refused(&["data", "set", "--labels", "set/label.txt"]).contains("(did you mean `labels.txt`?)")
    );
}

#[test]
fn columns_are_separated_and_named_as_people_do() {
    let desk = Desk::empty();
    let rows = sentences(20);
    let usual = csv(["0", "1"], &rows);
    desk.write("usual.csv", &usual);
    let right = counted(&desk, &["usual.csv"]);
    for (name, content, options) in [
        ("semicolons.csv", usual.replace(',', ";"), &[][..]),
        ("bars.csv", usual.replace(',', "|"), &[]),
        ("tabs.csv", usual.replace(',', "\t"), &[]),
        ("colons.csv", usual.replace(',', ":"), &["--delimiter", ":"]),
        ("commas.tsv", usual.clone(), &["--delimiter", ","]),
        ("spaced.csv", usual.replace(',', ", "), &[]),
        ("bare.csv", usual.replace("label,text\n", ""), &["--no-header"]),
        ("bare.tsv", usual.replace("label,text\n", "").replace(',', "\t"), &["--no-header"]),
        ("bare_semicolons.csv", usual.replace("label,text\n", "").replace(',', ";"), &["--no-header"]),
    ] {
        desk.write(name, content);
        assert_eq!(counted(&desk, &[&[name], options].concat()), right, "{name}");
    }
    let turned: String = rows.iter().map(|(class, text)| format!("{text};7;{class}\n")).collect();
    desk.write("turned.csv", turned);
    assert_eq!(counted(&desk, &["turned.csv", "--no-header", "--text", "1", "--label", "3"]), right);
    desk.write("lines.txt", "one\n");
    desk.write("rows.jsonl", "{\"text\": \"a\", \"label\": 1}\n");
    for name in ["lines.txt", "rows.jsonl"] {
        let said = desk.refused(&["data", name, "--no-header"]);
        assert!(said.contains(": --no-header is about the columns of .csv and .tsv files"), "{said}");
        assert!(
            desk.refused(&["data", name, "--delimiter", ";"]).contains(": --delimiter is about the columns")
        );
    }
    // Texts without labels have one column.
    desk.write("more.csv", "the room was so\nthe soup was so\n");
    desk.ok(&[&["train", "bare.csv", "--no-header", "--unlabelled", "more.csv"][..], &TAUGHT].concat());
    // The recipe that is left says how the data were read.
    let config = desk.read("run/config.toml");
    assert!(config.starts_with("# kilornn train bare.csv --no-header --recipe <this file> "), "{config}");
}

#[test]
fn standard_input_is_data_like_any_file() {
    let desk = Desk::empty();
    let rows = sentences(80);
    let usual = csv(["0", "1"], &rows);
    desk.write("usual.csv", &usual);
    let right = counted(&desk, &["usual.csv"]);
    let jsonl: String = rows.iter().map(|(c, t)| format!("{}\n", json!({"label": c, "text": t}))).collect();
    for content in [
        usual.clone().into_bytes(),
        usual.replace(',', ";").into_bytes(),
        usual.replace(',', "\t").replace('\n', "\r\n").into_bytes(),
        jsonl.into_bytes(),
        gzip(usual.as_bytes()),
    ] {
        let output = desk.run_on(&["data", "-", "--json"], content);
        assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), right);
    }
    let how = ["--recipe", "starter", "--set", "epochs=1", "--set", "quantized_epochs=0"];
    let output = desk.run_on(&[&["train", "-"], &how[..]].concat(), &usual);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = desk.run_on(&["evaluate", "runs/stdin-starter", "-"], &usual);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let output = desk.run_on(&["data", "-"], "label,text\n1,a\n,b\n");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("standard input:3: empty label"), "{said}");
    assert!(desk.refused(&["data", "-", "--test", "-"]).contains("standard input (-) is named 2 times"));
}

#[test]
fn what_is_no_model_is_shown() {
    let desk = Desk::empty();
    desk.write("README.md", "# Data and models\n");
    desk.write("set.csv", csv(["0", "1"], &sentences(4)));
    let said = desk.refused(&["evaluate", "README.md", "set.csv"]);
    assert!(
        said.contains("README.md: not a KiloRNN model: it begins with \"# Da\", not with \"KILO\""),
        "{said}"
    );
}
