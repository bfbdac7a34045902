//! Budgets as a person gives them: what fits is trained and proved, what nothing can fit is refused.

use kilornn_trainer::footprint::Core;
use kilornn_trainer::numbers::grouped;
use serde_json::Value;

mod desk;

use desk::Desk;

const QUICK: [&str; 6] = ["--recipe", "starter", "--set", "epochs=2", "--set", "quantized_epochs=1"];

/// Runs a command as it was printed.
fn shell(desk: &Desk, printed: &str) {
    let output = desk.shell(printed);
    assert!(output.status.success(), "{printed}: {}", String::from_utf8_lossy(&output.stderr));
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The number that follows `words` in what a refusal says.
fn number_after(said: &str, words: &str) -> usize {
    let rest = said.split(words).nth(1).unwrap_or_else(|| panic!("`{words}` is not in {said}"));
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    digits.replace(',', "").parse().unwrap()
}

#[test]
fn a_budget_is_kept_and_its_command_trains_the_same_model() {
    let desk = Desk::new();
    let limits = ["--flash", "32K", "--ram", "1200", "--instructions-per-word", "800"];
    let args = [&["train", "data", "--out", "my run", "--json"][..], &QUICK, &limits].concat();
    let metrics = desk.json(&args);
    let budget = &metrics["budget"];
    let file = std::fs::read(desk.path("my run/model.kilo")).unwrap();
    let footprint = &budget["footprint"];
    assert_eq!(number(&footprint["file"]), file.len() as u64, "{budget}");
    assert_eq!(number(&budget["flash"]), number(&footprint["engine"]) + file.len() as u64);
    assert!(number(&budget["flash"]) <= 32 << 10, "{budget}");
    assert_eq!(number(&budget["ram"]), number(&footprint["classifier"]) + number(&footprint["stack"]));
    assert!(number(&budget["ram"]) <= 1200, "{budget}");
    assert!(footprint["instructions_per_word"].as_f64().unwrap() <= 800.0, "{budget}");
    // What inspect reads from the file is what was chosen.
    let inspected = desk.json(&["inspect", "my run", "--json"]);
    assert_eq!(inspected["units"], budget["chosen"]["units"]);
    assert_eq!(inspected["slots"], budget["chosen"]["vocabulary"]);
    // Nothing that is too slow or has too much RAM was even tried, and more than one thing was.
    let tried = budget["tried"].as_array().unwrap();
    assert!(tried.len() >= 8, "{tried:?}");
    assert!(tried.iter().all(|one| number(&one["units"]) < 32), "{tried:?}");

    let command = budget["command"].as_str().unwrap();
    shell(&desk, command);
    assert!(command.contains("--out 'my run-again'"), "{command}");
    assert_eq!(std::fs::read(desk.path("my run-again/model.kilo")).unwrap(), file);

    // Sizes that --set names stay; the same budget comes to the same again, and the test part has no say.
    std::fs::remove_file(desk.path("data/test.tsv")).unwrap();
    let again = desk.json(&[&["train", "data", "--out", "other", "--json"][..], &QUICK, &limits].concat());
    assert_eq!(again["budget"]["tried"], budget["tried"]);
    let pins =
        ["--set", "units=8", "--set", "embedding_bits=8", "--set", "embedding=4", "--set", "fold=never"];
    let pinned = [&["train", "data", "--out", "pinned", "--json"][..], &QUICK, &limits, &pins].concat();
    let pinned = desk.json(&pinned);
    for one in pinned["budget"]["tried"].as_array().unwrap() {
        assert_eq!((number(&one["units"]), number(&one["embedding"]), &one["form"]), (8, 4, &"int8".into()));
    }
}

#[test]
fn the_impossible_is_refused_with_the_least_there_could_be() {
    let desk = Desk::new();
    let refused = |limits: &[&str]| {
        desk.refused(&[&["train", "data", "--out", "refused"][..], &QUICK, limits].concat())
    };
    let said = refused(&["--flash", "8K"]);
    let engine = |core| grouped(Core::find(core).unwrap().code.full);
    assert!(
        said.contains(&format!("--flash 8,192: the engine `full` takes {} bytes on m4", engine("m4"))),
        "{said}"
    );
    let least = number_after(&said, "at least ");
    let small = number_after(&said, "with --engine small ");
    assert!(said.contains("with --engine lean") && small < least, "{said}");
    // One byte less than the least is refused, the least is not. (That little learns nothing, but it fits.)
    refused(&["--flash", &(least - 1).to_string()]);
    let least = least.to_string();
    let args = [&["train", "data", "--out", "least", "--json"][..], &QUICK, &["--flash", &least]].concat();
    assert_eq!(desk.json(&args)["budget"]["flash"].to_string(), least);

    let said = refused(&["--ram", "500"]);
    let stack = Core::find("m4").unwrap().stack;
    assert!(said.contains(&format!("--ram 500: the engine's stack takes {stack} bytes on m4")), "{said}");
    assert_eq!(number_after(&said, "at least "), stack + 9 * 4);
    let said = refused(&["--instructions-per-word", "100"]);
    let least = number_after(&said, "takes at least ");
    refused(&["--instructions-per-word", &(least - 1).to_string()]);
    // With two that cannot be met, both are said; with one, only that.
    let said = refused(&["--flash", "1K", "--ram", "1K", "--instructions-per-word", "9"]);
    assert!(said.contains("--flash 1,024") && said.contains("--instructions-per-word 9"), "{said}");
    assert!(!said.contains("--ram"), "{said}");
    // Of other cores and engines, other numbers are known, or none.
    let said = refused(&["--flash", "8K", "--core", "m0"]);
    assert!(said.contains(&format!("{} bytes on m0", engine("m0"))), "{said}");
    let said = refused(&["--instructions-per-word", "900", "--engine", "small"]);
    assert!(said.contains("tuned for speed alone"), "{said}");
    let said = refused(&["--flash", "32K", "--engine", "small", "--set", "lowercase=unicode"]);
    assert!(said.contains("lower-cases ASCII alone"), "{said}");
    let said = refused(&["--flash", "64K", "--core", "m9"]);
    assert!(said.contains("there are m4, m3, m0, m0plus, rv32"), "{said}");
    // What would have no effect is refused, too.
    let said = refused(&["--engine", "small"]);
    assert!(said.contains("--flash <BYTES>"), "{said}");
}

#[test]
fn a_latency_is_kept_at_the_clock_of_the_core() {
    let desk = Desk::new();
    let train = |out: &str, budget: &[&str]| {
        let args = [&["train", "data", "--out", out, "--json"][..], &QUICK, budget].concat();
        desk.json(&args)["budget"].clone()
    };
    let real = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    let of = |budget: &Value, key: &str| real(&budget["footprint"][key]);
    let budget = train("slow", &["--latency", "0.11ms", "--core", "m0"]);
    assert_eq!(number(&budget["clock_hz"]), 16_000_000, "a micro:bit's");
    assert_eq!(real(&budget["limits"]["microseconds_per_word"]), 110.0);
    let [cycles, time] = ["cycles_per_word", "microseconds_per_word"].map(|key| of(&budget, key));
    assert!(time <= 110.0 && (time - cycles / 16.0).abs() < 1e-6, "{budget}");
    // A cycle is no less than an instruction on any core.
    assert!(cycles > of(&budget, "instructions_per_word"), "{budget}");
    // Four times the clock is time for larger networks; the same network takes a quarter of the time.
    let pins =
        ["--set", "units=8", "--set", "vocabulary=400", "--set", "fold=always", "--set", "embedding=8"];
    let pinned = |out: &str, more: &[&str]| {
        let budget = train(out, &[&["--latency", "110us"][..], more, &pins].concat());
        ["instructions_per_word", "cycles_per_word", "microseconds_per_word"].map(|key| of(&budget, key))
    };
    let [instructions, cycles, time] = pinned("m0", &["--core", "m0"]);
    let faster = pinned("faster", &["--core", "m0", "--clock", "64MHz"]);
    assert_eq!([faster[0], faster[1]], [instructions, cycles]);
    assert!((4.0 * faster[2] - time).abs() < 1e-6, "{faster:?} beside {time}");
    // An M0+ executes the instructions of an M0, and no cycle more.
    let plus = pinned("plus", &["--core", "m0plus", "--clock", "16MHz"]);
    assert!(plus[0] == instructions && plus[1] < cycles && plus[2] < time, "{plus:?} beside {cycles}");

    let refused =
        |budget: &[&str]| desk.refused(&[&["train", "data", "--out", "no"][..], &QUICK, budget].concat());
    let said = refused(&["--latency", "1us", "--core", "m0"]);
    assert!(said.contains("--latency 1.0us") && said.contains("on m0 at 16 MHz"), "{said}");
    let least: f64 = said.split("at least ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    refused(&["--latency", &format!("{:.1}us", least - 0.2), "--core", "m0"]);
    let said = refused(&["--latency", "2ms", "--core", "rv32"]);
    assert!(said.contains("not estimated on rv32 (RV32IMAC), but on m4, m3, m0, m0plus"), "{said}");
    let said = refused(&["--latency", "2ms", "--engine", "lean"]);
    assert!(said.contains("tuned for speed alone, not with --engine lean"), "{said}");
    let said = refused(&["--latency", "2"]);
    assert!(said.contains("a unit is missing: write 2ms"), "{said}");
    let said = refused(&["--clock", "16MHz"]);
    assert!(said.contains("--latency <TIME>"), "{said}");
}

#[test]
fn a_small_engine_gets_a_model_that_it_can_read() {
    let desk = Desk::new();
    std::fs::remove_file(desk.path("data/dev.tsv")).unwrap();
    let budget = ["--flash", "14K", "--engine", "small", "--core", "m0"];
    let args = [&["train", "data", "--out", "small", "--json"][..], &QUICK, &budget].concat();
    let metrics = desk.json(&args);
    assert_eq!(desk.json(&["inspect", "small", "--json"])["lowercase"], "ascii");
    let budget = &metrics["budget"];
    assert!(number(&budget["flash"]) <= 14 << 10 && budget["footprint"]["instructions_per_word"].is_null());
    // Without a dev part, a tenth validated while searching; the training in the end has all texts.
    assert_eq!(metrics["examples"], metrics["data"]["train"]["examples"]);
    assert!(!budget["command"].as_str().unwrap().contains("validation"), "{budget}");
    // A finished model is not replaced, and that is said before anything is trained.
    let said = desk.refused(&args);
    assert!(said.contains("holds a trained model already"), "{said}");
}
