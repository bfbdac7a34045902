//! The firmware's examples: each is run in QEMU and must print what stands beside it in `NAME.out`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kilornn_host::Emulation;
use kilornn_host::qemu::{self, Serial};

use crate::boards;
use crate::process::{self, cargo, firmware_dir, target_dir};
use crate::report::Outcome;

/// What an example needs besides its program: QEMU's arguments, as its own page says.
fn arguments(name: &str) -> &'static [&'static str] {
    match name {
        "flash_section" => &["-device", "loader,file=../models/imdb-compact.kilo,addr=0x300000,force-raw=on"],
        _ => &[],
    }
}

/// Builds and runs all of them.
pub(crate) fn check() -> Result<Outcome> {
    let folder = firmware_dir().join("examples");
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .filter_map(|entry| {
            entry.ok()?.file_name().into_string().ok()?.strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    let mut build = cargo(&firmware_dir(), ["build", "--release", "--examples"]);
    process::run(build.env_remove("KILORNN_MODEL").env_remove("RUSTFLAGS"))?;
    let board = boards::find(boards::DEFAULT)?;
    let emulation = boards::emulation(&board)?;
    let built = target_dir(&firmware_dir())?.join(&board.target).join("release").join("examples");
    for name in &names {
        let expected = folder.join(format!("{name}.out"));
        let expected = fs::read_to_string(&expected)
            .with_context(|| format!("{}: what the example must print", expected.display()))?;
        let said =
            run(emulation, &built.join(name), arguments(name)).with_context(|| format!("example {name}"))?;
        ensure!(said == expected, "example {name} printed\n{said}instead of\n{expected}");
        println!("    {name} prints what it should");
    }
    // Without a model in the flash there is nothing to classify with, and the program says so.
    let error = run(emulation, &built.join("flash_section"), &[])
        .err()
        .context("flash_section ran without a model")?;
    ensure!(format!("{error:#}").contains("not a KiloRNN model"), "flash_section without a model: {error:#}");
    Ok(Outcome::Passed)
}

fn run(emulation: &Emulation, elf: &Path, arguments: &[&str]) -> Result<String> {
    let mut qemu = qemu::command(emulation, elf, Serial::None);
    process::output(qemu.current_dir(firmware_dir()).args(arguments))
}
