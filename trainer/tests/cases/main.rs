//! Data as people have it: each test puts a situation to the program in which others have ruined a model or a result
//! without a word, and says what is right.

use serde_json::Value;

#[path = "../desk/mod.rs"]
mod desk;
mod files;
mod labels;
mod recordings;
#[cfg(unix)]
mod remedies;
mod results;
mod texts;

use desk::Desk;

/// Sentences of praise (1) and complaint (0) in turn.
fn sentences(count: usize) -> Vec<(usize, String)> {
    const PRAISE: [&str; 5] = ["lovely", "superb", "tasty", "quick", "brilliant"];
    const COMPLAINT: [&str; 5] = ["awful", "stale", "slow", "boring", "poor"];
    const ELSE: [&str; 8] = ["room", "soup", "film", "waiter", "music", "phone", "story", "hotel"];
    let sentence = |i: usize| {
        let word = [COMPLAINT, PRAISE][i % 2][i / 2 % 5];
        let (first, second) = (ELSE[i * 7 % 8], ELSE[i / 3 % 8]);
        (i % 2, format!("the {first} was {word} and so was the {second} of number {i}"))
    };
    (0..count).map(sentence).collect()
}

/// The same as CSV, with these names for the labels.
fn csv(names: [&str; 2], rows: &[(usize, String)]) -> String {
    let rows = rows.iter().map(|(class, text)| format!("{},{text}\n", names[*class]));
    std::iter::once("label,text\n".to_owned()).chain(rows).collect()
}

/// Trains well enough to tell praise from complaint.
fn train(desk: &Desk, data: &[&str], out: &str) -> Value {
    let quick =
        ["--recipe", "starter", "--set", "epochs=8", "--set", "quantized_epochs=1", "--set", "batch=8"];
    desk.json(&[&["train"], data, &quick, &["--out", out, "--json"]].concat())
}

/// A quick training by a recipe that takes texts without labels, too.
const TAUGHT: [&str; 10] = [
    "--recipe",
    "taught",
    "--set",
    "epochs=1",
    "--set",
    "quantized_epochs=0",
    "--set",
    "validation_split=0.5",
    "--out",
    "run",
];

/// What `kilornn data` says of data that it takes: the object for scripts.
fn counted(desk: &Desk, args: &[&str]) -> Value {
    desk.json(&[&["data"], args, &["--json"]].concat())
}

fn kinds(object: &Value) -> Vec<&str> {
    object["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

fn message<'o>(object: &'o Value, kind: &str) -> &'o str {
    let warnings = object["warnings"].as_array().unwrap();
    let found = warnings.iter().find(|warning| warning["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {warnings:?}"))["message"].as_str().unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}
