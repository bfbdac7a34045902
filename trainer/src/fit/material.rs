//! What a training reads, ready to be read.

use anyhow::Result;

use super::{Examples, Split, Stream, Task};
use crate::data::Dataset;
use crate::error::InputError;
use crate::network::Network;
use crate::network::loss::Objective;
use crate::recipe::{EarlyStopping, Recipe, Schedule};
use crate::text::Encoder;

/// Encoded texts to train and to validate on, and what their classes weigh.
#[derive(Debug, Clone)]
pub struct Material {
    /// The vocabulary, of all training texts.
    pub encoder: Encoder,
    train: Encoded,
    validation: Option<Encoded>,
    class_weights: Vec<f32>,
}

#[derive(Debug, Clone)]
struct Encoded {
    texts: Vec<Vec<u32>>,
    classes: Vec<usize>,
}

impl Encoded {
    fn examples(&self) -> Examples<'_> {
        Examples { texts: &self.texts, classes: &self.classes }
    }
}

impl Material {
    /// Splits and encodes data as a recipe asks. Fails if the recipe asks for what these data do not have.
    pub fn new(recipe: &Recipe, seed: u64, data: &Dataset) -> Result<Self, InputError> {
        let split = Split::new(recipe, seed, data.groups.as_deref(), data.train.len())?;
        if (recipe.schedule == Schedule::Plateau || recipe.early_stopping != EarlyStopping::None)
            && split.validation.is_empty()
            && data.dev.is_none()
        {
            return Err(InputError::new(
                "early stopping and schedule = \"plateau\" need validation texts: a validation_split, or a dev file",
            ));
        }
        let trained: Vec<usize> = split.train.iter().map(|&example| data.train[example].class).collect();
        let class_weights =
            recipe.class_weight.of_classes(data.labels.len(), &trained).map_err(InputError::new)?;

        let encoder = Encoder::fit(recipe, data.train.iter().map(|example| example.text.as_str()));
        let (mut texts, classes) = encoder.encode_examples(&data.train);
        let mut take = |part: &[usize]| {
            let (texts, classes) =
                part.iter().map(|&example| (std::mem::take(&mut texts[example]), classes[example])).unzip();
            Encoded { texts, classes }
        };
        let (train, held) = (take(&split.train), take(&split.validation));
        let dev = || {
            let (texts, classes) = encoder.encode_examples(data.dev.as_deref()?);
            Some(Encoded { texts, classes })
        };
        let validation = if held.texts.is_empty() { dev() } else { Some(held) };
        Ok(Self { encoder, train, validation, class_weights })
    }

    /// What to train on.
    pub fn train(&self) -> Examples<'_> {
        self.train.examples()
    }

    /// What to validate on, if there is anything.
    pub fn validation(&self) -> Option<Examples<'_>> {
        self.validation.as_ref().map(Encoded::examples)
    }

    /// A network before training.
    pub fn network(&self, recipe: &Recipe, seed: u64) -> Network {
        let outputs = Network::outputs_for(self.class_weights.len());
        Network::new(recipe, self.encoder.rows(), outputs, &mut Stream::Weights.rng(seed))
    }

    /// The task of training on it.
    pub fn task<'a>(&'a self, recipe: &'a Recipe, seed: u64) -> Task<'a> {
        let objective = Objective {
            class_weights: self.class_weights.clone(),
            label_smoothing: recipe.label_smoothing,
            l2: recipe.l2,
        };
        let unknown = self.encoder.unknown_id();
        Task { recipe, objective, seed, unknown, train: self.train(), validation: self.validation() }
    }
}
