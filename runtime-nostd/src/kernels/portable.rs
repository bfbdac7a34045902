//! The kernels for every target: plain Rust, and the oracle for any other.

use super::{Scratch, Shifts};

/// Rows whose weights lie together, so that one pass over the input feeds as many accumulators.
pub(crate) const BLOCK: usize = 4;

/// Four rows of one column, as they lie in the file: two numbers `even + 256 * odd`. Where memory must be read
/// aligned, a word is one load and four bytes are many.
trait Word: Copy {
    fn get(self) -> i32;
}

impl Word for u32 {
    #[inline(always)]
    fn get(self) -> i32 {
        u32::from_le(self) as i32
    }
}

impl Word for [u8; 4] {
    #[inline(always)]
    fn get(self) -> i32 {
        i32::from_le_bytes(self)
    }
}

/// A unit that is not zero: the place of its column in the kernel, in words, and its value.
type Open = [u16; 2];

/// One step of a network whose input is a row of a folded table, in the usual case: whole blocks, in words, with
/// nothing to shift but input and output. Returns whether it was one.
///
/// The usual case is in a function of its own because the compiler then does it well.
#[cfg_attr(kilornn_arm_dsp, expect(dead_code, reason = "such cores have a kernel of their own for it"))]
pub(crate) fn step_folded<const UNITS: usize>(
    kernel: &[u8],
    shifts: Shifts,
    row: &[u8],
    values: &mut [i8],
    scratch: &mut Scratch<UNITS>,
) -> bool {
    let (row, rest) = row.as_chunks::<BLOCK>();
    let Ok(words) = bytemuck::try_cast_slice::<u8, u32>(kernel) else { return false };
    if !rest.is_empty() || shifts.recurrent != 0 {
        return false;
    }
    let open = list(values, bytemuck::cast_slice_mut(&mut scratch.sums));
    step_in_blocks(words, shifts, row, values.as_chunks_mut().0, open);
    true
}

#[inline(never)]
fn step_in_blocks(
    kernel: &[u32],
    shifts: Shifts,
    row: &[[u8; BLOCK]],
    values: &mut [[i8; BLOCK]],
    open: &[Open],
) {
    let half = shifts.half();
    for (block, (values, inputs)) in values.iter_mut().zip(row).enumerate() {
        let sums = product(kernel.get(block..).unwrap_or_default(), open);
        let sums = [sums[0], (sums[1] - sums[0]) >> 8, sums[2], (sums[3] - sums[2]) >> 8];
        for ((value, &input), sum) in values.iter_mut().zip(inputs).zip(sums) {
            let accumulator = half + (i32::from(input as i8) << shifts.input) + sum;
            *value = (accumulator >> shifts.output).clamp(0, 127) as i8;
        }
    }
}

/// One step in any case: `inputs` are those of a block's four units. Reads the kernel in bytes, which lie anywhere.
#[inline(never)]
pub(crate) fn step<const UNITS: usize>(
    kernel: &[u8],
    shifts: Shifts,
    inputs: impl Fn(usize) -> [i32; BLOCK],
    values: &mut [i8],
    scratch: &mut Scratch<UNITS>,
) {
    let open = list(values, bytemuck::cast_slice_mut(&mut scratch.sums));
    let words = kernel.as_chunks::<BLOCK>().0;
    for (block, values) in values.chunks_mut(BLOCK).enumerate() {
        let sums = product(words.get(block..).unwrap_or_default(), open);
        let last = finish(sums, inputs(block), shifts);
        values.iter_mut().zip(last).for_each(|(value, last)| *value = last);
    }
}

/// Lists the units that are not zero: most of a ReLU state is.
#[inline(never)]
fn list<'s>(values: &[i8], room: &'s mut [Open]) -> &'s [Open] {
    let column = values.len().div_ceil(BLOCK) as u16;
    let (mut place, mut count) = (0u16, 0);
    for &value in values {
        if value != 0
            && let Some(open) = room.get_mut(count)
        {
            *open = [place, value as u16];
            count += 1;
        }
        place = place.wrapping_add(column);
    }
    room.get(..count).unwrap_or_default()
}

/// The recurrent product of a block: for even rows their own and for odd rows 256 times their own plus that of the
/// row before. `rows` begins with the first column's word for the block.
#[inline]
fn product<W: Word>(rows: &[W], open: &[Open]) -> [i32; BLOCK] {
    let mut sums = [0; BLOCK];
    for &[place, value] in open {
        // The loader proved that every unit has its column.
        let Some(word) = rows.get(usize::from(place)) else { break };
        add(&mut sums, word.get(), value.into());
    }
    sums
}

/// Adds one column's part to the sums of a block.
#[inline(always)]
fn add(sums: &mut [i32; BLOCK], word: i32, value: i32) {
    sums[0] += i32::from(word as i8) * value;
    sums[1] += i32::from(word as i16) * value;
    sums[2] += i32::from((word >> 16) as i8) * value;
    sums[3] += (word >> 16) * value;
}

/// From the sums of a block to its states.
#[inline]
fn finish([s0, s1, s2, s3]: [i32; BLOCK], inputs: [i32; BLOCK], shifts: Shifts) -> [i8; BLOCK] {
    // The odd rows' weights are the upper bytes of numbers with the even rows' as lower ones.
    let sums = [s0, (s1 - s0) >> 8, s2, (s3 - s2) >> 8];
    let half = shifts.half();
    core::array::from_fn(|row| {
        let accumulator = half + (inputs[row] << shifts.input) + (sums[row] << shifts.recurrent);
        (accumulator >> shifts.output).clamp(0, 127) as i8
    })
}

/// Multiplies one block of a weight matrix with an input vector: `sums[r] = Σ weights[i][r] · x[i]`.
///
/// `weights` holds, for each input in order, the weights of the block's [`BLOCK`] rows.
#[inline]
pub(crate) fn dot_block(weights: &[u8], inputs: &[u8]) -> [i32; BLOCK] {
    let (columns, _) = weights.as_chunks::<BLOCK>();
    let mut sums = [0; BLOCK];
    for (column, &value) in columns.iter().zip(inputs) {
        for (sum, &weight) in sums.iter_mut().zip(column) {
            *sum += i32::from(weight as i8) * i32::from(value as i8);
        }
    }
    sums
}

/// The dot product of one row of weights and a vector.
#[inline]
pub(crate) fn dot(weights: &[u8], input: &[i8]) -> i32 {
    weights.iter().zip(input).map(|(&w, &x)| i32::from(w as i8) * i32::from(x)).sum()
}
