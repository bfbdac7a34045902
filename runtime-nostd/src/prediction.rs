//! What the model says of a text.

use crate::probability::{exp, sigmoid};
use crate::{Model, Values};

/// What the model says of one text: the most probable class, probabilities, logits, and the number of words.
///
/// It borrows the last hidden state of the classifier and computes logits from it on each call. So it takes no memory
/// for them, however many classes there are.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
/// # let model = kilornn::Model::from_bytes(BYTES)?;
/// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
/// classifier.push("The service was not good.");
/// let prediction = classifier.finish();
/// assert_eq!((prediction.label(), prediction.class()), ("negative", 0));
/// assert!(prediction.score() > 0.5);
/// assert_eq!(prediction.words(), 5);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Prediction<'c> {
    model: &'c Model<'c>,
    state: Values<'c>,
    class: u32,
    words: u32,
    known: u32,
}

/// The class, its label and the counts of words, not the score: that would take floating point.
#[cfg(feature = "defmt")]
impl defmt::Format for Prediction<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let Self { class, words, known, .. } = self;
        defmt::write!(
            f,
            "Prediction {{ class: {}, label: {}, words: {}, known_words: {} }}",
            class,
            self.label(),
            words,
            known
        );
    }
}

impl<'c> Prediction<'c> {
    pub(crate) fn new(model: &'c Model<'c>, state: Values<'c>, words: u32, known: u32) -> Self {
        let mut prediction = Self { model, state, class: 0, words, known };
        prediction.class = prediction.best();
        prediction
    }

    /// The class with the largest logit, and of equal logits the first. With a single logit, class 1 if it is positive:
    /// zero, a probability of exactly one half, is class 0, as in Keras.
    fn best(&self) -> u32 {
        let dense = self.model.dense();
        if dense.outputs == 1 {
            return u32::from(dense.logit(0, self.state) > 0);
        }
        let mut best = (0, i32::MIN);
        for (class, logit) in (0..).zip(self.logits()) {
            if logit > best.1 {
                best = (class, logit);
            }
        }
        best.0
    }

    /// The number of the most probable class, from 0. See [`Prediction`] for an example.
    #[must_use]
    pub const fn class(&self) -> u32 {
        self.class
    }

    /// The name of the most probable class. See [`Prediction`] for an example.
    #[must_use]
    pub fn label(&self) -> &'c str {
        self.model.label(self.class)
    }

    /// The probability of the most probable class, between 0 and 1 and right to three digits. This takes floating point.
    /// See [`Prediction`] for an example.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.probability(self.class)
    }

    /// The probability of a class, between 0 and 1: the sigmoid or softmax of the logits; 0 if there is no such class.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// classifier.push("fine");
    /// let prediction = classifier.finish();
    /// let sum = prediction.probability(0) + prediction.probability(1);
    /// assert!((sum - 1.0).abs() < 1e-6);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn probability(&self, class: u32) -> f32 {
        let dense = self.model.dense();
        let logit = |output| dense.logit(output, self.state);
        match (dense.outputs, class) {
            (1, 0) => sigmoid(-(logit(0) as f32 * dense.scale)),
            (1, 1) => sigmoid(logit(0) as f32 * dense.scale),
            (outputs, class) if class < outputs && outputs > 1 => {
                let largest = logit(self.class);
                // The difference of integers: that of floats could be one of two infinities.
                let term = |output| exp(logit(output).saturating_sub(largest) as f32 * dense.scale);
                let sum: f32 = (0..outputs).map(term).sum();
                term(class) / sum
            }
            _ => 0.0,
        }
    }

    /// The integer logits: one for a model with a single output, otherwise one for each class. They are the same on every
    /// target. Multiplied by [`Dense::scale`](crate::layers::Dense::scale) they are real logits.
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// classifier.push("wonderful");
    /// assert!(classifier.finish().logits().next() > Some(0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn logits(&self) -> impl Iterator<Item = i32> + use<'c> {
        let Self { model, state, .. } = *self;
        let dense = model.dense();
        (0..dense.outputs).map(move |output| dense.logit(output, state))
    }

    /// The number of words in the text. See [`Prediction`] for an example.
    #[must_use]
    pub const fn words(&self) -> u32 {
        self.words
    }

    /// The number of words in the text that are in the vocabulary. If it is 0, the prediction says nothing about the text:
    /// it follows from the biases alone (and from pads or from the row of unknown words, if the model has them).
    ///
    /// ```
    /// # fn main() -> Result<(), kilornn::Error> {
    /// # static BYTES: &[u8] = kilornn::include_model!("../docs/starter.kilo");
    /// # let model = kilornn::Model::from_bytes(BYTES)?;
    /// # let mut classifier: kilornn::Classifier<32> = kilornn::Classifier::new(&model)?;
    /// classifier.push("a flibbertigibbet");
    /// let prediction = classifier.finish();
    /// assert_eq!((prediction.words(), prediction.known_words()), (2, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn known_words(&self) -> u32 {
        self.known
    }
}
