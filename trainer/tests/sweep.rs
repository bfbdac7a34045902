//! `kilornn sweep` as a person runs it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

mod desk;

use desk::Desk;

/// Four small sizes, one of which is too large for the flash.
const SIZES: [&str; 16] = [
    "--recipe",
    "starter",
    "--set",
    "epochs=2",
    "--set",
    "quantized_epochs=1",
    "--vocabulary",
    "50,400",
    "--embedding",
    "4",
    "--units",
    "4,8",
    "--flash",
    "3K",
    "--jobs",
    "2",
];

fn sweep(desk: &Desk, more: &[&str]) -> Value {
    desk.json(&[&["sweep", "data", "--json"][..], &SIZES, more].concat())
}

#[test]
fn tries_what_fits_and_recommends_what_training_gives() {
    let desk = Desk::new();
    let report = sweep(&desk, &["--out", "sweep", "--seeds", "2"]);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let status: Vec<&str> = rows.iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(status.iter().filter(|status| **status == "too_large").count(), 1, "{status:?}");
    assert!(
        rows.iter()
            .all(|row| row["status"] != "measured" || row["accuracies"].as_array().unwrap().len() == 2)
    );
    assert!(rows.is_sorted_by_key(|row| row["bytes"].as_u64()));
    assert!(rows.iter().any(|row| row["on_front"] == true));
    for name in ["results.json", "sweep.svg", "sweep.html"] {
        assert!(desk.path("sweep").join(name).is_file(), "no {name}");
    }

    // The command that it ends with trains the very model that it measured.
    let command = report["command"].as_str().unwrap();
    let words = shell_words::split(command).unwrap();
    assert_eq!(words[..2], ["kilornn", "train"]);
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    desk.ok(&[&words[..], &["--out", "run"]].concat());
    let recommended = &report["advice"]["recommended"];
    let row = rows
        .iter()
        .find(|row| ["vocabulary", "embedding", "units"].iter().all(|key| row[*key] == recommended[*key]));
    let row = row.unwrap();
    let dev = desk.json(&["evaluate", "run", "data/dev.tsv", "--json"]);
    assert_eq!(dev["accuracy"], row["accuracies"][0], "{row}");
    assert_eq!(desk.json(&["inspect", "run", "--json"])["bytes"], row["bytes"]);
}

#[test]
fn a_killed_sweep_goes_on_where_it_was() {
    let desk = Desk::new();
    let whole = sweep(&desk, &["--out", "whole"]);
    let args = [&["sweep", "data", "--out", "killed"][..], &SIZES].concat();
    let mut child = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains(" seed 0: accuracy ") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended before the first size");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(desk.refused(&args).contains("--resume goes on with it"));
    let other = desk.refused(&[&args[..], &["--resume", "--set", "batch=7"]].concat());
    assert!(other.contains("that sweep was another: it has batch ="), "{other}");

    let resumed = sweep(&desk, &["--out", "killed", "--resume"]);
    let told = |report: &Value| (report["rows"].clone(), report["advice"].clone());
    assert_eq!(told(&resumed), told(&whole));
    // Nothing is left to do.
    assert_eq!(told(&sweep(&desk, &["--out", "killed", "--resume", "--time", "0s"])), told(&whole));
}

#[test]
fn what_cannot_be_tried_is_told() {
    let desk = Desk::new();
    let refused = |more: &[&str]| desk.refused(&[&["sweep", "data", "--out", "refused"][..], more].concat());
    assert!(refused(&["--flash", "64Q"]).contains("unknown unit `Q`"));
    assert!(refused(&["--units", "0"]).contains("units"));
    assert!(refused(&["--seeds", "0"]).contains("--seeds"));
    let nothing = sweep(&desk, &["--out", "none", "--time", "0s"]);
    assert_eq!(nothing["advice"], Value::Null);
}
