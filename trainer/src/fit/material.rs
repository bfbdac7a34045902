//! What a training reads: encoded texts, split into those to train on and those that validate.

use std::sync::Mutex;

use anyhow::Result;
use candle_core::Device;
use kilornn::text::Normalization;

use super::{Examples, Split, Task};
use crate::data::{Dataset, Example, texts_of};
use crate::error::InputError;
use crate::network::Network;
use crate::network::loss::{Objective, class};
use crate::optim::Ties;
use crate::quantize::Sample;
use crate::random::Stream;
use crate::recipe::{EarlyStopping, Lookup, Recipe, Schedule, Teacher, VocabularyBy};
use crate::teacher::{Lesson, Opinions, teach};
use crate::text::{Encoder, normalization};

/// Encoded texts to train and to validate on, and what their classes weigh.
#[derive(Debug, Clone)]
pub struct Material {
    /// The vocabulary, of all training texts.
    pub encoder: Encoder,
    train: Encoded,
    validation: Option<Encoded>,
    /// The training texts that are kept for validation, by index.
    pub held: Vec<usize>,
    class_weights: Vec<f32>,
    ties: Option<Ties>,
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

/// Ids of the words, and classes, of examples.
fn encode(encoder: &Encoder, examples: &[Example]) -> (Vec<Vec<u32>>, Vec<usize>) {
    (encoder.encode_all(&texts_of(examples)), examples.iter().map(|example| example.class).collect())
}

/// What teachers were asked and said, so that many trainings on the same data ask once.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<(Question, Opinions)>>);

/// All that a teacher's opinions of data depend on.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    /// The texts that it learns from.
    train: Vec<usize>,
    longest: usize,
    normalization: Normalization,
}

impl Memory {
    /// What a teacher says to a question: remembered, or else asked now. Others with the same question wait meanwhile.
    fn recall(&self, question: Question, ask: impl FnOnce() -> Opinions) -> Opinions {
        // Whoever panicked left nothing half remembered.
        let mut known = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((_, opinions)) = known.iter().find(|(asked, _)| *asked == question) {
            return opinions.clone();
        }
        let opinions = ask();
        known.push((question, opinions.clone()));
        opinions
    }
}

/// A teacher's opinions of the training part of a split and of the unlabelled texts.
fn opinions(
    recipe: &Recipe,
    data: &Dataset,
    split: &Split,
    memory: &Memory,
) -> Result<Option<Opinions>, InputError> {
    match recipe.teacher {
        Teacher::None if data.unlabelled.is_empty() => return Ok(None),
        Teacher::None => {
            let reason = "unlabelled texts need a teacher, who says what they are (--set teacher=ngrams)";
            return Err(InputError::new(reason));
        }
        Teacher::Ngrams => {}
    }
    let examples = split.train.iter().map(|&example| &data.train[example]);
    let (texts, classes): (Vec<&str>, Vec<usize>) =
        examples.map(|example| (example.text.as_str(), example.class)).unzip();
    let groups: Vec<usize> = match &data.groups {
        None => (0..texts.len()).collect(),
        Some(groups) => split.train.iter().map(|&example| number(&groups[example])).collect(),
    };
    let unlabelled: Vec<&str> = data.unlabelled.iter().map(String::as_str).collect();
    let (longest, normalization) = (recipe.teacher_ngrams, normalization(recipe));
    let question = Question { train: split.train.clone(), longest, normalization };
    Ok(Some(memory.recall(question, || {
        teach(&Lesson {
            texts: &texts,
            classes: &classes,
            count: data.labels.len(),
            groups: &groups,
            unlabelled: &unlabelled,
            longest,
            normalization,
        })
    })))
}

/// A number of a group, the same on every machine.
fn number(group: &str) -> usize {
    crc32fast::hash(group.as_bytes()) as usize
}

/// The vocabulary that a recipe asks for. Frequencies are those of all training texts, as in Keras. What words tell is
/// asked of the texts that are trained on alone, so that the others can still validate: of the teacher's opinions of
/// them, if there are any, which no single label has swayed.
fn vocabulary(recipe: &Recipe, data: &Dataset, split: &Split, opinions: Option<&Opinions>) -> Encoder {
    let classes = data.labels.len();
    match recipe.vocabulary_by {
        VocabularyBy::Frequency => {
            Encoder::fit(recipe, data.train.iter().map(|example| example.text.as_str()))
        }
        VocabularyBy::Information => {
            let labelled = split.train.iter().map(|&index| &data.train[index]);
            let learned: Vec<(&str, Vec<f32>)> = match opinions {
                None => {
                    labelled.map(|example| (example.text.as_str(), certain(example.class, classes))).collect()
                }
                Some(Opinions { train, unlabelled }) => {
                    let outputs = Network::outputs_for(classes);
                    let texts = labelled.map(|example| example.text.as_str());
                    let texts = texts.chain(data.unlabelled.iter().map(String::as_str));
                    let opinions = train.chunks_exact(outputs).chain(unlabelled.chunks_exact(outputs));
                    texts.zip(opinions.map(distribution)).collect()
                }
            };
            Encoder::by_information(recipe, &learned)
        }
    }
}

/// A class, as a probability of each.
fn certain(class: usize, classes: usize) -> Vec<f32> {
    (0..classes).map(|other| f32::from(u8::from(other == class))).collect()
}

/// An opinion, as a probability of each class.
fn distribution(opinion: &[f32]) -> Vec<f32> {
    match opinion {
        [p] => vec![1.0 - p, *p],
        _ => opinion.to_vec(),
    }
}

impl Encoded {
    /// Adds opinions of these texts, and the unlabelled texts with theirs.
    fn be_taught(&mut self, recipe: &Recipe, data: &Dataset, encoder: &Encoder, opinions: Opinions) {
        let Opinions { mut train, unlabelled } = opinions;
        let outputs = Network::outputs_for(data.labels.len());
        for (opinion, &class) in train.chunks_exact_mut(outputs).zip(&self.classes) {
            for (output, p) in opinion.iter_mut().enumerate() {
                let right = class == if outputs == 1 { 1 } else { output };
                *p = recipe.teacher_share * *p + (1.0 - recipe.teacher_share) * f32::from(u8::from(right));
            }
        }
        self.classes.extend(unlabelled.chunks_exact(outputs).map(|opinion| class(&distribution(opinion))));
        let texts: Vec<&str> = data.unlabelled.iter().map(String::as_str).collect();
        self.texts.extend(encoder.encode_all(&texts));
        train.extend(unlabelled);
        self.opinions = Some(train);
    }
}

impl Material {
    /// Splits and encodes data as a recipe asks.
    ///
    /// # Errors
    ///
    /// If the recipe asks for something that these data do not have, such as texts that validate.
    pub fn new(recipe: &Recipe, seed: u64, data: &Dataset) -> Result<Self> {
        Self::remembering(recipe, seed, data, &Memory::default())
    }

    /// The same; `memory` keeps what teachers say of these data, for further trainings on the same data.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn remembering(recipe: &Recipe, seed: u64, data: &Dataset, memory: &Memory) -> Result<Self> {
        let split = Split::new(recipe, seed, data.groups.as_deref(), data.train.len())?;
        if (recipe.schedule == Schedule::Plateau || recipe.early_stopping != EarlyStopping::None)
            && split.validation.is_empty()
            && data.dev.is_none()
        {
            let reason = "early stopping and schedule = \"plateau\" need validation texts: a validation_split, or a dev file";
            return Err(InputError::new(reason).into());
        }
        let trained: Vec<usize> = split.train.iter().map(|&example| data.train[example].class).collect();
        let class_weights =
            recipe.class_weight.of_classes(data.labels.len(), &trained).map_err(InputError::new)?;

        let opinions = opinions(recipe, data, &split, memory)?;
        let mut encoder = vocabulary(recipe, data, &split, opinions.as_ref());
        if recipe.lookup == Lookup::Device {
            encoder = encoder.on_device()?;
        }
        let (mut texts, classes) = encode(&encoder, &data.train);
        let mut take = |part: &[usize]| {
            let (texts, classes) =
                part.iter().map(|&example| (std::mem::take(&mut texts[example]), classes[example])).unzip();
            Encoded { texts, classes, opinions: None }
        };
        let (mut train, held) = (take(&split.train), take(&split.validation));
        let dev = || {
            let (texts, classes) = encode(&encoder, data.dev.as_deref()?);
            Some(Encoded { texts, classes, opinions: None })
        };
        let validation = if held.texts.is_empty() { dev() } else { Some(held) };
        if let Some(opinions) = opinions {
            train.be_taught(recipe, data, &encoder, opinions);
        }
        let ties = recipe.pairs.then(|| Ties::new(encoder.ties()));
        Ok(Self { encoder, train, validation, held: split.validation, class_weights, ties })
    }

    /// The vocabulary alone, of all training texts: a teacher is asked only if the vocabulary depends on it.
    ///
    /// # Errors
    ///
    /// If there are texts without labels and no teacher.
    pub fn vocabulary(recipe: &Recipe, data: &Dataset) -> Result<Encoder, InputError> {
        let everything = Split { train: (0..data.train.len()).collect(), validation: Vec::new() };
        let opinions = match recipe.vocabulary_by {
            VocabularyBy::Frequency => None,
            VocabularyBy::Information => opinions(recipe, data, &everything, &Memory::default())?,
        };
        Ok(vocabulary(recipe, data, &everything, opinions.as_ref()))
    }

    /// The ids of the words of a training text, by its place among the training texts of the data.
    fn ids(&self, text: usize) -> &[u32] {
        match (self.held.binary_search(&text), &self.validation) {
            (Ok(place), Some(validation)) => &validation.texts[place],
            (Ok(before) | Err(before), _) => &self.train.texts[text - before],
        }
    }

    /// The training texts that calibrate a quantization, those that validate included. The data are those that this was
    /// made of.
    pub fn sample<'d>(&self, data: &'d Dataset) -> Sample<'d> {
        Sample::of_encoded(&texts_of(&data.train), |text| self.ids(text))
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
        let mut network = Network::new(recipe, self.encoder.rows(), outputs, &mut Stream::Weights.rng(seed));
        if let Some(ties) = &self.ties {
            ties.begin(&mut network.embedding);
        }
        network
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
            ties: self.ties.as_ref(),
            train: self.train(),
            validation: self.validation(),
            processor: Device::Cpu,
        }
    }
}
