//! A board in QEMU: its serial line, as a person or a program at the other end has it, and its reset.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use kilornn_link::frame::{self, CHUNK, FRAME, Piece, Splitter};
use kilornn_link::message::{self, Header, Message, Request, Response, Statistics, VERSION};
use serde_json::{Value, json};

use crate::boards::Board;
use crate::host::Prediction;
use crate::process;

/// An answer takes milliseconds, or a second on a busy machine. A board that is silent for this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A board in QEMU. Dropping it ends QEMU.
pub(crate) struct Machine {
    qemu: Child,
    to_board: ChildStdin,
    from_board: Receiver<Vec<u8>>,
    /// Tells responses from lines.
    splitter: Splitter,
    /// Messages that have come and were not asked for yet.
    messages: Vec<Vec<u8>>,
    /// What a terminal would show, since the last thing that was waited for.
    shown: String,
    /// Characters that have come in part.
    partial: Vec<u8>,
    sequence: u16,
    control: Option<Control>,
}

/// What the board says about one text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Answer {
    pub(crate) label: String,
    pub(crate) score: f32,
    /// Of all classes; of two with one logit, the first has the other's negative.
    pub(crate) logits: Vec<i32>,
    pub(crate) words: u32,
    pub(crate) ticks: u64,
}

impl Machine {
    /// Starts QEMU and waits for the firmware's first words.
    pub(crate) fn start(board: &Board, elf: &Path) -> Result<Self> {
        let mut machine = Self::launch(board, elf, None)?;
        machine.wait_for("KiloRNN")?;
        machine.wait_for("\n> ")?;
        Ok(machine)
    }

    /// The same, with a way to reset it and to look into it.
    pub(crate) fn start_with_control(board: &Board, elf: &Path) -> Result<Self> {
        // Free now, and most probably still when QEMU wants it.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut machine = Self::launch(board, elf, Some(port))?;
        machine.control = Some(Control::connect(port)?);
        machine.wait_for("\n> ")?;
        Ok(machine)
    }

    /// Starts QEMU and waits for nothing.
    pub(crate) fn launch(board: &Board, elf: &Path, control: Option<u16>) -> Result<Self> {
        let mut command = command(board, elf, Serial::Pipes)?;
        if let Some(port) = control {
            command.args(["-qmp", &format!("tcp:127.0.0.1:{port},server=on,wait=off")]);
        }
        println!("    $ {}", process::describe(&command));
        let mut qemu = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("QEMU could not be started; `cargo xtask setup --all` installs it")?;
        let (Some(to_board), Some(mut output)) = (qemu.stdin.take(), qemu.stdout.take()) else {
            bail!("QEMU has no serial port");
        };
        let (sender, from_board) = channel();
        // A thread, because reading a pipe knows no time limit. It ends with QEMU.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            qemu,
            to_board,
            from_board,
            splitter: Splitter::new(),
            messages: Vec::new(),
            shown: String::new(),
            partial: Vec::new(),
            sequence: 0,
            control: None,
        })
    }

    /// Sends bytes, and waits for nothing.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.to_board
            .write_all(bytes)
            .and_then(|()| self.to_board.flush())
            .context("QEMU has ended: nothing can be sent to the board")
    }

    /// What the terminal shows up to and including `text`, which must come.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(start) = self.shown.find(text) {
                let rest = self.shown.split_off(start + text.len());
                return Ok(std::mem::replace(&mut self.shown, rest));
            }
            self.receive(deadline).with_context(|| format!("{text:?} was expected"))?;
        }
    }

    /// Types a line and reads what is answered, up to the next prompt.
    pub(crate) fn type_line(&mut self, line: &[u8]) -> Result<String> {
        self.send(line)?;
        self.send(b"\r")?;
        // The echo of the line's end, then the answer.
        self.wait_for("\n")?;
        let answer = self.wait_for("> ")?;
        Ok(answer.trim_end_matches("> ").trim_end().to_owned())
    }

    /// Sends a request and reads its response.
    pub(crate) fn request<T>(
        &mut self,
        body: Request<'_>,
        read: impl FnOnce(Response<'_>) -> Result<T>,
    ) -> Result<T> {
        self.sequence = self.sequence.wrapping_add(1);
        let bytes = encode(self.sequence, body)?;
        self.send(&bytes)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            while let Some(bytes) = (!self.messages.is_empty()).then(|| self.messages.remove(0)) {
                let (header, body) = message::header(&bytes)?;
                if header.sequence == self.sequence {
                    return read(message::body(body).context("the response cannot be read")?);
                }
            }
            self.receive(deadline).with_context(|| format!("a response to {body:?} was expected"))?;
        }
    }

    /// Classifies a text.
    pub(crate) fn classify(&mut self, text: &[u8]) -> Result<Answer> {
        let mut offset = 0;
        for bytes in text.chunks(CHUNK) {
            let request = Request::Text { offset, bytes };
            offset += bytes.len() as u32;
            self.request(request, |response| match response {
                Response::Received { length } if length == offset => Ok(()),
                other => bail!("{other:?}"),
            })?;
        }
        if text.is_empty() {
            self.request(Request::Text { offset: 0, bytes: text }, |_| Ok(()))?;
        }
        let prediction = self.request(Request::Classify { length: offset }, |response| match response {
            Response::Prediction(prediction) => Ok(prediction),
            other => bail!("{other:?}"),
        })?;
        let label = self.request(Request::Label { class: prediction.class }, |response| match response {
            Response::Label(label) => Ok(label.to_owned()),
            other => bail!("{other:?}"),
        })?;
        let logits = self.request(Request::Scores { first: 0 }, |response| match response {
            Response::Scores(scores) => Ok(scores.iter().map(|score| score.logit).collect()),
            other => bail!("{other:?}"),
        })?;
        let message::Predicted { score, words, ticks, .. } = prediction;
        Ok(Answer { label, score, logits, words, ticks })
    }

    /// Ticks of the board's clock in a second.
    pub(crate) fn ticks_per_second(&mut self) -> Result<u64> {
        self.request(Request::Info, |response| match response {
            Response::Info(info) => Ok(u64::from(info.ticks_per_second)),
            other => bail!("{other:?}"),
        })
    }

    /// What has happened since the board's start.
    pub(crate) fn statistics(&mut self) -> Result<Statistics> {
        self.request(Request::Statistics, |response| match response {
            Response::Statistics(statistics) => Ok(statistics),
            other => bail!("{other:?}"),
        })
    }

    /// Resets the board, as its button would. What was on the way is lost.
    pub(crate) fn reset(&mut self) -> Result<()> {
        let control = self.control.as_mut().context("started without a way to reset it")?;
        // Stopped, it says nothing more; what it said before must not be taken for what it says afterwards.
        control.execute("stop")?;
        while self.from_board.recv_timeout(Duration::from_millis(20)).is_ok() {}
        control.execute("system_reset")?;
        control.execute("cont")?;
        self.splitter = Splitter::new();
        self.messages.clear();
        self.partial.clear();
        self.shown.clear();
        Ok(())
    }

    /// A register of the board, or a word of its memory.
    pub(crate) fn register(&mut self, address: u32) -> Result<u32> {
        let control = self.control.as_mut().context("started without a way to look into it")?;
        let line = format!("xp /1wx {address:#x}");
        let arguments = json!({ "command-line": line });
        let said = control.command(json!({ "execute": "human-monitor-command", "arguments": arguments }))?;
        // ADDRESS: 0xVALUE
        let value = said.as_str().and_then(|said| said.trim().rsplit_once("0x"));
        let (_, value) = value.with_context(|| format!("{line}: {said}"))?;
        Ok(u32::from_str_radix(value, 16)?)
    }

    fn receive(&mut self, deadline: Instant) -> Result<()> {
        let problem = match self.from_board.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.take(&bytes);
                return Ok(());
            }
            Err(RecvTimeoutError::Timeout) => {
                format!("the board was silent for {} s", PATIENCE.as_secs())
            }
            Err(RecvTimeoutError::Disconnected) => "QEMU ended".to_owned(),
        };
        let said: String = self.shown.chars().rev().take(500).collect();
        let said: String = said.chars().rev().collect();
        bail!("{problem}; it had said: {said:?}");
    }

    fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match self.splitter.push(byte) {
                Piece::Text(byte) => self.partial.push(byte),
                Piece::Message(message) => self.messages.push(message.to_vec()),
                Piece::Inside | Piece::Damaged(_) => {}
            }
        }
        // Whole characters, as a terminal shows them.
        let whole = match std::str::from_utf8(&self.partial) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.partial.len(),
        };
        let whole: Vec<u8> = self.partial.drain(..whole).collect();
        for character in String::from_utf8_lossy(&whole).chars() {
            match character {
                // The cursor goes back; a space and another step back follow, and overwrite.
                '\u{8}' => drop(self.shown.pop()),
                '\r' | '\u{7}' => {}
                other => self.shown.push(other),
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Ended already, or ends now: either way there is nothing more to do about it.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// Where a board's serial line leads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serial {
    /// To QEMU's standard input and output, byte by byte.
    Pipes,
    /// The same, for a person: Ctrl-C reaches the board, and Ctrl-A X ends QEMU.
    Terminal,
}

/// QEMU with a board's firmware.
pub(crate) fn command(board: &Board, elf: &Path, serial: Serial) -> Result<Command> {
    let qemu = board.emulated()?;
    let mut command = Command::new(qemu.emulator()?.program()?);
    command
        .args(["-machine", &qemu.machine, "-display", "none"])
        .args(match serial {
            Serial::Pipes => ["-monitor", "none", "-serial", "stdio"].as_slice(),
            Serial::Terminal => ["-serial", "mon:stdio"].as_slice(),
        })
        .args(["-icount", &format!("shift={}", qemu.icount)]);
    if qemu.semihosting {
        command.args(["-semihosting-config", "enable=on,target=native"]);
    }
    command.arg("-kernel").arg(elf);
    Ok(command)
}

/// A request as it goes over the line.
pub(crate) fn encode(sequence: u16, body: Request<'_>) -> Result<Vec<u8>> {
    let message = Message { header: Header { version: VERSION, sequence }, body };
    let mut buffer = [0; FRAME];
    Ok(frame::encode(&message, &mut buffer).context("the request does not fit a frame")?.to_vec())
}

/// QEMU's control line: its machine protocol, JSON objects in lines.
struct Control(BufReader<TcpStream>);

impl Control {
    fn connect(port: u16) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error).context("QEMU's control line cannot be opened"),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut control = Self(BufReader::new(stream));
        control.execute("qmp_capabilities")?;
        Ok(control)
    }

    /// Executes a command and waits for its end.
    fn execute(&mut self, command: &str) -> Result<()> {
        self.command(json!({ "execute": command })).map(drop)
    }

    /// Executes a command; what it returns.
    fn command(&mut self, command: Value) -> Result<Value> {
        writeln!(self.0.get_mut(), "{command}")?;
        loop {
            let mut line = String::new();
            ensure!(self.0.read_line(&mut line)? > 0, "QEMU closed its control line");
            let mut said: Value = serde_json::from_str(&line)?;
            ensure!(said.get("error").is_none(), "QEMU does not {command}: {line}");
            // Events and the greeting come between.
            if let Some(returned) = said.get_mut("return") {
                return Ok(returned.take());
            }
        }
    }
}

impl Answer {
    /// Where the board's answer is another than the host's; empty if it is the same.
    pub(crate) fn differences(&self, host: &Prediction) -> Vec<String> {
        // The host shows the model's own logits: of two classes with one logit, only the second's.
        let logits = match (&host.logits[..], &self.logits[..]) {
            ([_], [opposite, logit]) if opposite.wrapping_neg() == *logit => vec![*logit],
            _ => self.logits.clone(),
        };
        let mut differences = Vec::new();
        let mut compare = |what: &str, device: String, host: String| {
            if device != host {
                differences.push(format!("{what}: device {device}, host {host}"));
            }
        };
        compare("label", self.label.clone(), host.label.clone());
        compare("score", self.score.to_string(), host.score.to_string());
        compare("logits", format!("{logits:?}"), format!("{:?}", host.logits));
        compare("words", self.words.to_string(), host.words.to_string());
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_named() {
        let answer =
            Answer { label: "very good".into(), score: 0.931_2, logits: vec![-345, 345], words: 7, ticks: 1 };
        let same = Prediction { label: "very good".into(), score: 0.931_2, logits: vec![345], words: 7 };
        assert!(answer.differences(&same).is_empty());
        let many = Answer { logits: vec![-120, 345], ..answer.clone() };
        assert!(many.differences(&Prediction { logits: vec![-120, 345], ..same.clone() }).is_empty());
        assert_eq!(many.differences(&same).len(), 1, "the first logit is not the other's negative");
        let other = Prediction { label: "bad".into(), score: 0.9311, logits: vec![346], words: 8 };
        assert_eq!(answer.differences(&other).len(), 4);
    }
}
