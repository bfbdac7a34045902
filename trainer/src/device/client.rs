//! The host's side of the protocol: asks, waits, asks again.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kilornn_link::frame::{self, CHUNK, FRAME, Piece, Splitter};
use kilornn_link::message::{
    self, Header, Message, Predicted, Refusal, Request, Response, RunningModel, Score, Statistics, Update,
    VERSION,
};

use super::line::Line;

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For an answer, before the request is sent again.
    pub answer: Duration,
    /// For an answer that erases or writes flash first.
    pub flash: Duration,
    /// For the first answer after a start, in all.
    pub start: Duration,
    /// How often a request is sent.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(2),
            flash: Duration::from_secs(20),
            start: Duration::from_secs(30),
            tries: 5,
        }
    }
}

/// A device that starts may not hear the first request: after so long it is sent again.
const KNOCKING: Duration = Duration::from_millis(250);

/// How often a text is begun again that something else came between: a line that was typed, or noise that looked so.
const BEGINNINGS: u32 = 10;

/// The most of what the device wrote besides frames that is kept for an error message.
const HEARD: usize = 500;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The line ended.
    Gone {
        /// How that showed.
        error: io::Error,
        /// What to check, and what was heard.
        advice: String,
    },
    /// There was none.
    Silent {
        /// How often the request was sent.
        tries: u32,
        /// How long all this took.
        waited: Duration,
        /// What to check, and what was heard.
        advice: String,
    },
    /// The device refuses.
    Refused {
        /// Why, without the reason why a model is of no use.
        refusal: Refusal<'static>,
        /// That reason, or nothing.
        reason: String,
    },
    /// Device and host speak different versions.
    Version {
        /// The device's.
        device: u8,
    },
    /// The answer is none to what was asked.
    Unexpected,
    /// A text or a model is longer than a number can say.
    TooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone { error, advice } => write!(f, "the line to the device has ended ({error}); {advice}"),
            Self::Silent { tries, waited, advice } => {
                let seconds = waited.as_secs_f64();
                write!(f, "no answer: a request was sent {tries} times in {seconds:.0} s; {advice}")
            }
            Self::Refused { refusal, reason } => {
                f.write_str("the device refuses: ")?;
                match refusal {
                    Refusal::Version { supported } => {
                        write!(f, "it speaks version {supported} of the protocol, and this program {VERSION}")
                    }
                    Refusal::Unknown => f.write_str("it does not know this request (is its firmware older?)"),
                    Refusal::Offset { received } => {
                        write!(f, "it has received {received} bytes, and these do not follow")
                    }
                    Refusal::Class { classes } => write!(f, "its model has {classes} classes"),
                    Refusal::NotClassified => f.write_str("no text has been classified"),
                    Refusal::NoModel => f.write_str("it has no model to classify with (`update` sends one)"),
                    Refusal::ReadOnly => f.write_str("on this board no model can be sent"),
                    Refusal::TooLong { room } => {
                        write!(f, "the model is longer than its room of {room} bytes")
                    }
                    Refusal::Stale { newest } => {
                        write!(f, "the revision must be higher than the newest in its flash, {newest}")
                    }
                    Refusal::NoUpdate => {
                        f.write_str("no update has begun (has it started anew meanwhile? Then try again)")
                    }
                    Refusal::Checksum { .. } => {
                        f.write_str("what it has received is not the model that was announced")
                    }
                    Refusal::Model(_) => write!(f, "the model is of no use to it: {reason}"),
                    Refusal::Flash => f.write_str("its flash does not take the model"),
                }
            }
            Self::Version { device } => write!(
                f,
                "the device speaks version {device} of the protocol, this program version {VERSION}: use a firmware \
                 and a `kilornn` of the same age"
            ),
            Self::Unexpected => f.write_str("the device's answer is none to what it was asked"),
            Self::TooLong => f.write_str("more than 4 GiB cannot be sent"),
        }
    }
}

impl std::error::Error for Failure {}

/// What device and model this is: see [`message::Info`].
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// The firmware's version.
    pub firmware: String,
    /// The board's name.
    pub board: String,
    /// Ticks of its clock in a second.
    pub ticks_per_second: u32,
    /// Room for hidden units.
    pub units: u32,
    /// Room for remembered words.
    pub window: u32,
    /// Room for a model that is sent.
    pub room: u32,
    /// The model that runs.
    pub model: Option<RunningModel>,
}

impl Info {
    /// So many ticks of its clock.
    #[must_use]
    pub fn time(&self, ticks: u64) -> Duration {
        Duration::from_secs_f64(ticks as f64 / f64::from(self.ticks_per_second.max(1)))
    }
}

/// What the device says about a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The class, and what it took.
    pub prediction: Predicted,
    /// Logits and probabilities of all classes.
    pub scores: Vec<Score>,
}

/// Bytes on the line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// To the device.
    pub sent: u64,
    /// From the device.
    pub received: u64,
    /// Requests that were sent once more.
    pub repeated: u64,
}

/// A device at the other end of a line.
pub struct Client {
    line: Box<dyn Line>,
    patience: Patience,
    splitter: Splitter,
    sequence: u16,
    /// The body of the last response.
    body: Vec<u8>,
    /// The end of what the device wrote besides frames.
    heard: VecDeque<u8>,
    traffic: Traffic,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that has not spoken yet.
    #[must_use]
    pub fn new(line: impl Line + 'static, patience: Patience) -> Self {
        // Not where another program began a moment ago: its answers may still be on their way.
        let sequence =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_micros() as u16);
        Self {
            line: Box::new(line),
            patience,
            splitter: Splitter::new(),
            sequence,
            body: Vec::new(),
            heard: VecDeque::new(),
            traffic: Traffic::default(),
        }
    }

    /// Bytes on the line so far.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Bits a second, where the line has a speed.
    #[must_use]
    pub fn baud(&self) -> Option<u32> {
        self.line.baud()
    }

    /// What device and model this is.
    ///
    /// # Errors
    ///
    /// As for all requests: if there is no answer, or the device refuses.
    pub fn info(&mut self) -> Result<Info, Failure> {
        self.ask_info(self.patience.answer, self.patience.tries)
    }

    /// The same of a device that is just starting.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn first_info(&mut self) -> Result<Info, Failure> {
        let wait = KNOCKING.min(self.patience.answer);
        let tries = self.patience.start.as_millis() / wait.as_millis().max(1);
        self.ask_info(wait, u32::try_from(tries).unwrap_or(u32::MAX).max(1))
    }

    fn ask_info(&mut self, wait: Duration, tries: u32) -> Result<Info, Failure> {
        self.ask(Request::Info, wait, tries, |response| match response {
            Response::Info(info) => Some(Info {
                firmware: info.firmware.to_owned(),
                board: info.board.to_owned(),
                ticks_per_second: info.ticks_per_second,
                units: info.units,
                window: info.window,
                room: info.room,
                model: info.model,
            }),
            _ => None,
        })
    }

    /// The name of a class.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn label(&mut self, class: u32) -> Result<String, Failure> {
        self.request(Request::Label { class }, |response| match response {
            Response::Label(label) => Some(label.to_owned()),
            _ => None,
        })
    }

    /// The names of all classes of the model that runs, if one does.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn labels(&mut self, info: &Info) -> Result<Vec<String>, Failure> {
        (0..info.model.map_or(0, |model| model.classes)).map(|class| self.label(class)).collect()
    }

    /// Classifies a text, and asks for the scores of so many classes.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn classify(&mut self, text: &[u8], classes: u32) -> Result<Answer, Failure> {
        let mut beginnings = 1;
        loop {
            match self.classify_once(text, classes) {
                Err(Failure::Refused {
                    refusal: Refusal::Offset { .. } | Refusal::NotClassified, ..
                }) if beginnings < BEGINNINGS => {
                    beginnings += 1;
                }
                other => return other,
            }
        }
    }

    fn classify_once(&mut self, text: &[u8], classes: u32) -> Result<Answer, Failure> {
        let whole = u32::try_from(text.len()).map_err(|_| Failure::TooLong)?;
        // An empty text must be begun, too.
        let first = &text[..text.len().min(CHUNK)];
        let mut offset = 0;
        for piece in std::iter::once(first).chain(text[first.len()..].chunks(CHUNK)) {
            self.received(Request::Text { offset, bytes: piece }, self.patience.answer, piece.len())?;
            offset += piece.len() as u32;
        }
        let prediction = self.request(Request::Classify { length: whole }, |response| match response {
            Response::Prediction(prediction) => Some(prediction),
            _ => None,
        })?;
        let mut scores = Vec::new();
        while (scores.len() as u32) < classes {
            let more =
                self.request(Request::Scores { first: scores.len() as u32 }, |response| match response {
                    Response::Scores(scores) if !scores.is_empty() => Some(scores),
                    _ => None,
                })?;
            scores.extend(more);
        }
        Ok(Answer { prediction, scores })
    }

    /// What has happened since the start.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn statistics(&mut self) -> Result<Statistics, Failure> {
        self.request(Request::Statistics, |response| match response {
            Response::Statistics(statistics) => Some(statistics),
            _ => None,
        })
    }

    /// Sends a model, which runs from the next start on; its revision. `progress` is told how many bytes are there, and
    /// may end it: then the device goes on with the model that it has.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info), and what `progress` says.
    pub fn update<E: From<Failure>>(
        &mut self,
        file: &[u8],
        revision: Option<u32>,
        mut progress: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<u32, E> {
        let length = u32::try_from(file.len()).map_err(|_| Failure::TooLong)?;
        let update = Update { length, checksum: message::checksum(file), revision };
        self.received(Request::Update(update), self.patience.flash, 0)?;
        let mut offset = 0;
        for bytes in file.chunks(CHUNK) {
            progress(offset as usize)?;
            self.received(Request::Piece { offset, bytes }, self.patience.answer, bytes.len())?;
            offset += bytes.len() as u32;
        }
        progress(file.len())?;
        let revision =
            self.ask(Request::Commit, self.patience.flash, self.patience.tries, |response| match response {
                Response::Updated { revision } => Some(revision),
                _ => None,
            })?;
        Ok(revision)
    }

    /// Starts the device anew, waits until it answers, and says what it then is.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn restart(&mut self) -> Result<Info, Failure> {
        let restarting = |response: Response<'_>| matches!(response, Response::Restarting).then_some(());
        match self.request(Request::Restart, restarting) {
            // A board whose USB is its own takes the port with it.
            Ok(()) | Err(Failure::Gone { .. }) => {}
            Err(failure) => return Err(failure),
        }
        let deadline = Instant::now() + self.patience.start;
        loop {
            match self.first_info() {
                Err(Failure::Gone { .. }) if Instant::now() < deadline => match self.line.reopen() {
                    Err(error) if error.kind() == io::ErrorKind::Unsupported => return Err(self.gone(error)),
                    // Even a port that is there again may need a moment; as long as it is not, the next request fails.
                    Ok(()) | Err(_) => std::thread::sleep(KNOCKING.min(self.patience.answer)),
                },
                other => return other,
            }
        }
    }

    /// A request that is answered by the number of bytes so far: those before a piece, and the piece.
    fn received(&mut self, request: Request<'_>, wait: Duration, length: usize) -> Result<(), Failure> {
        let before = match request {
            Request::Text { offset, .. } | Request::Piece { offset, .. } => offset,
            _ => 0,
        };
        self.ask(request, wait, self.patience.tries, |response| match response {
            Response::Received { length: found } => {
                (u64::from(found) == u64::from(before) + length as u64).then_some(())
            }
            _ => None,
        })
    }

    fn request<T>(
        &mut self,
        request: Request<'_>,
        read: impl FnOnce(Response<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        self.ask(request, self.patience.answer, self.patience.tries, read)
    }

    /// Sends a request until it is answered, and reads the answer.
    fn ask<T>(
        &mut self,
        request: Request<'_>,
        wait: Duration,
        tries: u32,
        read: impl FnOnce(Response<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = Message { header: Header { version: VERSION, sequence: self.sequence }, body: request };
        // In front, the zero that ends what may have gone before: see `kilornn_link`.
        let mut buffer = [0; 1 + FRAME];
        let length = frame::encode(&message, &mut buffer[1..]).map_err(|_| Failure::Unexpected)?.len();
        // The time that request and response take on the line comes on top.
        let bits = 10 * (length + FRAME) as u32;
        let wait = wait
            + self.line.baud().map_or(Duration::ZERO, |baud| Duration::from_secs(1) * bits / baud.max(1));
        let begun = Instant::now();
        let version = 'answered: {
            for attempt in 0..tries {
                let repeats = attempt > 0;
                let bytes = &buffer[usize::from(!repeats)..=length];
                self.traffic.repeated += u64::from(repeats);
                self.traffic.sent += bytes.len() as u64;
                self.line.send(bytes).map_err(|error| self.gone(error))?;
                let deadline = Instant::now() + wait;
                if let Some(version) = self.listen(deadline)? {
                    break 'answered version;
                }
            }
            return Err(Failure::Silent { tries, waited: begun.elapsed(), advice: self.advice() });
        };
        if version != VERSION {
            return Err(Failure::Version { device: version });
        }
        match message::body(&self.body).map_err(|_| Failure::Unexpected)? {
            Response::Refused(Refusal::Model(reason)) => {
                Err(Failure::Refused { refusal: Refusal::Model(""), reason: reason.to_owned() })
            }
            Response::Refused(refusal) => {
                Err(Failure::Refused { refusal: without_reason(refusal), reason: String::new() })
            }
            response => read(response).ok_or(Failure::Unexpected),
        }
    }

    /// Waits for the response with the current number; its version, and its body in `self.body`.
    fn listen(&mut self, deadline: Instant) -> Result<Option<u8>, Failure> {
        let mut buffer = [0; 4096];
        loop {
            let wait = deadline.saturating_duration_since(Instant::now());
            let count = self.line.receive(&mut buffer, wait).map_err(|error| self.gone(error))?;
            self.traffic.received += count as u64;
            let mut found = None;
            for &byte in &buffer[..count] {
                match self.splitter.push(byte) {
                    Piece::Text(byte) => {
                        if self.heard.len() == HEARD {
                            self.heard.pop_front();
                        }
                        self.heard.push_back(byte);
                    }
                    Piece::Message(message) => {
                        if let Ok((header, body)) = message::header(message)
                            && header.sequence == self.sequence
                        {
                            self.body.clear();
                            self.body.extend(body);
                            found = Some(header.version);
                        }
                    }
                    // The request is sent again.
                    Piece::Inside | Piece::Damaged(_) => {}
                }
            }
            if found.is_some() || (count == 0 && Instant::now() >= deadline) {
                return Ok(found);
            }
        }
    }

    fn gone(&self, error: io::Error) -> Failure {
        Failure::Gone { error, advice: self.advice() }
    }

    /// What a person should know of a line that does not work.
    fn advice(&self) -> String {
        let heard: Vec<u8> = self.heard.iter().copied().collect();
        let heard = String::from_utf8_lossy(&heard);
        let lines = heard.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        let heard = match lines.len() {
            0 => "nothing came from it".to_owned(),
            count => {
                let last = lines[count.saturating_sub(5)..].join(" / ");
                format!("besides frames, the last that came from it is: {}", last.escape_debug())
            }
        };
        format!("{heard}; {}", self.line.advice())
    }
}

/// All but the reason why a model is of no use, which lies in the message.
const fn without_reason(refusal: Refusal<'_>) -> Refusal<'static> {
    match refusal {
        Refusal::Version { supported } => Refusal::Version { supported },
        Refusal::Unknown => Refusal::Unknown,
        Refusal::Offset { received } => Refusal::Offset { received },
        Refusal::Class { classes } => Refusal::Class { classes },
        Refusal::NotClassified => Refusal::NotClassified,
        Refusal::NoModel => Refusal::NoModel,
        Refusal::ReadOnly => Refusal::ReadOnly,
        Refusal::TooLong { room } => Refusal::TooLong { room },
        Refusal::Stale { newest } => Refusal::Stale { newest },
        Refusal::NoUpdate => Refusal::NoUpdate,
        Refusal::Checksum { found } => Refusal::Checksum { found },
        Refusal::Model(_) => Refusal::Model(""),
        Refusal::Flash => Refusal::Flash,
    }
}
