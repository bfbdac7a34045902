//! Trainings that are interrupted, validated and listed as a person does it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

mod desk;

use desk::Desk;

/// Three classes, and which of 20 groups each text is of.
fn colours(desk: &Desk) {
    let (mut rows, mut groups) = (String::from("label\ttext\n"), String::new());
    for i in 0..240 {
        let word = ["red", "green", "blue"][i % 3];
        rows += &format!("{word}\tthe {} thing number {i} is {word} today\n", "very ".repeat(i % 5));
        groups += &format!("group {}\n", i * 7 % 20);
    }
    desk.write("colours/train.tsv", rows.as_bytes());
    desk.write("groups.txt", groups.as_bytes());
}

fn model(desk: &Desk, run: &str) -> Vec<u8> {
    std::fs::read(desk.path(run).join("model.kilo")).unwrap()
}

/// Starts a training and waits until it says that an epoch is over.
fn train_up_to(desk: &Desk, args: &[&str], epoch: usize) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with(&format!("epoch {epoch}/")) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended before epoch {epoch}");
    }
    (child, said)
}

/// A killed training and a whole one, with the same settings: the second in the list goes on with the first.
fn kill_and_resume(settings: &[&str], epochs: usize) {
    let desk = Desk::new();
    colours(&desk);
    let epochs_set = format!("epochs={epochs}");
    let mut args = vec!["train", "colours", "--seed", "4", "--set", &epochs_set];
    settings.iter().for_each(|setting| args.extend(["--set", setting]));
    let with = |more: &[&'static str]| [&args[..], more].concat();

    desk.ok(&with(&["--out", "whole"]));
    for at in [1, epochs / 2] {
        let run = with(&["--out", "killed", "--force"]);
        let (mut child, _) = train_up_to(&desk, &run, at);
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it was killed too late");
        let said = desk.refused(&with(&["--out", "killed"]));
        assert!(said.contains("--resume goes on with it"), "{said}");
        let said = desk.ok(&with(&["--out", "killed", "--resume"]));
        assert!(said.contains("going on after epoch"), "{said}");
        assert!(!said.contains("\nepoch 1/"), "it began anew: {said}");
        assert!(model(&desk, "whole") == model(&desk, "killed"), "after epoch {at} another model");
        let files = std::fs::read_dir(desk.path("killed")).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let kept = [
            "config.toml",
            "metrics.json",
            "model.kilo",
            "report.html",
            "vocabulary.json",
            "weights.safetensors",
        ];
        assert_eq!(files, kept, "what is left in the folder");
    }
    let said = desk.refused(&with(&["--out", "killed", "--resume"]));
    assert!(said.contains("nothing to resume"), "{said}");
}

#[test]
fn a_killed_training_resumes_to_the_same_model() {
    kill_and_resume(
        &["optimizer=adam", "weight_decay=0", "dropout=0.3", "recurrent_dropout=0.2", "validation_split=0.2"],
        60,
    );
}

#[test]
fn a_killed_training_on_the_device_s_grid_resumes_to_the_same_model() {
    let grid = ["optimizer=adamw", "weight_decay=0.01", "schedule=cosine", "quantized_epochs=50"];
    kill_and_resume(&[&grid[..], &["unknown=row", "word_dropout=0.1"]].concat(), 60);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_cleanly_and_says_how_to_go_on() {
    use std::io::Read;

    let desk = Desk::new();
    colours(&desk);
    let args = ["train", "colours", "--out", "my run", "--set", "epochs=60", "--set", "optimizer=adam"];
    let args = [&args[..], &["--set", "weight_decay=0", "--recipe", "compact"]].concat();
    let (mut child, mut said) = train_up_to(&desk, &args, 2);
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    let again = rest.lines().find_map(|line| line.trim().strip_prefix("kilornn ")).unwrap();
    assert!(again.ends_with("--out 'my run' --resume"), "{again}");
    assert!(!desk.path("my run/model.kilo").exists());
    // The printed command does go on, read as a shell reads it.
    let shell = format!("{} {again}", env!("CARGO_BIN_EXE_kilornn"));
    let resumed =
        std::process::Command::new("sh").args(["-c", &shell]).current_dir(desk.path("")).output().unwrap();
    let said = String::from_utf8_lossy(&resumed.stdout);
    assert!(resumed.status.success() && said.contains("going on after epoch"), "{said}");
    desk.ok(&[&args[..2], &["--out", "whole"], &args[4..]].concat());
    assert!(model(&desk, "whole") == model(&desk, "my run"), "another model");
}

#[test]
fn another_training_is_not_resumed() {
    let desk = Desk::new();
    colours(&desk);
    let args = ["train", "colours", "--out", "run", "--recipe", "compact", "--set", "epochs=60"];
    let (mut child, _) = train_up_to(&desk, &args, 1);
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success(), "it was killed too late");
    let said = desk.refused(&[&args[..], &["--set", "units=8", "--resume"]].concat());
    assert!(said.contains("it has units = 16, not 8") && said.contains("--force"), "{said}");
    let said = desk.refused(&[&args[..], &["--seed", "1", "--resume"]].concat());
    assert!(said.contains("it has --seed 0, not 1"), "{said}");
    std::fs::write(desk.path("run/checkpoint.bin"), b"KILOCKP\x04 and no more").unwrap();
    let said = desk.refused(&[&args[..], &["--resume"]].concat());
    assert!(said.contains("checkpoint.bin: it is damaged or cut short"), "{said}");
    // --resume where there is nothing yet begins.
    let short = ["train", "colours", "--out", "new", "--set", "epochs=1", "--set", "quantized_epochs=0"];
    desk.ok(&[&short[..], &["--resume"]].concat());
}

#[test]
fn validation_is_by_fraction_or_by_groups_and_can_stop_training() {
    let desk = Desk::new();
    colours(&desk);
    let run = |out: &str, more: &[&str]| {
        let args = ["train", "colours", "--recipe", "seed", "--out", out, "--json", "--set", "maxlen=8"];
        let small = ["--set", "units=8", "--set", "embedding=8", "--set", "epochs=30", "--set", "batch=16"];
        desk.json(&[&args[..], &small, more].concat())
    };
    let examples = |report: &Value| report["examples"].as_u64().unwrap();
    let stopping = ["--set", "early_stopping=val_loss", "--set", "early_stopping_patience=1"];
    let rate =
        ["--set", "learning_rate=0.03", "--set", "class_weight=balanced", "--set", "label_smoothing=0.1"];
    let by_group = run("groups", &[&["--groups", "groups.txt"][..], &stopping, &rate].concat());
    // Groups of twelve: four of them are a fifth.
    assert_eq!(examples(&by_group), 240 - 48);
    let epochs = by_group["epochs"].as_array().unwrap();
    assert!(epochs.len() < 30 && epochs.iter().all(|epoch| epoch["val_loss"].is_f64()), "{epochs:?}");
    // The same groups, in a column beside the texts and in one of another file.
    let (mut beside, mut elsewhere) =
        (String::from("label\tgroup\ttext\n"), String::from("id,group of it\n"));
    let (texts, groups) = (desk.read("colours/train.tsv"), desk.read("groups.txt"));
    for (id, (text, group)) in texts.lines().skip(1).zip(groups.lines()).enumerate() {
        let (label, text) = text.split_once('\t').unwrap();
        beside += &format!("{label}\t{group}\t{text}\n");
        elsewhere += &format!("{id},{group}\n");
    }
    desk.write("beside/train.tsv", beside);
    desk.write("groups.csv", elsewhere);
    let model = |out: &str| std::fs::read(desk.path(out).join("model.kilo")).unwrap();
    let same = ["train", "beside", "--recipe", "groups/config.toml", "--out"];
    desk.ok(&[&same[..], &["beside-run", "--group", "group"]].concat());
    let same = ["train", "colours", "--recipe", "groups/config.toml", "--out"];
    desk.ok(&[&same[..], &["elsewhere", "--groups", "groups.csv", "--group", "group of it"]].concat());
    assert!(model("groups") == model("beside-run") && model("groups") == model("elsewhere"));
    let random =
        run("random", &["--set", "validation=random", "--set", "schedule=plateau", "--set", "epochs=2"]);
    assert_eq!(examples(&random), 192);

    let train = ["train", "colours", "--recipe", "seed", "--out", "refused"];
    let refused = |more: &[&str]| desk.refused(&[&train[..], more].concat());
    desk.write("short.txt", b"a\nb\n");
    assert!(refused(&["--groups", "short.txt"]).contains("short.txt: has 2 groups, but there are 240"));
    assert!(refused(&["--groups", "nowhere.txt"]).contains("nowhere.txt: "));
    assert!(refused(&["--group", "film"]).contains("no column is named `film`; there are `label`, `text`"));
    assert!(refused(&["--set", "validation=groups"]).contains("--group NAME"));
    assert!(refused(&["--groups", "groups.txt", "--set", "validation_split=0"]).contains("validation_split"));
    let none = ["--set", "validation_split=0", "--set", "early_stopping=val_loss"];
    assert!(refused(&none).contains("need validation texts"));
    assert!(refused(&["--set", "class_weight=[1,2]"]).contains("2 weights, but there are 3 classes"));
    assert!(!desk.path("refused").exists(), "a refused training left a folder");
}

#[test]
fn recipes_are_listed_printed_and_explained() {
    let desk = Desk::new();
    let listed = desk.ok(&["recipes"]);
    let all = desk.json(&["recipes", "--json"]);
    for (name, toml) in all.as_object().unwrap() {
        assert!(
            listed.lines().any(|line| line.starts_with(name) && line.len() > name.len() + 20),
            "{listed}"
        );
        assert_eq!(desk.ok(&["recipes", name]).trim(), toml.as_str().unwrap().trim());
    }
    assert!(all.as_object().unwrap().len() >= 3);
    let said = desk.refused(&["recipes", "compat"]);
    assert!(said.contains("no recipe is called `compat` (did you mean `compact`?); there are"), "{said}");

    // What explains every key is a recipe, and what a run leaves has the same keys.
    let keys = desk.ok(&["recipes", "--keys"]);
    desk.write("keys.toml", keys.as_bytes());
    desk.ok(&["train", "data", "--recipe", "keys.toml", "--set", "epochs=1", "--out", "run"]);
    let of = |text: &str| text.parse::<toml::Table>().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(of(&keys), of(&std::fs::read_to_string(desk.path("run/config.toml")).unwrap()));
    desk.write("wrong.toml", b"# mine\nepochs = 2\nlerning_rate = 0.1\n");
    let said = desk.refused(&["train", "data", "--recipe", "wrong.toml"]);
    assert!(
        said.contains("wrong.toml:3: unknown key `lerning_rate` (did you mean `learning_rate`?)"),
        "{said}"
    );
}
