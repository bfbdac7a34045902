//! The recipe that `kilornn train` takes if none is named: a function of what is measured of the data, with the reasons.
//!
//! `traits` measures; [`Suggestion::of`] names the recipes that may suit such data. Where there is more than one, `search` tries
//! them and takes the one whose model answers most of the texts that validate. A model file takes at most [`MOST_BYTES`].

mod traits;

use anyhow::Result;
use serde::Serialize;

use self::traits::Traits;
use crate::data::Dataset;
use crate::numbers::grouped;
use crate::quantize::FileSize;
use crate::recipe::{
    CellKind, EmbeddingBits, Fold, Letters, Lookup, OptimizerKind, PerLayer, Recipe, RecurrentInitializer,
    Schedule, Teacher, UnknownWords, VocabularyBy,
};
use crate::text::PerfectHash;

/// The most bytes of a suggested recipe's model file.
const MOST_BYTES: usize = 64 * 1024;

/// Texts of so many tokens on average are long.
const LONG: f64 = 100.0;

/// Texts of at most so many tokens on average are short.
const SHORT: f64 = 15.0;

/// The most classes that are few.
const FEW_CLASSES: usize = 12;

/// Data of more tokens are not read several times to compare recipes.
const MANY_TOKENS: f64 = 2e6;

/// Data of fewer tokens are read so fast that each recipe is tried with [`SEEDS`] seeds.
const FEW_TOKENS: f64 = 4e5;

/// Seeds, each with a tenth of the texts of its own to validate, if these are drawn.
const SEEDS: usize = 3;

/// A tenth of fewer texts cannot tell which recipe is better.
const COMPARABLE: usize = 1000;

/// Fewer texts cannot be divided into some that a teacher learns from and others that it judges.
const TEACHABLE: usize = 200;

/// Recipes that may suit some data, and which of them is taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Suggestion {
    /// What is known of the data, in words.
    pub because: String,
    /// Which of the proposals is taken.
    pub taken: usize,
    /// With how many seeds each is tried, if there are several.
    pub seeds: usize,
    /// The one that the data's properties speak for comes first. More than one if only trying can tell.
    pub proposals: Vec<Proposal>,
}

/// A recipe that may suit some data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Proposal {
    /// Its name.
    pub name: &'static str,
    /// What it is, in words.
    pub about: String,
    /// What it is for.
    pub because: &'static str,
    /// What its model came to on the texts that validate, if it was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
    /// The recipe, before any setting.
    #[serde(skip)]
    pub recipe: Recipe,
}

/// What a proposal's model, as the device computes it, came to on texts that validate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Tried {
    /// The share of correct answers, the mean of all seeds.
    pub accuracy: f64,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Bytes of its file, with the first seed.
    pub bytes: usize,
    /// Texts that validated, of all seeds together if each has its own.
    pub examples: usize,
    /// With how many seeds it was tried.
    pub seeds: usize,
}

impl Tried {
    /// The mean of trials with several seeds; `drawn` says whether each seed has drawn its own texts to validate. None without a
    /// trial.
    pub(crate) fn mean(trials: &[Self], drawn: bool) -> Option<Self> {
        let first = trials.first()?;
        let mean = |of: fn(&Self) -> f64| trials.iter().map(of).sum::<f64>() / trials.len() as f64;
        let all = trials.iter().map(|trial| trial.examples).sum();
        Some(Self {
            accuracy: mean(|trial| trial.accuracy),
            loss: mean(|trial| trial.loss),
            bytes: first.bytes,
            examples: if drawn { all } else { first.examples },
            seeds: trials.len(),
        })
    }

    /// The standard error of the accuracy, that of a share of so many texts.
    fn standard_error(&self) -> f64 {
        (self.accuracy * (1.0 - self.accuracy) / self.examples.max(1) as f64).sqrt()
    }
}

impl Suggestion {
    /// Chooses recipes for data. Of the settings that a person gives, only those count here that change what can be measured
    /// (`char_level`) or what must go with them; all are applied afterwards, as to any recipe.
    ///
    /// # Errors
    ///
    /// If no model of these classes can be written.
    pub(crate) fn of(data: &Dataset, settings: &[String]) -> Result<Self> {
        let by_character = given(settings, "char_level").and_then(|value| value.parse().ok());
        let traits = Traits::of(data, by_character);
        let proposals = Kind::for_traits(&traits)
            .into_iter()
            .map(|kind| {
                let mut recipe = kind.recipe(&traits);
                recipe.vocabulary = most_entries(&recipe, &data.labels)?;
                go_with(&mut recipe, settings);
                Ok(Proposal {
                    name: kind.name(),
                    about: about(&recipe),
                    because: kind.because(&traits),
                    tried: None,
                    recipe,
                })
            })
            .collect::<Result<_>>()?;
        let seeds = if traits.tokens() <= FEW_TOKENS { SEEDS } else { 1 };
        Ok(Self { because: traits.in_words(), taken: 0, seeds, proposals })
    }

    /// The proposal that is taken.
    pub(crate) fn taken(&self) -> &Proposal {
        &self.proposals[self.taken]
    }

    /// Takes the first of the proposals that were tried, unless another was better by more than a standard error (Breiman et al.
    /// 1984): the best of a few that differ by less is best by chance. Of those the best, and among equals the first. Without a
    /// result that is the first of all.
    pub(crate) fn take_best(&mut self, tried: &[Option<Tried>]) {
        for (proposal, &tried) in self.proposals.iter_mut().zip(tried) {
            proposal.tried = tried;
        }
        let mut results =
            self.proposals.iter().enumerate().filter_map(|(index, proposal)| Some((index, proposal.tried?)));
        let Some((first, known)) = results.next() else { return };
        let better = results.filter(|(_, tried)| tried.accuracy > known.accuracy + known.standard_error());
        let mut taken = (first, known.accuracy);
        for (index, tried) in better {
            if tried.accuracy > taken.1 {
                taken = (index, tried.accuracy);
            }
        }
        self.taken = taken.0;
    }

    /// What `kilornn train` would do, in a line.
    pub(crate) fn outlook(&self) -> String {
        let names: Vec<String> =
            self.proposals.iter().map(|proposal| format!("`{}`", proposal.name)).collect();
        let what = if names.len() > 1 { "would try the recipes" } else { "would take the recipe" };
        format!("`kilornn train` without --recipe {what} {}, for {}", names.join(", "), self.because)
    }

    /// What was taken and why, in lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let taken = self.taken();
        let why = match taken.tried {
            Some(_) if self.taken > 0 => {
                "whose model answered more of the texts that validate, by more than a standard error"
            }
            Some(_) => {
                "the likeliest, and no other answered more of the texts that validate by a standard error"
            }
            None => taken.because,
        };
        let mut lines = vec![
            format!("data: {}", self.because),
            format!("recipe, since none is named: `{}`, {why}", taken.name),
        ];
        lines.extend(self.proposals.iter().map(|proposal| {
            let came_to = match proposal.tried {
                Some(Tried { accuracy, bytes, examples, seeds, .. }) => format!(
                    "{:.2} % of {} texts right{}, {} bytes: ",
                    100.0 * accuracy,
                    grouped(examples),
                    if seeds > 1 { format!(" with {seeds} seeds") } else { String::new() },
                    grouped(bytes)
                ),
                None => String::new(),
            };
            format!("  `{}`: {came_to}{}", proposal.name, proposal.about)
        }));
        lines
    }
}

/// Kinds of recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As many words and pairs of them as fit, few numbers each, and a teacher that counts much.
    Narrow,
    /// Fewer words, many numbers each, and a teacher that counts less.
    Wide,
    /// The same without a teacher.
    Order,
    /// A GRU; of few classes with a teacher.
    Gated,
}

impl Kind {
    /// The kinds that may suit data of these properties, the likeliest first.
    fn for_traits(traits: &Traits) -> Vec<Self> {
        let needs_teacher = traits.unlabelled > 0;
        if traits.texts < TEACHABLE && !needs_teacher {
            return vec![Self::Order];
        }
        if traits.texts < COMPARABLE {
            return vec![Self::Wide];
        }
        let is_few = traits.classes <= FEW_CLASSES;
        if traits.tokens() > MANY_TOKENS {
            return vec![if is_few { Self::Narrow } else { Self::Wide }];
        }
        let mut all = match is_few {
            true if traits.by_character => vec![Self::Gated, Self::Narrow, Self::Wide],
            true => vec![Self::Narrow, Self::Wide, Self::Gated],
            false => vec![Self::Gated, Self::Wide],
        };
        // Without a teacher, nobody says what texts without labels are.
        all.retain(|kind| !needs_teacher || kind.has_teacher(is_few));
        all
    }

    /// Whether its texts are judged by a teacher. Of many classes, a teacher of n-grams tells a GRU less than it knows: it does
    /// not see the order of words.
    fn has_teacher(self, is_few: bool) -> bool {
        match self {
            Self::Narrow | Self::Wide => true,
            Self::Order => false,
            Self::Gated => is_few,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Wide => "wide",
            Self::Order => "order",
            Self::Gated => "gated",
        }
    }

    /// Why it is the only one that is considered, or the first.
    fn because(self, traits: &Traits) -> &'static str {
        match self {
            Self::Narrow if traits.tokens() > MANY_TOKENS => {
                "for few classes and so many words that trying several recipes would take long"
            }
            Self::Narrow => "for few classes, each told by many words and pairs",
            Self::Wide if traits.texts < COMPARABLE => "for texts that are too few to try several recipes on",
            Self::Wide => "for classes that are told apart by what words mean",
            Self::Order => "for texts that are too few for a teacher",
            Self::Gated => "for classes that are told apart by the order of words",
        }
    }

    /// The recipe of this kind, but for the number of words.
    fn recipe(self, traits: &Traits) -> Recipe {
        match self {
            Self::Gated => Self::gated(traits),
            Self::Narrow | Self::Wide | Self::Order => self.ungated(traits),
        }
    }

    /// The recipe of the GRU: much is left out, at a high learning rate. In short texts of few classes, such as questions, a
    /// pair of words may decide, and the teacher counts less.
    fn gated(traits: &Traits) -> Recipe {
        let is_few = traits.classes <= FEW_CLASSES;
        let is_short = is_few && traits.tokens_per_text <= SHORT && !traits.by_character;
        let ungated = Self::Gated.ungated(traits);
        let (embedding, units) = match (is_few, is_short) {
            (true, true) => (16, 48),
            (true, false) => (16, 32),
            (false, _) => (32, 64),
        };
        let epochs = if traits.texts <= 20_000 { 40 } else { ungated.epochs };
        Recipe {
            cell: PerLayer::All(CellKind::Gru),
            pairs: ungated.pairs || is_short,
            embedding,
            units: units.into(),
            recurrent_initializer: RecurrentInitializer::Orthogonal,
            embedding_dropout: 0.3,
            recurrent_dropout: 0.15,
            label_smoothing: if is_few { 0.0 } else { ungated.label_smoothing },
            teacher_share: if is_short { 0.3 } else { ungated.teacher_share },
            learning_rate: if is_few { 0.01 } else { 0.02 },
            batch: 64,
            epochs,
            quantized_epochs: epochs / 4,
            ..ungated
        }
    }

    fn ungated(self, traits: &Traits) -> Recipe {
        let is_small = traits.texts < COMPARABLE;
        let (embedding, units) = match (self, traits.classes) {
            (Self::Narrow, 0..=2) if !traits.by_character => (4, 8),
            (Self::Narrow, _) => (8, 16),
            (_, 0..=2) => (16, 32),
            (_, 3..=FEW_CLASSES) if is_small => (16, 32),
            (_, 3..=FEW_CLASSES) => (32, 64),
            _ => (32, 96),
        };
        let epochs = match (self, traits.texts) {
            (_, ..COMPARABLE) => 60,
            (Self::Narrow, ..=20_000) => 20,
            (_, ..=20_000) => 30,
            _ if traits.tokens() <= 10.0 * MANY_TOKENS => 16,
            _ => 6,
        };
        Recipe {
            vocabulary_by: VocabularyBy::Information,
            unknown: UnknownWords::Row,
            // In a short text a mistaken word counts.
            fingerprint_bits: if traits.tokens_per_text < LONG { 16 } else { 8 },
            lookup: Lookup::Device,
            char_level: traits.by_character,
            // The scripts without spaces have no case, and looking for it costs the device time.
            lowercase: if traits.is_unspaced { Letters::Ascii } else { Letters::Unicode },
            pairs: self == Self::Narrow || traits.by_character || is_small,
            embedding,
            units: units.into(),
            recurrent_initializer: RecurrentInitializer::Identity,
            fold: Fold::Never,
            embedding_bits: EmbeddingBits::Four,
            word_dropout: 0.1,
            embedding_dropout: if self == Self::Order { 0.1 } else { 0.2 },
            label_smoothing: if self == Self::Narrow || traits.classes == 2 { 0.0 } else { 0.1 },
            teacher: if self.has_teacher(traits.classes <= FEW_CLASSES) {
                Teacher::Ngrams
            } else {
                Teacher::None
            },
            teacher_share: match self {
                Self::Narrow => 0.6,
                Self::Gated => 0.5,
                Self::Wide | Self::Order => 0.4,
            },
            optimizer: OptimizerKind::Adamw,
            learning_rate: 0.003,
            schedule: Schedule::Cosine,
            weight_decay: 0.01,
            clip_norm: 1.0,
            batch: if traits.texts > 20_000 { 64 } else { 32 },
            epochs,
            quantized_epochs: epochs * 9 / 20,
            bucket_by_length: true,
            ..Recipe::default()
        }
    }
}

/// What a recipe reads and how large its network is, in words.
fn about(recipe: &Recipe) -> String {
    let token = if recipe.char_level { "characters" } else { "words" };
    let pairs = if recipe.pairs { " and pairs of them" } else { "" };
    let teacher = if recipe.teacher == Teacher::None { "no teacher" } else { "a teacher" };
    format!(
        "at most {} {token}{pairs}, {} numbers each, {}, {teacher}",
        grouped(recipe.vocabulary),
        recipe.embedding,
        match recipe.cell.of(0) {
            CellKind::SimpleRnn => format!("{} units", recipe.units),
            gated => format!("{} of {} units", gated.with_article(), recipe.units),
        },
    )
}

/// As many entries of a vocabulary as fit into [`MOST_BYTES`], in hundreds.
fn most_entries(recipe: &Recipe, labels: &[String]) -> Result<usize> {
    let (mut fitting, mut beyond) = (1, MOST_BYTES / 100);
    while beyond - fitting > 1 {
        let middle = (fitting + beyond) / 2;
        let recipe = Recipe { vocabulary: 100 * middle, ..recipe.clone() };
        let hash = PerfectHash::stand_in(recipe.vocabulary, recipe.fingerprint_bytes());
        let bytes = FileSize::of(&recipe, recipe.vocabulary, labels, &hash)?.most;
        if bytes <= MOST_BYTES { fitting = middle } else { beyond = middle }
    }
    Ok(100 * fitting)
}

/// Adapts keys that could not go with a given one.
fn go_with(recipe: &mut Recipe, settings: &[String]) {
    let number = |key| given(settings, key).and_then(|value| value.parse::<usize>().ok());
    // The same share of fewer epochs is quantized.
    if let (Some(epochs), None) = (number("epochs"), given(settings, "quantized_epochs")) {
        recipe.quantized_epochs = recipe.quantized_epochs * epochs / recipe.epochs;
    }
    // Four bits a number need an even width.
    if number("embedding").is_some_and(|width| width % 2 == 1) {
        recipe.embedding_bits = EmbeddingBits::Eight;
    }
}

/// The last value that is given for a key.
fn given<'a>(settings: &'a [String], key: &str) -> Option<&'a str> {
    let values = settings.iter().rev().filter_map(|setting| setting.split_once('='));
    values.into_iter().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Example;

    fn traits(texts: usize, classes: usize, tokens_per_text: f64) -> Traits {
        Traits {
            texts,
            unlabelled: 0,
            classes,
            is_unspaced: false,
            by_character: false,
            tokens_per_text,
            different: 5000,
        }
    }

    fn data(texts: usize) -> Dataset {
        let texts = (0..texts).map(|i| (i % 2, format!("{} film number {i}", ["bad", "good"][i % 2])));
        let train = texts.map(|(class, text)| Example::new(class, text)).collect();
        Dataset { labels: vec!["n".into(), "p".into()], train, ..Dataset::default() }
    }

    #[test]
    fn every_kind_is_a_valid_recipe_within_64_kib() {
        for classes in [2, 12, 256] {
            let labels: Vec<String> =
                (0..classes).map(|class| format!("a class of number {class}")).collect();
            for (texts, tokens) in [(900, 300.0), (5000, 8.0)] {
                for by_character in [false, true] {
                    let traits =
                        Traits { by_character, is_unspaced: by_character, ..traits(texts, classes, tokens) };
                    for kind in [Kind::Narrow, Kind::Wide, Kind::Order, Kind::Gated] {
                        let recipe = kind.recipe(&traits);
                        let vocabulary = most_entries(&recipe, &labels).unwrap();
                        let recipe = Recipe { vocabulary, ..recipe }.with(&[]).unwrap();
                        let bytes = |vocabulary| {
                            let hash = PerfectHash::stand_in(vocabulary, recipe.fingerprint_bytes());
                            FileSize::of(&recipe, vocabulary, &labels, &hash).unwrap().most
                        };
                        assert!(bytes(vocabulary) <= MOST_BYTES, "{traits:?} {kind:?}");
                        assert!(
                            bytes(vocabulary + 100) > MOST_BYTES,
                            "{traits:?} {kind:?}: there is more room"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn recipes_are_tried_where_there_are_texts_to_tell_and_time() {
        use Kind::{Gated, Narrow, Order, Wide};
        let kinds = |texts, classes, tokens| Kind::for_traits(&traits(texts, classes, tokens));
        assert_eq!(kinds(9601, 2, 20.0), [Narrow, Wide, Gated]);
        assert_eq!(kinds(10_003, 77, 11.0), [Gated, Wide]);
        let by_character = Traits { by_character: true, ..traits(7000, 2, 130.0) };
        assert_eq!(
            Kind::for_traits(&by_character),
            [Gated, Narrow, Wide],
            "words are several characters in order"
        );
        assert_eq!(kinds(25_000, 2, 230.0), [Narrow], "long");
        assert_eq!(kinds(560_000, 14, 50.0), [Wide], "long");
        assert_eq!(kinds(600, 2, 20.0), [Wide], "few texts");
        assert_eq!(kinds(40, 2, 20.0), [Order], "hardly any");
        let unlabelled =
            |texts, classes| Kind::for_traits(&Traits { unlabelled: 100, ..traits(texts, classes, 20.0) });
        assert_eq!(unlabelled(40, 2), [Wide], "only a teacher reads texts without labels");
        assert_eq!(unlabelled(9601, 2), [Narrow, Wide, Gated]);
        assert_eq!(unlabelled(9601, 77), [Wide], "only a teacher reads texts without labels");
    }

    #[test]
    fn the_best_is_taken_and_among_equals_the_first() {
        let mut suggestion = Suggestion::of(&data(1200), &[]).unwrap();
        let names: Vec<&str> = suggestion.proposals.iter().map(|proposal| proposal.name).collect();
        assert_eq!((suggestion.taken, &names[..]), (0, &["narrow", "wide", "gated"][..]));
        let trial = |accuracy| Tried { accuracy, loss: 0.5, bytes: 1000, examples: 100, seeds: 1 };
        let tried = |accuracy| Some(trial(accuracy));
        for (results, best) in [
            ([tried(0.7), tried(0.9), tried(0.8)], 1),
            ([tried(0.7), tried(0.9), tried(0.9)], 1),
            ([tried(0.9), tried(0.9), tried(0.9)], 0),
            // A standard error of 0.8 on 100 texts is 0.04.
            ([tried(0.8), tried(0.83), tried(0.82)], 0),
            ([tried(0.8), tried(0.83), tried(0.85)], 2),
            ([None, None, tried(0.1)], 2),
            ([None, None, None], 0),
        ] {
            suggestion.taken = 0;
            suggestion.take_best(&results);
            assert_eq!(suggestion.taken, best, "{results:?}");
        }
        suggestion.take_best(&[tried(0.7), tried(0.9), None]);
        let lines = suggestion.lines();
        assert!(lines[1].contains("`wide`, whose model answered more"), "{lines:?}");
        assert!(lines[3].contains("`wide`: 90.00 % of 100 texts right, 1,000 bytes: "), "{lines:?}");
        assert!(lines[0].contains("1,200 texts of 2 classes, 4 words each on average"), "{lines:?}");
        let trials = [0.5, 0.6, 0.7].map(trial);
        let Some(Tried { accuracy, examples, seeds, .. }) = Tried::mean(&trials, true) else {
            panic!("three trials have a mean")
        };
        assert!((accuracy - 0.6).abs() < 1e-9 && (examples, seeds) == (300, 3));
        assert_eq!(Tried::mean(&trials, false).map(|mean| mean.examples), Some(100));
        assert_eq!(Tried::mean(&[], true), None);
    }

    #[test]
    fn settings_go_with_what_is_chosen() {
        let data = data(300);
        for settings in
            [&["epochs=3"][..], &["embedding=5"], &["activation=tanh"], &["vocabulary=7", "units=3"]]
        {
            let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
            let suggestion = Suggestion::of(&data, &settings).unwrap();
            suggestion.taken().recipe.clone().with(&settings).unwrap();
        }
        let quantized = |settings: &[&str]| {
            let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
            let recipe = Suggestion::of(&data, &settings).unwrap().taken().recipe.clone();
            recipe.with(&settings).unwrap().quantized_epochs
        };
        assert_eq!((quantized(&[]), quantized(&["epochs=20"])), (27, 9));
        assert_eq!(quantized(&["epochs=20", "quantized_epochs=1"]), 1);
        assert_eq!(quantized(&["epochs=1"]), 0);
        let by_character = Suggestion::of(&data, &["char_level=true".into()]).unwrap();
        assert!(by_character.taken().recipe.char_level);
    }

    #[test]
    fn the_last_setting_of_a_key_counts() {
        let settings = ["units=3".to_owned(), " units = 4".to_owned(), "unit=5".to_owned()];
        assert_eq!(given(&settings, "units"), Some("4"));
        assert_eq!(given(&settings, "epochs"), None);
    }
}
