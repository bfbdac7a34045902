//! A board in QEMU, as a person at a terminal has it: what is typed, and what the terminal shows. Requests go over the
//! same line.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use kilornn_host::Emulation;
use kilornn_host::client::{Client, Patience};
use kilornn_host::qemu::{self, Qemu, Serial};

use crate::labelled::Labelled;
use crate::process;

/// An answer takes milliseconds, or a second on a busy machine. A board that is silent for this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A terminal at a board in QEMU. Dropping it ends QEMU.
pub(crate) struct Terminal {
    client: Client<Qemu>,
    screen: Screen,
}

/// What the terminal shows.
#[derive(Default)]
struct Screen {
    /// The text since the last thing that was waited for.
    shown: String,
    /// The bytes of a character that has come in part.
    partial: Vec<u8>,
}

impl Terminal {
    /// Starts QEMU and waits for the firmware's prompt.
    pub(crate) fn start(emulation: &Emulation, elf: &Path) -> Result<Self> {
        let mut terminal = Self::launch(emulation, elf)?;
        terminal.wait_for("KiloRNN")?;
        terminal.wait_for("\n> ")?;
        Ok(terminal)
    }

    /// The same, with a way to reset the board and to look into it.
    pub(crate) fn start_with_control(emulation: &Emulation, elf: &Path) -> Result<Self> {
        echo(emulation, elf);
        let mut terminal = Self::new(Qemu::start_with_control(emulation, elf)?);
        terminal.wait_for("\n> ")?;
        Ok(terminal)
    }

    /// Starts QEMU and waits for nothing.
    pub(crate) fn launch(emulation: &Emulation, elf: &Path) -> Result<Self> {
        echo(emulation, elf);
        Ok(Self::new(Qemu::start(emulation, elf)?))
    }

    fn new(qemu: Qemu) -> Self {
        // QEMU's line loses nothing: a request that has to be sent twice is a fault to be found.
        let patience = Patience { answer: PATIENCE, flash: PATIENCE, start: PATIENCE, tries: 1 };
        Self { client: Client::new(qemu, patience), screen: Screen::default() }
    }

    /// Requests over the same line.
    pub(crate) fn client(&mut self) -> &mut Client<Qemu> {
        &mut self.client
    }

    /// Sends bytes as they are, and waits for nothing.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.client.send(bytes)?)
    }

    /// What the terminal shows up to and including `text`, which must come.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(shown) = self.screen.take(text) {
                return Ok(shown);
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            let bytes = self.client.text(wait).with_context(|| format!("{text:?} was expected"))?;
            if bytes.is_empty() && Instant::now() >= deadline {
                let said: String = self.screen.shown.chars().rev().take(500).collect();
                let said: String = said.chars().rev().collect();
                bail!(
                    "{text:?} was expected, but did not come within {} s; the board had said: {said:?}",
                    PATIENCE.as_secs()
                );
            }
            self.screen.show(&bytes);
        }
    }

    /// Types a line and reads the answer, up to the next prompt.
    pub(crate) fn type_line(&mut self, line: &[u8]) -> Result<String> {
        self.send(line)?;
        self.send(b"\r")?;
        // The echo of the line's end, then the answer.
        self.wait_for("\n")?;
        let answer = self.wait_for("> ")?;
        Ok(answer.trim_end_matches("> ").trim_end().to_owned())
    }

    /// Classifies a text by requests; the prediction, and the ticks that it took.
    pub(crate) fn classify(&mut self, text: &[u8]) -> Result<(Labelled, u64)> {
        let model = self.client.info()?.model.context("no model runs")?;
        let measured = self.client.classify(text, model.classes)?;
        let label = self.client.label(measured.prediction.class)?;
        Ok((Labelled { label, prediction: measured.prediction }, measured.ticks))
    }

    /// Resets the board, as its button would. What it has sent and nobody has read is lost. What was sent to it and it
    /// has not read is not: it arrives after the reset.
    pub(crate) fn reset(&mut self) -> Result<()> {
        self.client.line_mut().reset()?;
        self.client.forget();
        self.screen = Screen::default();
        Ok(())
    }

    /// A register of the board, or a word of its memory.
    pub(crate) fn word(&mut self, address: u32) -> Result<u32> {
        self.client.line_mut().word(address)
    }
}

impl Screen {
    /// The text up to and including `text`, if it is there.
    fn take(&mut self, text: &str) -> Option<String> {
        let end = self.shown.find(text)? + text.len();
        let rest = self.shown.split_off(end);
        Some(std::mem::replace(&mut self.shown, rest))
    }

    /// Shows bytes as a terminal does: whole characters, and the cursor's steps back.
    fn show(&mut self, bytes: &[u8]) {
        self.partial.extend(bytes);
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

fn echo(emulation: &Emulation, elf: &Path) {
    println!("    $ {}", process::describe(&qemu::command(emulation, elf, Serial::Pipes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_screen_shows_whole_characters_and_steps_back() {
        let mut screen = Screen::default();
        screen.show("> sch\u{f6}".as_bytes().split_at(6).0);
        assert_eq!(screen.shown, "> sch");
        screen.show("\u{f6}".as_bytes().split_at(1).1);
        screen.show(b"nx\x08 \x08\r\nend> ");
        assert_eq!(screen.take("\n").as_deref(), Some("> sch\u{f6}n\n"));
        assert_eq!((screen.take("more"), screen.take("> ").as_deref()), (None, Some("end> ")));
        assert_eq!(screen.shown, "");
    }
}
