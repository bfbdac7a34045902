//! Formatting, lints, documentation and structure, on host and firmware.

mod circles;

use std::process::Command;

use anyhow::{Result, bail, ensure};
use kilornn_host::Board;

use crate::process::{self, cargo, firmware_dir, root};
use crate::report::Report;
use crate::{boards, setup};

/// The sources of every crate, from the root.
const SOURCES: [&str; 10] = [
    "runtime-nostd/src",
    "runtime-nostd/fuzz/src",
    "runtime-nostd/keras/src",
    "runtime-nostd/linked/src",
    "firmware-example/link/src",
    "firmware-example/app/src",
    "firmware-example/host/src",
    "firmware-example/src",
    "trainer/src",
    "xtask/src",
];

/// Libraries that can be built with fewer features than the workspace builds them with: each feature alone.
const FEATURES: [(&str, &[&str]); 4] = [
    ("kilornn", &["fast-load", "fast-tanh", "fastgrnn", "gru", "lstm", "unicode", "defmt"]),
    ("kilornn-link", &["defmt"]),
    ("kilornn-app", &["simulated"]),
    ("kilornn-host", &["client", "qemu", "serial"]),
];

/// Runs every check whose name contains `part`, or all, and then says whether all passed.
pub(crate) fn run(part: Option<&str>) -> Result<()> {
    let mut report = Report::only(part);
    let (host, firmware) = (root(), firmware_dir());
    let linked = root().join("runtime-nostd").join("linked");

    let format = ["fmt", "--check"];
    report.step("format, workspace", || process::run(&mut cargo(&host, format)));
    report.step("format, firmware", || process::run(&mut cargo(&firmware, format)));
    // `cargo fmt` does not find them: build.rs says which of them is compiled.
    report.step("format, boards", || {
        let files = process::rust_files(&firmware.join("src").join("boards"))?;
        process::run(Command::new("rustfmt").args(["--check", "--edition", "2024"]).args(files))
    });
    report.step("format, linked engine", || process::run(&mut cargo(&linked, format)));

    report.step("no circles between modules", || {
        let all = SOURCES.map(|sources| circles::check(&host, sources));
        let found: Vec<_> = all.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        ensure!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    });

    // The release profile, so that build scripts and macros serve `cargo xtask test` as well.
    let clippy = ["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"];
    report.step("clippy, workspace", || process::run(&mut cargo(&host, clippy)));
    report.step("clippy, libraries with no feature, with each and with all", || {
        for (library, features) in FEATURES {
            let sets = [String::new(), features.join(",")];
            for set in sets.into_iter().chain(features.iter().map(|&feature| feature.to_owned())) {
                let clippy =
                    ["clippy", "--quiet", "--release", "--no-default-features", "--package", library];
                let mut clippy = cargo(&host, clippy);
                process::run(clippy.args(["--features", &set, "--", "-D", "warnings"]))?;
            }
        }
        Ok(())
    });
    // RUSTFLAGS in the environment are meant for this machine, not for the board.
    let default = boards::find(boards::DEFAULT)?.target;
    // Not --all-targets: a test harness needs `std`, which the firmware's targets do not have.
    let clippy =
        ["clippy", "--release", "--bins", "--examples", "--features", "bench", "--", "-D", "warnings"];
    report.step("clippy, firmware and its examples", || {
        setup::target(&default)?;
        process::run(cargo(&firmware, clippy).env_remove("RUSTFLAGS"))
    });
    for Board { name, target, .. } in boards::all()?.iter().filter(|board| board.name != boards::DEFAULT) {
        let clippy = ["clippy", "--release", "--no-default-features", "--bin", "kilornn-firmware"];
        let mut clippy = cargo(&firmware, clippy);
        // The boards' own models lower-case all of Unicode.
        let features = format!("{name},unicode");
        clippy.args(["--features", &features, "--target", target, "--", "-D", "warnings"]);
        report.step(&format!("clippy, {name}"), || {
            setup::target(target)?;
            process::run(clippy.env_remove("RUSTFLAGS"))
        });
    }
    let clippy = ["clippy", "--release", "--target", &default, "--", "-D", "warnings"];
    report.step("clippy, linked engine", || process::run(cargo(&linked, clippy).env_remove("RUSTFLAGS")));

    let doc = ["doc", "--workspace", "--no-deps", "--release"];
    report.step("documentation, workspace", || {
        process::run(cargo(&host, doc).env("RUSTDOCFLAGS", "-Dwarnings"))
    });

    println!("\n{}", report.table());
    match report.counts() {
        (0, _) => bail!("no check has a name with `{}` in it", part.unwrap_or_default()),
        (all, 0) => {
            println!("lint: PASS - {all} of {all} checks without a warning");
            Ok(())
        }
        (all, failed) => bail!("{failed} of {all} checks failed, see above"),
    }
}
