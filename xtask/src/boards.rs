//! The boards of the repository's firmware, and `cargo xtask boards`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kilornn_host::boards::{self, Board, Emulation};
use kilornn_host::firmware;

use crate::process::firmware_dir;

/// The board that runs where none is named.
pub(crate) const DEFAULT: &str = "mps2-an386";

/// All of them, in the table's order.
pub(crate) fn all() -> Result<Vec<Board>> {
    Ok(boards::read(&firmware_dir())?)
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Result<Board> {
    Ok(boards::find(&all()?, name)?)
}

/// How a board runs in QEMU, if it does.
pub(crate) fn emulation(board: &Board) -> Result<&Emulation> {
    board.qemu.as_ref().with_context(|| {
        format!("QEMU has no {}: connect one and use `cargo xtask flash {}`", board.name, board.name)
    })
}

/// The model that is built in where none is named.
pub(crate) fn default_model(board: &Board) -> PathBuf {
    firmware::default_model(board, &firmware_dir())
}

/// `cargo xtask boards`.
pub(crate) fn list() -> Result<()> {
    for Board { name, about, target, model, qemu, chip, openocd, image, .. } in all()? {
        let ways = [
            qemu.is_some().then(|| "run in QEMU".to_owned()),
            chip.map(|_| "flash by probe-rs".to_owned()),
            openocd.map(|_| "flash by OpenOCD".to_owned()),
            image.map(|image| format!("{image:?} for its drive").to_lowercase()),
        ];
        let ways: Vec<_> = ways.into_iter().flatten().collect();
        println!("{name:<14} {about}");
        println!("{:<14} {target}, {model}: {}", "", ways.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    /// The firmware's `.cargo/config.toml`.
    fn cargo_config() -> toml::Table {
        fs::read_to_string(firmware_dir().join(".cargo/config.toml")).unwrap().parse().unwrap()
    }

    #[test]
    fn every_board_that_probe_rs_flashes_has_an_alias_of_cargo_and_no_other_has() {
        let found = cargo_config()["alias"].as_table().unwrap().clone();
        let mut expected = toml::Table::new();
        for board in all().unwrap() {
            let profile = board.profile();
            let Board { name, target, chip: Some(chip), .. } = board else { continue };
            let runner = format!("target.{target}.runner='probe-rs run --chip {chip}'");
            let features = format!("{name},cells,unicode");
            let words = ["run", "--profile", profile, "--no-default-features", "--features", &features];
            let words = [&words[..], &["--target", &target, "--bin", "kilornn-firmware"]].concat();
            let words = [&words[..], &["--config", &runner]].concat();
            expected.insert(name.clone(), words.into());
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn cargo_runs_each_target_as_a_board_of_the_table_that_has_it() {
        let (config, boards) = (cargo_config(), all().unwrap());
        assert_eq!(config["build"]["target"].as_str(), Some(&*find(DEFAULT).unwrap().target));
        let targets: BTreeSet<String> = boards.iter().map(|board| board.target.clone()).collect();
        for target in targets {
            // Cargo reads a dot in a target's name as one between keys.
            let settings = target.split('.').try_fold(&config["target"], |settings, key| settings.get(key));
            let runner = settings.unwrap_or_else(|| panic!("{target} has no runner"))["runner"].as_str();
            let runner: Vec<&str> = runner.unwrap().split_whitespace().collect();
            let behind = |option| {
                let place = runner.iter().position(|word| *word == option)?;
                runner.get(place + 1).copied()
            };
            let qemu = boards
                .iter()
                .filter(|board| board.target == target)
                .filter_map(|board| board.qemu.as_ref())
                .find(|qemu| behind("-machine") == Some(&qemu.machine))
                .unwrap_or_else(|| panic!("no board of the target {target} is emulated by {runner:?}"));
            assert_eq!(runner[0], qemu.program, "{target}");
            assert_eq!(behind("-icount"), Some(&*format!("shift={}", qemu.icount)), "{target}");
            assert_eq!(behind("-semihosting-config").is_some(), qemu.semihosting, "{target}");
        }
    }

    #[test]
    fn the_default_board_is_there_and_an_unknown_one_is_an_error_that_names_it() {
        assert!(default_model(&find(DEFAULT).unwrap()).is_file());
        let error = find("nonesuch").unwrap_err().to_string();
        assert!(error.contains("nonesuch") && error.contains(DEFAULT), "{error}");
    }
}
