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

/// What has run so far.
#[derive(Default)]
struct Run {
    report: Report,
    tally: Tally,
}

/// `cargo xtask test [PART]`: runs all steps, whatever the earlier ones gave, and closes with one verdict line.
pub(crate) fn run(part: Option<&str>) -> Result<()> {
    let mut run = Run::default();
    match part {
        None => {
            run.host();
            run.qemu(boards::all()?);
        }
        Some("host") => run.host(),
        Some("qemu") => run.qemu(boards::all()?),
        Some(board) => {
            let board =
                boards::find(board).context("the parts of the tests are host, qemu, and each board")?;
            run.qemu(vec![board]);
        }
    }
    run.conclude("")
}

/// `cargo xtask test --quick`: what gives a verdict in two minutes once all is compiled.
pub(crate) fn quick() -> Result<()> {
    let mut run = Run::default();
    run.workspace();
    let board = boards::find(boards::DEFAULT)?;
    let shipped = boards::default_model(&board);
    if let Some(trainer) = run.trainer() {
        run.checks(&trainer, &board, shipped, &OTHER_CORES);
    }
    run.conclude("; the other boards, overflow checks and fuzzing are left to `cargo xtask test`")
}

impl Run {
    /// Prints the table and the verdict.
    fn conclude(self, remark: &str) -> Result<()> {
        println!("\n{}", self.report.table());
        let (_, failed_steps) = self.report.counts();
        let Tally { passed, failed, skipped } = self.tally;
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        let counts = format!("{passed} passed, {failed} failed{skipped}");
        if failed_steps > 0 {
            bail!("{counts}; {failed_steps} steps failed, see above");
        }
        println!("test: PASS - {counts}{remark}");
        Ok(())
    }

    fn host(&mut self) {
        self.workspace();
        // The arithmetic once more with overflow checks, which the release profile leaves out.
        let runtime = ["test", "-p", "kilornn", "--tests", "--no-fail-fast"];
        self.cargo_test("host: the runtime with overflow checks", &runtime);
        self.single("host: the engine cannot panic and is small enough", engine::run);
        self.single("host: fuzzing for a few seconds", fuzz::briefly);
        self.single("host: no damaged model loads", fuzz::damage);
    }

    fn workspace(&mut self) {
        // The release profile, so that candle is compiled once for tests and demo.
        let all = ["test", "--release", "--workspace", "--no-fail-fast"];
        self.cargo_test("host: all tests", &all);
    }

    /// A step that is one test.
    fn single(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if self.report.step(name, work) {
            self.tally.passed += 1;
        } else {
            self.tally.failed += 1;
        }
    }

    /// Builds the program and lets it train the starter model.
    fn trainer(&mut self) -> Option<Trainer> {
        let mut trainer = None;
        self.report.step("QEMU: the trainer, the starter corpus and a model of it", || {
            let built = Trainer::build()?;
            built.starter_model()?;
            trainer = Some(built);
            Ok(())
        });
        self.tally.failed += usize::from(trainer.is_none());
        trainer
    }

    /// All checks on each of these boards that QEMU has; for the others, whether their firmware can be built.
    fn qemu(&mut self, boards: Vec<Board>) {
        let Some(trainer) = &self.trainer() else { return };
        for board in boards {
            let (name, shipped) = (board.name.clone(), boards::default_model(&board));
            if board.qemu.is_none() {
                self.single(&format!("{name}: the firmware can be built"), || {
                    setup::board(&board)?;
                    let elf = firmware::build(&board, None)?;
                    firmware::image(&board, &elf).map(drop)
                });
                continue;
            }
            // The boards that are only ever emulated have the same drivers, and differ in their cores.
            let is_sibling =
                name != boards::DEFAULT && board.qemu.as_ref().is_some_and(|qemu| qemu.semihosting);
            let mut all = if is_sibling { OTHER_CORES.to_vec() } else { EVERYWHERE.to_vec() };
            if name == leds::BOARD {
                all.extend(leds::CHECKS);
            }
            self.checks(trainer, &board, shipped, &all);
            if name == boards::DEFAULT {
                self.checks(trainer, &board, trainer.starter_model_file(), &ONCE);
            }
        }
    }

    /// These checks on one board, with a model.
    fn checks(&mut self, trainer: &Trainer, board: &Board, model: PathBuf, checks: &[Check]) {
        let name = &board.name;
        let mut bench = None;
        let file = model.file_name().unwrap_or_default().display().to_string();
        self.report.step(&format!("{name}: setup, and the firmware with {file}"), || {
            setup::board(board)?;
            let elf = firmware::build(board, Some(&model))?;
            bench = Some(Bench { trainer, board: board.clone(), model, elf });
            Ok(())
        });
        let Some(bench) = bench else {
            self.tally.failed += checks.len();
            return;
        };
        for (what, check) in checks {
            match self.report.check(&format!("{name}: {what}"), || check(&bench)) {
                Some(Outcome::Passed) => self.tally.passed += 1,
                Some(Outcome::Skipped) => self.tally.skipped += 1,
                None => self.tally.failed += 1,
            }
        }
    }

    /// A step that is `cargo test`, whose counts are added.
    fn cargo_test(&mut self, name: &str, args: &[&str]) {
        let mut counts = Tally::default();
        let passed = self.report.step(name, || {
            process::tee(&mut cargo(&root(), args), |line| {
                if let Some(found) = test_result(line) {
                    counts.passed += found.passed;
                    counts.failed += found.failed;
                    counts.skipped += found.skipped;
                }
            })
        });
        self.tally.passed += counts.passed;
        self.tally.skipped += counts.skipped;
        // A test program that does not compile or crashes prints no counts; it fails all the same.
        self.tally.failed += counts.failed.max(usize::from(!passed));
    }
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
