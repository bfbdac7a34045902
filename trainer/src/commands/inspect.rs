//! `kilornn inspect`: what is in a model file.

use std::path::PathBuf;

use anyhow::{Result, bail};
use kilornn::layers::{Activation, Embedding, Layer, Order};
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
    /// Of the last layer, as the next two.
    units: u32,
    activation: &'static str,
    order: Option<&'static str>,
    /// All recurrent layers, from the lowest up.
    layers: Vec<LayerReport>,
    /// Bytes of RAM that a session needs on this machine; other cores need other scratch memory.
    workspace: usize,
    outputs: u32,
    parts: Vec<FilePart>,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
struct LayerReport {
    cell: &'static str,
    units: u32,
    activation: &'static str,
    /// How the weights of a SimpleRNN lie.
    order: Option<&'static str>,
    /// Bits of a state below one, where states have 16.
    state_bits: Option<u8>,
}

impl LayerReport {
    fn of(layer: &Layer<'_>) -> Self {
        let (activation, order) = match layer {
            Layer::SimpleRnn(rnn) => {
                let order = match rnn.order {
                    Order::Columns => "columns",
                    Order::Pairs => "pairs",
                };
                (if rnn.activation == Activation::Relu { "relu" } else { "tanh" }, Some(order))
            }
            _ => ("tanh", None),
        };
        let state_bits = layer.state_bits().map(|bits| bits.saturating_sub(layer.limit_bits()));
        Self { cell: layer.name(), units: layer.units(), activation, order, state_bits }
    }

    /// For people.
    fn shown(&self) -> String {
        let Self { cell, units, activation, order, state_bits } = self;
        match (order, state_bits) {
            (Some("columns"), _) => format!("{cell} of {units} {activation} units (zeros are left out)"),
            (Some(_), _) => format!("{cell} of {units} {activation} units (all states are read, in pairs)"),
            (None, Some(bits)) => format!("{cell} of {units} units (states of 16 bits, {bits} below one)"),
            (None, None) => format!("{cell} of {units} units"),
        }
    }
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
    let Some(text) = contents.text() else { bail!("this version of kilornn knows no such input") };
    let (embedding, embedding_bits) = match &text.embedding {
        Embedding::Folded => ("folded", 8),
        Embedding::Projected { table, .. } => ("projected", table.bits()),
    };
    let layers: Vec<LayerReport> = contents.layers.iter().map(LayerReport::of).collect();
    let last = layers.last().copied().unwrap_or_default();
    let report = Report {
        bytes: bytes.len(),
        version: file::version(contents),
        labels: labels(&model),
        unit: match text.normalization.unit {
            Unit::Word => "word",
            Unit::Character => "character",
            Unit::WordPair => "word and pair",
            Unit::CharacterPair => "character and pair",
        },
        lowercase: match text.normalization.lowercase {
            Lowercase::Off => "none",
            Lowercase::Ascii => "ascii",
            Lowercase::Unicode => "unicode",
        },
        slots: text.vocabulary.slots,
        fingerprint_bits: 8 * text.vocabulary.fingerprints.len() / (text.vocabulary.slots as usize).max(1),
        unknown_words: match text.unknown {
            Unknown::Drop => "dropped",
            Unknown::Row => "one row",
        },
        maxlen: text.sequence.maxlen,
        truncating: match text.sequence.truncating {
            Truncating::Pre => "pre",
            Truncating::Post => "post",
        },
        pads_are_read: text.sequence.padding.is_some(),
        window: text.sequence.window(),
        embedding,
        embedding_width: text.embedding.width(),
        embedding_bits,
        units: last.units,
        activation: last.activation,
        order: last.order,
        layers,
        workspace: model.workspace(),
        outputs: contents.dense().map_or(0, |dense| dense.outputs),
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
    let layers: Vec<String> = report.layers.iter().map(LayerReport::shown).collect();
    console.say(format!(
        "network     embedding {}{width}, {}, Dense of {}",
        report.embedding,
        layers.join(", "),
        report.outputs
    ))?;
    for FilePart { part, bytes } in &report.parts {
        console.say(format!("{:>12}  {part}", grouped(*bytes)))?;
    }
    Ok(())
}
