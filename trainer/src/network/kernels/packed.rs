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

/// Numbers of a panel that fit in the nearest cache beside what it is multiplied with.
const NEAR: usize = 5 << 10;

/// Numbers in a cache line.
const LINE: usize = 16;

/// Right-hand sides of one shape, as the gates of a cell have them.
pub(crate) struct Packed<'a> {
    matrices: Vec<Matrix<'a>>,
    panels: Option<Panels>,
}

impl<'a> Packed<'a> {
    /// Lays out matrices side by side.
    pub(crate) fn new(matrices: Vec<Matrix<'a>>) -> Self {
        let panels = Panels::new(&[&matrices]);
        Self { matrices, panels }
    }

    /// Multiplies `a`, row by row, with each of the matrices, into the row-major products one after the other in `out`.
    pub(crate) fn multiply(&self, out: &mut [f32], mode: Mode, a: &[f32]) {
        let Some(&Matrix { rows: inner, columns, .. }) = self.matrices.first() else { return };
        let rows = a.len() / inner.max(1);
        let each = rows * columns;
        assert_eq!(out.len(), self.matrices.len() * each, "{rows} x {columns} products");
        match &self.panels {
            Some(panels) if each > SMALL => {
                let left = [Left { values: a, terms: inner, row: inner, term: 1 }];
                panels.arch.dispatch(Product { out, mode, left: &left, rows, columns, panels });
            }
            _ => {
                let a = Matrix::new(a, rows, inner);
                for (&matrix, out) in self.matrices.iter().zip(out.chunks_exact_mut(each.max(1))) {
                    multiply(out, mode, a, matrix, Parallelism::None);
                }
            }
        }
    }
}

/// For each of some pairs of a matrix `a` and matrices `b`, all of `rows` rows, adds `a^T · b` of each `b` to the row-major sums
/// one after the other in `out`.
pub(crate) fn add_outer(out: &mut [f32], rows: usize, pairs: &[(&[f32], Vec<&[f32]>)]) {
    let Some((a, rights)) = pairs.first() else { return };
    let (above, columns) = (a.len() / rows, rights[0].len() / rows);
    assert_eq!(out.len(), rights.len() * above * columns, "{above} x {columns} products");
    let matrix = |values, columns| Matrix::new(values, rows, columns);
    let right: Vec<Vec<_>> =
        pairs.iter().map(|(_, b)| b.iter().map(|b| matrix(b, columns)).collect()).collect();
    let below: Vec<&[Matrix<'_>]> = right.iter().map(|beside| &beside[..]).collect();
    match Panels::new(&below) {
        Some(panels) => {
            let left = |a| Left { values: matrix(a, above).values, terms: rows, row: 1, term: above };
            let left: Vec<_> = pairs.iter().map(|(a, _)| left(a)).collect();
            let product =
                Product { out, mode: Mode::Add, left: &left, rows: above, columns, panels: &panels };
            panels.arch.dispatch(product);
        }
        None => {
            for ((a, _), beside) in pairs.iter().zip(&right) {
                for (&b, out) in beside.iter().zip(out.chunks_exact_mut(above * columns)) {
                    multiply(out, Mode::Add, matrix(a, above).t(), b, Parallelism::None);
                }
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
    /// Of matrices side by side, and such rows of them one below the other; none if this processor has no instructions for
    /// them.
    fn new(below: &[&[Matrix<'_>]]) -> Option<Self> {
        let arch = Arch::new();
        let each = below.first()?.first()?.columns;
        let columns = each * below[0].len();
        let inner = below.iter().map(|beside| beside[0].rows).sum();
        if matches!(arch, Arch::Scalar) || inner == 0 || columns == 0 {
            return None;
        }
        let lanes = arch.dispatch(LanesOf);
        let vectors = columns.div_ceil(lanes);
        // Narrower, if a panel would leave the nearest cache no room for a left-hand side.
        let widest = if inner * WIDEST * lanes > NEAR { WIDEST - 1 } else { WIDEST };
        let count = vectors.div_ceil(widest);
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
            for beside in below {
                for (row, to) in (0..beside[0].rows).zip(&mut rows) {
                    let mut to = &mut to[..width.min(columns - column)];
                    let (first, mut skipped) = (column / each, column % each);
                    for matrix in &beside[first..] {
                        let (here, more) = to.split_at_mut(to.len().min(each - skipped));
                        matrix.copy_row(row, skipped, here);
                        (to, skipped) = (more, 0);
                        if to.is_empty() {
                            break;
                        }
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

/// A product with each of the matrices in panels.
struct Product<'a> {
    /// The products one after the other, each row-major.
    out: &'a mut [f32],
    mode: Mode,
    /// Side by side, as many columns altogether as the panels have rows.
    left: &'a [Left<'a>],
    rows: usize,
    /// Of each product.
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
        // Where the first of each vector's columns is: in which product, and which column of that.
        let places: [_; V] = std::array::from_fn(|vector| {
            let first = column + vector * S::F32_LANES;
            (first / self.columns, first % self.columns)
        });
        for (index, sums) in sums.into_iter().enumerate() {
            for (sum, place) in sums.into_iter().zip(places) {
                self.store(simd, row + index, place, sum);
            }
        }
    }

    /// Puts sums of a row where they belong, from a column of a product on: a vector may reach into the next products.
    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, row: usize, (product, column): (usize, usize), sums: S::f32s) {
        let start = (product * self.rows + row) * self.columns;
        let length = S::F32_LANES.min(self.columns - column);
        self.mode.store(simd, &mut self.out[start + column..][..length], sums);
        let (mut stored, mut start) = (length, start + self.rows * self.columns);
        while stored < S::F32_LANES && start < self.out.len() {
            let length = self.columns.min(S::F32_LANES - stored);
            let sums = simd.rotate_left_f32s(sums, stored);
            self.mode.store(simd, &mut self.out[start..][..length], sums);
            stored += length;
            start += self.rows * self.columns;
        }
    }
}

impl Mode {
    /// Puts the first of the numbers of a vector register into a slice that is no longer than that, or adds them to it.
    #[inline(always)]
    fn store<S: Simd>(self, simd: S, out: &mut [f32], values: S::f32s) {
        match S::as_mut_simd_f32s(out) {
            ([out, ..], _) => *out = if self == Self::Add { simd.add_f32s(*out, values) } else { values },
            ([], out) => {
                let before = simd.partial_load_f32s(out);
                let values = if self == Self::Add { simd.add_f32s(before, values) } else { values };
                simd.partial_store_f32s(out, values);
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
                    Packed::new(vec![b]).multiply(&mut out, mode, &a);
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
        Packed::new(vec![part]).multiply(&mut out, Mode::Set, &a);
        for (out, whole) in out.chunks_exact(31).zip(whole.chunks_exact(columns)) {
            assert_eq!(out, &whole[31..62]);
        }
        // And its transpose.
        let (a, mut out, mut wanted) =
            (random(rows * 31, 3), vec![0.0; rows * inner], vec![0.0; rows * inner]);
        Packed::new(vec![part.t()]).multiply(&mut out, Mode::Set, &a);
        multiply(&mut wanted, Mode::Set, Matrix::new(&a, rows, 31), part.t(), Parallelism::None);
        assert_eq!(out, wanted);
    }

    /// Vectors that reach from one product into the next ones.
    #[test]
    fn multiplies_matrices_side_by_side() {
        for (rows, inner, columns, count) in
            [(32, 100, 100, 4), (11, 20, 31, 3), (300, 7, 3, 5), (2, 5, 4, 3)]
        {
            let (a, b) = (random(rows * inner, 1), random(inner * columns * count, 2));
            let b: Vec<_> = b.chunks_exact(inner * columns).map(|b| Matrix::new(b, inner, columns)).collect();
            let mut out = random(rows * columns * count, 3);
            let mut wanted = out.clone();
            Packed::new(b.clone()).multiply(&mut out, Mode::Add, &a);
            for (b, wanted) in b.into_iter().zip(wanted.chunks_exact_mut(rows * columns)) {
                Packed::new(vec![b]).multiply(wanted, Mode::Add, &a);
            }
            assert!(out == wanted, "{count} of {rows} x {inner} x {columns}");
        }
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
            // And of the same left-hand sides with two right-hand sides each.
            let mut both = out.repeat(2);
            add_outer(&mut both, rows, &[(&a, vec![&b, &b]), (&c, vec![&d, &d])]);
            add_outer(&mut out, rows, &[(&a, vec![&b]), (&c, vec![&d])]);
            assert_eq!(both, out.repeat(2));
            for (out, wanted) in out.iter().zip(wanted) {
                assert!(
                    (f64::from(*out) - wanted).abs() < 1e-5,
                    "{rows} x {above} x {columns}: {out}, {wanted}"
                );
            }
        }
    }
}
