//! Which of the training texts are kept for validation.

use std::collections::HashMap;

use rand::seq::SliceRandom;

use crate::error::InputError;
use crate::random::Stream;
use crate::recipe::{Recipe, Validation};

/// Two parts of the training texts, by index, each in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To train on.
    pub train: Vec<usize>,
    /// To validate on; empty without a `validation_split`.
    pub validation: Vec<usize>,
}

impl Split {
    /// Splits as a recipe asks; `groups` has the group of each example, if groups decide.
    ///
    /// # Errors
    ///
    /// If nothing is left to train on, or groups and recipe do not go together.
    pub fn new(
        recipe: &Recipe,
        seed: u64,
        groups: Option<&[String]>,
        examples: usize,
    ) -> Result<Self, InputError> {
        if let Some(groups) = groups.filter(|groups| groups.len() != examples) {
            let reason = format!("{} groups for {examples} training examples: each has one", groups.len());
            return Err(InputError::new(reason));
        }
        let wanted = examples - kept(examples, recipe.validation_split);
        let mut held = vec![false; examples];
        match (recipe.validation, groups) {
            _ if wanted == 0 => {}
            (Validation::Last, None) => held[examples - wanted..].fill(true),
            (Validation::Random, None) => {
                let mut order: Vec<usize> = (0..examples).collect();
                order.shuffle(&mut Stream::Validation.rng(seed));
                order[..wanted].iter().for_each(|&example| held[example] = true);
            }
            (Validation::Groups, Some(groups)) => {
                let mut numbers = HashMap::new();
                let mut members: Vec<Vec<usize>> = Vec::new();
                for (example, group) in groups.iter().enumerate() {
                    let number = *numbers.entry(group).or_insert(members.len());
                    if number == members.len() {
                        members.push(Vec::new());
                    }
                    members[number].push(example);
                }
                members.shuffle(&mut Stream::Validation.rng(seed));
                let mut count = 0;
                for group in members {
                    if count >= wanted {
                        break;
                    }
                    count += group.len();
                    group.into_iter().for_each(|example| held[example] = true);
                }
            }
            (Validation::Groups, None) => {
                return Err(InputError::new(
                    "validation = \"groups\" needs to know the groups: --group NAME",
                ));
            }
            (_, Some(_)) => return Err(InputError::new("--group needs validation = \"groups\"")),
        }
        let (validation, train): (Vec<_>, Vec<_>) = (0..examples).partition(|&example| held[example]);
        if train.is_empty() {
            return Err(InputError::new("validation_split leaves no example to train on"));
        }
        Ok(Self { train, validation })
    }
}

/// How many examples stay for training: `floor(n · (1 - split))` in doubles, as Keras computes it.
fn kept(examples: usize, split: f64) -> usize {
    (examples as f64 * (1.0 - split)).floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Keras splits, by running it.
    #[test]
    fn splits_as_keras_does() {
        for (n, split, train) in [(7, 0.3, 4), (10, 0.8, 1), (1000, 0.8, 199), (10, 0.9, 0), (100, 0.9, 9)] {
            assert_eq!(kept(n, split), train, "{n} examples, split {split}");
        }
        let recipe = Recipe::from_toml("validation_split = 0.3").unwrap();
        let split = Split::new(&recipe, 0, None, 7).unwrap();
        assert_eq!((split.train, split.validation), (vec![0, 1, 2, 3], vec![4, 5, 6]));
        let recipe = Recipe::from_toml("validation_split = 0.9").unwrap();
        assert!(Split::new(&recipe, 0, None, 10).unwrap_err().to_string().contains("no example to train on"));
    }

    #[test]
    fn draws_by_the_seed() {
        let recipe = Recipe::from_toml("validation_split = 0.25\nvalidation = \"random\"").unwrap();
        let split = |seed| Split::new(&recipe, seed, None, 100).unwrap();
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
        let Split { train, validation } = split(1);
        assert_eq!((train.len(), validation.len()), (75, 25));
        assert!(train.is_sorted() && validation.is_sorted() && !validation.iter().any(|v| train.contains(v)));
        assert_ne!(validation, (75..100).collect::<Vec<_>>());
    }

    #[test]
    fn groups_stay_together() {
        let recipe = Recipe::from_toml("validation_split = 0.2\nvalidation = \"groups\"").unwrap();
        let groups: Vec<String> = (0..200).map(|i| format!("movie {}", i * i % 23)).collect();
        let split = |seed| Split::new(&recipe, seed, Some(&groups), groups.len()).unwrap();
        assert_ne!(split(1), split(2));
        let Split { train, validation } = split(1);
        assert!(validation.len() >= 40 && validation.len() < 80, "{}", validation.len());
        assert_eq!(train.len() + validation.len(), 200);
        assert!(validation.iter().all(|&v| train.iter().all(|&t| groups[t] != groups[v])));
        let one = vec!["all".to_owned(); 10];
        assert!(Split::new(&recipe, 0, Some(&one), 10).is_err(), "the only group was held out");
        assert!(Split::new(&recipe, 0, None, 10).unwrap_err().to_string().contains("--group NAME"));
    }
}
