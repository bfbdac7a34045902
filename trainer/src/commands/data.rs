//! `kilornn data`: what would be trained on.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::{Console, grouped};
use crate::data::counts::{Counts, PartCounts};
use crate::data::recordings::counts::{PartCounts as RecordingPartCounts, RecordingCounts};
use crate::data::{Data, Dataset, Framing, Grouping, Inputs, Recordings};
use crate::error::InputError;
use crate::excerpt::excerpt;
use crate::fit::{Material, Split};
use crate::hints::before_training;
use crate::recipe::Recipe;
use crate::suggest::Suggestion;
use crate::warning::Warning;

/// Count and check labelled texts, or recordings of numbers, without training.
///
/// Of texts it says for each part how many examples there are, of each class, how many words they
/// have as the recipe's tokenizer cuts them, how many of these words the vocabulary lacks, and warns of
/// texts that are there twice or with different labels. `kilornn train --help` says what DATA may be.
///
/// Of recordings (motion, gestures, heartbeats: frames of numbers) it says how many there are of each
/// class, how many frames they have, and the range, mean and deviation of each channel. Files are
///
///   .csv   in a folder for each class: one recording, a frame a row, a header that names the channels
///   .csv   otherwise: columns for recording, time, channels and label (--recording, --time, --label)
///   .npz   X (sequences x steps x channels), y (labels), perhaps lengths and channels
///   .ts    as the UCR and UEA archives have it, and aeon and sktime write it
///   .tsv   label, steps, channels, values: a recording a line, its values separated by blanks
///
/// and lie as texts do: train, dev and test in a folder, with labels.txt and channels.txt, or named one
/// by one. What is read is told by its content; --input numbers says it where that is not enough.
///
///   kilornn data gestures                               (gestures/wave/01.csv, gestures/rest/01.csv)
///   kilornn data log.csv --recording id --label activity --channels ax,ay,az --group person
///   kilornn data log.csv --label activity --window 128 --step 64
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    grouping: Grouping,
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
    #[command(flatten)]
    framing: Framing,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`] if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    match Data::read(&args.inputs, &args.framing, &args.grouping)? {
        Data::Texts(data) => of_texts(console, args, &data),
        Data::Recordings(data) => of_recordings(console, args, &data),
    }
}

fn of_texts(console: Console, args: &Args, data: &Dataset) -> Result<()> {
    let named = args.recipe.as_deref().unwrap_or("compact");
    let mut recipe = Recipe::load(named, &args.settings)?;
    let suggestion = Suggestion::of(data, &args.settings)?;
    if args.recipe.is_none() {
        recipe.char_level = suggestion.taken().recipe.char_level;
    }
    let encoder = Material::vocabulary(&recipe, data)?;
    let counts = Counts::of(data, &encoder);
    show(console, &counts, usize::MAX)?;
    if let Some(groups) = &data.groups {
        say_row(console, "groups", [grouped(groups.iter().collect::<BTreeSet<_>>().len())])?;
    }
    // Groups are for training to name.
    let split = Split::new(&recipe, 0, None, data.train.len()).map(|split| split.validation);
    let warnings = before_training(&recipe, data, &counts, &split.unwrap_or_default());
    console.warn(&warnings)?;
    console.say(suggestion.outlook())?;
    console.conclude(&Report { counts, warnings })
}

fn of_recordings(console: Console, args: &Args, data: &Recordings) -> Result<()> {
    if args.recipe.is_some() || !args.settings.is_empty() {
        let reason = "--recipe and --set count words, and these are recordings of numbers (leave them out)";
        return Err(InputError::new(reason).into());
    }
    let counts = RecordingCounts::of(data);
    show_recordings(console, &counts)?;
    let warnings = data.before_training();
    console.warn(&warnings)?;
    console.conclude(&Report { counts, warnings })
}

#[derive(Debug, Serialize)]
struct Report<C> {
    #[serde(flatten)]
    counts: C,
    warnings: Vec<Warning>,
}

/// Prints a table with a column for each part, and one with a row for each channel.
fn show_recordings(console: Console, counts: &RecordingCounts) -> Result<()> {
    let row = |name: &str, cell: &dyn Fn(&RecordingPartCounts) -> String| {
        say_row(console, name, counts.parts().map(|(_, part)| cell(part)))
    };
    let classes = format!("{} classes", counts.labels.len());
    say_row(console, &classes, counts.parts().map(|(name, _)| name.to_owned()))?;
    let is_cut = counts.train.left_over.is_some();
    row(if is_cut { "windows" } else { "recordings" }, &|part| grouped(part.examples))?;
    for (class, label) in counts.labels.iter().enumerate() {
        row(&format!("  {}", excerpt(label)), &|part| grouped(part.per_class[class]))?;
    }
    if counts.parts().any(|(_, part)| part.groups.is_some()) {
        row("groups", &|part| part.groups.map_or_else(|| "-".to_owned(), grouped))?;
    }
    row("frames: shortest", &|part| grouped(part.steps.min))?;
    row("  half have at most", &|part| grouped(part.steps.median))?;
    row("  90 % have at most", &|part| grouped(part.steps.p90))?;
    row("  longest", &|part| grouped(part.steps.max))?;
    if is_cut {
        row("frames in no window", &|part| part.left_over.map_or_else(|| "-".to_owned(), grouped))?;
    }
    if let Some(interval) = counts.interval {
        console.say(format!("{:<24}{interval:>12}", "time between frames"))?;
    }
    let channels = format!("channels: {}, in train", counts.channels.len());
    say_row(console, &channels, ["lowest", "highest", "mean", "deviation"].map(str::to_owned))?;
    for (name, channel) in counts.channels.iter().zip(&counts.train.channels) {
        let values = [f64::from(channel.min), f64::from(channel.max), channel.mean, channel.deviation];
        say_row(console, &format!("  {}", excerpt(name)), values.map(|value| significant(value, 4)))?;
    }
    Ok(())
}

/// A value with so many digits that count, or as many as it has before the point.
fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    match digits - 1 - magnitude {
        decimals @ ..=8 => format!("{value:.*}", decimals.max(0) as usize),
        _ => format!("{value:.*e}", (digits - 1) as usize),
    }
}

/// Prints a row of a table.
fn say_row(console: Console, name: &str, cells: impl IntoIterator<Item = String>) -> Result<()> {
    let cells: String = cells.into_iter().map(|cell| format!("{cell:>12}")).collect();
    // Names may be longer than their column, or wider than they have characters.
    console.say(format!("{name:<24}{cells}"))
}

/// Prints a table with a column for each part; of many classes the first.
pub(super) fn show(console: Console, counts: &Counts, most_classes: usize) -> Result<()> {
    let row = |name: &str, cell: &dyn Fn(&PartCounts) -> String| {
        say_row(console, name, counts.parts().map(|(_, part)| cell(part)))
    };
    let classes = format!("{} classes", counts.labels.len());
    say_row(console, &classes, counts.parts().map(|(name, _)| name.to_owned()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_digits_that_count() {
        for (value, shown) in [
            (0.0, "0"),
            (9.80665, "9.807"),
            (-0.012345, "-0.01235"),
            (32767.0, "32767"),
            (123.456, "123.5"),
            (1e-9, "1.000e-9"),
        ] {
            assert_eq!(significant(value, 4), shown);
        }
    }
}
