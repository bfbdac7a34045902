//! A classifier and what its answers cost.

use core::sync::atomic::{Ordering, compiler_fence};

use kilornn::{Classifier, Error, Model, Prediction};

use crate::hardware::Meter;

/// A classifier with a stopwatch that runs only while it works.
///
/// The time includes two readings of the clock for each call, and nothing is subtracted for them. Give it
/// large pieces of text where the cost is to be exact.
pub(crate) struct TimedClassifier<'m, M, const UNITS: usize, const WINDOW: usize> {
    classifier: Classifier<'m, UNITS, WINDOW>,
    meter: &'m M,
    ticks: u64,
    /// The last text was answered: the next piece begins another.
    finished: bool,
}

impl<'m, M: Meter, const UNITS: usize, const WINDOW: usize> TimedClassifier<'m, M, UNITS, WINDOW> {
    pub(crate) fn new(model: &'m Model<'m>, meter: &'m M) -> Result<Self, Error> {
        Ok(Self { classifier: Classifier::new(model)?, meter, ticks: 0, finished: false })
    }

    /// See [`Classifier::push`].
    pub(crate) fn push(&mut self, text: &[u8]) {
        if core::mem::take(&mut self.finished) {
            self.ticks = 0;
        }
        let start = now(self.meter);
        self.classifier.push(text);
        self.ticks += now(self.meter) - start;
    }

    /// See [`Classifier::finish`].
    pub(crate) fn finish(&mut self) -> TimedPrediction<'_> {
        if core::mem::replace(&mut self.finished, true) {
            self.ticks = 0; // nothing was pushed since the last answer: an empty text
        }
        let start = now(self.meter);
        let prediction = self.classifier.finish();
        self.ticks += now(self.meter) - start;
        TimedPrediction { prediction, ticks: self.ticks }
    }

    /// See [`Classifier::last`].
    pub(crate) fn last(&self) -> Option<TimedPrediction<'_>> {
        self.classifier.last().map(|prediction| TimedPrediction { prediction, ticks: self.ticks })
    }

    /// See [`Classifier::reset`].
    pub(crate) fn reset(&mut self) {
        self.classifier.reset();
        (self.ticks, self.finished) = (0, false);
    }
}

/// A prediction and what it took.
pub(crate) struct TimedPrediction<'c> {
    pub(crate) prediction: Prediction<'c>,
    /// Ticks of the clock spent on the text.
    pub(crate) ticks: u64,
}

/// The time, with no work moved across by the compiler.
fn now(meter: &impl Meter) -> u64 {
    compiler_fence(Ordering::SeqCst);
    let ticks = meter.ticks();
    compiler_fence(Ordering::SeqCst);
    ticks
}
