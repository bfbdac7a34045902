//! Results that are worth nothing are called so, and one text does not make them worthless.

use serde_json::Value;

use super::desk::Desk;
use super::{counted, csv, kinds, message, sentences};

/// Sentences with one text of so many of their words behind the first of them, and others to test on.
fn with_one_of(desk: &Desk, words: usize) {
    let mut rows = sentences(400);
    desk.write("test.csv", csv(["0", "1"], &rows.split_off(300)));
    if words > 0 {
        let all: Vec<&str> = rows.iter().flat_map(|(_, text)| text.split(' ')).collect();
        let long: Vec<&str> = (0..words).map(|i| all[i * 7919 % all.len()]).collect();
        rows.insert(150, (1, long.join(" ")));
    }
    desk.write("train.csv", csv(["0", "1"], &rows));
}

fn train(desk: &Desk, more: &[&str]) -> Value {
    desk.json(
        &[&["train", "train.csv", "--test", "test.csv", "--out", "run", "--force", "--json"], more].concat(),
    )
}

fn accuracy(metrics: &Value) -> f64 {
    metrics["quantized"]["test"]["accuracy"].as_f64().unwrap()
}

#[test]
fn one_long_text_changes_no_more_than_another_seed_does() {
    let desk = Desk::empty();
    for recipe in [&["--set", "epochs=12"][..], &["--recipe", "starter"]] {
        let of = |words: usize| -> Vec<f64> {
            with_one_of(&desk, words);
            let seeds = ["0", "1", "2"].map(|seed| train(&desk, &[recipe, &["--seed", seed]].concat()));
            seeds.iter().map(accuracy).collect()
        };
        let without = of(0);
        let least = without.iter().copied().fold(1.0, f64::min);
        assert!(least > 0.9, "{recipe:?}: {without:?}");
        for words in [100, 3000] {
            let found = of(words);
            let far = found.iter().filter(|accuracy| **accuracy < least - 0.03).count();
            assert_eq!(far, 0, "{recipe:?}, {words} words: {found:?}, without {without:?}");
        }
    }
}

#[test]
fn the_long_text_is_named_with_what_fits_the_recipe() {
    let desk = Desk::empty();
    with_one_of(&desk, 300);
    let said = |recipe: &str| {
        message(&counted(&desk, &["train.csv", "--test", "test.csv", "--recipe", recipe]), "long-texts")
            .to_owned()
    };
    let found = "1 of 301 training texts is far longer than the others: train.csv:152 has 300 words";
    let (seed, compact) = (said("seed"), said("compact"));
    assert!(seed.starts_with(found) && compact.starts_with(found), "{seed}\n{compact}");
    assert!(seed.contains("reads the last 100 (maxlen)"), "{seed}");
    // What both advise works: texts are cut, and nothing is far longer.
    for recipe in ["seed", "compact"] {
        let remedy =
            said(recipe).split("--set ").nth(1).unwrap().split([' ', ',']).next().unwrap().to_owned();
        let args = ["train.csv", "--test", "test.csv", "--recipe", recipe, "--set", &remedy];
        assert!(kinds(&counted(&desk, &args)).is_empty(), "{remedy}");
    }
}

#[test]
fn what_was_trained_on_is_no_test() {
    let desk = Desk::empty();
    desk.write("two.csv", "label,text\n0,bad\n1,good\n");
    let said = desk.ok(&["train", "two.csv", "--out", "run"]);
    assert!(said.contains("warning[few-texts]: 2 training texts of 2 classes"), "{said}");
    assert!(said.contains("warning[nothing-held-out]: ") && !said.contains("est accuracy"), "{said}");
    let report = desk.read("run/report.html");
    assert!(report.contains("on training texts") && report.contains("warning[nothing-held-out]"), "{report}");
    // What is advised works.
    desk.write("more.csv", csv(["0", "1"], &sentences(100)));
    let advised = ["--set", "validation_split=0.1", "--set", "validation=random"];
    assert!(kinds(&counted(&desk, &[&["more.csv"], &advised[..]].concat())).is_empty());
}

#[test]
fn validation_of_one_class_and_texts_without_spaces_get_a_hint() {
    let desk = Desk::empty();
    let mut rows = sentences(100);
    rows.sort();
    desk.write("sorted.csv", csv(["0", "1"], &rows));
    let last = ["sorted.csv", "--set", "validation_split=0.2"];
    let found = counted(&desk, &last);
    assert!(
        message(&found, "one-class-validation").starts_with("all 20 texts that validate are of"),
        "{found}"
    );
    assert!(kinds(&counted(&desk, &[&last[..], &["--set", "validation=random"]].concat())).is_empty());

    let texts = (0..60).map(|i| (i % 2, format!("这个{}，第{i}次入住。", ["太旧了", "还会再来"][i % 2])));
    desk.write("zh.csv", csv(["0", "1"], &texts.collect::<Vec<_>>()));
    let found = counted(&desk, &["zh.csv", "--recipe", "compact"]);
    assert!(message(&found, "one-word-texts").contains("--set char_level=true"), "{found}");
    for by_character in [&["--recipe", "compact", "--set", "char_level=true"][..], &[]] {
        let found = counted(&desk, &[&["zh.csv"], by_character].concat());
        assert!(!kinds(&found).contains(&"one-word-texts"), "{by_character:?}");
    }
}

#[test]
fn a_worthless_model_is_called_so_everywhere() {
    let desk = Desk::empty();
    with_one_of(&desk, 0);
    // Nothing is learned in one epoch at such a rate.
    let nothing = ["--set", "epochs=1", "--set", "quantized_epochs=0", "--set", "learning_rate=1e-9"];
    let metrics = train(&desk, &nothing);
    let kind = kinds(&metrics)[0].to_owned();
    assert!(["one-answer", "no-better-than-guessing"].contains(&kind.as_str()), "{metrics}");
    assert!(message(&metrics, &kind).contains("the likely cause: "), "{metrics}");
    assert!(desk.read("run/report.html").contains(&format!("warning[{kind}]: ")));
    let written: Value = serde_json::from_str(&desk.read("run/metrics.json")).unwrap();
    assert_eq!(kinds(&written), kinds(&metrics));
    let evaluated = desk.json(&["evaluate", "run", "test.csv", "--json"]);
    assert_eq!(kinds(&evaluated), [kind]);

    // A rate that is far too high: an error that says what to do, or a model that is called ruined.
    let how = ["train", "train.csv", "--test", "test.csv", "--recipe", "seed", "--out", "fast", "--json"];
    let rate = ["--set", "optimizer=sgd", "--set", "learning_rate=1e6"];
    let output = desk.run(&[&how[..], &rate].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        false => assert!(said.contains("training diverged") && said.contains("--set learning_rate=100000")),
        true => assert!(said.contains("warning[loss-rose]"), "{said}"),
    }
}
