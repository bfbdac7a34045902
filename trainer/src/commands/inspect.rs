//! `kilornn inspect`: what is in a model file.

use std::path::PathBuf;

use anyhow::Result;
use kilornn::layers::{Activation, Embedding, Order, Table};
use kilornn::text::{Lowercase, Unit};
use kilornn::{Truncating, Unknown, file};
use serde::Serialize;

use super::{Console, grouped, labels, parse_model, read_model};
use crate::file_parts::{self, FilePart};

/// Show what is in a model file: classes, text handling, layers, and where its bytes go.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: a .kilo file, or the folder of a run
    model: PathBuf,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    bytes: usize,
    version: u16,
    labels: Vec<String>,
    unit: &'static str,
    lowercase: &'static str,
    slots: u32,
    fingerprint_bits: usize,
    unknown_words: &'static str,
    maxlen: u32,
    truncating: &'static str,
    pads_are_read: bool,
    window: u32,
    embedding: &'static str,
    /// Numbers of a word; none if the embedding is folded.
    embedding_width: u32,
    embedding_bits: u32,
    units: u32,
    activation: &'static str,
    order: &'static str,
    outputs: u32,
    parts: Vec<FilePart>,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let (path, bytes) = read_model(&args.model)?;
    let model = parse_model(&path, &bytes)?;
    let contents = model.contents();
    let rnn = &contents.rnn;
    let (embedding, table) = match &contents.embedding {
        Embedding::Folded => ("folded", &Table::Int8(&[])),
        Embedding::Projected { table, .. } => ("projected", table),
    };
    let report = Report {
        bytes: bytes.len(),
        version: file::version(contents),
        labels: labels(&model),
        unit: match contents.normalization.unit {
            Unit::Word => "word",
            Unit::Character => "character",
            Unit::WordPair => "word and pair",
            Unit::CharacterPair => "character and pair",
        },
        lowercase: match contents.normalization.lowercase {
            Lowercase::Off => "none",
            Lowercase::Ascii => "ascii",
            Lowercase::Unicode => "unicode",
        },
        slots: contents.vocabulary.slots,
        fingerprint_bits: 8 * contents.vocabulary.fingerprints.len()
            / (contents.vocabulary.slots as usize).max(1),
        unknown_words: match contents.unknown {
            Unknown::Drop => "dropped",
            Unknown::Row => "one row",
        },
        maxlen: contents.sequence.maxlen,
        truncating: match contents.sequence.truncating {
            Truncating::Pre => "pre",
            Truncating::Post => "post",
        },
        pads_are_read: contents.sequence.padding.is_some(),
        window: contents.sequence.window(),
        embedding,
        embedding_width: contents.embedding.width(),
        embedding_bits: table.bits(),
        units: rnn.units,
        activation: match rnn.activation {
            Activation::Relu => "relu",
            Activation::Tanh => "tanh",
        },
        order: match rnn.order {
            Order::Columns => "columns",
            Order::Pairs => "pairs",
        },
        outputs: contents.dense.outputs,
        parts: file_parts::of(&model, bytes.len()),
    };
    if !args.json {
        show(console, &path.display().to_string(), &report)?;
    }
    console.conclude(&report)
}

fn show(console: Console, path: &str, report: &Report) -> Result<()> {
    console.say(format!("{path}: {} bytes, format version {}", grouped(report.bytes), report.version))?;
    console.say(format!("classes     {}", report.labels.join(", ")))?;
    console.say(format!("text        {} level, lower-casing {}", report.unit, report.lowercase))?;
    console.say(format!(
        "vocabulary  {} slots, {}-bit fingerprints; unknown words: {}",
        grouped(report.slots as usize),
        report.fingerprint_bits,
        report.unknown_words
    ))?;
    let length = match (report.maxlen, report.truncating) {
        (0, _) => "all words count".to_owned(),
        (n, "pre") => format!("the last {n} words count"),
        (n, _) => format!("the first {n} words count"),
    };
    let pads = if report.pads_are_read { "; shorter texts stand behind pads" } else { "" };
    console.say(format!("sequence    {length}{pads}; the device remembers {} word ids", report.window))?;
    let width = match report.embedding_width {
        0 => String::new(),
        width => format!(" ({width} numbers of {} bits)", report.embedding_bits),
    };
    let states = match report.order {
        "columns" => "zeros are left out",
        _ => "all states are read, in pairs",
    };
    console.say(format!(
        "network     embedding {}{width}, SimpleRNN of {} {} units ({states}), Dense of {}",
        report.embedding, report.units, report.activation, report.outputs
    ))?;
    for FilePart { part, bytes } in &report.parts {
        console.say(format!("{:>12}  {part}", grouped(*bytes)))?;
    }
    Ok(())
}
