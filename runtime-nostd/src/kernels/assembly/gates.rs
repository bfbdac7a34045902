//! Steps of GRU, LSTM and FastGRNN. The kernels in plain Rust (`kernels/gru.rs` and so on) are the oracle.
//!
//! A block of the weights has all rows of a unit (LSTM), of two (GRU) or of four (FastGRNN), so that their sums stay in
//! registers until gates and states have been made of them.
//!
//! - `gru_dsp.S`, `lstm_dsp.S` and `fastgrnn_dsp.S` are for cores with DSP instructions (M4, M7), which multiply two inputs
//!   of 16 bits in a word with two weights at once. `gates_dsp.S` has what they share.
//! - `gru.S`, `lstm.S` and `fastgrnn.S`, one each for Arm and for RISC-V, are for the others, where inputs have 32 bits.
//!   Arm's share `wide_gates.S`, and have macros for products and gates from `base_gates.S` (M0, M0+, M23) or
//!   `main_gates.S` (M3, M33); RISC-V's share `gates.S`. `four_sums.S` is for cells with four sums in a block.

use core::arch::naked_asm;

use crate::Values;
use crate::kernels::numbers::Numbers;
#[cfg(feature = "fastgrnn")]
use crate::layers::FastGrnn;
#[cfg(feature = "gru")]
use crate::layers::Gru;
#[cfg(feature = "lstm")]
use crate::layers::Lstm;
use crate::layers::{Embedding, GATES, TANH};

/// The lines of gates, then those of tanh, where the assembly finds them by name.
#[unsafe(no_mangle)]
static kilornn_lines: [[i32; 256]; 2] = [GATES, TANH];

/// What an input of a step is in memory.
#[cfg(kilornn_assembly = "dsp")]
type Number = i16;
#[cfg(not(kilornn_assembly = "dsp"))]
type Number = i32;

/// A layer's dimensions in a word, as the assembly takes them.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Dimensions(u32);

/// The lowest bits of the parts of [`Dimensions`]. Registers shift by their low bytes, where the biases' shift is.
const BIAS_SHIFT: u32 = 0;
const WIDTH: u32 = 8;
const UNITS: u32 = 17;
const STATE_BITS: u32 = 26;

symbols! { dimension_symbols:
    ".Lwidth" = 8 is WIDTH;
    ".Lunits" = 17 is UNITS;
    ".Lstate_bits" = 26 is STATE_BITS;
}

impl Dimensions {
    #[inline(always)]
    const fn new(width: u32, units: u32, state_bits: u8, bias_shift: u8) -> Self {
        let bits = (state_bits as u32) << STATE_BITS | (bias_shift as u32) << BIAS_SHIFT;
        Self(width << WIDTH | units << UNITS | bits)
    }
}

/// The inputs of a step in a layer's share of the memory, to which it writes the `numbers` that come in; `before` words lie
/// before them.
///
/// # Safety
///
/// So many words of the memory must lie before the inputs, which must all be in it.
#[inline(always)]
unsafe fn inputs(numbers: Numbers<'_>, before: usize, memory: &mut [u32]) -> *mut Number {
    let inputs = memory.as_mut_ptr().wrapping_add(before).cast::<Number>();
    // SAFETY: the caller says that so many numbers are in the memory, which is borrowed mutably.
    let places = || unsafe { core::slice::from_raw_parts_mut(inputs, numbers.len()) };
    // Each by a function of its own, so that what is passed to them is in registers and not in memory.
    match numbers {
        Numbers::Row { embedding: Embedding::Folded, .. } | Numbers::InPlace { .. } => {}
        Numbers::Row { embedding, row } => write_row(embedding, row, places()),
        Numbers::Below { values, shift } => write_below(values, shift, places()),
    }
    inputs
}

#[inline(never)]
fn write_row(embedding: &Embedding<'_>, row: u32, places: &mut [Number]) {
    Numbers::Row { embedding, row }.write(places);
}

#[inline(never)]
fn write_below(values: Values<'_>, shift: u8, places: &mut [Number]) {
    Numbers::Below { values, shift }.write(places);
}

/// The address of a row of biases, which begins at this byte of the weights; zero without one.
#[inline(always)]
const fn row(weights: &[u8], first: Option<usize>) -> *const u8 {
    match first {
        Some(first) => weights.as_ptr().wrapping_add(first),
        None => core::ptr::null(),
    }
}

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
#[cfg(feature = "gru")]
#[inline(always)]
pub(in crate::kernels) fn gru(gru: &Gru<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (gru.units as usize, numbers.len());
    let dimensions = Dimensions::new(width as u32, gru.units, gru.state_bits, gru.bias_shift);
    // SAFETY: the layer is one of a model that the loader has checked: its weights are a kernel for these units and for as
    // many numbers as come in, and then a row of biases for each row of a folded embedding, of which `numbers` names one.
    // The memory is of the model's shape, or the layer's share of it, in which the inputs come behind the states; it is
    // borrowed mutably for the whole step.
    unsafe {
        let inputs = inputs(numbers, units, memory);
        let biases = row(gru.weights, numbers.folded_row().map(|row| gru.biases(width + units, row)));
        step_gru(gru.weights.as_ptr(), inputs, dimensions, biases);
    }
}

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
#[cfg(feature = "lstm")]
#[inline(always)]
pub(in crate::kernels) fn lstm(lstm: &Lstm<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (lstm.units as usize, numbers.len());
    let dimensions = Dimensions::new(width as u32, lstm.units, lstm.state_bits, lstm.bias_shift);
    // Words before the inputs: of new outputs, or of cell states and new outputs.
    let before = if cfg!(kilornn_assembly = "dsp") { units / 2 } else { 2 * units };
    // SAFETY: as in `gru`; the inputs come behind `before` words.
    unsafe {
        let inputs = inputs(numbers, before, memory);
        let biases = row(lstm.weights, numbers.folded_row().map(|row| lstm.biases(width + units, row)));
        step_lstm(lstm.weights.as_ptr(), inputs, dimensions, biases);
    }
}

/// Takes a step with the `numbers` that come in, in memory that begins with the layer's share.
#[cfg(feature = "fastgrnn")]
#[inline(always)]
pub(in crate::kernels) fn fastgrnn(layer: &FastGrnn<'_>, numbers: Numbers<'_>, memory: &mut [u32]) {
    let (units, width) = (layer.units as usize, numbers.len());
    let dimensions = Dimensions::new(width as u32, layer.units, layer.state_bits, layer.bias_shift);
    let shares = u32::from(layer.zeta as u16) | u32::from(layer.nu as u16) << 16;
    // SAFETY: as in `gru`; the inputs come behind the states, too.
    unsafe {
        let inputs = inputs(numbers, units, memory);
        let biases = row(layer.weights, numbers.folded_row().map(|row| layer.biases(width + units, row)));
        step_fastgrnn(layer.weights.as_ptr(), inputs, dimensions, biases, shares);
    }
}

/// The assembly of a step, from the files for each core.
///
/// # Safety
///
/// `weights` must be a kernel for the layer's dimensions, at a multiple of four: a number of units that is a multiple of
/// four from 4 to 256, and so many inputs, of which those that come in are a multiple of four from 0 to 256. The inputs must
/// lie in the layer's share of the memory, as its `share` says, at a multiple of four. `biases` must be a row of
/// biases for the units, or zero. Nothing else may access that share during the step.
///
/// The assembly writes only to that share, and keeps to C's calling convention.
macro_rules! step {
    ($name:ident $more:tt, $feature:literal: $($core:literal => $files:tt;)*) => {
        $(
            #[cfg(all(feature = $feature, kilornn_assembly = $core))]
            step!($name $more $files);
        )*
    };
    ($name:ident ($($more:ident: $type:ty)?) [$($file:literal),*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            weights: *const u8,
            inputs: *mut Number,
            dimensions: Dimensions,
            biases: *const u8,
            $($more: $type)?
        ) {
            naked_asm!(dimension_symbols!(), $(include_str!($file),)* options(raw))
        }
    };
}

step! { step_gru(), "gru":
    "dsp" => ["arm/gates_dsp.S", "arm/gru_dsp.S"];
    "base" => ["arm/base_gates.S", "arm/wide_gates.S", "arm/gru.S"];
    "main" => ["arm/main_gates.S", "arm/wide_gates.S", "arm/gru.S"];
    "riscv" => ["riscv/gates.S", "riscv/gru.S"];
}

step! { step_lstm(), "lstm":
    "dsp" => ["arm/gates_dsp.S", "arm/lstm_dsp.S"];
    "base" => ["arm/base_gates.S", "arm/wide_gates.S", "arm/four_sums.S", "arm/lstm.S"];
    "main" => ["arm/main_gates.S", "arm/wide_gates.S", "arm/four_sums.S", "arm/lstm.S"];
    "riscv" => ["riscv/gates.S", "riscv/four_sums.S", "riscv/lstm.S"];
}

// zeta is in the lower half of `shares`, nu in the upper.
step! { step_fastgrnn(shares: u32), "fastgrnn":
    "dsp" => ["arm/gates_dsp.S", "arm/fastgrnn_dsp.S"];
    "base" => ["arm/base_gates.S", "arm/wide_gates.S", "arm/four_sums.S", "arm/fastgrnn.S"];
    "main" => ["arm/main_gates.S", "arm/wide_gates.S", "arm/four_sums.S", "arm/fastgrnn.S"];
    "riscv" => ["riscv/gates.S", "riscv/four_sums.S", "riscv/fastgrnn.S"];
}
