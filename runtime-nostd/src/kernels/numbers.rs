//! What comes into a layer besides its own state.

#[cfg(kilornn_gates)]
use crate::Values;
use crate::layers::Embedding;

/// The numbers that come into a layer in one step.
#[derive(Clone, Copy)]
pub(super) enum Numbers<'s> {
    /// Those of a row of the embedding: none, if it is folded.
    Row { embedding: &'s Embedding<'s>, row: u32 },
    /// The outputs of the layer below, shifted to the left.
    #[cfg(kilornn_gates)]
    Below { values: Values<'s>, shift: u8 },
    /// Those of the step before, which are still where they were written, so many.
    InPlace {
        #[cfg(kilornn_gates)]
        width: u32,
    },
}

impl Numbers<'_> {
    /// The row of biases: the word's own, if the embedding is folded.
    #[inline(always)]
    pub(super) const fn bias_row(&self) -> u32 {
        match *self {
            Numbers::Row { embedding: Embedding::Folded, row } => row,
            _ => 0,
        }
    }

    /// The row of the embedding, if it is folded: then it is one of biases, in place of numbers.
    #[cfg(kilornn_gates)]
    #[inline(always)]
    pub(super) const fn folded_row(&self) -> Option<usize> {
        match *self {
            Numbers::Row { embedding: Embedding::Folded, row } => Some(row as usize),
            _ => None,
        }
    }

    /// How many there are.
    #[cfg(kilornn_gates)]
    #[inline(always)]
    pub(super) const fn len(&self) -> usize {
        match self {
            Numbers::Row { embedding, .. } => embedding.width() as usize,
            Numbers::Below { values, .. } => values.len(),
            Numbers::InPlace { width } => *width as usize,
        }
    }

    /// Calls `each` with each of them, in order; with none, if they are in place.
    #[cfg(any(kilornn_gates, not(kilornn_assembly)))]
    #[inline(always)]
    pub(super) fn for_each(
        self,
        #[cfg_attr(not(kilornn_gates), expect(unused_mut))] mut each: impl FnMut(i16),
    ) {
        match self {
            Numbers::Row { embedding, row } => embedding.for_each_multiplier(row, each),
            #[cfg(kilornn_gates)]
            Numbers::Below { values, shift } => {
                // The loader has checked that they have no more than 16 bits.
                values.iter().for_each(|value| each((value << shift) as i16));
            }
            Numbers::InPlace { .. } => {}
        }
    }

    /// Writes them to the first of these places.
    #[cfg(kilornn_gates)]
    #[inline(always)]
    pub(super) fn write<T: From<i16>>(self, places: &mut [T]) {
        let mut places = places.iter_mut();
        self.for_each(|number| {
            if let Some(place) = places.next() {
                *place = number.into();
            }
        });
    }
}
