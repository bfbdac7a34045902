//! Trials of the recipes that may suit some data: each is trained, and judged by how many of the texts that validate its model
//! answers. The test part is not used.

use std::num::NonZeroUsize;

use anyhow::Result;

use super::Say;
use super::size::Size;
use super::trial::{Measurements, Outcome, Trial};
use super::workers::{Deadline, Job, Work};
use crate::data::Dataset;
use crate::fit::{Interrupt, Interrupted, Memory};
use crate::progress;
use crate::recipe::{Recipe, Validation};
use crate::request::Request;
use crate::suggest::Tried;

/// Takes the best recipe of a request, if it has several.
///
/// # Errors
///
/// If a recipe cannot be used with the settings, if the search is interrupted, and with what `say` fails with.
pub(crate) fn take_best(
    request: &mut Request<'_>,
    data: &Dataset,
    memory: &Memory,
    say: Say<'_>,
) -> Result<()> {
    let Some(suggestion) = request.suggestion().filter(|suggestion| suggestion.proposals.len() > 1) else {
        return Ok(());
    };
    let (validation, about_validation) = request.validation(data, "the comparison")?;
    let recipes = suggestion
        .proposals
        .iter()
        .map(|proposal| request.recipe_from(&proposal.recipe, &validation))
        .collect::<Result<Vec<Recipe>, _>>()?;
    let seeds = suggestion.seeds;
    say(&format!(
        "trying {} recipes{}, since no --recipe is named; validating on {about_validation}; the test part is not used",
        recipes.len(),
        if seeds > 1 { format!(" with {seeds} seeds each") } else { String::new() },
    ))?;
    let all_seeds = (0..seeds as u64).map(|seed| request.seed().wrapping_add(seed));
    let jobs: Vec<Job<'_>> = all_seeds
        .flat_map(|seed| recipes.iter().map(move |recipe| Job { recipe, size: Size::of(recipe), seed }))
        .collect();
    let epochs = seeds * recipes.iter().map(|recipe| recipe.epochs).sum::<usize>();
    let progress = progress::bar("trainings", epochs, "epochs");
    let interrupt = Interrupt::listen()?;
    let work = Work {
        jobs: &jobs,
        data,
        memory,
        at_a_time: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        deadline: Deadline::after(None),
        interrupt: &interrupt,
    };
    let mut outcomes: Vec<Option<Outcome>> = vec![None; jobs.len()];
    let worked = work.run(
        || progress.inc(1),
        |index, Trial { outcome, .. }| {
            outcomes[index] = Some(outcome);
            Ok(())
        },
    );
    progress.finish_and_clear();
    if worked.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        say("interrupted while trying recipes: nothing was written")?;
    }
    worked?;
    let tried = recipes.iter().enumerate().map(|(which, recipe)| {
        let of_seeds =
            outcomes.iter().skip(which).step_by(recipes.len()).filter_map(|outcome| match outcome {
                Some(Outcome::Measured(measured)) => Some(Tried::from(measured)),
                _ => None,
            });
        let drawn = recipe.validation_split > 0.0 && recipe.validation == Validation::Random;
        Tried::mean(&of_seeds.collect::<Vec<_>>(), drawn)
    });
    let tried: Vec<Option<Tried>> = tried.collect();
    request.take_best(&tried);
    Ok(())
}

impl From<&Measurements> for Tried {
    fn from(measured: &Measurements) -> Self {
        let &Measurements { accuracy, loss, bytes, examples, .. } = measured;
        Self { accuracy, loss, bytes, examples, seeds: 1 }
    }
}
