//! The compiler in use, and rustup.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process;

/// The compiler in use.
pub(super) struct Toolchain {
    /// `rustc -V` without the name: `1.90.0`.
    pub(super) version: String,
    /// Where the compiler looks for its libraries.
    pub(super) sysroot: PathBuf,
}

impl Toolchain {
    pub(super) fn current() -> Result<Self> {
        let verbose = process::output(rustc().arg("-vV"))?;
        let version = verbose
            .lines()
            .find_map(|line| line.strip_prefix("release: "))
            .context("`rustc -vV` names no release")?
            .to_owned();
        let sysroot = process::output(rustc().args(["--print", "sysroot"]))?.trim_end().into();
        Ok(Self { version, sysroot })
    }

    /// `lib/rustlib` of the sysroot.
    pub(super) fn rustlib(&self) -> PathBuf {
        self.sysroot.join("lib").join("rustlib")
    }
}

/// The compiler.
pub(super) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// rustup with its output on this terminal. Its server may be out of reach, and closed networks either refuse
/// at once or let a connection hang for ever: hence a time-out.
pub(super) fn rustup(args: &[&str], limit: Duration) -> Result<()> {
    if process::find("rustup").is_none() {
        bail!("rustup is not on PATH");
    }
    // A backtrace through rustup tells nobody anything about the network.
    process::run_at_most(Command::new("rustup").args(args).env_remove("RUST_BACKTRACE"), limit)
}
