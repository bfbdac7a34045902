//! Named steps that all run, whatever the earlier ones gave, and one table of their results.

use std::time::{Duration, Instant};

use anyhow::Result;

/// What has run so far.
#[derive(Default)]
pub(crate) struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    time: Duration,
    error: Option<String>,
}

impl Report {
    /// Runs one step and keeps its result. Returns whether it passed.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n== {name}");
        let started = Instant::now();
        let error = work().err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            println!("   FAILED: {error}");
        }
        self.steps.push(Step { name: name.to_owned(), time: started.elapsed(), error });
        self.steps.last().is_some_and(|step| step.error.is_none())
    }

    /// How many steps there were and how many of them failed.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.steps.len(), self.steps.iter().filter(|step| step.error.is_some()).count())
    }

    /// One line a step: result, time, name; then what went wrong.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let result = if step.error.is_some() { "FAIL" } else { "ok" };
            text += &format!("  {result:<4} {:>7.1} s  {}\n", step.time.as_secs_f64(), step.name);
            if let Some(error) = &step.error {
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
        assert_eq!(report.counts(), (2, 1));
        let table = report.table();
        assert!(table.contains("FAIL") && table.contains("broken") && table.contains("ok"), "{table}");
    }
}
