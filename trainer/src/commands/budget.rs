//! `kilornn train --flash 64K`: which size to train, and the proof that it fits.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use clap::ArgGroup;
use kilornn::Model;
use kilornn::layers::Activation;
use serde::Serialize;
use shell_words::quote;

use super::request::{Request, set_options};
use super::target::Target;
use super::{Console, grouped};
use crate::data::Dataset;
use crate::error::InputError;
use crate::fit::{Interrupt, Interrupted, Material, Memory};
use crate::footprint::{Device, Engine, Excess, Footprint, Limits, Needs, Texts};
use crate::parts;
use crate::progress;
use crate::quantize::{Exported, order};
use crate::recipe::{Letters, Recipe};
use crate::sweep::budget::{Deadline, parse_bytes};
use crate::sweep::grid::{Form, Shape, words_held};
use crate::sweep::search::{Effort, Score, search};
use crate::sweep::space::{Choices, Plan, Space};
use crate::sweep::table::Table;
use crate::sweep::trial::{Measured, Outcome, Trial};
use crate::sweep::workers::{Job, Work};
use crate::text::normalization;

#[derive(Debug, Clone, Copy, clap::Args)]
#[command(group = ArgGroup::new("limits").multiple(true).args(["flash", "ram", "instructions_per_word"]))]
pub(super) struct Budget {
    /// The most bytes of flash for the model and the engine together, such as 64K (K is 1,024, M is 1,024 K)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    flash: Option<usize>,
    /// The most bytes of RAM for the classifier and the engine's stack together
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    ram: Option<usize>,
    /// The most instructions that a word may take, tokenizer included: an estimate, from the share of zeros in the
    /// trained network's states
    #[arg(long, value_name = "N")]
    instructions_per_word: Option<usize>,
    #[command(flatten)]
    target: Target,
}

/// What a search came to.
pub(super) struct Search {
    device: Device,
    limits: Limits,
    /// Everything that was tried, in its order.
    tried: Vec<Tried>,
    /// The best first.
    pub(super) choices: Vec<Choice>,
}

/// A size to train.
pub(super) struct Choice {
    shape: Shape,
    /// All settings, with which this size is an ordinary training.
    pub(super) settings: Vec<String>,
    /// The command with them.
    command: String,
}

/// One training of the search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Tried {
    #[serde(flatten)]
    shape: Shape,
    epochs: usize,
    /// Of the device's answers to the texts that validate; none if it came to nothing.
    accuracy: Option<f64>,
    loss: Option<f64>,
    footprint: Option<Footprint>,
}

/// That a model is within its budget.
#[derive(Debug, Serialize)]
pub(super) struct Proof {
    core: &'static str,
    engine: Engine,
    limits: Limits,
    footprint: Footprint,
    flash: usize,
    ram: usize,
    chosen: Shape,
    tried: Vec<Tried>,
    /// Trains the same model again.
    command: String,
}

impl Budget {
    /// Whether there is one.
    pub(super) fn is_asked(&self) -> bool {
        !self.limits().is_empty()
    }

    fn limits(&self) -> Limits {
        let Self { flash, ram, instructions_per_word, .. } = *self;
        Limits { flash, ram, instructions_per_word }
    }

    /// What the engine wants of the recipe, beside what is set. Fails if something else is set.
    fn for_engine(&self, recipe: &Recipe, given: &impl Fn(&str) -> bool) -> Result<Vec<String>, InputError> {
        if self.instructions_per_word.is_some() && !self.target.engine.is_counted() {
            return Err(InputError::new(format!(
                "--instructions-per-word: instructions are known of the engine tuned for speed alone, not with \
                 --engine {}",
                self.target.engine
            )));
        }
        match (self.target.engine, recipe.lowercase) {
            (Engine::Small, Letters::Unicode) if given("lowercase") => Err(InputError::new(
                "--engine small lower-cases ASCII alone, so lowercase = \"unicode\" is beyond it",
            )),
            (Engine::Small, Letters::Unicode) => Ok(vec!["lowercase=ascii".to_owned()]),
            _ => Ok(vec![]),
        }
    }

    /// Searches for sizes that are worth training. What was asked for is checked before anything is trained.
    pub(super) fn search(
        &self,
        console: Console,
        request: &Request,
        data: &Dataset,
        memory: &Memory,
        out: &Path,
    ) -> Result<Search> {
        let limits = self.limits();
        let recipe = request.recipe_with(&[])?;
        let given = |key: &str| request.settings.iter().any(|setting| key_of(setting) == key);
        let for_engine = self.for_engine(&recipe, &given)?;
        let settings = |shape: &Shape, more: &[String]| settings(request, &for_engine, shape, more);

        let texts = data.train.iter().map(|example| example.text.as_str());
        let texts = Texts::of(normalization(&recipe), texts);
        let Target { core, engine } = self.target;
        let Texts { bytes_per_word, words_per_text, .. } = texts;
        let device = Device { core, engine, bytes_per_word, words_per_text };
        let space = Space {
            choices: Choices::new(&recipe, &texts, given),
            recipe: &|shape| Ok(request.recipe_of(&settings(shape, &[]))?),
            embedding: recipe.embedding,
            labels: &data.labels,
            device,
            limits,
        };
        let plans = space.plans()?;
        if plans.is_empty() {
            return Err(self.impossible(&space)?.into());
        }

        // What the training in the end would be refused for is refused now.
        Material::remembering(&request.recipe_with(&for_engine)?, request.seed, data, memory)?;
        let (validation, about_validation) = request.validation(data)?;
        let validating = request.recipe_with(&[&for_engine[..], &validation].concat())?;
        let material = Material::remembering(&validating, request.seed, data, memory)?;
        let (trained, validated) =
            (material.train().texts.len(), material.validation().map_or(0, |texts| texts.texts.len()));
        if validated == 0 {
            return Err(InputError::new("there is no text to validate on").into());
        }
        console.say(format!(
            "{} sizes fit {}, with at most {} of {} different words; trying some of them on {} texts, validating on \
             {}: {about_validation}; the test part is not used",
            grouped(plans.len()),
            self.in_words(),
            grouped(plans.iter().map(|plan| plan.shape.vocabulary).max().unwrap_or(0)),
            grouped(texts.different),
            grouped(trained),
            grouped(validated),
        ))?;

        let mut tried: Vec<Tried> = Vec::new();
        let mut known: HashMap<(usize, usize), Option<Score>> = HashMap::new();
        let interrupt = Interrupt::listen()?;
        let train = |places: &[usize], effort: Effort| -> Result<Vec<Option<Score>>> {
            let epochs = effort.of(recipe.epochs, trained.div_ceil(recipe.batch));
            let new: Vec<usize> =
                places.iter().copied().filter(|&place| !known.contains_key(&(place, epochs))).collect();
            let more = shortened(&recipe, epochs, &validation);
            let recipes = new
                .iter()
                .map(|&place| request.recipe_of(&settings(&plans[place].shape, &more)))
                .collect::<Result<Vec<_>, _>>()?;
            let jobs: Vec<Job<'_>> = new
                .iter()
                .zip(&recipes)
                .map(|(&place, recipe)| Job { recipe, shape: plans[place].shape, seed: request.seed })
                .collect();
            let rounds = Rounds { console, data, memory, interrupt: &interrupt, trained };
            let trials = rounds.run(&jobs, epochs, recipe.epochs)?;
            for (&place, trial) in new.iter().zip(&trials) {
                let one = judge(&plans[place], trial, epochs, &device);
                console.say(one.line(trial, &limits))?;
                known.insert((place, epochs), one.score(&limits));
                tried.push(one);
            }
            Ok(places.iter().map(|&place| known[&(place, epochs)]).collect())
        };
        let beside = Shape {
            vocabulary: words_held(recipe.vocabulary, texts.different),
            embedding: recipe.embedding,
            units: recipe.units,
            form: Some(Form::of(&recipe)),
        };
        let found = search(&plans, &beside, train);
        if found.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            console.say("interrupted while searching: nothing was written")?;
        }
        let choices: Vec<Choice> = found?
            .into_iter()
            .map(|place| {
                let settings = settings(&plans[place].shape, &[]);
                let folder = format!("--out {}", quote(&format!("{}-again", out.to_string_lossy())));
                let options = [&set_options(&settings)[..], &[folder]].concat();
                let command = request.train_command(&request.recipe, &options);
                Choice { shape: plans[place].shape, settings, command }
            })
            .collect();
        let Some(best) = choices.first() else {
            let reason =
                format!("nothing that was tried came to a model within {}: leave more room", self.in_words());
            return Err(InputError::new(reason).into());
        };
        console.say(format!("chosen: {}", best.shape.in_words()))?;
        Ok(Search { device, limits, tried, choices })
    }

    /// The limits, as they were given.
    fn in_words(&self) -> String {
        let limits = [
            self.flash.map(|bytes| format!("{} bytes of flash", grouped(bytes))),
            self.ram.map(|bytes| format!("{} bytes of RAM", grouped(bytes))),
            self.instructions_per_word.map(|count| format!("{} instructions a word", grouped(count))),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        format!("{} on {} with the engine `{}`", limits.join(", "), self.target.core.name, self.target.engine)
    }

    /// Why nothing fits, and the least that there could be.
    fn impossible(&self, space: &Space<'_>) -> Result<InputError> {
        let Some(least) = space.least()? else {
            return Ok(InputError::new("no size is what the settings ask for"));
        };
        let Target { core, engine } = self.target;
        let limit = |excess| match excess {
            Excess::Flash => self.flash,
            Excess::Ram => self.ram,
            Excess::Instructions => self.instructions_per_word,
        };
        let mut reasons = Vec::new();
        for (excess, plan) in [Excess::Flash, Excess::Ram, Excess::Instructions].into_iter().zip(least) {
            let Some(limit) = limit(excess).map(grouped) else { continue };
            // Each by itself, and if each by itself could be met, all of them.
            let alone = space.limits.exceeded(&plan.footprint).contains(&excess);
            let Footprint { file, classifier, stack, instructions_per_word, .. } = plan.footprint;
            let size = plan.shape.in_words();
            let reason = match excess {
                Excess::Flash => format!(
                    "--flash {limit}: the engine `{engine}` takes {} bytes on {} and the smallest model {} ({size}), so \
                     at least {}{}",
                    grouped(engine.code(core)),
                    core.name,
                    grouped(file),
                    grouped(plan.footprint.flash()),
                    self.target.smaller(file),
                ),
                Excess::Ram => format!(
                    "--ram {limit}: the engine's stack takes {} bytes on {} and the smallest classifier {} ({size}), so \
                     at least {}",
                    grouped(stack),
                    core.name,
                    grouped(classifier),
                    grouped(plan.footprint.ram()),
                ),
                Excess::Instructions => format!(
                    "--instructions-per-word {limit}: a word of {:.1} bytes takes at least {} on {} ({size})",
                    space.device.bytes_per_word,
                    grouped(instructions_per_word.unwrap_or(0.0).ceil() as usize),
                    core.name,
                ),
            };
            reasons.push((alone, reason));
        }
        let alone = reasons.iter().any(|(alone, _)| *alone);
        let shown: Vec<String> =
            reasons.into_iter().filter_map(|(one, reason)| (one || !alone).then_some(reason)).collect();
        let together = if alone { "" } else { "no size is within all limits together; by itself, " };
        Ok(InputError::new(format!("{together}{}", shown.join("\n       "))))
    }
}

/// The key that a setting changes.
fn key_of(setting: &str) -> &str {
    setting.split('=').next().unwrap_or_default().trim()
}

/// The settings of a size: the request's, those that say the same key again left out.
fn settings(request: &Request, for_engine: &[String], shape: &Shape, more: &[String]) -> Vec<String> {
    let chosen = [for_engine, &shape.settings(), more].concat();
    let is_chosen = |setting: &&String| chosen.iter().any(|other| key_of(other) == key_of(setting));
    let given: Vec<String> = request.settings.iter().filter(|given| !is_chosen(given)).cloned().collect();
    [given, chosen].concat()
}

/// What makes a training one of fewer epochs, of which as large a share is quantized, with texts that validate.
fn shortened(recipe: &Recipe, epochs: usize, validation: &[String]) -> Vec<String> {
    let quantized = (recipe.quantized_epochs * epochs).div_ceil(recipe.epochs);
    let shorter = [format!("epochs={epochs}"), format!("quantized_epochs={quantized}")];
    [validation, &shorter].concat()
}

/// What trainings of a search share.
struct Rounds<'a> {
    console: Console,
    data: &'a Dataset,
    memory: &'a Memory,
    interrupt: &'a Interrupt,
    /// Texts to train on.
    trained: usize,
}

impl Rounds<'_> {
    /// Trains for so many of all epochs; the trials are in the order of the jobs.
    fn run(&self, jobs: &[Job<'_>], epochs: usize, all: usize) -> Result<Vec<Trial>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.console.say(format!("{} sizes, {epochs} of {all} epochs", jobs.len()))?;
        let progress = progress::bar("trainings", jobs.len() * epochs * self.trained, "examples");
        let mut trials = Vec::new();
        let work = Work {
            jobs,
            data: self.data,
            memory: self.memory,
            at_a_time: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            deadline: Deadline::after(None),
            interrupt: self.interrupt,
        };
        let worked = work.run(
            || progress.inc(self.trained as u64),
            |trial| {
                trials.push(trial);
                Ok(())
            },
        );
        progress.finish_and_clear();
        worked?;
        trials.sort_by_key(|trial| jobs.iter().position(|job| job.shape == trial.shape));
        Ok(trials)
    }
}

/// What a trial came to on the device.
fn judge(plan: &Plan, trial: &Trial, epochs: usize, device: &Device) -> Tried {
    let measured = |Measured { bytes, ram, zeros, .. }: &Measured| {
        let step = plan.needs.step;
        let activation = if step.tanh { Activation::Tanh } else { Activation::Relu };
        let needs = Needs { file: *bytes, classifier: *ram, ..plan.needs };
        Footprint::of(needs.ordered(order(activation, step.units + step.width, *zeros)), *zeros, device)
    };
    let one = match &trial.outcome {
        Outcome::Measured(one) => Some(one),
        Outcome::Failed(_) => None,
    };
    Tried {
        shape: plan.shape,
        epochs,
        accuracy: one.map(|one| one.accuracy),
        loss: one.map(|one| one.loss),
        footprint: one.map(measured),
    }
}

impl Tried {
    /// If it may be chosen.
    fn score(&self, limits: &Limits) -> Option<Score> {
        let footprint = self.footprint.filter(|footprint| limits.hold(footprint))?;
        Some(Score { accuracy: self.accuracy?, loss: self.loss?, bytes: footprint.file })
    }

    fn line(&self, trial: &Trial, limits: &Limits) -> String {
        let size = self.shape.in_words();
        match (self.accuracy, self.footprint, &trial.outcome) {
            (Some(accuracy), Some(footprint), _) => {
                let instructions = footprint.instructions_per_word.map_or_else(String::new, |count| {
                    format!(", {} instructions a word", grouped(count.ceil() as usize))
                });
                let beyond = if limits.hold(&footprint) { "" } else { "; beyond the budget" };
                format!(
                    "  {accuracy:.4}  {size} - flash {}, RAM {}{instructions}{beyond}",
                    grouped(footprint.flash()),
                    grouped(footprint.ram()),
                )
            }
            (_, _, Outcome::Failed(reason)) => format!("  failed  {size} - {reason}"),
            _ => format!("  failed  {size}"),
        }
    }
}

impl Search {
    /// The bill of a model.
    pub(super) fn proof(&self, choice: &Choice, exported: &Exported) -> Result<Proof> {
        let model = Model::from_bytes(&exported.file)?;
        let needs = Needs::of(model.contents(), exported.file.len());
        let footprint = Footprint::of(needs, exported.zeros, &self.device);
        Ok(Proof {
            core: self.device.core.name,
            engine: self.device.engine,
            limits: self.limits,
            footprint,
            flash: footprint.flash(),
            ram: footprint.ram(),
            chosen: choice.shape,
            tried: self.tried.clone(),
            command: choice.command.clone(),
        })
    }
}

impl Proof {
    /// Whether it is one.
    pub(super) fn holds(&self) -> bool {
        self.limits.hold(&self.footprint)
    }

    /// Prints the bill and the command.
    pub(super) fn show(&self, console: Console, model: &Model<'_>) -> Result<()> {
        let Footprint { file, engine, classifier, stack, instructions_per_word } = self.footprint;
        let row = |bytes: usize, limit: Option<usize>, part: String| {
            vec![grouped(bytes), limit.map(grouped).unwrap_or_default(), part]
        };
        let parts = parts::of(model, file).into_iter().filter(|part| part.bytes > 0);
        let mut rows: Vec<Vec<String>> =
            parts.map(|part| row(part.bytes, None, format!("model: {}", part.part))).collect();
        rows.extend([
            row(engine, None, format!("engine `{}` on {}", self.engine, self.core)),
            row(self.flash, self.limits.flash, "bytes of flash".to_owned()),
            row(classifier, None, "classifier".to_owned()),
            row(stack, None, "stack of the engine".to_owned()),
            row(self.ram, self.limits.ram, "bytes of RAM".to_owned()),
        ]);
        if let Some(count) = instructions_per_word {
            // The firmware runs on this board; of the others, the benchmark knows.
            let counted = match self.core {
                "m4" => "; `kilornn evaluate MODEL DATA --qemu mps2-an386` counts them",
                _ => "",
            };
            let about = format!("instructions a word, estimated{counted}");
            rows.push(row(count.ceil() as usize, self.limits.instructions_per_word, about));
        }
        let table = Table { head: vec!["takes", "budget", ""], rows };
        console.say("")?;
        table.lines().iter().try_for_each(|line| console.say(format!("  {line}")))?;
        console.say(format!("\nTo train the same model again, without a search:\n  {}", self.command))
    }
}
