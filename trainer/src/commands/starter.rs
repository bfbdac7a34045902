//! `kilornn starter`: the project's own small corpus.

use std::path::PathBuf;

use anyhow::Result;

use super::{Console, grouped};
use crate::data::Example;
use crate::data::starter::{LABELS, generate};
use crate::error::InputError;
use crate::run_folder::write_whole;

/// Write the starter corpus: generated English sentences of praise and complaint.
///
/// It is there so that everything can be tried without data at hand. It is not a benchmark, and a
/// model trained on it knows little of what people really write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write train.tsv, dev.tsv, test.tsv and labels.txt to
    folder: PathBuf,
    /// Another seed gives other sentences
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`] if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let corpus = generate(args.seed);
    std::fs::create_dir_all(&args.folder).map_err(|e| InputError::in_file(&args.folder, e.to_string()))?;
    for (name, examples) in [("train", &corpus.train), ("dev", &corpus.dev), ("test", &corpus.test)] {
        write_whole(&args.folder.join(format!("{name}.tsv")), tsv(examples).as_bytes())?;
    }
    write_whole(&args.folder.join("labels.txt"), format!("{}\n", LABELS.join("\n")).as_bytes())?;
    let counts = [corpus.train.len(), corpus.dev.len(), corpus.test.len()].map(grouped);
    let [train, dev, test] = counts;
    Console { json: false }
        .say(format!("{}: {train} train, {dev} dev, {test} test sentences", args.folder.display()))
}

fn tsv(examples: &[Example]) -> String {
    let lines = examples.iter().map(|Example { class, text, .. }| format!("{class}\t{text}\n"));
    std::iter::once("label\ttext\n".to_owned()).chain(lines).collect()
}
