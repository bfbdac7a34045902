//! Steps with names, which all run even if earlier ones fail, and one table of their results.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How a step ended, if it did not fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It checked everything.
    Passed,
    /// Something that it needs is missing on this machine. The step has printed what.
    Skipped,
}

/// What has run so far.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
    /// Steps whose names do not contain this are left out.
    only: String,
}

struct Step {
    name: String,
    time: Duration,
    result: Result<Outcome, String>,
}

impl Report {
    /// A report of the steps whose names contain `part`, or of all.
    pub(crate) fn only(part: Option<&str>) -> Self {
        Self { steps: Vec::new(), only: part.unwrap_or_default().to_owned() }
    }

    /// Runs one step and keeps its result. Returns whether it passed.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.check(name, || work().map(|()| Outcome::Passed)) == Some(Outcome::Passed)
    }

    /// Runs one step that may be skipped and keeps its result. Returns how it ended, if it ran and did
    /// not fail.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) -> Option<Outcome> {
        if !name.contains(&self.only) {
            return None;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let result = work().map_err(|error| format!("{error:#}"));
        let outcome = result.as_ref().ok().copied();
        if let Err(error) = &result {
            println!("   FAILED: {error}");
        }
        self.steps.push(Step { name: name.to_owned(), time: started.elapsed(), result });
        outcome
    }

    /// How many steps there were and how many of them failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.steps.len(), self.steps.iter().filter(|step| step.result.is_err()).count())
    }

    /// One line a step: result, time, name; then what went wrong.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let result = match step.result {
                Ok(Outcome::Passed) => "ok",
                Ok(Outcome::Skipped) => "skip",
                Err(_) => "FAIL",
            };
            text += &format!("  {result:<4} {:>7.1} s  {}\n", step.time.as_secs_f64(), step.name);
            if let Err(error) = &step.result {
                text += &format!("                    {error}\n");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_steps_run_after_a_failure() {
        let mut report = Report::default();
        assert!(!report.step("first", || anyhow::bail!("broken")));
        assert!(report.step("second", || Ok(())));
        assert_eq!(report.check("third", || Ok(Outcome::Skipped)), Some(Outcome::Skipped));
        assert_eq!(report.counts(), (3, 1));
        let table = report.table();
        assert!(
            table.contains("FAIL")
                && table.contains("broken")
                && table.contains("ok")
                && table.contains("skip"),
            "{table}"
        );
    }
}
