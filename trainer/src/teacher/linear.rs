//! A linear classifier: L2-regularized, with squared hinge loss, by dual coordinate descent (Hsieh et al. 2008, "A
//! dual coordinate descent method for large-scale linear SVM"; LIBLINEAR's solver 1).

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Sparse vectors, by index.
pub(super) trait Vectors {
    /// Places and values of one.
    fn vector(&self, index: usize) -> impl Iterator<Item = (u32, f32)>;
}

/// Passes over the examples. The loss has settled long before in all that was tried.
const PASSES: usize = 12;

/// Weights for which `sign(w · x)` tells a class from the rest, made from the `examples`; `positive` says which of them
/// are of the class; each counts `cost` times in the loss. The last weight is that of a constant 1.
pub(super) fn train(
    vectors: &impl Vectors,
    examples: &[usize],
    positive: impl Fn(usize) -> bool,
    slots: usize,
    cost: f32,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    let mut weights = vec![0.0; slots + 1];
    let diagonal = 0.5 / cost;
    let mut duals: Vec<Dual> = (examples.iter())
        .map(|&example| {
            let square = vectors.vector(example).map(|(_, value)| value * value).sum::<f32>();
            Dual {
                example,
                side: if positive(example) { 1.0 } else { -1.0 },
                curvature: 1.0 + diagonal + square,
                alpha: 0.0,
            }
        })
        .collect();
    for _ in 0..PASSES {
        duals.shuffle(rng);
        for Dual { example, side, curvature, alpha } in &mut duals {
            let gradient = *side * score(&weights, vectors, *example) - 1.0 + diagonal * *alpha;
            let next = (*alpha - gradient / *curvature).max(0.0);
            let step = (next - *alpha) * *side;
            if step != 0.0 {
                *alpha = next;
                weights[slots] += step;
                vectors.vector(*example).for_each(|(at, value)| weights[at as usize] += step * value);
            }
        }
    }
    weights
}

/// An example's variable in the dual problem.
struct Dual {
    example: usize,
    side: f32,
    curvature: f32,
    alpha: f32,
}

/// `w · x`.
pub(super) fn score(weights: &[f32], vectors: &impl Vectors, example: usize) -> f32 {
    let constant = weights[weights.len() - 1];
    vectors.vector(example).fold(constant, |sum, (at, value)| sum + weights[at as usize] * value)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    impl Vectors for Vec<Vec<(u32, f32)>> {
        fn vector(&self, index: usize) -> impl Iterator<Item = (u32, f32)> {
            self[index].iter().copied()
        }
    }

    #[test]
    fn reaches_the_minimum_of_its_loss() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let vectors: Vec<Vec<(u32, f32)>> =
            (0..60).map(|_| (0..3).map(|at| (at, rng.random::<f32>() - 0.5)).collect()).collect();
        let noise: Vec<f32> = vectors.iter().map(|_| rng.random::<f32>() * 0.3).collect();
        let positive = |index: usize| {
            let x: &Vec<(u32, f32)> = &vectors[index];
            x[0].1 + x[1].1 * 0.5 + noise[index] > 0.1
        };
        let (all, cost): (Vec<usize>, f32) = ((0..60).collect(), 0.7);
        let weights = train(&vectors, &all, positive, 3, cost, &mut rng);
        let loss = |weights: &[f32]| {
            let hinge = |&index: &usize| {
                let side = if positive(index) { 1.0 } else { -1.0 };
                (1.0 - side * score(weights, &vectors, index)).max(0.0).powi(2)
            };
            weights.iter().map(|w| 0.5 * w * w).sum::<f32>() + cost * all.iter().map(hinge).sum::<f32>()
        };
        let least = loss(&weights);
        for at in 0..4 {
            for by in [-0.02, 0.02] {
                let mut other = weights.clone();
                other[at] += by;
                assert!(loss(&other) > least, "weight {at} is not at the minimum");
            }
        }
    }
}
