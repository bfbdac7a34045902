//! The numbers of a state.

/// The outputs of the last layer: a number for each of its units, as integers of 8 bits (SimpleRNN) or of 16 bits (GRU
/// and LSTM).
///
/// ```
/// use kilornn::Values;
///
/// let values = Values::Int8(&[3, -4]);
/// assert_eq!((values.len(), values.get(1), values.get(2)), (2, Some(-4), None));
/// assert_eq!(values.iter().sum::<i32>(), -1);
/// assert_eq!(values.int8(), Some(&[3, -4][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Values<'s> {
    /// Of a SimpleRNN, each in the scale of its unit.
    Int8(&'s [i8]),
    /// Of a layer with gates: the largest is 2 to the power of the layer's `state_bits`, which stands for 1, or for a
    /// FastGRNN's limit.
    /// Needs the feature of a cell with gates.
    #[cfg(kilornn_gates)]
    Int16(&'s [i16]),
}

impl<'s> Values<'s> {
    /// How many numbers there are. See [`Values`] for an example.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Values::Int8(values) => values.len(),
            #[cfg(kilornn_gates)]
            Values::Int16(values) => values.len(),
        }
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(!kilornn::Values::Int8(&[0]).is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of one unit, or `None` if there is no such unit. See [`Values`] for an example.
    #[must_use]
    pub fn get(&self, unit: usize) -> Option<i32> {
        match self {
            Values::Int8(values) => values.get(unit).map(|&value| value.into()),
            #[cfg(kilornn_gates)]
            Values::Int16(values) => values.get(unit).map(|&value| value.into()),
        }
    }

    /// The numbers in order. See [`Values`] for an example.
    pub fn iter(&self) -> impl Iterator<Item = i32> + use<'s> {
        let values = *self;
        (0..values.len()).map_while(move |unit| values.get(unit))
    }

    /// The numbers of a SimpleRNN; `None` if they have 16 bits. See [`Values`] for an example.
    #[inline]
    #[must_use]
    pub const fn int8(self) -> Option<&'s [i8]> {
        match self {
            Values::Int8(values) => Some(values),
            #[cfg(kilornn_gates)]
            Values::Int16(_) => None,
        }
    }
}
