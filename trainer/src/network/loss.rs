//! Cross-entropy: value, gradient and accuracy of a batch of logits.

/// Sums over examples: loss, and how many were right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Sum of losses, in nats.
    pub loss: f64,
    /// Examples whose most probable class is the right one.
    pub correct: usize,
    /// Examples.
    pub examples: usize,
}

impl Score {
    /// The mean loss of an example.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.examples.max(1) as f64
    }

    /// The share of examples that were right.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.examples.max(1) as f64
    }
}

impl std::ops::AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.examples += other.examples;
    }
}

/// Scores one example. One logit is that of class 1 against class 0 (Keras's
/// `binary_crossentropy`, in the stable form of its TensorFlow backend); several are one for each
/// class (`sparse_categorical_crossentropy`).
pub fn score(logits: &[f32], class: usize) -> Score {
    let (loss, correct) = match *logits {
        [z] => {
            let z = f64::from(z);
            let y = if class == 1 { 1.0 } else { 0.0 };
            // A probability of exactly one half counts as class 0, as in Keras.
            (z.max(0.0) - z * y + (-z.abs()).exp().ln_1p(), (z > 0.0) == (class == 1))
        }
        _ => {
            let (best, largest) = first_largest(logits);
            let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
            (sum.ln() - f64::from(logits[class] - largest), best == class)
        }
    };
    Score { loss, correct: usize::from(correct), examples: 1 }
}

/// The gradient of an example's loss by its logits: probability minus target.
pub fn gradient(logits: &[f32], class: usize, out: &mut [f32]) {
    match (logits, out) {
        (&[z], [g]) => {
            let p = 1.0 / (1.0 + (-f64::from(z)).exp());
            *g = (p - if class == 1 { 1.0 } else { 0.0 }) as f32;
        }
        (logits, out) => {
            let (_, largest) = first_largest(logits);
            let sum: f64 = logits.iter().map(|&z| f64::from(z - largest).exp()).sum();
            for (index, (g, &z)) in out.iter_mut().zip(logits).enumerate() {
                let p = f64::from(z - largest).exp() / sum;
                *g = (p - if index == class { 1.0 } else { 0.0 }) as f32;
            }
        }
    }
}

/// The first of the largest values, and its index.
fn first_largest(values: &[f32]) -> (usize, f32) {
    values
        .iter()
        .copied()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (i, v)| if v > best.1 { (i, v) } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_stable_where_it_saturates() {
        assert!(score(&[200.0], 1).loss < 1e-80);
        assert_eq!(score(&[200.0], 0).loss, 200.0);
        assert_eq!(score(&[-200.0], 1).loss, 200.0);
        assert!((score(&[0.0], 1).loss - 2f64.ln()).abs() < 1e-12);
        assert_eq!((score(&[0.0], 0).correct, score(&[0.0], 1).correct), (1, 0));
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        for logits in [vec![0.3], vec![-2.0], vec![0.1, -0.4, 1.5]] {
            for class in 0..logits.len().max(2) {
                let mut analytic = vec![0.0; logits.len()];
                gradient(&logits, class, &mut analytic);
                for i in 0..logits.len() {
                    let at = |by: f32| {
                        let mut nudged = logits.clone();
                        nudged[i] += by;
                        score(&nudged, class).loss
                    };
                    let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                    assert!((numeric - f64::from(analytic[i])).abs() < 1e-4, "{logits:?} {class}");
                }
            }
        }
    }
}
