//! Many texts at once through the firmware in QEMU.
//!
//! The firmware reads the texts from a file of the host and writes its answers to another, through semihosting. The
//! module `batch` of the crate `kilornn-app` describes the format of both.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::boards::Emulation;
use crate::prediction::Counted;
use crate::qemu::{self, Serial};
use crate::shares::shares;

/// What the firmware reports at the end of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The most bytes of stack that were in use at any time, those of the classifier included.
    pub peak_stack: u32,
}

/// Classifies `texts` with the firmware; the predictions are in their order.
///
/// `outputs` is the model's number of logits. The texts are divided among as many QEMUs as there are
/// processors. `progress` is told now and then how many texts are answered.
///
/// # Errors
///
/// If QEMU is missing, if the firmware refuses its model or ends with an error, or after a time-out.
pub fn classify<T: AsRef<[u8]>>(
    emulation: &Emulation,
    elf: &Path,
    outputs: usize,
    texts: &[T],
    mut progress: impl FnMut(u64),
) -> Result<(Vec<Counted>, Summary)> {
    let elf = fs::canonicalize(elf).with_context(|| format!("cannot read the firmware {}", elf.display()))?;
    let mut runs = shares(texts)
        .into_iter()
        .map(|share| Run::start(emulation, &elf, outputs, share))
        .collect::<Result<Vec<_>>>()?;
    while poll(&mut runs)? {
        progress(runs.iter().map(Run::answered).sum());
        thread::sleep(Duration::from_millis(50));
    }
    let mut answers = Vec::with_capacity(texts.len());
    let mut summary = Summary::default();
    for run in &mut runs {
        let (share, Summary { peak_stack }) = run.finish(emulation)?;
        answers.extend(share);
        summary.peak_stack = summary.peak_stack.max(peak_stack);
    }
    progress(answers.len() as u64);
    Ok((answers, summary))
}

/// Checks on all runs; returns whether any of them is still going on.
fn poll(runs: &mut [Run]) -> Result<bool> {
    let mut going_on = false;
    for run in runs {
        going_on |= run.poll()?;
    }
    Ok(going_on)
}

/// Time-out: a run that has written no answer for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Added to the time-out for each byte of the longest text, which has its only answer at the end: ten times what the
/// largest possible model takes.
const PATIENCE_PER_BYTE: Duration = Duration::from_millis(4);

// Files in a run's folder, which is QEMU's working directory: semihosting's command line has no quotes, so
// the names must not depend on where temporary files are.
const TEXTS: &str = "texts";
const ANSWERS: &str = "answers";
const CONSOLE: &str = "console";
const STDERR: &str = "stderr";

/// One QEMU at work. Dropping it ends it.
struct Run {
    emulator: String,
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
    fn start<T: AsRef<[u8]>>(emulation: &Emulation, elf: &Path, outputs: usize, texts: &[T]) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        write_texts(&folder.path().join(TEXTS), texts).context("cannot write the texts for QEMU")?;
        let stderr =
            File::create(folder.path().join(STDERR)).context("cannot write to a temporary folder")?;
        let mut command = command(emulation, elf);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let qemu = qemu::spawn(&mut command)?;
        let longest = texts.iter().map(|text| text.as_ref().len()).max().unwrap_or(0);
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        Ok(Self {
            emulator: emulation.program.clone(),
            folder,
            qemu,
            exit: None,
            texts: texts.len(),
            outputs,
            patience: PATIENCE + PATIENCE_PER_BYTE * longest,
            alive: (0, Instant::now()),
        })
    }

    /// Checks on it; returns whether it is still going on.
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

    fn finish(&mut self, emulation: &Emulation) -> Result<(Vec<Counted>, Summary)> {
        let bytes = fs::read(self.folder.path().join(ANSWERS)).context("the firmware left no answers")?;
        parse(emulation, &bytes, self.outputs, self.texts)
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
fn command(emulation: &Emulation, elf: &Path) -> Command {
    let mut command = qemu::command_with(emulation, elf, Serial::File(CONSOLE), &["batch", TEXTS, ANSWERS]);
    command.arg("-no-reboot");
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
fn parse(
    emulation: &Emulation,
    bytes: &[u8],
    outputs: usize,
    texts: usize,
) -> Result<(Vec<Counted>, Summary)> {
    let ticks_per_second = emulation.ticks_per_second();
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
        Counted {
            class: word(0),
            words: word(1),
            instructions: emulation
                .instructions(u64::from(word(2)) | u64::from(word(3)) << 32, ticks_per_second),
            logits: words[4..].iter().map(|&word| i32::from_le_bytes(word)).collect(),
        }
    });
    Ok((answers.collect(), Summary { peak_stack: u32::from_le_bytes([p0, p1, p2, p3]) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emulation(program: &str) -> Emulation {
        let (program, machine) = (program.to_owned(), "mps2-an386".to_owned());
        Emulation { program, machine, icount: 6, semihosting: true, tick_ns: 40 }
    }

    fn parse(bytes: &[u8], outputs: usize, texts: usize) -> Result<(Vec<Counted>, Summary)> {
        super::parse(&emulation("qemu-system-arm"), bytes, outputs, texts)
    }

    #[test]
    fn answers_are_parsed_to_the_byte() {
        #[rustfmt::skip]
        let bytes = [
            1, 0, 0, 0,  2, 1, 0, 0,  160, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0,  0xFE, 0xFF, 0xFF, 0xFF,
            0, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 1, 0, 0, 0,    0, 0, 0, 0,  0, 0, 0, 0x80,
            b'D', b'O', b'N', b'E',  0x10, 0x02, 0, 0,
        ];
        let (answers, summary) = parse(&bytes, 2, 2).unwrap();
        // 160 ticks of 40 ns are 100 instructions of 64 ns; 2^32 ticks are 2^32 * 5 / 8.
        let first = Counted { class: 1, words: 258, instructions: 100, logits: vec![5, -2] };
        let second = Counted { class: 0, words: 0, instructions: 2_684_354_560, logits: vec![0, i32::MIN] };
        assert_eq!(answers, [first, second]);
        assert_eq!(summary, Summary { peak_stack: 528 });
    }

    #[test]
    fn answers_of_another_length_are_refused() {
        let good = [&[0; 20][..], b"DONE", &[0; 4]].concat();
        assert!(parse(&good, 1, 1).is_ok());
        assert!(parse(&good, 2, 1).is_err());
        assert!(parse(&good, 1, 2).is_err());
        assert!(parse(&good[..27], 1, 1).is_err());
        assert!(parse(b"DONE\0\0\0\0", 1, 0).is_ok());
        assert!(parse(b"", 1, 0).is_err());
    }

    #[test]
    fn texts_are_written_with_their_lengths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts");
        write_texts(&path, &[&b"ab"[..], b"", b"\xFF"]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0\xFF");
    }

    #[test]
    fn a_missing_emulator_is_named_with_its_cure() {
        let elf = std::env::current_exe().unwrap();
        let error =
            classify(&emulation("qemu-system-abacus"), &elf, 1, &["text"], |_| {}).unwrap_err().to_string();
        assert!(error.contains("qemu-system-abacus") && error.contains("cargo xtask setup"), "{error}");
    }
}
