//! The client of the protocol: sends a request, waits for its response, and sends it again after a time-out.

mod failure;
mod info;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kilornn_link::frame::{self, CHUNK, FRAME, Piece, Splitter};
use kilornn_link::message::{self, Header, Message, Refusal, Request, Response, Statistics, Update, VERSION};

pub use failure::Failure;
pub use info::{Info, NoRoom};

use crate::line::Line;
use crate::prediction::{Measured, OwnedPrediction};

/// Time-outs, and how often a request is sent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Time-out of a response; then the request is sent again.
    pub answer: Duration,
    /// The same where the device erases or writes flash before it answers.
    pub flash: Duration,
    /// Time-out of the first response after a start, all repetitions included.
    pub start: Duration,
    /// How often a request is sent at most.
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

/// Time-out of the first request to a device that is starting and may not have heard it.
const KNOCKING: Duration = Duration::from_millis(250);

/// How often a text is sent from its beginning, if a line that was typed, or noise that looked like one, interrupts it.
const BEGINNINGS: u32 = 10;

/// The most bytes of text that are kept until somebody reads them.
const HEARD: usize = 4096;

/// The most bytes of it in an error message.
const TOLD: usize = 500;

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
pub struct Client<L = Box<dyn Line>> {
    line: L,
    patience: Patience,
    splitter: Splitter,
    sequence: u16,
    /// The body of the last response.
    body: Vec<u8>,
    /// The end of the text that the device wrote besides frames.
    heard: VecDeque<u8>,
    /// How many bytes at its end nobody has read yet.
    unread: usize,
    traffic: Traffic,
}

impl<L> fmt::Debug for Client<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("traffic", &self.traffic).finish_non_exhaustive()
    }
}

impl<L: Line> Client<L> {
    /// A client that has not sent anything yet.
    #[must_use]
    pub fn new(line: L, patience: Patience) -> Self {
        // Another program may have used the line a moment ago, and its responses may still arrive: start elsewhere.
        let sequence =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_micros() as u16);
        Self {
            line,
            patience,
            splitter: Splitter::new(),
            sequence,
            body: Vec::new(),
            heard: VecDeque::new(),
            unread: 0,
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

    /// The line.
    pub const fn line_mut(&mut self) -> &mut L {
        &mut self.line
    }

    /// Sends bytes as they are, and waits for nothing.
    ///
    /// # Errors
    ///
    /// If the line has ended.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.traffic.sent += bytes.len() as u64;
        self.line.send(bytes).map_err(|error| self.gone(error))
    }

    /// A request as bytes, for [`send`](Self::send). This client will not use its number soon, so it ignores the
    /// response.
    ///
    /// # Errors
    ///
    /// If the request does not fit a frame.
    pub fn encode(&self, request: Request<'_>) -> Result<Vec<u8>, Failure> {
        let mut buffer = [0; FRAME];
        Ok(encode(self.sequence.wrapping_add(0x8000), request, &mut buffer)?.to_vec())
    }

    /// Reads the text that the device writes besides frames, for a person at a terminal. Waits at most this long for
    /// the first byte; empty if none comes. Only the last 4 KiB of text that nobody has read are kept.
    ///
    /// # Errors
    ///
    /// If the line has ended.
    pub fn text(&mut self, wait: Duration) -> Result<Vec<u8>, Failure> {
        if self.unread == 0 {
            self.receive(wait)?;
        }
        let read = self.heard.len() - self.unread;
        self.unread = 0;
        Ok(self.heard.iter().skip(read).copied().collect())
    }

    /// Forgets everything that the device has sent so far, half a frame included. For a device that was reset.
    pub fn forget(&mut self) {
        self.splitter = Splitter::new();
        self.heard.clear();
        self.unread = 0;
    }

    /// What device and model this is.
    ///
    /// # Errors
    ///
    /// As for all requests: if there is no answer, or the device refuses.
    pub fn info(&mut self) -> Result<Info, Failure> {
        self.ask_info(self.patience.answer, self.patience.tries)
    }

    /// The same, for a device that is just starting.
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
    pub fn classify(&mut self, text: &[u8], classes: u32) -> Result<Measured, Failure> {
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

    fn classify_once(&mut self, text: &[u8], classes: u32) -> Result<Measured, Failure> {
        let whole = u32::try_from(text.len()).map_err(|_| Failure::TooLong)?;
        // An empty text needs one message, too.
        let first = &text[..text.len().min(CHUNK)];
        let mut offset = 0;
        for piece in std::iter::once(first).chain(text[first.len()..].chunks(CHUNK)) {
            self.received(Request::Text { offset, bytes: piece }, self.patience.answer, piece.len())?;
            offset += piece.len() as u32;
        }
        let predicted = self.request(Request::Classify { length: whole }, |response| match response {
            Response::Prediction(predicted) => Some(predicted),
            _ => None,
        })?;
        let (mut logits, mut probabilities) = (Vec::new(), Vec::new());
        while (logits.len() as u32) < classes {
            let more =
                self.request(Request::Scores { first: logits.len() as u32 }, |response| match response {
                    Response::Scores(scores) if !scores.is_empty() => Some(scores),
                    _ => None,
                })?;
            logits.extend(more.iter().map(|score| score.logit));
            probabilities.extend(more.iter().map(|score| score.probability));
        }
        let prediction = OwnedPrediction {
            class: predicted.class,
            score: predicted.score,
            words: predicted.words,
            known_words: predicted.known,
            logits,
        };
        Ok(Measured { prediction, probabilities, ticks: predicted.ticks })
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

    /// Sends a model, which runs from the next start on, and returns its revision. `progress` gets the number of bytes
    /// that were sent. If it returns an error, the update ends and the device goes on with the model that it has.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info), and the error of `progress`.
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

    /// Restarts the device, waits until it answers, and returns what it then is.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn restart(&mut self) -> Result<Info, Failure> {
        let restarting = |response: Response<'_>| matches!(response, Response::Restarting).then_some(());
        match self.request(Request::Restart, restarting) {
            // If the board itself is the USB device, the port goes away with it.
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

    /// Sends a piece of `length` bytes. The response must say how many bytes the device has received by then.
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

    /// Sends any request. `read` takes the response apart; it returns `None` for a response to another kind of request.
    ///
    /// # Errors
    ///
    /// As [`info`](Self::info).
    pub fn request<T>(
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
        // In front, the zero that ends what may have gone before: see `kilornn_link`.
        let mut buffer = [0; 1 + FRAME];
        let length = encode(self.sequence, request, &mut buffer[1..])?.len();
        // Request and response also take time on the line.
        let bits = 10 * (length + FRAME) as u32;
        let wait = wait
            + self.line.baud().map_or(Duration::ZERO, |baud| Duration::from_secs(1) * bits / baud.max(1));
        let begun = Instant::now();
        let version = 'answered: {
            for attempt in 0..tries {
                let repeats = attempt > 0;
                let bytes = &buffer[usize::from(!repeats)..=length];
                self.traffic.repeated += u64::from(repeats);
                self.send(bytes)?;
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
        loop {
            let (count, found) = self.receive(deadline.saturating_duration_since(Instant::now()))?;
            if found.is_some() || (count == 0 && Instant::now() >= deadline) {
                return Ok(found);
            }
        }
    }

    /// Takes what arrives within this time: the number of bytes, and the version of the response with the current number
    /// if that is among them.
    fn receive(&mut self, wait: Duration) -> Result<(usize, Option<u8>), Failure> {
        let mut buffer = [0; 4096];
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
                    self.unread = (self.unread + 1).min(HEARD);
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
        Ok((count, found))
    }

    fn gone(&self, error: io::Error) -> Failure {
        Failure::Gone { error, advice: self.advice() }
    }

    /// Advice for an error message about a line that does not work.
    fn advice(&self) -> String {
        let skipped = self.heard.len().saturating_sub(TOLD);
        let heard: Vec<u8> = self.heard.iter().skip(skipped).copied().collect();
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

/// A request with its number, as it goes over the line.
fn encode<'b>(sequence: u16, request: Request<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let message = Message { header: Header { version: VERSION, sequence }, body: request };
    frame::encode(&message, buffer).map_err(|_| Failure::Unexpected)
}

/// A refusal that does not borrow from the message, hence without the reason of [`Refusal::Model`].
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A device that has said all that it will say, in pieces.
    struct Recorded(VecDeque<Vec<u8>>, Vec<u8>);

    impl Line for Recorded {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.1.extend(bytes);
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], _: Duration) -> io::Result<usize> {
            let Some(bytes) = self.0.pop_front() else { return Ok(0) };
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }

        fn advice(&self) -> String {
            "it is recorded".into()
        }
    }

    fn client(said: &[&[u8]]) -> Client<Recorded> {
        let said = said.iter().map(|bytes| bytes.to_vec()).collect();
        let patience = Patience { answer: Duration::ZERO, tries: 1, ..Patience::default() };
        Client::new(Recorded(said, Vec::new()), patience)
    }

    #[test]
    fn text_is_read_once_and_frames_are_no_text() {
        let frame = client(&[]).encode(Request::Info).unwrap();
        let mut client = client(&[b"Kilo", b"RNN\n> ", &[&b"a"[..], &frame, b"b"].concat(), b"c"]);
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"Kilo");
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"RNN\n> ");
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"ab");
        // What comes while a response is awaited is not lost, and is part of the error message.
        let silent = client.info().unwrap_err().to_string();
        assert!(silent.contains("KiloRNN / > abc") && silent.ends_with("it is recorded"), "{silent}");
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"c");
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"");
    }

    #[test]
    fn a_reset_ends_half_a_frame() {
        let frame = client(&[]).encode(Request::Info).unwrap();
        let half = &frame[..frame.len() - 2];
        let mut client = client(&[&[b"x", half].concat(), b"new"]);
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"x");
        client.forget();
        assert_eq!(client.text(Duration::ZERO).unwrap(), b"new");
    }

    #[test]
    fn bytes_are_sent_as_they_are_and_counted() {
        let mut client = client(&[]);
        client.send(b"typed\r").unwrap();
        assert_eq!(client.line_mut().1, b"typed\r");
        assert_eq!(client.traffic().sent, 6);
        // A request of one's own has another number than the client's next one.
        let first = client.encode(Request::Info).unwrap();
        assert!(client.info().is_err());
        assert!(!client.line_mut().1.ends_with(&first));
    }

    #[test]
    fn a_model_without_room_is_told_by_how_much() {
        let said = NoRoom::Bytes { model: 64_569, device: 20_472 }.to_string();
        assert_eq!(said, "the model has 64,569 bytes, and the device has room for 20,472");
        assert!(NoRoom::ReadOnly.to_string().contains("KILORNN_MODEL"));
    }
}
