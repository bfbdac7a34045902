//! `kilornn` as a person runs it: outputs, exit codes, and what bad input leaves behind.

use serde_json::Value;

mod desk;

use desk::Desk;

#[test]
fn trains_evaluates_predicts_and_inspects() {
    let desk = Desk::new();
    let said = desk.train("run", &[]);
    for line in ["Test score: ", "Test accuracy: ", "int8 test accuracy: "] {
        assert!(said.contains(line), "{said}");
    }
    for file in ["config.toml", "vocabulary.json", "weights.safetensors", "metrics.json", "model.kilo"] {
        assert!(desk.path("run").join(file).is_file(), "no {file}");
    }
    let metrics: Value =
        serde_json::from_slice(&std::fs::read(desk.path("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["epochs"].as_array().unwrap().len(), 3);

    // What training said of the model file is what evaluation finds, in the folder and in a single file.
    let by_folder = desk.json(&["evaluate", "run", "data", "--json"]);
    assert_eq!(by_folder["accuracy"], metrics["quantized"]["test"]["accuracy"]);
    assert_eq!(by_folder["examples"], 800);
    assert!(by_folder["loss"].as_f64().unwrap() > 0.0);
    assert_eq!(desk.json(&["evaluate", "run/model.kilo", "data/test.tsv", "--json"]), by_folder);

    let predictions = desk.json(&["predict", "run", "--json", "a lovely film", ""]);
    let first = &predictions["predictions"][0];
    assert_eq!((first["words"].as_u64(), first["text"].as_str()), (Some(3), Some("a lovely film")));
    assert!(["negative", "positive"].contains(&first["label"].as_str().unwrap()));
    assert_eq!(predictions["predictions"][1]["words"], 0);

    let inspected = desk.json(&["inspect", "run", "--json"]);
    assert_eq!(inspected["units"], 32);
    let parts: u64 =
        inspected["parts"].as_array().unwrap().iter().map(|p| p["bytes"].as_u64().unwrap()).sum();
    assert_eq!(Some(parts), inspected["bytes"].as_u64(), "the parts are the whole");
}

#[test]
fn the_same_seed_gives_the_same_model() {
    let desk = Desk::new();
    desk.train("one", &["--seed", "5"]);
    desk.train("two", &["--seed", "5"]);
    desk.train("three", &["--seed", "6"]);
    let model = |run: &str| std::fs::read(desk.path(run).join("model.kilo")).unwrap();
    assert!(model("one") == model("two"), "two runs of one seed differ");
    assert!(model("one") != model("three"), "the seed changes nothing");

    // The configuration it leaves is a recipe for the same run.
    desk.ok(&["train", "data", "--recipe", "one/config.toml", "--seed", "5", "--out", "again"]);
    assert!(model("one") == model("again"), "config.toml gives another model");
}

#[test]
fn more_than_two_classes_and_keras_s_padding_work_end_to_end() {
    let desk = Desk::new();
    let mut rows = String::from("label\ttext\n");
    for i in 0..300 {
        let word = ["red", "green", "blue"][i % 3];
        rows += &format!("{word}\tthe {} thing number {i} is {word} today\n", "very ".repeat(i % 5));
    }
    desk.write("colours/train.tsv", rows.as_bytes());
    desk.write("colours/test.tsv", rows.as_bytes());
    let settings = ["units=12", "embedding=8", "epochs=12", "batch=16", "maxlen=6", "learning_rate=0.01"];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    for fold in ["fold=always", "fold=never"] {
        let args = ["train", "colours", "--recipe", "seed", "--out", "run", "--force", "--set", fold];
        desk.ok(&[&args[..], &settings].concat());
        let report = desk.json(&["evaluate", "run", "colours", "--json"]);
        assert!(report["accuracy"].as_f64().unwrap() > 0.95, "{fold}: {report}");
        let inspected = desk.json(&["inspect", "run", "--json"]);
        assert_eq!((&inspected["outputs"], &inspected["window"]), (&3.into(), &6.into()));
        assert_eq!(inspected["pads_are_read"], true);
    }
}

#[test]
fn bad_data_is_named_and_nothing_is_overwritten() {
    let desk = Desk::with_run();
    let before = std::fs::read(desk.path("run/model.kilo")).unwrap();

    let cases: [(&str, &[u8], &str); 5] = [
        ("header", b"body\tlabel\nx\t0\n", "train.tsv:1: no column is named `text`"),
        ("label", b"label\ttext\n0\ta\n1\tb\n9\tc\n", "train.tsv:4: unknown label `9`"),
        ("utf8", b"label\ttext\n0\ta\n1\t\xC3\x28\n", "train.tsv:3: not UTF-8"),
        ("empty", b"label\ttext\n0\ta\n0\tb\n", "class 1 (`y`) has no example"),
        ("tab", b"label\ttext\n0 a\n", "train.tsv:2: 1 field, but the header names 2"),
    ];
    for (name, content, reason) in cases {
        desk.write(&format!("{name}/train.tsv"), content);
        desk.write(&format!("{name}/labels.txt"), b"x\ny\n");
        let said = desk.refused(&["train", name, "--recipe", "starter", "--out", "run", "--force"]);
        assert!(said.contains(reason), "{name}: {said}");
    }
    assert!(desk.refused(&["train", "nowhere"]).contains("nowhere: "));
    assert!(desk.refused(&["train", "data", "--recipe", "nowhere.toml"]).contains("nowhere.toml: "));
    assert!(
        desk.refused(&["train", "data", "--set", "unites=3"])
            .contains("unknown key `unites` (did you mean `units`?)")
    );
    assert!(desk.refused(&["evaluate", "run", "nowhere.tsv"]).contains("nowhere.tsv: "));
    assert!(!desk.path("runs").exists(), "a refused run left a folder");

    // A finished model is only replaced on demand.
    let said = desk.refused(&["train", "data", "--recipe", "starter", "--out", "run"]);
    assert!(said.contains("--force"), "{said}");
    assert!(std::fs::read(desk.path("run/model.kilo")).unwrap() == before, "the model was touched");
}

#[test]
fn bad_models_are_told_apart() {
    let desk = Desk::with_run();
    let model = std::fs::read(desk.path("run/model.kilo")).unwrap();
    let with = |index: usize, value: u8| {
        let mut bytes = model.clone();
        bytes[index] = value;
        bytes
    };
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("cut.kilo", model[..model.len() / 2].to_vec(), "cut short"),
        ("damaged.kilo", with(model.len() / 2, model[model.len() / 2] ^ 4), "damaged"),
        ("newer.kilo", with(4, 200), "format version 200"),
        ("foreign.kilo", b"\x89PNG\r\n\x1a\n and more".to_vec(), "not a KiloRNN model"),
    ];
    for (name, bytes, reason) in cases {
        desk.write(name, &bytes);
        for command in [&["inspect", name][..], &["predict", name, "x"], &["evaluate", name, "data"]] {
            let said = desk.refused(command);
            assert!(said.contains(name) && said.contains(reason), "{command:?}: {said}");
        }
    }
    assert!(desk.refused(&["inspect", "nowhere.kilo"]).contains("nowhere.kilo: "));
    let said = desk.refused(&["evaluate", "run", "data", "--qemu", "toaster"]);
    assert!(said.contains("mps2-an386"), "{said}");
}

#[test]
fn a_model_and_other_classes_do_not_mix() {
    let desk = Desk::with_run();
    desk.write("other/test.tsv", b"label\ttext\n0\tx\n");
    desk.write("other/labels.txt", b"ham\nspam\n");
    let said = desk.refused(&["evaluate", "run", "other"]);
    assert!(said.contains("its classes are ham, spam, the model's negative, positive"), "{said}");
}

#[test]
fn explains_word_by_word() {
    let desk = Desk::with_run();
    let text = "The soup was cold, zzyzx.";
    let shown = desk.ok(&["predict", "run", "--explain", text]);
    assert!(!shown.contains('\u{1b}'), "colours only on a terminal: {shown}");
    assert!(shown.contains("zzyzx  (not in the vocabulary)"), "{shown}");
    let said = desk.json(&["predict", "run", "--explain", "--json", text]);
    let words = said["predictions"][0]["explanation"].as_array().unwrap();
    assert_eq!(words.len(), 5);
    assert_eq!((&words[4]["word"], &words[4]["known"]), (&"zzyzx".into(), &false.into()));
    let (last, score) = (&words[4]["score"], &said["predictions"][0]["score"]);
    assert!((last.as_f64().unwrap() - score.as_f64().unwrap()).abs() < 1e-2, "{said}");
    assert!(desk.json(&["predict", "run", "--json", text])["predictions"][0].get("explanation").is_none());
}

/// Rows of three colours, for layouts: text and class name.
fn colours(count: usize) -> Vec<(String, &'static str)> {
    let class = |i| ["blue", "green", "red"][i % 3];
    (0..count)
        .map(|i| (format!("thing {i} is {}, {}so", class(i), "very ".repeat(i % 4)), class(i)))
        .collect()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn every_layout_gives_the_same_counts() {
    let desk = Desk::new();
    let (mut tsv, mut csv, mut jsonl) =
        (String::from("stars\treview\n"), String::from("review,id,stars\r\n"), String::new());
    for (i, (text, class)) in colours(60).iter().enumerate() {
        tsv += &format!("{class}\t{text}\n");
        csv += &format!("\"{text}\",{i},{class}\r\n");
        jsonl += &format!("{}\n", serde_json::json!({ "review": text, "stars": class }));
        desk.write(&format!("acl/train/{class}/{i:03}.txt"), text.as_bytes());
        desk.write(&format!("acl/test/{class}/{i:03}.txt"), text.as_bytes());
    }
    desk.write("acl/train/unsup/0.txt", b"of no class");
    for class in ["blue", "green", "red"] {
        let of_class = |(text, of): &(String, &str)| (*of == class).then(|| format!("{text}\n"));
        let lines: String = colours(60).iter().filter_map(of_class).collect();
        desk.write(&format!("lines/train/{class}.txt"), lines.as_bytes());
        desk.write(&format!("lines/test/{class}.txt"), lines.as_bytes());
    }
    for part in ["train", "test"] {
        desk.write(&format!("tsv/{part}.tsv"), tsv.as_bytes());
        desk.write(&format!("csv/{part}.csv.gz"), gzip(csv.as_bytes()));
        desk.write(&format!("jsonl/{part}.jsonl"), gzip(jsonl.as_bytes()));
    }
    let columns = ["--text", "review", "--label", "stars", "--json"];
    let counts = |data: &[&str]| {
        let mut counts = desk.json(&[&["data"], data, &columns].concat());
        // What lies in one layout beside the data is told there alone.
        let warnings = counts["warnings"].as_array_mut().unwrap();
        let all = warnings.len();
        warnings.retain(|warning| warning["kind"] != "files-not-read");
        assert_eq!(all - warnings.len(), usize::from(data[0].starts_with("acl")), "{data:?}");
        counts
    };

    let of_tsv = counts(&["tsv"]);
    assert_eq!(of_tsv["labels"], serde_json::json!(["blue", "green", "red"]));
    assert_eq!(of_tsv["train"]["per_class"], serde_json::json!([20, 20, 20]));
    assert_eq!(of_tsv["train"]["words"], serde_json::json!({ "min": 5, "median": 6, "p90": 8, "max": 8 }));
    assert_eq!(of_tsv["test"]["unknown_words"], 0.0);
    assert_eq!(of_tsv["duplicates"]["test_in_train"], 60);
    for data in [
        &["csv"][..],
        &["jsonl"],
        &["acl"],
        &["lines"],
        &["tsv/train.tsv", "--test", "csv/test.csv.gz"],
        &["lines/train/red.txt", "lines/train/green.txt", "lines/train/blue.txt", "--test", "acl/test"],
    ] {
        assert_eq!(counts(data), of_tsv, "{data:?}");
    }
    assert_eq!(counts(&["acl/train"])["train"], of_tsv["train"], "a folder of classes without parts");

    // Twice the same file: as many examples, all of them duplicates.
    let twice = counts(&["jsonl/train.jsonl", "csv/train.csv.gz", "--dev", "tsv/test.tsv"]);
    assert_eq!((&twice["train"]["examples"], &twice["dev"]["examples"]), (&120.into(), &60.into()));
    assert_eq!((&twice["test"], &twice["duplicates"]["within_train"]), (&Value::Null, &60.into()));
    let said = desk.ok(&[&["data", "csv"], &columns[..4]].concat());
    for line in [
        "3 classes ",
        "examples ",
        "  green ",
        "warning[duplicate-texts]: 60 of 60 test texts are training texts",
    ] {
        assert!(said.contains(line), "{line} is missing in\n{said}");
    }
}

#[test]
fn trains_and_evaluates_on_files() {
    let desk = Desk::new();
    let rows = |range: std::ops::Range<usize>| -> String {
        let rows = colours(range.end).split_off(range.start);
        std::iter::once("says,colour\n".to_owned())
            .chain(rows.iter().map(|(t, c)| format!("\"{t}\",{c}\n")))
            .collect()
    };
    desk.write("my data/one.csv", rows(0..120).as_bytes());
    desk.write("two.csv", rows(120..240).as_bytes());
    desk.write("three.csv", rows(240..300).as_bytes());
    let columns = ["--text", "says", "--label", "colour"];
    let settings =
        ["--recipe", "starter", "--set", "epochs=8", "--set", "quantized_epochs=2", "--set", "batch=8"];
    let args = ["train", "my data/one.csv", "two.csv", "--test", "three.csv", "--dev", "three.csv"];
    desk.ok(&[&args[..], &columns, &settings].concat());

    // Named after the first file; the counts are with the metrics, the command with the recipe.
    let metrics: Value =
        serde_json::from_slice(&std::fs::read(desk.path("runs/one-starter/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["data"]["train"]["examples"], 240);
    assert_eq!(metrics["data"]["vocabulary"], metrics["vocabulary"]);
    let mut counts =
        desk.json(&[&["data"], &args[1..], &columns, &["--recipe", "starter", "--json"]].concat());
    let warned = counts.as_object_mut().unwrap().remove("warnings").unwrap();
    let also = metrics["warnings"].as_array().unwrap();
    assert!(warned.as_array().unwrap().iter().all(|warning| also.contains(warning)), "{warned}");
    assert_eq!(metrics["data"], counts, "`kilornn data` tells what training tells");
    let config = std::fs::read_to_string(desk.path("runs/one-starter/config.toml")).unwrap();
    let command = "# kilornn train 'my data/one.csv' two.csv --dev three.csv --test three.csv --text says --label colour ";
    assert!(config.starts_with(command), "{config}");

    let files = ["evaluate", "runs/one-starter", "three.csv", "two.csv", "--json"];
    let report = desk.json(&[&files[..], &columns].concat());
    assert_eq!(report["examples"], 180);
    assert!(report["accuracy"].as_f64().unwrap() > 0.95, "{report}");
}

#[test]
fn faults_of_every_format_are_the_person_s() {
    let desk = Desk::new();
    let cases: [(&str, Vec<u8>, &str); 7] = [
        (
            "header.csv",
            b"body,label\na,0\n".to_vec(),
            "header.csv:1: no column is named `text`; there are `body`",
        ),
        ("few.csv", b"text,label\na,0\nb\n".to_vec(), "few.csv:3: 1 field, but the header names 2"),
        ("quote.csv", b"text,label\na,0\n\"b,1\n".to_vec(), "quote.csv:3: broken quoting"),
        ("bad.jsonl", b"{\"text\": }\n".to_vec(), "bad.jsonl:1: invalid JSON in column 10: "),
        ("utf8.jsonl", b"{}\n\xE4\n".to_vec(), "utf8.jsonl:2: not UTF-8"),
        (
            "cut.csv.gz",
            gzip(b"text,label\na,0\nb,1\n")[..25].to_vec(),
            "cut.csv.gz: the gzip data is cut short",
        ),
        ("one.txt", b"a\n".to_vec(), "one.txt: there must be at least two classes"),
    ];
    for (name, content, reason) in cases {
        desk.write(name, &content);
        for command in ["data", "train"] {
            let said = desk.refused(&[command, name]);
            assert!(said.contains(reason), "{command} {name}: {said}");
        }
    }
    assert!(desk.refused(&["data", "data", "--test", "few.csv"]).contains("few.csv:3: "));
    assert!(desk.refused(&["data", "data", "--labels", "nowhere"]).contains("nowhere: "));
    assert!(!desk.path("runs").exists(), "a refused run left a folder");
}

#[test]
fn leaves_a_report_that_needs_nothing_else() {
    let desk = Desk::new();
    // What texts and labels say is shown, not obeyed.
    let rows = |wrong: usize| {
        let mut rows = String::from("label\ttext\n");
        for i in 0..40 {
            let label = ["<b>bad</b>", "good & \"fine\""][(i + wrong) % 2];
            let word = ["<script>alert(1)</script> awful", "lovely"][i % 2];
            rows += &format!("{label}\t{word} thing {i}\n");
        }
        rows
    };
    desk.write("mine/train.tsv", rows(0));
    // Every label is wrong, so that there are mistakes to show.
    desk.write("mine/test.tsv", rows(1));
    let how = ["--recipe", "starter", "--set", "epochs=6", "--set", "quantized_epochs=2", "--set", "batch=4"];
    desk.ok(&[&["train", "mine", "--out", "run", "--seed", "3"][..], &how].concat());
    let page = desk.read("run/report.html");
    for heading in [
        "Curves",
        "Confusion",
        "Calibration",
        "Text lengths",
        "Size budget",
        "Float against int8",
        "Density of the hidden state",
        "Most wrong",
    ] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "no {heading}");
    }
    assert!(page.contains("&lt;b&gt;bad&lt;/b&gt;") && page.contains("alert"));
    assert!(!page.contains("<script") && !page.contains("<b>"));
    for elsewhere in ["src=", "href=", "@import", "url(", "<link", "<iframe"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    // The only address is the name of SVG's language.
    assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    // What the parts of the file have adds up.
    let inspected = desk.json(&["inspect", "run", "--json"]);
    let parts = inspected["parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|part| part["bytes"].as_u64().unwrap()).sum();
    assert_eq!(sum, std::fs::metadata(desk.path("run/model.kilo")).unwrap().len());
    assert!(parts.iter().all(|part| page.contains(part["part"].as_str().unwrap())), "{parts:?}");
    assert!(!page.contains("there are neither test nor"), "there is a test part");
    assert!(page.contains("warning[contradictory-labels]: "), "the page has no warnings");
    // The same training leaves the same page.
    desk.ok(&[&["train", "mine", "--out", "run", "--seed", "3", "--force"][..], &how].concat());
    assert!(desk.read("run/report.html") == page, "another page");
}

#[test]
fn a_report_says_what_it_lacks_and_shortens_what_is_long() {
    let desk = Desk::new();
    // Texts of 20,000 words, some of them answered wrong, and nothing to test on.
    let mut rows = String::from("label\ttext\n");
    for i in 0..30 {
        rows +=
            &format!("{}\t{}\n", i * 7 % 3 % 2, "one two three four ".repeat(if i < 20 { 3 } else { 5000 }));
    }
    desk.write("long/train.tsv", rows);
    // Of twelve words and of 20,000 the model knows half, so that only the long texts are cut.
    let settings =
        ["epochs=1", "quantized_epochs=0", "vocabulary=2", "unknown=drop", "word_dropout=0", "maxlen=10"];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    desk.ok(&[&["train", "long", "--out", "run", "--recipe", "starter"][..], &settings].concat());
    let page = desk.read("run/report.html");
    assert!(page.contains("30 training texts.") && page.contains("warning[nothing-held-out]: "));
    assert!(page.contains("The last 10 words that the model knows count; 10 of 30 texts have more"));
    assert!(page.contains(" [19,700 words] "), "no long text is shortened");
    assert!(page.len() < 1 << 20, "{} bytes", page.len());
}

#[test]
fn shells_get_a_script_that_completes_commands_and_options() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.ok(&["completions", shell]);
        for word in ["kilornn", "evaluate", "unlabelled"] {
            assert!(script.contains(word), "{shell}: {word} is missing");
        }
    }
}
