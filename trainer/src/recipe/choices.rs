//! What keys can be set to, where it is not a number or a text.

use super::keys::{Value, choices};

choices! {
    /// What becomes of words that are not in the vocabulary.
    pub enum UnknownWords {
        /// They are left out (Keras without `oov_token`).
        Drop = "drop",
        /// They share one row of the embedding (Keras's `oov_token`).
        Row = "row",
    }

    /// Which letters are lower-cased.
    pub enum Letters {
        /// None.
        None = "none",
        /// A to Z: spares the device `core`'s case tables.
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

    /// What stands in front of short texts.
    pub enum Pads {
        /// Nothing that the network sees (Keras's `mask_zero=True`).
        Masked = "masked",
        /// Pads up to `maxlen`, over which the network runs as over words (Keras's default).
        Tokens = "tokens",
    }

    /// What a hidden unit does with the sum of its inputs. (Keras's `SimpleRNN` has tanh by default; ReLU is cheaper on
    /// the device, since most of its states are zero.)
    pub enum Activation {
        /// `max(0, x)`
        Relu = "relu",
        /// `tanh(x)`
        Tanh = "tanh",
    }

    /// How the recurrent kernel starts.
    pub enum RecurrentInitializer {
        /// A random orthogonal matrix (Saxe et al. 2014), Keras's default.
        Orthogonal = "orthogonal",
        /// 0.9 times the identity and a little noise, after the IRNN of Le, Jaitly and Hinton 2015.
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
        /// Keras's SGD: gradient descent, with momentum and Nesterov's form of it where asked for.
        Sgd = "sgd",
    }

    /// How the learning rate falls.
    pub enum Schedule {
        /// Not at all.
        Constant = "constant",
        /// Along half a cosine, to zero at the end.
        Cosine = "cosine",
    }

    /// Whether embedding and input kernel are multiplied out.
    pub enum Fold {
        /// If the table is no larger for it, or fewer instructions are worth the flash (up to 1 MiB).
        Auto = "auto",
        /// Yes.
        Always = "always",
        /// No.
        Never = "never",
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
