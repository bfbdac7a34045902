//! Feeding the runtime with damaged files and texts.

use anyhow::{Result, bail};

use crate::process::{self, cargo, root};

/// How much, at most; without either, until it is interrupted.
#[derive(Clone, Copy, Default, Debug, clap::Args)]
pub(crate) struct Limits {
    /// End after this many inputs
    #[arg(long, value_name = "N")]
    executions: Option<u64>,
    /// End after this many seconds
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Make other inputs
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// A thing to fuzz.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Target {
    /// Model files: header, checksum, contents
    Loader,
    /// Texts in any encoding and chunking, against the standard library
    Tokenizer,
    /// Texts through whatever model loads
    Classifier,
}

impl Target {
    const ALL: [Self; 3] = [Self::Loader, Self::Tokenizer, Self::Classifier];

    fn name(self) -> &'static str {
        match self {
            Self::Loader => "loader",
            Self::Tokenizer => "tokenizer",
            Self::Classifier => "classifier",
        }
    }
}

/// `cargo xtask fuzz`.
pub(crate) fn run(target: Target, limits: Limits) -> Result<()> {
    let mut fuzz = cargo(&root(), ["run", "--quiet", "--profile", "fuzz", "--package", "kilornn-fuzz", "--"]);
    fuzz.arg(target.name());
    let limits = [("executions", limits.executions), ("seconds", limits.seconds), ("seed", limits.seed)];
    for (key, value) in limits.into_iter().filter_map(|(key, value)| Some((key, value?))) {
        fuzz.arg(format!("{key}={value}"));
    }
    process::run(&mut fuzz)
}

/// The models whose every flipped bit and every truncation must be refused.
const SHIPPED: [&str; 3] = [
    "models/imdb-compact.kilo",
    "runtime-nostd/tests/golden/v2-starter.kilo",
    "runtime-nostd/tests/golden/v4-stack.kilo",
];

/// All of it, a million files: with the release profile, since each is read to its end.
pub(crate) fn damage() -> Result<()> {
    let mut damage =
        cargo(&root(), ["run", "--quiet", "--release", "--package", "kilornn-fuzz", "--", "damage"]);
    process::run(damage.args(SHIPPED))
}

/// Every target for a few seconds: what `cargo xtask test` does.
pub(crate) fn briefly() -> Result<()> {
    let limits = Limits { seconds: Some(8), ..Limits::default() };
    let failed: Vec<String> = Target::ALL
        .into_iter()
        .filter_map(|target| Some(format!("{}: {:#}", target.name(), run(target, limits).err()?)))
        .collect();
    if !failed.is_empty() {
        bail!("{}", failed.join("; "));
    }
    Ok(())
}
