//! Small models made by hand, and a second, naive way to compute what they say.

use kilornn::layers::{Dense, Embedding, SimpleRnn};
use kilornn::text::{Normalization, Vocabulary, WordHash, WordSink};
use kilornn::{Contents, Padding, Sequence, Truncating, Unknown, file};

/// A model that owns its tables. Words are `w0`, `w1`, ...; weights are pseudo-random.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) words: u32,
    pub(crate) units: usize,
    pub(crate) outputs: usize,
    pub(crate) labels: String,
    pub(crate) unknown: Unknown,
    pub(crate) maxlen: u32,
    pub(crate) truncating: Truncating,
    pub(crate) states: Option<(Vec<u8>, u32)>,
    pub(crate) width: Option<usize>,
    pub(crate) input_shift: u8,
    pub(crate) output_shift: u8,
    pilots: Vec<u8>,
    fingerprints: Vec<u8>,
    table: Vec<u8>,
    input_kernel: Vec<u8>,
    bias: Vec<u8>,
    kernel: Vec<u8>,
    dense: Vec<u8>,
    dense_bias: Vec<u8>,
}

/// A cheap sequence of bytes without a pattern that matters.
pub(crate) fn bytes(seed: u32, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 8) as u8
    };
    (0..length).map(|_| next()).collect()
}

impl Tables {
    /// A model of this size whose words all hash to slots of their own: each word is a bucket, and
    /// its pilot is searched for.
    pub(crate) fn new(seed: u32, words: u32, units: usize, outputs: usize, width: Option<usize>) -> Self {
        let mut taken = vec![false; words as usize];
        let mut fingerprints = vec![0; words as usize];
        let buckets = 4 * words.max(1);
        let mut pilots = vec![0u16; buckets as usize];
        for word in 0..words {
            let hash = WordHash::of(9, &format!("w{word}"));
            let bucket = Vocabulary::bucket(hash, buckets) as usize;
            assert_eq!(pilots[bucket], 0, "two of the test's words share a bucket: use other words");
            let (pilot, slot) = (1..=u16::MAX)
                .map(|pilot| (pilot, Vocabulary::position(hash, pilot, words) as usize))
                .find(|&(_, slot)| !taken[slot])
                .expect("a free slot");
            pilots[bucket] = pilot;
            taken[slot] = true;
            fingerprints[slot] = hash as u8;
        }
        let filled = units.next_multiple_of(4);
        let rows = words as usize + 1;
        let small =
            |seed, length| bytes(seed, length).iter().map(|&b| (b as i8 / 8) as u8).collect::<Vec<u8>>();
        Self {
            words,
            units,
            outputs,
            labels: (0..outputs.max(2)).map(|i| format!("class {i}")).collect::<Vec<_>>().join("\n"),
            unknown: Unknown::Row,
            maxlen: 0,
            truncating: Truncating::Pre,
            states: None,
            width,
            input_shift: 1,
            output_shift: 4,
            pilots: pilots.iter().flat_map(|p| p.to_le_bytes()).collect(),
            fingerprints,
            table: bytes(seed, rows * width.unwrap_or(units)),
            input_kernel: small(seed + 1, filled * width.unwrap_or(0)),
            bias: (0..filled as i32).flat_map(|i| (i * 31 - 64).to_le_bytes()).collect(),
            kernel: small(seed + 2, units.next_multiple_of(4) * units),
            dense: bytes(seed + 3, outputs * units),
            dense_bias: (0..outputs as i32).flat_map(|i| (100 * i - 50).to_le_bytes()).collect(),
        }
    }

    /// The same with weights of the whole range of bytes, the extremes above all, and inputs of which about
    /// `closed` in 255 are as low as can be.
    pub(crate) fn wild(mut self, seed: u32, closed: u8) -> Self {
        let extreme = |(choice, weight): (u8, u8)| match choice {
            0..64 => 0x80,
            64..128 => 0x7F,
            _ => weight,
        };
        let length = self.kernel.len();
        self.kernel = bytes(seed + 4, length).into_iter().zip(bytes(seed + 5, length)).map(extreme).collect();
        let choices = bytes(seed + 6, self.table.len());
        for (input, choice) in self.table.iter_mut().zip(choices) {
            if choice < closed {
                *input = 0x80;
            }
        }
        self
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        let rows = self.words as usize + usize::from(self.unknown == Unknown::Row);
        Contents {
            labels: &self.labels,
            normalization: Normalization::KERAS,
            vocabulary: Vocabulary {
                seed: 9,
                slots: self.words,
                pilots: &self.pilots,
                fingerprints: &self.fingerprints,
            },
            unknown: self.unknown,
            sequence: Sequence {
                maxlen: self.maxlen,
                truncating: self.truncating,
                padding: self.states.as_ref().map(|(states, cycle)| Padding { states, cycle: *cycle }),
            },
            embedding: match self.width {
                None => Embedding::Folded { table: &self.table[..rows * self.units] },
                Some(width) => Embedding::Projected {
                    width: width as u32,
                    table: &self.table[..rows * width],
                    kernel: &self.input_kernel,
                    bias: &self.bias,
                },
            },
            rnn: SimpleRnn {
                units: self.units as u32,
                kernel: &self.kernel,
                input_shift: self.input_shift,
                recurrent_shift: 0,
                output_shift: self.output_shift,
            },
            dense: Dense {
                outputs: self.outputs as u32,
                kernel: &self.dense,
                bias: &self.dense_bias,
                scale: 0.001,
            },
        }
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        encode(&self.contents())
    }

    /// The row of a word.
    pub(crate) fn row(&self, word: &str) -> Option<u32> {
        let slot = self.contents().vocabulary.slot(WordHash::of(9, word));
        slot.or((self.unknown == Unknown::Row).then_some(self.words))
    }

    /// One step, straight from the formula, in 64 bits.
    pub(crate) fn step(&self, row: u32, state: &[i64]) -> Vec<i64> {
        let signed = |byte: u8| i64::from(byte as i8);
        let at = |kernel: &[u8], inputs: usize, from: usize, to: usize| {
            signed(kernel[to / 4 * 4 * inputs + 4 * from + to % 4])
        };
        (0..self.units)
            .map(|unit| {
                let row = row as usize;
                let input = match self.width {
                    None => signed(self.table[row * self.units + unit]),
                    Some(width) => {
                        let product =
                            |i| signed(self.table[row * width + i]) * at(&self.input_kernel, width, i, unit);
                        (unit as i64 * 31 - 64) + (0..width).map(product).sum::<i64>()
                    }
                };
                let recurrent: i64 = (0..self.units).map(|k| state[k] * self.recurrent_weight(k, unit)).sum();
                let accumulator = (input << self.input_shift) + recurrent + (1 << self.output_shift >> 1);
                (accumulator >> self.output_shift).clamp(0, 127)
            })
            .collect()
    }

    /// A weight as the file holds it: the even unit's is a byte, the odd one's what is above it.
    fn recurrent_weight(&self, from: usize, to: usize) -> i64 {
        let even = from * self.units.next_multiple_of(4) + to / 2 * 2;
        let both = i64::from(i16::from_le_bytes([self.kernel[even], self.kernel[even + 1]]));
        let lower = i64::from(self.kernel[even] as i8);
        if to.is_multiple_of(2) { lower } else { (both - lower) / 256 }
    }

    /// The logits after a state, straight from the formula.
    pub(crate) fn logits(&self, state: &[i64]) -> Vec<i64> {
        let product = |output: usize, unit: usize| {
            i64::from(self.dense[output * self.units + unit] as i8) * state[unit]
        };
        (0..self.outputs)
            .map(|o| 100 * o as i64 - 50 + (0..self.units).map(|unit| product(o, unit)).sum::<i64>())
            .collect()
    }
}

pub(crate) fn encode(contents: &Contents<'_>) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 20];
    file::encode(contents, &mut buffer).expect("room").to_vec()
}

/// Collects words.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) done: Vec<String>,
    pub(crate) current: String,
}

impl WordSink for Words {
    fn char(&mut self, c: char) {
        self.current.push(c);
    }
    fn end(&mut self) {
        assert!(!self.current.is_empty(), "an empty word");
        self.done.push(std::mem::take(&mut self.current));
    }
}
