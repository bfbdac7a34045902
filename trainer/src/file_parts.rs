//! Where the bytes of a model file go.

use kilornn::Model;
use kilornn::layers::Embedding;
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
    let (mut kernels, mut biases) = (0, 0);
    let mut width = contents.width();
    for layer in contents.layers.iter() {
        // The biases of gates are in their kernel, in front of the weights; behind it are rows of a folded embedding.
        let kernel = layer.kernel_len(width);
        kernels += kernel;
        biases += layer.weights().len() - kernel;
        width = layer.units();
    }
    let text = contents.text();
    let vocabulary = text.map(|text| text.vocabulary);
    let embedding = text.map_or(0, |text| match &text.embedding {
        Embedding::Folded => 0,
        Embedding::Projected { table, .. } => table.bytes().len(),
    });
    let states = text.and_then(|text| text.sequence.padding.as_ref()?.states().copied());
    let dense = contents.dense().map_or(0, |dense| dense.kernel.len() + dense.bias.len());
    let mut parts = vec![
        FilePart { part: "vocabulary: pilots", bytes: vocabulary.map_or(0, |v| v.pilots.len()) },
        FilePart { part: "vocabulary: fingerprints", bytes: vocabulary.map_or(0, |v| v.fingerprints.len()) },
        FilePart { part: "embedding", bytes: embedding },
        FilePart { part: "recurrent and input kernel", bytes: kernels },
        FilePart { part: "biases (of every word, if folded)", bytes: biases },
        FilePart { part: "dense layer", bytes: dense },
        FilePart { part: "pad states", bytes: states.map_or(0, |states| states.states.len()) },
    ];
    let tables: usize = parts.iter().map(|part| part.bytes).sum();
    parts.push(FilePart { part: "labels, header, checksum", bytes: bytes - tables });
    parts
}
