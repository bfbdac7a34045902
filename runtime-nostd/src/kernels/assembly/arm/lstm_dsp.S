// One step of an LSTM, on cores with DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of the
// word's row or is zero; r2 has the dimensions.
//
// A unit's four sums are in registers: r10 input gate, r11 candidate, r12 forget gate, lr output gate. A word of weights
// has those of two sums for one input in each half. SMLAD multiplies the words of two inputs at once: as they are for the
// second sum, whose weights are in 256ths, and behind SXTB16 for the first. That is 14 instructions for 16 products.

    push    {r4-r11, lr}
    sub     sp, #68
// What each block needs is kept on the stack, where few instructions load it. In the memory there are the new outputs, the
// inputs, of which the layer's own outputs are the last, and the cell states. A new output takes half as many bytes as a
// cell state or a unit's biases: these are found from its place.
    ubfx    r4, r2, #.Lwidth, #9
    ubfx    r5, r2, #.Lunits, #9
    add     r6, r1, r4, lsl #1  // own outputs
    sub     r7, r1, r5, lsl #1  // new outputs
    strd    r6, r7, [sp, #52]
    add     r10, r6, r5, lsl #1 // cell states
    sub     r10, r10, r7, lsl #1
    ldr.w   r9, 35f
    strd    r9, r10, [sp, #16]  // gates, and cell states as seen from twice the place of a new output
    str     r1, [sp, #24]       // inputs
    add     r9, r9, #1024
    lsr     r10, r2, #.Lstate_bits
    mov     r11, #8
    lsl     r10, r11, r10
    strd    r9, r10, [sp, #28]  // tanh, and what multiplies a number of 29 bits so that the upper word is an output
// The last 4 to 32 inputs are multiplied by code that is entered where it has as many; before it, a loop takes 16 at a time,
// up to r8. Most layers need no loop.
    add     r4, r4, r5
    adr.w   r10, 30f
    subs    r5, r4, #32
    bhi.w   12f
    ldr     r9, [r10, r4]
    add     r9, r9, r10         // entry
10:
    cbz     r3, 11f
    str     r9, [sp, #60]       // entry behind the biases
    sub     r3, r3, r7, lsl #1
    mov     r5, #1
    lsl     r5, r5, r2          // the low byte is the biases' shift
    strd    r3, r5, [sp, #40]   // biases, seen likewise, and their factor
    adr.w   r9, 22f + 1
11:
    str     r9, [sp, #36]       // entry
    mov     r9, r1
    mov     r3, r7

// Four inputs. r0 points to the weights, r9 to the inputs.
    .macro multiply_four
    ldm     r0!, {r1, r2, r4, r5}
    ldm     r9!, {r6, r7}
    smlad   r11, r1, r6, r11
    sxtb16  r1, r1
    smlad   r10, r1, r6, r10
    smlad   lr, r2, r6, lr
    sxtb16  r2, r2
    smlad   r12, r2, r6, r12
    smlad   r11, r4, r7, r11
    sxtb16  r4, r4
    smlad   r10, r4, r7, r10
    smlad   lr, r5, r7, lr
    sxtb16  r5, r5
    smlad   r12, r5, r7, r12
    .endm

// Blocks of one unit. r3 points to the place of its new output.
20:
    ldm     r0!, {r10, r11, r12, lr}
    stm     sp, {r10, r11, r12, lr} // the low bytes are the sums' shifts
    ldr     pc, [sp, #36]       // entry
// The biases of the word's row.
22:
    ldrd    r1, r2, [sp, #40]
    ldr     r4, [r1, r3, lsl #1]
    smlabb  r11, r4, r2, r11
    smlatb  lr, r4, r2, lr
    sxtb16  r4, r4
    smlabb  r10, r4, r2, r10
    smlatb  r12, r4, r2, r12
    ldr     pc, [sp, #60]       // entry
54:
    multiply_four
    multiply_four
    multiply_four
    multiply_four
    cmp     r9, r8
    bne     54b
    ldr     pc, [sp, #48]       // entry
    multiply_last
    ldm     sp, {r1, r2, r4, r5, r6, r7, r9} // shifts, gates, cell states, inputs
    asr     r10, r10, r1
    asr     r11, r11, r2
    asr     r12, r12, r4
    asr     lr, lr, r5
    ldrd    r1, r2, [sp, #28]   // tanh, output
    line    r4, r12, r6         // one minus the forget gate
    line    r5, r10, r6         // the input gate
    line    r12, lr, r6         // the output gate
    line    r10, r11, r1        // the candidate
    ldr     r11, [r7, r3, lsl #1] // the cell state, with 20 bits below one
    smulwt  r4, r11, r4
    smulwt  r10, r10, r5
    sub     r11, r11, r4, lsl #1
    asr     r10, r10, #9
    qadd    r11, r11, r10
    str     r11, [r7, r3, lsl #1]
    asr     r4, r11, #4
    line    r5, r4, r1
    smulwt  r5, r5, r12
    smmulr  r5, r5, r2
    strh    r5, [r3], #2
    cmp     r3, r9              // new outputs end where inputs begin
    bne     20b

// All units have read the old outputs: the new ones take their place, eight at once. r0 own, r1 new outputs.
    ldrd    r0, r1, [sp, #52]
    sub     r2, r9, r1
    tst     r2, #8
    beq     1f
    ldrd    r4, r5, [r1], #8
    strd    r4, r5, [r0], #8
    cmp     r1, r9
    beq     2f
1:
    ldm     r1!, {r4-r7}
    stm     r0!, {r4-r7}
    cmp     r1, r9
    bne     1b
2:
    add     sp, #68
    pop     {r4-r11, pc}

// With the loop.
12:
    add     r5, r5, #12
    bic     r5, r5, #15         // inputs in the loop
    add     r8, r1, r5, lsl #1
    sub     r4, r4, r5
    ldr     r9, [r10, r4]
    add     r9, r9, r10
    str     r9, [sp, #48]       // entry behind it
    adr.w   r9, 54b + 1         // bit 0 says Thumb
    b       10b

    constants

    .purgem multiply_four
    purge
    .purgem purge
