//! `kilornn completions`: what a shell needs to complete commands and options.

use std::io::{Write as _, stdout};

use anyhow::Result;
use clap_complete::Shell;

/// Print a shell's completion script
///
/// It goes where the shell looks for such scripts; then Tab completes commands and options.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    kilornn completions bash > ~/.local/share/bash-completion/completions/kilornn\n  \
    kilornn completions zsh > ~/.zfunc/_kilornn   (with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc)\n  \
    kilornn completions fish > ~/.config/fish/completions/kilornn.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script for `program`, the whole command line.
pub fn run(args: &Args, mut program: clap::Command) -> Result<()> {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(args.shell, &mut program, name, &mut script);
    stdout().write_all(&script)?;
    Ok(())
}
