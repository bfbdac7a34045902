//! Sizes of networks, and lists of them in the order in which they are tried.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::{CellName, RELU};
use crate::numbers::grouped;
use crate::recipe::{EmbeddingBits, Fold, Recipe};

/// The form that a word's row of the embedding has on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EmbeddingForm {
    /// Four bits a number of the embedding.
    Int4,
    /// Eight bits a number of the embedding.
    Int8,
    /// Multiplied out: a bias for each unit.
    Folded,
}

impl EmbeddingForm {
    /// That of a recipe. `fold = "auto"` counts as folded, as it is for small networks.
    pub(crate) fn of(recipe: &Recipe) -> Self {
        match (recipe.fold, recipe.embedding_bits) {
            (Fold::Auto | Fold::Always, _) => Self::Folded,
            (Fold::Never, EmbeddingBits::Four) => Self::Int4,
            (Fold::Never, EmbeddingBits::Eight) => Self::Int8,
        }
    }

    /// The settings of a recipe that ask for this form.
    pub(crate) fn settings(self) -> Vec<String> {
        let bits = |bits: EmbeddingBits| format!("embedding_bits={}", u8::from(bits));
        match self {
            Self::Int4 => vec!["fold=never".to_owned(), bits(EmbeddingBits::Four)],
            Self::Int8 => vec!["fold=never".to_owned(), bits(EmbeddingBits::Eight)],
            Self::Folded => vec!["fold=always".to_owned()],
        }
    }
}

/// The size of a network in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Size {
    /// Most words; 0 keeps all, as in a recipe.
    pub vocabulary: usize,
    /// Width of the embedding.
    pub embedding: usize,
    /// The cell of all layers; `None` are the recipe's, of which each has its own. (Files of sweeps did not always have it:
    /// [`Store`](super::store::Store) adds it.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<CellName>,
    /// Hidden units of the last layer; those of the layers below grow and shrink with them ([`Recipe::resized`]).
    pub units: usize,
    /// Its form on the device; `None` is the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<EmbeddingForm>,
}

impl Size {
    /// The size that a recipe asks for, in the recipe's own form.
    pub(super) fn of(recipe: &Recipe) -> Self {
        let &Recipe { vocabulary, embedding, .. } = recipe;
        Self { vocabulary, embedding, cell: CellName::of(recipe), units: recipe.last_units(), form: None }
    }

    /// The settings that make a recipe ask for this size. It keeps the number of its layers.
    pub(crate) fn settings(&self, recipe: &Recipe) -> Vec<String> {
        let &Self { vocabulary, embedding, cell, units, form } = self;
        let units = recipe.resized(units).setting();
        let size =
            [format!("vocabulary={vocabulary}"), format!("embedding={embedding}"), format!("units={units}")];
        let cell = cell.filter(|&cell| Some(cell) != CellName::of(recipe));
        let cell = cell.into_iter().flat_map(CellName::settings);
        size.into_iter().chain(cell).chain(form.into_iter().flat_map(EmbeddingForm::settings)).collect()
    }

    /// In words, for messages.
    pub(crate) fn in_words(&self) -> String {
        let Self { vocabulary, embedding, cell, units, form } = self;
        let form = match form {
            None => "",
            Some(EmbeddingForm::Int4) => " in 4 bits",
            Some(EmbeddingForm::Int8) => " in 8 bits",
            Some(EmbeddingForm::Folded) => " folded",
        };
        let words = if *vocabulary == 1 { "word" } else { "words" };
        let cell = cell.map_or_else(String::new, |cell| format!("{cell} "));
        format!("{} {words}, embedding {embedding}{form}, {units} {cell}units", words_shown(*vocabulary))
    }
}

/// A vocabulary's number of words.
pub(super) fn words_shown(vocabulary: usize) -> String {
    if vocabulary == 0 { "all".to_owned() } else { grouped(vocabulary) }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            None => "",
            Some(EmbeddingForm::Int4) => "-int4",
            Some(EmbeddingForm::Int8) => "-int8",
            Some(EmbeddingForm::Folded) => "-folded",
        };
        // It names folders, and did so before there was any other cell than this.
        let cell = self.cell.filter(|&cell| cell != RELU).map_or_else(String::new, |cell| format!("-{cell}"));
        write!(f, "v{}-e{}-u{}{cell}{form}", self.vocabulary, self.embedding, self.units)
    }
}

/// The values of each dimension to try: the candidates are all combinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lists {
    /// Vocabularies.
    pub vocabulary: Vec<usize>,
    /// Widths of the embedding.
    pub embedding: Vec<usize>,
    /// Cells.
    pub cell: Vec<Option<CellName>>,
    /// Numbers of hidden units.
    pub units: Vec<usize>,
}

impl Lists {
    /// Values around those of a recipe, for texts of so many different words: half and twice its vocabulary, half its
    /// embedding, and a quarter, half and twice its units, in multiples of four; of cells the recipe's own.
    pub(crate) fn around(recipe: &Recipe, words: usize) -> Self {
        let vocabulary = match recipe.vocabulary {
            0 => vec![words.div_ceil(16), words.div_ceil(4), 0],
            all => vec![all.div_ceil(2), all, 2 * all],
        };
        let in_fours = |n: usize| n.next_multiple_of(4).clamp(4, 256);
        Self {
            vocabulary,
            embedding: vec![in_fours(recipe.embedding / 2).min(recipe.embedding), recipe.embedding],
            cell: vec![CellName::of(recipe)],
            units: vec![
                in_fours(recipe.last_units() / 4),
                in_fours(recipe.last_units() / 2),
                recipe.last_units(),
                (2 * recipe.last_units()).min(256),
            ],
        }
    }

    /// These lists, and of `others` those that are empty here.
    pub(crate) fn or(self, others: Self) -> Self {
        fn either<T>(list: Vec<T>, other: Vec<T>) -> Vec<T> {
            if list.is_empty() { other } else { list }
        }
        Self {
            vocabulary: either(self.vocabulary, others.vocabulary),
            embedding: either(self.embedding, others.embedding),
            cell: either(self.cell, others.cell),
            units: either(self.units, others.units),
        }
    }

    /// The same values in rising order (cells in the given one) and each once, for texts of so many different words. Vocabularies that hold all of the
    /// words give the same model, so only the first of them is kept.
    pub(crate) fn for_words(mut self, words: usize) -> Self {
        let held = |vocabulary: usize| words_held(vocabulary, words);
        self.vocabulary.sort_by_key(|&vocabulary| (held(vocabulary), vocabulary == 0, vocabulary));
        self.vocabulary.dedup_by_key(|vocabulary| held(*vocabulary));
        for list in [&mut self.embedding, &mut self.units] {
            list.sort_unstable();
            list.dedup();
        }
        // Cells have no order but the given one.
        let cells = std::mem::take(&mut self.cell);
        for cell in cells {
            if !self.cell.contains(&cell) {
                self.cell.push(cell);
            }
        }
        self
    }

    /// All sizes, coarse to fine: first the ends of the lists, then what lies halfway between, then between those, so that
    /// the first ones say most. Cells are all in the first round. Sizes of the same fineness are in the order of the lists.
    pub(crate) fn sizes(&self) -> Vec<Size> {
        let mut sizes = Vec::new();
        for (&vocabulary, fineness) in self.vocabulary.iter().zip(finenesses(self.vocabulary.len())) {
            for (&embedding, of_embedding) in self.embedding.iter().zip(finenesses(self.embedding.len())) {
                for (&units, of_units) in self.units.iter().zip(finenesses(self.units.len())) {
                    let fineness = fineness.max(of_embedding).max(of_units);
                    let of_cell = |&cell: &Option<CellName>| {
                        (fineness, Size { vocabulary, embedding, cell, units, form: None })
                    };
                    sizes.extend(self.cell.iter().map(of_cell));
                }
            }
        }
        sizes.sort_by_key(|(fineness, _)| *fineness);
        sizes.into_iter().map(|(_, size)| size).collect()
    }
}

/// How many of so many different words a vocabulary of this size holds.
pub(super) fn words_held(vocabulary: usize, words: usize) -> usize {
    if vocabulary == 0 { words } else { vocabulary.min(words) }
}

/// In which round of halving each place of a list is reached: the ends in the first.
fn finenesses(length: usize) -> Vec<usize> {
    let mut rounds = vec![0; length];
    let mut gaps = if length == 0 { vec![] } else { vec![(0, length - 1)] };
    for round in 1.. {
        gaps.retain(|(from, to)| to - from > 1);
        if gaps.is_empty() {
            break;
        }
        gaps = gaps
            .into_iter()
            .flat_map(|(from, to)| {
                let middle = (from + to) / 2;
                rounds[middle] = round;
                [(from, middle), (middle, to)]
            })
            .collect();
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::super::cell::GRU;
    use super::*;

    #[test]
    fn halves_lists() {
        assert_eq!(finenesses(0), [0; 0]);
        assert_eq!(finenesses(1), [0]);
        assert_eq!(finenesses(2), [0, 0]);
        assert_eq!(finenesses(4), [0, 1, 2, 0]);
        assert_eq!(finenesses(9), [0, 3, 2, 3, 1, 3, 2, 3, 0]);
    }

    #[test]
    fn the_ends_come_first_and_everything_once() {
        let lists = Lists {
            vocabulary: vec![10, 20, 40],
            embedding: vec![8],
            cell: vec![Some(RELU)],
            units: vec![4, 8, 16, 32],
        };
        let sizes: Vec<String> = lists.sizes().iter().map(Size::to_string).collect();
        assert_eq!(sizes[..4], ["v10-e8-u4", "v10-e8-u32", "v40-e8-u4", "v40-e8-u32"]);
        assert_eq!(sizes[4..6], ["v10-e8-u8", "v20-e8-u4"]);
        let mut distinct = lists.sizes();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((sizes.len(), distinct.len()), (12, 12));
        assert_eq!(lists.sizes(), lists.clone().sizes(), "the order is always the same");
    }

    #[test]
    fn sizes_are_listed_once_and_rising() {
        let lists = Lists {
            vocabulary: vec![0, 500, 2000, 100, 1000],
            embedding: vec![8, 4, 8],
            cell: vec![Some(RELU), Some(GRU), Some(RELU)],
            units: vec![4],
        };
        let once = lists.for_words(800);
        assert_eq!((once.vocabulary, once.embedding), (vec![100, 500, 1000], vec![4, 8]));
        assert_eq!(once.cell, [Some(RELU), Some(GRU)]);
        let all = Lists { vocabulary: vec![0, 100], embedding: vec![4], cell: vec![None], units: vec![4] }
            .for_words(800);
        assert_eq!(all.vocabulary, [100, 0], "0 is every word");
    }

    #[test]
    fn the_recipe_s_own_size_is_among_those_tried() {
        for name in ["seed", "compact", "starter"] {
            let recipe = Recipe::load(name, &[]).unwrap();
            let lists = Lists::around(&recipe, 80_000).for_words(80_000);
            assert!(lists.sizes().contains(&Size::of(&recipe)), "{name}: {lists:?}");
            for size in lists.sizes() {
                Recipe::load(name, &size.settings(&recipe)).unwrap();
            }
        }
    }

    #[test]
    fn a_size_keeps_the_number_of_layers_and_has_the_cell_that_it_says() {
        let stacks = ["units=[30,16]", "units=[8,12,16]", "cell=[\"gru\",\"lstm\"]", "units=12"];
        for (stack, layers) in stacks.into_iter().zip([2, 3, 2, 1]) {
            let given = vec![stack.to_owned()];
            let recipe = Recipe::load("compact", &given).unwrap();
            // Its own size changes nothing.
            let own = Size::of(&recipe);
            let again = Recipe::load("compact", &[given.clone(), own.settings(&recipe)].concat()).unwrap();
            assert_eq!(again.layers(), recipe.layers(), "{stack}");
            for cell in ["relu", "tanh", "gru", "lstm"].map(|cell| cell.parse().ok()) {
                for units in [4, 20, 256] {
                    let size = Size { cell, units, ..own };
                    let sized = [given.clone(), size.settings(&recipe)].concat();
                    let sized = Recipe::load("compact", &sized).unwrap();
                    assert_eq!(Size::of(&sized), size, "{stack}");
                    assert_eq!(sized.layers().len(), layers, "{stack}");
                }
            }
        }
    }

    #[test]
    fn sizes_without_a_cell_are_read() {
        let json = r#"{"vocabulary": 10, "embedding": 8, "units": 4}"#;
        let read: Size = serde_json::from_str(json).unwrap();
        assert_eq!(read, Size { vocabulary: 10, embedding: 8, cell: None, units: 4, form: None });
        let gru = Size { cell: Some(GRU), ..read };
        assert_eq!((gru.to_string(), read.to_string()), ("v10-e8-u4-gru".to_owned(), "v10-e8-u4".to_owned()));
        let json = serde_json::to_string(&gru).unwrap();
        assert!(json.contains(r#""cell":"gru""#), "{json}");
        assert_eq!(serde_json::from_str::<Size>(&json).unwrap(), gru);
    }
}
