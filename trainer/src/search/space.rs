//! The sizes that fit a budget. They are known before anything is trained.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::*;

use super::cell::{CellName, GRU, RELU};
use super::size::{EmbeddingForm, Size, words_held};
use crate::footprint::{Deployment, Excess, Footprint, Limits, Needs, Texts};
use crate::quantize::FileSize;
use crate::recipe::{EmbeddingBits, Fold, Recipe};
use crate::text::PerfectHash;

/// Numbers of hidden units that are considered.
const UNITS: [usize; 8] = [4, 8, 12, 16, 24, 32, 48, 64];

/// Widths of an embedding that are considered.
const WIDTHS: [usize; 6] = [4, 6, 8, 12, 16, 24];

/// The share of zeros in a state that is assumed before it is known.
const ZEROS: f64 = 0.5;

/// A size and its footprint, known before it is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Its size.
    pub size: Size,
    /// What its model needs.
    pub needs: Needs,
    /// What its model takes on the device.
    pub footprint: Footprint,
    /// Whether it has the most words that fit, or all that there are.
    pub has_most_words: bool,
}

/// What may be chosen: each dimension's values, rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choices {
    /// The most words that can be of use; or, if words are given, how many.
    pub words: usize,
    /// Whether the number of words is given.
    pub words_are_given: bool,
    /// Widths of the embedding.
    pub embedding: Vec<usize>,
    /// Cells.
    pub cells: Vec<Option<CellName>>,
    /// Numbers of hidden units.
    pub units: Vec<usize>,
    /// Forms.
    pub forms: Vec<EmbeddingForm>,
}

impl Choices {
    /// All values that can be of use for these texts. For keys that are `given`, only the recipe's own.
    pub(super) fn new(recipe: &Recipe, texts: &Texts, given: impl Fn(&str) -> bool) -> Self {
        let pinned = |key: &str, value: usize, all: &[usize]| {
            if given(key) { vec![value] } else { all.to_vec() }
        };
        let own = CellName::of(recipe);
        // A GRU learns what a SimpleRNN with ReLU does not; whoever names a cell or an activation has chosen.
        let beside = (own == Some(RELU) && !given("cell") && !given("activation")).then_some(Some(GRU));
        let bits_are = |bits| !given("embedding_bits") || recipe.embedding_bits == bits;
        let may_fold = !given("fold") || recipe.fold != Fold::Never;
        let may_not = !given("fold") || recipe.fold != Fold::Always;
        let forms = [
            (EmbeddingForm::Int4, may_not && bits_are(EmbeddingBits::Four)),
            (EmbeddingForm::Int8, may_not && bits_are(EmbeddingBits::Eight)),
            (EmbeddingForm::Folded, may_fold && !given("embedding_bits")),
        ];
        Self {
            words: match (given("vocabulary"), recipe.vocabulary) {
                (true, vocabulary) => words_held(vocabulary, texts.different),
                (false, _) => texts.repeated.max(1),
            },
            words_are_given: given("vocabulary"),
            embedding: pinned("embedding", recipe.embedding, &WIDTHS),
            cells: [own].into_iter().chain(beside).collect(),
            units: pinned("units", recipe.last_units(), &UNITS),
            forms: forms.into_iter().filter_map(|(form, may)| may.then_some(form)).collect(),
        }
    }
}

/// Sizes for a budget.
pub(super) struct Space<'a> {
    /// What may be chosen.
    pub choices: Choices,
    /// A recipe of a size.
    pub recipe: &'a (dyn Fn(&Size) -> Result<Recipe> + Sync),
    /// The width of the recipe's own embedding, which folded models take: on the device it makes no difference.
    pub embedding: usize,
    /// Names of the classes.
    pub labels: &'a [String],
    /// What it runs on, and on what texts.
    pub deployment: Deployment,
    /// What it may take.
    pub limits: Limits,
}

impl Space<'_> {
    /// Every size that fits, with the most words that fit and with half and a quarter of them. Fewer words may be better,
    /// because a network overfits to rare ones.
    pub(super) fn candidates(&self) -> Result<Vec<Candidate>> {
        let candidates =
            self.rows_and_units().par_iter().map(|size| self.largest(*size)).collect::<Result<Vec<_>>>()?;
        let mut all = Vec::new();
        for candidate in candidates.into_iter().flatten() {
            all.push(candidate);
            if !self.choices.words_are_given {
                let most = candidate.size.vocabulary;
                let fewer: BTreeSet<usize> =
                    [most / 2, most / 4].into_iter().filter(|&fewer| fewer >= 50).map(round).collect();
                for vocabulary in fewer.into_iter().rev().filter(|&fewer| fewer < most) {
                    let fewer = self.candidate(Size { vocabulary, ..candidate.size })?;
                    all.push(Candidate { has_most_words: false, ..fewer });
                }
            }
        }
        Ok(all)
    }

    /// The size that takes the least of each resource; none if there is no size at all.
    pub(super) fn least(&self) -> Result<Vec<(Excess, Candidate)>> {
        let vocabulary = if self.choices.words_are_given { self.choices.words } else { 1 };
        let candidates = self.rows_and_units();
        let candidates: Vec<Candidate> = candidates
            .par_iter()
            .map(|size| self.candidate(Size { vocabulary, ..*size }))
            .collect::<Result<_>>()?;
        let taken = |excess, footprint: &Footprint| match excess {
            Excess::Flash => footprint.flash() as f64,
            Excess::Ram => footprint.ram() as f64,
            Excess::Instructions => footprint.instructions_per_word.unwrap_or(0.0),
            Excess::Latency => footprint.microseconds_per_word.unwrap_or(0.0),
        };
        let least = Excess::ALL.into_iter().filter_map(|excess| {
            let of = |candidate: &Candidate| taken(excess, &candidate.footprint);
            let least = candidates.iter().copied().min_by(|a, b| of(a).total_cmp(&of(b)))?;
            Some((excess, least))
        });
        Ok(least.collect())
    }

    /// All sizes with one word: the combinations of cell, form, units and width that make sense.
    fn rows_and_units(&self) -> Vec<Size> {
        let Choices { embedding, cells, units, forms, .. } = &self.choices;
        let mut sizes = Vec::new();
        for (&cell, &form) in cells.iter().flat_map(|cell| forms.iter().map(move |form| (cell, form))) {
            for &units in units {
                let widths: Vec<usize> = match form {
                    // The device has no trace of the width, and training loses nothing by a large one.
                    EmbeddingForm::Folded if embedding.len() > 1 => vec![self.embedding],
                    EmbeddingForm::Folded => embedding.clone(),
                    // More numbers than units tell the network nothing that fewer could not.
                    _ if embedding.len() > 1 => {
                        embedding.iter().copied().filter(|&width| width <= units).collect()
                    }
                    _ => embedding.clone(),
                };
                for embedding in widths {
                    let size = Size { vocabulary: 1, embedding, cell, units, form: Some(form) };
                    // What a recipe cannot be is no size.
                    if (self.recipe)(&size).is_ok() {
                        sizes.push(size);
                    }
                }
            }
        }
        sizes
    }

    /// The size with the most words that fit, if any do.
    fn largest(&self, size: Size) -> Result<Option<Candidate>> {
        let candidate = |vocabulary| self.candidate(Size { vocabulary, ..size });
        let words = self.choices.words;
        let most = candidate(words)?;
        if self.limits.hold(&most.footprint) {
            return Ok(Some(most));
        }
        if self.choices.words_are_given {
            return Ok(None);
        }
        let steps = round_numbers(words);
        let (mut fits, mut too_many) = (None, steps.len());
        let mut from = 0;
        while from < too_many {
            let middle = (from + too_many) / 2;
            let tried = candidate(steps[middle])?;
            if self.limits.hold(&tried.footprint) {
                fits = Some(tried);
                from = middle + 1;
            } else {
                too_many = middle;
            }
        }
        Ok(fits)
    }

    /// What a size will take.
    pub(super) fn candidate(&self, size: Size) -> Result<Candidate> {
        let recipe = (self.recipe)(&size)?;
        let hash = PerfectHash::stand_in(size.vocabulary, recipe.fingerprint_bytes());
        let (_, needs) = FileSize::with_needs(&recipe, size.vocabulary, self.labels, &hash)?;
        let footprint = Footprint::of(needs, ZEROS, &self.deployment);
        Ok(Candidate { size, needs, footprint, has_most_words: true })
    }
}

/// A number rounded down to two digits.
fn round(number: usize) -> usize {
    let digits = number.checked_ilog10().unwrap_or(0).saturating_sub(1);
    number / 10usize.pow(digits) * 10usize.pow(digits)
}

/// All numbers of two digits and zeros below another, rising.
fn round_numbers(below: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    let (mut number, mut step) = (1, 1);
    while number < below {
        numbers.push(number);
        number += step;
        if number >= 100 * step {
            step *= 10;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::{CORES, Cells, Engine, Platform};

    fn with_space<T>(limits: Limits, given: &[&str], test: impl FnOnce(&Space<'_>) -> T) -> T {
        let settings: Vec<String> = given.iter().map(|&setting| setting.to_owned()).collect();
        let recipe = Recipe::load("compact", &settings).unwrap();
        let load =
            |size: &Size| Ok(Recipe::load("compact", &[&settings[..], &size.settings(&recipe)].concat())?);
        let is_given = |key: &str| given.iter().any(|setting| setting.starts_with(key));
        let labels = ["a".to_owned(), "b".to_owned()];
        let texts = Texts { bytes_per_word: 5.0, words_per_text: 20.0, different: 5000, repeated: 3000 };
        test(&Space {
            choices: Choices::new(&recipe, &texts, is_given),
            recipe: &load,
            embedding: recipe.embedding,
            labels: &labels,
            deployment: Deployment {
                platform: Platform { core: &CORES[0], engine: Engine::Full },
                clock: 64_000_000,
                bytes_per_word: 5.0,
                words_per_text: 20.0,
            },
            limits,
        })
    }

    #[test]
    fn all_candidates_fit_and_another_word_would_not() {
        let limits = Limits { flash: Some(CORES[0].code.full + 9000), ..Limits::default() };
        with_space(limits, &[], |space| {
            let candidates = space.candidates().unwrap();
            assert!(candidates.len() > 50, "{}", candidates.len());
            for candidate in &candidates {
                assert!(limits.hold(&candidate.footprint), "{candidate:?}");
            }
            let sizes: BTreeSet<Size> = candidates.iter().map(|candidate| candidate.size).collect();
            assert_eq!(sizes.len(), candidates.len(), "each once");
            let most =
                candidates.iter().map(|candidate| candidate.size).max_by_key(|size| size.vocabulary).unwrap();
            assert!(most.vocabulary < 3000, "{most}");
            let more = Size { vocabulary: most.vocabulary + 100, ..most };
            assert!(!limits.hold(&space.candidate(more).unwrap().footprint));
        });
    }

    #[test]
    fn ram_and_instructions_prune() {
        let ram = Limits { ram: Some(CORES[0].stack + 9 * 20), ..Limits::default() };
        let inputs = |size: &Size| match size.form {
            Some(EmbeddingForm::Folded) => size.units,
            _ => size.units + size.embedding,
        };
        with_space(ram, &["cell=simple-rnn"], |space| {
            let candidates = space.candidates().unwrap();
            assert!(candidates.iter().all(|candidate| inputs(&candidate.size) <= 20));
            assert!(candidates.iter().any(|candidate| inputs(&candidate.size) == 20));
        });
        let instructions = Limits { instructions_per_word: Some(600), ..Limits::default() };
        with_space(instructions, &[], |space| {
            let candidates = space.candidates().unwrap();
            assert!(!candidates.is_empty() && candidates.iter().all(|candidate| candidate.size.units < 32));
        });
        let latency = Limits { microseconds_per_word: Some(13.0), ..Limits::default() };
        with_space(latency, &[], |space| {
            let candidates = space.candidates().unwrap();
            assert!(!candidates.is_empty() && candidates.iter().all(|candidate| candidate.size.units < 32));
        });
    }

    #[test]
    fn a_gru_is_considered_beside_relu_unless_the_cell_is_given() {
        let cells = |limits: Limits, given: &[&str]| {
            with_space(limits, given, |space| {
                let candidates = space.candidates().unwrap();
                assert!(candidates.iter().all(|candidate| limits.hold(&candidate.footprint)));
                let cells: BTreeSet<_> = candidates.iter().map(|candidate| candidate.size.cell).collect();
                cells.into_iter().flatten().map(|cell| cell.to_string()).collect::<Vec<_>>()
            })
        };
        let flash = |bytes| Limits { flash: Some(bytes), ..Limits::default() };
        let core = &CORES[0];
        let gru = core.code_for(Cells::only(0)).full;
        let both = gru + core.gated[1].full;
        assert_eq!(cells(flash(gru + 9000), &[]), ["gru", "relu"]);
        // A GRU needs a larger engine.
        assert_eq!(cells(flash(core.code.full + 9000), &[]), ["relu"]);
        assert_eq!(cells(flash(core.code.full + 9000), &["cell=gru"]), [""; 0]);
        for (given, own) in [
            ("cell=simple-rnn", "relu"),
            ("activation=relu", "relu"),
            ("activation=tanh", "tanh"),
            ("cell=lstm", "lstm"),
        ] {
            assert_eq!(cells(flash(both + 9000), &[given]), [own], "{given}");
        }
        // Layers of different cells stay what they are.
        let mixed = ["cell=[\"gru\",\"lstm\"]", "units=[12,8]"];
        with_space(flash(both + 9000), &mixed, |space| {
            for candidate in space.candidates().unwrap() {
                assert_eq!(candidate.size.cell, None);
                assert_eq!(candidate.needs.step.layers.iter().flatten().count(), 2);
                assert_eq!(candidate.footprint.engine, both);
            }
        });
    }

    #[test]
    fn what_is_given_is_kept() {
        let given = ["units=12", "vocabulary=700", "embedding_bits=4"];
        with_space(Limits::default(), &given, |space| {
            for candidate in space.candidates().unwrap() {
                let Size { vocabulary, units, form, .. } = candidate.size;
                assert_eq!((vocabulary, units, form), (700, 12, Some(EmbeddingForm::Int4)));
            }
        });
    }

    #[test]
    fn the_least_is_within_reach_and_nothing_below_it() {
        with_space(Limits::default(), &[], |space| {
            let least = space.least().unwrap();
            let [flash, ram, instructions, latency] = Excess::ALL.map(|excess| {
                least.iter().find(|(of, _)| *of == excess).map(|(_, candidate)| candidate.footprint).unwrap()
            });
            let limits = |flash| Limits { flash: Some(flash), ..Limits::default() };
            with_space(limits(flash.flash()), &[], |space| assert!(!space.candidates().unwrap().is_empty()));
            with_space(limits(flash.flash() - 1), &[], |space| {
                assert!(space.candidates().unwrap().is_empty())
            });
            assert_eq!(ram.ram(), CORES[0].stack + 9 * 4);
            assert!(instructions.instructions_per_word.unwrap() < 450.0);
            let cycles = latency.cycles_per_word.unwrap();
            assert!((450.0..700.0).contains(&cycles), "{cycles}");
            assert!((latency.microseconds_per_word.unwrap() - cycles / 64.0).abs() < 1e-9);
        });
    }

    #[test]
    fn round_numbers_have_two_digits() {
        assert_eq!(round_numbers(8), [1, 2, 3, 4, 5, 6, 7]);
        let numbers = round_numbers(12_345);
        assert_eq!(numbers[98..101], [99, 100, 110]);
        assert_eq!(*numbers.last().unwrap(), 12_000);
        assert_eq!([round(7), round(99), round(123), round(45_678)], [7, 99, 120, 45_000]);
    }
}
