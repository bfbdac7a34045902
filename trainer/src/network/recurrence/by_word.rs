//! Sums over the occurrences of each word of a batch: its gradient, and the squares that Keras 3's RMSprop adds up.

use std::sync::Mutex;

use rayon::prelude::*;

use super::{Recurrence, TEXTS};
use crate::network::batch::Batch;
use crate::network::cells::Step;
use crate::network::kernels::{Matrix, Mode, Packed, zeros};

/// Words whose gradients one thread adds up at a time.
const WORDS: usize = 64;

/// For each word of a batch, the sum over its occurrences of the squared gradient of its embedding. For a word that occurs once,
/// that is the square of its gradient, which [`Projection`](crate::network::projection::Projection) makes anyway.
#[derive(Debug)]
pub(in crate::network) struct Squares {
    /// `width × gates·units`, the input kernel.
    kernel: Vec<f32>,
    width: usize,
    sums: Mutex<Sums>,
}

/// What has been added up.
#[derive(Debug, Default)]
pub(in crate::network) struct Sums {
    /// `words × width`; zeros for words that occur once.
    pub(in crate::network) squares: Vec<f32>,
    /// Which words occur once.
    pub(in crate::network) once: Vec<bool>,
}

impl Squares {
    /// Of words whose embeddings go through this kernel.
    pub(in crate::network) fn new(kernel: &[f32], width: usize) -> Self {
        Self { kernel: kernel.to_vec(), width, sums: Mutex::default() }
    }

    fn put(&self, sums: Sums) {
        if let Ok(mut place) = self.sums.lock() {
            *place = sums;
        }
    }

    /// The sums.
    pub(in crate::network) fn take(&self) -> Sums {
        self.sums.lock().map(|mut sums| std::mem::take(&mut *sums)).unwrap_or_default()
    }
}

impl<C: Step> Recurrence<C> {
    /// Adds up the gradients of the accumulators' inputs for each of `rows` words, and their squares, if they are asked for.
    /// `left` has those of all steps, block by block.
    pub(super) fn by_word(&self, left: &[Vec<&mut [f32]>], rows: usize, units: usize) -> Vec<f32> {
        let columns = C::GATES * units;
        let (occurrences, once) = self.occurrences(rows, units);
        let mut of_projected = zeros(rows * columns);
        let squares = self.squares.as_deref();
        let width = squares.map_or(0, |squares| squares.width);
        let kernel = squares.map(|squares| Matrix::new(&squares.kernel, width, columns));
        let kernel = kernel.map(|kernel| Packed::new(vec![kernel.t()]));
        let mut of_squares = zeros(rows * width);
        let mut squares_of = of_squares.chunks_mut((WORDS * width).max(1));
        let words: Vec<_> = of_projected
            .chunks_mut((WORDS * columns).max(1))
            .map(|sums| (sums, squares_of.next().unwrap_or_default()))
            .collect();
        words.into_par_iter().zip(occurrences).enumerate().for_each(|(chunk, ((sums, squares), places))| {
            let word = |place: u32| self.tokens[place as usize] as usize - chunk * WORDS;
            let gradients = |place: u32| {
                let (step, text) = (place as usize / self.texts, place as usize % self.texts);
                let (block, text) = (text / TEXTS, text % TEXTS);
                let (step, texts) = (&left[block][step], self.texts_of(block));
                (0..C::GATES).map(move |gate| &step[(gate * texts + text) * units..][..units])
            };
            let squared = |place: u32| kernel.is_some() && !once[chunk * WORDS + word(place)];
            let (mut gathered, mut each) = (vec![0.0; TEXTS * columns], vec![0.0; TEXTS * width]);
            for places in places.chunks(TEXTS) {
                let mut rows = gathered.chunks_exact_mut(columns);
                self.arch.dispatch(|| {
                    for &place in places {
                        let sums = &mut sums[word(place) * columns..][..columns];
                        for (sums, gradient) in sums.chunks_exact_mut(units).zip(gradients(place)) {
                            sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
                        }
                        if let Some(row) = squared(place).then(|| rows.next()).flatten() {
                            for (row, gradient) in row.chunks_exact_mut(units).zip(gradients(place)) {
                                row.copy_from_slice(gradient);
                            }
                        }
                    }
                });
                let Some(kernel) = &kernel else { continue };
                let places = places.iter().copied().filter(|&place| squared(place));
                let count = places.clone().count();
                let each = &mut each[..count * width];
                kernel.multiply(each, Mode::Set, &gathered[..count * columns]);
                self.arch.dispatch(|| {
                    for (place, gradient) in places.zip(each.chunks_exact(width.max(1))) {
                        let sums = &mut squares[word(place) * width..][..width];
                        sums.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g * g);
                    }
                });
            }
        });
        drop(kernel);
        if let Some(squares) = squares {
            squares.put(Sums { squares: of_squares, once });
        }
        of_projected
    }

    /// The places in `tokens` at which words occur, for each [`WORDS`] of `rows` words; word by word, and of each word in the
    /// order of [`chunks`](Self::chunks). And which words occur once.
    fn occurrences(&self, rows: usize, units: usize) -> (Vec<Vec<u32>>, Vec<bool>) {
        let mut counts = vec![0; rows];
        let known = |token: u32| token != Batch::MASKED;
        self.tokens.iter().filter(|token| known(**token)).for_each(|&token| counts[token as usize] += 1);
        let once = counts.iter().map(|&count| count == 1).collect();
        let mut places: Vec<Vec<u32>> = Vec::new();
        // From counts to where the next occurrence of each word goes.
        for counts in counts.chunks_mut(WORDS) {
            let mut sum = 0;
            counts.iter_mut().for_each(|count| sum += std::mem::replace(count, sum));
            places.push(vec![0; sum]);
        }
        for first in self.chunks(units) {
            let chunk = first * self.texts..self.steps.min(first + self.at_a_time(units)) * self.texts;
            for place in chunk.filter(|&place| known(self.tokens[place])) {
                let word = self.tokens[place] as usize;
                places[word / WORDS][counts[word]] = place as u32;
                counts[word] += 1;
            }
        }
        (places, once)
    }
}
