//! The firmware in QEMU: build it around a model, send texts through it, read its answers.
//!
//! Texts and answers travel in files, through semihosting, in the format that
//! `firmware-example/src/app/batch.rs` describes. QEMU counts instructions (`-icount`), so what an answer
//! costs is the same in every run and on every machine.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::error::InputError;

/// A machine that QEMU emulates and the firmware runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// What a person calls it; also the firmware's feature.
    pub name: &'static str,
    /// The QEMU program for its processor.
    pub emulator: &'static str,
    /// QEMU's name for it.
    pub machine: &'static str,
    /// The Rust target of its processor.
    pub target: &'static str,
    /// An instruction takes `1 << icount_shift` nanoseconds of the emulated time.
    pub icount_shift: u32,
    /// A tick of the clock that the firmware reads takes this much of it.
    pub tick_ns: u32,
}

/// Every board that QEMU can stand in for.
pub const BOARDS: &[Board] = &[Board {
    name: "mps2-an386",
    emulator: "qemu-system-arm",
    machine: "mps2-an386",
    target: "thumbv7em-none-eabihf",
    // 1.6 ticks an instruction, and the clock's 24 bits last for 10 million instructions.
    icount_shift: 6,
    tick_ns: 40,
}];

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    ///
    /// If there is none; it says which there are.
    pub fn find(name: &str) -> Result<&'static Self> {
        BOARDS.iter().find(|board| board.name == name).ok_or_else(|| {
            let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
            InputError::new(format!("no board is called {name}; there is {}", names.join(", "))).into()
        })
    }

    /// How many instructions fit into `ticks` of the firmware's clock, rounded.
    #[must_use]
    pub const fn instructions(&self, ticks: u64) -> u64 {
        (ticks * self.tick_ns as u64 + (1 << self.icount_shift >> 1)) >> self.icount_shift
    }
}

/// What the firmware says about one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The number of the most probable class.
    pub class: u32,
    /// Words of the text.
    pub words: u32,
    /// Instructions spent in the classifier, reading the clock twice per kilobyte of text included.
    pub instructions: u64,
    /// The integer logits, one for each output of the model.
    pub logits: Vec<i32>,
}

/// What the firmware says about a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The most bytes of stack that were in use at any time, the classifier's own included.
    pub peak_stack: u32,
}

/// Builds the firmware for `board` with the model in it; returns the ELF file.
///
/// The next build for the same board replaces it.
///
/// # Errors
///
/// If it does not build, with cargo's own words.
pub fn build_firmware(board: &Board, model: &Path, firmware: &Path) -> Result<PathBuf> {
    let model =
        fs::canonicalize(model).with_context(|| format!("cannot read the model {}", model.display()))?;
    let firmware = fs::canonicalize(firmware)
        .with_context(|| format!("the firmware's sources are not in {}", firmware.display()))?;
    let target_dir = firmware.join("target").join(board.name);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(&firmware)
        .args(["build", "--quiet", "--release", "--no-default-features"])
        .args(["--features", board.name, "--target", board.target, "--target-dir"])
        .arg(&target_dir)
        .env("KILORNN_MODEL", &model)
        .stdin(Stdio::null())
        .output()
        .context("cannot start cargo to build the firmware")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let advice = if said.contains("E0463") {
            format!("\nThe target {} is not installed: run `cargo xtask setup`", board.target)
        } else {
            String::new()
        };
        bail!("the firmware for {} does not build:\n{}{advice}", board.name, said.trim_end());
    }
    Ok(target_dir.join(board.target).join("release").join("kilornn-firmware"))
}

/// Sends `texts` through the firmware; returns its answers in their order.
///
/// `outputs` is the model's number of logits. The texts are divided among as many QEMUs as there are
/// processors. `progress` is told now and then how many texts are answered.
///
/// # Errors
///
/// If QEMU is missing, the firmware refuses its model or ends otherwise than it should, or no answer comes
/// for a long time.
pub fn classify<T: AsRef<[u8]>>(
    board: &Board,
    elf: &Path,
    outputs: usize,
    texts: &[T],
    mut progress: impl FnMut(u64),
) -> Result<(Vec<Answer>, Summary)> {
    let elf = fs::canonicalize(elf).with_context(|| format!("cannot read the firmware {}", elf.display()))?;
    let bytes: usize = texts.iter().map(|text| text.as_ref().len()).sum();
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(1 + bytes / BYTES_WORTH_A_QEMU);
    let mut runs = shares(texts, workers)
        .into_iter()
        .map(|share| Run::start(board, &elf, outputs, share))
        .collect::<Result<Vec<_>>>()?;
    while poll(&mut runs)? {
        progress(runs.iter().map(Run::answered).sum());
        thread::sleep(Duration::from_millis(50));
    }
    let mut answers = Vec::with_capacity(texts.len());
    let mut summary = Summary::default();
    for run in &mut runs {
        let (share, Summary { peak_stack }) = run.finish(board)?;
        answers.extend(share);
        summary.peak_stack = summary.peak_stack.max(peak_stack);
    }
    progress(answers.len() as u64);
    Ok((answers, summary))
}

/// Looks after all runs; returns whether any of them is still going on.
fn poll(runs: &mut [Run]) -> Result<bool> {
    let mut going_on = false;
    for run in runs {
        going_on |= run.poll()?;
    }
    Ok(going_on)
}

/// Divides `texts` into at most `workers` runs of neighbours with about as many bytes each.
fn shares<T: AsRef<[u8]>>(mut texts: &[T], workers: usize) -> Vec<&[T]> {
    // A text costs something even if it is empty.
    let weight = |text: &T| text.as_ref().len() + 16;
    let total: usize = texts.iter().map(weight).sum();
    let mut shares = Vec::new();
    for remaining in (1..=workers).rev() {
        let (mut count, mut taken) = (0, 0);
        while count < texts.len() && (remaining == 1 || taken * workers < total) {
            taken += weight(&texts[count]);
            count += 1;
        }
        let (share, rest) = texts.split_at(count);
        texts = rest;
        // No texts at all are one empty share: even then the firmware must run and say that it can.
        if !share.is_empty() || (shares.is_empty() && remaining == 1) {
            shares.push(share);
        }
    }
    shares
}

/// To start one more QEMU takes as long as to run about so much text in one that is there.
const BYTES_WORTH_A_QEMU: usize = 100_000;

/// Without a sign of life for so long, a run is given up ...
const PATIENCE: Duration = Duration::from_secs(60);

/// ... and for each byte of its longest text, which has one answer only at its end, so much more: ten times
/// what the largest possible model takes.
const PATIENCE_PER_BYTE: Duration = Duration::from_millis(4);

// Files in a run's folder, which is QEMU's working directory: semihosting's command line has no quotes, so
// the names must not depend on where temporary files are.
const TEXTS: &str = "texts";
const ANSWERS: &str = "answers";
const CONSOLE: &str = "console";
const STDERR: &str = "stderr";

/// One QEMU at work. Dropping it ends it.
struct Run {
    emulator: &'static str,
    folder: TempDir,
    qemu: Child,
    exit: Option<ExitStatus>,
    texts: usize,
    outputs: usize,
    patience: Duration,
    /// The size of the answers when they last grew, and when that was seen.
    alive: (u64, Instant),
}

impl Run {
    fn start<T: AsRef<[u8]>>(board: &Board, elf: &Path, outputs: usize, texts: &[T]) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        write_texts(&folder.path().join(TEXTS), texts).context("cannot write the texts for QEMU")?;
        let stderr =
            File::create(folder.path().join(STDERR)).context("cannot write to a temporary folder")?;
        let qemu = qemu(board, elf)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn();
        let qemu = match qemu {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("{} is not installed: run `cargo xtask setup`", board.emulator)
            }
            other => other.with_context(|| format!("cannot start {}", board.emulator))?,
        };
        let longest = texts.iter().map(|text| text.as_ref().len()).max().unwrap_or(0);
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        Ok(Self {
            emulator: board.emulator,
            folder,
            qemu,
            exit: None,
            texts: texts.len(),
            outputs,
            patience: PATIENCE + PATIENCE_PER_BYTE * longest,
            alive: (0, Instant::now()),
        })
    }

    /// Sees how far it is; returns whether it is still going on.
    fn poll(&mut self) -> Result<bool> {
        if self.exit.is_some() {
            return Ok(false);
        }
        self.exit = self.qemu.try_wait().with_context(|| format!("lost sight of {}", self.emulator))?;
        if let Some(status) = self.exit
            && !status.success()
        {
            bail!("the firmware ended with an error ({status}):\n{}", self.said());
        }
        let size = fs::metadata(self.folder.path().join(ANSWERS)).map_or(0, |metadata| metadata.len());
        if size != self.alive.0 {
            self.alive = (size, Instant::now());
        }
        if self.exit.is_none() && self.alive.1.elapsed() > self.patience {
            bail!(
                "the firmware gave no answer for {} seconds, after {} of {} texts:\n{}",
                self.patience.as_secs(),
                self.answered(),
                self.texts,
                self.said()
            );
        }
        Ok(self.exit.is_none())
    }

    fn answered(&self) -> u64 {
        (self.alive.0 / record_size(self.outputs) as u64).min(self.texts as u64)
    }

    /// What the firmware and QEMU wrote for a person to read.
    fn said(&self) -> String {
        let mut said = String::new();
        for name in [CONSOLE, STDERR] {
            if let Ok(bytes) = fs::read(self.folder.path().join(name)) {
                said.extend(String::from_utf8_lossy(&bytes).lines().flat_map(|line| ["  ", line, "\n"]));
            }
        }
        if said.trim().is_empty() {
            return "  (it wrote nothing)".into();
        }
        said.truncate(said.trim_end().len());
        said
    }

    fn finish(&mut self, board: &Board) -> Result<(Vec<Answer>, Summary)> {
        let bytes = fs::read(self.folder.path().join(ANSWERS)).context("the firmware left no answers")?;
        parse(board, &bytes, self.outputs, self.texts)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.exit.is_none() {
            // It may have ended meanwhile, which is as well.
            let _ = self.qemu.kill();
            let _ = self.qemu.wait();
        }
    }
}

/// QEMU in batch mode; its working directory must be a run's folder.
fn qemu(board: &Board, elf: &Path) -> Command {
    let mut command = Command::new(board.emulator);
    command
        .args(["-machine", board.machine])
        .args(["-icount", &format!("shift={}", board.icount_shift)])
        .args(["-display", "none", "-monitor", "none", "-no-reboot"])
        .args(["-serial", &format!("file:{CONSOLE}")])
        .arg("-semihosting-config")
        .arg(format!("enable=on,target=native,arg=batch,arg={TEXTS},arg={ANSWERS}"))
        .arg("-kernel")
        .arg(elf);
    command
}

fn write_texts<T: AsRef<[u8]>>(path: &Path, texts: &[T]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for text in texts {
        let text = text.as_ref();
        let length = u32::try_from(text.len()).context("a text has more than 4 GiB")?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(text)?;
    }
    Ok(file.flush()?)
}

/// The bytes of one answer: class, words, ticks and logits.
const fn record_size(outputs: usize) -> usize {
    4 + 4 + 8 + 4 * outputs
}

/// Reads a file of answers, which must hold those of all `texts`.
fn parse(board: &Board, bytes: &[u8], outputs: usize, texts: usize) -> Result<(Vec<Answer>, Summary)> {
    let end = texts * record_size(outputs);
    let trailer = bytes.get(end..).and_then(|trailer| trailer.strip_prefix(b"DONE"));
    let Some(&[p0, p1, p2, p3]) = trailer else {
        bail!(
            "the firmware's answers do not fit {texts} texts and {outputs} outputs ({} bytes instead of {}): was it \
             built with this model?",
            bytes.len(),
            end + 8
        );
    };
    let answers = bytes[..end].chunks_exact(record_size(outputs)).map(|record| {
        let (words, _) = record.as_chunks::<4>();
        let word = |index: usize| u32::from_le_bytes(words[index]);
        Answer {
            class: word(0),
            words: word(1),
            instructions: board.instructions(u64::from(word(2)) | u64::from(word(3)) << 32),
            logits: words[4..].iter().map(|&word| i32::from_le_bytes(word)).collect(),
        }
    });
    Ok((answers.collect(), Summary { peak_stack: u32::from_le_bytes([p0, p1, p2, p3]) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &Board = &BOARDS[0];

    #[test]
    fn answers_are_parsed_to_the_byte() {
        #[rustfmt::skip]
        let bytes = [
            1, 0, 0, 0,  2, 1, 0, 0,  160, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0,  0xFE, 0xFF, 0xFF, 0xFF,
            0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 1, 0, 0, 0,    0, 0, 0, 0,  0, 0, 0, 0x80,
            b'D', b'O', b'N', b'E',  0x10, 0x02, 0, 0,
        ];
        let (answers, summary) = parse(BOARD, &bytes, 2, 2).unwrap();
        // 160 ticks of 40 ns are 100 instructions of 64 ns; 2^32 ticks are 2^32 * 5 / 8.
        let first = Answer { class: 1, words: 258, instructions: 100, logits: vec![5, -2] };
        let second = Answer { class: 0, words: 0, instructions: 2_684_354_560, logits: vec![0, i32::MIN] };
        assert_eq!(answers, [first, second]);
        assert_eq!(summary, Summary { peak_stack: 528 });
    }

    #[test]
    fn answers_of_another_length_are_refused() {
        let good = [&[0; 20][..], b"DONE", &[0; 4]].concat();
        assert!(parse(BOARD, &good, 1, 1).is_ok());
        assert!(parse(BOARD, &good, 2, 1).is_err());
        assert!(parse(BOARD, &good, 1, 2).is_err());
        assert!(parse(BOARD, &good[..27], 1, 1).is_err());
        assert!(parse(BOARD, b"DONE\0\0\0\0", 1, 0).is_ok());
        assert!(parse(BOARD, b"", 1, 0).is_err());
    }

    #[test]
    fn texts_are_written_with_their_lengths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts");
        write_texts(&path, &[&b"ab"[..], b"", b"\xFF"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0\xFF");
    }

    #[test]
    fn shares_keep_the_order_and_are_even() {
        let texts = ["aaaaaaaaaaaaaaaa"; 9];
        let sizes = |texts: &[&str], workers| {
            shares(texts, workers).iter().map(|share| share.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&texts, 2), [5, 4]);
        assert_eq!(sizes(&texts, 3), [3, 3, 3]);
        assert_eq!(sizes(&texts[..1], 3), [1]);
        assert_eq!(sizes(&[], 3), [0]);
        let numbered: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(shares(&numbered, 7).concat(), numbered);
    }

    #[test]
    fn boards_are_found_by_name() {
        assert_eq!(Board::find("mps2-an386").unwrap(), BOARD);
        assert!(Board::find("abacus").unwrap_err().to_string().contains("mps2-an386"));
    }

    #[test]
    fn a_missing_emulator_is_named_with_its_cure() {
        let board = Board { emulator: "qemu-system-abacus", ..*BOARD };
        let elf = env::current_exe().unwrap();
        let error = classify(&board, &elf, 1, &["text"], |_| {}).unwrap_err().to_string();
        assert!(error.contains("qemu-system-abacus") && error.contains("cargo xtask setup"), "{error}");
    }
}
