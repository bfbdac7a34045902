//! Several trainings at a time, each on one thread.
//!
//! A single training gains little from a second core, several trainings gain all of it; and a training's result does
//! not depend on the number of its threads.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use rayon::ThreadPoolBuilder;

use super::size::Size;
use super::trial::{self, Trial};
use crate::data::Dataset;
use crate::fit::{Interrupt, Interrupted, Memory};
use crate::progress;
use crate::recipe::Recipe;

/// The time after which no new training begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now on. Without a time, or with one that no clock can hold, it never comes.
    pub(crate) fn after(time: Option<Duration>) -> Self {
        Self(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// Whether it has come.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// A training to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    /// How.
    pub recipe: &'a Recipe,
    /// Of which size.
    pub size: Size,
    /// The seed of all randomness.
    pub seed: u64,
}

/// What all trainings share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Work<'a> {
    /// To do, in this order.
    pub jobs: &'a [Job<'a>],
    /// To train and validate on.
    pub data: &'a Dataset,
    /// What teachers say of them.
    pub memory: &'a Memory,
    /// How many at a time.
    pub at_a_time: usize,
    /// When nothing new is begun any more.
    pub deadline: Deadline,
    /// When everything ends.
    pub interrupt: &'a Interrupt,
}

impl Work<'_> {
    /// Does the jobs. Calls `after_epoch` after each epoch of each training, from several threads, and `finished` with each
    /// trial and the index of its job, one at a time.
    ///
    /// # Errors
    ///
    /// With [`Interrupted`], and with what `finished` fails with.
    pub(super) fn run(
        &self,
        after_epoch: impl Fn() + Sync,
        finished: impl FnMut(usize, Trial) -> Result<()> + Send,
    ) -> Result<()> {
        let next = AtomicUsize::new(0);
        let finished = Mutex::new(finished);
        let worker = || -> Result<()> {
            let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
            while !self.deadline.is_over() {
                self.interrupt.check()?;
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = self.jobs.get(index) else { break };
                let Job { recipe, size, seed } = *job;
                let train =
                    || trial::run(recipe, size, seed, self.data, self.memory, self.interrupt, &after_epoch);
                let trial = pool.install(|| progress::quietly(train))?;
                // Whoever panicked in `finished` left nothing half done: files are replaced whole.
                let mut finished = finished.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                finished(index, trial)?;
            }
            Ok(())
        };
        let ended: Vec<Result<()>> = thread::scope(|scope| {
            let worker = || {
                // One that fails ends the others.
                worker().inspect_err(|_| self.interrupt.interrupt())
            };
            let count = self.at_a_time.clamp(1, self.jobs.len().max(1));
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(worker)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        // What it was that ended the others comes before their ends.
        let (interrupted, failed): (Vec<_>, Vec<_>) =
            ended.into_iter().filter_map(Result::err).partition(|error| error.is::<Interrupted>());
        failed.into_iter().chain(interrupted).next().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_comes() {
        assert!(Deadline::after(Some(Duration::ZERO)).is_over());
        assert!(!Deadline::after(Some(Duration::from_secs(3600))).is_over());
        assert!(!Deadline::after(Some(Duration::MAX)).is_over() && !Deadline::after(None).is_over());
    }
}
