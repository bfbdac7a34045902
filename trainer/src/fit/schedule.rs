//! The learning rate, step by step and epoch by epoch.

use serde::{Deserialize, Serialize};

use crate::recipe::{Recipe, Schedule};

/// The learning rate under a recipe's schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LearningRate {
    /// What a plateau has left of it.
    rate: f32,
    /// The least validation loss so far.
    best: Option<f64>,
    /// Epochs since.
    waited: usize,
}

impl LearningRate {
    pub(super) fn new(recipe: &Recipe) -> Self {
        Self { rate: recipe.learning_rate, best: None, waited: 0 }
    }

    /// At a step, from 0, of `steps`.
    pub(super) fn at(&self, recipe: &Recipe, step: usize, steps: usize) -> f32 {
        match recipe.schedule {
            Schedule::Constant => recipe.learning_rate,
            Schedule::Cosine => {
                let share = 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / steps as f32).cos());
                recipe.learning_rate * share
            }
            Schedule::Plateau => self.rate,
        }
    }

    /// Takes an epoch's validation loss (`on_epoch_end` of Keras's `ReduceLROnPlateau`, without cooldown).
    pub(super) fn observe(&mut self, recipe: &Recipe, loss: f64) {
        if self.best.is_none_or(|best| loss < best - recipe.plateau_min_delta) {
            self.best = Some(loss);
            self.waited = 0;
            return;
        }
        self.waited += 1;
        if self.waited >= recipe.plateau_patience && self.rate > recipe.min_learning_rate {
            self.rate = (self.rate * recipe.plateau_factor).max(recipe.min_learning_rate);
            self.waited = 0;
        }
    }

    /// Forgets the losses, which those of another network will follow, but not the rate.
    pub(super) fn start_over(&mut self) {
        (self.best, self.waited) = (None, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_on_a_plateau_as_keras_s_does() {
        let toml = "schedule = \"plateau\"\nlearning_rate = 0.8\nplateau_factor = 0.5\nplateau_patience = 2\n\
                    plateau_min_delta = 0.01\nmin_learning_rate = 0.15";
        let recipe = Recipe::from_toml(toml).unwrap();
        let mut rate = LearningRate::new(&recipe);
        // By Keras's rules: 0.995 is no improvement of 1.0, two such epochs halve the rate and start the count anew,
        // and it ends at its minimum.
        let losses = [1.0, 0.995, 1.2, 0.9, 0.9, 0.95, 0.95, 0.95, 0.95, 0.95];
        let rates = [0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.15, 0.15, 0.15];
        for (loss, wanted) in losses.into_iter().zip(rates) {
            rate.observe(&recipe, loss);
            assert_eq!(rate.at(&recipe, 7, 100), wanted, "after {loss}");
        }
    }

    #[test]
    fn a_cosine_falls_from_all_to_nothing() {
        let recipe = Recipe::from_toml("schedule = \"cosine\"\nlearning_rate = 0.5").unwrap();
        let rate = |step| LearningRate::new(&recipe).at(&recipe, step, 100);
        assert_eq!(rate(0), 0.5);
        assert!((rate(50) - 0.25).abs() < 1e-6, "{}", rate(50));
        assert!(rate(99) < 0.001 && rate(99) > 0.0, "{}", rate(99));
    }
}
