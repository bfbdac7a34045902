// One step of a FastGRNN, on cores with DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of the
// word's row or is zero; r2 has the dimensions, and a word on the stack zeta in its lower half and nu in its upper.
//
// The sums of four units are in r4 to r7. A word of weights has those of two units for one input in each half. SMLAD
// multiplies the words of two inputs at once: as they are for the second unit, whose weights are in 256ths, and behind
// SXTB16 for the first. That is 14 instructions for 16 products.

    push    {r4-r11, lr}
    sub     sp, #84
// What each block needs is kept on the stack, where few instructions load it. In the memory there are the states, then the
// inputs, of which the layer's own outputs are the last.
    ubfx    r4, r2, #.Lwidth, #9
    ubfx    r5, r2, #.Lunits, #9
    add     r7, r1, r4, lsl #1  // own outputs
    sub     r6, r1, r5, lsl #2  // states
    ldr.w   r8, 35f
    add     r9, r8, #1024
    strd    r8, r9, [sp, #32]   // gates, tanh
    ldr     r8, [sp, #120]
    str     r8, [sp, #40]       // zeta and nu
    lsr     r8, r2, #.Lstate_bits
    mov     r9, #8
    lsl     r8, r9, r8
    strd    r6, r8, [sp, #64]   // states, and what multiplies one so that the upper word is an output
    strd    r1, r7, [sp, #72]   // inputs, own outputs
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
    mov     r5, #1
    lsl     r5, r5, r2          // the low byte is the biases' shift
    strd    r3, r5, [sp, #48]   // biases, and their factor
    adr.w   r9, 22f + 1         // bit 0 says Thumb
11:
    str     r9, [sp, #44]       // entry
    mov     r9, r1
    mov     r3, r6

// Four inputs. r0 points to the weights, r9 to the inputs.
    .macro multiply_four
    ldm     r0!, {r1, r2, r10, r11}
    ldm     r9!, {r12, lr}
    smlad   r5, r1, r12, r5
    sxtb16  r1, r1
    smlad   r4, r1, r12, r4
    smlad   r7, r2, r12, r7
    sxtb16  r2, r2
    smlad   r6, r2, r12, r6
    smlad   r5, r10, lr, r5
    sxtb16  r10, r10
    smlad   r4, r10, lr, r4
    smlad   r7, r11, lr, r7
    sxtb16  r11, r11
    smlad   r6, r11, lr, r6
    .endm

// A unit's state, at r3, from its sum. r1 is the table of gates, r2 that of tanh, r10 has zeta and nu.
    .macro state sum, offset
    ldr     r12, [sp, #\offset]
    sub     r12, r12, \sum, asr #1
    line    r9, r12, r1         // one minus the gate
    line    r12, \sum, r2       // the candidate
    ldr     lr, [r3]
    smulwb  r11, r12, r10
    smulwt  r12, r12, r10
    sub     r11, r11, lr
    smulwt  r11, r11, r9
    add     lr, lr, r11, lsl #1
    add     lr, lr, r12
    ssat    lr, #30, lr
    str     lr, [r3], #4
    .endm

// Blocks of four units. r3 points to the first one's state.
20:
    ldm     r0!, {r4-r7, r10, r11, r12, lr}
    stm     sp, {r4-r7, r10, r11, r12, lr} // the low bytes of the first four are the sums' shifts, the others gates' offsets
    ldr     pc, [sp, #44]       // entry
// The biases of the word's row.
22:
    ldrd    r1, r2, [sp, #48]
    ldr     r10, [r1], #4
    str     r1, [sp, #48]
    smlabb  r5, r10, r2, r5
    smlatb  r7, r10, r2, r7
    sxtb16  r10, r10
    smlabb  r4, r10, r2, r4
    smlatb  r6, r10, r2, r6
    ldr     pc, [sp, #60]       // entry
54:
    multiply_four
    multiply_four
    multiply_four
    multiply_four
    cmp     r9, r8
    bne     54b
    ldr     pc, [sp, #56]       // entry
    multiply_last
    ldm     sp, {r1, r2, r10, r11}
    asr     r4, r4, r1
    asr     r5, r5, r2
    asr     r6, r6, r10
    asr     r7, r7, r11
    ldrd    r1, r2, [sp, #32]
    ldr     r10, [sp, #40]
    state   r4, 16
    state   r5, 20
    state   r6, 24
    state   r7, 28
    ldr     r9, [sp, #72]
    cmp     r3, r9              // states end where inputs begin
    bne.w   20b

// All units have read the old outputs: the new ones are made of the states, four at once.
    ldrd    r0, r2, [sp, #64]   // states, output
    ldr     r11, [sp, #76]      // own outputs
1:
    four_outputs
    cmp     r0, r9
    bne     1b
    add     sp, #84
    pop     {r4-r11, pc}

// With a loop.
12:
    add     r5, r5, #12
    bic     r5, r5, #15         // inputs in the loop
    add     r8, r1, r5, lsl #1
    sub     r4, r4, r5
    ldr     r9, [r10, r4]
    add     r9, r9, r10
    str     r9, [sp, #56]       // entry behind it
    adr.w   r9, 54b + 1
    b       10b

    constants

    .purgem multiply_four
    .purgem state
    purge
    .purgem purge
