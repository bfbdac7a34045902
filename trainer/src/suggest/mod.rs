//! The recipe that `kilornn train` takes if none is named: a function of what is measured of the data, with the reasons.
//!
//! [`traits`](self::traits) measures; [`Suggestion::of`] chooses. The same data give the same recipe. Its model file takes at
//! most [`MOST_BYTES`].

mod traits;

use anyhow::Result;
use serde::Serialize;

use self::traits::Traits;
use crate::data::Dataset;
use crate::numbers::grouped;
use crate::quantize::FileSize;
use crate::recipe::{
    EmbeddingBits, Fold, Letters, Lookup, OptimizerKind, Recipe, RecurrentInitializer, Schedule, Teacher,
    UnknownWords, VocabularyBy,
};
use crate::text::PerfectHash;

/// The most bytes of a suggested recipe's model file.
const MOST_BYTES: usize = 64 * 1024;

/// Texts of so many tokens on average are long.
const LONG: f64 = 100.0;

/// The most classes that are few.
const FEW_CLASSES: usize = 12;

/// A recipe that suits some data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Suggestion {
    /// The recipe, before any setting.
    #[serde(skip)]
    pub recipe: Recipe,
    /// What was chosen, and why.
    pub reasons: Vec<Reason>,
}

/// A choice and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Reason {
    /// What was chosen, such as `word pairs`.
    pub choice: String,
    /// Why.
    pub because: String,
}

impl Suggestion {
    /// Chooses a recipe for data. Of the settings that a person gives, only those count here that change what can be measured
    /// (`char_level`) or what must go with them; all are applied afterwards, as to any recipe.
    ///
    /// # Errors
    ///
    /// If no model of these classes can be written.
    pub(crate) fn of(data: &Dataset, settings: &[String]) -> Result<Self> {
        let by_character = given(settings, "char_level").and_then(|value| value.parse().ok());
        let traits = Traits::of(data, by_character);
        let mut suggestion = Self::for_traits(&traits);
        suggestion.choose_vocabulary(&traits, &data.labels)?;
        suggestion.go_with(settings);
        Ok(suggestion)
    }

    /// All but the number of words.
    fn for_traits(traits: &Traits) -> Self {
        let mut suggestion = Self { recipe: base(), reasons: Vec::new() };
        suggestion.choose_tokens(traits);
        suggestion.choose_network(traits);
        suggestion.choose_targets(traits);
        suggestion.choose_epochs(traits);
        suggestion
    }

    fn because(&mut self, choice: impl Into<String>, because: impl Into<String>) {
        self.reasons.push(Reason { choice: choice.into(), because: because.into() });
    }

    /// What a token is.
    fn choose_tokens(&mut self, traits: &Traits) {
        let recipe = &mut self.recipe;
        recipe.char_level = traits.by_character;
        if traits.is_unspaced {
            recipe.lowercase = Letters::Ascii;
        }
        recipe.pairs = !traits.has_many_classes();
        let is_short = traits.tokens_per_text < LONG;
        recipe.fingerprint_bits = if is_short { 16 } else { 8 };
    }

    /// How wide the network is.
    fn choose_network(&mut self, traits: &Traits) {
        let (embedding, units) = match traits.classes {
            0..=2 => (4, 8),
            3..=FEW_CLASSES => (8, 16),
            _ => (32, 64),
        };
        self.recipe.embedding = embedding;
        self.recipe.units = units;
    }

    /// What the network learns from, and what keeps it from learning by heart.
    fn choose_targets(&mut self, traits: &Traits) {
        let recipe = &mut self.recipe;
        recipe.word_dropout = 0.1;
        recipe.embedding_dropout = 0.2;
        recipe.teacher = Teacher::Ngrams;
        recipe.teacher_share = 0.6;
        if traits.has_many_classes() {
            recipe.label_smoothing = 0.1;
        }
    }

    /// How long it learns.
    fn choose_epochs(&mut self, traits: &Traits) {
        let recipe = &mut self.recipe;
        recipe.batch = if traits.texts > 20_000 { 64 } else { 32 };
        recipe.epochs = if traits.has_many_classes() { 30 } else { 20 };
        recipe.quantized_epochs = recipe.epochs * 9 / 20;
    }

    /// As many words as fit, if there are so many.
    fn choose_vocabulary(&mut self, traits: &Traits, labels: &[String]) -> Result<()> {
        let fits = |recipe: &Recipe| -> Result<bool> {
            let hash = PerfectHash::stand_in(recipe.vocabulary, recipe.fingerprint_bytes());
            Ok(FileSize::of(recipe, recipe.vocabulary, labels, &hash)?.most <= MOST_BYTES)
        };
        // Steps of a hundred entries are fine enough.
        let (mut fitting, mut beyond) = (1, MOST_BYTES / 100);
        while beyond - fitting > 1 {
            let middle = (fitting + beyond) / 2;
            let recipe = Recipe { vocabulary: 100 * middle, ..self.recipe.clone() };
            if fits(&recipe)? { fitting = middle } else { beyond = middle }
        }
        self.recipe.vocabulary = 100 * fitting;
        Ok(())
    }

    /// Adapts keys that could not go with a given one.
    fn go_with(&mut self, settings: &[String]) {
        let number = |key| given(settings, key).and_then(|value| value.parse::<usize>().ok());
        let recipe = &mut self.recipe;
        // The same share of fewer epochs is quantized.
        if let (Some(epochs), None) = (number("epochs"), given(settings, "quantized_epochs")) {
            recipe.quantized_epochs = recipe.quantized_epochs * epochs / recipe.epochs;
        }
        // Four bits a number need an even width.
        if number("embedding").is_some_and(|width| width % 2 == 1) {
            recipe.embedding_bits = EmbeddingBits::Eight;
        }
    }

    /// In lines, for a person.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widest = self.reasons.iter().map(|reason| reason.choice.chars().count()).max().unwrap_or(0);
        let reasons = self
            .reasons
            .iter()
            .map(|Reason { choice, because }| format!("  {choice:<widest$}  {because}"));
        std::iter::once("chosen for these data, since no --recipe is named:".to_owned()).chain(reasons).collect()
    }
}

/// What all suggested recipes have in common.
fn base() -> Recipe {
    Recipe {
        vocabulary_by: VocabularyBy::Information,
        unknown: UnknownWords::Row,
        lookup: Lookup::Device,
        recurrent_initializer: RecurrentInitializer::Identity,
        fold: Fold::Never,
        embedding_bits: EmbeddingBits::Four,
        optimizer: OptimizerKind::Adamw,
        learning_rate: 0.003,
        schedule: Schedule::Cosine,
        weight_decay: 0.01,
        clip_norm: 1.0,
        bucket_by_length: true,
        ..Recipe::default()
    }
}

/// The last value that is given for a key.
fn given<'a>(settings: &'a [String], key: &str) -> Option<&'a str> {
    let values = settings.iter().rev().filter_map(|setting| setting.split_once('='));
    values.into_iter().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}
