//! `kilornn data`: what would be trained on.

use anyhow::Result;
use serde::Serialize;

use super::{Console, grouped};
use crate::data::counts::{Counts, PartCounts};
use crate::data::{Dataset, Inputs};
use crate::excerpt::excerpt;
use crate::fit::{Material, Split};
use crate::hints::before_training;
use crate::recipe::Recipe;
use crate::suggest::Suggestion;
use crate::warning::Warning;

/// Count and check labelled texts, without training.
///
/// Says for each part how many examples there are, of each class, how many words they have as the
/// recipe's tokenizer cuts them, how many of these words the vocabulary lacks, and warns of texts that
/// are there twice or with different labels. `kilornn train --help` says what DATA may be.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// The recipe whose tokenizer and vocabulary count: a name (seed, compact, starter, taught) or a TOML file [default: compact,
    /// by character where a script has no spaces]
    #[arg(long, value_name = "RECIPE")]
    recipe: Option<String>,
    /// Change a key of the recipe, for example --set vocabulary=8000 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let named = args.recipe.as_deref().unwrap_or("compact");
    let mut recipe = Recipe::load(named, &args.settings)?;
    let data = Dataset::read(&args.inputs)?;
    let suggestion = Suggestion::of(&data, &args.settings)?;
    if args.recipe.is_none() {
        recipe.char_level = suggestion.taken().recipe.char_level;
    }
    let encoder = Material::vocabulary(&recipe, &data)?;
    let counts = Counts::of(&data, &encoder);
    show(console, &counts, usize::MAX)?;
    // Groups are for training to name.
    let split = Split::new(&recipe, 0, None, data.train.len()).map(|split| split.validation);
    let warnings = before_training(&recipe, &data, &counts, &split.unwrap_or_default());
    console.warn(&warnings)?;
    console.say(suggestion.outlook())?;
    console.conclude(&Report { counts, warnings })
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    counts: Counts,
    warnings: Vec<Warning>,
}

/// Prints a table with a column for each part; of many classes the first.
pub(super) fn show(console: Console, counts: &Counts, most_classes: usize) -> Result<()> {
    let row = |name: &str, cell: &dyn Fn(&PartCounts) -> String| {
        let cells: String = counts.parts().map(|(_, part)| format!("{:>12}", cell(part))).collect();
        // Names may be longer than their column, or wider than they have characters.
        console.say(format!("{name:<24}{cells}"))
    };
    let names: String = counts.parts().map(|(name, _)| format!("{name:>12}")).collect();
    console.say(format!("{:<24}{names}", format!("{} classes", counts.labels.len())))?;
    row("examples", &|part| grouped(part.examples))?;
    for (class, label) in counts.labels.iter().enumerate().take(most_classes) {
        row(&format!("  {}", excerpt(label)), &|part| grouped(part.per_class[class]))?;
    }
    if counts.labels.len() > most_classes {
        console.say(format!("  ... and {} more", counts.labels.len() - most_classes))?;
    }
    row("words: shortest text", &|part| grouped(part.words.min))?;
    row("  half have at most", &|part| grouped(part.words.median))?;
    row("  90 % have at most", &|part| grouped(part.words.p90))?;
    row("  longest text", &|part| grouped(part.words.max))?;
    row("not in the vocabulary", &|part| format!("{:.2} %", 100.0 * part.unknown_words))?;
    Ok(())
}
