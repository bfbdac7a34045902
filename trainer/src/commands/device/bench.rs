//! `kilornn device TARGET bench`: the time that a device takes.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use kilornn_host::compare;
use kilornn_host::cost::{self, Cost};
use serde::Serialize;

use super::{Session, info, shown};
use crate::data::{self, Form, starter};
use crate::numbers::grouped;
use crate::progress;

/// Measure how long the device takes: for a text, for a word, and for what is on the line
///
/// The device's own clock times the texts. Times with the line are the host's: a text goes in pieces of 256 bytes, each of
/// which waits for its answer. In QEMU instructions are exact, the device's times follow from them, and the line has no
/// speed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many texts
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    texts: u32,
    /// Texts from this file rather than from the starter corpus
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// How --data is to be read.
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Serialize)]
struct Report {
    target: String,
    board: String,
    firmware: String,
    /// None in QEMU.
    baud: Option<u32>,
    texts: usize,
    text_bytes: usize,
    words: u64,
    milliseconds_per_text: f64,
    milliseconds_per_text_with_line: f64,
    microseconds_per_word: f64,
    words_per_second: f64,
    instructions_per_word: Option<f64>,
    milliseconds_round_trip: f64,
    line_bytes_per_second: f64,
    frames_repeated: u64,
}

/// Measures.
pub(super) fn run(args: &Args, open: impl FnOnce() -> Result<Session>) -> Result<()> {
    let mut texts = match &args.data {
        Some(path) => data::read_unlabelled(path, &args.form)?,
        None => starter::generate(0).test.into_iter().map(|example| example.text).collect(),
    };
    texts.truncate(args.texts as usize);
    ensure!(!texts.is_empty(), "there are no texts to classify");
    let mut session = open()?;
    session.classes()?;

    let begun = Instant::now();
    let progress = progress::bar(session.target.as_str(), texts.len(), "texts");
    let answers = compare::classify(&mut session.client, 0, &texts, || progress.inc(1))?;
    progress.finish_and_clear();
    let with_line = begun.elapsed().div_f64(texts.len() as f64);
    let round_trip = cost::round_trip(&mut session.client)?;
    let rate = cost::bytes_per_second(&mut session.client)?;

    let Cost { words, per_text, per_word, instructions_per_word, words_per_second } = session.cost(&answers);
    let bytes: usize = texts.iter().map(String::len).sum();
    let repeated = session.client.traffic().repeated;
    let (info, baud, console) = (&session.info, session.client.baud(), session.console);

    let line = baud.map_or_else(|| "in QEMU, without a speed".to_owned(), |baud| format!("{baud} baud"));
    let corpus = match &args.data {
        Some(path) => path.display().to_string(),
        None => "the starter corpus".to_owned(),
    };
    let mut rows = vec![
        ("device", format!("{}, firmware {}", info.board, info.firmware)),
        ("model", info::described(info)),
        ("line", format!("{}, {line}", session.target)),
        (
            "texts",
            format!(
                "{} of {corpus}, {} words, {} bytes",
                grouped(texts.len()),
                grouped(words as usize),
                grouped(bytes)
            ),
        ),
        ("a text", format!("{} on the device, {} with the line", shown(per_text), shown(with_line))),
        (
            "a word",
            format!(
                "{} on the device, {} words a second",
                shown(per_word),
                grouped(words_per_second as usize)
            ),
        ),
    ];
    if let Some(instructions) = instructions_per_word {
        rows.push(("", format!("{instructions:.0} instructions")));
    }
    rows.push(("a request", format!("{} there and back", shown(round_trip))));
    rows.push(("the line", format!("{} bytes a second to the device", grouped(rate as usize))));
    if repeated > 0 {
        rows.push((
            "",
            format!(
                "{} requests were sent again, whose waiting is in these times",
                grouped(repeated as usize)
            ),
        ));
    }
    if !console.json {
        for (name, value) in rows {
            console.say(format!("{name:<9}  {value}"))?;
        }
    }
    console.conclude(&Report {
        target: session.target.clone(),
        board: info.board.clone(),
        firmware: info.firmware.clone(),
        baud,
        texts: texts.len(),
        text_bytes: bytes,
        words,
        milliseconds_per_text: 1e3 * per_text.as_secs_f64(),
        milliseconds_per_text_with_line: 1e3 * with_line.as_secs_f64(),
        microseconds_per_word: 1e6 * per_word.as_secs_f64(),
        words_per_second,
        instructions_per_word,
        milliseconds_round_trip: 1e3 * round_trip.as_secs_f64(),
        line_bytes_per_second: rate,
        frames_repeated: repeated,
    })
}
