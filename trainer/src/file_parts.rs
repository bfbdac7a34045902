//! Where the bytes of a model file go.

use kilornn::Model;
use kilornn::layers::{Embedding, Table};
use serde::Serialize;

/// A part of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct FilePart {
    /// What they are.
    pub part: &'static str,
    /// How many.
    pub bytes: usize,
}

/// The parts of a model whose file has so many `bytes`. They add up to these.
pub(crate) fn of(model: &Model<'_>, bytes: usize) -> Vec<FilePart> {
    let contents = model.contents();
    let rnn = &contents.rnn;
    let kernel = contents.inputs() as usize * rnn.units as usize;
    let biases = rnn.weights.len() - kernel;
    let embedding = match &contents.embedding {
        Embedding::Folded => &Table::Int8(&[]),
        Embedding::Projected { table, .. } => table,
    };
    let mut parts = vec![
        FilePart { part: "vocabulary: pilots", bytes: contents.vocabulary.pilots.len() },
        FilePart { part: "vocabulary: fingerprints", bytes: contents.vocabulary.fingerprints.len() },
        FilePart { part: "embedding", bytes: embedding.bytes().len() },
        FilePart { part: "recurrent and input kernel", bytes: kernel },
        FilePart { part: "biases (of every word, if folded)", bytes: biases },
        FilePart { part: "dense layer", bytes: contents.dense.kernel.len() + contents.dense.bias.len() },
        FilePart { part: "pad states", bytes: contents.sequence.padding.map_or(0, |p| p.states.len()) },
    ];
    let tables: usize = parts.iter().map(|part| part.bytes).sum();
    parts.push(FilePart { part: "labels, header, checksum", bytes: bytes - tables });
    parts
}
