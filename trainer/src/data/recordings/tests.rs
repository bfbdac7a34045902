//! Recordings read from files that tests write, and from the first rows of real sets.

use std::io::Read as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::*;
use crate::data::Data;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    crate::data::tests::folder(&files)
}

/// A table with a recording for each pair of a name and a label; every value is another.
fn table(recordings: &[(&str, &str)], frames: usize, first: usize) -> String {
    let mut content = "recording,ax,ay,label\n".to_owned();
    for (index, (name, label)) in recordings.iter().enumerate() {
        for frame in 0..frames {
            let value = first + index * frames + frame;
            content += &format!("{name},{value},{}.5,{label}\n", value % 17);
        }
    }
    content
}

fn read_with(
    folder: &Path,
    inputs: impl FnOnce(&mut Inputs),
    framing: &Framing,
    grouping: &Grouping,
) -> Result<Recordings, String> {
    let mut all = Inputs::from(folder);
    inputs(&mut all);
    let error = match Data::read(&all, framing, grouping) {
        Ok(Data::Recordings(data)) => return Ok(data),
        Ok(Data::Texts(_)) => panic!("read as texts"),
        Err(error) => error,
    };
    assert!(error.downcast_ref::<InputError>().is_some(), "{error:#} is not the user's fault");
    let said = error.to_string().replace(&format!("{}/", folder.display()), "");
    Err(said.replace(&folder.display().to_string(), "FOLDER"))
}

fn read(files: &[(&str, &str)], framing: &Framing) -> Result<Recordings, String> {
    read_with(folder(files).path(), |_| {}, framing, &Grouping::default())
}

fn by(column: &str) -> Grouping {
    Grouping { group: Some(column.into()), groups: None }
}

fn choosing(channels: &[&str]) -> Framing {
    Framing { channels: channels.iter().map(|&name| name.to_owned()).collect(), ..Framing::default() }
}

fn cutting(window: usize, step: usize) -> Framing {
    Framing { window: NonZero::new(window), step: NonZero::new(step), ..Framing::default() }
}

fn kinds(data: &Recordings) -> Vec<&'static str> {
    data.before_training().iter().map(|warning| warning.kind.name()).collect()
}

fn message(data: &Recordings, kind: Kind) -> String {
    let all = data.before_training();
    all.iter().find(|warning| warning.kind == kind).unwrap_or_else(|| panic!("{all:?}")).message.clone()
}

fn starts(result: Result<Recordings, String>, expected: &str) {
    let said = result.expect_err("it is refused");
    assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
}

#[test]
fn reads_parts_of_a_folder_with_names_of_classes_and_channels() {
    let data = read(
        &[
            ("train.tsv", "label\tsteps\tchannels\tvalues\n0\t2\t2\t1 2 3 4\n1\t1\t2\t5 6\n"),
            ("test.csv", "recording,ay,ax,label\nr,8,7,1\n"),
            ("labels.txt", "rest\nrun\n"),
            ("channels.txt", "ax\nay\n"),
        ],
        &Framing::default(),
    );
    // The columns of the second file stand in another order.
    let data = match data {
        Ok(data) => data,
        Err(said) => panic!("{said}"),
    };
    assert_eq!(
        (&data.labels[..], &data.channels[..]),
        (&["rest", "run"].map(String::from)[..], &["ax", "ay"].map(String::from)[..])
    );
    assert_eq!(data.train[0].values, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!((data.steps(&data.train[0]), data.train[1].class), (2, 1));
    let test = &data.test.as_ref().unwrap()[0];
    assert_eq!((&test.values[..], test.class, test.name.as_deref()), (&[7.0, 8.0][..], 1, Some("r")));
    assert!(data.place(test).ends_with("test.csv:2"));
    assert_eq!(data.groups(), None);
}

#[test]
fn reads_a_folder_a_class_beside_a_text_that_describes_it() {
    let files = [
        ("run/ann/1.csv", "ax,ay\n1,2\n3,4\n"),
        ("run/bob/1.csv", "ay,ax\n6,5\n"),
        ("rest/ann/2.csv", "ax,ay\n7,8\n"),
        ("rest/3.csv", "ax,ay,who\n9,10,3\n"),
        ("README.txt", "how it was measured\n"),
        ("channels.txt", "ax\nay\n"),
    ];
    let folder = folder(&files);
    let framing = Framing::default();
    starts(
        read_with(folder.path(), |_| {}, &framing, &Grouping::default()),
        "rest/3.csv:1: 3 channels, but rest/ann/2.csv has 2: `who` too many (give all files the same header, or take",
    );
    let data = read_with(folder.path(), |_| {}, &framing, &by("who")).unwrap();
    assert_eq!(data.labels, ["rest", "run"]);
    let of_run: Vec<&Recording> = data.train.iter().filter(|recording| recording.class == 1).collect();
    assert_eq!(of_run[0].values, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(of_run[1].values, [5.0, 6.0], "columns by name, not by place");
    let mut groups = data.groups().unwrap();
    groups.sort();
    assert_eq!(groups, ["3", "ann", "ann", "bob"]);
    assert_eq!(data.warnings.iter().filter(|warning| warning.kind == Kind::FilesNotRead).count(), 1);
}

#[test]
fn reads_the_archives_parts_by_their_names() {
    let ts = |label| format!("@problemName P\n@classLabel true a b\n@data\n1,{label}:a\n2,3:b\n");
    let data = read(&[("Wave_TRAIN.ts", &ts(4)), ("Wave_TEST.ts", &ts(5))], &Framing::default()).unwrap();
    assert_eq!((data.train.len(), data.test.unwrap().len()), (2, 2));
}

#[test]
fn channels_that_differ_are_told_with_those_that_all_have() {
    let train = table(&[("1", "a"), ("2", "b")], 2, 0);
    let test = train.replace("ax,ay", "ax,az").replace(",0.5,", ",7.5,");
    starts(
        read(&[("train.csv", &train), ("test.csv", &test)], &Framing::default()),
        "test.csv:1: 2 channels, but train.csv has 2: `ay` missing and `az` too many (give all files the same header, or take \
         the channels that all have: --channels ax)",
    );
    let data = read(&[("train.csv", &train), ("test.csv", &test)], &choosing(&["ax"])).unwrap();
    assert_eq!((data.channels, data.train[0].values.clone()), (vec!["ax".to_owned()], vec![0.0, 1.0]));
    let values = |channels: usize| {
        let row = |label: usize| format!("{label}\t1\t{channels}\t{}{label}\n", "1 ".repeat(channels - 1));
        format!("label\tsteps\tchannels\tvalues\n{}{}", row(0), row(1))
    };
    starts(
        read(&[("train.tsv", &values(3)), ("test.tsv", &values(2))], &Framing::default()),
        "test.tsv: 2 channels, but the recordings of train.tsv have 3 (give",
    );
    starts(
        read(&[("train.tsv", &values(3)), ("channels.txt", "x\ny\n")], &Framing::default()),
        "channels.txt: it names 2 channels, but the recordings have 3 (train.tsv; correct the list)",
    );
    starts(
        read(&[("train.tsv", &values(2)), ("channels.txt", "x\nx\n")], &Framing::default()),
        "channels.txt:2: this name stands twice (one channel a line)",
    );
    let named = [("train.tsv", &values(3)[..]), ("channels.txt", "x\ny\nz\n")];
    let data = read(&named, &choosing(&["z", "x"])).unwrap();
    assert_eq!(
        (&data.channels[..], &data.train[0].values[..]),
        (&["z", "x"].map(String::from)[..], &[0.0, 1.0][..])
    );
    starts(read(&named, &choosing(&["w"])), "--channels: no channel `w`; there are `x`, `y`, `z`");
    starts(read(&named, &choosing(&["x", "x"])), "--channels: `x` stands twice (name it once)");
    // Where nothing names them, these are names for all, or numbers of some.
    let unnamed = [("train.tsv", &values(3)[..])];
    assert_eq!(read(&unnamed, &choosing(&["p", "q", "r"])).unwrap().channels, ["p", "q", "r"]);
    assert_eq!(read(&unnamed, &choosing(&["3"])).unwrap().train[1].values, [1.0]);
}

#[test]
fn a_recording_in_two_parts_is_refused_and_in_one_part_named() {
    let train = table(&[("1", "a"), ("2", "b")], 10, 0);
    let test = table(&[("3", "a"), ("4", "b")], 10, 10);
    starts(
        read(&[("train.csv", &train), ("test.csv", &test)], &Framing::default()),
        "test.csv:2: this recording stands in the test part and in the train part (FOLDER/train.csv:12): a result on it"
            .replace("FOLDER/", "")
            .as_str(),
    );
    let test = table(&[("1", "a"), ("4", "b")], 10, 17);
    let data = read(&[("train.csv", &train), ("test.csv", &test)], &Framing::default()).unwrap();
    assert_eq!(kinds(&data), ["split-recordings", "few-recordings"]);
    let said = message(&data, Kind::SplitRecordings);
    assert!(
        said.starts_with("recordings of the same name stand in several parts, `1`: `1` in train (")
            && said.contains("test.csv:2"),
        "{said}"
    );
    // Silence is silence.
    let silence =
        "label\tsteps\tchannels\tvalues\n0\t4\t4\t0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n1\t1\t4\t1 2 3 4\n";
    let data = read(&[("train.tsv", silence), ("test.tsv", silence)], &Framing::default()).unwrap();
    assert_eq!(
        message(&data, Kind::DuplicateRecordings),
        "2 of 2 test recordings are training recordings, too (all are kept)"
    );
    let twice = format!("{train}{}", table(&[("3", "b")], 10, 0).replace("recording,ax,ay,label\n", ""));
    let data = read(&[("train.csv", &twice)], &Framing::default()).unwrap();
    assert_eq!(
        kinds(&data),
        ["duplicate-recordings", "contradictory-labels", "few-recordings", "nothing-held-out"]
    );
    let said = message(&data, Kind::ContradictoryLabels);
    assert!(
        said.starts_with("1 recordings have more than one label, the first is `a` in ")
            && said.contains("train.csv:22"),
        "{said}"
    );
}

#[test]
fn windows_are_of_one_recording_and_one_label() {
    let content = "recording,ax,ay,label\n".to_owned()
        + &(0..10).map(|n| format!("1,{n},0.{n},{}\n", if n < 6 { "a" } else { "b" })).collect::<String>()
        + "2,50,1,b\n2,51,2,b\n2,52,3,b\n3,60,1,a\n";
    let folder = folder(&[("train.csv", &content)]);
    starts(
        read_with(folder.path(), |_| {}, &Framing::default(), &Grouping::default()),
        "train.csv:8: recording `1` has the label `b` here, and `a` in line 2 (correct it; or, if what it shows changes, cut",
    );
    let data = read_with(folder.path(), |_| {}, &cutting(3, 2), &Grouping::default()).unwrap();
    let firsts: Vec<(f32, usize)> =
        data.train.iter().map(|window| (window.values[0], window.class)).collect();
    assert_eq!(firsts, [(0.0, 0), (2.0, 0), (6.0, 1), (50.0, 1)]);
    assert!(data.train.iter().all(|window| data.steps(window) == 3));
    // Pieces of one recording validate together.
    assert_eq!(data.groups().unwrap(), ["0:1", "0:1", "0:1", "0:2"]);
    let said = message(&data, Kind::ShortRecordings);
    assert!(said.starts_with("recordings, or pieces of one label, are shorter than a window and left out: 1 of the train part ("), "{said}");
    let counts = counts::RecordingCounts::of(&data);
    assert_eq!((counts.train.examples, counts.train.left_over), (4, Some(1 + 1 + 1)));
    starts(
        read_with(folder.path(), |_| {}, &cutting(5, 5), &Grouping::default()),
        "train.csv: no recording of the class `b` is as long as a window (choose a smaller --window)",
    );
}

#[test]
fn groups_lie_in_a_column_or_in_a_file_of_their_own() {
    let values = "label\tsteps\tchannels\tvalues\n0\t1\t1\t1\n1\t1\t1\t2\n";
    let folder = folder(&[
        ("train.tsv", values),
        ("test.tsv", &values.replace("\t2\n", "\t3\n")),
        ("train.meta.tsv", "subject\tsegment\nann\t1\nbob\t2\n"),
        ("short.tsv", "subject\nann\n"),
    ]);
    let grouping =
        |file: &str| Grouping { group: Some("subject".into()), groups: Some(folder.path().join(file)) };
    let read = |grouping| read_with(folder.path(), |_| {}, &Framing::default(), &grouping);
    assert_eq!(read(grouping("train.meta.tsv")).unwrap().groups().unwrap(), ["ann", "bob"]);
    starts(read(grouping("short.tsv")), "short.tsv: has 1 groups, but there are 2 training examples");
    starts(read(by("subject")), "train.tsv: the header says no group `subject` (name a file that");
    let with = |who: &str| {
        format!("who,{}", table(&[("1", "a"), ("2", "b")], 1, 0).replace('\n', &format!("\n{who},")))
    };
    let strip = |content: String| content.trim_end_matches(|c| c != '\n').to_owned();
    let files = [("train.csv", strip(with("ann"))), ("test.csv", strip(with("ann")).replace(".5", ".7"))];
    let files = files.each_ref().map(|(name, content)| (*name, &content[..]));
    let data = read_with(self::folder(&files).path(), |_| {}, &Framing::default(), &by("who")).unwrap();
    assert_eq!(data.channels, ["ax", "ay"]);
    assert!(
        message(&data, Kind::SharedGroups)
            .starts_with("groups stand in several parts, `ann`: `ann` in train (")
    );
}

#[test]
fn values_that_look_like_mistakes_are_named() {
    let header = "recording,ax,ay,id,label\n";
    let rows = |offset: f64, scale: f64| {
        (0..300)
            .map(|n| {
                let (recording, value) = (n / 30, f64::from(n * 7 % 40) * scale + offset);
                format!("{recording},{value},4,{recording},{}\n", ["a", "b"][recording as usize % 2])
            })
            .collect::<String>()
    };
    let usual = format!("{header}{}", rows(0.0, 1.0));
    let data = read(&[("train.csv", &usual)], &Framing::default()).unwrap();
    assert_eq!(kinds(&data), ["constant-channel", "constant-channel", "few-recordings", "nothing-held-out"]);
    let said: Vec<String> = data.before_training().into_iter().map(|warning| warning.message).collect();
    assert!(said[0].starts_with("the channel ay never changed in the training recordings"), "{said:?}");
    assert!(
        said[1].starts_with("the channel id never changed within a recording, as the number of a person"),
        "{said:?}"
    );
    assert!(said[1].ends_with("(leave out what is no channel: --channels ax)"), "{said:?}");

    let failed = usual.replacen("\n3,", "\n3,-9999,4,3,b\n3,", 1);
    let data = read(&[("train.csv", &failed)], &choosing(&["ax"])).unwrap();
    let said = message(&data, Kind::OutlyingValues);
    assert!(said.starts_with("1 of 301 training values lies far outside the others: -9999 in "), "{said}");
    assert!(
        said.contains("train.csv:92 (channel `ax`, frame 1), where nearly all lie between 0 and 39 ("),
        "{said}"
    );

    for (offset, scale, is_shifted) in
        [(0.5, 1.0, false), (300.0, 1.0, true), (0.0, 9.81, true), (0.0, 0.1, true)]
    {
        let test = format!("{header}{}", rows(offset, scale));
        let data = read(&[("train.csv", &usual), ("test.csv", &test)], &choosing(&["ax"])).unwrap();
        assert_eq!(kinds(&data).contains(&"shifted-channel"), is_shifted, "{offset} {scale}");
    }
    let data = read(
        &[("train.csv", &usual), ("test.csv", &format!("{header}{}", rows(300.0, 1.0)))],
        &choosing(&["ax"]),
    );
    let said = message(&data.unwrap(), Kind::ShiftedChannel);
    assert!(
        said.starts_with(
            "a channel has other values in the test part than in the train part: ax; the mean of `ax` is 319."
        ),
        "{said}"
    );
}

#[test]
fn time_is_checked_within_files_and_between_them() {
    let with = |interval: usize, first: usize| {
        (0..20).fold("recording,time,ax,label\n".to_owned(), |content, n| {
            content + &format!("{},{},{},{}\n", n / 10, n * interval, first + n, ["a", "b"][n / 10])
        })
    };
    let data = read(&[("train.csv", &with(10, 0))], &Framing::default()).unwrap();
    assert_eq!((data.interval, &data.channels[..]), (Some(10.0), &["ax".to_owned()][..]));
    let parts = [("train.csv", with(10, 0)), ("test.csv", with(20, 100))];
    let parts = parts.each_ref().map(|(name, content)| (*name, &content[..]));
    starts(
        read(&parts, &Framing::default()),
        "test.csv: frames are 20 apart in time, those of train.csv 10 (resample the recordings to one rate, or,",
    );
    assert_eq!(read(&parts, &choosing(&["ax"])).unwrap().interval, None, "it was not asked for");
    let dates = with(10, 0).replace(",0,0,", ",2024-01-01 12:00,0,");
    let data = read(&[("train.csv", &dates)], &Framing::default()).unwrap();
    assert!(
        message(&data, Kind::UncheckedTime)
            .contains("train.csv: the column `time` holds times that are no numbers")
    );
}

#[test]
fn classes_are_those_of_texts() {
    let train = table(&[("1", "a"), ("2", "b"), ("3", "c")], 2, 0);
    let folder = folder(&[("train.csv", &train), ("labels.txt", "a\nb\nc\n")]);
    let without = |labels: &[&str]| {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        read_with(folder.path(), |inputs| inputs.without = labels, &Framing::default(), &Grouping::default())
    };
    let data = without(&["b"]).unwrap();
    assert_eq!((data.labels.clone(), data.train[1].class), (vec!["a".to_owned(), "c".to_owned()], 1));
    starts(without(&["b", "c"]), "train.csv: there must be at least two classes; there is only `a`");
    starts(
        read(&[("train.csv", &train), ("labels.txt", "a\nb\n")], &Framing::default()),
        "train.csv:6: unknown label `c`; the classes are a, b (correct it, or list it as a class)",
    );
    starts(
        read(&[("train.csv", &train), ("labels.txt", "a\nb\nc\nd\n")], &Framing::default()),
        "train.csv: class 3 (`d`) has no example",
    );
}

#[test]
fn a_model_is_tested_on_its_own_channels_and_classes() {
    let folder = folder(&[
        ("test.csv", "recording,time,az,ax,label\n1,0,7,5,b\n1,10,8,6,b\n2,0,9,4,c\n"),
        ("lines.tsv", "label\tsteps\tchannels\tvalues\n1\t1\t2\t1 2\n"),
        ("late.csv", "recording,time,az,ax,label\n1,0,7,5,b\n1,10,8,6,b\n1,40,8,6,b\n1,50,8,6,b\n"),
    ]);
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
    let labels = owned(&["a", "b", "c"]);
    let test = |file: &str, framing: &Framing, channels: &[&str], without: &[&str]| {
        let paths = [folder.path().join(file)];
        let model = (&labels[..], &owned(channels)[..]);
        let test = Recordings::read_test(&paths, &Reading::default(), framing, model, &owned(without));
        test.map_err(|error| error.to_string().replace(&format!("{}/", folder.path().display()), ""))
    };
    let usual = Framing::default();
    let data = test("test.csv", &usual, &["ax"], &[]).unwrap();
    let examples = data.test.as_deref().unwrap();
    assert_eq!((&examples[0].values[..], examples[0].class), (&[5.0, 6.0][..], 1));
    assert_eq!((examples[1].class, data.train.len(), data.interval), (2, 0, Some(10.0)));
    assert_eq!(data.warnings[0].message, "no test recording of these classes: a");
    assert_eq!(test("test.csv", &usual, &["ax"], &["b"]).unwrap().test.unwrap()[0].class, 2);
    let chosen = choosing(&["az", "ax"]);
    assert_eq!(
        test("test.csv", &chosen, &["1", "2"], &[]).unwrap().test.unwrap()[0].values,
        [7.0, 5.0, 8.0, 6.0]
    );
    assert_eq!(test("lines.tsv", &usual, &["ax", "ay"], &[]).unwrap().test.unwrap()[0].values, [1.0, 2.0]);
    assert_eq!(test("test.csv", &cutting(2, 2), &["ax"], &[]).unwrap().test.unwrap().len(), 1);

    starts(test("test.csv", &usual, &["ay"], &[]), "test.csv:1: no column is named `ay`");
    starts(
        test("lines.tsv", &usual, &["x"], &[]),
        "the model's channels: no channel `x`; there are `1`, `2`",
    );
    starts(
        test("test.csv", &chosen, &["x"], &[]),
        "--channels: 2 are named, and the model has 1 (name as many)",
    );
    starts(test("test.csv", &usual, &["ax"], &["b", "c"]), "test.csv: all its recordings are left out");
    starts(test("test.csv", &cutting(3, 3), &["ax"], &[]), "test.csv: no recording is as long as a window");
    starts(test("late.csv", &usual, &["ax"], &[]), "late.csv:4: frames are missing");
}

#[test]
fn what_a_model_is_to_say_needs_no_label() {
    let folder = folder(&[
        ("one.csv", "time,ax,ay,note\n0,1,2,x\n10,3,4,\n"),
        ("two.csv", "recording,ax,ay,label\n1,1,2,a\n1,3,4,b\n2,5,6,\n"),
        ("lines.tsv", "steps\tchannels\tvalues\n2\t2\t1 2 3 4\n"),
        ("bare.ts", "@problemName B\n@classLabel false\n@data\n1,3:2,4\n"),
        ("asked.ts", "@problemName B\n@classLabel true a\n@data\n1,3:2,4:?\n"),
    ]);
    let channels = ["ax", "ay"].map(str::to_owned);
    let read = |file: &str| {
        let paths = [folder.path().join(file)];
        let data = Recordings::read_unlabelled(&paths, &Reading::default(), &Framing::default(), &channels);
        data.map(|data| data.test.unwrap()).map_err(|error| error.to_string())
    };
    for file in ["one.csv", "lines.tsv", "bare.ts", "asked.ts", "two.csv"] {
        let recordings = read(file).unwrap();
        assert_eq!(
            (&recordings[0].values[..], recordings[0].class),
            (&[1.0, 2.0, 3.0, 4.0][..], 0),
            "{file}"
        );
        assert_eq!(recordings.len(), 1 + usize::from(file == "two.csv"), "{file}");
    }
}

/// What could be read as texts, still is.
#[test]
fn texts_stay_texts() {
    let told = |files: &[(&str, &str)], framing: &Framing| {
        let folder = folder(files);
        are_recordings(&Inputs::from(folder.path()), framing).unwrap()
    };
    let usual = Framing::default();
    for files in [
        &[("train.csv", "label,text\n0,1.5\n1,2.5\n")][..],
        &[("train.csv", "recording,label,text\n0,1,2.5\n")],
        &[("train.tsv", "label\ttext\n0\ta\n")],
        &[("pos.txt", "1 2\n"), ("neg.txt", "3\n")],
        &[("pos/1.txt", "a"), ("neg/1.txt", "b"), ("pos/1.csv", "x\n1\n"), ("neg/1.csv", "x\n1\n")],
        &[("a.txt", "1"), ("b.txt", "2"), ("extra/1.csv", "x\n1\n")],
        &[("train.jsonl", "{}")],
        &[],
    ] {
        assert!(!told(files, &usual), "{files:?}");
    }
    for files in [
        &[("train/pos/1.csv", "ax\n1\n"), ("train/neg/1.csv", "ax\n1\n")][..],
        &[("pos/1.csv", "ax\n1\n"), ("neg/1.csv", "ax\n1\n"), ("notes.txt", "")],
        &[("train.csv", "recording,ax,label\n1,2,0\n")],
        &[("X_TRAIN.ts", "@problemName X\n")],
    ] {
        assert!(told(files, &usual), "{files:?}");
    }
    let asked = |kind| Framing { input: Some(kind), ..Framing::default() };
    assert!(told(&[("train.csv", "label,text\n0,1.5\n")], &asked(InputKind::Numbers)));
    assert!(!told(&[("train.csv", "recording,ax,label\n1,2,0\n")], &asked(InputKind::Text)));
    assert!(told(&[("train.csv", "id,ax,label\n1,2,0\n")], &choosing(&["ax"])));
}

/// The sets of this project, by their first rows: classes, channels, and no warning but those that are right.
#[test]
fn the_first_rows_of_real_sets_are_read() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !shared.is_dir() {
        println!("SKIPPED: there is no ../shared/data");
        return;
    }
    for (set, file, classes, channels) in [
        ("cwru_bearing", "train.tsv.gz", 4, 1),
        ("dsa19_5hz", "train.tsv.gz", 19, 45),
        ("esc10_logmel", "all.tsv.gz", 10, 32),
        ("fsdd_mfcc", "train.tsv.gz", 10, 13),
        ("gsc7/mfcc", "train.tsv.gz", 7, 10),
        ("har_subset", "train.tsv.gz", 6, 9),
        ("indoor_movement", "train.tsv", 2, 4),
        ("japanese_vowels", "train.tsv", 9, 12),
        ("magic_wand", "train.tsv", 4, 3),
        ("mitbih_aami", "train.tsv.gz", 4, 1),
        ("mnist_rows", "train.tsv.gz", 10, 28),
    ] {
        let path = shared.join(set).join(file);
        let bytes = std::fs::read(&path).unwrap();
        let mut content = String::new();
        match file.ends_with(".gz") {
            true => drop(flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut content).unwrap()),
            false => content = String::from_utf8(bytes).unwrap(),
        }
        let first: String = content.split_inclusive('\n').take(501).collect();
        let desk = folder(&[("train.tsv", &first)]);
        let labels = [set, "gsc7"].map(|set| shared.join(set).join("labels.txt"));
        for name in ["labels.txt", "channels.txt"] {
            let list = if name == "labels.txt" {
                labels.iter().find(|path| path.is_file()).cloned()
            } else {
                Some(shared.join(set).join(name))
            };
            if let Some(list) = list.filter(|list: &PathBuf| list.is_file()) {
                std::fs::copy(list, desk.path().join(name)).unwrap();
            }
        }
        let data = read_with(desk.path(), |_| {}, &Framing::default(), &Grouping::default());
        let data = data.unwrap_or_else(|said| panic!("{set}: {said}"));
        assert_eq!((data.labels.len(), data.channels.len()), (classes, channels), "{set}");
        assert_eq!(data.train.len(), content.lines().count().min(501) - 1, "{set}");
        let right =
            ["nothing-held-out", "duplicate-recordings", "long-recordings", "constant-channel", "rare-class"];
        let odd: Vec<&str> = kinds(&data).into_iter().filter(|kind| !right.contains(kind)).collect();
        assert_eq!(odd, [""; 0], "{set}");
    }
}
