//! Forms of files, from literal content.

use std::io::{Cursor, Write as _};
use std::path::Path;

use indicatif::ProgressBar;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::npy::tests::npy;
use super::npz::Npz;
use super::table::Table;
use super::ts::Ts;
use super::values::Values;
use super::{File, Form, IN_CLASS, IN_GROUP, Parsed, Wanted, told_by};
use crate::data::form::Reading;
use crate::data::recordings::Framing;

/// Reads content; faults as a person reads them.
fn parse(
    form: &dyn Form,
    path: &str,
    content: &[u8],
    reading: &Reading,
    framing: &Framing,
) -> Result<Parsed, String> {
    parse_as(form, path, content, reading, framing, true)
}

/// The same, with labels or without.
fn parse_as(
    form: &dyn Form,
    path: &str,
    content: &[u8],
    reading: &Reading,
    framing: &Framing,
    has_labels: bool,
) -> Result<Parsed, String> {
    let file =
        File { path: Path::new(path), number: 0, bytes: content.to_vec(), progress: &ProgressBar::hidden() };
    let wanted = Wanted { reading, framing, channels: &framing.channels, needs_groups: true, has_labels };
    form.read(file, &wanted).map_err(|error| error.to_string())
}

fn read(form: &dyn Form, content: impl AsRef<[u8]>) -> Result<Parsed, String> {
    parse(form, "f", content.as_ref(), &Reading::default(), &Framing::default())
}

fn fault(form: &dyn Form, content: impl AsRef<[u8]>) -> String {
    read(form, content).err().expect("it is refused")
}

/// Label, line and values of each recording.
fn rows(parsed: &Parsed) -> Vec<(&str, u32, &[f32])> {
    parsed
        .recordings
        .iter()
        .map(|recording| {
            (parsed.labels[recording.class].name.as_str(), recording.origin.line, &recording.values[..])
        })
        .collect()
}

fn framing(change: impl FnOnce(&mut Framing)) -> Framing {
    let mut framing = Framing::default();
    change(&mut framing);
    framing
}

fn in_groups() -> Reading {
    Reading { group: Some("who".into()), ..Reading::default() }
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        zip.write_all(array).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Two recordings of three frames of two channels, and labels.
fn arrays() -> [(&'static str, Vec<u8>); 2] {
    let values: Vec<u8> = (0..12).flat_map(|n| (n as f32 / 2.0).to_le_bytes()).collect();
    let labels: Vec<u8> = [1_i64, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
    [("X", npy("<f4", false, "(2, 3, 2)", &values)), ("y", npy("<i8", false, "(2,)", &labels))]
}

const VALUES: &str = "label\tsteps\tchannels\tvalues\n1\t2\t2\t0 1.5 -2 3e1\n0\t1\t2\t4 5\n";
const TABLE: &str = "recording,time,ax,label,ay\n7,0,1,run,2\n7,10,3,run,4\n8,5,5,rest,6\n";
const TS: &str = "# one\n@problemName Two\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n\
                  1,2,3:4,5,6:a\n7:8:b\n";
const CLASS: &str = "time,ax,ay\n0,1,2\n10,3,4\n";

#[test]
fn a_line_for_each_recording() {
    let parsed = read(&Values, VALUES).unwrap();
    assert_eq!(rows(&parsed), [("1", 2, &[0.0, 1.5, -2.0, 30.0][..]), ("0", 3, &[4.0, 5.0])]);
    assert_eq!(parsed.channels.names, ["1", "2"]);
    let content = "who\tvalues\tchannels\tsteps\tlabel\nann\t5\t1\t1\tx\n";
    let parsed = parse(&Values, "f", content.as_bytes(), &in_groups(), &Framing::default()).unwrap();
    assert_eq!(parsed.recordings[0].group.as_deref(), Some("ann"));
    assert_eq!(rows(&parsed), [("x", 2, &[5.0][..])]);
}

#[test]
fn faults_of_lines_are_told_by_line_with_a_remedy() {
    let header = "label\tsteps\tchannels\tvalues\n0\t1\t2\t1 2\n";
    for (line, expected) in [
        (
            "0\t2\t2\t1 2 3",
            "f:3: 3 values, but 2 steps of 2 channels are 4 (is a value missing, or one too many?)",
        ),
        ("0\t1\t2\t1 2 3", "f:3: 3 values, but 1 steps of 2 channels are 2 (is"),
        (
            "0\t1\t3\t1 2 3",
            "f:3: 3 channels, but the recordings before have 2: all recordings have the same channels (",
        ),
        ("0\t1\t1\t1", "f:3: 1 channel, but the recordings before have 2"),
        (
            "0\t1\t2\t1 nan",
            "f:3: step 1, channel 2: a value is missing (`nan`), where a sensor always gives one (put",
        ),
        ("0\t2\t2\t1 2 3 x", "f:3: step 2, channel 2: `x` stands where a number should be (correct it)"),
        (
            "0\t1\t2\t1 -inf",
            "f:3: step 1, channel 2: `-inf` is infinite (correct it, or remove the recording)",
        ),
        ("0\t1\t2\t1 1e60", "f:3: step 1, channel 2: `1e60` is beyond what 32 bits can hold (correct it, or"),
        ("0\t1\t2\t1 1,5", "f:3: step 1, channel 2: `1,5` has a decimal comma (write a point: 1.5)"),
        ("0\t0\t2\t", "f:3: steps: `0` is no number from 1 on (write how many steps the recording has)"),
        (
            "0\t99999999999\t99999999999\t1",
            "f:3: 1 values, but 99999999999 steps of 99999999999 channels are",
        ),
        ("0\t1\t2", "f:3: 3 fields, but the header names 4 ("),
        ("", "f:3: an empty line (remove it)"),
        ("\t1\t2\t1 2", "f:3: empty label ("),
        ("label\tsteps\tchannels\tvalues", "f:3: the header stands here again: were two files joined?"),
    ] {
        let said = fault(&Values, format!("{header}{line}\n"));
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    }
    assert_eq!(fault(&Values, "label\tsteps\tchannels\tvalues\n"), "f: there are no recordings in it");
    assert!(
        fault(&Values, "y\tsteps\tchannels\tvalues\n1\t1\t1\t1\n")
            .contains("choose the label's with --label NAME")
    );
    let said = parse(&Values, "f", VALUES.as_bytes(), &in_groups(), &Framing::default()).err().unwrap();
    assert_eq!(
        said,
        "f: the header says no group `who` (name a file that has the group of each recording: --groups FILE)"
    );
}

#[test]
fn one_table_of_all_recordings() {
    let parsed = read(&Table, TABLE).unwrap();
    assert_eq!(rows(&parsed), [("run", 2, &[1.0, 2.0, 3.0, 4.0][..]), ("rest", 4, &[5.0, 6.0])]);
    assert_eq!(parsed.channels.names, ["ax", "ay"]);
    assert_eq!((parsed.interval, parsed.has_names, parsed.unchecked_time), (Some(10.0), true, None));
    assert_eq!(parsed.recordings[1].name.as_deref(), Some("8"));

    // Semicolons, other names, chosen channels in their order, and a group.
    let content = "id;t;ax;note;who;ay;y\nA;0;1;x;ann;2;0\nB;0;3;x;bob;4;1\n";
    let asked = framing(|framing| {
        framing.recording = Some("id".into());
        framing.time = Some("t".into());
        framing.channels = vec!["ay".into(), "ax".into()];
    });
    let reading = Reading { label: Some("y".into()), ..in_groups() };
    let parsed = parse(&Table, "f", content.as_bytes(), &reading, &asked).unwrap();
    assert_eq!(rows(&parsed), [("0", 2, &[2.0, 1.0][..]), ("1", 3, &[4.0, 3.0])]);
    let groups: Vec<_> = parsed.recordings.iter().map(|recording| recording.group.as_deref()).collect();
    assert_eq!(groups, [Some("ann"), Some("bob")]);
}

#[test]
fn pieces_of_a_table_that_is_cut_have_one_label_each() {
    let content = "ax,label\n1,a\n2,a\n3,b\n4,a\n";
    let cut = framing(|framing| framing.window = std::num::NonZero::new(1));
    let parsed = parse(&Table, "log.csv", content.as_bytes(), &Reading::default(), &cut).unwrap();
    assert_eq!(rows(&parsed), [("a", 2, &[1.0, 2.0][..]), ("b", 4, &[3.0]), ("a", 5, &[4.0])]);
    assert!(parsed.recordings.iter().all(|recording| recording.name.as_deref() == Some("log")));
}

#[test]
fn faults_of_tables_are_told_by_line_with_a_remedy() {
    for (content, expected) in [
        (
            "recording,ax,label\n1,1,a\n1,,a\n",
            "f:3: channel `ax`: a value is missing (an empty field), where a sensor always",
        ),
        ("recording,ax,label\n1,1,a\n1,inf,a\n", "f:3: channel `ax`: `inf` is infinite ("),
        (
            "recording,ax,ay,note,label\n1,1,2,fine,a\n",
            "f:2: channel `note`: `fine` stands where a number should be (correct it; if the column is no channel, name those \
             that are: --channels ax,ay)",
        ),
        ("recording,ax,label\n1,1,a\n1,2\n", "f:3: 2 fields, but the header names 3: a value is missing ("),
        ("recording,ax,label\n1,1,a\n1,2,3,a\n", "f:3: 4 fields, but the header names 3: one is too many ("),
        (
            "recording,ax,label\n1,1,a\n1,2,b\n",
            "f:3: recording `1` has the label `b` here, and `a` in line 2 (correct it; or,",
        ),
        (
            "recording,ax,label\n1,1,a\n2,2,b\n1,3,a\n",
            "f:4: recording `1` goes on here, and ended in line 2: its rows stand",
        ),
        ("recording,ax,label\n1,1,a\n,2,b\n", "f:3: no recording: the field is empty ("),
        ("recording,ax,label\n1,1,a\n1,2,\n", "f:3: empty label ("),
        ("recording,ax,label\n1,1,\n", "f:2: empty label ("),
        (
            "recording,ax,label\n1,1,a\nrecording,ax,label\n",
            "f:3: the header stands here again: were two files joined?",
        ),
        (
            "ax,label\n1,a\n",
            "f:1: no column is named `recording`; there are `ax`, `label`: which rows are a recording? (",
        ),
        ("recording,ax\n1,1\n", "f:1: no column is named `label`"),
        ("recording,label\n1,a\n", "f:1: no column is left that could be a channel"),
        (
            ",recording,ax,label\n0,1,1,a\n",
            "f:1: column 1 has no name, as where pandas writes row numbers (save without them: index=False, or name the \
             channels: --channels ax)",
        ),
        ("recording,ax,ax,label\n1,1,1,a\n", "f:1: two channels are named `ax` (rename one)"),
        (
            "recording,time,ax,label\n1,0,1,a\n1,1,1,a\n1,2,1,a\n1,4,1,a\n",
            "f:5: frames are missing: the time is 4 after 2, where",
        ),
        ("recording,time,ax,label\n1,0,1,a\n1,0,1,a\n", "f:3: the time does not rise"),
        (
            "recording,time,ax,label\n1,0,1,a\n1,x,1,a\n",
            "f:3: the time `x` is no number, as the others are (correct it)",
        ),
        ("recording,ax,label\n1,1,\"a\n", "f:2: broken quoting"),
        ("", "f: the file is empty"),
        ("recording,ax,label\n", "f: there are no recordings in it"),
    ] {
        let said = fault(&Table, content);
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    }
    let asked = framing(|framing| framing.channels = vec!["axx".into()]);
    let said = parse(&Table, "f", TABLE.as_bytes(), &Reading::default(), &asked).err().unwrap();
    assert!(
        said.starts_with("f:1: no column is named `axx` (did you mean `ax`?); there are `recording`"),
        "{said}"
    );
    let asked = framing(|framing| framing.channels = vec!["ax".into(), "label".into()]);
    let said = parse(&Table, "f", TABLE.as_bytes(), &Reading::default(), &asked).err().unwrap();
    assert!(
        said.starts_with("f:1: the column `label` is no channel: it is read for something else"),
        "{said}"
    );
    let content = "recording,who,ax,label\n1,ann,1,a\n1,bob,1,a\n";
    let said = parse(&Table, "f", content.as_bytes(), &in_groups(), &Framing::default()).err().unwrap();
    assert!(
        said.starts_with("f:3: recording `1` is of group `bob` here and of group `ann` before"),
        "{said}"
    );
    let reading =
        Reading { form: crate::data::Form { no_header: true, ..Default::default() }, ..Reading::default() };
    let said = parse(&Table, "f", TABLE.as_bytes(), &reading, &Framing::default()).err().unwrap();
    assert!(said.starts_with("f: --no-header: recordings need a header"), "{said}");
}

#[test]
fn a_file_in_the_folder_of_its_class() {
    let read = |form: &dyn Form, path: &str, reading: &Reading| {
        parse(form, path, CLASS.as_bytes(), reading, &Framing::default())
    };
    let parsed = read(&IN_CLASS, "set/run/01.csv", &Reading::default()).unwrap();
    assert_eq!(rows(&parsed), [("run", 0, &[1.0, 2.0, 3.0, 4.0][..])]);
    assert_eq!((parsed.interval, parsed.recordings[0].group.as_deref()), (Some(10.0), None));
    let parsed = read(&IN_GROUP, "set/run/ann/01.csv", &in_groups()).unwrap();
    assert_eq!((rows(&parsed)[0].0, parsed.recordings[0].group.as_deref()), ("run", Some("ann")));
    let said = read(&IN_CLASS, "set/run/01.csv", &in_groups()).err().unwrap();
    assert!(
        said.starts_with(
            "set/run/01.csv: neither the header nor a folder between class and file says no group"
        ),
        "{said}"
    );
    let said = parse(&IN_CLASS, "a/1.csv", b"ax,label\n1,2\n", &Reading::default(), &Framing::default())
        .err()
        .unwrap();
    assert!(
        said.starts_with("a/1.csv:1: a column `label` in a file that is one recording of its folder's class"),
        "{said}"
    );
    let said = parse(&IN_CLASS, "a/1.csv", b"ax\n", &Reading::default(), &Framing::default()).err().unwrap();
    assert_eq!(said, "a/1.csv: a header and no frame below it (remove the file)");
    let said = parse(&IN_CLASS, "a/1.csv", b"ax,ay\n1,2\n1\n", &Reading::default(), &Framing::default())
        .err()
        .unwrap();
    assert!(said.starts_with("a/1.csv:3: 1 field, but the header names 2: a value is missing"), "{said}");
}

#[test]
fn the_archives_form() {
    let parsed = read(&Ts, TS).unwrap();
    assert_eq!(rows(&parsed), [("a", 8, &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0][..]), ("b", 9, &[7.0, 8.0])]);
    let one = "@problemName One\n@univariate true\n@classLabel true 1 2\n@data\n\n1.5,2:1\n3:2\n";
    assert_eq!(rows(&read(&Ts, one).unwrap()), [("1", 6, &[1.5, 2.0][..]), ("2", 7, &[3.0])]);
    let begin = "@problemName P\n@classLabel true a b\n@data\n1,2:3,4:a\n";
    for (line, expected) in [
        (
            "1,?:3,4:a",
            "f:5: dimension 1, step 2: a value is missing (`?`), where a sensor always gives one (put",
        ),
        (
            "1,2:3:a",
            "f:5: dimension 2 has 1 values, and dimension 1 has 2: a frame has a value of every channel",
        ),
        ("1,2:3,4,5:a", "f:5: dimension 2 has 3 values, and dimension 1 has 2"),
        (
            "1,2:a",
            "f:5: 1 dimension, but the recordings before have 2: all recordings have the same channels",
        ),
        ("1,2:3,4:c", "f:5: unknown label `c`; @classLabel names a, b (correct it, or name it there)"),
        ("1,2:3,4", "f:5: no label at the end of the line; @classLabel names a, b"),
        ("(0,1),(1,2):(0,1),(1,2):a", "f:5: time stamps in pairs such as (0,1.5) are not read (write"),
        ("1,x:3,4:a", "f:5: dimension 1, step 2: `x` stands where a number should be"),
    ] {
        let said = fault(&Ts, format!("{begin}{line}\n"));
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    }
    for (content, expected) in [
        ("@problemName P\n@timeStamps true\n", "f:2: time stamps in pairs"),
        (
            "@problemName P\n@targetLabel true\n",
            "f:2: @targetLabel: these recordings have numbers to predict",
        ),
        ("@problemName P\n@classLabel false\n@data\n1\n", "f: no @classLabel: the recordings have no labels"),
        ("@problemName P\n@classLabel true a\n", "f: no @data: the recordings stand behind a line `@data`"),
        ("@problemName P\n@dimensions x\n", "f:2: no number from 1 on behind it"),
        ("@problemName P\n1,2:a\n", "f:2: `1,2:a` stands before the line `@data`"),
        ("@problemName P\n@classLabel true a\n@data\na\n", "f:4: no values before the label ("),
        (
            "@problemName P\n@dimensions 3\n@classLabel true a\n@data\n1:2:a\n",
            "f:5: 2 dimensions, but @dimensions says 3",
        ),
    ] {
        let said = fault(&Ts, content);
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    }
}

#[test]
fn arrays_of_numpy() {
    let [x, y] = arrays();
    let parsed = read(&Npz, npz(&[x.clone(), y.clone()])).unwrap();
    assert_eq!(
        rows(&parsed),
        [("1", 0, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5][..]), ("0", 0, &[3.0, 3.5, 4.0, 4.5, 5.0, 5.5])]
    );
    assert_eq!(parsed.recordings[1].name.as_deref(), Some("X[1]"));
    let text = |text: &str| text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect::<Vec<u8>>();
    let more = npz(&[
        ("x", npy("<i2", false, "(2, 3, 2)", &(0..12_i16).flat_map(i16::to_le_bytes).collect::<Vec<_>>())),
        ("Y", npy("<U3", false, "(2, 1)", &text("runsit"))),
        ("lengths", npy("|u1", false, "(2,)", &[1, 3])),
        ("who", npy("<U3", false, "(2,)", &text("annbob"))),
        ("channels", npy("<U2", false, "(2,)", &text("axay"))),
    ]);
    let parsed = parse(&Npz, "f", &more, &in_groups(), &Framing::default()).unwrap();
    assert_eq!(rows(&parsed), [("run", 0, &[0.0, 1.0][..]), ("sit", 0, &[6.0, 7.0, 8.0, 9.0, 10.0, 11.0])]);
    assert_eq!(parsed.channels.names, ["ax", "ay"]);
    assert_eq!(parsed.recordings[1].group.as_deref(), Some("bob"));
}

#[test]
fn faults_of_arrays_are_told_with_a_remedy() {
    let [x, y] = arrays();
    let of_x =
        |descr: &str, shape: &str, data: &[u8]| npz(&[("X", npy(descr, false, shape, data)), y.clone()]);
    let f4 = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let cut = npz(&[x.clone(), y.clone()]);
    for (content, expected) in [
        (
            npz(std::slice::from_ref(&x)),
            "f: holds no array `y`, their labels; it holds X (np.savez(\"train.npz\", X=X, y=y), with",
        ),
        (npz(std::slice::from_ref(&y)), "f: holds no array `X`, the recordings; it holds y (np.savez("),
        (npz(&[]), "f: holds no array `X`, the recordings; it holds nothing"),
        (
            of_x("<f4", "(2, 1)", &f4(&[1.0, 2.0])),
            "f: X has the shape 2 x 1, and should have sequences x steps x channels (if there",
        ),
        (of_x("<f4", "(2, 0, 2)", &[]), "f: X has the shape 2 x 0 x 2: there is nothing in the sequences"),
        (
            of_x("<f4", "(3, 1, 1)", &f4(&[1.0; 3])),
            "f: y has the shape 2, and should have one value for each of the 3 sequences of X",
        ),
        (
            of_x("<f4", "(2, 1, 1)", &f4(&[1.0, f32::NAN])),
            "f: X[1]: step 1, channel 1: a value is missing (`NaN`)",
        ),
        (
            of_x("<f4", "(2, 1, 1)", &f4(&[f32::INFINITY, 1.0])),
            "f: X[0]: step 1, channel 1: `inf` is infinite",
        ),
        (
            of_x("<f4", "(2, 1, 1)", &f4(&[1.0])),
            "f: X.npy: its header says 2 x 1 x 1 values of 4 bytes, but 4 bytes follow",
        ),
        (of_x("|O", "(2, 1, 1)", &[0; 16]), "f: X.npy: an array of Python objects"),
        (of_x("<U1", "(2, 1, 1)", &[65, 0, 0, 0, 65, 0, 0, 0]), "f: X has texts where numbers should be"),
        (cut[..cut.len() / 2].to_vec(), "f: no .npz file that can be read: "),
        (
            npz(&[x.clone(), ("y", npy("|u1", false, "(2, 3)", &[0; 6]))]),
            "f: y has the shape 2 x 3, and should have one value for each of the 2 sequences of X (if it has a column for each \
             class: y.argmax(axis=1))",
        ),
        (
            npz(&[x.clone(), y.clone(), ("lengths", npy("|u1", false, "(2,)", &[3, 4]))]),
            "f: lengths[1] is 4, and should be from 1 to the 3 steps of X",
        ),
        (
            npz(&[x.clone(), y.clone(), ("channels", npy("|S1", false, "(3,)", b"abc"))]),
            "f: channels has the shape 3, and should have the names of the 2 channels of X",
        ),
        (npz(&[x.clone(), ("y", npy("|S1", false, "(2,)", b"a\0"))]), "f: X[1]: empty label ("),
    ] {
        let said = fault(&Npz, content);
        assert!(said.starts_with(expected), "{said}\n  should begin with\n{expected}");
    }
}

#[test]
fn the_content_tells_the_form() {
    let (reading, framing) = (Reading::default(), Framing::default());
    let wanted =
        Wanted { reading: &reading, framing: &framing, channels: &[], needs_groups: false, has_labels: true };
    let ending = |content: &[u8]| told_by(content, &wanted).map(|form| form.endings()[0]);
    assert_eq!(ending(VALUES.as_bytes()), Some("tsv"));
    assert_eq!(ending(TABLE.as_bytes()), Some("csv"));
    assert_eq!(ending(TABLE.replace('\n', "\r\n").as_bytes()), Some("csv"));
    assert_eq!(ending(TS.as_bytes()), Some("ts"));
    assert_eq!(ending(&npz(&arrays())), Some("npz"));
    for text in [
        "label,text\n0,1\n1,2\n",
        "label,text,recording\n0,1,7\n",
        "recording,label,note\n1,a,fine\n",
        "recording,label\n1,a\n",
        "label\ttext\n0\t1.5 2\n",
        "{\"label\": 0}\n",
        "",
    ] {
        assert_eq!(ending(text.as_bytes()), None, "{text}");
    }
}

/// Whatever happens to a file: it is read, or refused in words.
#[test]
fn damaged_files_are_no_reason_to_panic() {
    let arrays = npz(&arrays());
    let cut = framing(|framing| framing.window = std::num::NonZero::new(2));
    let undeclared = TS.replace("@dimensions 2\n", "");
    let forms: [(&dyn Form, &[u8]); 7] = [
        (&Ts, undeclared.as_bytes()),
        (&Values, VALUES.as_bytes()),
        (&Table, TABLE.as_bytes()),
        (&Ts, TS.as_bytes()),
        (&Npz, &arrays),
        (&IN_CLASS, CLASS.as_bytes()),
        (&IN_GROUP, CLASS.as_bytes()),
    ];
    let (plain, reading) = (Framing::default(), Reading::default());
    let mut read = 0;
    for (form, content) in forms {
        let mut check = |content: &[u8]| {
            for (framing, has_labels) in [(&plain, true), (&cut, true), (&plain, false)] {
                let parsed = parse_as(form, "set/class/file", content, &reading, framing, has_labels);
                read += usize::from(parsed.is_ok());
                if let Ok(parsed) = parsed {
                    let channels = parsed.channels.names.len();
                    let is_whole = |values: &[f32]| {
                        !values.is_empty()
                            && values.len().is_multiple_of(channels)
                            && values.iter().all(|value| value.is_finite())
                    };
                    assert!(parsed.recordings.iter().all(|recording| is_whole(&recording.values)));
                }
            }
        };
        for length in 0..content.len() {
            check(&content[..length]);
        }
        for at in 0..content.len() {
            for byte in [0, 9, b'\n', b'\r', b'"', b',', b'-', b'9', b':', 0xFF] {
                let mut damaged = content.to_vec();
                damaged[at] = byte;
                check(&damaged);
                damaged.insert(at, byte);
                check(&damaged);
            }
        }
    }
    assert!(read > 1000, "{read} were read");
}
