//! The search for a budget: which size to train, and the proof that its model is within the budget.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use kilornn::Model;
use serde::Serialize;
use shell_words::quote;

use super::Say;
use super::halving::{Effort, Rating, search};
use super::size::{EmbeddingForm, Size, words_held};
use super::space::{Candidate, Choices, Space};
use super::table::Table;
use super::trial::{Measurements, Outcome, Trial};
use super::workers::{Deadline, Job, Work};
use crate::data::Dataset;
use crate::error::InputError;
use crate::file_parts;
use crate::fit::{Interrupt, Interrupted, Material, Memory};
use crate::footprint::{CORES, Deployment, Engine, Excess, Footprint, Limits, Needs, Platform, Texts};
use crate::numbers::grouped;
use crate::progress;
use crate::quantize::{Exported, order};
use crate::recipe::{Letters, Recipe};
use crate::request::{Request, set_options};
use crate::text::normalization;

/// What a model may take, and on what it is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    pub(crate) platform: Platform,
    /// The frequency in Hz at which the core runs.
    pub(crate) clock: u32,
}

/// The outcome of a search.
pub(crate) struct SearchResult {
    deployment: Deployment,
    limits: Limits,
    /// Every training, in the order in which they were made.
    tried: Vec<Tried>,
    /// The sizes to train in the end, the best first.
    pub(crate) choices: Vec<ChosenSize>,
}

/// A size that a search has chosen.
pub(crate) struct ChosenSize {
    size: Size,
    /// All settings of the recipe, with which this size can be trained without a search.
    pub(crate) settings: Vec<String>,
    /// The command that does so.
    command: String,
}

/// One training of the search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Tried {
    #[serde(flatten)]
    size: Size,
    epochs: usize,
    /// Of the device's answers to the texts that validate; none if it came to nothing.
    accuracy: Option<f64>,
    loss: Option<f64>,
    footprint: Option<Footprint>,
}

/// The proof that a model is within its budget: its bill, part by part.
#[derive(Debug, Serialize)]
pub(crate) struct Proof {
    core: &'static str,
    clock_hz: u32,
    engine: Engine,
    limits: Limits,
    footprint: Footprint,
    flash: usize,
    ram: usize,
    chosen: Size,
    tried: Vec<Tried>,
    /// The command that trains the same model without a search.
    command: String,
}

impl Budget {
    /// Settings that the engine requires besides those that are given. Fails if a given one contradicts them.
    fn for_engine(&self, recipe: &Recipe, given: &impl Fn(&str) -> bool) -> Result<Vec<String>, InputError> {
        let Platform { core, engine } = self.platform;
        let timed = [
            ("--instructions-per-word: instructions are", self.limits.instructions_per_word.is_some()),
            ("--latency: cycles are", self.limits.microseconds_per_word.is_some()),
        ];
        if let Some((what, _)) = timed.iter().find(|(_, is_limited)| *is_limited && !engine.is_counted()) {
            return Err(InputError::new(format!(
                "{what} known of the engine tuned for speed alone, not with --engine {engine}"
            )));
        }
        if self.limits.microseconds_per_word.is_some() && core.cycles.is_none() {
            let timed = CORES.iter().filter(|core| core.cycles.is_some()).map(|core| core.name);
            return Err(InputError::new(format!(
                "--latency: cycles are not estimated on {} ({}), but on {}; --instructions-per-word bounds \
                 instructions there",
                core.name,
                core.about,
                timed.collect::<Vec<_>>().join(", ")
            )));
        }
        match (engine, recipe.lowercase) {
            (Engine::Small, Letters::Unicode) if given("lowercase") => Err(InputError::new(
                "--engine small lower-cases ASCII alone, so lowercase = \"unicode\" is beyond it",
            )),
            (Engine::Small, Letters::Unicode) => Ok(vec!["lowercase=ascii".to_owned()]),
            _ => Ok(vec![]),
        }
    }

    /// Searches for sizes that are worth training. What was asked for is checked before anything is trained; `say` gets a
    /// line for each thing that a person may want to know meanwhile.
    ///
    /// # Errors
    ///
    /// If nothing can fit, if the training in the end would be refused, if the search is interrupted, and with what `say`
    /// fails with.
    pub(crate) fn search(
        &self,
        request: &Request<'_>,
        data: &Dataset,
        memory: &Memory,
        out: &Path,
        say: Say<'_>,
    ) -> Result<SearchResult> {
        let Self { limits, platform, clock } = *self;
        let recipe = request.recipe_with(&[])?;
        let given = |key: &str| request.settings().iter().any(|setting| key_of(setting) == key);
        let for_engine = self.for_engine(&recipe, &given)?;
        let settings = |size: &Size, more: &[String]| settings(request, &recipe, &for_engine, size, more);

        let texts = data.train.iter().map(|example| example.text.as_str());
        let texts = Texts::of(normalization(&recipe), texts);
        let Texts { bytes_per_word, words_per_text, .. } = texts;
        let deployment = Deployment { platform, clock, bytes_per_word, words_per_text };
        let space = Space {
            choices: Choices::new(&recipe, &texts, given),
            recipe: &|size| Ok(request.recipe_of(&settings(size, &[]))?),
            embedding: recipe.embedding,
            labels: &data.labels,
            deployment,
            limits,
        };
        let candidates = space.candidates()?;
        if candidates.is_empty() {
            return Err(self.impossible(&space)?.into());
        }

        // What the training in the end would be refused for is refused now.
        Material::remembering(&request.recipe_with(&for_engine)?, request.seed(), data, memory)?;
        let (validation, about_validation) = request.validation(data, "the search")?;
        let validating = request.recipe_with(&[&for_engine[..], &validation].concat())?;
        let material = Material::remembering(&validating, request.seed(), data, memory)?;
        let (trained, validated) =
            (material.train().texts.len(), material.validation().map_or(0, |texts| texts.texts.len()));
        if validated == 0 {
            return Err(InputError::new("there is no text to validate on").into());
        }
        say(&format!(
            "{} sizes fit {}, with at most {} of {} different words; trying some of them on {} texts, validating on \
             {}: {about_validation}; the test part is not used",
            grouped(candidates.len()),
            self.in_words(),
            grouped(candidates.iter().map(|candidate| candidate.size.vocabulary).max().unwrap_or(0)),
            grouped(texts.different),
            grouped(trained),
            grouped(validated),
        ))?;

        let mut tried: Vec<Tried> = Vec::new();
        let mut known: HashMap<(usize, usize), Option<Rating>> = HashMap::new();
        let interrupt = Interrupt::listen()?;
        let train = |places: &[usize], effort: Effort| -> Result<Vec<Option<Rating>>> {
            let epochs = effort.of(recipe.epochs, trained.div_ceil(recipe.batch));
            let new: Vec<usize> =
                places.iter().copied().filter(|&place| !known.contains_key(&(place, epochs))).collect();
            let more = shortened(&recipe, epochs, &validation);
            let recipes = new
                .iter()
                .map(|&place| request.recipe_of(&settings(&candidates[place].size, &more)))
                .collect::<Result<Vec<_>, _>>()?;
            let jobs: Vec<Job<'_>> = new
                .iter()
                .zip(&recipes)
                .map(|(&place, recipe)| Job { recipe, size: candidates[place].size, seed: request.seed() })
                .collect();
            let rounds = Rounds { say, data, memory, interrupt: &interrupt, trained };
            let trials = rounds.run(&jobs, epochs, recipe.epochs)?;
            for (&place, trial) in new.iter().zip(&trials) {
                let one = judge(&candidates[place], trial, epochs, &deployment);
                say(&one.line(trial, &limits))?;
                known.insert((place, epochs), one.rating(&limits));
                tried.push(one);
            }
            Ok(places.iter().map(|&place| known[&(place, epochs)]).collect())
        };
        let beside = Size {
            vocabulary: words_held(recipe.vocabulary, texts.different),
            form: Some(EmbeddingForm::of(&recipe)),
            ..Size::of(&recipe)
        };
        let found = search(&candidates, &beside, train);
        if found.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            say("interrupted while searching: nothing was written")?;
        }
        let choices: Vec<ChosenSize> = found?
            .into_iter()
            .map(|place| {
                let settings = settings(&candidates[place].size, &[]);
                let folder = format!("--out {}", quote(&format!("{}-again", out.to_string_lossy())));
                let options = [&set_options(&settings)[..], &[folder]].concat();
                let command = request.train_command(out, &options);
                ChosenSize { size: candidates[place].size, settings, command }
            })
            .collect();
        let Some(best) = choices.first() else {
            let reason =
                format!("nothing that was tried came to a model within {}: leave more room", self.in_words());
            return Err(InputError::new(reason).into());
        };
        say(&format!("chosen: {}", best.size.in_words()))?;
        Ok(SearchResult { deployment, limits, tried, choices })
    }

    /// The limits, as they were given.
    fn in_words(&self) -> String {
        let limits = [
            self.limits.flash.map(|bytes| format!("{} bytes of flash", grouped(bytes))),
            self.limits.ram.map(|bytes| format!("{} bytes of RAM", grouped(bytes))),
            self.limits.instructions_per_word.map(|count| format!("{} instructions a word", grouped(count))),
            self.limits.microseconds_per_word.map(|time| {
                format!("{} microseconds a word at {} MHz", microseconds(time), megahertz(self.clock))
            }),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        format!(
            "{} on {} with the engine `{}`",
            limits.join(", "),
            self.platform.core.name,
            self.platform.engine
        )
    }

    /// The error that nothing fits, with the least that each limit could be.
    fn impossible(&self, space: &Space<'_>) -> Result<InputError> {
        let least = space.least()?;
        if least.is_empty() {
            return Ok(InputError::new("no size is what the settings ask for"));
        }
        let Platform { core, engine } = self.platform;
        let limit = |excess| match excess {
            Excess::Flash => self.limits.flash.map(grouped),
            Excess::Ram => self.limits.ram.map(grouped),
            Excess::Instructions => self.limits.instructions_per_word.map(grouped),
            Excess::Latency => self.limits.microseconds_per_word.map(microseconds),
        };
        let mut reasons = Vec::new();
        for (excess, candidate) in least {
            let Some(limit) = limit(excess) else { continue };
            // Each by itself, and if each by itself could be met, all of them.
            let alone = space.limits.exceeded(&candidate.footprint).contains(&excess);
            let Footprint { file, engine: code, classifier, stack, .. } = candidate.footprint;
            let Footprint { instructions_per_word, microseconds_per_word, .. } = candidate.footprint;
            let size = candidate.size.in_words();
            let reason = match excess {
                Excess::Flash => format!(
                    "--flash {limit}: the engine `{engine}` takes {} bytes on {} and the smallest model {} ({size}), so \
                     at least {}{}",
                    grouped(code),
                    core.name,
                    grouped(file),
                    grouped(candidate.footprint.flash()),
                    self.platform.smaller(file, candidate.needs.step.cells()),
                ),
                Excess::Ram => format!(
                    "--ram {limit}: the engine's stack takes {} bytes on {} and the smallest classifier {} ({size}), so \
                     at least {}",
                    grouped(stack),
                    core.name,
                    grouped(classifier),
                    grouped(candidate.footprint.ram()),
                ),
                Excess::Instructions => format!(
                    "--instructions-per-word {limit}: a word of {:.1} bytes takes at least {} on {} ({size})",
                    space.deployment.bytes_per_word,
                    grouped(instructions_per_word.unwrap_or(0.0).ceil() as usize),
                    core.name,
                ),
                Excess::Latency => format!(
                    "--latency {limit}us: a word of {:.1} bytes takes at least {} microseconds on {} at {} MHz ({size})",
                    space.deployment.bytes_per_word,
                    microseconds(microseconds_per_word.unwrap_or(0.0)),
                    core.name,
                    megahertz(self.clock),
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

/// Microseconds with one decimal, never fewer than they are.
fn microseconds(time: f64) -> String {
    format!("{:.1}", (10.0 * time).ceil() / 10.0)
}

/// A frequency in MHz.
fn megahertz(clock: u32) -> f64 {
    f64::from(clock) / 1e6
}

/// The key that a setting changes.
fn key_of(setting: &str) -> &str {
    setting.split('=').next().unwrap_or_default().trim()
}

/// The settings of a size: those of the request, where the size, the engine and `more` do not change the same key.
fn settings(
    request: &Request<'_>,
    recipe: &Recipe,
    for_engine: &[String],
    size: &Size,
    more: &[String],
) -> Vec<String> {
    let chosen = [for_engine, &size.settings(recipe), more].concat();
    let is_chosen = |setting: &&String| chosen.iter().any(|other| key_of(other) == key_of(setting));
    let given: Vec<String> = request.settings().iter().filter(|given| !is_chosen(given)).cloned().collect();
    [given, chosen].concat()
}

/// Settings of a training with fewer epochs, of which the same share is quantized, and with texts that validate.
fn shortened(recipe: &Recipe, epochs: usize, validation: &[String]) -> Vec<String> {
    let quantized = (recipe.quantized_epochs * epochs).div_ceil(recipe.epochs);
    let shorter = [format!("epochs={epochs}"), format!("quantized_epochs={quantized}")];
    [validation, &shorter].concat()
}

/// What trainings of a search share.
struct Rounds<'a> {
    say: Say<'a>,
    data: &'a Dataset,
    memory: &'a Memory,
    interrupt: &'a Interrupt,
    /// Texts to train on.
    trained: usize,
}

impl Rounds<'_> {
    /// Trains for `epochs` of `all` epochs; the trials are in the order of the jobs.
    fn run(&self, jobs: &[Job<'_>], epochs: usize, all: usize) -> Result<Vec<Trial>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        (self.say)(&format!("{} sizes, {epochs} of {all} epochs", jobs.len()))?;
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
            |index, trial| {
                trials.push((index, trial));
                Ok(())
            },
        );
        progress.finish_and_clear();
        worked?;
        trials.sort_by_key(|(index, _)| *index);
        Ok(trials.into_iter().map(|(_, trial)| trial).collect())
    }
}

/// The result of a trial, with its footprint on the device.
fn judge(candidate: &Candidate, trial: &Trial, epochs: usize, deployment: &Deployment) -> Tried {
    let measured = |Measurements { bytes, ram, zeros, .. }: &Measurements| {
        let needs = Needs { file: *bytes, classifier: *ram, ..candidate.needs };
        let needs = needs.ordered(|activation, inputs| order(activation, inputs, *zeros));
        Footprint::of(needs, *zeros, deployment)
    };
    let one = match &trial.outcome {
        Outcome::Measured(one) => Some(one),
        Outcome::Failed(_) => None,
    };
    Tried {
        size: candidate.size,
        epochs,
        accuracy: one.map(|one| one.accuracy),
        loss: one.map(|one| one.loss),
        footprint: one.map(measured),
    }
}

impl Tried {
    /// Its rating, if it is within the limits and so may be chosen.
    fn rating(&self, limits: &Limits) -> Option<Rating> {
        let footprint = self.footprint.filter(|footprint| limits.hold(footprint))?;
        Some(Rating { accuracy: self.accuracy?, loss: self.loss?, bytes: footprint.file })
    }

    fn line(&self, trial: &Trial, limits: &Limits) -> String {
        let size = self.size.in_words();
        match (self.accuracy, self.footprint, &trial.outcome) {
            (Some(accuracy), Some(footprint), _) => {
                let instructions = footprint.instructions_per_word.map_or_else(String::new, |count| {
                    format!(", {} instructions a word", grouped(count.ceil() as usize))
                });
                let time = footprint
                    .microseconds_per_word
                    .map_or_else(String::new, |time| format!(" or {} microseconds", microseconds(time)));
                let beyond = if limits.hold(&footprint) { "" } else { "; beyond the budget" };
                format!(
                    "  {accuracy:.4}  {size} - flash {}, RAM {}{instructions}{time}{beyond}",
                    grouped(footprint.flash()),
                    grouped(footprint.ram()),
                )
            }
            (_, _, Outcome::Failed(reason)) => format!("  failed  {size} - {reason}"),
            _ => format!("  failed  {size}"),
        }
    }
}

impl SearchResult {
    /// The bill of a model of a chosen size.
    pub(crate) fn proof(&self, choice: &ChosenSize, exported: &Exported) -> Result<Proof> {
        let model = Model::from_bytes(&exported.file)?;
        let needs = Needs::of(model.contents(), exported.file.len());
        let footprint = Footprint::of(needs, exported.zeros, &self.deployment);
        Ok(Proof {
            core: self.deployment.platform.core.name,
            clock_hz: self.deployment.clock,
            engine: self.deployment.platform.engine,
            limits: self.limits,
            footprint,
            flash: footprint.flash(),
            ram: footprint.ram(),
            chosen: choice.size,
            tried: self.tried.clone(),
            command: choice.command.clone(),
        })
    }
}

impl Proof {
    /// Whether the model is within its budget.
    pub(crate) fn holds(&self) -> bool {
        self.limits.hold(&self.footprint)
    }

    /// The bill and the command that trains the model again, in lines for a terminal.
    pub(crate) fn lines(&self, model: &Model<'_>) -> Vec<String> {
        let Footprint { file, engine, classifier, stack, .. } = self.footprint;
        let Footprint { instructions_per_word, microseconds_per_word, .. } = self.footprint;
        let row = |bytes: usize, limit: Option<usize>, part: String| {
            vec![grouped(bytes), limit.map(grouped).unwrap_or_default(), part]
        };
        let parts = file_parts::of(model, file).into_iter().filter(|part| part.bytes > 0);
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
            // `evaluate --qemu` counts instructions; this board has an M4.
            let counted = match self.core {
                "m4" => "; `kilornn evaluate MODEL DATA --qemu mps2-an386` counts them",
                _ => "",
            };
            let about = format!("instructions a word, estimated{counted}");
            rows.push(row(count.ceil() as usize, self.limits.instructions_per_word, about));
        }
        if let Some(time) = microseconds_per_word {
            let limit = self.limits.microseconds_per_word.map(microseconds).unwrap_or_default();
            let about = format!(
                "microseconds a word at {} MHz, estimated as if memory had no wait states",
                megahertz(self.clock_hz)
            );
            rows.push(vec![microseconds(time), limit, about]);
        }
        let table = Table { head: vec!["takes", "budget", ""], rows };
        let mut lines = vec![String::new()];
        lines.extend(table.lines().iter().map(|line| format!("  {line}")));
        lines.extend([
            String::new(),
            "To train the same model again, without a search:".to_owned(),
            format!("  {}", self.command),
        ]);
        lines
    }
}
