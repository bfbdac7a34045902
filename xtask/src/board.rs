//! The firmware running in QEMU, spoken to line by line over its serial port.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::host::Prediction;
use crate::process;
use crate::setup::Emulator;

/// An instruction takes 2^6 = 64 ns of the board's time.
const ICOUNT_SHIFT: u32 = 6;
/// SysTick counts at 25 MHz on the mps2 boards.
const TICK_NANOSECONDS: u64 = 40;
/// An answer takes milliseconds, or a second on a busy machine. A board that is silent for this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A board in QEMU. Dropping it ends QEMU.
pub(crate) struct Board {
    qemu: Child,
    to_board: ChildStdin,
    lines: Receiver<String>,
    /// What the board has said since the last answer, for the error message.
    heard: Vec<String>,
}

/// One answer line of the firmware.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) label: String,
    /// With four decimals, as the board prints it.
    pub(crate) score: String,
    pub(crate) logits: Vec<i32>,
    pub(crate) words: u64,
    /// SysTick's count over the prediction.
    pub(crate) ticks: u64,
    /// The deepest stack so far, in bytes.
    pub(crate) stack: u64,
}

impl Board {
    /// Starts QEMU and waits for the firmware's first line.
    pub(crate) fn start(elf: &Path) -> Result<Self> {
        let mut board = Self::launch(elf)?;
        let banner = board.wait_for("KiloRNN")?;
        println!("    board: {banner}");
        Ok(board)
    }

    /// Starts QEMU.
    pub(crate) fn launch(elf: &Path) -> Result<Self> {
        let mut command = Command::new(Emulator::Arm.program()?);
        command
            .args(["-machine", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "stdio"])
            .args(["-semihosting-config", "enable=on,target=native", "-icount"])
            .arg(format!("shift={ICOUNT_SHIFT}"))
            .arg("-kernel")
            .arg(elf);
        println!("    $ {}", process::describe(&command));
        let mut qemu = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("QEMU could not be started; `cargo xtask setup` installs it")?;
        let (Some(to_board), Some(from_board)) = (qemu.stdin.take(), qemu.stdout.take()) else {
            bail!("QEMU has no serial port");
        };
        let (sender, lines) = channel();
        // A thread, because reading a pipe knows no time limit. It ends with QEMU.
        thread::spawn(move || {
            for line in BufReader::new(from_board).split(b'\n') {
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line);
                if sender.send(without_prompts(&line).to_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { qemu, to_board, lines, heard: Vec::new() })
    }

    /// Types a text and a line end, and reads the answer.
    pub(crate) fn ask(&mut self, text: &str) -> Result<Answer> {
        if text.is_empty() || text.contains(['\n', '\r', '\u{4}']) {
            bail!("a text for the board must be one line: {text:?}");
        }
        self.type_in(&format!("{text}\n"))?;
        self.wait_for("label=")?.parse()
    }

    /// Types, and waits for nothing.
    pub(crate) fn type_in(&mut self, text: &str) -> Result<()> {
        self.to_board
            .write_all(text.as_bytes())
            .and_then(|()| self.to_board.flush())
            .context("QEMU has ended: nothing can be typed into the board")
    }

    /// Reads lines until one begins with `start`. A line that reports an error ends the waiting.
    pub(crate) fn wait_for(&mut self, start: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        let problem = loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with(start) => {
                    self.heard.clear();
                    return Ok(line);
                }
                Ok(line) => {
                    let is_error = line.starts_with("error:");
                    self.heard.push(line);
                    if is_error {
                        break "the board reported an error".to_owned();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    break format!("the board was silent for {} s", PATIENCE.as_secs());
                }
                Err(RecvTimeoutError::Disconnected) => break "QEMU ended".to_owned(),
            }
        };
        let heard = if self.heard.is_empty() { "nothing".to_owned() } else { self.heard.join(" / ") };
        bail!("{problem} where a line `{start}...` was expected; the board had said: {heard}");
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // Ended already, or ends now: either way there is nothing more to do about it.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

/// Prompts stand before an answer on the same line, because no line end follows them.
fn without_prompts(line: &str) -> &str {
    let mut line = line.trim_end_matches('\r');
    while let Some(rest) = line.strip_prefix("> ") {
        line = rest;
    }
    line
}

impl std::str::FromStr for Answer {
    type Err = anyhow::Error;

    /// Reads `label=L score=S logits=A,B words=N ticks=N stack=N`. A label may contain spaces.
    fn from_str(line: &str) -> Result<Self> {
        const KEYS: [&str; 6] = ["label=", " score=", " logits=", " words=", " ticks=", " stack="];
        let mut values = [""; 6];
        let mut rest = line.strip_prefix(KEYS[0]).with_context(|| format!("not an answer: {line:?}"))?;
        for (index, key) in KEYS.iter().enumerate().skip(1) {
            let (value, after) = rest
                .split_once(key)
                .with_context(|| format!("the answer has no `{}`: {line:?}", key.trim()))?;
            values[index - 1] = value;
            rest = after;
        }
        values[5] = rest.trim_end();
        let number = |text: &str| -> Result<u64> {
            text.parse().with_context(|| format!("{text:?} is no number in the answer {line:?}"))
        };
        let logits = values[2].split(',').map(str::parse).collect::<Result<_, _>>();
        Ok(Self {
            label: values[0].to_owned(),
            score: values[1].to_owned(),
            logits: logits
                .with_context(|| format!("{:?} are no logits in the answer {line:?}", values[2]))?,
            words: number(values[3])?,
            ticks: number(values[4])?,
            stack: number(values[5])?,
        })
    }
}

impl Answer {
    /// Executed instructions of the prediction, to the tick.
    pub(crate) fn instructions(&self) -> u64 {
        (self.ticks * TICK_NANOSECONDS) >> ICOUNT_SHIFT
    }

    /// Where the board's answer is another than the host's; empty if it is the same.
    pub(crate) fn differences(&self, host: &Prediction) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, device: String, host: String| {
            if device != host {
                differences.push(format!("{what}: device {device}, host {host}"));
            }
        };
        compare("label", self.label.clone(), host.label.clone());
        compare("score", self.score.clone(), four_decimals(host.score));
        compare("logits", format!("{:?}", self.logits), format!("{:?}", host.logits));
        compare("words", self.words.to_string(), host.words.to_string());
        differences
    }
}

/// A score as the firmware prints it, which rounds in `f32`.
fn four_decimals(score: f32) -> String {
    let score = (score * 10_000.0 + 0.5) as u32;
    format!("{}.{:04}", score / 10_000, score % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "label=very good score=0.9312 logits=-120,345 words=7 ticks=1600 stack=512";

    #[test]
    fn an_answer_is_read() {
        let answer: Answer = LINE.parse().unwrap();
        assert_eq!(answer.label, "very good");
        assert_eq!(answer.score, "0.9312");
        assert_eq!(answer.logits, [-120, 345]);
        assert_eq!((answer.words, answer.ticks, answer.stack), (7, 1600, 512));
        assert_eq!(answer.instructions(), 1000);
    }

    #[test]
    fn an_answer_that_is_not_whole_is_an_error() {
        assert!("KiloRNN 0.1".parse::<Answer>().is_err());
        let cut = &LINE[..LINE.len() - 9];
        assert!(cut.parse::<Answer>().unwrap_err().to_string().contains("stack="));
        assert!(LINE.replace("345", "x").parse::<Answer>().is_err());
        assert!(LINE.replace("ticks=1600", "ticks=-1").parse::<Answer>().is_err());
    }

    #[test]
    fn prompts_and_line_ends_are_no_part_of_a_line() {
        assert_eq!(without_prompts("> > label=a\r"), "label=a");
        assert_eq!(without_prompts("KiloRNN > 1"), "KiloRNN > 1");
    }

    #[test]
    fn scores_have_four_decimals() {
        assert_eq!(four_decimals(1.0), "1.0000");
        assert_eq!(four_decimals(0.00449), "0.0045");
        assert_eq!(four_decimals(0.0), "0.0000");
    }

    #[test]
    fn every_difference_is_named() {
        let answer: Answer = LINE.parse().unwrap();
        let same =
            Prediction { label: "very good".into(), score: 0.931_2, logits: vec![-120, 345], words: 7 };
        assert!(answer.differences(&same).is_empty());
        let other = Prediction { label: "bad".into(), score: 0.9311, logits: vec![-120, 346], words: 8 };
        assert_eq!(answer.differences(&other).len(), 4);
    }
}
