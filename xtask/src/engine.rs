//! What of the engine ends up in a firmware: how many bytes, and that none of them can panic.
//!
//! `runtime-nostd/linked` calls everything that a firmware can call and nothing else. It is linked for every core of
//! which the trainer knows what it takes, then its symbols and sections are read.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use kilornn_host::cores::{self as table, CORES, Cells, Core, GATED};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionKind, SymbolKind};

use crate::cores;
use crate::process::{self, cargo, root, target_dir};
use crate::setup;

/// The most bytes that the engine may take on each core for a class and its label: probabilities and all of Unicode are
/// for those who ask for them.
const MOST: [(&str, u64); 4] = [("m4", 12_000), ("m3", 12_000), ("m0", 10_000), ("rv32", 12_000)];

/// The profile that is tuned for size, and the one that the firmware is built with.
const PROFILES: [&str; 2] = ["small", "release"];

/// What the engine is asked for, as features of `runtime-nostd/linked`.
const FEATURES: [&str; 4] =
    ["", "scores", "scores,fast-load,fast-tanh", "scores,fast-load,fast-tanh,unicode"];

/// The cells that it is to run: features that are added to these, and what they are called in the table.
fn cells() -> Vec<(&'static str, &'static str, Cells)> {
    let each = GATED.iter().enumerate().map(|(place, cell)| (cell.feature, cell.name, Cells::only(place)));
    let one = ("", "one SimpleRNN", Cells::ONE);
    std::iter::once(one).chain(each).chain([("cells", "all cells", Cells::ALL)]).collect()
}

/// What every panic goes through, however it is spelled.
const PANIC: &str = "rust_begin_unwind";

/// `cargo xtask engine`: prints the sizes, and fails if a limit is exceeded, a panic linked, or a size no
/// longer what the trainer reckons with.
pub(crate) fn run() -> Result<()> {
    let mut problems = Vec::new();
    let mut table = format!(
        "  {:<10} {:<8} {:<13} {:>8} {:>12} {:>16} {:>14}\n",
        "core", "profile", "cells", "label", "and scores", "and fast ones", "and `unicode`"
    );
    for core in table::measured() {
        setup::target(core.target)?;
    }
    let linked = link_all()?;
    for (place, core) in table::measured().enumerate() {
        for (profile, linked) in PROFILES.into_iter().zip(&linked) {
            for ((_, about, cells), linked) in cells().into_iter().zip(&linked[place]) {
                for panic in linked.iter().flat_map(|linked| &linked.panics) {
                    problems.push(format!("{}, {profile}, {about}: {panic}", core.about));
                }
                let (Some(label), Some(unicode)) = (linked.first(), linked.last()) else { continue };
                let (label, unicode) = (label.bytes, unicode.bytes);
                let [scores, fast] = [1, 2].map(|place| match linked.len() {
                    4 => linked[place].bytes.to_string(),
                    _ => String::new(),
                });
                table += &format!(
                    "  {:<10} {profile:<8} {about:<13} {label:>8} {scores:>12} {fast:>16} {unicode:>14}\n",
                    core.about
                );
                let most = MOST.iter().find(|(name, _)| *name == core.name).map_or(0, |(_, most)| *most);
                if profile == PROFILES[0] && cells == Cells::ONE && label > most {
                    problems.push(format!("{label} bytes on {}, at most {most} are allowed", core.about));
                }
                let code = core.code_for(cells);
                let kept = if profile == PROFILES[0] {
                    vec![("small", label, code.small), ("lean", unicode, code.lean)]
                } else {
                    vec![("full", unicode, code.full)]
                };
                problems.extend(kept.into_iter().filter_map(|(engine, measured, table)| {
                    cores::bytes(&format!("engine `{engine}` with {about} on {}", core.name), measured, table)
                }));
            }
        }
    }
    // Sessions share the code of classifiers, but for their memory.
    for profile in PROFILES {
        let session = Linked::build(CORES[0].target, profile, "scores,cells,session")?;
        problems.extend(session.panics.into_iter().map(|panic| format!("session, {profile}: {panic}")));
    }
    // A check that finds nothing must be known to find something.
    if Linked::build(CORES[0].target, PROFILES[1], "panics")?.panics.is_empty() {
        problems.push("a panic that was put there on purpose was not found".to_owned());
    }
    println!("\n  Bytes of code and constants: engine, tokenizer and loader, without the model\n{table}");
    if !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }
    println!("engine: PASS - nothing that is linked can panic");
    Ok(())
}

/// The engine for each set of cells; of the first with each set of features, of the others with the least and the most.
type OfCore = Vec<Vec<Linked>>;

/// The engine for each profile and core. Linking uses one processor: the profiles, whose folders are
/// locked separately by cargo, are linked at the same time.
fn link_all() -> Result<[Vec<OfCore>; PROFILES.len()]> {
    let [least, .., most] = FEATURES;
    let link = |profile: &str| -> Result<Vec<OfCore>> {
        let of_cells = |core: &Core, cells: &str, kind| -> Result<Vec<Linked>> {
            let asked = if kind == Cells::ONE { FEATURES.to_vec() } else { vec![least, most] };
            let build = |features: &str| {
                let names: Vec<&str> =
                    [cells, features].into_iter().filter(|name| !name.is_empty()).collect();
                Linked::build(core.target, profile, &names.join(","))
            };
            asked.into_iter().map(build).collect()
        };
        let of_core =
            |core| cells().into_iter().map(|(cells, _, kind)| of_cells(core, cells, kind)).collect();
        table::measured().map(of_core).collect()
    };
    let [small, release] = PROFILES;
    thread::scope(|scope| {
        let small = scope.spawn(|| link(small));
        let release = link(release)?;
        Ok([small.join().map_err(|_| anyhow!("linking for {} broke off", PROFILES[0]))??, release])
    })
}

/// The engine, linked.
#[derive(Debug)]
struct Linked {
    /// Code, constants and the initial values of variables.
    bytes: u64,
    /// Who can panic.
    panics: Vec<String>,
}

impl Linked {
    fn build(target: &str, profile: &str, features: &str) -> Result<Self> {
        let dir = root().join("runtime-nostd").join("linked");
        let mut build = cargo(&dir, ["build", "--quiet", "--target", target, "--profile", profile]);
        if !features.is_empty() {
            build.args(["--features", features]);
        }
        // RUSTFLAGS in the environment would replace those of the crate's own configuration.
        process::run(build.env_remove("RUSTFLAGS"))?;
        let elf: PathBuf = [target, profile, "kilornn-linked"].iter().collect();
        Self::read(&target_dir(&dir)?.join(elf))
    }

    fn read(path: &Path) -> Result<Self> {
        let data = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = object::File::parse(data.as_slice())?;
        let bytes = file
            .sections()
            .filter(|section| {
                matches!(
                    section.kind(),
                    SectionKind::Text
                        | SectionKind::ReadOnlyData
                        | SectionKind::ReadOnlyString
                        | SectionKind::Data
                )
            })
            // Tables for unwinding, which no firmware keeps.
            .filter(|section| section.name().is_ok_and(|name| !name.starts_with(".ARM.ex")))
            .map(|section| section.size())
            .sum();
        Ok(Self { bytes, panics: panics(&file)? })
    }
}

/// Says who calls what leads to a panic: the handler and everything between it and the engine's own functions.
fn panics(file: &object::File<'_>) -> Result<Vec<String>> {
    let is_panic =
        |name: &str| name.contains(PANIC) || name.contains("4core9panicking") || name.contains("_fail");
    let mut found = Vec::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        if symbol.name()?.contains(PANIC) {
            found.push(format!("{} is linked", symbol.name()?));
        }
    }
    for section in file.sections() {
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(target) = relocation.target() else { continue };
            let target = file.symbol_by_index(target)?.name()?;
            if is_panic(target) {
                found.push(format!("{} calls {target}", function_at(file, offset)));
            }
        }
    }
    Ok(found)
}

/// The name of the function that contains an address.
fn function_at<'f>(file: &object::File<'f>, address: u64) -> &'f str {
    file.symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
        .find(|symbol| (symbol.address() & !1..(symbol.address() & !1) + symbol.size()).contains(&address))
        .and_then(|symbol| symbol.name().ok())
        .unwrap_or("something without a name")
}
