//! Requests: a program at the other end of the serial line, which sends frames.

use embedded_io::Write;
use heapless::Vec;
use kilornn_link::frame::{self, FRAME};
use kilornn_link::message::{
    self, Header, Info, LABEL, Message, Predicted, Refusal, Request, Response, SCORES, Score, VERSION,
};

use crate::hardware::{Display, Meter, Serial, Slot};
use crate::loaded::Loaded;
use crate::reason::Reason;
use crate::store::Spare;
use crate::timed::TimedPrediction;
use crate::{Device, Ended};

/// Responds to requests.
pub(crate) struct Requests {
    /// How much of the text has arrived that comes in pieces.
    text: TextProgress,
    /// Room for the frame of a response.
    frame: [u8; FRAME],
}

/// How much of a text has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextProgress {
    /// So many bytes, which the classifier has read.
    Receiving(u32),
    /// All of its bytes, and the classifier still has its prediction.
    Classified(u32),
}

/// What a request leads to.
type Outcome<'r> = Result<Response<'r>, Refusal<'r>>;

impl Requests {
    pub(crate) const fn new() -> Self {
        Self { text: TextProgress::Receiving(0), frame: [0; FRAME] }
    }

    /// Forgets the text that comes in pieces, since the classifier was used for another.
    pub(crate) fn forget_text(&mut self) {
        self.text = TextProgress::Receiving(0);
    }

    /// Sends the response to a message; returns why the application ends, if it does.
    pub(crate) fn respond<S, M, D, F, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        message: &[u8],
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
        spare: &mut Spare<'_, F>,
    ) -> Result<Option<Ended>, S::Error>
    where
        S: Serial,
        M: Meter,
        D: Display,
        F: Slot,
    {
        let Ok((header, body)) = message::header(message) else {
            // A frame with a right checksum, but not of this protocol.
            device.statistics.malformed = device.statistics.malformed.wrapping_add(1);
            return Ok(None);
        };
        device.statistics.frames = device.statistics.frames.wrapping_add(1);
        let mut reason = Reason::new();
        let outcome = match (header.version, message::body(body)) {
            (VERSION, Ok(request)) => self.fulfil(request, device, loaded, spare, &mut reason),
            (VERSION, Err(_)) => Err(Refusal::Unknown),
            _ => Err(Refusal::Version { supported: VERSION }),
        };
        let body = outcome.unwrap_or_else(|refusal| {
            device.statistics.refused = device.statistics.refused.wrapping_add(1);
            Response::Refused(refusal)
        });
        let ended = (body == Response::Restarting).then_some(Ended::Restart);
        let header = Header { version: VERSION, sequence: header.sequence };
        // Every response fits: their strings and lists are bounded.
        if let Ok(frame) = frame::encode(&Message { header, body }, &mut self.frame) {
            device.serial.write_all(frame)?;
        }
        Ok(ended)
    }

    fn fulfil<'r, S, M, D, F, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        request: Request<'_>,
        device: &mut Device<'_, S, M, D>,
        loaded: &'r mut Loaded<'_, M, UNITS, WINDOW>,
        spare: &mut Spare<'_, F>,
        reason: &'r mut Reason,
    ) -> Outcome<'r>
    where
        S: Serial,
        M: Meter,
        D: Display,
        F: Slot,
    {
        match request {
            Request::Info => Ok(Response::Info(Info {
                firmware: env!("CARGO_PKG_VERSION"),
                board: device.name,
                ticks_per_second: M::TICKS_PER_SECOND,
                units: UNITS as u32,
                window: WINDOW as u32,
                room: spare.room(),
                model: loaded.running.as_ref().ok().map(|running| running.about),
            })),
            Request::Label { class } => {
                let model = loaded.running.as_ref().map_err(|_| Refusal::NoModel)?.model;
                let classes = model.classes();
                if class >= classes {
                    return Err(Refusal::Class { classes });
                }
                Ok(Response::Label(cut(model.label(class), LABEL)))
            }
            Request::Text { offset, bytes } => self.text(offset, bytes, loaded),
            Request::Classify { length } => self.classify(length, device, loaded),
            Request::Scores { first } => self.scores(first, loaded),
            Request::Statistics => Ok(Response::Statistics(device.statistics())),
            Request::Update(update) => spare.begin(update).map(|length| Response::Received { length }),
            Request::Piece { offset, bytes } => {
                spare.write(offset, bytes).map(|length| Response::Received { length })
            }
            Request::Commit => {
                spare.commit::<UNITS, WINDOW>(reason).map(|revision| Response::Updated { revision })
            }
            Request::Restart => Ok(Response::Restarting),
        }
    }

    /// Reads a piece of a text.
    fn text<'r, M: Meter, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        offset: u32,
        bytes: &[u8],
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Outcome<'r> {
        let running = loaded.running.as_mut().map_err(|_| Refusal::NoModel)?;
        if offset == 0 {
            running.classifier.reset();
            self.text = TextProgress::Receiving(0);
        }
        let TextProgress::Receiving(received) = self.text else {
            return Err(Refusal::Offset { received: 0 });
        };
        let length = offset.checked_add(bytes.len() as u32).ok_or(Refusal::Offset { received })?;
        if offset == received {
            running.classifier.push(bytes);
            self.text = TextProgress::Receiving(length);
        } else if length != received {
            return Err(Refusal::Offset { received });
        }
        // Otherwise it was sent again, because the response was lost.
        Ok(Response::Received { length })
    }

    /// Ends a text and classifies it.
    fn classify<'r, S: Serial, M: Meter, D: Display, const UNITS: usize, const WINDOW: usize>(
        &mut self,
        length: u32,
        device: &mut Device<'_, S, M, D>,
        loaded: &mut Loaded<'_, M, UNITS, WINDOW>,
    ) -> Outcome<'r> {
        let running = loaded.running.as_mut().map_err(|_| Refusal::NoModel)?;
        let (TextProgress::Receiving(received) | TextProgress::Classified(received)) = self.text;
        if length != received {
            return Err(Refusal::Offset { received });
        }
        if self.text == TextProgress::Receiving(received) {
            let TimedPrediction { prediction, .. } = running.classifier.finish();
            device.classified(prediction.label(), prediction.class());
            self.text = TextProgress::Classified(received);
        }
        let TimedPrediction { prediction, ticks } =
            running.classifier.last().ok_or(Refusal::NotClassified)?;
        Ok(Response::Prediction(Predicted {
            class: prediction.class(),
            score: prediction.score(),
            words: prediction.words(),
            known: prediction.known_words(),
            ticks,
        }))
    }

    /// Returns scores of the text that was classified last.
    fn scores<'r, M: Meter, const UNITS: usize, const WINDOW: usize>(
        &self,
        first: u32,
        loaded: &Loaded<'_, M, UNITS, WINDOW>,
    ) -> Outcome<'r> {
        let running = loaded.running.as_ref().map_err(|_| Refusal::NoModel)?;
        let TextProgress::Classified(_) = self.text else { return Err(Refusal::NotClassified) };
        let TimedPrediction { prediction, .. } = running.classifier.last().ok_or(Refusal::NotClassified)?;
        let classes = running.model.classes();
        if first >= classes {
            return Err(Refusal::Class { classes });
        }
        let has_one_logit = running.model.contents().dense().is_some_and(|dense| dense.outputs == 1);
        let logit = |class: u32| match (has_one_logit, class) {
            (true, 0) => prediction.logits().next().map(i32::wrapping_neg),
            (true, _) => prediction.logits().next(),
            (false, class) => prediction.logits().nth(class as usize),
        };
        let scores: Vec<Score, SCORES> = (first..classes)
            .take(SCORES)
            .filter_map(|class| {
                Some(Score { logit: logit(class)?, probability: prediction.probability(class) })
            })
            .collect();
        Ok(Response::Scores(scores))
    }
}

/// The beginning of a text: whole characters of at most `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
