//! Steps of a SimpleRNN. The kernel in plain Rust (`kernels/simple_rnn.rs`) is the oracle.
//!
//! [`step`] fills in a [`Plan`] and passes a pointer to it to the assembly, which takes the step. Weights are read two
//! units at a time, as the number `even + 256 * odd`. It is multiplied as it is, and its low byte alone once more: from
//! the sums of both products follow the sums of both units.
//!
//! - `list.S`, one for Arm and one for RISC-V, first makes a list of the active inputs (those that are not zero), then
//!   walks through the list once for every few units. Arm's is for Cortex-M without DSP instructions, with macros for
//!   one product from `base.S` (M0, M0+, M23) or `main.S` (M3, M33).
//! - On cores with DSP instructions (M4, M7), `columns.S` does the same for two inputs at once, and `pairs.S` serves
//!   kernels in [`Order::Pairs`], for which it multiplies all inputs. `dsp.S` has what both share.

use core::arch::naked_asm;
use core::mem::offset_of;

#[cfg(kilornn_gates)]
use crate::Kernel;
use crate::Model;
use crate::kernels::numbers::Numbers;
use crate::kernels::state::Memory;
#[cfg(all(kilornn_assembly = "dsp", feature = "fast-tanh"))]
use crate::layers::TANHS;
#[cfg(not(all(kilornn_assembly = "dsp", feature = "fast-tanh")))]
use crate::layers::tanh;
use crate::layers::{Activation, Embedding, Order, SimpleRnn};
#[cfg(not(kilornn_assembly = "dsp"))]
use crate::scratch::ActiveInput;
#[cfg(kilornn_assembly = "dsp")]
use crate::scratch::ActivePair;

/// What the assembly needs for one step: a struct in C's layout, to which it gets one pointer.
///
/// # Contract
///
/// [`step`] makes the plan; [`step_alone`] and `step_in_stack` guarantee what is said here; it is all that the assembly relies on. `units` is a
/// multiple of four from 4 to 256, and `inputs` is `units` plus the numbers that come in (of a row of a projected
/// embedding, or from the layer below), at most 512; the loader ([`Model::from_bytes`]) has checked both. Of what the pointers point to, only the state, the list
/// and the plan itself are written. Nothing else may access them during the step: its caller has the only reference.
///
/// | pointer | points to | bytes | multiple of | guaranteed by |
/// |---|---|---:|---:|---|
/// | `state` | the states of the units, `i8` each | `units` | 4 | [`Memory`]: there is room for `inputs` |
/// | `list` | a [`List`](crate::scratch::List): active inputs, or all inputs | `8 * inputs`; `6 * inputs + 6` with DSP instructions | 4 | [`Memory`]: there is room for `inputs` |
/// | `end` | a place in the list, or its end | | 4 | [`Plan::push`], which moves it behind what it writes |
/// | `biases` | the row's biases, two units in an `i16` | `units` | 4 | the loader: the weights are at a multiple of 4, and `row` is one of the embedding's rows |
/// | `biases + to_kernel` | the kernel, two units in an `i16` | `units * inputs` | 4 | the loader: the weights begin with it |
/// | `tanh` | what computes tanh, or null | | | it is [`TANH`] |
///
/// Columns in the list are offsets of columns of the kernel. The assembly changes `state`, `end`, `to_kernel`, `units`,
/// `biases` and `halves` as it goes. It keeps to C's calling convention, so that all registers that belong to the caller
/// are what they were.
#[repr(C)]
struct Plan {
    /// The next state to read, then the next to write.
    state: *mut i8,
    /// Where the list goes on behind the numbers of the word's row, then where it ends.
    end: *mut u32,
    /// From the biases to the kernel, in bytes, as a negative number.
    to_kernel: usize,
    /// The number of units.
    units: usize,
    /// The factor of all biases: `1 << bias_shift`.
    bias: u32,
    /// 1 if the list has an input behind its last whole pair, else 0.
    odd: u32,
    /// By how many bits states are shifted to the left.
    shift: u32,
    /// The inputs: a list of those that are active, or all of them.
    list: *mut u32,
    /// The row of biases.
    biases: *const u8,
    /// What accumulators begin with: half of the last place that remains, so that a shift rounds.
    half: i32,
    /// What computes tanh; null for ReLU.
    tanh: *const (),
    #[cfg(not(kilornn_assembly = "dsp"))]
    strides: Strides,
}

/// What computes tanh: a function that keeps to C's calling convention.
#[cfg(not(all(kilornn_assembly = "dsp", feature = "fast-tanh")))]
const TANH: *const () = tanh as *const ();
/// What computes tanh: the middle of a table of all its values.
#[cfg(all(kilornn_assembly = "dsp", feature = "fast-tanh"))]
const TANH: *const () = TANHS.as_ptr().wrapping_add(TANHS.len() / 2).cast();

/// Distances in the kernel, in bytes. Some are negative, and wrap around.
#[cfg(not(kilornn_assembly = "dsp"))]
#[repr(C)]
struct Strides {
    /// From the first two units of a block of four to its last two.
    second: usize,
    /// From one block to the next.
    block: usize,
    /// From one column to the next, in every four: from the first to the second and from the third to the fourth, then
    /// from the second to the third, then from the fourth to the first of the next four.
    columns: [usize; 3],
    /// 257 times `half`: room for a number that the assembly computes.
    halves: u32,
}

symbols! { plan_symbols:
    ".Lplan_state" = 0 is offset_of!(Plan, state);
    ".Lplan_end" = 4 is offset_of!(Plan, end);
    ".Lplan_to_kernel" = 8 is offset_of!(Plan, to_kernel);
    ".Lplan_units" = 12 is offset_of!(Plan, units);
    ".Lplan_bias" = 16 is offset_of!(Plan, bias);
    ".Lplan_odd" = 20 is offset_of!(Plan, odd);
    ".Lplan_shift" = 24 is offset_of!(Plan, shift);
    ".Lplan_list" = 28 is offset_of!(Plan, list);
    ".Lplan_biases" = 32 is offset_of!(Plan, biases);
    ".Lplan_half" = 36 is offset_of!(Plan, half);
    ".Lplan_tanh" = 40 is offset_of!(Plan, tanh);
}

#[cfg(not(kilornn_assembly = "dsp"))]
symbols! { list_symbols:
    ".Lplan_second" = 44 is offset_of!(Plan, strides.second);
    ".Lplan_block" = 48 is offset_of!(Plan, strides.block);
    ".Lplan_odd_column" = 52 is offset_of!(Plan, strides.columns);
    ".Lplan_third_column" = 56 is offset_of!(Plan, strides.columns) + 4;
    ".Lplan_next_columns" = 60 is offset_of!(Plan, strides.columns) + 8;
    ".Lplan_halves" = 64 is offset_of!(Plan, strides.halves);
    ".Linput_column" = 0 is offset_of!(ActiveInput, column);
    ".Linput_multiplier" = 4 is offset_of!(ActiveInput, multiplier);
    ".Linput_size" = 8 is size_of::<ActiveInput>();
}

/// The macro that computes tanh with a table, or without one.
#[cfg(all(kilornn_assembly = "dsp", feature = "fast-tanh"))]
macro_rules! tanh_block {
    () => {
        include_str!("arm/tanh_table.S")
    };
}
#[cfg(all(kilornn_assembly = "dsp", not(feature = "fast-tanh")))]
macro_rules! tanh_block {
    () => {
        include_str!("arm/tanh_call.S")
    };
}

#[cfg(kilornn_assembly = "dsp")]
symbols! { pair_symbols:
    ".Lpair_columns" = 0 is offset_of!(ActivePair, columns);
    ".Lpair_multipliers" = 8 is offset_of!(ActivePair, multipliers);
    ".Lpair_size" = 12 is size_of::<ActivePair>();
}

/// Takes one step of a network that is this SimpleRNN alone, in memory of the model's shape.
#[inline]
pub(crate) fn step_alone(
    model: &Model<'_>,
    rnn: &SimpleRnn<'_>,
    numbers: Numbers<'_>,
    memory: &mut impl Memory,
) {
    let (values, list) = memory.simple_rnn();
    // SAFETY: this is the contract of `Plan`. The model was checked by the loader: its weights, at a multiple of four,
    // are a kernel with `inputs` columns of `units` bytes and then rows of biases, of which the word's row is one,
    // and `units` is a multiple of four. The memory is of the model's shape, so that its values are `units` bytes and
    // its list has room for `inputs`; it is borrowed mutably for the whole step, and so is the plan.
    unsafe { step(rnn, model.shape().inputs(), numbers, values, list) }
}

/// Takes one step of a SimpleRNN among other layers, with a list in these words. Does nothing if something is not as long
/// as it must be, which cannot happen with a model that has been checked.
#[cfg(kilornn_gates)]
#[inline(never)]
pub(crate) fn step_in_stack(rnn: &SimpleRnn<'_>, numbers: Numbers<'_>, values: &mut [i8], list: &mut [u32]) {
    let units = rnn.units as usize;
    let inputs = units + numbers.len();
    let has_row = (inputs + numbers.bias_row() as usize + 1) * units <= rnn.weights.len();
    let has_room = values.len() == units && Kernel::TARGET.list_bytes(inputs) <= 4 * list.len();
    if has_row && has_room && units > 0 && units.is_multiple_of(4) && inputs <= 512 {
        // SAFETY: this is the contract of `Plan`. All lengths were looked at just now; the loader has checked that the
        // weights lie at a multiple of four, and `values` and `list` are words of the memory. Both are borrowed mutably
        // for the whole step, and so is the plan.
        unsafe { step(rnn, inputs, numbers, values, list.as_mut_ptr()) }
    }
}

/// Takes one step.
///
/// # Safety
///
/// What is said of the pointers in the contract of [`Plan`] must hold for the values, the list and the weights of `rnn`,
/// for so many inputs, which are its units and the `numbers`, and for the row of biases.
#[inline(always)]
unsafe fn step(rnn: &SimpleRnn<'_>, inputs: usize, numbers: Numbers<'_>, values: &mut [i8], list: *mut u32) {
    let (units, kernel) = (rnn.units as usize, inputs * rnn.units as usize);
    let first = kernel + numbers.bias_row() as usize * units;
    let mut plan = Plan {
        state: values.as_mut_ptr(),
        end: list,
        to_kernel: first.wrapping_neg(),
        units,
        bias: 1 << rnn.bias_shift,
        odd: 0,
        shift: rnn.state_shift.into(),
        list,
        biases: rnn.weights.as_ptr().wrapping_add(first),
        half: rnn.activation.half(),
        tanh: match rnn.activation {
            Activation::Tanh => TANH,
            Activation::Relu => core::ptr::null(),
        },
        #[cfg(not(kilornn_assembly = "dsp"))]
        strides: match rnn.order {
            Order::Columns => Strides { second: 2, block: 4, columns: [units; 3], halves: 0 },
            Order::Pairs => {
                let columns = [8, 6usize.wrapping_neg(), 6];
                Strides { second: 4, block: 4 * inputs, columns, halves: 0 }
            }
        },
    };
    // SAFETY: the caller keeps the contract of `Plan`.
    unsafe {
        match numbers {
            Numbers::Row { embedding: Embedding::Folded, .. } | Numbers::InPlace { .. } => {}
            Numbers::Row { embedding, row } => plan.add_numbers(rnn.order, embedding, row),
            #[cfg(kilornn_gates)]
            Numbers::Below { .. } => plan.add_outputs(rnn.order, numbers),
        }
        #[cfg(not(kilornn_assembly = "dsp"))]
        step_by_list(&mut plan);
        #[cfg(kilornn_assembly = "dsp")]
        match rnn.order {
            Order::Columns => step_by_columns(&mut plan),
            Order::Pairs => {
                plan.end = list.byte_add(2 * inputs);
                step_by_pairs(&mut plan);
            }
        }
    }
}

impl Plan {
    /// Adds the numbers of the word's row, which are the inputs behind the units.
    ///
    /// # Safety
    ///
    /// The plan must keep its contract, and nothing may be in its list yet.
    #[inline(never)]
    unsafe fn add_numbers(&mut self, order: Order, embedding: &Embedding<'_>, row: u32) {
        let mut input = self.units;
        embedding.for_each_multiplier(row, |multiplier| {
            // SAFETY: the caller keeps the contract of `Plan`, by which the list has room for all inputs; each input is
            // pushed once, since the row has `inputs - units` numbers.
            unsafe { self.push(order, input, multiplier) };
            input += 1;
        });
    }

    /// Adds the outputs of the layer below, which are the inputs behind the units.
    ///
    /// # Safety
    ///
    /// The plan must keep its contract, and nothing may be in its list yet.
    #[cfg(kilornn_gates)]
    #[inline(never)]
    unsafe fn add_outputs(&mut self, order: Order, numbers: Numbers<'_>) {
        let mut input = self.units;
        numbers.for_each(|multiplier| {
            // SAFETY: the caller keeps the contract of `Plan`, by which the list has room for all inputs; each input is
            // pushed once, since there are `inputs - units` numbers.
            unsafe { self.push(order, input, multiplier) };
            input += 1;
        });
    }

    /// Adds an input to the list, if it is active.
    ///
    /// # Safety
    ///
    /// The plan must keep its contract, and `input` be less than its `inputs` and not in the list yet.
    #[cfg(not(kilornn_assembly = "dsp"))]
    #[inline(always)]
    unsafe fn push(&mut self, order: Order, input: usize, multiplier: i16) {
        if multiplier != 0 {
            let column = 2 * order.column(input, self.units) as u32;
            // SAFETY: the list has room for all inputs, and fewer than that are in it.
            unsafe {
                self.end.cast::<ActiveInput>().write(ActiveInput { column, multiplier: multiplier.into() });
                self.end = self.end.byte_add(size_of::<ActiveInput>());
            }
        }
    }

    /// Adds an input: to the list if it is active, or in [`Order::Pairs`] to all inputs.
    ///
    /// # Safety
    ///
    /// The plan must keep its contract, and `input` be less than its `inputs` and not added yet.
    #[cfg(kilornn_assembly = "dsp")]
    #[inline(always)]
    unsafe fn push(&mut self, order: Order, input: usize, multiplier: i16) {
        match order {
            Order::Pairs => {
                // Inputs 0 and 2 of every four, then 1 and 3: as columns lie in the kernel, in twos.
                let place = input / 4 * 4 + input % 2 * 2 + input / 2 % 2;
                // SAFETY: `inputs` is a multiple of four in this order, so that `place` is less than it, and there is
                // room for two bytes for each input.
                unsafe { self.list.cast::<i16>().add(place).write(multiplier) };
            }
            Order::Columns if multiplier != 0 => {
                let column = self.to_kernel.wrapping_add(input * self.units) as u32;
                let pair = self.end.cast::<ActivePair>();
                // SAFETY: fewer than `inputs` are in the list, which has room for as many pairs as they fill, the last of
                // which may be half empty. Where `odd` is 1, `end` points to a pair that was written.
                unsafe {
                    if self.odd == 0 {
                        pair.write(ActivePair { columns: [column, 0], multipliers: [multiplier, 0] });
                    } else {
                        (*pair).columns[1] = column;
                        (*pair).multipliers[1] = multiplier;
                        self.end = pair.add(1).cast();
                    }
                }
                self.odd ^= 1;
            }
            Order::Columns => {}
        }
    }
}

/// One whole step, by a list of the inputs that are not zero.
///
/// # Safety
///
/// The plan must keep its contract, and only the numbers that come in be in its list.
#[cfg(kilornn_assembly = "base")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(
        plan_symbols!(),
        list_symbols!(),
        include_str!("arm/base.S"),
        include_str!("arm/list.S"),
        options(raw)
    )
}

/// One whole step, by a list of the inputs that are not zero.
///
/// # Safety
///
/// The plan must keep its contract, and only the numbers that come in be in its list.
#[cfg(kilornn_assembly = "main")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(
        plan_symbols!(),
        list_symbols!(),
        include_str!("arm/main.S"),
        include_str!("arm/list.S"),
        options(raw)
    )
}

/// One whole step, by a list of the inputs that are not zero.
///
/// # Safety
///
/// The plan must keep its contract, and only the numbers that come in be in its list.
#[cfg(kilornn_assembly = "riscv")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(plan_symbols!(), list_symbols!(), include_str!("riscv/list.S"), options(raw))
}

/// One whole step with ReLU, by a list of the inputs that are not zero, two at a time.
///
/// # Safety
///
/// The plan must keep its contract, and only the numbers that come in be in its list.
#[cfg(kilornn_assembly = "dsp")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_columns(plan: &mut Plan) {
    naked_asm!(
        plan_symbols!(),
        pair_symbols!(),
        include_str!("arm/dsp.S"),
        include_str!("arm/columns.S"),
        options(raw)
    )
}

/// One whole step with all inputs, two at a time.
///
/// # Safety
///
/// The plan must keep its contract, and the numbers that come in be among its inputs.
#[cfg(kilornn_assembly = "dsp")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_pairs(plan: &mut Plan) {
    naked_asm!(
        plan_symbols!(),
        include_str!("arm/dsp.S"),
        tanh_block!(),
        include_str!("arm/pairs.S"),
        options(raw)
    )
}
