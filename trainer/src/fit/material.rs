//! What a training reads, ready to be read.

use anyhow::Result;
use candle_core::Device;

use super::{Examples, Split, Stream, Task};
use crate::data::Dataset;
use crate::error::InputError;
use crate::network::Network;
use crate::network::loss::Objective;
use crate::recipe::{EarlyStopping, Recipe, Schedule, Teacher};
use crate::teacher::{Lesson, Opinions, teach};
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
    opinions: Option<Vec<f32>>,
}

impl Encoded {
    fn examples(&self) -> Examples<'_> {
        Examples { texts: &self.texts, classes: &self.classes, opinions: self.opinions.as_deref() }
    }
}

impl Encoded {
    /// Adds a teacher's opinions of these texts, the training part of a split, and the unlabelled texts with theirs.
    fn be_taught(&mut self, recipe: &Recipe, data: &Dataset, split: &Split, encoder: &Encoder) {
        let texts: Vec<&str> = split.train.iter().map(|&example| data.train[example].text.as_str()).collect();
        let unlabelled: Vec<&str> = data.unlabelled.iter().map(String::as_str).collect();
        let groups: Vec<usize> = match &data.groups {
            None => (0..texts.len()).collect(),
            Some(groups) => split.train.iter().map(|&example| number(&groups[example])).collect(),
        };
        let classes = data.labels.len();
        let lesson = Lesson {
            texts: &texts,
            classes: &self.classes,
            count: classes,
            groups: &groups,
            unlabelled: &unlabelled,
            longest: recipe.teacher_ngrams,
            normalization: encoder.normalization(),
        };
        let Opinions { mut train, unlabelled: of_unlabelled } = teach(&lesson);
        let outputs = if classes == 2 { 1 } else { classes };
        for (opinion, &class) in train.chunks_exact_mut(outputs).zip(&self.classes) {
            for (output, p) in opinion.iter_mut().enumerate() {
                let right = class == if outputs == 1 { 1 } else { output };
                *p = recipe.teacher_share * *p + (1.0 - recipe.teacher_share) * f32::from(u8::from(right));
            }
        }
        self.classes.extend(of_unlabelled.chunks_exact(outputs).map(most_probable));
        self.texts.extend(encoder.encode_all(&unlabelled));
        train.extend(of_unlabelled);
        self.opinions = Some(train);
    }
}

/// The class that an opinion favours.
fn most_probable(opinion: &[f32]) -> usize {
    match opinion {
        [p] => usize::from(*p > 0.5),
        _ => (0..opinion.len()).max_by(|&a, &b| opinion[a].total_cmp(&opinion[b])).unwrap_or(0),
    }
}

/// A number of a group, the same on every machine.
fn number(group: &str) -> usize {
    crc32fast::hash(group.as_bytes()) as usize
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
            Encoded { texts, classes, opinions: None }
        };
        let (mut train, held) = (take(&split.train), take(&split.validation));
        let dev = || {
            let (texts, classes) = encoder.encode_examples(data.dev.as_deref()?);
            Some(Encoded { texts, classes, opinions: None })
        };
        let validation = if held.texts.is_empty() { dev() } else { Some(held) };
        match recipe.teacher {
            Teacher::None if !data.unlabelled.is_empty() => {
                return Err(InputError::new(
                    "unlabelled texts need a teacher, who says what they are (--set teacher=ngrams)",
                ));
            }
            Teacher::None => {}
            Teacher::Ngrams => train.be_taught(recipe, data, &split, &encoder),
        }
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
        let classes = self.class_weights.len();
        let outputs = if classes == 2 { 1 } else { classes };
        Network::new(recipe, self.encoder.rows(), outputs, &mut Stream::Weights.rng(seed))
    }

    /// The task of training on it, on the CPU.
    pub fn task<'a>(&'a self, recipe: &'a Recipe, seed: u64) -> Task<'a> {
        let objective = Objective {
            class_weights: self.class_weights.clone(),
            label_smoothing: recipe.label_smoothing,
            l2: recipe.l2,
        };
        let unknown = self.encoder.unknown_id();
        Task {
            recipe,
            objective,
            seed,
            unknown,
            train: self.train(),
            validation: self.validation(),
            processor: Device::Cpu,
        }
    }
}
