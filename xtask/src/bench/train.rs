//! `cargo xtask bench train`: how long training takes, beside Keras and PyTorch on the same machine.
//!
//! Every program does the same work (`trainer/benches/work.rs`, `xtask/peers`) on the same encoded texts. They take
//! turns, a few steps each, so that whatever else the machine does hits all of them; and only ratios within a round
//! are compared.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::peers;
use crate::process::{self, cargo, root, target_dir};

/// Rounds that count; one before them warms up.
const ROUNDS: usize = 7;

/// Training steps of a round.
const STEPS: usize = 10;

/// Rounds of whole epochs.
const EPOCHS: usize = 3;

/// Embeddings by which the cost of a step is compared, by their rows.
const VOCABULARIES: [(&str, usize); 3] = [("4k", 4_000), ("40k", 40_000), ("400k", 400_000)];

/// The worker that says how long a training step's products would take, in a process of its own, whose matrices do not count
/// as memory of ours.
const PRODUCTS: &str = "products";

/// Real data, which is no part of the repository: beside it, where there is any.
const IMDB: &str = "../shared/data/imdb";

/// Measures and prints.
pub(crate) fn run(peers: bool, json: bool) -> Result<()> {
    let folder = target_dir(&root())?.join("bench-train");
    fs::create_dir_all(&folder)?;
    let work = build()?;
    let data = Some(root().join(IMDB)).filter(|data| data.is_dir());
    process::run_aside(Command::new(&work).arg("encode").arg(&folder).args(&data))?;

    let mut workers = vec![Worker::start("ours", Command::new(&work).arg(&folder))?];
    if peers {
        let python = peers::python(&folder, "requirements.txt")?;
        for name in ["keras", "torch"] {
            let script = peers::file(&format!("{name}_work.py"));
            workers.push(Worker::start(name, Command::new(&python).arg(script).arg(&folder))?);
        }
    }

    let mut sgemm = Worker::start(PRODUCTS, Command::new(&work).arg(&folder))?;
    let mut report = Map::new();
    let title = "a training step of the seed's shapes, ms";
    report.insert("seed".to_owned(), step(&mut workers, &mut sgemm, json, "seed", title)?);
    let memory = workers.iter_mut().map(|worker| {
        let [kilobytes] = worker.numbers("memory")?;
        Ok((worker.name, kilobytes / 1024.0))
    });
    let memory: Vec<_> = memory.collect::<Result<_>>()?;
    if !json {
        let shown: Vec<String> =
            memory.iter().map(|(name, mebibytes)| format!("{name} {mebibytes:.0}")).collect();
        println!("  most memory so far, MiB: {} (the parameters: 43)\n", shown.join(", "));
    }
    for (work, cell) in [("gru", "GRU"), ("lstm", "LSTM")] {
        let title = format!("the same with {cell} instead of SimpleRNN, ms");
        report.insert(work.to_owned(), step(&mut workers, &mut sgemm, json, work, &title)?);
        if !json {
            println!();
        }
    }

    report.insert("vocabulary".to_owned(), medians(&vocabularies(&mut workers, json)?));

    if data.is_some() {
        if !json {
            growth(&mut workers[0])?;
        }
        workers.retain(|worker| worker.name != "keras");
        let epochs = rounds(named(&mut workers), EPOCHS, |worker| {
            let [milliseconds, steps, accuracy] = worker.numbers("compact")?;
            ensure!(accuracy > 0.7, "{} learned nothing: an accuracy of {accuracy}", worker.name);
            Ok(milliseconds / steps)
        })?;
        show(json, "the compact recipe on IMDB, 400 words, evaluation included, ms a step", &epochs);
        report.insert("compact".to_owned(), medians(&epochs));
    } else if !json {
        println!("  the compact recipe: SKIPPED, there is no {IMDB}");
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("bench: PASS - medians of {ROUNDS} rounds of {STEPS} steps and of {EPOCHS} epochs, in turn");
    }
    Ok(())
}

/// The trainer's program that does the work.
fn build() -> Result<PathBuf> {
    let build = ["build", "--release", "--quiet", "--package", "kilornn-cli", "--example", "work"];
    process::run_aside(&mut cargo(&root(), build))?;
    Ok(target_dir(&root())?.join("release/examples/work"))
}

/// A program that does work line by line.
struct Worker {
    name: &'static str,
    program: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Worker {
    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut program = spawned.with_context(|| format!("cannot start {}", process::describe(command)))?;
        let to = program.stdin.take().context("no standard input")?;
        let from = BufReader::new(program.stdout.take().context("no standard output")?);
        Ok(Self { name, program, to, from })
    }

    /// Has it do the work of a line. Returns the numbers that it answers.
    fn numbers<const N: usize>(&mut self, line: &str) -> Result<[f64; N]> {
        let ended = || format!("{} ended at `{line}`, see above", self.name);
        writeln!(self.to, "{line}").with_context(ended)?;
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        ensure!(!answer.is_empty(), ended());
        let numbers: Result<Vec<f64>, _> = answer.split_whitespace().map(str::parse).collect();
        let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
        numbers.with_context(|| format!("{} answered {answer:?} to `{line}`", self.name))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Nothing is lost with it.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The figures of each part in each round, in the parts' order.
type Rounds = Vec<(String, Vec<f64>)>;

/// Lets the parts take turns, once for warming up and then for so many rounds.
fn rounds<T>(
    mut parts: Vec<(String, T)>,
    count: usize,
    mut work: impl FnMut(&mut T) -> Result<f64>,
) -> Result<Rounds> {
    let mut figures: Rounds = parts.iter().map(|(name, _)| (name.clone(), Vec::new())).collect();
    for round in 0..=count {
        for ((_, part), (_, figures)) in parts.iter_mut().zip(&mut figures) {
            let figure = work(part)?;
            if round > 0 {
                figures.push(figure);
            }
        }
    }
    Ok(figures)
}

/// Measures and shows a training step, and how long its matrix products would take if they were as fast as those of large
/// matrices, which `sgemm` makes. Returns its part of the report.
fn step(workers: &mut [Worker], sgemm: &mut Worker, json: bool, work: &str, title: &str) -> Result<Value> {
    let [multiplications] = sgemm.numbers(&format!("products {work}"))?;
    let mut parts = named(workers);
    // Next to ours, so that both have the machine in the same state.
    parts.insert(1, (sgemm.name.to_owned(), sgemm));
    let figures = rounds(parts, ROUNDS, |worker| {
        if worker.name == PRODUCTS {
            let [a_millisecond] = worker.numbers("sgemm")?;
            return Ok(multiplications / a_millisecond);
        }
        let [milliseconds] = worker.numbers(&format!("{work} {STEPS}"))?;
        Ok(milliseconds / STEPS as f64)
    })?;
    show(json, title, &figures);
    let [least, times, most] = times_products(&figures);
    if !json {
        let billions = multiplications / 1e9;
        println!(
            "  {billions:.2} billion multiplications in products, at the rate of large ones; ours takes {times:.2} times \
             that ({least:.2} to {most:.2})"
        );
    }
    let mut medians = medians(&figures);
    medians["times_products"] = json!(times);
    Ok(medians)
}

/// How many times as long as the products alone our whole step takes: least, median and most of the rounds.
fn times_products(rounds: &Rounds) -> [f64; 3] {
    let [(_, ours), (_, products), ..] = &rounds[..] else {
        unreachable!("ours and the products have turns")
    };
    spread(ours.iter().zip(products).map(|(ours, products)| ours / products))
}

/// The workers as parts of rounds.
fn named(workers: &mut [Worker]) -> Vec<(String, &mut Worker)> {
    workers.iter_mut().map(|worker| (worker.name.to_owned(), worker)).collect()
}

/// Measures and shows how the cost of a step grows with the rows of the embedding, of which a batch touches few.
fn vocabularies(workers: &mut [Worker], json: bool) -> Result<Rounds> {
    let mut parts = Vec::new();
    for (place, worker) in workers.iter().enumerate().filter(|(_, worker)| worker.name != "keras") {
        parts.extend(VOCABULARIES.map(|(size, rows)| (format!("{} {size}", worker.name), (place, rows))));
    }
    let figures = rounds(parts, EPOCHS, |&mut (place, rows)| {
        let [milliseconds, steps] = workers[place].numbers(&format!("vocabulary {rows}"))?;
        Ok(milliseconds / steps)
    })?;
    show(json, "the compact recipe on texts of 4 to 10 words, by rows of the embedding, ms a step", &figures);
    if !json {
        println!();
    }
    Ok(figures)
}

/// Shows how the cost of an epoch grows with texts and words.
fn growth(ours: &mut Worker) -> Result<()> {
    println!("an epoch of the compact recipe over so many texts of IMDB and at most so many words of each");
    println!("  {:>6} {:>6} {:>10} {:>9} {:>8}", "texts", "words", "all words", "ms", "ns/word");
    for (texts, longest) in [(5_000, 100), (5_000, 200), (5_000, 400), (10_000, 400), (20_000, 400)] {
        let [milliseconds, words] = ours.numbers(&format!("size {texts} {longest}"))?;
        let nanoseconds = milliseconds * 1e6 / words;
        println!("  {texts:>6} {longest:>6} {words:>10} {milliseconds:>9.1} {nanoseconds:>8.1}");
    }
    println!();
    Ok(())
}

/// The least, the median and the largest.
fn spread(figures: impl IntoIterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    [sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1]]
}

fn show(json: bool, title: &str, rounds: &Rounds) {
    if json {
        return;
    }
    let Some((first, of_first)) = rounds.first() else { return };
    println!(
        "{title}\n  {:<10} {:>9} {:>9} {:>9}   times {first}: least, median, most",
        "", "least", "median", "most"
    );
    for (name, figures) in rounds {
        let [least, median, most] = spread(figures.iter().copied());
        print!("  {name:<10} {least:>9.2} {median:>9.2} {most:>9.2}");
        if name != first {
            let [least, median, most] =
                spread(figures.iter().zip(of_first).map(|(figure, first)| figure / first));
            print!("   {least:.2} {median:.2} {most:.2}");
        }
        println!();
    }
}

fn medians(rounds: &Rounds) -> Value {
    let medians = rounds.iter().map(|(name, figures)| {
        let [_, median, _] = spread(figures.iter().copied());
        (format!("{}_ms", name.replace(' ', "_")), json!(median))
    });
    Value::Object(medians.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_sorted_figures() {
        assert_eq!(spread([3.0, 1.0, 2.0, 5.0, 4.0]), [1.0, 3.0, 5.0]);
    }

    #[test]
    fn a_step_is_compared_with_its_products_round_by_round() {
        let of = |name: &str, figures: [f64; 3]| (name.to_owned(), figures.to_vec());
        let rounds = vec![of("ours", [10.0, 12.0, 30.0]), of(PRODUCTS, [5.0, 4.0, 20.0])];
        assert_eq!(times_products(&rounds), [1.5, 2.0, 3.0]);
    }

    #[test]
    fn medians_carry_the_part_s_name() {
        let rounds =
            vec![("ours 4k".to_owned(), vec![2.0, 1.0, 3.0]), ("keras".to_owned(), vec![9.0, 8.0, 7.0])];
        assert_eq!(medians(&rounds), json!({ "ours_4k_ms": 2.0, "keras_ms": 8.0 }));
    }
}
