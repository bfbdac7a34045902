//! What a model says of a text, independent of the classifier that said it.

use kilornn::Prediction;

/// A prediction that borrows nothing: of the host's runtime, or of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedPrediction {
    /// The most probable class.
    pub class: u32,
    /// Its probability.
    pub score: f32,
    /// Words of the text.
    pub words: u32,
    /// Those in the vocabulary.
    pub known_words: u32,
    /// Integer logits. The runtime has one for each output of the model, which is a single one for two classes; a device
    /// tells one for each class that it was asked for. [`per_class`](crate::compare::per_class) makes them comparable.
    pub logits: Vec<i32>,
}

impl From<&Prediction<'_>> for OwnedPrediction {
    fn from(prediction: &Prediction<'_>) -> Self {
        Self {
            class: prediction.class(),
            score: prediction.score(),
            words: prediction.words(),
            known_words: prediction.known_words(),
            logits: prediction.logits().collect(),
        }
    }
}

/// A prediction of a device over its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What it says. The logits are those of the classes that were asked for.
    pub prediction: OwnedPrediction,
    /// The probabilities of the same classes.
    pub probabilities: Vec<f32>,
    /// Ticks of the device's clock that the classifier took.
    pub ticks: u64,
}

/// A prediction of an emulated device, where instructions are counted. The files of batch mode have neither probability
/// nor known words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The most probable class.
    pub class: u32,
    /// Words of the text.
    pub words: u32,
    /// Integer logits, one for each output of the model or one for each class.
    pub logits: Vec<i32>,
    /// Instructions spent in the classifier, reading the clock twice per kilobyte of text included.
    pub instructions: u64,
}
