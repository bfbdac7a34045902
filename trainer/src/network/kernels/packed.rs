//! Products with a matrix that is laid out once for many of them, as the kernel of a recurrent layer is for all steps of a
//! batch. `gemm` lays out its operands again in each call, which for so few rows takes as long as the product itself.
//!
//! Each sum is made as `gemm` makes it: from zero on, in the order of the inner dimension, each product and sum rounded once (FMA),
//! and then added to what is there. So the bits are `gemm`'s, up to 512 terms. Without such instructions, `gemm` makes the
//! products.

use gemm::Parallelism;
use pulp::{Arch, Simd, WithSimd};

use super::{Matrix, Mode, multiply};

/// Vector registers side by side in a panel, at most: three are as many as leave room for the sums of eight rows in 32
/// registers, or of four rows in 16.
const WIDEST: usize = 3;

/// Products of so few values are left to `gemm`, which adds up some of them in another order. Models that were trained so are
/// built again to the bit.
const SMALL: usize = 256;

/// Numbers in a cache line.
const LINE: usize = 16;

/// A right-hand side.
pub(crate) struct Packed<'a> {
    matrix: Matrix<'a>,
    panels: Option<Panels>,
}

impl<'a> Packed<'a> {
    /// Lays out a matrix.
    pub(crate) fn new(matrix: Matrix<'a>) -> Self {
        Self { matrix, panels: Panels::new(matrix.rows, matrix.columns, &[matrix]) }
    }

    /// Multiplies `a`, row by row, with the matrix, into the row-major `out`.
    pub(crate) fn multiply(&self, out: &mut [f32], mode: Mode, a: &[f32]) {
        let (inner, columns) = (self.matrix.rows, self.matrix.columns);
        let rows = a.len() / inner.max(1);
        let a_matrix = Matrix::new(a, rows, inner);
        assert_eq!(out.len(), rows * columns, "a {rows} x {columns} product");
        match &self.panels {
            Some(panels) if out.len() > SMALL => {
                let left = [Left { values: a, terms: inner, row: inner, term: 1 }];
                panels.arch.dispatch(Product { out, mode, left: &left, rows, columns, panels });
            }
            _ => multiply(out, mode, a_matrix, self.matrix, Parallelism::None),
        }
    }
}

/// Adds `a^T · b` to the row-major `out`, for each of some pairs of matrices of `rows` rows.
pub(crate) fn add_outer(out: &mut [f32], rows: usize, pairs: &[(&[f32], &[f32])]) {
    let Some((a, b)) = pairs.first() else { return };
    let (above, columns) = (a.len() / rows, b.len() / rows);
    assert_eq!(out.len(), above * columns, "a {above} x {columns} product");
    let matrix = |values, columns| Matrix::new(values, rows, columns);
    let rights: Vec<_> = pairs.iter().map(|(_, b)| matrix(b, columns)).collect();
    match Panels::new(rows * pairs.len(), columns, &rights) {
        Some(panels) => {
            let left = |a| Left { values: matrix(a, above).values, terms: rows, row: 1, term: above };
            let left: Vec<_> = pairs.iter().map(|(a, _)| left(a)).collect();
            let product =
                Product { out, mode: Mode::Add, left: &left, rows: above, columns, panels: &panels };
            panels.arch.dispatch(product);
        }
        None => {
            for ((a, _), b) in pairs.iter().zip(rights) {
                multiply(out, Mode::Add, matrix(a, above).t(), b, Parallelism::None);
            }
        }
    }
}

/// Columns in panels as wide as some vector registers, row after row, the last one filled up with zeros.
struct Panels {
    arch: Arch,
    /// Vector registers of each panel.
    widths: Vec<usize>,
    /// Rows of all panels.
    inner: usize,
    values: Vec<f32>,
    /// The first of the values that is used, at the begin of a cache line.
    first: usize,
}

impl Panels {
    /// Of matrices one below the other, with `inner` rows altogether; none if this processor has no instructions for them.
    fn new(inner: usize, columns: usize, matrices: &[Matrix<'_>]) -> Option<Self> {
        let arch = Arch::new();
        if matches!(arch, Arch::Scalar) || inner == 0 || columns == 0 {
            return None;
        }
        let lanes = arch.dispatch(LanesOf);
        let vectors = columns.div_ceil(lanes);
        let count = vectors.div_ceil(WIDEST);
        let widths: Vec<usize> =
            (0..count).map(|panel| vectors / count + usize::from(panel < vectors % count)).collect();
        let mut values = vec![0.0; inner * vectors * lanes + LINE];
        // What cannot be found out is no worse than slow.
        let first = values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        let (mut rest, mut column) = (&mut values[first..], 0);
        for width in &widths {
            let width = width * lanes;
            let (panel, others) = rest.split_at_mut(inner * width);
            let mut rows = panel.chunks_exact_mut(width);
            for matrix in matrices {
                let used = width.min(columns - column);
                for (row, to) in (0..matrix.rows).zip(&mut rows) {
                    if matrix.transposed {
                        let from =
                            matrix.values[column * matrix.stride + row..].iter().step_by(matrix.stride);
                        to[..used].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                    } else {
                        to[..used].copy_from_slice(&matrix.values[row * matrix.stride + column..][..used]);
                    }
                }
            }
            column += width;
            rest = others;
        }
        Some(Self { arch, widths, inner, values, first })
    }
}

/// How many numbers a vector register holds.
struct LanesOf;

impl WithSimd for LanesOf {
    type Output = usize;

    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// A part of a left-hand side: some of its columns.
#[derive(Clone, Copy)]
struct Left<'a> {
    values: &'a [f32],
    /// Columns.
    terms: usize,
    /// Distance in memory from row to row.
    row: usize,
    /// Distance in memory from column to column.
    term: usize,
}

/// A product.
struct Product<'a> {
    out: &'a mut [f32],
    mode: Mode,
    /// Side by side, as many columns altogether as the panels have rows.
    left: &'a [Left<'a>],
    rows: usize,
    columns: usize,
    panels: &'a Panels,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let terms: usize = self.left.iter().map(|left| left.terms).sum();
        assert_eq!(terms, self.panels.inner, "inner dimensions");
        for left in self.left {
            let reached = match (self.rows, left.terms) {
                (0, _) | (_, 0) => 0,
                (rows, terms) => (rows - 1) * left.row + (terms - 1) * left.term + 1,
            };
            assert!(reached <= left.values.len(), "a left-hand side");
        }
        let mut column = 0;
        let mut rest = &self.panels.values[self.panels.first..];
        for width in &self.panels.widths {
            let (panel, others) = rest.split_at(self.panels.inner * width * S::F32_LANES);
            match width {
                1 => self.panel::<S, 1>(simd, panel, column),
                2 => self.panel::<S, 2>(simd, panel, column),
                _ => self.panel::<S, WIDEST>(simd, panel, column),
            }
            column += width * S::F32_LANES;
            rest = others;
        }
    }
}

impl Product<'_> {
    /// All rows with a panel, whose first column is `column`.
    #[inline(always)]
    fn panel<S: Simd, const V: usize>(&mut self, simd: S, panel: &[f32], column: usize) {
        let mut row = 0;
        if S::REGISTER_COUNT >= 32 {
            while row + 8 <= self.rows {
                self.tile::<S, 8, V>(simd, panel, row, column);
                row += 8;
            }
        }
        while row + 4 <= self.rows {
            self.tile::<S, 4, V>(simd, panel, row, column);
            row += 4;
        }
        while row < self.rows {
            self.tile::<S, 1, V>(simd, panel, row, column);
            row += 1;
        }
    }

    /// `R` rows with a panel of `V` vector registers.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        panel: &[f32],
        row: usize,
        column: usize,
    ) {
        let (panel, _) = S::as_simd_f32s(panel);
        assert!(row + R <= self.rows && panel.len() == self.panels.inner * V);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let mut right = panel.as_ptr();
        for left in self.left {
            // SAFETY: the values of this left-hand side reach at least to its last term of the last row, as `with_simd` has
            // checked, and these rows are among them.
            let mut values = unsafe { left.values.as_ptr().add(row * left.row) };
            for _ in 0..left.terms {
                // SAFETY: all left-hand sides together have as many terms as the panel has rows, as `with_simd` has
                // checked; so `right` is at one of them. For `values`, see above.
                unsafe {
                    let vectors: [S::f32s; V] = std::array::from_fn(|vector| *right.add(vector));
                    for (index, sums) in sums.iter_mut().enumerate() {
                        let value = simd.splat_f32s(*values.add(index * left.row));
                        for (sum, vector) in sums.iter_mut().zip(vectors) {
                            *sum = simd.mul_add_e_f32s(value, vector, *sum);
                        }
                    }
                    right = right.add(V);
                }
                values = values.wrapping_add(left.term);
            }
        }
        for (index, sums) in sums.into_iter().enumerate() {
            let out = &mut self.out[(row + index) * self.columns..][..self.columns][column..];
            let (whole, rest) = S::as_mut_simd_f32s(out);
            for (out, sum) in whole.iter_mut().zip(sums) {
                *out = if self.mode == Mode::Add { simd.add_f32s(*out, sum) } else { sum };
            }
            if let Some(&sum) = sums.get(whole.len()).filter(|_| !rest.is_empty()) {
                let before = simd.partial_load_f32s(rest);
                let sum = if self.mode == Mode::Add { simd.add_f32s(before, sum) } else { sum };
                simd.partial_store_f32s(rest, sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(length: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..length).map(|_| next()).collect()
    }

    /// Bits, not values: a recurrent layer's states are the same whoever makes the products.
    #[test]
    fn sums_are_gemm_s() {
        for (rows, inner, columns) in
            [(32, 100, 100), (32, 16, 16), (13, 37, 50), (64, 300, 129), (7, 500, 64)]
        {
            let a = random(rows * inner, 1);
            for transposed in [false, true] {
                let b = random(inner * columns, 2);
                let b = match transposed {
                    false => Matrix::new(&b, inner, columns),
                    true => Matrix::new(&b, columns, inner).t(),
                };
                for mode in [Mode::Set, Mode::Add] {
                    let mut out = random(rows * columns, 3);
                    let mut wanted = out.clone();
                    Packed::new(b).multiply(&mut out, mode, &a);
                    multiply(&mut wanted, mode, Matrix::new(&a, rows, inner), b, Parallelism::None);
                    assert!(out == wanted, "{rows} x {inner} x {columns}, transposed: {transposed}");
                }
            }
        }
    }

    #[test]
    fn multiplies_parts_of_a_matrix() {
        let (rows, inner, columns) = (9, 20, 3 * 31);
        let (a, b) = (random(rows * inner, 1), random(inner * columns, 2));
        let b = Matrix::new(&b, inner, columns);
        let mut whole = vec![0.0; rows * columns];
        multiply(&mut whole, Mode::Set, Matrix::new(&a, rows, inner), b, Parallelism::None);
        let part = b.part(31, 31);
        let mut out = vec![0.0; rows * 31];
        Packed::new(part).multiply(&mut out, Mode::Set, &a);
        for (out, whole) in out.chunks_exact(31).zip(whole.chunks_exact(columns)) {
            assert_eq!(out, &whole[31..62]);
        }
        // And its transpose.
        let (a, mut out, mut wanted) =
            (random(rows * 31, 3), vec![0.0; rows * inner], vec![0.0; rows * inner]);
        Packed::new(part.t()).multiply(&mut out, Mode::Set, &a);
        multiply(&mut wanted, Mode::Set, Matrix::new(&a, rows, 31), part.t(), Parallelism::None);
        assert_eq!(out, wanted);
    }

    #[test]
    fn adds_outer_products() {
        for (rows, above, columns) in [(32, 100, 100), (5, 3, 7), (1, 16, 48)] {
            let (a, b) = (random(rows * above, 1), random(rows * columns, 2));
            let (c, d) = (random(rows * above, 3), random(rows * columns, 4));
            let mut out = random(above * columns, 5);
            let mut wanted: Vec<f64> = out.iter().copied().map(f64::from).collect();
            for (left, right) in [(&a, &b), (&c, &d)] {
                for (left, right) in left.chunks_exact(above).zip(right.chunks_exact(columns)) {
                    for (wanted, left) in wanted.chunks_exact_mut(columns).zip(left) {
                        wanted.iter_mut().zip(right).for_each(|(sum, right)| *sum += f64::from(left * right));
                    }
                }
            }
            add_outer(&mut out, rows, &[(&a, &b), (&c, &d)]);
            for (out, wanted) in out.iter().zip(wanted) {
                assert!(
                    (f64::from(*out) - wanted).abs() < 1e-5,
                    "{rows} x {above} x {columns}: {out}, {wanted}"
                );
            }
        }
    }
}
