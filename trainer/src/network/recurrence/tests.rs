//! The recurrence against candle's autograd and against differences.

use candle_core::Var;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::network::composed;

/// Three texts of different length over four words and five units, and a random readout.
fn case(texts: usize, units: usize, steps: usize) -> (Var, Var, Tensor, Vec<u32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut random =
        |n: usize, scale: f32| -> Vec<f32> { (0..n).map(|_| scale * (rng.random::<f32>() - 0.4)).collect() };
    let (projected, kernel, readout) =
        (random(4 * units, 1.0), random(units * units, 0.6), random(texts * units, 1.0));
    let tokens = (0..steps * texts)
        .map(|i| {
            let (step, text) = (i / texts, i % texts);
            if step < text % steps { Batch::MASKED } else { (i * 7 % 4) as u32 }
        })
        .collect();
    let device = Device::Cpu;
    (
        Var::from_vec(projected, (4, units), &device).unwrap(),
        Var::from_vec(kernel, (units, units), &device).unwrap(),
        Tensor::from_vec(readout, (texts, units), &device).unwrap(),
        tokens,
    )
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn agrees_with_autograd() {
    for activation in [Activation::Relu, Activation::Tanh] {
        compare_with_autograd(activation, None, f32::INFINITY);
        compare_with_autograd(activation, Some(0.4), f32::INFINITY);
        compare_with_autograd(activation, None, 0.5);
    }
}

fn compare_with_autograd(activation: Activation, dropout: Option<f32>, limit: f32) {
    // More texts than one thread's share, more steps than are kept at a time, and units that fill no vector register.
    let (texts, units) = (20 * TEXTS + 5, 5);
    let steps = GRADIENTS / (units * texts) + 3;
    let (projected, kernel, readout, tokens) = case(texts, units, steps);
    let mut op = Recurrence::new(activation, texts, steps, tokens.clone(), None).saturating_at(limit);
    let mut mask = vec![1.0; texts * units];
    if let Some(share) = dropout {
        mask =
            crate::network::dropout::mask(texts * units, share, &mut ChaCha8Rng::seed_from_u64(8)).unwrap();
        assert!(mask.contains(&0.0) && mask.contains(&(1.0 / (1.0 - share))));
        op = op.with_mask(Some(mask.clone()));
    }
    let ours = projected.apply_op2(&kernel, op).unwrap();
    let batch = Batch { examples: (0..texts).collect(), steps, ids: (0..4).collect(), tokens };
    let mask = Tensor::from_vec(mask, (texts, units), &Device::Cpu).unwrap();
    let theirs = composed::last_state(activation, limit, &projected, &kernel, &batch, Some(&mask)).unwrap();
    if activation == Activation::Relu && limit.is_finite() {
        assert!(flat(&ours).contains(&limit), "no state reaches the limit");
    }
    for (a, b) in flat(&ours).iter().zip(flat(&theirs)) {
        assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "state {a}, autograd's {b}");
    }
    let grads = |states: &Tensor| (states * &readout).unwrap().sum_all().unwrap().backward().unwrap();
    let (ours, theirs) = (grads(&ours), grads(&theirs));
    for var in [&projected, &kernel] {
        let (ours, theirs) = (flat(ours.get(var).unwrap()), flat(theirs.get(var).unwrap()));
        assert!(ours.iter().any(|g| *g != 0.0));
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 1e-4 * b.abs().max(1.0), "gradient {a}, autograd's {b}");
        }
    }
}

#[test]
fn agrees_with_finite_differences() {
    [Activation::Relu, Activation::Tanh].into_iter().for_each(compare_with_finite_differences);
}

fn compare_with_finite_differences(activation: Activation) {
    let (texts, units, steps) = (3, 5, 4);
    let (projected, kernel, readout, tokens) = case(texts, units, steps);
    let value = |projected: &[f32], kernel: &[f32]| -> f64 {
        let op = Recurrence::new(activation, texts, steps, tokens.clone(), None);
        let states = op.states(projected, kernel, units);
        let last = &states[(steps - 1) * texts * units..];
        last.iter().zip(flat(&readout)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum()
    };
    let op = Recurrence::new(activation, texts, steps, tokens.clone(), None);
    let last = projected.apply_op2(&kernel, op).unwrap();
    let grads = (last * &readout).unwrap().sum_all().unwrap().backward().unwrap();
    let (p, k) = (flat(&projected), flat(&kernel));
    let step = 1e-2;
    let nudged = |values: &[f32], i: usize, by: f32| {
        let mut values = values.to_vec();
        values[i] += by;
        values
    };
    for i in 0..p.len() {
        let numeric =
            (value(&nudged(&p, i, step), &k) - value(&nudged(&p, i, -step), &k)) / f64::from(2.0 * step);
        let analytic = f64::from(flat(grads.get(&projected).unwrap())[i]);
        assert!((numeric - analytic).abs() < 0.01, "projected {i}: {analytic}, numerically {numeric}");
    }
    for i in 0..k.len() {
        let numeric =
            (value(&p, &nudged(&k, i, step)) - value(&p, &nudged(&k, i, -step))) / f64::from(2.0 * step);
        let analytic = f64::from(flat(grads.get(&kernel).unwrap())[i]);
        assert!((numeric - analytic).abs() < 0.02, "kernel {i}: {analytic}, numerically {numeric}");
    }
}

#[test]
fn rounds_as_the_device_does() {
    let states = |activation, scale: f32| {
        let grid = Grid { scales: vec![scale; 3], state_shift: 0, bias_shift: 0, numbers: None };
        let op = Recurrence::new(activation, 1, 1, vec![0], Some(&grid));
        let states = op.states(&[0.26, -1.0, 99.0], &[0.0; 9], 3);
        states.iter().map(|h| (h / scale).round()).collect::<Vec<_>>()
    };
    assert_eq!(states(Activation::Relu, 0.1), [3.0, 0.0, 127.0]);
    // 128 times tanh(0.26) is 32.6, tanh(-1) -97.5, and 127 is the most that an `i8` has of both signs.
    assert_eq!(states(Activation::Tanh, 1.0 / 128.0), [33.0, -98.0, 127.0]);
}
