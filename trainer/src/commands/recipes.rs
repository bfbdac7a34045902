//! `kilornn recipes`: what `train` can be given.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Console;
use crate::recipe::{BUILT_IN, BuiltIn, reference};

/// List the built-in recipes, print one, or explain every key.
///
/// A recipe is a TOML file that decides everything about a training run. To make one of your own,
/// print one into a file, change it, and give the file to train --recipe.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print this recipe's TOML
    name: Option<String>,
    /// Print a recipe with every key at its default, each explained
    #[arg(long, conflicts_with = "name")]
    keys: bool,
    /// Print one JSON object on standard output: the recipes' TOML by name
    #[arg(long, conflicts_with_all = ["name", "keys"])]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    if args.keys {
        return console.say(reference().trim_end());
    }
    if let Some(name) = &args.name {
        return console.say(BuiltIn::find(name)?.toml.trim_end());
    }
    if !args.json {
        let widest = BUILT_IN.iter().map(|recipe| recipe.name.len()).max().unwrap_or(0);
        for recipe in BUILT_IN {
            console.say(format!("{:widest$}  {}", recipe.name, recipe.about()))?;
        }
    }
    let all: BTreeMap<_, _> = BUILT_IN.iter().map(|recipe| (recipe.name, recipe.toml)).collect();
    console.conclude(&all)
}
