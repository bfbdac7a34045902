//! Limits to what a model may take.

use serde::Serialize;

use super::Footprint;

/// The most that a model may take of each resource; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Limits {
    /// Bytes of flash.
    pub flash: Option<usize>,
    /// Bytes of RAM.
    pub ram: Option<usize>,
    /// Instructions of a word.
    pub instructions_per_word: Option<usize>,
    /// Microseconds of a word.
    pub microseconds_per_word: Option<f64>,
}

/// A resource of which a footprint takes too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excess {
    /// Bytes of flash.
    Flash,
    /// Bytes of RAM.
    Ram,
    /// Instructions.
    Instructions,
    /// Time.
    Latency,
}

impl Excess {
    /// Every resource.
    pub const ALL: [Self; 4] = [Self::Flash, Self::Ram, Self::Instructions, Self::Latency];
}

impl Limits {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The limits that a footprint exceeds.
    pub fn exceeded(&self, footprint: &Footprint) -> Vec<Excess> {
        let over = |limit: Option<usize>, value: usize| limit.is_some_and(|limit| value > limit);
        let instructions = footprint.instructions_per_word.unwrap_or(0.0).ceil() as usize;
        let microseconds = footprint.microseconds_per_word.unwrap_or(0.0);
        [
            (Excess::Flash, over(self.flash, footprint.flash())),
            (Excess::Ram, over(self.ram, footprint.ram())),
            (Excess::Instructions, over(self.instructions_per_word, instructions)),
            (Excess::Latency, self.microseconds_per_word.is_some_and(|limit| microseconds > limit)),
        ]
        .into_iter()
        .filter_map(|(excess, over)| over.then_some(excess))
        .collect()
    }

    /// Whether nothing is exceeded.
    pub fn hold(&self, footprint: &Footprint) -> bool {
        self.exceeded(footprint).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_up_to_the_last_byte_and_not_one_more() {
        let footprint = Footprint {
            file: 1000,
            engine: 24,
            classifier: 100,
            stack: 28,
            instructions_per_word: Some(499.5),
            cycles_per_word: Some(800.0),
            microseconds_per_word: Some(50.0),
        };
        let limits = |flash, ram, instructions| Limits {
            flash: Some(flash),
            ram: Some(ram),
            instructions_per_word: Some(instructions),
            microseconds_per_word: None,
        };
        let latency = |most| Limits { microseconds_per_word: Some(most), ..Limits::default() };
        assert!(latency(50.0).hold(&footprint) && !latency(0.0).is_empty());
        assert_eq!(latency(49.9).exceeded(&footprint), [Excess::Latency]);
        assert!(limits(1024, 128, 500).hold(&footprint));
        assert_eq!(limits(1023, 128, 500).exceeded(&footprint), [Excess::Flash]);
        assert_eq!(limits(1024, 127, 499).exceeded(&footprint), [Excess::Ram, Excess::Instructions]);
        assert!(Limits::default().hold(&footprint) && Limits::default().is_empty());
        assert!(!limits(0, 0, 0).is_empty());
    }
}
