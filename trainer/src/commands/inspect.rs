//! `kilornn inspect`: what is in a model file.

use std::path::PathBuf;

use anyhow::Result;
use kilornn::layers::Embedding;
use kilornn::text::{Lowercase, Unit};
use kilornn::{Truncating, Unknown, file};
use serde::Serialize;

use super::{Console, grouped, labels, parse_model, read_model};

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
    embedding_width: u32,
    units: u32,
    outputs: u32,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    part: &'static str,
    bytes: usize,
}

/// Inspects.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let (path, bytes) = read_model(&args.model)?;
    let model = parse_model(&path, &bytes)?;
    let contents = model.contents();
    let (embedding, width, table) = match contents.embedding {
        Embedding::Folded { table } => ("folded", contents.rnn.units, table.len()),
        Embedding::Projected { width, table, kernel, bias } => {
            ("projected", width, table.len() + kernel.len() + bias.len())
        }
    };
    let mut parts = vec![
        Part { part: "vocabulary: pilots", bytes: contents.vocabulary.pilots.len() },
        Part { part: "vocabulary: fingerprints", bytes: contents.vocabulary.fingerprints.len() },
        Part { part: "embedding and input kernel", bytes: table },
        Part { part: "recurrent kernel", bytes: contents.rnn.kernel.len() },
        Part { part: "dense layer", bytes: contents.dense.kernel.len() + contents.dense.bias.len() },
        Part { part: "pad states", bytes: contents.sequence.padding.map_or(0, |p| p.states.len()) },
    ];
    let tables: usize = parts.iter().map(|part| part.bytes).sum();
    parts.push(Part { part: "labels, header, checksum", bytes: bytes.len() - tables });
    let report = Report {
        bytes: bytes.len(),
        version: file::VERSION,
        labels: labels(&model),
        unit: match contents.normalization.unit {
            Unit::Word => "word",
            Unit::Character => "character",
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
        embedding_width: width,
        units: contents.rnn.units,
        outputs: contents.dense.outputs,
        parts,
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
    console.say(format!(
        "network     embedding {} ({} wide), SimpleRNN of {} ReLU units, Dense of {}",
        report.embedding, report.embedding_width, report.units, report.outputs
    ))?;
    for Part { part, bytes } in &report.parts {
        console.say(format!("{:>12}  {part}", grouped(*bytes)))?;
    }
    Ok(())
}
