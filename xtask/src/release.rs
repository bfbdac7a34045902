//! `cargo xtask release`: whether the crates could be published as they are.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::boards;
use crate::process::{self, cargo, firmware_dir, root};
use crate::report::{Outcome, Report};

/// The crates that a user adds to a program. What the program `kilornn` consists of is no interface.
const LIBRARIES: [&str; 4] = ["kilornn", "kilornn-link", "kilornn-app", "kilornn-host"];

/// Runs every check, whatever the earlier ones gave, and closes with one verdict line.
pub(crate) fn run() -> Result<()> {
    let mut report = Report::default();
    report.step("licences, sources and doubled versions", licences);
    report.check("known vulnerabilities", vulnerabilities);
    report.step("dependencies ask for no newer Rust", dependencies);
    report.check("the oldest Rust that is promised", oldest_rust);
    report.check("what changed for those who use the libraries", changes);
    report.step("all crates can be packaged and published", || {
        process::run(&mut cargo(&root(), ["publish", "--workspace", "--dry-run", "--locked"]))
    });

    println!("\n{}", report.table());
    match report.counts() {
        (_, 0) => {
            println!("release: PASS - what was skipped is marked above");
            Ok(())
        }
        (all, failed) => bail!("{failed} of {all} checks failed, see above"),
    }
}

fn licences() -> Result<()> {
    let deny = installed("cargo-deny")?;
    process::run(Command::new(&deny).current_dir(root()).args(["check", "bans", "licenses", "sources"]))?;
    // Not `bans`: boards' crates bring what their vendors chose.
    let config = root().join("deny.toml");
    process::run(
        Command::new(&deny)
            .current_dir(firmware_dir())
            .args(["--all-features", "--config"])
            .arg(config)
            .args(["check", "--allow", "unmatched-skip", "licenses", "sources"]),
    )
}

fn vulnerabilities() -> Result<Outcome> {
    let deny = installed("cargo-deny")?;
    if process::run(Command::new(&deny).current_dir(root()).arg("fetch")).is_err() {
        println!("    skipped: the list of known vulnerabilities cannot be fetched from here");
        return Ok(Outcome::Skipped);
    }
    process::run(Command::new(&deny).current_dir(root()).args(["check", "--disable-fetch", "advisories"]))?;
    Ok(Outcome::Passed)
}

/// Compares `rust-version` of every dependency with ours.
fn dependencies() -> Result<()> {
    let metadata = metadata()?;
    let ours = rust_version(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let newer: Vec<String> = packages
        .iter()
        .filter(|package| version(package["rust_version"].as_str().unwrap_or_default()) > version(&ours))
        .map(|package| {
            format!("{} {} needs Rust {}", package["name"], package["version"], package["rust_version"])
        })
        .collect();
    if !newer.is_empty() {
        bail!("Cargo.toml promises Rust {ours}, but {}", newer.join(", "));
    }
    println!("    none of {} packages needs more than Rust {ours}", packages.len());
    Ok(())
}

/// Compiles everything with the oldest compiler, if there is a way to have it.
fn oldest_rust() -> Result<Outcome> {
    let ours = rust_version(&metadata()?)?;
    if process::output(Command::new("rustup").args(["run", &ours, "rustc", "--version"])).is_err()
        && process::run(Command::new("rustup").args(["toolchain", "install", &ours, "--profile", "minimal"]))
            .is_err()
    {
        println!(
            "    skipped: rustup cannot install Rust {ours} here; clippy checks what it can (incompatible_msrv)"
        );
        return Ok(Outcome::Skipped);
    }
    let device = boards::find(boards::DEFAULT)?.target;
    process::run(Command::new("rustup").args(["target", "add", "--toolchain", &ours, &device]))?;
    let folder = root().join("target").join("msrv");
    let checks: [(PathBuf, &[&str]); 2] = [
        (root(), &["check", "--workspace", "--all-targets", "--locked"]),
        (firmware_dir(), &["check", "--release", "--locked"]),
    ];
    for (place, check) in checks {
        let mut command = Command::new("rustup");
        command.args(["run", &ours, "cargo"]).args(check).arg("--target-dir").arg(&folder);
        // They name the compiler that builds this program.
        for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
            command.env_remove(variable);
        }
        process::run(command.current_dir(place))?;
    }
    Ok(Outcome::Passed)
}

/// Looks for changes since the last release that its users' programs would not compile with.
fn changes() -> Result<Outcome> {
    let tags = process::output(Command::new("git").current_dir(root()).args([
        "tag",
        "--merged",
        "HEAD",
        "--sort=-v:refname",
        "--list",
        "v*",
    ]))?;
    let Some(last) = tags.lines().next() else {
        println!("    skipped: nothing was released yet (no tag v*), so there is nothing to compare with");
        return Ok(Outcome::Skipped);
    };
    let checker = installed("cargo-semver-checks")?;
    let mut command = Command::new(checker);
    command.current_dir(root()).args(["semver-checks", "--baseline-rev", last]);
    for library in LIBRARIES {
        command.args(["--package", library]);
    }
    process::run(&mut command)?;
    Ok(Outcome::Passed)
}

/// A tool of cargo's: from PATH, or built once into target/tools.
fn installed(tool: &str) -> Result<PathBuf> {
    if let Some(found) = process::find(tool) {
        return Ok(found);
    }
    let tools = root().join("target").join("tools");
    let program = tools.join("bin").join(format!("{tool}{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        println!("   {tool} is missing and is built now, which takes some minutes");
        process::run(cargo(&root(), ["install", "--locked", "--root"]).arg(&tools).arg(tool))?;
    }
    Ok(program)
}

fn metadata() -> Result<Value> {
    let metadata = process::output(&mut cargo(&root(), ["metadata", "--locked", "--format-version", "1"]))?;
    Ok(serde_json::from_str(&metadata)?)
}

/// The oldest Rust that our manifest promises.
fn rust_version(metadata: &Value) -> Result<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let ours = packages.filter(|package| package["name"] == "kilornn");
    let ours = ours.filter_map(|package| package["rust_version"].as_str()).next();
    ours.map(str::to_owned).context("the package kilornn has no rust-version")
}

/// The parts of a version as numbers, so that they compare; without any, the oldest.
fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("1.88") > version("1.9.1"));
        assert_eq!(version("1.88"), version("1.88.0"));
        assert!(version("") < version("1.0"));
    }
}
