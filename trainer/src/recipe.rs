//! Recipes: everything that decides what a training run does, in one flat TOML table.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::InputError;

/// A recipe. Every key has a default: Keras's, where Keras has the notion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Most words kept, by frequency; 0 keeps all. (Keras's `num_words` is one more.)
    pub vocabulary: usize,
    /// What becomes of other words.
    pub unknown: UnknownWords,
    /// Whether every character is a token.
    pub char_level: bool,
    /// Which letters are lower-cased.
    pub lowercase: Letters,
    /// ASCII characters that separate words, besides the space.
    pub filters: String,
    /// Most words of a text that count; 0 counts all.
    pub maxlen: usize,
    /// Which end of a longer text is cut off.
    pub truncating: End,
    /// What short texts are filled up with, in front.
    pub padding: Pads,

    /// Width of the embedding.
    pub embedding: usize,
    /// Hidden units.
    pub units: usize,
    /// The recurrence's activation.
    pub activation: Activation,
    /// How the recurrent kernel starts.
    pub recurrent_initializer: RecurrentInitializer,

    /// Share of a word's embedding numbers set to zero in training, drawn anew for each batch and word.
    pub embedding_dropout: f32,
    /// Share of words read as unknown in training; needs `unknown = "row"`.
    pub word_dropout: f32,
    /// Share of the last state set to zero in training.
    pub dropout: f32,

    /// The optimizer.
    pub optimizer: OptimizerKind,
    /// Its learning rate (at the start, if it falls).
    pub learning_rate: f32,
    /// How the learning rate falls over the epochs.
    pub schedule: Schedule,
    /// RMSprop's decay of squared gradients.
    pub rho: f32,
    /// Adam's and AdamW's decay of gradients.
    pub beta_1: f32,
    /// Adam's and AdamW's decay of squared gradients.
    pub beta_2: f32,
    /// What keeps the optimizer from dividing by zero.
    pub epsilon: f32,
    /// AdamW's decay of weights (not of biases), a share of the learning rate.
    pub weight_decay: f32,
    /// Most that the norm of all gradients together may be; 0 for no limit.
    pub clip_norm: f32,

    /// Texts in a batch.
    pub batch: usize,
    /// Passes over the training texts.
    pub epochs: usize,
    /// The last fraction of the training texts is kept for validation, as in Keras. With 0 the
    /// `dev` file serves, if there is one.
    pub validation_split: f64,
    /// Whether batches are of texts of about equal length: less padding, so faster.
    pub bucket_by_length: bool,

    /// Epochs at the end in which the forward pass computes with the device's rounded weights,
    /// inputs and states (quantization-aware training).
    pub quantized_epochs: usize,
    /// Whether the exporter multiplies out embedding and input kernel.
    pub fold: Fold,
    /// Bits of a number of the embedding where it does not: 4 or 8.
    pub embedding_bits: EmbeddingBits,
    /// Bits by which the device tells unknown words from known ones: 8 (one unknown word in 256 is
    /// taken for a known one) or 16 (one in 65,536).
    pub fingerprint_bits: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            vocabulary: 0,
            unknown: UnknownWords::Drop,
            char_level: false,
            lowercase: Letters::Unicode,
            filters: "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n".into(),
            maxlen: 0,
            truncating: End::Pre,
            padding: Pads::Masked,
            embedding: 32,
            units: 32,
            activation: Activation::Relu,
            recurrent_initializer: RecurrentInitializer::Orthogonal,
            embedding_dropout: 0.0,
            word_dropout: 0.0,
            dropout: 0.0,
            optimizer: OptimizerKind::Rmsprop,
            learning_rate: 0.001,
            schedule: Schedule::Constant,
            rho: 0.9,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            weight_decay: 0.0,
            clip_norm: 0.0,
            batch: 32,
            epochs: 10,
            validation_split: 0.0,
            bucket_by_length: false,
            quantized_epochs: 0,
            fold: Fold::Auto,
            embedding_bits: EmbeddingBits::Eight,
            fingerprint_bits: 8,
        }
    }
}

/// What becomes of words that are not in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownWords {
    /// They are left out (Keras without `oov_token`).
    Drop,
    /// They share one row of the embedding (Keras's `oov_token`).
    Row,
}

impl From<UnknownWords> for kilornn::Unknown {
    fn from(words: UnknownWords) -> Self {
        match words {
            UnknownWords::Drop => Self::Drop,
            UnknownWords::Row => Self::Row,
        }
    }
}

/// Which letters are lower-cased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Letters {
    /// None.
    None,
    /// A to Z: spares the device `core`'s case tables.
    Ascii,
    /// All.
    Unicode,
}

/// An end of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The beginning.
    Pre,
    /// The end.
    Post,
}

impl From<End> for kilornn::Truncating {
    fn from(end: End) -> Self {
        match end {
            End::Pre => Self::Pre,
            End::Post => Self::Post,
        }
    }
}

/// What stands in front of short texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pads {
    /// Nothing that the network sees (Keras's `mask_zero=True`).
    Masked,
    /// Pads up to `maxlen`, over which the network runs as over words (Keras's default).
    Tokens,
}

/// What a hidden unit does with the sum of its inputs. (Keras's `SimpleRNN` has tanh by default; ReLU is cheaper on
/// the device, since most of its states are zero.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `max(0, x)`
    Relu,
    /// `tanh(x)`
    Tanh,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// How the recurrent kernel starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecurrentInitializer {
    /// A random orthogonal matrix (Saxe et al. 2014), Keras's default.
    Orthogonal,
    /// 0.9 times the identity and a little noise, after the IRNN of Le, Jaitly and Hinton 2015.
    Identity,
}

/// Optimizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Keras 3's RMSprop: epsilon inside the root, no momentum.
    Rmsprop,
    /// Keras's Adam.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw,
}

/// How the learning rate falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Along half a cosine, to zero at the end.
    Cosine,
}

/// Whether embedding and input kernel are multiplied out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fold {
    /// If the table is no larger for it, or fewer instructions are worth the flash (up to 1 MiB).
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// The recipes that come with the program.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("seed", include_str!("../recipes/seed.toml")),
    ("compact", include_str!("../recipes/compact.toml")),
    ("starter", include_str!("../recipes/starter.toml")),
];

impl Recipe {
    /// Finds a recipe by name, or reads a TOML file, and applies `key=value` settings.
    pub fn load(name: &str, settings: &[String]) -> Result<Self, InputError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let toml = match built_in {
            Some((_, toml)) => (*toml).to_owned(),
            None => std::fs::read_to_string(name).map_err(|error| {
                let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
                let reason = format!("{error} (recipes that need no file: {})", names.join(", "));
                InputError::in_file(Path::new(name), reason)
            })?,
        };
        let place = |error: toml::de::Error| match built_in {
            Some(_) => InputError::new(error.to_string()),
            None => InputError::in_file(Path::new(name), error.to_string()),
        };
        let mut table: toml::Table = toml.parse().map_err(place)?;
        for setting in settings {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| InputError::new(format!("--set {setting}: should be key=value")))?;
            // A bare word is a string: `--set optimizer=adamw` needs no quotes within quotes.
            let value = value.parse().unwrap_or_else(|_| toml::Value::String(value.to_owned()));
            table.insert(key.trim().to_owned(), value);
        }
        let recipe: Self = table.try_into().map_err(place)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Parses a recipe.
    pub fn from_toml(toml: &str) -> Result<Self, InputError> {
        let recipe: Self = toml::from_str(toml).map_err(|error| InputError::new(error.to_string()))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The length to which texts are padded with pads that the network reads.
    pub fn pad_to(&self) -> Option<usize> {
        (self.padding == Pads::Tokens).then_some(self.maxlen)
    }

    /// Bytes of a word's fingerprint on the device.
    pub fn fingerprint_bytes(&self) -> usize {
        self.fingerprint_bits / 8
    }

    /// Refuses what cannot be trained or would not run on a device.
    fn check(&self) -> Result<(), InputError> {
        let rule = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(InputError::new(format!("recipe: {what}"))) }
        };
        let share = |x: f32| (0.0..1.0).contains(&x);
        rule((1..=256).contains(&self.units), "units must be 1 to 256")?;
        rule((1..=256).contains(&self.embedding), "embedding must be 1 to 256")?;
        rule(self.maxlen <= 1 << 16, "maxlen must be at most 65536")?;
        rule(self.batch > 0, "batch must be at least 1")?;
        rule(self.epochs > 0, "epochs must be at least 1")?;
        rule(self.quantized_epochs <= self.epochs, "quantized_epochs must be at most epochs")?;
        rule((0.0..1.0).contains(&self.validation_split), "validation_split must be in [0, 1)")?;
        rule(self.learning_rate > 0.0, "learning_rate must be above 0")?;
        rule(share(self.dropout), "dropout must be in [0, 1)")?;
        rule(share(self.embedding_dropout), "embedding_dropout must be in [0, 1)")?;
        rule(share(self.word_dropout), "word_dropout must be in [0, 1)")?;
        rule(matches!(self.fingerprint_bits, 8 | 16), "fingerprint_bits must be 8 or 16")?;
        rule(self.filters.is_ascii(), "filters must be ASCII: the device keeps one bit for each")?;
        rule(
            self.embedding_bits == EmbeddingBits::Eight || self.embedding.is_multiple_of(2),
            "embedding_bits = 4 needs an even embedding: a word's numbers fill whole bytes",
        )?;
        rule(
            self.activation == Activation::Relu
                || self.fold == Fold::Always
                || self.embedding.is_multiple_of(4),
            "activation = \"tanh\" needs an embedding of a multiple of four, or fold = \"always\"",
        )?;
        rule(
            self.word_dropout == 0.0 || self.unknown == UnknownWords::Row,
            "word_dropout needs unknown = \"row\": dropped words are read as unknown",
        )?;
        rule(self.padding == Pads::Masked || self.maxlen > 0, "padding = \"tokens\" needs a maxlen to pad to")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_recipes_are_valid() {
        for (name, _) in BUILT_IN {
            Recipe::load(name, &[]).unwrap();
        }
    }

    #[test]
    fn settings_override() {
        let set = ["epochs=3".to_owned(), "optimizer=adamw".to_owned(), "filters=\".,\"".to_owned()];
        let recipe = Recipe::load("seed", &set).unwrap();
        assert_eq!((recipe.epochs, recipe.optimizer), (3, OptimizerKind::Adamw));
        assert_eq!(recipe.filters, ".,");
    }

    #[test]
    fn faults_are_named() {
        let error = |set: &str| Recipe::load("seed", &[set.to_owned()]).unwrap_err().to_string();
        assert!(error("epocs=3").contains("unknown field `epocs`"), "{}", error("epocs=3"));
        assert!(error("epochs").contains("should be key=value"));
        assert!(error("units=0").contains("units must be 1 to 256"));
        assert!(error("optimizer=sgdd").contains("unknown variant `sgdd`"));
        assert!(
            Recipe::load("no-such.toml", &[]).unwrap_err().to_string().contains("seed, compact, starter")
        );
    }
}
