//! Early stopping: how long to wait for a better epoch, and the network of the best one.

use serde::{Deserialize, Serialize};

use super::Epoch;
use crate::network::Network;
use crate::recipe::{EarlyStopping, Recipe};

/// What Keras's `EarlyStopping` remembers, with `restore_best_weights=True`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Stopping {
    best: Option<Best>,
    /// Epochs since the best one.
    waited: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Best {
    epoch: usize,
    /// Larger is better.
    value: f64,
    weights: Vec<Vec<f32>>,
}

impl Stopping {
    /// Takes the results of an epoch. Returns whether to stop.
    pub(super) fn observe(&mut self, recipe: &Recipe, epoch: &Epoch, network: &Network) -> bool {
        let value = match recipe.early_stopping {
            EarlyStopping::None => return false,
            EarlyStopping::Loss => epoch.val_loss.map(|loss| -loss),
            EarlyStopping::Accuracy => epoch.val_accuracy,
        };
        let Some(value) = value else { return false };
        let delta = recipe.early_stopping_min_delta;
        if self.best.as_ref().is_none_or(|best| value > best.value + delta) {
            self.best = Some(Best { epoch: epoch.epoch, value, weights: network.weights() });
            self.waited = 0;
            return false;
        }
        self.waited += 1;
        self.waited >= recipe.early_stopping_patience
    }

    /// Puts the best epoch's weights back, and begins anew. Returns which epoch that was.
    pub(super) fn restore(&mut self, network: &mut Network) -> Option<usize> {
        let best = std::mem::take(self).best?;
        network.set_weights(best.weights);
        Some(best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The epoch, from 1, after which training stops, and the one whose weights it keeps.
    fn stops(toml: &str, values: &[(f64, f64)]) -> (Option<usize>, Option<usize>) {
        let recipe = Recipe::from_toml(&format!("units = 2\nembedding = 2\n{toml}")).unwrap();
        let mut network = Network::new(&recipe, 3, 1, &mut ChaCha8Rng::seed_from_u64(1));
        let mut stopping = Stopping::default();
        let stop = (1..).zip(values).find_map(|(epoch, &(loss, accuracy))| {
            network.dense_bias.values[0] = epoch as f32;
            let record =
                Epoch { epoch, val_loss: Some(loss), val_accuracy: Some(accuracy), ..Epoch::default() };
            stopping.observe(&recipe, &record, &network).then_some(epoch)
        });
        let best = stopping.restore(&mut network);
        if let Some(best) = best {
            assert_eq!(network.dense_bias.values[0], best as f32, "not the weights of epoch {best}");
        }
        assert_eq!(stopping, Stopping::default());
        (stop, best)
    }

    #[test]
    fn waits_and_remembers_as_keras_does() {
        let values = [(1.0, 0.5), (0.8, 0.6), (0.79, 0.7), (0.9, 0.8), (0.85, 0.6), (0.5, 0.5)];
        let on = |what: &str| stops(&format!("early_stopping = {what}"), &values);
        assert_eq!(on("\"val_loss\"\nearly_stopping_patience = 2"), (Some(5), Some(3)));
        assert_eq!(on("\"val_loss\"\nearly_stopping_patience = 3"), (None, Some(6)));
        assert_eq!(on("\"val_loss\"\nearly_stopping_patience = 1"), (Some(4), Some(3)));
        assert_eq!(
            on("\"val_loss\"\nearly_stopping_patience = 1\nearly_stopping_min_delta = 0.05"),
            (Some(3), Some(2))
        );
        assert_eq!(on("\"val_accuracy\"\nearly_stopping_patience = 2"), (Some(6), Some(4)));
        assert_eq!(on("\"none\""), (None, None));
    }
}
