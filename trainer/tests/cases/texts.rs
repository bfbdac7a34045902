//! Texts: what bytes and line ends mean, on every way in.

use serde_json::{Value, json};

use super::desk::Desk;
use super::{counted, csv, gzip, sentences, train};

#[test]
fn bytes_that_are_not_utf8_are_read_as_told_or_named() {
    let desk = Desk::empty();
    let text = "label,text\nnég,le café était mauvais\nbon,la soupe était bonne\n";
    let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let utf16 = |mark: bool| -> Vec<u8> {
        let text = format!("{}{text}", if mark { "\u{FEFF}" } else { "" });
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    desk.write("utf8.csv", text);
    desk.write("latin1.csv", &latin1);
    desk.write("latin1.csv.gz", gzip(&latin1));
    desk.write("marked.csv", utf16(true));
    desk.write("unmarked.csv", utf16(false));
    desk.write("labels", b"n\xE9g\nbon\n");
    let right = counted(&desk, &["utf8.csv"]);
    let with = |name: &str, encoding: &str| counted(&desk, &[name, "--encoding", encoding]);
    for (name, encoding) in [
        ("latin1.csv", "latin1"),
        ("latin1.csv.gz", "Windows-1252"),
        ("unmarked.csv", "utf-16le"),
        ("utf8.csv", "utf-8"),
    ] {
        assert_eq!(with(name, encoding), right, "{name}");
    }
    assert_eq!(counted(&desk, &["marked.csv"]), right, "its mark tells");
    assert_eq!(with("marked.csv", "latin1"), right, "the mark counts more");
    let listed = counted(&desk, &["latin1.csv", "--encoding", "latin1", "--labels", "labels"]);
    assert_eq!(listed["labels"], json!(["nég", "bon"]));

    let said = desk.refused(&["data", "latin1.csv"]);
    assert!(said.contains("latin1.csv:2: not UTF-8: byte 0xE9, 1 bytes into the line"), "{said}");
    let said = desk.refused(&["data", "latin1.csv", "--encoding", "shift_jis"]);
    assert!(said.contains("latin1.csv:2: not shift_jis: byte 0x"), "{said}");
    let said = desk.refused(&["data", "latin1.csv", "--encoding", "windows-1525"]);
    assert!(said.contains("no encoding that can be read has this name (did you mean `windows-125"), "{said}");
}

#[test]
fn line_ends_of_any_kind_give_the_same_texts() {
    let desk = Desk::empty();
    let usual = csv(["0", "1"], &sentences(20));
    let formats = [
        ("csv", usual.clone()),
        ("tsv", usual.replace(',', "\t")),
        (
            "jsonl",
            sentences(20).iter().map(|(c, t)| format!("{}\n", json!({"label": c, "text": t}))).collect(),
        ),
    ];
    for (ending, content) in formats {
        let name = |kind: &str| format!("{kind}.{ending}");
        desk.write(&name("lf"), &content);
        let right = counted(&desk, &[&name("lf")]);
        for (kind, written) in [
            ("crlf", content.replace('\n', "\r\n")),
            ("crcrlf", content.replace('\n', "\r\r\n")),
            ("cr", content.replace('\n', "\r")),
            ("marked", format!("\u{FEFF}{}", content.trim_end().replace('\n', "\r\n"))),
        ] {
            desk.write(&name(kind), written);
            assert_eq!(counted(&desk, &[&name(kind)]), right, "{kind}.{ending}");
        }
        // One that is left over ends a line or belongs to a text: nothing tells which.
        desk.write(&name("one"), content.replacen("was", "was\rso", 3));
        let said = desk.refused(&["data", &name("one")]);
        let line = if ending == "jsonl" { 1 } else { 2 };
        let expected = format!("one.{ending}:{line}: a carriage return (\\r) in the middle of the line");
        assert!(said.contains(&expected) && !said.contains('\r'), "{said}");
    }
    // In quotes, or escaped, a line end of any kind is part of the text and separates words.
    desk.write("quoted.csv", "label,text\n0,\"one\rtwo\"\n1,\"three\r\nfour\"\n");
    desk.write(
        "escaped.jsonl",
        "{\"label\": 0, \"text\": \"one\\rtwo\"}\n{\"label\": 1, \"text\": \"three\\r\\nfour\"}\n",
    );
    for name in ["quoted.csv", "escaped.jsonl"] {
        assert_eq!(counted(&desk, &[name])["train"]["words"]["min"], 2, "{name}");
    }
}

#[test]
fn texts_are_the_same_on_every_way_in() {
    let desk = Desk::empty();
    desk.write("p01.csv", csv(["0", "1"], &sentences(80)));
    train(&desk, &["p01.csv"], "run");
    let predictions =
        |output: Vec<u8>| serde_json::from_slice::<Value>(&output).unwrap()["predictions"].clone();
    let right = predictions(desk.run(&["predict", "run", "--json", "a lovely", "", "room, café"]).stdout);
    for (name, content, encoding) in [
        ("lf.txt", "a lovely\n\nroom, café\n".as_bytes(), None),
        ("crlf.txt", "a lovely\r\n\r\nroom, café\r\n".as_bytes(), None),
        ("marked.txt", "\u{FEFF}a lovely\r\n\r\nroom, café".as_bytes(), None),
        ("cr.txt", "a lovely\r\rroom, café\r".as_bytes(), None),
        ("latin1.txt", b"a lovely\n\nroom, caf\xE9\n", Some("latin1")),
        ("lines.txt.gz", &gzip("a lovely\n\nroom, café\n".as_bytes()), None),
    ] {
        desk.write(name, content);
        let encoding: Vec<&str> = encoding.iter().flat_map(|name| ["--encoding", name]).collect();
        let of_file = desk.run(&[&["predict", "run", "--json", "--file", name], &encoding[..]].concat());
        assert_eq!(predictions(of_file.stdout), right, "{name}");
        let of_input = desk.run_on(&[&["predict", "run", "--json"], &encoding[..]].concat(), content);
        assert_eq!(predictions(of_input.stdout), right, "{name}");
        let by_line = desk.run_on(&[&["predict", "run", "-"], &encoding[..]].concat(), content);
        let shown = String::from_utf8(by_line.stdout).unwrap();
        assert_eq!(shown.lines().count(), 3, "{name}: {shown}");
        assert!(
            shown.lines().zip(["\ta lovely", "\t", "\troom, café"]).all(|(line, end)| line.ends_with(end)),
            "{shown}"
        );
    }
    // An answer comes for every line up to the one that cannot be read.
    let output = desk.run_on(&["predict", "run"], b"one\ntwo\ncaf\xE9\nfour\n");
    assert_eq!(
        (output.status.code(), output.stdout.iter().filter(|&&byte| byte == b'\n').count()),
        (Some(2), 2)
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("standard input:3: not UTF-8: byte 0xE9, 3 bytes into the line"), "{said}");
}
