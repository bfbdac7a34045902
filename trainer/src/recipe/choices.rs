//! What keys can be set to, where it is not a number or a text.

use toml::Value as Toml;

use super::keys::{Choice, Value, choices, unknown_word};

choices! {
    /// How the words of the vocabulary are selected.
    pub enum VocabularyBy {
        /// The most frequent ones, as in Keras.
        Frequency = "frequency",
        /// Those whose presence says most about the class of a text (Dunning's log-likelihood ratio).
        Information = "information",
    }

    /// What is done with words that are not in the vocabulary.
    pub enum UnknownWords {
        /// They are left out (Keras without `oov_token`).
        Drop = "drop",
        /// They share one row of the embedding (Keras's `oov_token`).
        Row = "row",
    }

    /// How words are looked up in training.
    pub enum Lookup {
        /// Exactly: only words of the vocabulary are found.
        Exact = "exact",
        /// As on the device, by fingerprints, which sometimes take an unknown word for a known one: the network learns to
        /// cope with that. It matters most for pairs, since nearly every pair of a text is unknown.
        Device = "device",
    }

    /// Which letters are lower-cased.
    pub enum Letters {
        /// None.
        None = "none",
        /// A to Z: saves the device Unicode's case tables.
        Ascii = "ascii",
        /// All.
        Unicode = "unicode",
    }

    /// An end of a text.
    pub enum End {
        /// The beginning.
        Pre = "pre",
        /// The end.
        Post = "post",
    }

    /// How short texts are padded, in front.
    pub enum Pads {
        /// With steps that the network skips (Keras's `mask_zero=True`).
        Masked = "masked",
        /// With pads up to `maxlen`, which the network reads like words (Keras's default).
        Tokens = "tokens",
    }

    /// The cell of a recurrent layer.
    pub enum CellKind {
        /// Keras's `SimpleRNN`, with the activation that `activation` says.
        SimpleRnn = "simple-rnn",
        /// Keras's `GRU` with `reset_after=True` (Cho et al. 2014).
        Gru = "gru",
        /// Keras's `LSTM` (Hochreiter and Schmidhuber 1997).
        Lstm = "lstm",
        /// EdgeML's `FastGRNN` (Kusupati et al. 2018): one pair of kernels for gate and candidate.
        FastGrnn = "fastgrnn",
    }

    /// The activation of hidden units. (Keras's `SimpleRNN` has tanh by default; ReLU is cheaper on
    /// the device, since most of its states are zero.)
    pub enum Activation {
        /// `max(0, x)`
        Relu = "relu",
        /// `tanh(x)`
        Tanh = "tanh",
    }

    /// The initial recurrent kernel.
    pub enum RecurrentInitializer {
        /// A random orthogonal matrix (Saxe et al. 2014), Keras's default. The kernels of all gates are one matrix,
        /// whose rows are orthonormal.
        Orthogonal = "orthogonal",
        /// 0.9 times the identity and a little noise, after the IRNN of Le, Jaitly and Hinton 2015. Other cells, which
        /// remember by their gates, begin with an orthogonal matrix instead.
        Identity = "identity",
    }

    /// Optimizers.
    pub enum OptimizerKind {
        /// Keras 3's RMSprop: epsilon inside the root, no momentum.
        Rmsprop = "rmsprop",
        /// Keras 3's Adam (Kingma and Ba 2015): epsilon beside the root.
        Adam = "adam",
        /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
        Adamw = "adamw",
        /// Keras's SGD: gradient descent, with momentum and Nesterov momentum if asked for.
        Sgd = "sgd",
    }

    /// Which gradients of the embedding RMSprop squares.
    pub enum EmbeddingSquares {
        /// The gradient of a word in the whole batch, as in Keras's `rmsprop.py`, and in Keras on PyTorch.
        Batch = "batch",
        /// The gradient of each occurrence of the word; the squares are added up. So does Keras on TensorFlow.
        Occurrence = "occurrence",
    }

    /// The schedule of the learning rate.
    pub enum Schedule {
        /// It stays the same.
        Constant = "constant",
        /// It falls along half a cosine, to zero at the end.
        Cosine = "cosine",
        /// It falls by a factor whenever the validation loss has not improved for some epochs (Keras's
        /// `ReduceLROnPlateau`).
        Plateau = "plateau",
    }

    /// A teacher, from whose probabilities the network learns.
    pub enum Teacher {
        /// No teacher.
        None = "none",
        /// Two linear models over word n-grams (tf-idf, and naive Bayes' log-count ratios), which judge texts that they
        /// have not learned from, and the unlabelled ones (`kilornn train --unlabelled FILE`).
        Ngrams = "ngrams",
    }

    /// Which of the training texts validate.
    pub enum Validation {
        /// The last ones of the file, before shuffling, as in Keras.
        Last = "last",
        /// Random ones, drawn by the seed.
        Random = "random",
        /// Whole groups, drawn by the seed until they reach the fraction: `kilornn train --group NAME` says which text
        /// is of which group.
        Groups = "groups",
    }

    /// What must improve for training to go on (Keras's `EarlyStopping` with `restore_best_weights=True`).
    pub enum EarlyStopping {
        /// Nothing: all epochs are trained, and the last one counts.
        None = "none",
        /// The loss on the validation texts.
        Loss = "val_loss",
        /// The accuracy on the validation texts.
        Accuracy = "val_accuracy",
    }

    /// Whether the embedding is folded.
    pub enum Fold {
        /// If the folded table is not larger, or takes at most 1 MiB: it saves instructions.
        Auto = "auto",
        /// Yes.
        Always = "always",
        /// No.
        Never = "never",
    }
}

impl CellKind {
    /// For a sentence: `a GRU`.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::SimpleRnn => "a SimpleRNN",
            Self::Gru => "a GRU",
            Self::Lstm => "an LSTM",
            Self::FastGrnn => "a FastGRNN",
        }
    }
}

impl From<UnknownWords> for kilornn::Unknown {
    fn from(words: UnknownWords) -> Self {
        match words {
            UnknownWords::Drop => Self::Drop,
            UnknownWords::Row => Self::Row,
        }
    }
}

impl From<End> for kilornn::Truncating {
    fn from(end: End) -> Self {
        match end {
            End::Pre => Self::Pre,
            End::Post => Self::Post,
        }
    }
}

impl From<Activation> for kilornn::layers::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Tanh => Self::Tanh,
        }
    }
}

/// Bits of a number of an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum EmbeddingBits {
    /// -7 to 7.
    Four,
    /// -127 to 127.
    Eight,
}

impl TryFrom<u8> for EmbeddingBits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        match bits {
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(format!("embedding_bits must be 4 or 8, not {bits}")),
        }
    }
}

impl From<EmbeddingBits> for u8 {
    fn from(bits: EmbeddingBits) -> Self {
        match bits {
            EmbeddingBits::Four => 4,
            EmbeddingBits::Eight => 8,
        }
    }
}

impl Value for EmbeddingBits {}

/// What examples count in training, by their class.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Toml", into = "Toml")]
pub enum ClassWeights {
    /// All the same.
    None,
    /// Each class as much as the others together: `examples / (classes · examples of the class)`.
    Balanced,
    /// As given, in the order of the classes.
    Given(Vec<f32>),
}

impl Value for ClassWeights {
    const CHOICES: &'static [Choice] = &[
        ("none", &["All examples count the same."]),
        ("balanced", &["Each class counts the same: `examples / (classes * examples of the class)`."]),
    ];
}

impl TryFrom<Toml> for ClassWeights {
    type Error = String;

    fn try_from(value: Toml) -> Result<Self, String> {
        match value {
            Toml::String(word) if word == "none" => Ok(Self::None),
            Toml::String(word) if word == "balanced" => Ok(Self::Balanced),
            Toml::String(word) => {
                Err(unknown_word::<Self>(&word) + ", or a list with a weight for each class")
            }
            list => {
                let weights: Vec<f32> =
                    list.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?;
                let sound = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
                let sound = sound && weights.iter().any(|weight| *weight > 0.0);
                if sound {
                    Ok(Self::Given(weights))
                } else {
                    Err("weights must be 0 or more, and not all 0".into())
                }
            }
        }
    }
}

impl From<ClassWeights> for Toml {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::None => "none".into(),
            ClassWeights::Balanced => "balanced".into(),
            ClassWeights::Given(weights) => weights.into(),
        }
    }
}

impl ClassWeights {
    /// The weight of each class, given the classes of the examples to train on.
    ///
    /// # Errors
    ///
    /// If there are more or fewer weights than classes.
    pub fn of_classes(&self, classes: usize, examples: &[usize]) -> Result<Vec<f32>, String> {
        match self {
            Self::None => Ok(vec![1.0; classes]),
            Self::Balanced => {
                let mut counts = vec![0_usize; classes];
                examples.iter().for_each(|&class| counts[class] += 1);
                let weight = |count: usize| examples.len() as f64 / (classes * count.max(1)) as f64;
                Ok(counts.into_iter().map(|count| weight(count) as f32).collect())
            }
            Self::Given(weights) if weights.len() == classes => Ok(weights.clone()),
            Self::Given(weights) => {
                Err(format!("class_weight has {} weights, but there are {classes} classes", weights.len()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_are_scikit_learn_s() {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 1, 2])
        let weights = ClassWeights::Balanced.of_classes(3, &[0, 0, 0, 1, 1, 2]).unwrap();
        assert_eq!(weights, [6.0 / 9.0, 1.0, 2.0]);
        assert_eq!(ClassWeights::None.of_classes(2, &[0]).unwrap(), [1.0, 1.0]);
        let given = ClassWeights::Given(vec![1.0, 2.0]);
        assert_eq!(given.of_classes(2, &[0, 1]).unwrap(), [1.0, 2.0]);
        assert!(given.of_classes(3, &[]).unwrap_err().contains("2 weights, but there are 3 classes"));
    }

    #[test]
    fn class_weights_are_words_or_lists() {
        let read = |toml: &str| ClassWeights::try_from(toml.parse::<Toml>().unwrap());
        assert_eq!(read("\"balanced\""), Ok(ClassWeights::Balanced));
        assert_eq!(read("[1, 2.5]"), Ok(ClassWeights::Given(vec![1.0, 2.5])));
        assert!(read("\"balance\"").unwrap_err().contains("(did you mean `balanced`?)"));
        assert!(read("[1, -1]").is_err() && read("[0, 0]").is_err() && read("3").is_err());
    }
}
