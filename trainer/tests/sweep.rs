//! Sweeps as a person runs, kills, resumes and trusts them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use kilornn_trainer::footprint::{Cells, Core};
use serde_json::Value;

mod desk;

use desk::Desk;

const QUICK: [&str; 6] = ["--recipe", "starter", "--set", "epochs=2", "--set", "quantized_epochs=1"];

/// Starts a sweep and waits until it says that a training is finished.
fn sweep_up_to_the_first(desk: &Desk, args: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("1/") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended before the first training did");
    }
    (child, said)
}

/// What each trial of a sweep came to, but for its time.
fn outcomes(desk: &Desk, out: &str) -> BTreeMap<String, Value> {
    let results: Value = serde_json::from_str(&desk.read(&format!("{out}/results.json"))).unwrap();
    let trials = results["trials"].as_array().unwrap().iter().map(|trial| {
        let mut outcome = trial["outcome"].clone();
        outcome["measured"]["seconds"].take();
        (format!("{} {}", trial["shape"], trial["seed"]), outcome)
    });
    trials.collect()
}

#[test]
fn a_sweep_measures_what_train_makes() {
    let desk = Desk::new();
    let lists = [
        "--vocabulary",
        "100,600",
        "--embedding",
        "8",
        "--units",
        "6,12",
        "--flash",
        "8K",
        "--engine",
        "none",
    ];
    let args = [&["sweep", "data", "--out", "my sweep", "--json"][..], &QUICK, &lists].concat();
    let report = desk.json(&args);
    let candidates = report["candidates"].as_array().unwrap();
    let status: Vec<_> = candidates.iter().map(|c| c["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["measured", "measured", "measured", "too_large"], "{report}");
    assert!(candidates.is_sorted_by_key(|c| c["bytes"].as_u64()));

    // The printed command trains the model that was measured: the same size, and the same answers on the dev part.
    let command = report["command"].as_str().unwrap();
    let trained = desk.shell(command);
    assert!(trained.status.success(), "{command}: {}", String::from_utf8_lossy(&trained.stderr));
    let shape = &report["advice"]["recommended"];
    let same = |c: &&Value| ["vocabulary", "embedding", "units"].iter().all(|key| c[*key] == shape[*key]);
    let recommended = candidates.iter().find(same).unwrap();
    assert_eq!(recommended["on_front"], true);
    let name = format!("v{}-e8-u{}", shape["vocabulary"], shape["units"]);
    let run = format!("my sweep/{name}");
    let bytes = std::fs::read(desk.path(&run).join("model.kilo")).unwrap().len();
    assert_eq!(recommended["bytes"], bytes);
    let evaluated = desk.json(&["evaluate", &run, "data/dev.tsv", "--json"]);
    assert_eq!(evaluated["accuracy"], recommended["accuracy"], "{evaluated}");
    assert_eq!(evaluated["loss"], recommended["loss"], "{evaluated}");
    assert_eq!(report["validation"], evaluated["examples"]);

    let page = desk.read("my sweep/sweep.html");
    assert!(page.contains("<svg") && page.contains("600") && page.contains(command), "{page}");
    assert!(desk.read("my sweep/sweep.svg").contains("Pareto front"));

    // The file that is known before training is the one that training writes; the test part changes nothing.
    std::fs::remove_file(desk.path("data/test.tsv")).unwrap();
    let nothing = desk.json(&[&args[..3], &["listed"], &args[4..], &["--time", "0s"]].concat());
    let bytes = |report: &Value| -> Vec<Value> {
        report["candidates"].as_array().unwrap().iter().map(|c| c["bytes"].clone()).collect()
    };
    assert_eq!(bytes(&nothing), bytes(&report));
    assert_eq!((&nothing["advice"], &nothing["front"]), (&Value::Null, &Value::Array(vec![])));
    desk.ok(&[&args[..3], &["listed"], &args[4..], &["--resume", "--jobs", "1"]].concat());
    assert_eq!(outcomes(&desk, "listed"), outcomes(&desk, "my sweep"));
}

#[test]
fn cells_are_compared_and_stacks_keep_their_layers() {
    let desk = Desk::new();
    let lists = ["--vocabulary", "200", "--embedding", "8", "--units", "4"];
    let stack = ["--set", "units=[12,8]"];
    let args = [&["sweep", "data", "--json", "--out", "cells"][..], &QUICK, &lists, &stack].concat();
    let cells = |report: &Value| -> Vec<String> {
        let of = |c: &Value| format!("{} {}", c["cell"].as_str().unwrap(), c["status"].as_str().unwrap());
        report["candidates"].as_array().unwrap().iter().map(of).collect()
    };
    assert_eq!(cells(&desk.json(&args)), ["relu measured"], "the recipe's own");
    // Results that were written when there was no cell are the recipe's, and are not trained again.
    let results = desk.read("cells/results.json");
    assert!(results.contains("\"cell\": \"relu\""), "{results}");
    let before: Vec<&str> = results.lines().filter(|line| !line.contains("\"cell\":")).collect();
    desk.write("cells/results.json", before.join("\n"));
    let more = ["--resume", "--cell", "relu,gru,lstm"];
    let output = desk.run(&[&args[..], &more].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("3 trainings") && said.contains("1 done already"), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(cells(&report), ["relu measured", "gru measured", "lstm measured"], "{report}");
    let best: Vec<_> = report["advice"]["by_cell"].as_array().unwrap().iter().collect();
    assert_eq!(best.len(), 3, "{report}");
    assert!(best.iter().all(|of| of["units"] == 4 && of["accuracy"].as_f64().unwrap() > 0.0), "{best:?}");

    // The printed command trains two layers of the cell that is recommended, to the bytes that were known.
    let only = [&args[..4], &["gru"], &args[5..], &["--cell", "gru"]].concat();
    let report = desk.json(&only);
    let command = report["command"].as_str().unwrap();
    let trained = desk.shell(command);
    assert!(trained.status.success(), "{command}: {}", String::from_utf8_lossy(&trained.stderr));
    let inspected = desk.json(&["inspect", "gru/v200-e8-u4-gru", "--json"]);
    let layers: Vec<_> = inspected["layers"].as_array().unwrap().iter().collect();
    assert_eq!(layers.iter().map(|l| &l["units"]).collect::<Vec<_>>(), [&Value::from(8), &Value::from(4)]);
    assert!(layers.iter().all(|layer| layer["cell"] == "GRU"), "{layers:?}");
    assert_eq!(inspected["bytes"], report["candidates"][0]["bytes"]);
    let page = desk.read("gru/v200-e8-u4-gru/report.html");
    assert!(page.contains("How open the gates are") && page.contains("Layer 2 of 2: gru of 4 units"));
    assert!(!page.contains("Density of the hidden state"));

    // An engine that runs gates leaves less of the flash: too little for them may be enough for a SimpleRNN.
    let too_little = (Core::find("m4").unwrap().code_for(Cells::only(0)).full - 1).to_string();
    let flash = ["--flash", &too_little, "--cell", "relu,gru", "--time", "0s", "--force"];
    let report = desk.json(&[&args[..6], &QUICK[1..], &lists, &flash].concat());
    assert_eq!(cells(&report), ["relu not_tried", "gru too_large"], "{report}");
    let said = desk.refused(&["sweep", "data", "--out", "refused", "--cell", "gru", "--flash", &too_little]);
    assert!(said.contains("the full engine alone takes"), "{said}");
    let said = desk.refused(&["sweep", "data", "--out", "refused", "--cell", "relu,elman"]);
    assert!(said.contains("there are relu, tanh, gru, lstm"), "{said}");
}

#[test]
fn a_killed_sweep_resumes_to_the_same_results() {
    let desk = Desk::new();
    let lists = ["--vocabulary", "200", "--embedding", "4", "--units", "4,8,12"];
    let args = [&["sweep", "data"][..], &QUICK, &lists].concat();
    let with = |more: &[&'static str]| [&args[..], more].concat();
    desk.ok(&with(&["--out", "whole", "--seeds", "2"]));
    let whole = outcomes(&desk, "whole");
    assert_eq!(whole.len(), 6);

    let (mut child, _) =
        sweep_up_to_the_first(&desk, &with(&["--out", "killed", "--jobs", "1", "--seeds", "2"]));
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed too late");
    let said = desk.refused(&with(&["--out", "killed"]));
    assert!(said.contains("holds a sweep: --resume goes on with it"), "{said}");
    let said = desk.refused(&with(&["--out", "killed", "--resume", "--seed", "1"]));
    assert!(said.contains("it has --seed 0, not 1"), "{said}");
    let said = desk.refused(&with(&["--out", "killed", "--resume", "--set", "epochs=3"]));
    assert!(said.contains("it has epochs = 2, not 3"), "{said}");
    let texts = desk.read("data/train.tsv");
    desk.write("data/train.tsv", texts.replacen("the", "teh", 1));
    let said = desk.refused(&with(&["--out", "killed", "--resume"]));
    assert!(said.contains("its texts or labels were others"), "{said}");
    desk.write("data/train.tsv", texts);
    // What a killed program left half written goes.
    desk.write("killed/.kilornn-half", "{");
    let said = desk.ok(&with(&["--out", "killed", "--resume", "--seeds", "2"]));
    assert!(said.contains("done already") && !said.contains("\n1/6"), "{said}");
    assert_eq!(outcomes(&desk, "killed"), whole);
    assert!(!desk.path("killed/.kilornn-half").exists());

    // More seeds train what is missing only; a damaged file says so.
    let said = desk.ok(&with(&["--out", "killed", "--resume", "--seeds", "3"]));
    assert!(said.contains("9 trainings") && said.contains("6 done already"), "{said}");
    desk.write("killed/results.json", "{\"asked\"");
    let said = desk.refused(&with(&["--out", "killed", "--resume"]));
    assert!(said.contains("results.json: it cannot be read") && said.contains("--force"), "{said}");
    desk.ok(&with(&["--out", "killed", "--force", "--time", "0s"]));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_is_finished_and_says_how_to_go_on() {
    let desk = Desk::new();
    let lists = ["--vocabulary", "200", "--embedding", "4", "--units", "4,8,12,16", "--out", "my sweep"];
    let args = [&["sweep", "data", "--jobs", "1"][..], &QUICK, &lists, &["--set", "epochs=6"]].concat();
    let (mut child, mut said) = sweep_up_to_the_first(&desk, &args);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let again = rest.lines().find(|line| line.trim().starts_with("kilornn ")).unwrap();
    let resumed = desk.shell(again);
    let said = String::from_utf8_lossy(&resumed.stdout);
    assert!(resumed.status.success() && said.contains("done already") && said.contains("4/4"), "{said}");
}

#[test]
fn without_a_dev_part_a_tenth_is_held_out() {
    let desk = Desk::new();
    std::fs::remove_file(desk.path("data/dev.tsv")).unwrap();
    let lists = ["--vocabulary", "100", "--embedding", "4", "--units", "4"];
    let args = [&["sweep", "data", "--out", "held"][..], &QUICK, &lists].concat();
    let said = desk.ok(&args);
    assert!(said.contains("held out at random by the sweep"), "{said}");
    let command = said.lines().find(|line| line.trim().starts_with("kilornn train")).unwrap();
    assert!(command.contains("--set validation_split=0.1 --set validation=random"), "{command}");
    let said = desk.ok(&[&args[..3], &["split"], &args[4..], &["--set", "validation_split=0.3"]].concat());
    assert!(said.contains("0.3 of the training texts"), "{said}");
    for (name, value, what) in [
        ("--units", "0", "units must be 1 to 256"),
        ("--units", "4,x", "invalid"),
        ("--flash", "64kB", "unknown unit `kB`"),
        ("--time", "10", "90s, 10m or 1.5h"),
    ] {
        let said = desk.refused(&["sweep", "data", "--out", "refused", name, value]);
        assert!(said.contains(what), "{name} {value}: {said}");
    }
}

#[test]
fn files_whose_size_training_decides_stay_within_the_flash() {
    let desk = Desk::new();
    let args = ["sweep", "data", "--recipe", "seed", "--set", "epochs=1", "--json", "--out", "padded"];
    let lists = ["--vocabulary", "100", "--embedding", "8", "--units", "8,16"];
    let report = desk.json(&[&args[..], &lists].concat());
    let candidates = report["candidates"].as_array().unwrap();
    assert!(candidates.iter().all(|c| c["status"] == "measured"), "{report}");
    // At a budget below what the larger one turned out to have, it is too large, trained or not.
    let bytes = candidates[1]["bytes"].as_u64().unwrap();
    let flash = (bytes - 1).to_string();
    let report =
        desk.json(&[&args[..], &lists, &["--resume", "--engine", "none", "--flash", &flash]].concat());
    assert_eq!(report["candidates"][1]["status"], "too_large", "{report}");
    assert_eq!(report["advice"]["recommended"]["units"], 8);
}
