//! Many texts through the firmware in QEMU, by the fastest way that the board has.

use std::path::Path;
use std::thread;

use anyhow::{Result, ensure};

use crate::batch;
use crate::boards::Emulation;
use crate::client::{Client, Patience};
use crate::compare;
use crate::prediction::{Counted, Measured};
use crate::qemu::Qemu;
use crate::shares::shares;

/// What came of texts in QEMU.
#[derive(Debug)]
pub struct Emulated {
    /// The predictions, in the order of the texts.
    pub predictions: Vec<Counted>,
    /// The most bytes of stack that were in use.
    pub peak_stack: u32,
}

/// Classifies texts with the firmware in QEMU, which must have the model `file` with so many outputs built in.
///
/// They go through files of the host where the board has semihosting, else over the serial line. Either way they are
/// divided among as many QEMUs as there are processors. `progress` is told now and then how many texts are done.
///
/// # Errors
///
/// If QEMU is missing or the firmware does not answer.
pub fn classify<T: AsRef<[u8]> + Sync>(
    emulation: &Emulation,
    elf: &Path,
    file: &[u8],
    outputs: usize,
    texts: &[T],
    progress: impl Fn(u64) + Sync,
) -> Result<Emulated> {
    if emulation.semihosting {
        let (predictions, summary) = batch::classify(emulation, elf, outputs, texts, &progress)?;
        return Ok(Emulated { predictions, peak_stack: summary.peak_stack });
    }
    over_lines(emulation, elf, file, texts, progress)
}

/// What came over one line.
struct Share {
    answers: Vec<Measured>,
    ticks_per_second: u32,
    peak_stack: u32,
}

fn over_lines<T: AsRef<[u8]> + Sync>(
    emulation: &Emulation,
    elf: &Path,
    file: &[u8],
    texts: &[T],
    progress: impl Fn(u64) + Sync,
) -> Result<Emulated> {
    let done = std::sync::atomic::AtomicU64::new(0);
    let count = || progress(1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let run = |texts: &[T]| -> Result<Share> {
        let mut client = Client::new(Qemu::start(emulation, elf)?, Patience::default());
        let info = client.first_info()?;
        compare::runs(&info, file)?;
        let classes = info.model.map_or(0, |model| model.classes);
        let answers = compare::classify(&mut client, classes, texts, &count)?;
        let peak_stack = client.statistics()?.stack;
        Ok(Share { answers, ticks_per_second: info.ticks_per_second, peak_stack })
    };
    let runs = thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> =
            shares(texts).into_iter().map(|share| scope.spawn(move || run(share))).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(run) => run,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let mut all = Emulated { predictions: Vec::with_capacity(texts.len()), peak_stack: 0 };
    for Share { answers, ticks_per_second, peak_stack } in runs {
        all.predictions.extend(answers.into_iter().map(|Measured { prediction, ticks, .. }| Counted {
            class: prediction.class,
            words: prediction.words,
            logits: prediction.logits,
            instructions: emulation.instructions(ticks, ticks_per_second),
        }));
        all.peak_stack = all.peak_stack.max(peak_stack);
    }
    ensure!(all.predictions.len() == texts.len(), "some texts have no answer");
    Ok(all)
}
