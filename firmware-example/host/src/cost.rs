//! The time that a device and its line take.

use std::time::{Duration, Instant};

use crate::boards::Emulation;
use crate::client::{Client, Failure, Info};
use crate::line::Line;
use crate::prediction::Measured;

/// The time that a device took for some texts, without the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Words of all texts.
    pub words: u64,
    /// Mean time of a text.
    pub per_text: Duration,
    /// Mean time of a word.
    pub per_word: Duration,
    /// Mean instructions of a word, which only an emulated device tells.
    pub instructions_per_word: Option<f64>,
    /// Words in a second of work.
    pub words_per_second: f64,
}

impl Cost {
    /// Of these predictions of a device.
    #[must_use]
    pub fn of(answers: &[Measured], info: &Info, emulation: Option<&Emulation>) -> Self {
        let words: u64 = answers.iter().map(|answer| u64::from(answer.prediction.words)).sum();
        let ticks: u64 = answers.iter().map(|answer| answer.ticks).sum();
        let time = info.time(ticks);
        let instructions = emulation.map(|emulation| emulation.instructions(ticks, info.ticks_per_second));
        Self {
            words,
            per_text: time.div_f64(answers.len().max(1) as f64),
            per_word: time.div_f64(words.max(1) as f64),
            instructions_per_word: instructions.map(|count| count as f64 / words.max(1) as f64),
            words_per_second: words as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE),
        }
    }
}

/// Requests whose median is the time of a round trip.
const ROUND_TRIPS: usize = 51;

/// Classifying spaces takes the device almost no time: what this text takes is the line.
const SPACES: [u8; 16 << 10] = [b' '; 16 << 10];

/// The median time of the shortest request, there and back.
///
/// # Errors
///
/// If the device does not answer.
pub fn round_trip<L: Line>(client: &mut Client<L>) -> Result<Duration, Failure> {
    let mut times = Vec::with_capacity(ROUND_TRIPS);
    for _ in 0..ROUND_TRIPS {
        let begun = Instant::now();
        client.label(0)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[ROUND_TRIPS / 2])
}

/// Bytes that go to the device in a second, when it has nothing to compute. Each piece of a text waits for its answer.
///
/// # Errors
///
/// If the device does not answer.
pub fn bytes_per_second<L: Line>(client: &mut Client<L>) -> Result<f64, Failure> {
    let before = client.traffic().sent;
    let begun = Instant::now();
    client.classify(&SPACES, 0)?;
    Ok((client.traffic().sent - before) as f64 / begun.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prediction::OwnedPrediction;

    #[test]
    fn costs_are_means() {
        let info = Info {
            firmware: String::new(),
            board: String::new(),
            ticks_per_second: 1000,
            units: 0,
            window: 0,
            room: 0,
            model: None,
        };
        let answer = |words, ticks| Measured {
            prediction: OwnedPrediction { class: 0, score: 1.0, words, known_words: 0, logits: vec![] },
            probabilities: vec![],
            ticks,
        };
        let cost = Cost::of(&[answer(3, 30), answer(1, 10)], &info, None);
        assert_eq!((cost.words, cost.per_text), (4, Duration::from_millis(20)));
        assert_eq!((cost.per_word, cost.instructions_per_word), (Duration::from_millis(10), None));
        assert!((cost.words_per_second - 100.0).abs() < 1e-6);
        assert_eq!(Cost::of(&[], &info, None).words, 0);
    }
}
