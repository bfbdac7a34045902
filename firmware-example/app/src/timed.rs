//! A classifier with a stopwatch.

use core::sync::atomic::{Ordering, compiler_fence};

use kilornn::{Classifier, Error, Model, Prediction};

use crate::hardware::Meter;

/// A classifier with a stopwatch that runs only while the classifier works.
///
/// The time includes the two readings of the clock in each call. For an exact time, push large pieces of text.
pub(crate) struct TimedClassifier<'m, M, const UNITS: usize, const WINDOW: usize> {
    classifier: Classifier<'m, UNITS, WINDOW>,
    meter: &'m M,
    ticks: u64,
    /// The last text is finished: the next piece begins another.
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
            self.ticks = 0; // nothing was pushed since the last prediction: an empty text
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

/// A prediction and the time that it took.
pub(crate) struct TimedPrediction<'c> {
    pub(crate) prediction: Prediction<'c>,
    /// Ticks of the clock that the classifier took for the text.
    pub(crate) ticks: u64,
}

/// The time. The compiler moves no work across.
fn now(meter: &impl Meter) -> u64 {
    compiler_fence(Ordering::SeqCst);
    let ticks = meter.ticks();
    compiler_fence(Ordering::SeqCst);
    ticks
}
