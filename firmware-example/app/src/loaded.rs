//! The model that runs, and the classifier around it.

use kilornn::{Error, Model};
use kilornn_link::message::{self, Source};

use crate::hardware::Meter;
use crate::timed::TimedClassifier;

/// The model that runs, or why there is none.
pub(crate) struct Loaded<'m, M, const UNITS: usize, const WINDOW: usize> {
    pub(crate) running: Result<Running<'m, M, UNITS, WINDOW>, Error>,
}

/// The model that runs, and its classifier.
pub(crate) struct Running<'m, M, const UNITS: usize, const WINDOW: usize> {
    pub(crate) model: &'m Model<'m>,
    pub(crate) classifier: TimedClassifier<'m, M, UNITS, WINDOW>,
    /// What the device says of it.
    pub(crate) about: message::RunningModel,
}

impl<'m, M: Meter, const UNITS: usize, const WINDOW: usize> Loaded<'m, M, UNITS, WINDOW> {
    pub(crate) fn new(
        model: &'m Result<Model<'m>, Error>,
        file: &[u8],
        source: Source,
        meter: &'m M,
    ) -> Self {
        let running = match model {
            Ok(model) => TimedClassifier::new(model, meter).map(|classifier| {
                let contents = model.contents();
                let about = message::RunningModel {
                    source,
                    length: file.len() as u32,
                    // The loader has checked that it is right.
                    checksum: file.last_chunk().map_or(0, |sum| u32::from_le_bytes(*sum)),
                    classes: model.classes(),
                    units: contents.units(),
                    slots: contents.text().map_or(0, |text| text.vocabulary.slots),
                    scale: contents.dense().map_or(0.0, |dense| dense.scale),
                };
                Running { model, classifier, about }
            }),
            Err(error) => Err(*error),
        };
        Self { running }
    }

    /// Reads the next piece of a text, if a model runs.
    pub(crate) fn push(&mut self, text: &[u8]) {
        if let Ok(running) = &mut self.running {
            running.classifier.push(text);
        }
    }

    /// Forgets the text.
    pub(crate) fn reset(&mut self) {
        if let Ok(running) = &mut self.running {
            running.classifier.reset();
        }
    }
}
