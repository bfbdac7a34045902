//! Builds a target's `core` from rust-src with the stable compiler and puts it where rustup would put it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::toolchain::Toolchain;
use crate::process;

/// The crates that a `no_std` program links, in the order in which they depend on each other.
const CRATES: [&str; 5] = ["core", "compiler_builtins", "rustc_std_workspace_core", "alloc", "panic_abort"];

/// Lies in a target's folder when its `core` was built here, so that it can be told from rustup's files.
pub(super) const MARKER: &str = "built-by-kilornn-xtask.txt";

/// Builds and installs `core` for `triple`. rust-src must be in the sysroot.
pub(super) fn install(toolchain: &Toolchain, triple: &str) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let libraries = build(scratch.path(), triple)?;

    // Copied beside its place and renamed, so that an interrupted setup leaves nothing half done.
    let place = toolchain.rustlib().join(triple);
    let partial = toolchain.rustlib().join(format!("{triple}.partial"));
    let old = toolchain.rustlib().join(format!("{triple}.old"));
    let not_writable = || {
        format!(
            "cannot write to {}: run this as the user who owns the toolchain",
            toolchain.rustlib().display()
        )
    };
    for leftover in [&partial, &old] {
        if leftover.exists() {
            fs::remove_dir_all(leftover).with_context(not_writable)?;
        }
    }
    fs::create_dir_all(partial.join("lib")).with_context(not_writable)?;
    let mut marker = format!(
        "The libraries below were built for rustc {} by KiloRNN's `cargo xtask setup`, because rustup could not\n\
         reach its server. Delete this folder to undo it.\n",
        toolchain.version
    );
    for library in &libraries {
        let name = library.file_name().context("a library without a name")?;
        fs::copy(library, partial.join("lib").join(name)).with_context(not_writable)?;
        marker += &format!("{}\n", name.display());
    }
    fs::write(partial.join(MARKER), marker).with_context(not_writable)?;
    if place.exists() {
        fs::rename(&place, &old).with_context(not_writable)?;
    }
    fs::rename(&partial, &place).with_context(not_writable)?;
    if old.exists() {
        fs::remove_dir_all(&old).with_context(not_writable)?;
    }
    println!("   installed in {}", place.display());
    Ok(())
}

/// Builds an empty crate with its own standard library and returns that library's files.
fn build(scratch: &Path, triple: &str) -> Result<Vec<PathBuf>> {
    println!("   building core and alloc for {triple} (about 20 s)");
    fs::create_dir(scratch.join("src"))?;
    fs::write(scratch.join("src").join("lib.rs"), "#![no_std]\n")?;
    fs::write(
        scratch.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    process::run(
        process::cargo(
            scratch,
            ["build", "--release", "-Zbuild-std=core,alloc,panic_abort", "--target", triple],
        )
        // Lets the stable compiler build its own standard library, as its makers do; nothing else is built so.
        .env("RUSTC_BOOTSTRAP", "1")
        // Without bitcode in the libraries, link-time optimization fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", "target")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET"),
    )?;
    let deps = scratch.join("target").join(triple).join("release").join("deps");
    let mut files = Vec::new();
    for entry in fs::read_dir(&deps).with_context(|| format!("cannot read {}", deps.display()))? {
        files.push(entry?.path());
    }
    CRATES.iter().map(|name| library_of(name, &files)).collect()
}

/// The one file `libNAME-HASH.rlib`.
fn library_of(name: &str, files: &[PathBuf]) -> Result<PathBuf> {
    let is_library = |file: &&PathBuf| {
        file.extension().is_some_and(|extension| extension == "rlib")
            && file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.strip_prefix("lib"))
                .and_then(|stem| stem.rsplit_once('-'))
                .is_some_and(|(crate_name, _)| crate_name == name)
    };
    let mut found = files.iter().filter(is_library);
    match (found.next(), found.next()) {
        (Some(file), None) => Ok(file.clone()),
        (None, _) => bail!("the build left no library of the crate `{name}`"),
        (Some(_), Some(_)) => bail!("the build left several libraries of the crate `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_has_one_library() {
        let files: Vec<PathBuf> =
            ["d/libcore-1.rlib", "d/libcore-1.rmeta", "d/librustc_std_workspace_core-2.rlib"]
                .iter()
                .map(PathBuf::from)
                .collect();
        assert_eq!(library_of("core", &files).unwrap(), PathBuf::from("d/libcore-1.rlib"));
        assert!(library_of("alloc", &files).is_err());
        let twice = [files, vec!["d/libcore-3.rlib".into()]].concat();
        assert!(library_of("core", &twice).is_err());
    }
}
