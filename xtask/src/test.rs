//! `cargo xtask test`: every test, on the host and in QEMU.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use kilornn_host::Board;

use crate::checks::{Bench, Check, EVERYWHERE, ONCE, OTHER_CORES, leds};
use crate::process::{self, cargo, root};
use crate::report::{Outcome, Report};
use crate::trainer::Trainer;
use crate::{boards, engine, firmware, fuzz, setup};

/// How many tests there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs all steps, whatever the earlier ones gave, and closes with one verdict line.
pub(crate) fn run(part: Option<&str>) -> Result<()> {
    let mut report = Report::default();
    let mut tally = Tally::default();
    match part {
        None => {
            host(&mut report, &mut tally);
            qemu(&mut report, &mut tally, boards::all()?);
        }
        Some("host") => host(&mut report, &mut tally),
        Some("qemu") => qemu(&mut report, &mut tally, boards::all()?),
        Some(board) => {
            let board =
                boards::find(board).context("the parts of the tests are host, qemu, and each board")?;
            qemu(&mut report, &mut tally, vec![board]);
        }
    }
    println!("\n{}", report.table());
    let (_, failed_steps) = report.counts();
    let Tally { passed, failed, skipped } = tally;
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    let counts = format!("{passed} passed, {failed} failed{skipped}");
    if failed_steps > 0 {
        bail!("{counts}; {failed_steps} steps failed, see above");
    }
    println!("test: PASS - {counts}");
    Ok(())
}

fn host(report: &mut Report, tally: &mut Tally) {
    // The release profile, so that candle is compiled once for tests and demo.
    let all = ["test", "--release", "--workspace", "--no-fail-fast"];
    report.step("host: all tests", || cargo_test(&all, tally));
    // The arithmetic once more with overflow checks, which the release profile leaves out.
    let runtime = ["test", "-p", "kilornn", "--tests", "--no-fail-fast"];
    report.step("host: the runtime with overflow checks", || cargo_test(&runtime, tally));
    check(report, tally, "the engine cannot panic and is small enough", engine::run);
    check(report, tally, "fuzzing for a few seconds", fuzz::briefly);
    check(report, tally, "no damaged model loads", fuzz::damage);
}

/// A step that is one test.
fn check(report: &mut Report, tally: &mut Tally, name: &str, work: impl FnOnce() -> Result<()>) {
    if report.step(&format!("host: {name}"), work) {
        tally.passed += 1;
    } else {
        tally.failed += 1;
    }
}

/// All checks on each of these boards that QEMU has; for the others, whether their firmware can be built.
fn qemu(report: &mut Report, tally: &mut Tally, boards: Vec<Board>) {
    let mut trainer = None;
    report.step("QEMU: the trainer, the starter corpus and a model of it", || {
        let built = Trainer::build()?;
        built.starter_model()?;
        trainer = Some(built);
        Ok(())
    });
    let Some(trainer) = &trainer else {
        tally.failed += 1;
        return;
    };
    for board in boards {
        let (name, shipped) = (board.name.clone(), boards::default_model(&board));
        if board.qemu.is_none() {
            let built = report.step(&format!("{name}: the firmware can be built"), || {
                setup::board(&board)?;
                let elf = firmware::build(&board, None)?;
                firmware::image(&board, &elf).map(drop)
            });
            *(if built { &mut tally.passed } else { &mut tally.failed }) += 1;
            continue;
        }
        // The boards that are only ever emulated have the same drivers, and differ in their cores.
        let is_sibling = name != boards::DEFAULT && board.qemu.as_ref().is_some_and(|qemu| qemu.semihosting);
        let mut all = if is_sibling { OTHER_CORES.to_vec() } else { EVERYWHERE.to_vec() };
        if name == leds::BOARD {
            all.extend(leds::CHECKS);
        }
        checks(report, tally, trainer, &board, shipped, &all);
        if name == boards::DEFAULT {
            checks(report, tally, trainer, &board, trainer.starter_model_file(), &ONCE);
        }
    }
}

/// These checks on one board, with a model.
fn checks(
    report: &mut Report,
    tally: &mut Tally,
    trainer: &Trainer,
    board: &Board,
    model: PathBuf,
    checks: &[Check],
) {
    let name = &board.name;
    let mut bench = None;
    let file = model.file_name().unwrap_or_default().display().to_string();
    report.step(&format!("{name}: setup, and the firmware with {file}"), || {
        setup::board(board)?;
        let elf = firmware::build(board, Some(&model))?;
        bench = Some(Bench { trainer, board: board.clone(), model, elf });
        Ok(())
    });
    let Some(bench) = bench else {
        tally.failed += checks.len();
        return;
    };
    for (what, check) in checks {
        match report.check(&format!("{name}: {what}"), || check(&bench)) {
            Some(Outcome::Passed) => tally.passed += 1,
            Some(Outcome::Skipped) => tally.skipped += 1,
            None => tally.failed += 1,
        }
    }
}

fn cargo_test(args: &[&str], tally: &mut Tally) -> Result<()> {
    let before = *tally;
    let result = process::tee(&mut cargo(&root(), args), |line| {
        if let Some(counts) = test_result(line) {
            tally.passed += counts.passed;
            tally.failed += counts.failed;
            tally.skipped += counts.skipped;
        }
    });
    // A test program that does not compile or crashes prints no counts; it fails all the same.
    if result.is_err() && tally.failed == before.failed {
        tally.failed += 1;
    }
    result
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
fn test_result(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |what: &str| {
        counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse::<usize>().ok())
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")?, skipped: count("ignored")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_result_line_only() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some(Tally { passed: 12, failed: 3, skipped: 1 }));
        assert_eq!(test_result("test test::counts ... ok"), None);
        assert_eq!(test_result("test result: ok"), None);
    }
}
