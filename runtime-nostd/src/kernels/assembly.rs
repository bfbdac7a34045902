//! The kernels in assembly: the one file with unsafe code. `portable` is their oracle.
//!
//! [`step`] says what is where ([`Plan`]), and the assembly takes the step. Weights are read two units at a time, as
//! `even + 256 * odd`; a product with that and one with its low byte alone give both units' sums in the end.
//!
//! - `list.S`, of Arm and of RISC-V, lists the inputs that are not zero and walks through the list for every few
//!   units. Arm's serves Cortex-M without DSP instructions: `base.S` (M0, M0+, M23) and `main.S` (M3, M33) say how a
//!   product is added up there.
//! - On cores with DSP instructions (M4, M7; `dsp.S`), `columns.S` does the same for two inputs at once, and `pairs.S`
//!   serves kernels in [`Order::Pairs`], of which it multiplies everything.
#![allow(unsafe_code)]

use core::arch::naked_asm;
use core::mem::offset_of;

use crate::layers::{Activation, Embedding, Order, State, tanh};
use crate::{Contents, Model};

/// Room for what a step reads its inputs from; nothing is kept in it from one step to the next.
///
/// A list needs eight bytes an input. With DSP instructions it has pairs of inputs, in twelve bytes, the last of
/// which may be half empty; and in [`Order::Pairs`] there are two bytes an input.
#[derive(Debug, Clone)]
#[repr(C, align(4))]
pub(crate) struct Scratch<const UNITS: usize> {
    #[cfg(not(kilornn_assembly = "dsp"))]
    room: [Entry; UNITS],
    #[cfg(kilornn_assembly = "dsp")]
    room: [[u16; 3]; UNITS],
    #[cfg(kilornn_assembly = "dsp")]
    last_half: [u16; 3],
}

impl<const UNITS: usize> Scratch<UNITS> {
    pub(crate) const fn new() -> Self {
        Self {
            #[cfg(not(kilornn_assembly = "dsp"))]
            room: [Entry { column: 0, multiplier: 0 }; UNITS],
            #[cfg(kilornn_assembly = "dsp")]
            room: [[0; 3]; UNITS],
            #[cfg(kilornn_assembly = "dsp")]
            last_half: [0; 3],
        }
    }
}

/// An input that is not zero: where its column begins, in bytes, and what multiplies it.
#[cfg(not(kilornn_assembly = "dsp"))]
#[derive(Debug, Clone, Copy)]
#[repr(C)]
struct Entry {
    column: u32,
    multiplier: i32,
}

/// Two inputs that are not zero.
#[cfg(kilornn_assembly = "dsp")]
#[repr(C)]
struct Pair {
    /// Where their columns begin, in bytes from the row of biases.
    columns: [u32; 2],
    multipliers: [i16; 2],
}

/// What the assembly needs to know, at the offsets that it has in its comments.
#[repr(C)]
struct Plan {
    /// 0
    state: *mut i8,
    /// 4: where the list goes on behind the multipliers of the word's row, and in the end ends.
    end: *mut u32,
    /// 8: from the biases to the kernel, in bytes.
    to_kernel: usize,
    /// 12
    units: usize,
    /// 16: what multiplies biases.
    bias: u32,
    /// 20: whether the list has an input behind its last whole pair.
    odd: u32,
    /// 24: by which states are shifted to the left.
    shift: u32,
    /// 28: the inputs, as a list or all of them.
    list: *mut u32,
    /// 32: the row of biases.
    biases: *const u8,
    /// 36: what accumulators begin with.
    half: i32,
    /// 40: the activation; none is ReLU.
    tanh: Option<extern "C" fn(i32) -> i32>,
    #[cfg(not(kilornn_assembly = "dsp"))]
    places: Places,
}

// Where the comments above and the assembly say.
const _: () = assert!(offset_of!(Plan, biases) == 32 && offset_of!(Plan, tanh) == 40);
#[cfg(not(kilornn_assembly = "dsp"))]
const _: () = assert!(offset_of!(Plan, places) == 44 && offset_of!(Places, halves) == 20);

/// Where weights are.
#[cfg(not(kilornn_assembly = "dsp"))]
#[repr(C)]
struct Places {
    /// 44, 48: in the kernel from the first two units of a block to its last two, and to the next block.
    second: usize,
    block: usize,
    /// 52, 56, 60: from one column to the next, in every four: the first and third, the second, and the last.
    columns: [usize; 3],
    /// 64: room.
    halves: u32,
}

/// One step with a row of the embedding and a state; if either is not this model's, nothing.
#[inline]
pub(crate) fn step<const UNITS: usize>(model: &Model<'_>, row: u32, state: &mut State<UNITS>) {
    if row >= model.rows() || !state.is_of(model) {
        return;
    }
    let Contents { embedding, rnn, .. } = model.contents();
    let (values, scratch) = state.parts();
    let (units, kernel) = (rnn.units as usize, model.inputs() * rnn.units as usize);
    let first = kernel + embedding.bias_row(row) as usize * units;
    let tanh: extern "C" fn(i32) -> i32 = tanh;
    let list = (&raw mut *scratch).cast();
    let mut plan = Plan {
        state: values.as_mut_ptr(),
        end: list,
        to_kernel: first.wrapping_neg(),
        units,
        bias: 1 << rnn.bias_shift,
        odd: 0,
        shift: rnn.state_shift.into(),
        list,
        // In range, as the loader proved; so is everything that the assembly reads from there.
        biases: rnn.weights.as_ptr().wrapping_add(first),
        half: rnn.activation.half(),
        tanh: (rnn.activation == Activation::Tanh).then_some(tanh),
        #[cfg(not(kilornn_assembly = "dsp"))]
        places: match rnn.order {
            Order::Columns => Places { second: 2, block: 4, columns: [units; 3], halves: 0 },
            Order::Pairs => {
                let columns = [8, 6usize.wrapping_neg(), 6];
                Places { second: 4, block: 4 * model.inputs(), columns, halves: 0 }
            }
        },
    };
    // SAFETY: a `Model` has been checked: its weights are a kernel with a column for each input and rows of biases,
    // `row` among them, at a multiple of four, and its units come in fours. A `State` of its shape has room for its
    // units and, in its scratch, for all its inputs.
    unsafe {
        if let Embedding::Projected { .. } = embedding {
            plan.add_numbers(rnn.order, embedding, row);
        }
        #[cfg(not(kilornn_assembly = "dsp"))]
        step_by_list(&mut plan);
        #[cfg(kilornn_assembly = "dsp")]
        match rnn.order {
            Order::Columns => step_by_columns(&mut plan),
            Order::Pairs => {
                plan.end = list.byte_add(2 * model.inputs());
                step_by_pairs(&mut plan);
            }
        }
    }
}

impl Plan {
    /// Adds the multipliers of the word's row, which come behind the units.
    ///
    /// # Safety
    ///
    /// There must be room for them.
    #[inline(never)]
    unsafe fn add_numbers(&mut self, order: Order, embedding: &Embedding<'_>, row: u32) {
        let mut input = self.units;
        embedding.for_each_multiplier(row, |multiplier| {
            // SAFETY: there is room.
            unsafe { self.push(order, input, multiplier) };
            input += 1;
        });
    }

    /// Adds an input, if it is not zero, to the list.
    ///
    /// # Safety
    ///
    /// There must be room.
    #[cfg(not(kilornn_assembly = "dsp"))]
    #[inline(always)]
    unsafe fn push(&mut self, order: Order, input: usize, multiplier: i16) {
        if multiplier != 0 {
            let column = 2 * order.column(input, self.units) as u32;
            // SAFETY: there is room.
            unsafe {
                self.end.cast::<Entry>().write(Entry { column, multiplier: multiplier.into() });
                self.end = self.end.byte_add(size_of::<Entry>());
            }
        }
    }

    /// Adds an input to the list, if it is not zero, or to all inputs.
    ///
    /// # Safety
    ///
    /// There must be room.
    #[cfg(kilornn_assembly = "dsp")]
    #[inline(always)]
    unsafe fn push(&mut self, order: Order, input: usize, multiplier: i16) {
        match order {
            Order::Pairs => {
                // Inputs 0 and 2 of every four, then 1 and 3: as columns lie in the kernel, in twos.
                let place = input / 4 * 4 + input % 2 * 2 + input / 2 % 2;
                // SAFETY: there is room.
                unsafe { self.list.cast::<i16>().add(place).write(multiplier) };
            }
            Order::Columns if multiplier != 0 => {
                let column = self.to_kernel.wrapping_add(input * self.units) as u32;
                let pair = self.end.cast::<Pair>();
                // SAFETY: there is room.
                unsafe {
                    if self.odd == 0 {
                        pair.write(Pair { columns: [column, 0], multipliers: [multiplier, 0] });
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
/// The plan must tell the truth, and its list have room for all units.
#[cfg(kilornn_assembly = "base")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(include_str!("assembly/arm/base.S"), include_str!("assembly/arm/list.S"), options(raw))
}

/// One whole step, by a list of the inputs that are not zero.
///
/// # Safety
///
/// The plan must tell the truth, and its list have room for all units.
#[cfg(kilornn_assembly = "main")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(include_str!("assembly/arm/main.S"), include_str!("assembly/arm/list.S"), options(raw))
}

/// One whole step, by a list of the inputs that are not zero.
///
/// # Safety
///
/// The plan must tell the truth, and its list have room for all units.
#[cfg(kilornn_assembly = "riscv")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_list(plan: &mut Plan) {
    naked_asm!(include_str!("assembly/riscv/list.S"), options(raw))
}

/// One whole step with ReLU, by a list of the inputs that are not zero, two at a time.
///
/// # Safety
///
/// The plan must tell the truth, and its list have room for all units.
#[cfg(kilornn_assembly = "dsp")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_columns(plan: &mut Plan) {
    naked_asm!(include_str!("assembly/arm/dsp.S"), include_str!("assembly/arm/columns.S"), options(raw))
}

/// One whole step with all inputs, two at a time.
///
/// # Safety
///
/// The plan must tell the truth.
#[cfg(kilornn_assembly = "dsp")]
#[unsafe(naked)]
unsafe extern "C" fn step_by_pairs(plan: &mut Plan) {
    naked_asm!(include_str!("assembly/arm/dsp.S"), include_str!("assembly/arm/pairs.S"), options(raw))
}
