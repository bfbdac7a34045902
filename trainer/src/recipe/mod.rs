//! Recipes: all hyperparameters of a training, in one flat TOML table.

mod choices;
mod keys;
mod per_layer;

use std::path::Path;

use self::keys::keys;
use crate::error::InputError;

pub use choices::*;
pub use keys::{Choice, Key, Value};
pub(crate) use keys::{hint, reference};
pub use per_layer::PerLayer;

keys! {
    /// A recipe. Every key has a default: that of Keras, if Keras has the same parameter.
    pub struct Recipe {
        /// The most words that the vocabulary may have; 0 keeps all. (Keras's `num_words` is one more.)
        pub vocabulary: usize = 0,
        /// How the words of the vocabulary are selected.
        pub vocabulary_by: VocabularyBy = VocabularyBy::Frequency,
        /// What is done with words that are not in the vocabulary.
        pub unknown: UnknownWords = UnknownWords::Drop,
        /// Bits of a word's fingerprint, by which the device recognizes unknown words: with 8, one unknown word in 256 is
        /// taken for a known one; with 16, one in 65,536.
        pub fingerprint_bits: usize = 8,
        /// How words are looked up in training.
        pub lookup: Lookup = Lookup::Exact,
        /// Whether every character is a token.
        pub char_level: bool = false,
        /// Whether pairs of neighbouring words (or characters) may be in the vocabulary. If the pair of a word and the word
        /// before it is there, the pair is read instead of the word. A pair's row of the embedding is trained as a difference
        /// from the word's.
        pub pairs: bool = false,
        /// Which letters are lower-cased.
        pub lowercase: Letters = Letters::Unicode,
        /// ASCII characters that separate words, besides the space.
        pub filters: String = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n".into(),
        /// The most words of a text that are read; 0 reads all.
        pub maxlen: usize = 0,
        /// The end at which a longer text is truncated.
        pub truncating: End = End::Pre,
        /// How short texts are padded, in front.
        pub padding: Pads = Pads::Masked,

        /// Width of the embedding.
        pub embedding: usize = 32,
        /// The cell of the recurrent layers; a list gives each layer its own, from the lowest up: `["gru", "lstm"]`.
        pub cell: PerLayer<CellKind> = PerLayer::All(CellKind::SimpleRnn),
        /// Hidden units; a list gives each recurrent layer its own number, from the lowest up: `[32, 16]`.
        pub units: PerLayer<usize> = PerLayer::All(32),
        /// The activation of a SimpleRNN. (All other cells have tanh and the sigmoid, their libraries' defaults.)
        pub activation: Activation = Activation::Relu,
        /// With `activation = "relu"`, the value at which states saturate, in training and afterwards, as the device's integers
        /// do. States of a ReLU network can grow exponentially with the length of a text, so that without a limit one long
        /// text among short ones can ruin a training. 0: no limit, as in Keras.
        pub state_limit: f32 = 10_000.0,
        /// Whether an LSTM begins with a bias of one in its forget gate, and a FastGRNN in its gate, so that it remembers until
        /// it has learned what to forget (Jozefowicz, Zaremba and Sutskever 2015; Keras's `unit_forget_bias`).
        pub unit_forget_bias: bool = true,
        /// Whether a GRU's reset gate is applied after the recurrent product (Keras's `reset_after`). Only `true` can be
        /// trained and run: Keras's default, and PyTorch's only form.
        pub reset_after: bool = true,
        /// The initial recurrent kernel.
        pub recurrent_initializer: RecurrentInitializer = RecurrentInitializer::Orthogonal,

        /// Share of a word's embedding numbers set to zero in training, drawn anew for each batch and word.
        pub embedding_dropout: f32 = 0.0,
        /// Share of words read as unknown in training; needs `unknown = "row"`.
        pub word_dropout: f32 = 0.0,
        /// Share of the outputs of a recurrent layer set to zero in training before the next layer reads them: one mask for
        /// each text and batch, the same at all steps (Keras's `dropout` of the upper layer).
        pub layer_dropout: f32 = 0.0,
        /// Share of the last state set to zero in training.
        pub dropout: f32 = 0.0,
        /// Share of the state that the recurrent kernel does not see in training: one mask for each text and batch, the same
        /// at all steps (Keras's `recurrent_dropout`; Gal and Ghahramani 2016).
        pub recurrent_dropout: f32 = 0.0,
        /// L2 penalty: this times the sum of squares of the three kernels' weights is added to the loss (Keras's regularizer
        /// `L2`).
        pub l2: f32 = 0.0,
        /// Share of each target that is spread evenly over all classes (Keras's `label_smoothing`).
        pub label_smoothing: f32 = 0.0,
        /// Weights of the classes in the training loss: a word, or a list with a weight for each class (Keras's
        /// `class_weight`). In validation and test, all examples have the same weight.
        pub class_weight: ClassWeights = ClassWeights::None,
        /// The teacher, if there is one, from whose probabilities the network learns (distillation).
        pub teacher: Teacher = Teacher::None,
        /// The share of the teacher's probabilities in the target of a labelled text; the rest is the label. Texts without labels
        /// have the teacher's alone.
        pub teacher_share: f32 = 0.3,
        /// Words of the longest n-grams that the teacher reads.
        pub teacher_ngrams: usize = 3,

        /// The optimizer.
        pub optimizer: OptimizerKind = OptimizerKind::Rmsprop,
        /// The learning rate (the initial one, if a schedule lowers it).
        pub learning_rate: f32 = 0.001,
        /// The schedule of the learning rate.
        pub schedule: Schedule = Schedule::Constant,
        /// With `schedule = "plateau"`: the factor by which the learning rate is multiplied when the validation loss has
        /// not improved.
        pub plateau_factor: f32 = 0.1,
        /// With `schedule = "plateau"`: epochs without improvement after which that is done.
        pub plateau_patience: usize = 10,
        /// With `schedule = "plateau"`: by how much a validation loss must be smaller to be an improvement.
        pub plateau_min_delta: f64 = 1e-4,
        /// With `schedule = "plateau"`: the lowest learning rate.
        pub min_learning_rate: f32 = 0.0,
        /// SGD's momentum.
        pub momentum: f32 = 0.0,
        /// Whether SGD's momentum is Nesterov's.
        pub nesterov: bool = false,
        /// RMSprop's decay of squared gradients.
        pub rho: f32 = 0.9,
        /// Which gradients of the embedding RMSprop squares.
        pub embedding_squares: EmbeddingSquares = EmbeddingSquares::Batch,
        /// Adam's and AdamW's decay of gradients.
        pub beta_1: f32 = 0.9,
        /// Adam's and AdamW's decay of squared gradients.
        pub beta_2: f32 = 0.999,
        /// A small number that keeps the optimizer from dividing by zero.
        pub epsilon: f32 = 1e-7,
        /// AdamW's decay of weights (not of biases), a share of the learning rate.
        pub weight_decay: f32 = 0.0,
        /// Gradient clipping: the largest norm of all gradients together; 0 for no limit.
        pub clip_norm: f32 = 0.0,

        /// Texts in a batch.
        pub batch: usize = 32,
        /// Passes over the training texts.
        pub epochs: usize = 10,
        /// This fraction of the training texts is kept for validation. With 0, the `dev` part validates, if there is one.
        pub validation_split: f64 = 0.0,
        /// Which of the training texts these are.
        pub validation: Validation = Validation::Last,
        /// What must improve for training to go on. The result is the network of the best epoch. (Quantized epochs are stopped
        /// separately, and begin with the best network of the float epochs.)
        pub early_stopping: EarlyStopping = EarlyStopping::None,
        /// Epochs without improvement after which training stops (Keras's default is 0).
        pub early_stopping_patience: usize = 5,
        /// By how much a value must be better to be an improvement.
        pub early_stopping_min_delta: f64 = 0.0,
        /// Whether batches are of texts of about equal length: less padding, so faster.
        pub bucket_by_length: bool = false,

        /// Quantized epochs: this many epochs at the end, in which the forward pass computes with the device's rounded weights,
        /// inputs and states (quantization-aware training).
        pub quantized_epochs: usize = 0,
        /// Whether the exporter folds the embedding: multiplies it with the input kernel, so that each word has a bias for each
        /// unit.
        pub fold: Fold = Fold::Auto,
        /// Bits of a number of the embedding if it is not folded: 4 or 8.
        pub embedding_bits: EmbeddingBits = EmbeddingBits::Eight,
    }
}

/// The most recurrent layers that a network can have.
pub const MOST_LAYERS: usize = 4;
/// The most hidden units that a layer can have.
pub const MOST_UNITS: usize = 256;

/// A recipe that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// What `--recipe` calls it.
    pub name: &'static str,
    /// Its text, which begins with a comment that says what it is.
    pub toml: &'static str,
}

/// The recipes that come with the program.
pub const BUILT_IN: [BuiltIn; 4] = [
    BuiltIn { name: "seed", toml: include_str!("../../recipes/seed.toml") },
    BuiltIn { name: "compact", toml: include_str!("../../recipes/compact.toml") },
    BuiltIn { name: "starter", toml: include_str!("../../recipes/starter.toml") },
    BuiltIn { name: "taught", toml: include_str!("../../recipes/taught.toml") },
];

impl BuiltIn {
    /// Finds a built-in recipe by name.
    ///
    /// # Errors
    ///
    /// If there is none of this name; the error says which there are.
    pub fn find(name: &str) -> Result<Self, InputError> {
        BUILT_IN.into_iter().find(|recipe| recipe.name == name).ok_or_else(|| {
            let names = BUILT_IN.map(|recipe| recipe.name);
            let hint = hint(name, names.into_iter());
            InputError::new(format!("no recipe is called `{name}`{hint}; there are {}", names.join(", ")))
        })
    }

    /// What it is, in a line.
    pub fn about(&self) -> &'static str {
        let first = self.toml.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim().trim_end_matches([':', '.'])
    }
}

impl Recipe {
    /// Finds a built-in recipe by name, or reads a TOML file, and applies `key=value` settings.
    ///
    /// # Errors
    ///
    /// If it cannot be found or read, or a key or value is not one that a recipe has.
    pub fn load(name: &str, settings: &[String]) -> Result<Self, InputError> {
        let mut recipe = Self::default();
        match BUILT_IN.iter().find(|built_in| built_in.name == name) {
            Some(built_in) => recipe.apply(built_in.toml, None)?,
            None => {
                let path = Path::new(name);
                let toml = std::fs::read_to_string(path).map_err(|error| {
                    let names = BUILT_IN.map(|recipe| recipe.name);
                    let hint = hint(name, names.into_iter());
                    let reason = format!("{error}{hint} (recipes that need no file: {})", names.join(", "));
                    InputError::in_file(path, reason)
                })?;
                recipe.apply(&toml, Some(path))?;
            }
        }
        recipe.with(settings)
    }

    /// The recipe with `key=value` settings applied.
    ///
    /// # Errors
    ///
    /// If a key or value is not one that a recipe has, or the values do not go together.
    pub fn with(mut self, settings: &[String]) -> Result<Self, InputError> {
        for setting in settings {
            let fault = |reason: String| InputError::new(format!("--set {setting}: {reason}"));
            let (key, value) =
                setting.split_once('=').ok_or_else(|| fault("should be key=value".to_owned()))?;
            // A bare word is a string: `--set optimizer=adamw` needs no quotes within quotes.
            let value = value.parse().unwrap_or_else(|_| toml::Value::String(value.to_owned()));
            self.set(key.trim(), value).map_err(fault)?;
        }
        self.check()?;
        Ok(self)
    }

    /// Parses a recipe; keys that are not there have their defaults.
    ///
    /// # Errors
    ///
    /// If a key or value is not one that a recipe has.
    pub fn from_toml(toml: &str) -> Result<Self, InputError> {
        let mut recipe = Self::default();
        recipe.apply(toml, None)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Sets the keys of a TOML table, which is that of a file, if one is given.
    fn apply(&mut self, toml: &str, path: Option<&Path>) -> Result<(), InputError> {
        let table: toml::Table = toml.parse().map_err(|error: toml::de::Error| match path {
            Some(path) => InputError::in_file(path, error.to_string()),
            None => InputError::new(error.to_string()),
        })?;
        for (key, value) in table {
            self.set(&key, value).map_err(|reason| {
                let is_key = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == key);
                match (path, toml.lines().position(is_key)) {
                    (Some(path), Some(line)) => InputError::at_line(path, line + 1, reason),
                    (Some(path), None) => InputError::in_file(path, reason),
                    (None, _) => InputError::new(format!("recipe: {reason}")),
                }
            })?;
        }
        Ok(())
    }

    /// The length to which texts are padded with pads that the network reads.
    pub fn pad_to(&self) -> Option<usize> {
        (self.padding == Pads::Tokens).then_some(self.maxlen)
    }

    /// The recurrent layers, from the lowest up: cell and hidden units of each.
    pub fn layers(&self) -> Vec<(CellKind, usize)> {
        let count = self.units.count().or(self.cell.count()).unwrap_or(1);
        (0..count).map(|layer| (self.cell.of(layer), self.units.of(layer))).collect()
    }

    /// Whether some layer is a SimpleRNN.
    pub fn has_simple_rnn(&self) -> bool {
        self.layers().iter().any(|(cell, _)| *cell == CellKind::SimpleRnn)
    }

    /// Whether some layer is a SimpleRNN with ReLU, whose states `state_limit` bounds. Those of all others are at most 1.
    pub fn has_relu(&self) -> bool {
        self.activation == Activation::Relu && self.has_simple_rnn()
    }

    /// Hidden units of the last layer, which the head reads.
    pub fn last_units(&self) -> usize {
        self.layers().last().map_or(0, |(_, units)| *units)
    }

    /// Hidden units for all layers so that the last one has `units`: the others grow or shrink in proportion, in multiples of
    /// four.
    pub fn resized(&self, units: usize) -> PerLayer<usize> {
        let last = self.last_units().max(1);
        let [below @ .., _] = &self.layers()[..] else { return units.into() };
        let scaled = |before: usize| match units == last {
            true => before,
            false => (before * units / last).next_multiple_of(4).clamp(4, MOST_UNITS),
        };
        let below = below.iter().map(|&(_, before)| scaled(before));
        below.chain([units]).collect::<Vec<_>>().into()
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
        rule(
            self.units.values().iter().all(|units| (1..=MOST_UNITS).contains(units)),
            "units must be 1 to 256",
        )?;
        let counts = [self.units.count(), self.cell.count()];
        rule(
            counts.into_iter().flatten().all(|count| count <= MOST_LAYERS),
            "units and cell may be lists of up to 4: a network has at most four recurrent layers",
        )?;
        if let [Some(units), Some(cells)] = counts {
            rule(
                units == cells,
                "units and cell must be lists of the same length: one value for each layer",
            )?;
        }
        rule(
            self.reset_after,
            "reset_after = false cannot be trained or run: GRU's reset gate is applied after the recurrent product \
             (Keras's default, PyTorch's only form); train with reset_after = true",
        )?;
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
        rule(share(self.recurrent_dropout), "recurrent_dropout must be in [0, 1)")?;
        rule(share(self.layer_dropout), "layer_dropout must be in [0, 1)")?;
        rule((0.0..=1.0).contains(&self.teacher_share), "teacher_share must be in [0, 1]")?;
        rule(self.teacher_ngrams > 0, "teacher_ngrams must be positive")?;
        rule(share(self.label_smoothing), "label_smoothing must be in [0, 1)")?;
        rule(self.state_limit >= 0.0, "state_limit must be 0 (no limit) or more")?;
        rule(self.l2 >= 0.0, "l2 must be 0 or more")?;
        rule(share(self.momentum), "momentum must be in [0, 1)")?;
        rule(
            self.momentum == 0.0 || self.optimizer == OptimizerKind::Sgd,
            "momentum needs optimizer = \"sgd\"",
        )?;
        rule(!self.nesterov || self.momentum > 0.0, "nesterov needs a momentum")?;
        rule(
            self.weight_decay == 0.0 || self.optimizer == OptimizerKind::Adamw,
            "weight_decay needs optimizer = \"adamw\" (l2 works with all)",
        )?;
        rule(
            self.learning_rate * self.weight_decay < 1.0,
            "learning_rate times weight_decay must be below 1: that share of every weight goes in each step",
        )?;
        rule((0.0..1.0).contains(&self.plateau_factor), "plateau_factor must be in [0, 1)")?;
        rule(self.min_learning_rate >= 0.0, "min_learning_rate must be 0 or more")?;
        rule(
            self.validation == Validation::Last || self.validation_split > 0.0,
            "validation needs a validation_split above 0",
        )?;
        rule(matches!(self.fingerprint_bits, 8 | 16), "fingerprint_bits must be 8 or 16")?;
        rule(self.filters.is_ascii(), "filters must be ASCII: the device keeps one bit for each")?;
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
        for recipe in BUILT_IN {
            Recipe::load(recipe.name, &[]).unwrap();
            assert!(recipe.toml.starts_with('#') && recipe.about().len() > 20, "{}", recipe.name);
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
        assert!(
            error("epocs=3").contains("unknown key `epocs` (did you mean `epochs`?)"),
            "{}",
            error("epocs=3")
        );
        assert!(error("epochs").contains("should be key=value"));
        assert!(
            error("epochs=many").contains("--set epochs=many: epochs: invalid type"),
            "{}",
            error("epochs=many")
        );
        assert!(error("units=0").contains("units must be 1 to 256"));
        let sgdd = error("optimizer=sgdd");
        assert!(
            sgdd.contains("unknown value `sgdd` (did you mean `sgd`?); the values are rmsprop"),
            "{sgdd}"
        );
        assert!(error("embedding_bits=5").contains("embedding_bits must be 4 or 8"));
        for (set, what) in [
            ("momentum=0.9", "momentum needs optimizer"),
            ("nesterov=true", "nesterov needs a momentum"),
            ("weight_decay=0.1", "weight_decay needs optimizer"),
            ("label_smoothing=1", "label_smoothing must be in [0, 1)"),
            ("l2=-1", "l2 must be 0 or more"),
        ] {
            assert!(error(set).contains(what), "{set}: {}", error(set));
        }
        let decay = "optimizer = \"adamw\"\nlearning_rate = 0.5\nweight_decay = 2";
        assert!(Recipe::from_toml(decay).unwrap_err().to_string().contains("must be below 1"));
        assert!(
            Recipe::load("no-such.toml", &[]).unwrap_err().to_string().contains("seed, compact, starter")
        );
        let near = Recipe::load("compct", &[]).unwrap_err().to_string();
        assert!(near.contains("did you mean `compact`?"), "{near}");
    }

    #[test]
    fn faults_in_a_file_name_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let error = |toml: &str| {
            std::fs::write(&path, toml).unwrap();
            Recipe::load(path.to_str().unwrap(), &[]).unwrap_err().to_string()
        };
        let unknown = error("epochs = 3\n\nlerning_rate = 0.1\n");
        assert!(
            unknown.contains("mine.toml:3: unknown key `lerning_rate` (did you mean `learning_rate`?)"),
            "{unknown}"
        );
        let value = error("# mine\nschedule = \"cosin\"\n");
        assert!(
            value.contains("mine.toml:2: schedule: unknown value `cosin` (did you mean `cosine`?)"),
            "{value}"
        );
        assert!(error("epochs = \n").contains("mine.toml: TOML parse error at line 1"));
    }
}
