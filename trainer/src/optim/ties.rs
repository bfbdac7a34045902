//! Pairs that learn what they add to their word.
//!
//! The device reads a pair in place of its second word, so without it that word would be read (or an unknown one). Trained
//! by itself, the row of a rare pair would know less than the word's. So what is trained for a pair is the *difference* of
//! the two rows: it begins at zero, the word's row learns from its pairs too, and weight decay pulls a pair to its word.

use crate::network::{Gradients, Parameter};

/// Which rows of an embedding are those of pairs, and of which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ties {
    /// For each row, if it is that of a pair: the row of what is read without it, which is no pair.
    of_row: Vec<Option<u32>>,
}

impl Ties {
    /// From the row that each row is tied to, if it is that of a pair.
    pub fn new(of_row: Vec<Option<u32>>) -> Self {
        Self { of_row }
    }

    /// Before training: a pair is its word.
    pub fn begin(&self, embedding: &mut Parameter) {
        self.for_each(embedding, |pair, word| *pair = word);
    }

    /// The rows as they are trained: of pairs, the differences.
    pub fn part(&self, embedding: &mut Parameter) {
        self.for_each(embedding, |pair, word| *pair -= word);
    }

    /// The rows as they are read.
    pub fn join(&self, embedding: &mut Parameter) {
        self.for_each(embedding, |pair, word| *pair += word);
    }

    /// Some rows, which [`part`](Self::part) has left as they are trained, as they are read. Returns what those of pairs
    /// were, for [`restore`](Self::restore): to subtract the words again would not lead back to the same bits.
    pub fn join_some(&self, embedding: &mut Parameter, rows: &[u32]) -> Vec<f32> {
        let [_, width] = embedding.shape;
        let mut trained = Vec::new();
        for (pair, word) in self.pairs(rows.iter().copied()) {
            for column in 0..width {
                let word = embedding.values[word * width + column];
                let value = &mut embedding.values[pair * width + column];
                trained.push(*value);
                *value += word;
            }
        }
        trained
    }

    /// Puts the same rows back.
    pub fn restore(&self, embedding: &mut Parameter, rows: &[u32], trained: &[f32]) {
        let [_, width] = embedding.shape;
        for ((pair, _), trained) in self.pairs(rows.iter().copied()).zip(trained.chunks_exact(width)) {
            embedding.values[pair * width..][..width].copy_from_slice(trained);
        }
    }

    /// Rows, and those of the words of their pairs.
    pub fn with_words(&self, rows: &[u32]) -> Vec<u32> {
        let words = self.pairs(rows.iter().copied()).map(|(_, word)| word as u32);
        rows.iter().copied().chain(words).collect()
    }

    /// Which of these rows are those of pairs, with their word's.
    fn pairs(&self, rows: impl Iterator<Item = u32>) -> impl Iterator<Item = (usize, usize)> {
        rows.filter_map(|row| Some((row as usize, self.of_row[row as usize]? as usize)))
    }

    fn for_each(&self, embedding: &mut Parameter, change: impl Fn(&mut f32, f32)) {
        let [_, width] = embedding.shape;
        for (pair, word) in self.pairs(0..self.of_row.len() as u32) {
            for column in 0..width {
                let word = embedding.values[word * width + column];
                change(&mut embedding.values[pair * width + column], word);
            }
        }
    }

    /// The gradients of the rows as they are trained, from those of the rows as they are read.
    pub fn share(&self, gradients: &mut Gradients) {
        let Gradients { rows, embedding, squares, others: _ } = gradients;
        let width = embedding.len() / rows.len().max(1);
        let mut place_of = std::collections::HashMap::new();
        place_of.extend(rows.iter().copied().zip(0..));
        for place in 0..rows.len() {
            let Some(word) = self.of_row[rows[place] as usize] else { continue };
            let of_word = *place_of.entry(word).or_insert_with(|| {
                rows.push(word);
                rows.len() - 1
            });
            for sums in std::iter::once(&mut *embedding).chain(squares.as_mut()) {
                sums.resize(rows.len() * width, 0.0);
                for column in 0..width {
                    sums[of_word * width + column] += sums[place * width + column];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(values: &[f32]) -> Parameter {
        let shape = [values.len() / 2, 2];
        Parameter { name: "embedding".into(), shape, values: values.to_vec(), is_held_back: true }
    }

    #[test]
    fn rows_part_and_join() {
        let ties = Ties::new(vec![None, None, Some(1), Some(1)]);
        let mut rows = embedding(&[9.0, 9.0, 1.0, 2.0, 5.0, 5.0, 6.0, 6.0]);
        ties.part(&mut rows);
        assert_eq!(rows.values, [9.0, 9.0, 1.0, 2.0, 4.0, 3.0, 5.0, 4.0]);
        rows.values[2] += 1.0;
        ties.join(&mut rows);
        assert_eq!(rows.values, [9.0, 9.0, 2.0, 2.0, 6.0, 5.0, 7.0, 6.0], "pairs follow their word");
        ties.begin(&mut rows);
        assert_eq!(rows.values, [9.0, 9.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn some_rows_are_joined_and_put_back() {
        let ties = Ties::new(vec![None, None, Some(1), Some(1), Some(0)]);
        assert_eq!(ties.with_words(&[4, 1, 3]), [4, 1, 3, 0, 1]);
        // Of which the sums do not say what they are made of.
        let parted = embedding(&[9.0, 9.0, 1e9, 2.0, 4.0, 3.0, 1e-9, 4.0, 0.1, 0.2]);
        let mut rows = parted.clone();
        let trained = ties.join_some(&mut rows, &[4, 1, 3]);
        assert_eq!(rows.values, [9.0, 9.0, 1e9, 2.0, 4.0, 3.0, 1e9, 6.0, 9.1, 9.2]);
        ties.restore(&mut rows, &[4, 1, 3], &trained);
        assert_eq!(rows, parted);
    }

    /// The chain rule: a change of a word's row is one of all its pairs' rows.
    #[test]
    fn a_word_s_gradient_is_that_of_all_that_is_read_from_it() {
        let ties = Ties::new(vec![None, None, Some(1), Some(1), Some(0)]);
        let mut gradients = Gradients {
            rows: vec![2, 1, 3, 4],
            embedding: vec![1.0, 10.0, 2.0, 20.0, 4.0, 40.0, 8.0, 80.0],
            squares: Some(vec![1.0; 8]),
            others: Default::default(),
        };
        ties.share(&mut gradients);
        assert_eq!(gradients.rows, [2, 1, 3, 4, 0]);
        assert_eq!(gradients.embedding, [1.0, 10.0, 7.0, 70.0, 4.0, 40.0, 8.0, 80.0, 8.0, 80.0]);
        assert_eq!(gradients.squares.unwrap(), [1.0, 1.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
