//! The kernel for cores with Arm's DSP instructions. The one file with unsafe code; [`portable`](super::portable) is its oracle, and
//! serves what this kernel does not: units that are no multiple of four, extreme shifts, unfolded input.
//!
//! Weights lie in columns of 16-bit words, two rows in each (`even + 256 * odd`). Zeros are skipped: a step
//! first lists the units that are not zero, in pairs. For a pair and four rows, two words are loaded, their
//! halves are paired, and then `SMLAD` multiplies a row's two weights by the two units and adds both products at
//! once: on the paired halves as they are it gives `even + 256 * odd`, and behind `SXTB16` it gives `even`
//! alone. That is one instruction a product, packing and widening included, and a quarter more for loads.
//!
//! Nothing here needs alignment: `LDM` and `LDRD`, which do, read only the list and the stack.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::{BLOCK, Scratch, Shifts};

/// One step of a network whose input is a row of a folded table, in the usual case. Returns whether it was one.
#[inline]
pub(crate) fn step_folded<const UNITS: usize>(
    kernel: &[u8],
    shifts: Shifts,
    row: &[u8],
    values: &mut [i8],
    scratch: &mut Scratch<UNITS>,
) -> bool {
    let units = values.len();
    let Shifts { input, recurrent, output } = shifts;
    // In these bounds `256 * odd` stays below 2^31: 2^21 for rounding, 2^21 of input and, with 256 units,
    // 128 * 127 * 256 of recurrent product are less than 2^23. And `1 << input` is an `i16`.
    let fits = recurrent == 0 && input <= 14 && output <= 22 && units <= 256;
    // The rest repeats what the loader proved, so that this function is sound by itself.
    let whole = units > 0 && units.is_multiple_of(BLOCK);
    if !fits || !whole || units > UNITS || kernel.len() < units * units || row.len() < units {
        return false;
    }
    // SAFETY: `values` has `units` readable and writable bytes, `kernel` `units` columns of as many bytes, `row`
    // is as long, and `scratch` has six bytes for each of `UNITS >= units` units and six more.
    unsafe {
        step(
            kernel.as_ptr(),
            row.as_ptr(),
            values.as_mut_ptr(),
            units,
            (&raw mut *scratch).cast(),
            output.into(),
            input.into(),
        );
    }
    true
}

/// Lists one unit of the state, a byte of the word in r5, while the list has whole pairs; `$offset` computes that of
/// its column.
macro_rules! list_first {
    ($label:literal, $rotation:literal, $offset:literal, $second:literal) => {
        concat!(
            $label,
            ": uxtb r6, r5, ror #",
            $rotation,
            "\n",
            " cbz r6, 2f\n",
            $offset,
            "\n str r10, [r2]\n str r6, [r2, #8]\n b ",
            $second,
            "f\n",
            "2:\n",
        )
    };
}

/// The same while the list has one unit behind its whole pairs.
macro_rules! list_second {
    ($label:literal, $rotation:literal, $offset:literal, $first:literal) => {
        concat!(
            $label,
            ": uxtb r6, r5, ror #",
            $rotation,
            "\n",
            " cbz r6, 2f\n",
            $offset,
            "\n str r10, [r2, #4]\n strh r6, [r2, #10]\n adds r2, #12\n b ",
            $first,
            "b\n",
            "2:\n",
        )
    };
}

/// Loads four rows' weights of two units from base (r2) + offset and adds both products to the accumulators:
/// r10 and r12 for the even rows, r11 and lr for even + 256 * odd.
macro_rules! multiply_pair {
    ($w:literal, $v:literal, $x:literal) => {
        concat!(
            " pkhbt r3, ",
            $w,
            ", ",
            $v,
            ", lsl #16\n",
            " pkhtb ",
            $v,
            ", ",
            $v,
            ", ",
            $w,
            ", asr #16\n",
            " smlad r11, r3, ",
            $x,
            ", r11\n",
            " sxtb16 r3, r3\n",
            " smlad r10, r3, ",
            $x,
            ", r10\n",
            " smlad lr, ",
            $v,
            ", ",
            $x,
            ", lr\n",
            " sxtb16 ",
            $v,
            ", ",
            $v,
            "\n",
            " smlad r12, ",
            $v,
            ", ",
            $x,
            ", r12\n"
        )
    };
}

/// Two pairs of the list.
macro_rules! multiply_two_pairs {
    () => {
        concat!(
            " ldm r0!, {{r4, r5, r6, r7, r8, r9}}\n",
            " ldr r4, [r2, r4]\n ldr r5, [r2, r5]\n ldr r7, [r2, r7]\n ldr r8, [r2, r8]\n",
            multiply_pair!("r4", "r5", "r6"),
            multiply_pair!("r7", "r8", "r9"),
        )
    };
}

/// A pair of the list alone.
macro_rules! multiply_one_pair {
    () => {
        concat!(
            " ldm r0!, {{r4, r5, r6}}\n ldr r4, [r2, r4]\n ldr r5, [r2, r5]\n",
            multiply_pair!("r4", "r5", "r6"),
        )
    };
}

/// One whole step.
///
/// # Safety
///
/// `kernel` must have `units` columns of `units` bytes, `row` and `values` `units` bytes, and `list` room for half
/// as many pairs of twelve bytes, rounded up. `units` must be a positive multiple of four.
#[unsafe(naked)]
unsafe extern "C" fn step(
    kernel: *const u8,
    row: *const u8,
    values: *mut i8,
    units: usize,
    list: *mut u32,
    output_shift: u32,
    input_shift: u32,
) {
    naked_asm!(
        "push {{r4-r11, lr}}",
        "sub sp, #40",
        "ldrd r12, r8, [sp, #76]", // list, output shift
        "ldr r9, [sp, #84]",       // input shift
        // On the stack: row and values, as distances from the kernel, so that one register (the kernel's start
        // plus the number of the row) walks through all three;
        "subs r1, r1, r0",
        "subs r4, r2, r0",
        "strd r1, r4, [sp]",
        // what rounds, and what shifts the input;
        "movs r5, #1",
        "lsl r6, r5, r8",
        "lsrs r6, r6, #1",
        "lsl r7, r5, r9",
        "strd r6, r7, [sp, #8]",
        // the shifts of even and of odd rows;
        "add r9, r8, #8",
        "strd r8, r9, [sp, #16]",
        // list (24), its end (28), the last row's end (32) and the entry into the loop over the list (36).
        "str r12, [sp, #24]",
        "adds r6, r0, r3",
        "str r6, [sp, #32]",
        // The list is made. r0 state, r1 its end, r2 list, r3 offset of the column, r4, r8, r9 and r7 of one, two,
        // three and four columns.
        "mov lr, r0",
        "mov r0, r2",
        "adds r1, r2, r3",
        "mov r2, r12",
        "mov r4, r3",
        "lsl r8, r3, #1",
        "add r9, r8, r3",
        "lsls r7, r3, #2",
        "movs r3, #0",
        // A word of the state, with whole pairs in the list ...
        "b 30f",
        "29:",
        "add r3, r7",
        "30:",
        "cmp r0, r1",
        "beq 50f",
        "ldr r5, [r0], #4",
        "cmp r5, #0",
        "beq 29b",
        list_first!("31", "0", "mov r10, r3", "42"),
        list_first!("32", "8", "add r10, r3, r4", "43"),
        list_first!("33", "16", "add r10, r3, r8", "44"),
        list_first!("34", "24", "add r10, r3, r9", "39"),
        "b 29b",
        // ... and with one unit behind them.
        "39:",
        "add r3, r7",
        "40:",
        "cmp r0, r1",
        "beq 49f",
        "ldr r5, [r0], #4",
        "cmp r5, #0",
        "beq 39b",
        list_second!("41", "0", "mov r10, r3", "32"),
        list_second!("42", "8", "add r10, r3, r4", "33"),
        list_second!("43", "16", "add r10, r3, r8", "34"),
        list_second!("44", "24", "add r10, r3, r9", "29"),
        "b 39b",
        // The last pair has one unit; its other is a zero of the first column.
        "49:",
        "movs r3, #0",
        "str r3, [r2, #4]",
        "adds r2, #12",
        // A pair is three words, so the number of words is the negative of the number of pairs, modulo four,
        // which decides where the loop over pairs, four at a time, is entered.
        "50:",
        "sub r3, r12, r2",
        "and r3, r3, #12",
        "adr.w r4, 70f",
        "ldr r5, [r4, r3]",
        "adds r4, r4, r5",
        "str r2, [sp, #28]",
        "str r4, [sp, #36]",
        "mov r2, lr",
        // Four rows. r2 is the first column in these rows.
        "60:",
        "ldr r3, [sp]",
        "ldrd r5, r6, [sp, #8]",
        "ldr r4, [r3, r2]",
        "ldrd r0, r1, [sp, #24]",
        "sxtb16 r7, r4",
        "sxtb16 r8, r4, ror #8",
        "smlabb r10, r7, r6, r5",
        "smlabb r11, r8, r6, r5",
        "smlatb r12, r7, r6, r5",
        "smlatb lr, r8, r6, r5",
        "add r11, r10, r11, lsl #8",
        "add lr, r12, lr, lsl #8",
        "ldr pc, [sp, #36]",
        // Three pairs modulo four.
        "63:",
        multiply_one_pair!(),
        "b 62f",
        // One.
        "61:",
        multiply_one_pair!(),
        // None.
        "65:",
        "cmp r0, r1",
        "beq 64f",
        "66:",
        multiply_two_pairs!(),
        // Two.
        "62:",
        multiply_two_pairs!(),
        "cmp r0, r1",
        "bne 66b",
        "64:",
        "sub r11, r11, r10",
        "sub lr, lr, r12",
        "ldrd r3, r4, [sp, #16]",
        "ldr r5, [sp, #4]",
        "asr r10, r10, r3",
        "asr r12, r12, r3",
        "asr r11, r11, r4",
        "asr lr, lr, r4",
        "usat r10, #7, r10",
        "usat r11, #7, r11",
        "usat r12, #7, r12",
        "usat lr, #7, lr",
        "ldr r6, [sp, #32]",
        "orr r10, r10, r11, lsl #8",
        "orr r12, r12, lr, lsl #8",
        "orr r10, r10, r12, lsl #16",
        "str r10, [r5, r2]",
        "adds r2, #4",
        "cmp r2, r6",
        "bne 60b",
        "add sp, #40",
        "pop {{r4-r11, pc}}",
        // Entries for zero to three pairs modulo four; bit 0 says Thumb.
        ".p2align 2",
        "70:",
        ".word 65b - 70b + 1",
        ".word 61b - 70b + 1",
        ".word 62b - 70b + 1",
        ".word 63b - 70b + 1",
    )
}
