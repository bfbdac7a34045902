//! Recordings of numbers as people have them: each form, and each slightly wrong.

use serde_json::Value;

use super::desk::Desk;
use super::{counted, gzip, kinds, message};

/// A value that no other place has.
fn value(recording: usize, frame: usize, channel: usize) -> f64 {
    let turn = (recording * 31 + frame * 7 + channel * 3) as f64;
    (turn * 0.37).sin() * (1.0 + channel as f64) + recording as f64 / 64.0
}

/// The frames of a recording with two channels.
fn frames(recording: usize) -> Vec<[f64; 2]> {
    (0..12 + recording % 5).map(|frame| [value(recording, frame, 0), value(recording, frame, 1)]).collect()
}

/// The name of a recording's class.
fn class(recording: usize) -> &'static str {
    ["rest", "wave"][recording % 2]
}

/// One table with all of these recordings.
fn table(recordings: std::ops::Range<usize>) -> String {
    let mut content = "recording,time,ax,ay,person,label\n".to_owned();
    for recording in recordings {
        for (frame, [ax, ay]) in frames(recording).into_iter().enumerate() {
            let person = ["ann", "bob", "cat"][recording / 2 % 3];
            content += &format!("r{recording},{},{ax},{ay},{person},{}\n", frame * 20, class(recording));
        }
    }
    content
}

/// The same, a recording a line.
fn values(recordings: std::ops::Range<usize>) -> String {
    let line = |recording: usize| {
        let frames = frames(recording);
        let values: Vec<String> = frames.iter().flatten().map(f64::to_string).collect();
        format!("{}\t{}\t2\t{}\n", class(recording), frames.len(), values.join(" "))
    };
    "label\tsteps\tchannels\tvalues\n".to_owned() + &recordings.map(line).collect::<String>()
}

/// The same in the archives' form.
fn archive(recordings: std::ops::Range<usize>) -> String {
    let line = |recording: usize| {
        let dimension = |channel: usize| {
            frames(recording).iter().map(|frame| frame[channel].to_string()).collect::<Vec<_>>().join(",")
        };
        format!("{}:{}:{}\n", dimension(0), dimension(1), class(recording))
    };
    let header = "@problemName Waves\n@timeStamps false\n@dimensions 2\n@equalLength false\n@classLabel true rest wave\n@data\n";
    header.to_owned() + &recordings.map(line).collect::<String>()
}

#[test]
fn all_forms_of_the_same_recordings_are_the_same_data() {
    let desk = Desk::empty();
    desk.write("table/train.csv", table(0..40));
    desk.write("table/test.csv", table(40..60));
    desk.write("lines/train.tsv.gz", gzip(values(0..40).as_bytes()));
    desk.write("lines/test.tsv", values(40..60));
    desk.write("archive/Waves_TRAIN.ts", archive(0..40));
    desk.write("archive/Waves_TEST.ts.gz", gzip(archive(40..60).as_bytes()));
    for (part, recordings) in [("train", 0..40), ("test", 40..60)] {
        for recording in recordings {
            let rows: String = frames(recording).iter().map(|[ax, ay]| format!("{ax};{ay}\n")).collect();
            desk.write(
                &format!("folders/{part}/{}/{recording}.csv", class(recording)),
                format!("ax;ay\n{rows}"),
            );
        }
    }
    for folder in ["lines", "archive"] {
        desk.write(&format!("{folder}/channels.txt"), "ax\nay\n");
    }
    let without_names = |mut found: Value| {
        found.as_object_mut().unwrap().remove("interval");
        found
    };
    let mut table = counted(&desk, &["table", "--channels", "ax,ay"]);
    assert_eq!((&table["train"]["examples"], &table["test"]["examples"]), (&40.into(), &20.into()));
    assert_eq!((&table["train"]["steps"]["min"], &table["train"]["steps"]["max"]), (&12.into(), &16.into()));
    assert_eq!(kinds(&table), [""; 0], "{table}");
    table = without_names(table);
    for folder in ["lines", "archive", "folders"] {
        let found = without_names(counted(&desk, &[folder]));
        let closeness = |found: &Value| {
            (found["labels"].clone(), found["channels"].clone(), found["train"]["per_class"].clone())
        };
        assert_eq!(closeness(&found), closeness(&table), "{folder}");
        assert_eq!(found["train"]["steps"], table["train"]["steps"], "{folder}");
        for channel in 0..2 {
            let [one, other] = [&found, &table].map(|data| data["test"]["channels"][channel].clone());
            assert_eq!((&one["min"], &one["max"]), (&other["min"], &other["max"]), "{folder}");
            let mean = |channel: &Value| channel["mean"].as_f64().unwrap();
            assert!((mean(&one) - mean(&other)).abs() < 1e-9, "{folder}: {one} {other}");
        }
    }
}

#[test]
fn what_is_wrong_with_recordings_is_said_with_file_line_and_remedy() {
    let desk = Desk::empty();
    let good = table(0..8);
    desk.write("good.csv", &good);
    assert_eq!(counted(&desk, &["good.csv", "--group", "person"])["interval"], 20.0);
    let edited = |name: &str, line: usize, edit: &dyn Fn(&str) -> String| {
        let lines = good.lines().enumerate().map(|(index, content)| match index + 1 == line {
            true => edit(content) + "\n",
            false => format!("{content}\n"),
        });
        desk.write(name, lines.collect::<String>());
        let said = desk.refused(&["data", name, "--group", "person"]);
        assert!(said.starts_with(&format!("error: {name}:{line}: ")), "{said}");
        said
    };
    let field = |place: usize, with: &'static str| {
        move |line: &str| {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields[place] = with;
            fields.join(",")
        }
    };
    for (name, line, edit, parts) in [
        (
            "missing.csv",
            5,
            &field(2, "") as &dyn Fn(&str) -> String,
            ["channel `ax`: a value is missing", "(put in the value before"],
        ),
        (
            "nan.csv",
            5,
            &field(3, "NaN"),
            ["channel `ay`: a value is missing (`NaN`)", "or remove the recording)"],
        ),
        ("infinite.csv", 6, &field(2, "inf"), ["channel `ax`: `inf` is infinite", "(correct it, or remove"]),
        (
            "text.csv",
            7,
            &field(3, "fast"),
            ["channel `ay`: `fast` stands where a number should be", "--channels ax)"],
        ),
        (
            "fewer.csv",
            8,
            &|line| line.replacen(',', "", 1),
            ["5 fields, but the header names 6: a value is missing", "(every row"],
        ),
        (
            "more.csv",
            8,
            &|line| format!("{line},1"),
            ["7 fields, but the header names 6: one is too many", "(every row"],
        ),
        (
            "irregular.csv",
            9,
            &field(1, "190"),
            ["frames are missing: the time is 190 after 120", "(resample"],
        ),
        (
            "backwards.csv",
            9,
            &field(1, "0"),
            ["the time does not rise", "(resample the recording, or leave the time unchecked"],
        ),
        (
            "label.csv",
            4,
            &field(5, "wave"),
            ["recording `r0` has the label `wave` here, and `rest` in line 2", "--window FRAMES"],
        ),
        ("unlabelled.csv", 2, &field(5, ""), ["empty label", "(give the text one"]),
        (
            "group.csv",
            4,
            &field(4, "bob"),
            ["is of group `bob` here and of group `ann` before", "(a recording has one)"],
        ),
    ] {
        let said = edited(name, line, edit);
        parts.iter().for_each(|part| assert!(said.contains(part), "{part} is not in {said}"));
    }
    // Here the row is at fault that goes on with the recording.
    desk.write("torn.csv", good.replacen("r0,60,", "r7,60,", 1));
    let said = desk.refused(&["data", "torn.csv", "--group", "person"]);
    assert!(
        said.starts_with("error: torn.csv:6: recording `r0` goes on here, and ended in line 4"),
        "{said}"
    );
    // What the remedies say works.
    assert_eq!(
        counted(&desk, &["irregular.csv", "--channels", "ax,ay"])["channels"].as_array().unwrap().len(),
        2
    );
    assert!(
        counted(&desk, &["label.csv", "--window", "2", "--channels", "ax,ay"])["train"]["examples"].as_u64()
            > Some(40)
    );

    let lines = values(0..8);
    for (name, content, expected) in [
        (
            "short.tsv",
            lines.replacen(' ', "", 1),
            "short.tsv:2: 23 values, but 12 steps of 2 channels are 24 (is a value",
        ),
        (
            "word.tsv",
            lines.replacen("\t2\t", "\t2\tx ", 1),
            "word.tsv:2: step 1, channel 1: `x` stands where a number",
        ),
        (
            "one.tsv",
            format!("{lines}rest\t2\t1\t1 2\n"),
            "one.tsv:10: 1 channel, but the recordings before have 2: all",
        ),
    ] {
        desk.write(name, content);
        let said = desk.refused(&["data", name]);
        assert!(said.starts_with(&format!("error: {expected}")), "{said}");
    }
    let form = archive(0..8);
    for (name, content, expected) in [
        (
            "gap.ts",
            form.replacen("\n0,", "\n?,", 1),
            "gap.ts:7: dimension 1, step 1: a value is missing (`?`)",
        ),
        (
            "stamps.ts",
            form.replace("@timeStamps false", "@timeStamps true"),
            "stamps.ts:2: time stamps in pairs such as",
        ),
        (
            "class.ts",
            form.replacen(":wave\n", ":wav\n", 1),
            "class.ts:8: unknown label `wav`; @classLabel names rest, wave",
        ),
    ] {
        desk.write(name, content);
        let said = desk.refused(&["data", name]);
        assert!(said.starts_with(&format!("error: {expected}")), "{said}");
    }
    desk.write("a/rest/1.csv", "ax,ay\n1,2\n");
    desk.write("a/rest/2.csv", "ax,ay\n1,3\n");
    desk.write("a/wave/3.csv", "ax\n3\n");
    let said = desk.refused(&["data", "a"]);
    assert!(
        said.starts_with(
            "error: a/wave/3.csv:1: 1 channel, but a/rest/1.csv has 2: `ay` missing (give all files the"
        ),
        "{said}"
    );
    desk.write("cut.npz", b"PK\x03\x04");
    assert!(desk.refused(&["data", "cut.npz"]).starts_with("error: cut.npz: no .npz file that can be read"));
    desk.write("x.parquet", b"PAR1\0\0");
    assert!(
        desk.refused(&["data", "x.parquet", "--input", "numbers"])
            .contains("x.parquet: of no known form: recordings are")
    );
}

#[test]
fn a_recording_that_would_leak_is_refused() {
    let desk = Desk::empty();
    desk.write("set/train.tsv", values(0..20));
    desk.write("set/dev.tsv", values(20..24));
    desk.write("set/test.tsv", values(19..30));
    let said = desk.refused(&["data", "set"]);
    assert!(
        said.starts_with("error: set/test.tsv:2: this recording stands in the test part and in the train part (set/train.tsv:21)"),
        "{said}"
    );
    assert!(said.contains("(remove it from one of them)"), "{said}");
    desk.write("set/test.tsv", values(23..30));
    assert!(desk.refused(&["data", "set"]).contains("the test part and in the dev part (set/dev.tsv:5)"));
    desk.write("set/test.tsv", values(24..30));
    assert_eq!(kinds(&counted(&desk, &["set"])), [""; 0]);
}

#[test]
fn groups_and_windows_are_counted() {
    let desk = Desk::empty();
    desk.write("log.csv", table(0..40));
    let found = counted(&desk, &["log.csv", "--group", "person"]);
    assert_eq!((&found["train"]["groups"], found["channels"].as_array().unwrap().len()), (&3.into(), 2));
    let without = desk.refused(&["data", "log.csv"]);
    assert!(
        without.contains("log.csv:2: channel `person`: `ann` stands where a number should be"),
        "{without}"
    );
    assert!(without.contains("--channels ax,ay"), "{without}");
    let cut = counted(&desk, &["log.csv", "--channels", "ax,ay", "--window", "8", "--step", "4"]);
    assert_eq!((&cut["train"]["steps"]["min"], &cut["train"]["steps"]["max"]), (&8.into(), &8.into()));
    // 12 to 15 frames give two windows, 16 give three.
    assert_eq!(
        (&cut["train"]["examples"], &cut["train"]["left_over"]),
        (&(32 * 2 + 8 * 3).into(), &(8 * (1 + 2 + 3)).into())
    );
    assert!(
        String::from_utf8(desk.run(&["data", "log.csv", "--step", "4"]).stderr).unwrap().contains("--window")
    );
    let said = desk.refused(&["data", "log.csv", "--channels", "ax,ay", "--recipe", "compact"]);
    assert!(said.starts_with("error: --recipe and --set count words"), "{said}");
}

#[test]
fn texts_and_numbers_are_told_apart_and_either_can_be_said() {
    let desk = Desk::empty();
    let table = table(0..30);
    desk.write("log.csv", &table);
    let output = desk.run_on(&["data", "-", "--group", "person", "--json"], &table);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["channels"], serde_json::json!(["ax", "ay"]));
    assert_eq!(found["train"], counted(&desk, &["log.csv", "--group", "person"])["train"]);
    let said = desk.refused(&["data", "log.csv", "--input", "text"]);
    assert!(said.contains("log.csv:1: no column is named `text`"), "{said}");
    let said = desk.refused(&["data", "log.csv", "--text", "ax", "--label", "label"]);
    assert!(said.contains("are numbers, and what is read as texts"), "{said}");
    let rows: String = (0..40).map(|n| format!("{},code {n}\n", n % 2)).collect();
    desk.write("texts.csv", format!("label,text\n{rows}"));
    assert!(counted(&desk, &["texts.csv"])["vocabulary"].as_u64() > Some(0));
    let said = desk.refused(&["data", "texts.csv", "--input", "numbers"]);
    assert!(
        said.contains("texts.csv:1: no column is named `recording`; there are `label`, `text`: which rows"),
        "{said}"
    );
}

#[test]
fn what_only_looks_wrong_is_warned_of() {
    let desk = Desk::empty();
    desk.write("g.csv", table(0..40));
    // The x axis of each row, changed.
    let changed = |content: String, change: &dyn Fn(&str, f64) -> f64| {
        let line = |line: &str| {
            let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            if let Ok(ax) = fields[2].parse() {
                fields[2] = change(line, ax).to_string();
            }
            fields.join(",") + "\n"
        };
        content.lines().map(line).collect::<String>()
    };
    desk.write("ms2.csv", changed(table(40..60), &|_, ax| ax * 9.81));
    let found = counted(&desk, &["g.csv", "--test", "ms2.csv", "--channels", "ax,ay"]);
    assert_eq!(kinds(&found), ["shifted-channel"]);
    let said = message(&found, "shifted-channel");
    assert!(
        said.starts_with("a channel has other values in the test part than in the train part: ax; the mean"),
        "{said}"
    );
    let fails = |line: &str, ax| if line.starts_with("r3,40,") { -32768.0 } else { ax };
    desk.write("failed.csv", changed(table(0..40), &fails));
    let found = counted(&desk, &["failed.csv", "--channels", "ax,ay"]);
    let said = message(&found, "outlying-values");
    assert!(said.contains("-32768 in failed.csv:") && said.contains("(channel `ax`, frame 3)"), "{said}");
}
