//! Matrix products on slices, and functions of vector registers.

#[cfg(any(feature = "mkl", feature = "accelerate"))]
mod blas;
mod lanes;
mod packed;

use gemm::Parallelism;
use rayon::prelude::*;

pub(crate) use self::lanes::{AddTo, Lanes};
pub(crate) use self::packed::{Packed, add_outer};

/// A row-major matrix, or the transpose of one, as a view.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Distance in memory from row to row; of a transpose, from column to column.
    stride: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// `rows × columns` values, row by row.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a {rows} x {columns} matrix");
        Self { values, rows, columns, stride: columns, transposed: false }
    }

    /// The columns from `first` on, so many of them, of a matrix that is no transpose.
    pub(crate) fn part(self, first: usize, columns: usize) -> Self {
        assert!(!self.transposed && first + columns <= self.columns, "columns of a row-major matrix");
        Self { values: &self.values[first.min(self.values.len())..], columns, ..self }
    }

    /// Its transpose, without moving anything.
    pub(crate) fn t(self) -> Self {
        Self { rows: self.columns, columns: self.rows, transposed: !self.transposed, ..self }
    }

    /// Copies a row's columns from `first` on.
    fn copy_row(&self, row: usize, first: usize, to: &mut [f32]) {
        if self.transposed {
            let from = self.values[first * self.stride + row..].iter().step_by(self.stride);
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        } else {
            to.copy_from_slice(&self.values[row * self.stride + first..][..to.len()]);
        }
    }

    /// Distance in memory from column to column, and from row to row.
    fn strides(&self) -> (isize, isize) {
        if self.transposed { (self.stride as isize, 1) } else { (1, self.stride as isize) }
    }
}

/// So many zeros, written by all threads: the memory of a batch is too much for one of them to fill while the others wait.
pub(crate) fn zeros(length: usize) -> Vec<f32> {
    /// As many as a vector register holds, at most.
    const TOGETHER: usize = 16;
    let together = length.div_ceil(TOGETHER);
    let mut zeros: Vec<[f32; TOGETHER]> = Vec::new();
    (0..together).into_par_iter().with_min_len(1 << 12).map(|_| [0.0; TOGETHER]).collect_into_vec(&mut zeros);
    let mut zeros = zeros.into_flattened();
    zeros.truncate(length);
    zeros
}

/// Whether a product is added to what is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `out = a · b`
    Set,
    /// `out += a · b`
    Add,
}

/// Multiplies two matrices into the row-major `out`. The order in which products are summed, and
/// so every bit of the result, does not depend on the number of threads (unless another library, by one of candle's
/// features, makes the products that may have several).
pub(crate) fn multiply(out: &mut [f32], mode: Mode, a: Matrix<'_>, b: Matrix<'_>, threads: Parallelism) {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert_eq!(out.len(), a.rows * b.columns, "a {} x {} product", a.rows, b.columns);
    #[cfg(any(feature = "mkl", feature = "accelerate"))]
    if !matches!(threads, Parallelism::None) {
        return blas::multiply(out, mode, a, b);
    }
    let ((a_columns, a_rows), (b_columns, b_rows)) = (a.strides(), b.strides());
    // SAFETY: the assertions here and in `Matrix::new` keep every element that the dimensions and
    // strides reach inside its slice; `out` is borrowed mutably, so it overlaps neither input.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            mode == Mode::Add,
            a.values.as_ptr(),
            a_columns,
            a_rows,
            b.values.as_ptr(),
            b_columns,
            b_rows,
            1.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies() {
        let a = [1., 2., 3., 4., 5., 6.];
        let b = [1., 0., 2., 1., 1., 1.];
        let mut out = [10.; 4];
        multiply(&mut out, Mode::Add, Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2), Parallelism::None);
        assert_eq!(out, [18., 15., 14. + 10. + 6., 21.]);
        let mut out = [0.; 4];
        multiply(&mut out, Mode::Set, Matrix::new(&a, 3, 2).t(), Matrix::new(&b, 3, 2), Parallelism::None);
        assert_eq!(out, [1. + 6. + 5., 3. + 5., 2. + 8. + 6., 4. + 6.]);
    }

    #[test]
    fn many_threads_multiply_as_one_does() {
        let matrix = |rows: usize, columns: usize| -> Vec<f32> {
            (0..rows * columns).map(|i| (i * 7 % 13) as f32 - 6.0).collect()
        };
        let (rows, inner, columns) = (37, 21, 50);
        for (a_transposed, b_transposed) in [(false, false), (true, false), (false, true), (true, true)] {
            let of = |values, [rows, columns]: [usize; 2], transposed| match transposed {
                false => Matrix::new(values, rows, columns),
                true => Matrix::new(values, columns, rows).t(),
            };
            let (a, b) = (matrix(rows, inner), matrix(inner, columns));
            let (a, b) = (of(&a, [rows, inner], a_transposed), of(&b, [inner, columns], b_transposed));
            for mode in [Mode::Set, Mode::Add] {
                let (mut one, mut many) = (vec![3.0; rows * columns], vec![3.0; rows * columns]);
                multiply(&mut one, mode, a, b, Parallelism::None);
                multiply(&mut many, mode, a, b, Parallelism::Rayon(0));
                // Whole numbers, so that no order of summing rounds.
                assert_eq!(one, many);
            }
        }
    }
}
