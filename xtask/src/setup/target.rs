//! A target's `core`: from rustup, or built here where rustup cannot reach its server.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::build_core::{self, MARKER};
use super::rust_src;
use super::toolchain::{Toolchain, rustc, rustup};
use crate::process;

/// Makes sure that plain `cargo build --target TRIPLE` works.
pub(super) fn ensure(triple: &str) -> Result<()> {
    let toolchain = Toolchain::current()?;
    println!("== target {triple} for rustc {}", toolchain.version);
    let Err(missing) = probe(triple) else {
        println!("   already installed");
        return Ok(());
    };
    println!("   not usable yet: {missing:#}");

    // Built here earlier, for another compiler, or rustup has brought its own files since: two copies of
    // `core` are as bad as none.
    if remove_own_build(&toolchain, triple)? && probe(triple).is_ok() {
        forget_old_objects(triple);
        println!("   ready: rustup's own files were there already");
        return Ok(());
    }

    let rustup = match from_rustup(triple) {
        Ok(()) => {
            forget_old_objects(triple);
            println!("   ready, from rustup");
            return Ok(());
        }
        Err(error) => error,
    };
    println!("   rustup could not install it: {rustup:#}");
    println!("   instead, `core` is built here from the compiler's own source (rust-src), once");

    rust_src::with(&toolchain, || build_core::install(&toolchain, triple)).with_context(|| {
        format!(
            "target {triple} could not be installed. rustup said: {rustup:#}. Building `core` from rust-src failed \
             too, for the reason below. Either connect this machine to rustup's server (or set RUSTUP_DIST_SERVER to \
             a mirror) and run `rustup target add {triple}`, or put the folder `library` of Rust {}'s source at {}",
            toolchain.version,
            rust_src::place(&toolchain).display()
        )
    })?;
    forget_old_objects(triple);
    probe(triple).with_context(|| format!("`core` for {triple} was built, but rustc cannot use it"))?;
    println!("   ready, built here: plain `cargo build --target {triple}` works from now on");
    Ok(())
}

/// Compiles a few lines for the target, with link-time optimization as the firmware's release build does:
/// files that are missing, half-copied, doubled or from another compiler all fail here.
fn probe(triple: &str) -> Result<()> {
    const PROGRAM: &str = include_str!("probe.rs");
    let dir = tempfile::tempdir()?;
    let mut command = rustc();
    command
        .args(["--target", triple, "--crate-name", "probe", "--crate-type", "staticlib", "--edition", "2024"])
        .args(["-Copt-level=s", "-Cpanic=abort", "-Clto=fat", "--out-dir"])
        .arg(dir.path())
        .arg("-");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("rustc could not be started")?;
    if let Some(mut stdin) = child.stdin.take() {
        // A compiler that stops early closes the pipe; its exit code says the rest.
        let _ = stdin.write_all(PROGRAM.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    bail!("{}", stderr.lines().find(|line| line.starts_with("error")).unwrap_or("rustc failed"))
}

/// The ordinary way.
fn from_rustup(triple: &str) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(120);
    let add = || rustup(&["target", "add", triple], LIMIT);
    add()?;
    if probe(triple).is_ok() {
        return Ok(());
    }
    // rustup believes that the target is there although files are missing; only a removal makes it fetch again.
    println!("   rustup calls it installed, but its files are damaged: installing again");
    rustup(&["target", "remove", triple], LIMIT)?;
    add()?;
    probe(triple)
}

/// Removes the libraries that were built here, and only those. Returns whether there were any.
fn remove_own_build(toolchain: &Toolchain, triple: &str) -> Result<bool> {
    let dir = toolchain.rustlib().join(triple);
    let marker = dir.join(MARKER);
    let Ok(text) = fs::read_to_string(&marker) else {
        return Ok(false);
    };
    println!("   removing the `core` that was built here earlier");
    for name in own_files(&text) {
        let file = dir.join("lib").join(name);
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    fs::remove_file(&marker)?;
    Ok(true)
}

/// The library files that a marker lists; anything that is not a plain library name is passed over.
fn own_files(marker: &str) -> impl Iterator<Item = &str> {
    marker.lines().map(str::trim).filter(|line| {
        line.starts_with("lib") && line.ends_with(".rlib") && Path::new(line).components().count() == 1
    })
}

/// Objects built against an earlier `core` do not link with a new one, and cargo does not see that it changed.
fn forget_old_objects(triple: &str) {
    let root = process::root();
    let elsewhere = std::env::var_os("CARGO_TARGET_DIR").map(|dir| root.join(dir));
    let usual = [root.clone(), process::firmware_dir(), root.join("runtime-nostd").join("linked")];
    for target_dir in usual.map(|dir| dir.join("target")).into_iter().chain(elsewhere) {
        // `kilornn evaluate --qemu` builds for each board in a folder of its own.
        let folders = fs::read_dir(&target_dir).into_iter().flatten().flatten().map(|entry| entry.path());
        for built in std::iter::once(target_dir).chain(folders).map(|dir| dir.join(triple)) {
            if built.is_dir() {
                println!("   removing {}: built against an earlier `core`", built.display());
                if let Err(error) = fs::remove_dir_all(&built) {
                    println!("   could not remove it ({error}): if linking fails, run `cargo clean` there");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_lists_only_plain_library_names() {
        let marker = "Built for rustc 1.90.0:\nlibcore-0a.rlib\n  liballoc-0b.rlib\n../lib/libstd-0c.rlib\nlib/../x.rlib\n";
        assert_eq!(own_files(marker).collect::<Vec<_>>(), ["libcore-0a.rlib", "liballoc-0b.rlib"]);
    }

    #[test]
    fn the_probe_reports_an_unknown_target() {
        let error = probe("no-such-target").unwrap_err().to_string();
        assert!(error.contains("no-such-target"), "{error}");
    }
}
