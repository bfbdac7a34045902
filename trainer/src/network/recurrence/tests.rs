//! The recurrence against candle's autograd, against candle-nn's cells and against differences.

use std::collections::HashMap;

use candle_core::{DType, Var};
use candle_nn::VarBuilder;
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN};
use kilornn::layers::Activation;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::network::cells::{Cell, Definition, with_definition};
use crate::network::composed;
use crate::network::forward::with_step;
use crate::network::grid::{LayerGrid, StateGrid};

fn simple(activation: Activation, limit: f32) -> Cell {
    Cell::SimpleRnn { activation, limit }
}

/// Every cell, with a limit that states reach and without.
fn cells() -> [Cell; 6] {
    let [relu, tanh] = [Activation::Relu, Activation::Tanh];
    let limits = [simple(relu, f32::INFINITY), simple(relu, 0.5), simple(tanh, f32::INFINITY)];
    [limits[0], limits[1], limits[2], Cell::Gru, Cell::Lstm, Cell::FastGrnn]
}

/// Parts that stand behind the weights of the recurrent kernel.
fn behind<D: Definition>(_: &D) -> usize {
    D::Step::BEHIND.len()
}

/// Texts of different length over four words, and a random readout of the output.
struct Case {
    projected: Var,
    kernel: Var,
    readout: Tensor,
    batch: Batch,
    units: usize,
}

fn case(cell: Cell, output: Output, [texts, units, steps]: [usize; 3]) -> Case {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut random =
        |n: usize, scale: f32| -> Vec<f32> { (0..n).map(|_| scale * (rng.random::<f32>() - 0.4)).collect() };
    let columns = cell.gates() * units;
    let rows = units + with_definition!(cell, |cell| behind(&cell)).div_ceil(cell.gates());
    let outputs = if output == Output::All { steps * texts } else { texts };
    let (projected, kernel) = (random(4 * columns, 1.0), random(rows * columns, 0.6));
    let readout = random(outputs * units, 1.0);
    let tokens = (0..steps * texts)
        .map(|i| {
            let (step, text) = (i / texts, i % texts);
            if step < text % steps { Batch::MASKED } else { (i * 7 % 4) as u32 }
        })
        .collect();
    let device = Device::Cpu;
    Case {
        projected: Var::from_vec(projected, (4, columns), &device).unwrap(),
        kernel: Var::from_vec(kernel, (rows, columns), &device).unwrap(),
        readout: Tensor::from_vec(readout, (outputs, units), &device).unwrap(),
        batch: Batch { examples: (0..texts).collect(), steps, ids: (0..4).collect(), tokens },
        units,
    }
}

impl Case {
    /// The operation's output for these arguments.
    fn apply(&self, cell: Cell, output: Output, mask: Option<Vec<f32>>) -> Tensor {
        with_step!(cell, None::<&LayerGrid>, f32::INFINITY, |step| {
            let op = Recurrence::new(step, &self.batch, self.batch.tokens.clone(), output).with_mask(mask);
            self.projected.apply_op2(&self.kernel, op).unwrap()
        })
    }

    /// The read-out sum of the outputs, in doubles.
    fn value(&self, cell: Cell, output: Output, projected: &[f32], kernel: &[f32]) -> f64 {
        let states = with_step!(cell, None::<&LayerGrid>, f32::INFINITY, |step| {
            let op = Recurrence::new(step, &self.batch, self.batch.tokens.clone(), output);
            let last = op.last_states(projected, kernel, self.units);
            let states = op.trace(projected, kernel, self.units).states;
            assert!(states.ends_with(&last), "{cell:?}: the last states alone differ");
            if output == Output::All { states } else { last }
        });
        states.iter().zip(flat(&self.readout)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum()
    }
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn agrees_with_autograd() {
    for cell in cells() {
        for output in [Output::Last, Output::All] {
            compare_with_autograd(cell, output, None);
            compare_with_autograd(cell, output, Some(0.4));
        }
    }
}

fn compare_with_autograd(cell: Cell, output: Output, dropout: Option<f32>) {
    // More texts than one thread's share, more steps than are kept at a time, and units that fill no vector register. Where all
    // steps are read, few, since autograd takes long.
    let (texts, units) = (if output == Output::All { TEXTS + 5 } else { 20 * TEXTS + 5 }, 5);
    let steps = if output == Output::All { 7 } else { GRADIENTS / (units * texts) + 3 };
    let case = case(cell, output, [texts, units, steps]);
    let mask = dropout.map(|share| {
        let mask =
            crate::network::dropout::mask(texts * units, share, &mut ChaCha8Rng::seed_from_u64(8)).unwrap();
        assert!(mask.contains(&0.0) && mask.contains(&(1.0 / (1.0 - share))));
        mask
    });
    let ours = case.apply(cell, output, mask.clone());
    let mask = mask.map(|mask| Tensor::from_vec(mask, (texts, units), &Device::Cpu).unwrap());
    let Case { projected, kernel, readout, batch, .. } = &case;
    let theirs =
        composed::layer(cell, projected, kernel, batch, &batch.tokens, output, mask.as_ref()).unwrap();
    if let Cell::SimpleRnn { activation: Activation::Relu, limit } = cell {
        assert!(!limit.is_finite() || flat(&ours).contains(&limit), "no state reaches the limit");
    }
    for (a, b) in flat(&ours).iter().zip(flat(&theirs)) {
        assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{cell:?}: state {a}, autograd's {b}");
    }
    let grads = |states: &Tensor| (states * readout).unwrap().sum_all().unwrap().backward().unwrap();
    let (ours, theirs) = (grads(&ours), grads(&theirs));
    for var in [projected, kernel] {
        let (ours, theirs) = (flat(ours.get(var).unwrap()), flat(theirs.get(var).unwrap()));
        assert!(ours.iter().any(|g| *g != 0.0));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 2e-4 * b.abs().max(1.0), "{cell:?}: gradient {a}, autograd's {b}");
        }
    }
}

#[test]
fn agrees_with_finite_differences() {
    for cell in cells() {
        compare_with_finite_differences(cell, Output::Last);
        compare_with_finite_differences(cell, Output::All);
    }
}

fn compare_with_finite_differences(cell: Cell, output: Output) {
    let case = case(cell, output, [3, 5, 4]);
    let value = |projected: &[f32], kernel: &[f32]| case.value(cell, output, projected, kernel);
    let states = case.apply(cell, output, None);
    let grads = (states * &case.readout).unwrap().sum_all().unwrap().backward().unwrap();
    let (p, k) = (flat(&case.projected), flat(&case.kernel));
    let step = 1e-2;
    let nudged = |values: &[f32], i: usize, by: f32| {
        let mut values = values.to_vec();
        values[i] += by;
        values
    };
    // Where a state is at its limit, or at zero, a difference may straddle the corner.
    let may_differ =
        |cell| if matches!(cell, Cell::SimpleRnn { limit, .. } if limit.is_finite()) { 3 } else { 0 };
    let mut differ = 0;
    let mut compare = |analytic: f32, numeric: f64, what: String| {
        let off = (numeric - f64::from(analytic)).abs();
        differ += usize::from(off >= 0.02);
        assert!(differ <= may_differ(cell), "{cell:?}, {what}: {analytic}, numerically {numeric}");
    };
    for (i, analytic) in flat(grads.get(&case.projected).unwrap()).into_iter().enumerate() {
        let numeric =
            (value(&nudged(&p, i, step), &k) - value(&nudged(&p, i, -step), &k)) / f64::from(2.0 * step);
        compare(analytic, numeric, format!("projected {i}"));
    }
    for (i, analytic) in flat(grads.get(&case.kernel).unwrap()).into_iter().enumerate() {
        let numeric =
            (value(&p, &nudged(&k, i, step)) - value(&p, &nudged(&k, i, -step))) / f64::from(2.0 * step);
        compare(analytic, numeric, format!("kernel {i}"));
    }
}

/// Columns of a kernel with its gates in another order, transposed as candle-nn has them.
fn transposed(values: &[f32], units: usize, order: &[usize]) -> Tensor {
    let columns = order.len() * units;
    let rows = values.len() / columns;
    let row =
        |gate: usize, unit: usize| (0..rows).map(move |row| values[row * columns + gate * units + unit]);
    let all: Vec<f32> =
        order.iter().flat_map(|&gate| (0..units).flat_map(move |unit| row(gate, unit))).collect();
    Tensor::from_vec(all, (columns, rows), &Device::Cpu).unwrap()
}

/// candle-nn's cells read inputs, where ours reads products of them: here the inputs are one-hot, so that the kernel is the
/// list of products. Gates of candle-nn: r, z, n (its GRU was once wrong about which part is the candidate's), and i, f, g, o.
#[test]
fn agrees_with_candle_s_cells() {
    let (units, steps) = (6, 9);
    for cell in [Cell::Gru, Cell::Lstm] {
        let mut case = case(cell, Output::All, [1, units, steps]);
        case.batch.tokens = (0..steps as u32).map(|step| step * 3 % 4).collect();
        let (projected, kernel) = (flat(&case.projected), flat(&case.kernel));
        let weights = &kernel[..units * cell.gates() * units];
        let order: &[usize] = if cell == Cell::Gru { &[1, 0, 2] } else { &[0, 1, 2, 3] };
        let zeros = Tensor::zeros(order.len() * units, DType::F32, &Device::Cpu).unwrap();
        let recurrent_bias = match cell {
            Cell::Gru => transposed(&kernel[weights.len()..], units, order).flatten_all().unwrap(),
            _ => zeros.clone(),
        };
        let tensors = HashMap::from([
            ("weight_ih_l0".to_owned(), transposed(&projected, units, order)),
            ("weight_hh_l0".to_owned(), transposed(weights, units, order)),
            ("bias_ih_l0".to_owned(), zeros),
            ("bias_hh_l0".to_owned(), recurrent_bias),
        ]);
        let variables = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        let one_hot: Vec<f32> = case
            .batch
            .tokens
            .iter()
            .flat_map(|&t| (0..4).map(move |i| f32::from(u8::from(i == t))))
            .collect();
        let inputs = Tensor::from_vec(one_hot, (1, steps, 4), &Device::Cpu).unwrap();
        let states = match cell {
            Cell::Gru => {
                let gru = candle_nn::rnn::gru(4, units, GRUConfig::default(), variables).unwrap();
                gru.states_to_tensor(&gru.seq(&inputs).unwrap()).unwrap()
            }
            _ => {
                let lstm = candle_nn::rnn::lstm(4, units, LSTMConfig::default(), variables).unwrap();
                lstm.states_to_tensor(&lstm.seq(&inputs).unwrap()).unwrap()
            }
        };
        for (ours, theirs) in flat(&case.apply(cell, Output::All, None)).iter().zip(flat(&states)) {
            assert!((ours - theirs).abs() < 1e-6, "{cell:?}: {ours}, candle-nn's {theirs}");
        }
    }
}

#[test]
fn rounds_as_the_device_does() {
    let states = |activation, scale: f32| {
        let states = StateGrid::Int8 { scales: vec![scale; 3], state_shift: 0 };
        let grid =
            LayerGrid { inputs: Vec::new(), input_shift: 0, factors: Vec::new(), bias_shift: 0, states };
        let batch = Batch { examples: vec![0], steps: 1, ids: vec![0], tokens: vec![0] };
        let states = with_step!(simple(activation, f32::INFINITY), Some(&grid), f32::INFINITY, |step| {
            let op = Recurrence::new(step, &batch, vec![0], Output::All);
            op.trace(&[0.26, -1.0, 99.0], &[0.0; 9], 3).states
        });
        states.iter().map(|h| (h / scale).round()).collect::<Vec<_>>()
    };
    assert_eq!(states(Activation::Relu, 0.1), [3.0, 0.0, 127.0]);
    // 128 times tanh(0.26) is 32.6, tanh(-1) -97.5, and 127 is the most that an `i8` has of both signs.
    assert_eq!(states(Activation::Tanh, 1.0 / 128.0), [33.0, -98.0, 127.0]);
}
