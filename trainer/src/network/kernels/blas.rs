//! Products by the library that candle links for its features `mkl` and `accelerate`.

use std::ffi::c_int;

use super::{Matrix, Mode};

unsafe extern "C" {
    /// `c = alpha · op(a) · op(b) + beta · c`, all of them column-major (BLAS, level 3).
    fn sgemm_(
        transpose_a: *const u8,
        transpose_b: *const u8,
        m: *const c_int,
        n: *const c_int,
        k: *const c_int,
        alpha: *const f32,
        a: *const f32,
        lda: *const c_int,
        b: *const f32,
        ldb: *const c_int,
        beta: *const f32,
        c: *mut f32,
        ldc: *const c_int,
    );
}

/// Multiplies two matrices into the row-major `out`.
pub(super) fn multiply(out: &mut [f32], mode: Mode, a: Matrix<'_>, b: Matrix<'_>) {
    let (rows, inner, columns) = (a.rows as c_int, a.columns as c_int, b.columns as c_int);
    if rows == 0 || columns == 0 {
        return;
    }
    let beta = if mode == Mode::Add { 1.0 } else { 0.0 };
    // Row by row, `out` is the transpose of what BLAS makes, `b^T · a^T`; a row-major matrix is to it its transpose.
    let form = |matrix: &Matrix<'_>| match matrix.transposed {
        false => (b'N', matrix.stride.max(1) as c_int),
        true => (b'T', matrix.stride.max(1) as c_int),
    };
    let ((of_b, ldb), (of_a, lda)) = (form(&b), form(&a));
    // SAFETY: `super::multiply` and `Matrix::new` have checked that the slices hold what these dimensions reach.
    unsafe {
        sgemm_(
            &of_b,
            &of_a,
            &columns,
            &rows,
            &inner,
            &1.0,
            b.values.as_ptr(),
            &ldb,
            a.values.as_ptr(),
            &lda,
            &beta,
            out.as_mut_ptr(),
            &columns,
        );
    }
}
