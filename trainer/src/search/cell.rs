//! The cell of a network, by the name that `--cell` has for it.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::recipe::{Activation, CellKind, Recipe, Value, hint};

/// The cell of all layers of a network. A SimpleRNN has the name of its activation, `relu` or `tanh`; the other cells have
/// that of the recipe's key `cell`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) struct CellName(&'static str);

/// SimpleRNN with ReLU.
pub(super) const RELU: CellName = CellName("relu");
/// GRU.
pub(super) const GRU: CellName = CellName("gru");

impl CellName {
    /// All names, from what a recipe accepts.
    fn all() -> impl Iterator<Item = &'static str> {
        let words = |choices: &'static [crate::recipe::Choice]| choices.iter().map(|(word, _)| *word);
        words(Activation::CHOICES)
            .chain(words(CellKind::CHOICES).filter(|&word| word != CellKind::SimpleRnn.word()))
    }

    /// That of a recipe's layers; `None` if they have different cells.
    pub(super) fn of(recipe: &Recipe) -> Option<Self> {
        let layers = recipe.layers();
        let (first, _) = *layers.first()?;
        let name = match first {
            CellKind::SimpleRnn => recipe.activation.word(),
            gated => gated.word(),
        };
        layers.iter().all(|(cell, _)| *cell == first).then_some(Self(name))
    }

    /// The settings of a recipe that ask for this cell.
    pub(super) fn settings(self) -> Vec<String> {
        match Activation::CHOICES.iter().any(|(word, _)| *word == self.0) {
            true => vec![format!("cell={}", CellKind::SimpleRnn.word()), format!("activation={self}")],
            false => vec![format!("cell={self}")],
        }
    }
}

impl FromStr for CellName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::all().find(|known| *known == name).map(Self).ok_or_else(|| {
            let all: Vec<&str> = Self::all().collect();
            format!("no cell is called `{name}`{}; there are {}", hint(name, Self::all()), all.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for CellName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_a_name_that_a_recipe_understands() {
        assert_eq!(CellName::all().collect::<Vec<_>>(), ["relu", "tanh", "gru", "lstm", "fastgrnn"]);
        for name in CellName::all() {
            let cell: CellName = name.parse().unwrap();
            let recipe = Recipe::load("seed", &cell.settings()).unwrap();
            assert_eq!(CellName::of(&recipe), Some(cell), "{name}");
        }
        assert!([RELU, GRU].iter().all(|known| CellName::all().any(|name| name == known.0)));
        let said = "lsmt".parse::<CellName>().unwrap_err();
        assert_eq!(
            said,
            "no cell is called `lsmt` (did you mean `lstm`?); there are relu, tanh, gru, lstm, fastgrnn"
        );
    }

    #[test]
    fn layers_with_different_cells_have_no_name_together() {
        let mixed = Recipe::from_toml("cell = [\"gru\", \"lstm\"]").unwrap();
        assert_eq!(CellName::of(&mixed), None);
        let same = Recipe::from_toml("cell = [\"gru\", \"gru\"]").unwrap();
        assert_eq!(CellName::of(&same), Some(GRU));
    }
}
