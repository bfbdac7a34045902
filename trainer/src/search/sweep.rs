//! A sweep: every size of some lists is trained, and the smallest that is good enough is advised.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use shell_words::quote;

use super::Say;
use super::advice::{Advice, ByCell};
use super::cell::CellName;
use super::results::{ListedSize, Means, Row, Status, rows};
use super::size::{Lists, Size, words_held, words_shown};
use super::store::Store;
use super::table::Table;
use super::trial::{Outcome, Trial};
use super::workers::{Deadline, Job, Work};
use super::{page, plot};
use crate::data::Dataset;
use crate::data::counts::Counts;
use crate::error::InputError;
use crate::fit::checkpoint::Asked;
use crate::fit::{Interrupt, Interrupted, Material, Memory};
use crate::footprint::Platform;
use crate::numbers::grouped;
use crate::progress;
use crate::quantize::FileSize;
use crate::recipe::Recipe;
use crate::request::{Request, set_options};
use crate::run_folder::Begin;
use crate::text::Encoder;

/// Every size that is asked for, in the order in which they are tried, with its recipe.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    request: &'a Request<'a>,
    data: &'a Dataset,
    /// The recipe of the request.
    own: Recipe,
    /// The settings that keep texts for validation.
    validation: Vec<String>,
    asked: Asked,
    candidates: Vec<ListedSize>,
    recipes: Vec<Recipe>,
    memory: Memory,
    /// Different words in the training texts.
    words: usize,
    /// Texts to train on, and texts that validate, with the first seed.
    trained: usize,
    validated: usize,
    /// Bytes of flash, and the most bytes of a file: what the smallest of the candidates' engines leaves of them.
    flash: Option<usize>,
    limit: Option<usize>,
}

/// How fast a sweep goes, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace<'a> {
    /// How many trainings at a time.
    pub(crate) at_a_time: usize,
    /// When nothing new is begun any more.
    pub(crate) deadline: Deadline,
    /// The command that goes on with the sweep.
    pub(crate) to_go_on: &'a str,
}

/// What a sweep has come to, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct SweepReport {
    /// Different words in the training texts.
    words: usize,
    /// Texts that validate with the first seed.
    validation: usize,
    /// Bytes of flash, if they are limited.
    flash: Option<usize>,
    /// The most bytes of a file, if the flash is limited: what the engine leaves. With cells of which one needs a larger engine
    /// than another, the file of that one may have fewer.
    limit: Option<usize>,
    /// By rising bytes.
    candidates: Vec<Row>,
    /// Those on the Pareto front, by rising bytes.
    front: Vec<Size>,
    /// None if nothing was measured.
    advice: Option<Advice>,
    /// Trains the recommended size.
    command: Option<String>,
    /// The most bytes of a file, if it is the same for all.
    #[serde(skip)]
    drawn_limit: Option<usize>,
}

impl<'a> Sweep<'a> {
    /// Prepares a sweep of data without a test part: an empty list is replaced by what the recipe suggests. How large each
    /// file will be is known then. `say` gets a line for each thing that a person may want to know.
    ///
    /// # Errors
    ///
    /// If the recipe, the data, the lists or the limit cannot be used, and with what `say` fails with.
    pub(crate) fn new(
        request: &'a Request<'a>,
        data: &'a Dataset,
        lists: Lists,
        flash: Option<usize>,
        platform: &Platform,
        say: Say<'_>,
    ) -> Result<Self> {
        let (validation, about_validation) = request.validation(data, "the sweep")?;
        let recipe = request.recipe_with(&validation)?;
        // What the sweep decides is no part of what it was asked for, and the vocabulary holds every word.
        let reference = Recipe { vocabulary: 0, embedding: 4, units: recipe.resized(4), ..recipe.clone() };
        let memory = Memory::default();
        let material = Material::remembering(&reference, request.seed(), data, &memory)?;
        let asked = Asked::of(&material.task(&reference, request.seed()))?;
        let words = material.encoder.words();
        let (trained, validated) =
            (material.train().texts.len(), material.validation().map_or(0, |texts| texts.texts.len()));
        let warnings = Counts::of(data, &material.encoder).warnings();
        warnings.iter().try_for_each(|warning| say(&warning.to_string()))?;
        if validated == 0 {
            return Err(InputError::new("there is no text to validate on").into());
        }
        let lists = lists.or(Lists::around(&recipe, words.len())).for_words(words.len());
        let sizes = lists.sizes();
        let recipes = sizes
            .iter()
            .map(|size| request.recipe_with(&[&validation, &size.settings(&recipe)[..]].concat()))
            .collect::<Result<Vec<_>, _>>()?;
        let budget = flash.map(|flash| (flash, platform));
        let candidates = candidates(&recipe, &lists, (&sizes, &recipes), words, &data.labels, budget)?;
        let limit = candidates.iter().filter_map(|candidate| candidate.limit).max();
        say(&format!(
            "training on {} texts with {} different words, validating on {}: {about_validation}; the test part is not \
             used",
            grouped(trained),
            grouped(words.len()),
            grouped(validated),
        ))?;
        let words = words.len();
        Ok(Self {
            request,
            data,
            own: recipe,
            validation,
            asked,
            candidates,
            recipes,
            memory,
            words,
            trained,
            validated,
            flash,
            limit,
        })
    }

    /// The results in a folder.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`].
    pub(crate) fn open(&self, folder: &Path, begin: Begin) -> Result<Store> {
        Store::open(folder, begin, self.asked.clone(), CellName::of(&self.own))
    }

    /// Trains what is missing and not too large, and keeps it in `store`.
    ///
    /// # Errors
    ///
    /// With [`Interrupted`], if the results cannot be written, and with what `say` fails with.
    pub(crate) fn train(
        &self,
        seeds: &[u64],
        pace: &Pace<'_>,
        store: &mut Store,
        say: Say<'_>,
    ) -> Result<()> {
        let is_done = |size: Size, seed: u64| {
            store.trials().iter().any(|trial| trial.size == size && trial.seed == seed)
        };
        let mut jobs = Vec::new();
        let mut done = 0;
        for &seed in seeds {
            for (candidate, recipe) in self.candidates.iter().zip(&self.recipes) {
                let size = candidate.size;
                if candidate.is_too_large() {
                    continue;
                }
                if is_done(size, seed) {
                    done += 1;
                } else {
                    jobs.push(Job { recipe, size, seed });
                }
            }
        }
        let too_large = self.candidates.iter().filter(|candidate| candidate.is_too_large()).count();
        let Pace { at_a_time, deadline, to_go_on } = *pace;
        let all = jobs.len() + done;
        let mut line = format!("{} sizes", grouped(self.candidates.len()));
        if too_large > 0 {
            line += &format!(", {} of them too large for the flash", grouped(too_large));
        }
        line += &format!("; {} trainings, {at_a_time} at a time", grouped(all));
        if done > 0 {
            line += &format!("; of them {} done already", grouped(done));
        }
        say(&line)?;

        let (epochs, texts) = (jobs.first().map_or(0, |job| job.recipe.epochs), self.trained);
        let progress = progress::bar("trainings", jobs.len() * epochs * texts, "examples");
        let interrupt = Interrupt::listen()?;
        let work = Work {
            jobs: &jobs,
            data: self.data,
            memory: &self.memory,
            at_a_time,
            deadline,
            interrupt: &interrupt,
        };
        let worked = work.run(
            || progress.inc(texts as u64),
            |_, trial| {
                if let Outcome::Measured(measured) = &trial.outcome {
                    // Epochs that early stopping left out.
                    progress.inc((epochs.saturating_sub(measured.epochs) * texts) as u64);
                }
                done += 1;
                let line = trial_line(&trial, done, all);
                store.add(trial)?;
                progress.suspend(|| say(&line))
            },
        );
        progress.finish_and_clear();
        if worked.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            say(&format!("interrupted after {done} of {all} trainings; to go on:\n  {to_go_on}"))?;
        }
        worked?;
        if done < all {
            let missing = all - done;
            say(&format!("the time is over: {missing} trainings are missing; to go on:\n  {to_go_on}"))?;
        }
        Ok(())
    }

    /// What the trials of these seeds come to. Models that it advises are to be trained into `out`.
    pub(crate) fn report(&self, store: &Store, seeds: &[u64], out: &Path) -> SweepReport {
        let rows = rows(&self.candidates, store.trials(), seeds);
        let advice = Advice::of(&rows);
        let command = advice.as_ref().map(|advice| {
            let given = self.request.settings();
            let settings = [given, &self.validation, &advice.recommended.settings(&self.own)].concat();
            let folder = out.join(advice.recommended.to_string());
            let folder = format!("--out {}", quote(&folder.to_string_lossy()));
            let options = [&set_options(&settings)[..], &[folder]].concat();
            self.request.train_command(out, &options)
        });
        let limits: BTreeSet<_> = self.candidates.iter().map(|candidate| candidate.limit).collect();
        SweepReport {
            words: self.words,
            validation: self.validated,
            flash: self.flash,
            limit: self.limit,
            front: rows.iter().filter(|row| row.on_front).map(|row| row.size).collect(),
            candidates: rows,
            advice,
            command,
            drawn_limit: self.limit.filter(|_| limits.len() == 1),
        }
    }
}

/// The sizes with the bytes of their files, and of what an engine leaves of the flash, if it is limited. Those of one vocabulary
/// share its perfect hash.
///
/// # Errors
///
/// If no engine leaves anything of the flash.
fn candidates(
    recipe: &Recipe,
    lists: &Lists,
    (sizes, recipes): (&[Size], &[Recipe]),
    words: &[String],
    labels: &[String],
    budget: Option<(usize, &Platform)>,
) -> Result<Vec<ListedSize>> {
    let progress = progress::bar("sizes", sizes.len(), "files");
    let mut listed: Vec<_> = sizes.iter().map(|_| None).collect();
    for &vocabulary in &lists.vocabulary {
        let held = words_held(vocabulary, words.len());
        let encoder = Encoder::new(recipe, words[..held].to_vec());
        let hash = encoder.perfect_hash()?;
        for ((&size, recipe), listed) in sizes.iter().zip(recipes).zip(&mut listed) {
            if size.vocabulary == vocabulary {
                let (file_size, needs) = FileSize::with_needs(recipe, held, labels, hash)?;
                let limit = budget.map(|(flash, platform)| platform.left_of(flash, needs.step.cells()));
                *listed = Some((size, file_size, limit.transpose()));
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    let listed: Vec<_> = listed.into_iter().flatten().collect();
    // With a cell whose engine is too large, nothing fits; if that is so with each, there is nothing to try.
    let nothing_fits = listed.iter().all(|(.., limit)| limit.is_err());
    let candidate = |(size, file_size, limit): (_, _, Result<Option<usize>, InputError>)| {
        let limit = if nothing_fits { limit? } else { limit.unwrap_or(Some(0)) };
        Ok(ListedSize { size, file_size, limit })
    };
    listed.into_iter().map(candidate).collect()
}

fn trial_line(trial: &Trial, number: usize, all: usize) -> String {
    let came_to = match &trial.outcome {
        Outcome::Measured(measured) => format!(
            "accuracy {:.4} - {} bytes - {:.1} s",
            measured.accuracy,
            grouped(measured.bytes),
            measured.seconds
        ),
        Outcome::Failed(reason) => reason.clone(),
    };
    format!("{number}/{all} - {} - seed {} - {came_to}", trial.size.in_words(), trial.seed)
}

/// A cell's name, for a person.
fn cell_shown(cell: Option<CellName>) -> String {
    cell.map_or_else(|| "recipe's".to_owned(), |cell| cell.to_string())
}

impl SweepReport {
    fn recommended(&self) -> Option<Size> {
        self.advice.as_ref().map(|advice| advice.recommended)
    }

    /// The table, what failed, and the advice, in lines for a terminal.
    pub(crate) fn lines(&self) -> Vec<String> {
        [vec![String::new()], self.table().lines(), self.notes()].concat()
    }

    /// The picture.
    ///
    /// # Errors
    ///
    /// If it cannot be drawn.
    pub(crate) fn svg(&self) -> Result<String> {
        plot::svg(&self.candidates, self.recommended(), self.drawn_limit)
    }

    /// The page for a browser, with the picture in it.
    pub(crate) fn page(&self, title: &str, svg: &str) -> String {
        page::html(title, svg, &self.table(), &self.candidates, &self.notes())
    }

    /// What failed, and the advice.
    fn notes(&self) -> Vec<String> {
        let failed = self.candidates.iter().filter_map(|row| match &row.status {
            Status::Failed(reason) => Some(format!("{}: {reason}", row.size.in_words())),
            _ => None,
        });
        failed.chain(self.advice_lines()).collect()
    }

    fn table(&self) -> Table {
        let recommended = self.recommended();
        let cells = |row: &Row| {
            let Size { vocabulary, embedding, cell, units, .. } = row.size;
            let of = |cell: &dyn Fn(&Means) -> String| row.means.as_ref().map(cell).unwrap_or_default();
            let accuracy = match row.status {
                Status::TooLarge => "too large".to_owned(),
                Status::NotTried => "not tried".to_owned(),
                Status::Failed(_) => "failed".to_owned(),
                Status::Measured => of(&|means| match means.spread {
                    Some(spread) => format!("{:.4} ± {spread:.4}", means.accuracy),
                    None => format!("{:.4}", means.accuracy),
                }),
            };
            let mark = match (row.on_front, Some(row.size) == recommended) {
                (_, true) => "* recommended",
                (true, _) => "*",
                _ => "",
            };
            vec![
                words_shown(vocabulary),
                embedding.to_string(),
                cell_shown(cell),
                units.to_string(),
                of(&|means| means.accuracies.len().to_string()),
                grouped(row.bytes),
                of(&|means| grouped(means.ram)),
                of(&|means| grouped(means.macs_per_word.round() as usize)),
                accuracy,
                mark.to_owned(),
            ]
        };
        Table {
            head: vec![
                "vocabulary",
                "embedding",
                "cell",
                "units",
                "seeds",
                "bytes",
                "RAM",
                "MACs/word",
                "accuracy",
                "* Pareto front",
            ],
            rows: self.candidates.iter().map(cells).collect(),
        }
    }

    fn advice_lines(&self) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            "bytes: of the whole file, in flash; RAM: of the classifier, at most; MACs/word: multiply-accumulates of".into(),
            "the recurrence and the input for a word, those with zeros left out where the device leaves them out".into(),
        ];
        let (Some(advice), Some(command)) = (&self.advice, &self.command) else {
            lines.extend([String::new(), "nothing was trained, so there is nothing to advise".into()]);
            return lines;
        };
        let error = advice.standard_error;
        lines.extend([
            String::new(),
            format!("best         {:.4} with {}", advice.best_accuracy, advice.best.in_words()),
            format!("recommended  {}: the smallest within one", advice.recommended.in_words()),
            format!(
                "             standard error of the best, {error:.4} on {} texts",
                grouped(self.validation)
            ),
            String::new(),
        ]);
        let Size { vocabulary, embedding, cell, .. } = advice.best;
        if !advice.by_cell.is_empty() {
            lines.push("Which cell? The best of each:".to_owned());
            for ByCell { size, bytes, accuracy } in &advice.by_cell {
                lines.push(format!("  {accuracy:.4}  {:>9} bytes  {}", grouped(*bytes), size.in_words()));
            }
            lines.push(String::new());
        }
        let words = words_shown(vocabulary);
        let with = if advice.by_cell.is_empty() {
            format!("With {words} words and an embedding of {embedding}")
        } else {
            format!("With {words} words, an embedding of {embedding} and the cell {}", cell_shown(cell))
        };
        lines.push(format!("How many hidden units? {with}, as the best:"));
        for of in &advice.by_units {
            let mark = if of.units == advice.enough_units { "  enough" } else { "" };
            lines.push(format!(
                "  {:>3} units  {:.4}  {:>9} bytes{mark}",
                of.units,
                of.accuracy,
                grouped(of.bytes)
            ));
        }
        let largest = advice.by_units.last().is_some_and(|of| of.units == advice.enough_units);
        lines.push(if largest && advice.by_units.len() > 1 {
            "Fewer are worse by more than a standard error; more may be better still: try --units beyond these.".into()
        } else {
            format!("More than {} gain less than a standard error.", advice.enough_units)
        });
        lines.extend([String::new(), "To train the recommended size:".into(), format!("  {command}")]);
        lines
    }
}
