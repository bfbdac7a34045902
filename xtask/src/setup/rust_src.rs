//! The standard library's source: already there, from rustup, or from the distribution's package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::apt;
use super::toolchain::{Toolchain, rustup};
use crate::process;

/// Where cargo looks for the source.
pub(super) fn place(toolchain: &Toolchain) -> PathBuf {
    toolchain.rustlib().join("src").join("rust").join("library")
}

/// Runs `work` while the source is in its place.
///
/// A source that the distribution's package gave stays in a cache under `target/`; its place in the sysroot is
/// a link that goes away afterwards, so that a later `rustup component add rust-src` finds nothing in its way.
pub(super) fn with(toolchain: &Toolchain, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let place = place(toolchain);
    // What an interrupted run left, perhaps of another version.
    if place.is_symlink() {
        fs::remove_file(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    if is_complete(&place) {
        println!("   rust-src is installed");
        return work();
    }
    let cached = cache().join(format!("rust-src-{}", toolchain.version));
    if is_complete(&cached) {
        println!("   rust-src {} was downloaded earlier", toolchain.version);
    } else {
        let rustup = match from_rustup(&place) {
            Ok(()) => return work(),
            Err(error) => error,
        };
        println!("   rustup could not install rust-src: {rustup:#}");
        from_package(&toolchain.version, &cached).with_context(|| {
            format!("rust-src {} is not to be had: rustup said: {rustup:#}", toolchain.version)
        })?;
    }

    let parent = place.parent().context("the source's place has no parent")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot write to {}", parent.display()))?;
    if place.exists() {
        // Neither complete nor a link: half a copy that somebody left.
        fs::remove_dir_all(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    link(&cached, &place)?;
    let result = work();
    fs::remove_file(&place).with_context(|| format!("cannot remove {}", place.display()))?;
    // Only folders that are empty now, that is: that were made for the link.
    for dir in place.ancestors().skip(1).take(2) {
        let _ = fs::remove_dir(dir);
    }
    result
}

/// The files without which the build cannot start.
fn is_complete(library: &Path) -> bool {
    ["Cargo.toml", "Cargo.lock", "core/src/lib.rs", "alloc/src/lib.rs", "panic_abort/src/lib.rs"]
        .iter()
        .all(|file| library.join(file).is_file())
}

fn from_rustup(place: &Path) -> Result<()> {
    // A few megabytes, and rustup's server was out of reach for the target already: no long wait a second time.
    rustup(&["component", "add", "rust-src"], Duration::from_secs(30))?;
    if is_complete(place) { Ok(()) } else { bail!("rustup left no complete source in {}", place.display()) }
}

/// Where a package's source is kept between runs.
fn cache() -> PathBuf {
    process::root().join("target").join("xtask")
}

/// Downloads the distribution's package and unpacks (does not install) its `library` folder to `cached`.
fn from_package(version: &str, cached: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let package = apt::download("rust-src", version, scratch.path())?;
    let unpacked = scratch.path().join("unpacked");
    process::run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    let library = unpacked.join("usr").join("src").join(format!("rustc-{version}")).join("library");
    if !is_complete(&library) {
        bail!("the package {} has no complete usr/src/rustc-{version}/library", package.display());
    }
    // The temporary folder may be another file system, hence a copy; renamed last, so that it is whole or absent.
    let partial = cache().join(format!("rust-src-{version}.partial"));
    for leftover in [partial.as_path(), cached] {
        if leftover.exists() {
            fs::remove_dir_all(leftover)?;
        }
    }
    copy_tree(&library, &partial)?;
    fs::rename(&partial, cached)?;
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    std::os::unix::fs::symlink(from, to).with_context(|| format!("cannot write {}", to.display()))
}

/// Only Debian's packages are asked for the source, and Debian is Unix.
#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> Result<()> {
    bail!("copy {} to {} and run this again", from.display(), to.display())
}
