//! What a message tells a person to do works as it is printed.

use super::desk::Desk;

/// The message with which a command that must fail fails.
fn said(desk: &Desk, line: &str) -> String {
    let output = desk.shell(line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}: {said}");
    said
}

/// Runs what must succeed.
fn works(desk: &Desk, line: &str) {
    let output = desk.shell(line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What stands between two pieces of a message.
fn between<'m>(message: &'m str, before: &str, after: &str) -> &'m str {
    let rest = message.split_once(before).unwrap_or_else(|| panic!("no `{before}` in {message}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no `{after}` in {message}")).0
}

#[test]
fn options_that_are_proposed_do_what_was_meant() {
    let desk = Desk::empty();
    let utf16: Vec<u8> =
        "label,text\n0,un café\n1,une soupe\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, &[u8], &str, &str, &str); 9] = [
        ("latin1.csv", b"label,text\n0,un caf\xE9 noir\n1,une soupe\n", "", "Western European: ", ";"),
        ("latin2.csv", b"label,text\n0,un caf\xE9 noir\n1,une soupe\n", "", "Central European: ", ";"),
        ("gbk.csv", b"label,text\n0,\xC4\xE3\xBA\xC3\n1,\xB7\xBF\xBC\xE4\n", "", "such as ", " for Chinese"),
        ("utf16.csv", &utf16, "", "mark (", ")"),
        ("semicolons.tsv", b"label;text\n0;a b\n1;c d\n", "", "not a tab: ", ")"),
        ("bare.csv", b"0,not bad at all\n1,poor soup\n", "", "no header: ", ")"),
        ("turned.csv", b"not bad at all,0\npoor soup here,1\n", "", "no header: ", ")"),
        ("turned.tsv", b"not bad at all\t0\npoor soup here\t1\n", "", "no header: ", ")"),
        (
            "bare.csv",
            b"0,not bad at all\n1,poor soup\n",
            "--no-header --label 7",
            "choose with --label NUMBER, or ",
            ")",
        ),
    ];
    for (name, content, options, before, after) in cases {
        desk.write(name, content);
        let message = said(&desk, &format!("kilornn data {name} {options}"));
        let remedy = between(&message, before, after);
        match remedy {
            // What the person is to fill in.
            "--delimiter C" => works(&desk, &format!("kilornn data {name} --no-header --delimiter ,")),
            remedy => works(&desk, &format!("kilornn data {name} {remedy}")),
        }
    }
    // Names to choose among are those that there are.
    desk.write("named.csv", "stars,review\n0,a b\n1,c d\n");
    assert!(
        said(&desk, "kilornn data named.csv")
            .contains("there are `stars`, `review` (choose with --text NAME)")
    );
    assert!(said(&desk, "kilornn data named.csv --text review").contains("(choose with --label NAME)"));
    works(&desk, "kilornn data named.csv --text review --label stars");
    // The same for who gives texts to a model.
    desk.write("train.csv", "label,text\n0,a b\n1,c d\n");
    works(
        &desk,
        "kilornn train train.csv --recipe starter --set epochs=1 --set quantized_epochs=0 --out run",
    );
    desk.write("texts.txt", b"un caf\xE9\n");
    for command in [
        "kilornn predict run --file texts.txt",
        "kilornn predict run < texts.txt",
        "kilornn data - < texts.txt",
    ] {
        let message = said(&desk, command);
        let remedy = between(&message, "Western European: ", ";");
        if !command.contains("data") {
            works(&desk, &format!("{command} {remedy}"));
        }
    }
}

#[test]
fn commands_that_are_printed_mend_the_file() {
    let desk = Desk::empty();
    desk.write("it's latin1.csv", b"label,text\n0,un caf\xE9 noir\n1,une soupe\n");
    desk.write("mixed.csv", "label,text\n0,a\rb\n1,c d\n");
    desk.write("joined.tsv", "label\ttext\n0\ta b\r1\tc d\n");
    let utf32 = "\u{FEFF}label,text\n0,a b\n1,c d\n".chars().flat_map(|c| u32::from(c).to_le_bytes());
    desk.write("utf32.csv", utf32.collect::<Vec<_>>());
    for (file, before, after, new) in [
        ("it's latin1.csv", "or convert it: ", ")\n", "it's latin1.new.csv"),
        ("mixed.csv", "belongs to the text: ", ";", "mixed.new.csv"),
        ("joined.tsv", "ends a line: ", ")\n", "joined.new.tsv"),
        ("utf32.csv", "(convert it: ", ")\n", "utf32.new.csv"),
    ] {
        let message = said(&desk, &format!("kilornn data \"{file}\""));
        works(&desk, between(&message, before, after));
        works(&desk, &format!("kilornn data \"{new}\""));
        desk.shell(&format!("gzip -c \"{file}\" > packed.{}.gz", &file[file.len() - 3..]));
    }
    // The same where the file is compressed.
    desk.shell("gzip -c mixed.csv > packed.csv.gz");
    let message = said(&desk, "kilornn data packed.csv.gz");
    works(&desk, between(&message, "belongs to the text: ", ";"));
    works(&desk, "kilornn data packed.new.csv");
}

#[test]
fn other_advice_is_sound() {
    let desk = Desk::empty();
    desk.write("my data", "label,text\n0,a b\n1,c d\n");
    let message = said(&desk, "kilornn data 'my data'");
    works(&desk, &format!("kilornn data {}", between(&message, "content tell: ", ")")));

    // Numbers with a gap are classes by a list of their names.
    desk.write("gap.csv", "label,text\n0,a b\n2,c d\n");
    assert!(
        said(&desk, "kilornn data gap.csv")
            .contains("list them, one a line, in labels.txt or a file for --labels")
    );
    desk.write("list", "0\n2\n");
    works(&desk, "kilornn data gap.csv --labels list");
    // Lists that disagree give way to one that is named.
    for (folder, labels) in [("a", "x\ny\n"), ("b", "y\nx\n")] {
        desk.write(&format!("{folder}/train.csv"), "label,text\nx,a b\ny,c d\n");
        desk.write(&format!("{folder}/labels.txt"), labels);
    }
    assert!(said(&desk, "kilornn data a b").contains("(choose with --labels FILE)"));
    works(&desk, "kilornn data a b --labels a/labels.txt");
    // Two parts of a kind can be given as files.
    desk.write("a/train.tsv", "label\ttext\nx\te f\n");
    assert!(said(&desk, "kilornn data a").contains("give the files themselves"));
    works(&desk, "kilornn data a/train.csv a/train.tsv");
    // A list that disagrees with the numbers can be left out, or written anew.
    desk.write("from_zero.csv", "label,text\n0,a b\n1,c d\n");
    desk.write("from_one", "1\n2\n");
    let message = said(&desk, "kilornn data from_zero.csv --labels from_one");
    assert!(message.contains("name the classes as the labels do, or train without the list"), "{message}");
    works(&desk, "kilornn data from_zero.csv");
    desk.write("from_zero", "0\n1\n");
    works(&desk, "kilornn data from_zero.csv --labels from_zero");
    // Codes with a letter in front of each.
    desk.write("codes.csv", "label,text\n0,7\n1,12\n");
    assert!(said(&desk, "kilornn data codes.csv").contains("put a letter in front of each, as in `x12`"));
    desk.write("codes.csv", "label,text\n0,x7\n1,x12\n");
    works(&desk, "kilornn data codes.csv");

    // A class that is rare can be left out.
    let rows: String = (0..40).map(|i| format!("{},text number {i}\n", i % 2)).collect();
    desk.write("rare.csv", format!("label,text\n{rows}2,one more\n"));
    let warned = String::from_utf8(desk.shell("kilornn data rare.csv").stdout).unwrap();
    let line = format!("kilornn data rare.csv {}", between(&warned, "leave the class out: ", ")"));
    works(&desk, &line);
    assert!(!String::from_utf8(desk.shell(&line).stdout).unwrap().contains("rare-class"));
}
