//! Columns of kernels as the device has them: rounded, two in a halfword.

use super::{Cell, Definition as _, with_definition};

/// Rounds to an `i8`, symmetrically: -128 is not used.
pub(crate) fn int8(value: f32) -> i8 {
    value.round().clamp(-127.0, 127.0) as i8
}

/// A column of a layer's kernels as the device sums it up.
pub(crate) struct Sum {
    /// The column.
    pub(crate) column: usize,
    /// `-1.0` if the device has the complement of the gate, whose weights have the other sign.
    pub(super) sign: f32,
    /// The column that shares its halfword and has the low byte, and that one's sign; none if it has the low byte itself, or a
    /// byte of its own.
    pub(super) even: Option<(usize, f32)>,
}

impl Sum {
    /// That of a column, in a layer of so many units.
    pub(crate) fn of(cell: Cell, units: usize, column: usize) -> Self {
        with_definition!(cell, |cell| cell.sum(units, column))
    }

    /// Whether its weights are whole halfwords, in 256ths.
    pub(crate) fn is_odd(&self) -> bool {
        self.even.is_some()
    }

    /// A number with the device's sign.
    pub(crate) fn signed(&self, number: f32) -> f32 {
        self.sign * number
    }

    /// Its weight on the device in 256ths, where `step` gives the steps of a column.
    pub(crate) fn in_256ths(&self, step: impl Fn(usize) -> f32) -> i32 {
        let own = self.signed(step(self.column));
        match self.even {
            None => 256 * i32::from(int8(own)),
            Some((even, sign)) => halfword(sign * step(even), own).into(),
        }
    }
}

/// Two weights in steps as a halfword: the even one plus 256 times the odd one, so that the whole is the odd one in 256ths.
fn halfword(even: f32, odd: f32) -> i16 {
    let even = i16::from(int8(even));
    256 * i16::from(int8(odd - f32::from(even) / 256.0)) + even
}
