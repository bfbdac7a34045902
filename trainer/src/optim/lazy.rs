//! Lazy (row-sparse) updates: the rows of an embedding that no batch touches wait.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Optimizer, Rows};

/// The step up to which each row of a parameter has been brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Lag {
    step: u32,
    of_row: Vec<u32>,
}

impl Lag {
    /// Of so many rows, before the first step.
    pub(super) fn new(rows: usize) -> Self {
        Self { step: 0, of_row: vec![0; rows] }
    }

    /// Rows.
    pub(super) fn rows(&self) -> usize {
        self.of_row.len()
    }

    /// Begins the next step.
    pub(super) fn advance(&mut self) {
        self.step += 1;
    }

    /// How many steps a row is behind, the present one included; from now on none.
    pub(super) fn take(&mut self, row: u32) -> usize {
        (self.step - std::mem::replace(&mut self.of_row[row as usize], self.step)) as usize
    }
}

/// An optimizer that can make up later for steps in which a row had no gradient.
pub(super) trait Waiting {
    /// What one step is computed with, besides moments and gradients.
    type Step: Copy;

    /// Begins the next step.
    fn begin(&mut self, learning_rate: f32) -> Self::Step;

    /// Takes that step with the values from `first` on, of which these are the gradients.
    fn apply(&mut self, step: Self::Step, values: &mut [f32], first: usize, gradient: &[f32]);

    /// Makes up for the last `missed` steps, at least one, in which these values had no gradient.
    fn make_up(&mut self, values: &mut [f32], here: Range<usize>, missed: usize);

    /// Learns that no row waits.
    fn none_waits(&mut self) {}
}

/// An optimizer with a lazy (row-sparse) update: a row that a batch does not touch waits, and what it missed is made up for
/// before it is read again. So a step costs what its batch touches, and yet every row that is read is, but for rounding,
/// where the dense update would have it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Lazy<O> {
    optimizer: O,
    lag: Lag,
}

impl<O: Waiting> Lazy<O> {
    /// For a parameter of so many rows, with a fresh optimizer for them.
    pub(super) fn new(optimizer: O, rows: usize) -> Self {
        Self { optimizer, lag: Lag::new(rows) }
    }

    /// Makes up for what a row has missed.
    fn bring_up(&mut self, values: &mut [f32], row: u32, missed: usize) {
        if missed > 0 {
            let width = values.len() / self.lag.rows();
            let first = row as usize * width;
            self.optimizer.make_up(values, first..first + width, missed);
        }
    }
}

impl<O: Waiting> Optimizer for Lazy<O> {
    fn update(&mut self, values: &mut [f32], gradient: &[f32], learning_rate: f32) {
        let all: Vec<u32> = (0..self.lag.rows() as u32).collect();
        self.update_rows(values, Rows { ids: &all, gradient, squares: None }, learning_rate);
    }

    fn update_rows(&mut self, values: &mut [f32], rows: Rows<'_>, learning_rate: f32) {
        self.catch_up(values, rows.ids);
        let step = self.optimizer.begin(learning_rate);
        self.lag.advance();
        let width = values.len() / self.lag.rows().max(1);
        for (&row, gradient) in rows.ids.iter().zip(rows.gradient.chunks_exact(width)) {
            self.lag.take(row);
            self.optimizer.apply(step, values, row as usize * width, gradient);
        }
    }

    fn catch_up(&mut self, values: &mut [f32], rows: &[u32]) {
        // All of these first: they lie far apart in memory, and so the processor waits for many of them at once.
        let missed: Vec<usize> = rows.iter().map(|&row| self.lag.take(row)).collect();
        for (&row, missed) in rows.iter().zip(missed) {
            self.bring_up(values, row, missed);
        }
    }

    fn settle(&mut self, values: &mut [f32]) {
        for row in 0..self.lag.rows() as u32 {
            let missed = self.lag.take(row);
            self.bring_up(values, row, missed);
        }
        self.optimizer.none_waits();
    }
}
