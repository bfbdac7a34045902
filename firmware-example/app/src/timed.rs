//! A classifier and what its answers cost.

use core::sync::atomic::{Ordering, compiler_fence};

use kilornn::{Classifier, Error, Model, Prediction};

use crate::board::Meter;

/// A classifier with a stopwatch that runs only while it works.
///
/// The time includes two readings of the clock for each call, and nothing is subtracted for them. Give it
/// large pieces of text where the cost is to be exact.
pub(crate) struct Timed<'m, M, const UNITS: usize, const WINDOW: usize> {
    classifier: Classifier<'m, UNITS, WINDOW>,
    meter: &'m M,
    ticks: u64,
}

impl<'m, M: Meter, const UNITS: usize, const WINDOW: usize> Timed<'m, M, UNITS, WINDOW> {
    pub(crate) fn new(model: &'m Model<'m>, meter: &'m M) -> Result<Self, Error> {
        Ok(Self { classifier: Classifier::new(model)?, meter, ticks: 0 })
    }

    pub(crate) fn meter(&self) -> &'m M {
        self.meter
    }

    /// See [`Classifier::push`].
    pub(crate) fn push(&mut self, text: &[u8]) {
        let start = now(self.meter);
        self.classifier.push(text);
        self.ticks += now(self.meter) - start;
    }

    /// See [`Classifier::finish`]; with the prediction, the ticks spent on this text.
    pub(crate) fn finish(&mut self) -> (Prediction<'_>, u64) {
        let start = now(self.meter);
        let prediction = self.classifier.finish();
        let ticks = core::mem::take(&mut self.ticks) + (now(self.meter) - start);
        (prediction, ticks)
    }

    /// See [`Classifier::reset`].
    pub(crate) fn reset(&mut self) {
        self.classifier.reset();
        self.ticks = 0;
    }
}

/// The time, with no work moved across by the compiler.
fn now(meter: &impl Meter) -> u64 {
    compiler_fence(Ordering::SeqCst);
    let ticks = meter.ticks();
    compiler_fence(Ordering::SeqCst);
    ticks
}
