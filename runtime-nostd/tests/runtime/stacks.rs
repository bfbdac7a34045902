//! Networks of any layers, and a second, naive way to compute what they do: in integers of 64 bits, and in floats.

use fastrand::Rng;
use kilornn::layers::{
    Activation, Begin, Dense, Embedding, FastGrnn, Gru, GruSum, Layer, Layers, Lstm, LstmSum, Order,
    SimpleRnn, gate, wide_tanh,
};
use kilornn::{Contents, Head, Input};

use crate::common::{Narrow, Tables};

/// A network that owns its tables.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    /// The input: its words, its embedding.
    pub(crate) tables: Tables,
    pub(crate) layers: Vec<Owned>,
    dense: Vec<u8>,
    dense_bias: Vec<u8>,
}

/// A layer that owns its weights.
#[derive(Debug, Clone)]
pub(crate) struct Owned {
    pub(crate) cell: Cell,
    pub(crate) units: usize,
    pub(crate) width: usize,
    pub(crate) weights: Vec<u8>,
    pub(crate) bias_shift: u8,
    pub(crate) input_shift: u8,
    /// Of a layer with gates the bits, of a SimpleRNN the shift of its states.
    pub(crate) state: u8,
    /// Of a FastGRNN: bits of the limit, zeta and nu.
    pub(crate) limit_bits: u8,
    pub(crate) scalars: [i16; 2],
    /// It has a row of biases for each row of the embedding.
    folded: bool,
    /// Of a SimpleRNN: columns of weights, rows of biases, as they are before they are encoded.
    kernel: Vec<i8>,
    biases: Vec<i8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    Simple(Activation, Order),
    Gru,
    Lstm,
    FastGrnn,
}

/// How large sums become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// As in a trained network: most sums are within the range of the gates.
    Calm,
    /// Anything that loads.
    Wild,
}

impl Stack {
    /// A network of layers of these cells and units.
    pub(crate) fn new(
        seed: u64,
        layers: &[(Cell, usize)],
        narrow: Option<Narrow>,
        pad_row: bool,
        strength: Strength,
    ) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut tables = Tables::new(seed as u32, 12, 4, 2, narrow);
        tables.pad_row = pad_row;
        tables.maxlen = if pad_row { 5 } else { 0 };
        let embedding = tables.text().embedding;
        let rows = tables.contents().rows();
        let (mut width, mut folded) = (embedding.width() as usize, embedding == Embedding::Folded);
        let mut largest = narrow.map_or(0, |narrow| 1 << (narrow.bits - 1 + u32::from(narrow.shift)));
        let mut built: Vec<Owned> = Vec::new();
        for &(cell, units) in layers {
            let most = match (built.is_empty(), largest) {
                (true, _) => 0,
                (_, largest) => (i16::MAX as u32 / largest).ilog2().min(14) as u8,
            };
            let input_shift = if strength == Strength::Calm { most } else { random.u8(0..=most) };
            let rows = if folded { rows as usize } else { 0 };
            let layer = Owned::new(
                &mut random,
                (cell, units),
                (width, largest << input_shift, rows),
                input_shift,
                strength,
            );
            largest = layer.largest();
            (width, folded) = (units, false);
            built.push(layer);
        }
        let dense = (0..2 * width).map(|_| random.u8(..)).collect();
        let dense_bias = (0..2).flat_map(|_| i32::from(random.i16(..)).to_le_bytes()).collect();
        Self { tables, layers: built, dense, dense_bias }
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        let layers: Vec<Layer<'_>> = self.layers.iter().map(Owned::layer).collect();
        Contents {
            labels: &self.tables.labels,
            input: Input::Text(self.tables.text()),
            layers: Layers::new(&layers).unwrap(),
            head: Head::Classes(Dense {
                outputs: 2,
                kernel: &self.dense,
                bias: &self.dense_bias,
                scale: 0.001,
            }),
        }
    }

    /// The state before the first word.
    pub(crate) fn zero(&self) -> Vec<Exact> {
        self.layers.iter().map(|layer| Exact::zero(layer.units)).collect()
    }

    /// One step, straight from the formulas, in 64 bits.
    pub(crate) fn step(&self, row: u32, state: &mut [Exact]) {
        let mut numbers = Vec::new();
        self.tables.text().embedding.for_each_multiplier(row, |number| numbers.push(i64::from(number)));
        for (layer, state) in self.layers.iter().zip(state) {
            let x: Vec<i64> = numbers.iter().map(|number| number << layer.input_shift).collect();
            layer.step(&x, row, state);
            numbers.clone_from(&state.outputs);
        }
    }

    pub(crate) fn logits(&self, state: &[Exact]) -> Vec<i64> {
        let outputs = &state.last().unwrap().outputs;
        (0..2)
            .map(|class| {
                let row = &self.dense[class * outputs.len()..][..outputs.len()];
                let product: i64 = row.iter().zip(outputs).map(|(&w, h)| i64::from(w as i8) * h).sum();
                let bias = self.dense_bias[4 * class..][..4].try_into().unwrap();
                product + i64::from(i32::from_le_bytes(bias))
            })
            .collect()
    }
}

/// The state of a layer: outputs, and what is kept with more bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) outputs: Vec<i64>,
    pub(crate) kept: Vec<i64>,
}

impl Exact {
    fn zero(units: usize) -> Self {
        Self { outputs: vec![0; units], kept: vec![0; units] }
    }
}

/// The state of a layer in floats.
#[derive(Debug, Clone)]
pub(crate) struct Real {
    pub(crate) outputs: Vec<f64>,
    kept: Vec<f64>,
}

impl Real {
    pub(crate) fn zero(units: usize) -> Self {
        Self { outputs: vec![0.0; units], kept: vec![0.0; units] }
    }
}

impl Owned {
    /// A layer with random weights, of `units` units, with `width` inputs up to `largest`; and with so many rows of biases.
    pub(crate) fn new(
        random: &mut Rng,
        (cell, units): (Cell, usize),
        (width, largest, rows): (usize, u32, usize),
        input_shift: u8,
        strength: Strength,
    ) -> Self {
        let calm = strength == Strength::Calm;
        let inputs = width + units;
        let mut layer = Self {
            cell,
            units,
            width,
            weights: Vec::new(),
            bias_shift: if calm { 6 } else { random.u8(0..=14) },
            input_shift,
            state: if calm { 12 } else { random.u8(4..=14) },
            limit_bits: 0,
            scalars: [0; 2],
            folded: rows > 0,
            kernel: Vec::new(),
            biases: Vec::new(),
        };
        if let Cell::Simple(_, order) = cell {
            layer.state = random.u8(0..=4);
            layer.bias_shift = 11;
            // No more than what surely loads: sums below 2^23.
            let sum = width as u32 * largest + units as u32 * (127 << layer.state);
            let most = (((1 << 22) / sum.max(1)) as i32).clamp(1, 127);
            layer.kernel = (0..inputs * units).map(|_| random.i32(-most..=most) as i8).collect();
            layer.biases = (0..rows.max(1) * units).map(|_| random.i8(-127..)).collect();
            let at = |from: usize, to: usize| match from.checked_sub(units) {
                None => layer.kernel[from * units + to],
                Some(number) => layer.kernel[(units + number) * units + to],
            };
            layer.weights = SimpleRnn::encode_kernel(order, units, inputs, at).collect();
            for row in layer.biases.chunks(units) {
                layer.weights.extend(SimpleRnn::encode_biases(units, |unit| row[unit]));
            }
            return layer;
        }
        // Each sum has weights and a shift of its own, within what the loader lets through.
        let sums = units * 4;
        let reach = (width as u64 * u64::from(largest) + ((units as u64) << layer.state)).max(1);
        let rows_of: Vec<(Begin, Vec<i32>)> = (0..sums)
            .map(|place| {
                let (unit, sum) = (place / 4, place % 4);
                let whole = layer.is_whole(unit, sum);
                let budget = (1u64 << 31) - (1 << 21);
                let largest = if whole { 1u64 << 15 } else { 1 << 7 };
                let bias = if layer.folded { largest << layer.bias_shift } else { 0 };
                // What remains for products. Two sums of a candidate share the range.
                let products = (budget - bias.min(budget)) / 3;
                // Of weights in 256ths; those of 8 bits count 256 times less.
                let most = (products * if whole { 1 } else { 256 } / reach).min(32_000) as i32;
                let most = if calm { most.min(8_000) } else { most };
                let weights = (0..inputs)
                    .map(|_| match random.u8(..) {
                        0..16 if !calm => most,
                        16..32 if !calm => -most,
                        _ => random.i32(-most..=most),
                    })
                    .collect();
                // As much as the sum may become, and how much of it the gates are to see.
                let bound = (most as u64 * reach) >> if whole { 0 } else { 8 };
                let shift = if calm {
                    // Weights are as likely to be positive as negative: sums are near the root of their bound.
                    let typical = bound / (inputs as f64).sqrt().max(1.0) as u64;
                    (typical.max(1).ilog2() as u8).saturating_sub(16)
                } else {
                    random.u8(0..=31)
                };
                let limit = (products / 4).max(2) as i64;
                let bias =
                    if calm { random.i64(-(1 << 16)..1 << 16) << shift } else { random.i64(-limit..limit) };
                let bias = bias.clamp(-limit, limit) as i32;
                (Begin { bias, shift }, weights)
            })
            .collect();
        let begin = |unit: usize, sum: usize| rows_of[unit * 4 + sum].0;
        let weight = |unit: usize, sum: usize, input: usize| rows_of[unit * 4 + sum].1[input];
        let bias: Vec<i32> = (0..rows * sums).map(|_| random.i32(-33_000..33_000)).collect();
        match cell {
            Cell::FastGrnn => {
                let most = if calm { 1 << 16 } else { (1 << 30) - 1 };
                let offsets: Vec<i32> = (0..units).map(|_| random.i32(-most..=most)).collect();
                layer.limit_bits = random.u8(0..if calm { 2 } else { 4 });
                layer.scalars = if calm { [20_000, 600] } else { [0; 2].map(|_| random.i16(0..)) };
                layer.weights = FastGrnn::encode_kernel(
                    units,
                    inputs,
                    |unit| begin(unit, 0),
                    |unit| offsets[unit],
                    |unit, input| weight(unit, 0, input),
                )
                .collect();
                for row in bias.chunks(sums) {
                    layer.weights.extend(FastGrnn::encode_biases(units, |unit| row[unit * 4]));
                }
            }
            Cell::Lstm => {
                layer.weights = Lstm::encode_kernel(
                    units,
                    inputs,
                    |unit, sum| begin(unit, sum as usize),
                    |unit, sum, input| weight(unit, sum as usize, input),
                )
                .collect();
                for row in bias.chunks(sums) {
                    layer
                        .weights
                        .extend(Lstm::encode_biases(units, |unit, sum| row[unit * 4 + sum as usize]));
                }
            }
            _ => {
                layer.weights = Gru::encode_kernel(
                    units,
                    inputs,
                    |unit, sum| begin(unit, sum as usize),
                    |unit, sum, input| weight(unit, sum as usize, input),
                )
                .collect();
                for row in bias.chunks(sums) {
                    layer.weights.extend(Gru::encode_biases(units, |unit, sum| row[unit * 4 + sum as usize]));
                }
            }
        }
        layer
    }

    /// Whether the weights of a sum are in 256ths.
    fn is_whole(&self, unit: usize, sum: usize) -> bool {
        match self.cell {
            Cell::Lstm => sum % 2 == 1,
            Cell::FastGrnn => unit % 2 == 1,
            _ => sum == GruSum::Reset as usize || sum >= GruSum::Input as usize && unit % 2 == 1,
        }
    }

    pub(crate) fn layer(&self) -> Layer<'_> {
        let Self { units, weights, bias_shift, input_shift, state, .. } = self;
        let (units, bias_shift, input_shift, state) = (*units as u32, *bias_shift, *input_shift, *state);
        match self.cell {
            Cell::Simple(activation, order) => {
                SimpleRnn { units, activation, order, weights, bias_shift, state_shift: state, input_shift }
                    .into()
            }
            Cell::Gru => Gru { units, weights, bias_shift, input_shift, state_bits: state }.into(),
            Cell::Lstm => Lstm { units, weights, bias_shift, input_shift, state_bits: state }.into(),
            Cell::FastGrnn => {
                let (limit_bits, [zeta, nu], state_bits) = (self.limit_bits, self.scalars, state);
                FastGrnn { units, weights, bias_shift, input_shift, state_bits, limit_bits, zeta, nu }.into()
            }
        }
    }

    fn largest(&self) -> u32 {
        match self.cell {
            Cell::Simple(..) => 127,
            _ => 1 << self.state,
        }
    }

    fn half_word(&self, at: usize) -> i64 {
        i16::from_le_bytes([self.weights[at], self.weights[at + 1]]).into()
    }

    /// Where the block of a unit begins, how many bytes it has before its weights, and how many for two inputs.
    fn block(&self, unit: usize) -> (usize, usize, usize) {
        let inputs = self.width + self.units;
        match self.cell {
            Cell::Lstm => (unit * (16 + 4 * inputs), 16, 8),
            Cell::FastGrnn => (unit / 4 * (32 + 4 * inputs), 32, 8),
            _ => (unit / 2 * (32 + 6 * inputs), 32, 12),
        }
    }

    /// The pair of rows to which a sum belongs, and whether it is the odd one.
    fn pair(&self, unit: usize, sum: usize) -> (usize, bool) {
        match (self.cell, sum) {
            (Cell::Lstm, _) => (sum / 2, sum % 2 == 1),
            (Cell::FastGrnn, _) => (unit % 4 / 2, unit % 2 == 1),
            (_, 0 | 1) => (unit % 2, sum == 1),
            _ => (2, unit % 2 == 1),
        }
    }

    /// The word with which a sum begins, as the layout says.
    fn begin(&self, unit: usize, sum: usize) -> i64 {
        let place = match (self.cell, sum) {
            (Cell::Lstm, _) => sum,
            (Cell::FastGrnn, _) => unit % 4,
            (_, 0 | 1) => unit % 2 * 2 + sum,
            _ => 2 * sum + unit % 2,
        };
        let at = self.block(unit).0 + 4 * place;
        i32::from_le_bytes(self.weights[at..at + 4].try_into().unwrap()).into()
    }

    /// A weight as it acts, as the layout says: of the even row a whole number, of the odd one in 256ths.
    fn weight(&self, unit: usize, sum: usize, input: usize) -> i64 {
        let (block, head, stride) = self.block(unit);
        let (pair, odd) = self.pair(unit, sum);
        let both = self.half_word(block + head + input / 2 * stride + 4 * pair + input % 2 * 2);
        if odd { both } else { i64::from(both as i8) }
    }

    /// What a row of a folded embedding adds to a sum.
    fn bias(&self, row: u32, unit: usize, sum: usize) -> i64 {
        if !self.folded || self.cell == Cell::Gru && sum == GruSum::State as usize {
            return 0;
        }
        let inputs = self.width + self.units;
        let (pair, odd) = self.pair(unit, sum);
        let at = match self.cell {
            Cell::Lstm => self.units * (16 + 4 * inputs) + (row as usize * self.units + unit) * 4 + 2 * pair,
            Cell::FastGrnn => {
                let kernel = self.units / 4 * (32 + 4 * inputs);
                kernel + row as usize * self.units + unit / 4 * 4 + 2 * pair
            }
            _ => {
                let kernel = self.units / 2 * (32 + 6 * inputs);
                kernel + (row as usize * self.units / 2 + unit / 2) * 6 + 2 * pair
            }
        };
        let both = self.half_word(at);
        (if odd { both } else { i64::from(both as i8) }) << self.bias_shift
    }

    /// The offset of a FastGRNN's gate, as the layout says.
    fn offset(&self, unit: usize) -> i64 {
        let at = self.block(unit).0 + 16 + 4 * (unit % 4);
        i32::from_le_bytes(self.weights[at..at + 4].try_into().unwrap()).into()
    }

    /// What the largest output stands for.
    pub(crate) fn limit(&self) -> f64 {
        if self.cell == Cell::FastGrnn { f64::from(1u8 << self.limit_bits) } else { 1.0 }
    }

    /// A sum over some inputs before it is shifted, and its shift.
    fn sum(&self, row: u32, unit: usize, sum: usize, inputs: &[i64]) -> (i64, u32) {
        let gru = self.cell == Cell::Gru;
        let range = match sum {
            2 if gru => 0..self.width,
            3 if gru => self.width..inputs.len(),
            _ => 0..inputs.len(),
        };
        let begin = self.begin(unit, sum);
        let products: i64 = range.map(|input| self.weight(unit, sum, input) * inputs[input]).sum();
        let total = begin + self.bias(row, unit, sum) + products;
        assert!(i32::try_from(total).is_ok(), "a sum of {total}");
        (total, (begin & 255) as u32)
    }

    fn step(&self, x: &[i64], row: u32, state: &mut Exact) {
        let Exact { outputs, kept } = state;
        if let Cell::Simple(activation, _) = self.cell {
            let (units, before) = (self.units, outputs.clone());
            for (unit, output) in outputs.iter_mut().enumerate() {
                let weight = |from: usize| i64::from(self.kernel[from * units + unit]);
                let bias_row = if self.folded { row as usize } else { 0 };
                let bias = i64::from(self.biases[bias_row * units + unit]) << self.bias_shift;
                let own: i64 = (0..units).map(|from| (before[from] << self.state) * weight(from)).sum();
                let others: i64 = x.iter().enumerate().map(|(place, x)| x * weight(units + place)).sum();
                *output = activation.apply((bias + own + others) as i32).into();
            }
            return;
        }
        let inputs: Vec<i64> = x.iter().chain(&*outputs).copied().collect();
        // floor(a * gate / 2^16)
        let mul = |a: i64, gate: i64| (a * gate).div_euclid(1 << 16);
        let tanh = |x: i64| i64::from(wide_tanh(i32::try_from(x).unwrap()));
        let gate = |x: i64| i64::from(gate(i32::try_from(x).unwrap()));
        let round = |v: i64| (v + (1 << (28 - self.state))).div_euclid(1 << (29 - self.state));
        for unit in 0..self.units {
            let sum = |sum: usize| {
                let (total, shift) = self.sum(row, unit, sum, &inputs);
                total.div_euclid(1 << shift)
            };
            if self.cell == Cell::Lstm {
                let [i, g, f, o] = [LstmSum::Input, LstmSum::Candidate, LstmSum::Forget, LstmSum::Output]
                    .map(|which| sum(which as usize));
                let c = kept[unit] - 2 * mul(kept[unit], gate(f)) + mul(tanh(g), gate(i)).div_euclid(512);
                kept[unit] = c.clamp(i32::MIN.into(), i32::MAX.into());
                outputs[unit] = round(mul(tanh(kept[unit].div_euclid(16)), gate(o)));
            } else if self.cell == Cell::FastGrnn {
                let x = sum(0);
                let [p, q] = self.scalars.map(|scalar| mul(tanh(x), scalar.into()));
                let g = gate(self.offset(unit) - x.div_euclid(2));
                let h = kept[unit] + 2 * mul(p - kept[unit], g) + q;
                assert!(i32::try_from(h).is_ok());
                kept[unit] = h.clamp(-1 << 29, (1 << 29) - 1);
                outputs[unit] = round(kept[unit]);
            } else {
                let [z, r, x, h] = [GruSum::Update, GruSum::Reset, GruSum::Input, GruSum::State]
                    .map(|which| sum(which as usize));
                let n = tanh(x + 2 * mul(h, gate(r)));
                kept[unit] += 2 * mul(n.div_euclid(2) - kept[unit], gate(z));
                assert!(i32::try_from(kept[unit]).is_ok());
                outputs[unit] = round(kept[unit]);
            }
            assert!(outputs[unit].abs() <= 1 << self.state);
        }
    }

    /// The same with real numbers: the weights are those of the file, nothing else is rounded.
    pub(crate) fn real_step(&self, x: &[f64], row: u32, state: &mut Real) {
        let one = f64::from(1u32 << self.state) / self.limit();
        let inputs: Vec<f64> = x.iter().copied().chain(state.outputs.iter().map(|h| h * one)).collect();
        let sigmoid = |half: f64| (1.0 + half.tanh()) / 2.0;
        let Real { outputs, kept } = state;
        for unit in 0..self.units {
            let sum = |sum: usize, range: std::ops::Range<usize>| {
                let products: f64 =
                    range.map(|input| self.weight(unit, sum, input) as f64 * inputs[input]).sum();
                let begin = self.begin(unit, sum);
                let total = (begin + self.bias(row, unit, sum)) as f64 + products;
                total / f64::from(1u32 << (begin & 255)) / 65536.0
            };
            let all = 0..inputs.len();
            if self.cell == Cell::Lstm {
                let [i, g, f, o] = [0, 1, 2, 3].map(|which| sum(which, all.clone()));
                kept[unit] = kept[unit] * (1.0 - sigmoid(f)) + sigmoid(i) * g.tanh();
                outputs[unit] = sigmoid(o) * kept[unit].tanh();
            } else if self.cell == Cell::FastGrnn {
                let (x, limit) = (sum(0, all.clone()), self.limit());
                let [zeta, nu] = self.scalars.map(|scalar| f64::from(scalar) * limit / 32_768.0);
                let open = sigmoid(self.offset(unit) as f64 / 65536.0 - x / 2.0);
                let h = outputs[unit] + open * (zeta * x.tanh() - outputs[unit]) + nu * x.tanh();
                outputs[unit] = h.clamp(-limit, limit);
            } else {
                let (z, r) = (sum(0, all.clone()), sum(1, all.clone()));
                let n = (sum(2, 0..x.len()) + sigmoid(r) * sum(3, x.len()..inputs.len())).tanh();
                outputs[unit] += sigmoid(z) * (n - outputs[unit]);
            }
        }
    }
}
