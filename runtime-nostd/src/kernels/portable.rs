//! The kernels for every target: plain Rust, and the oracle for any other.

/// Rows whose weights lie together, so that one pass over the input feeds as many accumulators.
pub(crate) const BLOCK: usize = 4;

/// Multiplies one block of a weight matrix with an input vector: `sums[r] = Σ weights[i][r] · x[i]`.
///
/// `weights` holds, for each input in order, the weights of the block's [`BLOCK`] rows. The input
/// comes as pairs of index and value, so that zeros can be left out: a ReLU state is mostly zeros.
#[inline]
pub(crate) fn dot_block(weights: &[u8], inputs: impl Iterator<Item = (u8, i8)>) -> [i32; BLOCK] {
    let (columns, _) = weights.as_chunks::<BLOCK>();
    let mut sums = [0; BLOCK];
    for (index, value) in inputs {
        // The loader proved that every index has its column.
        if let Some(&[w0, w1, w2, w3]) = columns.get(usize::from(index)) {
            let value = i32::from(value);
            sums[0] += i32::from(w0 as i8) * value;
            sums[1] += i32::from(w1 as i8) * value;
            sums[2] += i32::from(w2 as i8) * value;
            sums[3] += i32::from(w3 as i8) * value;
        }
    }
    sums
}

/// The dot product of one row of weights and a vector.
#[inline]
pub(crate) fn dot(weights: &[u8], input: &[i8]) -> i32 {
    weights.iter().zip(input).map(|(&w, &x)| i32::from(w as i8) * i32::from(x)).sum()
}
