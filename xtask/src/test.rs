//! `cargo xtask test`: every test, on the host and in QEMU.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
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

/// A board, and its firmware with the model that is built in by default, once it is built.
struct Built {
    board: Board,
    elf: Receiver<Result<PathBuf>>,
}

/// Begins to build the firmware of some boards, one after the other, while other things are tested.
fn begin_to_build(boards: Vec<Board>) -> Vec<Built> {
    let (mut senders, mut builds) = (Vec::new(), Vec::new());
    for board in boards {
        let (sender, elf) = channel();
        senders.push((board.clone(), sender));
        builds.push(Built { board, elf });
    }
    thread::spawn(move || {
        for (board, sender) in senders {
            let elf = firmware::build_quietly(&board, &boards::default_model(&board));
            // Nobody waits for it if the tests have ended already.
            let _ = sender.send(elf);
        }
    });
    builds
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
    let (host, boards) = match part {
        None => (true, boards::all()?),
        Some("host") => (true, Vec::new()),
        Some("qemu") => (false, boards::all()?),
        Some(board) => {
            let board = boards::find(board);
            (false, vec![board.context("the parts of the tests are host, qemu, and each board")?])
        }
    };
    if host {
        run.workspace();
    }
    let builds = run.set_up(boards);
    if host {
        run.engine();
    }
    run.qemu(builds);
    run.conclude("")
}

/// `cargo xtask test --quick`: what gives a verdict in two minutes once all is compiled.
pub(crate) fn quick() -> Result<()> {
    let mut run = Run::default();
    run.workspace();
    let board = boards::find(boards::DEFAULT)?;
    let builds = run.set_up(vec![board]);
    if let Some(trainer) = run.trainer() {
        for built in builds {
            run.shipped(&trainer, built, &OTHER_CORES);
        }
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

    /// The runtime and the engine, in other builds than the workspace's.
    fn engine(&mut self) {
        // The arithmetic once more with overflow checks, which the release profile leaves out.
        let runtime = ["test", "-p", "kilornn", "--tests", "--no-fail-fast"];
        self.cargo_test("host: the runtime with overflow checks", &runtime);
        self.single("host: the engine cannot panic and is small enough", engine::run);
        self.single("host: fuzzing for a few seconds", fuzz::briefly);
        self.single("host: no damaged model loads", fuzz::damage);
    }

    fn workspace(&mut self) {
        // The release profile, so that candle is compiled once for tests and demo.
        let all = ["test", "--release", "--workspace", "--exclude", "xtask", "--no-fail-fast"];
        self.cargo_test("host: all tests", &all);
        // In the profile of the program that is running, which is compiled already.
        self.cargo_test("host: the tests of these tasks", &["test", "--package", "xtask", "--no-fail-fast"]);
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

    /// Installs what boards need, and begins to build their firmware.
    fn set_up(&mut self, boards: Vec<Board>) -> Vec<Built> {
        if boards.is_empty() {
            return Vec::new();
        }
        let is_ready =
            self.report.step("QEMU: targets and emulators", || boards.iter().try_for_each(setup::board));
        if is_ready {
            return begin_to_build(boards);
        }
        self.tally.failed += boards.len();
        Vec::new()
    }

    /// All checks on each board that QEMU has; for the others, whether their firmware can be built.
    fn qemu(&mut self, builds: Vec<Built>) {
        if builds.is_empty() {
            return;
        }
        let Some(trainer) = &self.trainer() else { return };
        // The default board once more when all firmware is built: its other checks build themselves.
        let mut default = None;
        for built in builds {
            let (name, board) = (built.board.name.clone(), built.board.clone());
            let Some(qemu) = &board.qemu else {
                self.single(&format!("{name}: the firmware can be built"), || {
                    let elf = built.elf.recv().map_err(|_| anyhow!("building broke off"))??;
                    firmware::image(&board, &elf).map(drop)
                });
                continue;
            };
            // The boards that are only ever emulated have the same drivers, and differ in their cores.
            let is_sibling = name != boards::DEFAULT && qemu.semihosting;
            let mut all = if is_sibling { OTHER_CORES.to_vec() } else { EVERYWHERE.to_vec() };
            if name == leds::BOARD {
                all.extend(leds::CHECKS);
            }
            self.shipped(trainer, built, &all);
            if name == boards::DEFAULT {
                default = Some(board);
            }
        }
        let Some(board) = default else { return };
        let model = trainer.starter_model_file();
        self.checks(trainer, &board, model.clone(), || firmware::build(&board, Some(&model)), &ONCE);
    }

    /// These checks on one board, with its own model.
    fn shipped(&mut self, trainer: &Trainer, built: Built, checks: &[Check]) {
        let Built { board, elf } = built;
        let wait = || elf.recv().map_err(|_| anyhow!("building broke off"))?;
        self.checks(trainer, &board, boards::default_model(&board), wait, checks);
    }

    /// These checks on one board, with a model, in a firmware that `build` returns.
    fn checks(
        &mut self,
        trainer: &Trainer,
        board: &Board,
        model: PathBuf,
        build: impl FnOnce() -> Result<PathBuf>,
        checks: &[Check],
    ) {
        let name = &board.name;
        let file = model.file_name().unwrap_or_default().display().to_string();
        let mut bench = None;
        self.report.step(&format!("{name}: the firmware with {file}"), || {
            let elf = build()?;
            firmware::check_program(board, &elf, &model)?;
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
