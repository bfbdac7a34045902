//! Keras's initializers (`keras/src/initializers/random_initializers.py`) and the identity-like one.
//!
//! Not `candle_nn::init`: it draws from the thread's generator, which cannot be seeded on the CPU, and has no orthogonal
//! matrices.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Uniform in `±limit` (Keras's `Embedding`: 0.05).
pub(super) fn uniform(length: usize, limit: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..length).map(|_| rng.random_range(-limit..limit)).collect()
}

/// Glorot and Bengio 2010: uniform in `±sqrt(6 / (inputs + outputs))`.
pub(super) fn glorot_uniform(inputs: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    uniform(inputs * outputs, (6.0 / (inputs + outputs) as f32).sqrt(), rng)
}

/// A random `rows × columns` matrix, `columns` at least `rows`, whose rows are orthonormal, evenly distributed over all of them: the
/// transpose of the Q of a Gaussian matrix's QR decomposition whose R has a positive diagonal, here by Gram and Schmidt in
/// doubles.
pub(super) fn orthogonal(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut found: Vec<Vec<f64>> = Vec::with_capacity(rows);
    while found.len() < rows {
        let mut row: Vec<f64> = (0..columns).map(|_| normal(rng)).collect();
        // Twice, since one pass leaves rounding errors along the earlier rows.
        for _ in 0..2 {
            for earlier in &found {
                let along: f64 = row.iter().zip(earlier).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(earlier).for_each(|(a, b)| *a -= along * b);
            }
        }
        let norm = row.iter().map(|a| a * a).sum::<f64>().sqrt();
        if norm > 1e-6 {
            row.iter_mut().for_each(|a| *a /= norm);
            found.push(row);
        }
    }
    if rows == columns {
        // The transpose of an orthogonal matrix is one, too: this is the one that was drawn before there were other shapes.
        return (0..rows * columns).map(|i| found[i % columns][i / columns] as f32).collect();
    }
    found.concat().into_iter().map(|value| value as f32).collect()
}

/// 0.9 times the identity and Gaussian noise of 0.01: each unit starts as a slowly leaking sum,
/// which lets gradients pass hundreds of steps (after Le, Jaitly and Hinton 2015).
pub(super) fn identity_like(n: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let diagonal = |i: usize| if i / n == i % n { 0.9 } else { 0.0 };
    (0..n * n).map(|i| diagonal(i) + 0.01 * normal(rng) as f32).collect()
}

/// A standard normal number, by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Why these are not candle's.
    #[test]
    fn candle_cannot_be_seeded_on_the_cpu() {
        assert!(candle_core::Device::Cpu.set_seed(1).is_err());
    }

    #[test]
    fn orthogonal_is() {
        let n = 30;
        for columns in [n, 3 * n, 4 * n] {
            let q = orthogonal(n, columns, &mut ChaCha8Rng::seed_from_u64(3));
            for (i, a) in q.chunks_exact(columns).enumerate() {
                for (j, b) in q.chunks_exact(columns).enumerate() {
                    let dot: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    let wanted = if i == j { 1.0 } else { 0.0 };
                    assert!((dot - wanted).abs() < 1e-5, "rows {i} and {j} of {n} x {columns}: {dot}");
                }
            }
        }
    }

    #[test]
    fn glorot_keeps_its_limit() {
        let values = glorot_uniform(20, 30, &mut ChaCha8Rng::seed_from_u64(3));
        let limit = (6.0f32 / 50.0).sqrt();
        let largest = values.iter().fold(0f32, |m, v| m.max(v.abs()));
        assert!(values.len() == 600 && largest <= limit && largest > 0.95 * limit, "{largest} of {limit}");
    }
}
