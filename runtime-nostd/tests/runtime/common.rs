//! Small models made by hand, and a second, naive way to compute what they say.

use kilornn::layers::{Activation, Dense, Embedding, Order, SimpleRnn, Table};
use kilornn::text::{Lowercase, Normalization, Unit, Vocabulary, WordHash, WordSink};
use kilornn::{Contents, Head, Input, PadStates, Padding, Sequence, Text, Truncating, Unknown, file};

/// A model that owns its tables. Words are `w0`, `w1`, ...; with pairs, every third is the pair of the two before it
/// instead. Weights are random.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) words: u32,
    /// Hidden units of the network; the file has as many as fill whole blocks, the last ones without weights.
    pub(crate) units: usize,
    pub(crate) outputs: usize,
    pub(crate) labels: String,
    unit: Unit,
    pub(crate) unknown: Unknown,
    pub(crate) maxlen: u32,
    pub(crate) truncating: Truncating,
    pub(crate) states: Option<(Vec<u8>, u32)>,
    /// Pads have a row, behind all others.
    pub(crate) pad_row: bool,
    pub(crate) narrow: Option<Narrow>,
    pub(crate) activation: Activation,
    pub(crate) bias_shift: u8,
    pub(crate) state_shift: u8,
    order: Order,
    pilots: Vec<u8>,
    fingerprints: Vec<u8>,
    /// Rows of the embedding, a number each.
    numbers: Vec<i8>,
    packed: Vec<u8>,
    /// A row for each row of the embedding.
    biases: Vec<i8>,
    /// Columns of units' and of numbers' weights.
    kernel: Vec<i8>,
    weights: Vec<u8>,
    dense: Vec<u8>,
    dense_bias: Vec<u8>,
}

/// What a projected embedding is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrow {
    pub(crate) width: usize,
    pub(crate) shift: u8,
    pub(crate) bits: u32,
}

/// Random bytes, the same for the same seed.
pub(crate) fn bytes(seed: u32, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed.into());
    (0..length).map(|_| random.u8(..)).collect()
}

impl Tables {
    /// A model of this size whose words all hash to slots of their own: each word is a bucket, and
    /// its pilot is searched for.
    pub(crate) fn new(seed: u32, words: u32, units: usize, outputs: usize, narrow: Option<Narrow>) -> Self {
        // One for unknown words, one for pads.
        let rows = words as usize + 2;
        let width = narrow.map_or(0, |narrow| narrow.width);
        // The exporter makes no -128 either: two of them side by side are no `i16`.
        let signed =
            |seed, length| bytes(seed, length).iter().map(|&b| (b as i8).max(-127)).collect::<Vec<i8>>();
        let mut numbers = signed(seed, rows * width);
        if narrow.is_some_and(|narrow| narrow.bits == 4) {
            numbers.iter_mut().for_each(|number| *number >>= 4);
        }
        let mut tables = Self {
            words,
            units,
            outputs,
            labels: (0..outputs.max(2)).map(|i| format!("class {i}")).collect::<Vec<_>>().join("\n"),
            unknown: Unknown::Row,
            maxlen: 0,
            truncating: Truncating::Pre,
            states: None,
            pad_row: false,
            narrow,
            activation: Activation::Relu,
            bias_shift: 6,
            state_shift: 5,
            unit: Unit::Word,
            order: Order::Columns,
            pilots: Vec::new(),
            fingerprints: Vec::new(),
            packed: match narrow {
                Some(Narrow { bits: 4, .. }) => {
                    numbers.chunks(2).map(|two| two[0] as u8 & 0xF | (two[1] as u8) << 4).collect()
                }
                _ => numbers.iter().map(|&number| number as u8).collect(),
            },
            numbers,
            biases: signed(seed + 1, rows * units),
            kernel: signed(seed + 2, units * (units + width)).iter().map(|&weight| weight / 8).collect(),
            weights: Vec::new(),
            dense: bytes(seed + 3, outputs * units.next_multiple_of(4)),
            dense_bias: (0..outputs as i32).flat_map(|i| (100 * i - 50).to_le_bytes()).collect(),
        };
        tables.lay(Order::Columns);
        tables.read(Unit::Word)
    }

    /// The same with words or with words and pairs in its vocabulary.
    pub(crate) fn read(mut self, unit: Unit) -> Self {
        self.unit = unit;
        let words = self.words;
        let mut taken = vec![false; words as usize];
        let mut fingerprints = vec![0; words as usize];
        let buckets = 4 * words.max(1);
        let mut pilots = vec![0u16; buckets as usize];
        for word in 0..words {
            let name = |word: u32| WordHash::of(9, &format!("w{word}"));
            let hash = match unit.has_pairs() && word % 3 == 2 {
                true => WordHash::pair(name(word - 2), name(word - 1)),
                false => name(word),
            };
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
        self.pilots = pilots.iter().flat_map(|p| p.to_le_bytes()).collect();
        self.fingerprints = fingerprints;
        self
    }

    /// The same with weights of the whole range of bytes, the extremes above all, and biases of which about
    /// `closed` in 255 are as low as can be.
    pub(crate) fn wild(mut self, seed: u32, closed: u8) -> Self {
        let extreme = |(choice, weight): (u8, u8)| match choice {
            0..64 => -127,
            64..128 => 127,
            _ => (weight as i8).max(-127),
        };
        let length = self.kernel.len();
        self.kernel = bytes(seed + 4, length).into_iter().zip(bytes(seed + 5, length)).map(extreme).collect();
        let choices = bytes(seed + 6, self.biases.len());
        for (bias, choice) in self.biases.iter_mut().zip(choices) {
            if choice < closed {
                *bias = -127;
            }
        }
        self.lay(self.order);
        self
    }

    /// Lays the weights in this order; for pairs, inputs must come in fours.
    pub(crate) fn lay(&mut self, order: Order) {
        let (units, filled) = (self.units, self.units.next_multiple_of(4));
        let at = |from: usize, to: usize| {
            let column = if from < units {
                from
            } else if from >= filled {
                from - filled + units
            } else {
                return 0;
            };
            if to < units { self.kernel[column * units + to] } else { 0 }
        };
        let mut weights: Vec<u8> = SimpleRnn::encode_kernel(order, filled, self.inputs(), at).collect();
        let rows = if self.narrow.is_some() { 1 } else { self.rows() };
        for row in self.biases.chunks(units).take(rows) {
            weights.extend(SimpleRnn::encode_biases(filled, |unit| row.get(unit).copied().unwrap_or(0)));
        }
        self.weights = weights;
        self.order = order;
    }

    /// Inputs of a step.
    pub(crate) fn inputs(&self) -> usize {
        self.units.next_multiple_of(4) + self.width()
    }

    fn width(&self) -> usize {
        self.narrow.map_or(0, |narrow| narrow.width)
    }

    fn rows(&self) -> usize {
        self.words as usize + usize::from(self.unknown == Unknown::Row) + usize::from(self.pad_row)
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        Contents {
            labels: &self.labels,
            input: Input::Text(self.text()),
            layers: self.rnn().into(),
            head: Head::Classes(self.dense()),
        }
    }

    pub(crate) fn text(&self) -> Text<'_> {
        Text {
            // With lower-casing that needs no feature.
            normalization: Normalization {
                unit: self.unit,
                lowercase: Lowercase::Ascii,
                ..Normalization::KERAS
            },
            vocabulary: Vocabulary {
                seed: 9,
                slots: self.words,
                pilots: &self.pilots,
                fingerprints: &self.fingerprints,
            },
            unknown: self.unknown,
            sequence: Sequence { maxlen: self.maxlen, truncating: self.truncating, padding: self.padding() },
            embedding: match self.narrow {
                None => Embedding::Folded,
                Some(Narrow { width, shift, bits }) => Embedding::Projected {
                    width: width as u32,
                    shift,
                    table: match (bits, &self.packed[..self.rows() * width * bits as usize / 8]) {
                        (4, table) => Table::Int4(table),
                        (_, table) => Table::Int8(table),
                    },
                },
            },
        }
    }

    fn padding(&self) -> Option<Padding<'_>> {
        #[cfg(kilornn_gates)]
        if self.pad_row {
            return Some(Padding::Row);
        }
        self.states.as_ref().map(|(states, cycle)| {
            let count = states.len() / self.units.next_multiple_of(4);
            Padding::States(PadStates { states, count: count as u32, cycle: *cycle })
        })
    }

    pub(crate) fn rnn(&self) -> SimpleRnn<'_> {
        SimpleRnn {
            units: self.units.next_multiple_of(4) as u32,
            activation: self.activation,
            order: self.order,
            weights: &self.weights,
            bias_shift: self.bias_shift,
            state_shift: self.state_shift,
            input_shift: 0,
        }
    }

    pub(crate) fn dense(&self) -> Dense<'_> {
        Dense { outputs: self.outputs as u32, kernel: &self.dense, bias: &self.dense_bias, scale: 0.001 }
    }

    pub(crate) fn file(&self) -> Aligned {
        encode(&self.contents())
    }

    /// The rows of a text's words.
    pub(crate) fn read_rows(&self, text: &str) -> Vec<u32> {
        let vocabulary = self.text().vocabulary;
        let words: Vec<u32> =
            text.split(' ').filter(|word| !word.is_empty()).map(|word| WordHash::of(9, word)).collect();
        let row = |place: usize| {
            let pair = (self.unit.has_pairs() && place > 0)
                .then(|| vocabulary.slot(WordHash::pair(words[place - 1], words[place])));
            let slot = pair.flatten().or(vocabulary.slot(words[place]));
            slot.or((self.unknown == Unknown::Row).then_some(self.words))
        };
        (0..words.len()).filter_map(row).collect()
    }

    /// One step, straight from the formula, in 64 bits.
    pub(crate) fn step(&self, row: u32, state: &[i64]) -> Vec<i64> {
        let (row, units) = (row as usize, self.units);
        let weight = |from: usize, to: usize| i64::from(self.kernel[from * units + to]);
        (0..units)
            .map(|unit| {
                let recurrent: i64 =
                    (0..units).map(|k| (state[k] << self.state_shift) * weight(k, unit)).sum();
                let (bias_row, projected) = match self.narrow {
                    None => (row, 0),
                    Some(Narrow { width, shift, .. }) => {
                        let number = |i| i64::from(self.numbers[row * width + i]) << shift;
                        (0, (0..width).map(|i| number(i) * weight(units + i, unit)).sum::<i64>())
                    }
                };
                let bias = i64::from(self.biases[bias_row * units + unit]) << self.bias_shift;
                self.activate(bias + recurrent + projected)
            })
            .collect()
    }

    /// ReLU exactly; tanh to within rounding, which is the runtime's.
    fn activate(&self, accumulator: i64) -> i64 {
        match self.activation {
            Activation::Relu => ((accumulator + 256) >> 9).clamp(0, 127),
            Activation::Tanh => {
                let state = i64::from(Activation::Tanh.apply(accumulator as i32));
                let real = 128.0 * (accumulator as f64 / 65536.0).tanh();
                assert!((state as f64 - real.clamp(-127.0, 127.0)).abs() < 1.0, "{state} for {real}");
                state
            }
        }
    }

    pub(crate) fn logits(&self, state: &[i64]) -> Vec<i64> {
        let filled = self.units.next_multiple_of(4);
        (0..self.outputs)
            .map(|output| {
                let row = &self.dense[output * filled..][..self.units];
                let product: i64 = row.iter().zip(state).map(|(&w, h)| i64::from(w as i8) * h).sum();
                product + 100 * output as i64 - 50
            })
            .collect()
    }
}

/// Bytes at a multiple of four in memory, or so many bytes behind one.
#[derive(Debug, Clone)]
pub(crate) struct Aligned {
    words: Vec<u32>,
    range: std::ops::Range<usize>,
}

impl Aligned {
    pub(crate) fn new(bytes: &[u8], behind: usize) -> Self {
        let mut words = vec![0u32; (behind + bytes.len()).div_ceil(4)];
        let range = behind..behind + bytes.len();
        bytemuck::cast_slice_mut(&mut words)[range.clone()].copy_from_slice(bytes);
        Self { words, range }
    }
}

impl std::ops::Deref for Aligned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[self.range.clone()]
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[self.range.clone()]
    }
}

pub(crate) fn encode(contents: &Contents<'_>) -> Aligned {
    let mut buffer = vec![0; 1 << 22];
    Aligned::new(file::encode(contents, &mut buffer).expect("room"), 0)
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
