// One step of a GRU, on cores with DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of the
// word's row or is zero; r2 has the dimensions.
//
// The sums of two units are in registers: r2 and r3 update gate and reset gate of the first, r4 and r5 those of the second,
// r6 and r7 the candidates of both. A word of weights has those of two sums for one input in each half. SMLAD multiplies
// the words of two inputs at once: as they are for the second sum, whose weights are in 256ths, and behind SXTB16 for the
// first. That is 21 instructions for 24 products.

    push    {r4-r11, lr}
    sub     sp, #100
// What each block needs is kept on the stack, where few instructions load it. In the memory there are the states, then the
// inputs, of which the layer's own outputs are the last.
    ubfx    r4, r2, #.Lwidth, #9
    ubfx    r5, r2, #.Lunits, #9
    add     r7, r1, r4, lsl #1  // own outputs
    sub     r6, r1, r5, lsl #2  // states
    ldr.w   r8, 35f
    strd    r8, r6, [sp, #60]   // gates, states
    str     r7, [sp, #88]       // own outputs
    lsr     r8, r2, #.Lstate_bits
    mov     r9, #8
    lsl     r8, r9, r8
    strd    r6, r8, [sp, #76]   // states, and what multiplies one so that the upper word is an output
// The last 4 to 32 of the layer's own inputs are multiplied by code that is entered where it has as many; before it, a loop
// takes eight at a time. Most layers need no loop.
    adr.w   r10, 30f
    subs    r6, r5, #32
    bhi.w   13f
    ldr     r9, [r10, r5]
    add     r9, r9, r10
10:
    str     r9, [sp, #36]       // entry
    cbz     r3, 11f
    mov     r8, #1
    lsl     r8, r8, r2          // the low byte is the biases' shift
    strd    r3, r8, [sp, #68]   // biases, and their factor
    adr.w   r9, 22f + 1         // bit 0 says Thumb
12:
    str     r9, [sp, #48]       // entry
    strd    r1, r11, [sp, #40]  // inputs, and the end of the loop over them

// Four inputs. r0 points to the weights, r1 to the inputs.
    .macro multiply_four
    ldm     r1!, {r12, lr}
    multiply_two r12
    multiply_two lr
    .endm

    .macro multiply_two x
    ldm     r0!, {r8, r9, r10}
    smlad   r3, r8, \x, r3
    sxtb16  r8, r8
    smlad   r2, r8, \x, r2
    smlad   r5, r9, \x, r5
    sxtb16  r9, r9
    smlad   r4, r9, \x, r4
    smlad   r7, r10, \x, r7
    sxtb16  r10, r10
    smlad   r6, r10, \x, r6
    .endm

// Puts the candidates' sums over what comes in aside, begins those over the layer's own outputs, and enters the second loop.
    .macro begin_own
    strd    r6, r7, [sp, #52]
    add     r9, sp, #24
    ldm     r9, {r6, r7, r11, pc} // what they begin with, the end, the entry
    .endm

// Blocks of two units. r1 points to the inputs, r11 is the end of the loop over those that come in.
20:
    ldm     r0!, {r2-r9}        // of the candidates' sums, those over what comes in begin
    stm     sp, {r2-r9}         // the low bytes are the sums' shifts
    ldr     pc, [sp, #48]       // entry
// Without biases: likewise the last 4 to 16 inputs that come in, if any do.
11:
    adr.w   r10, 31f
    subs    r6, r4, #16
    bhi     14f
    ldr     r9, [r10, r4]
    add     r9, r9, r10
    b       12b
// With a loop that takes eight at a time.
14:
    add     r6, r6, #4
    bic     r6, r6, #7
    add     r11, r1, r6, lsl #1
    sub     r4, r4, r6
    ldr     r9, [r10, r4]
    add     r9, r9, r10
    str     r9, [sp, #96]       // entry behind it
    adr.w   r9, 74f + 1
    b       12b
74:
    multiply_four
    multiply_four
    cmp     r1, r11
    bne     74b
    ldr     pc, [sp, #96]       // entry
54:
    multiply_four
53:
    multiply_four
52:
    multiply_four
51:
    multiply_four
    begin_own
// The biases of the word's row, three halfwords.
22:
    ldrd    r8, r9, [sp, #68]   // biases, factor
    ldr     r10, [r8], #4
    ldrsh   r12, [r8], #2
    str     r8, [sp, #68]
    smlabb  r3, r10, r9, r3
    smlatb  r5, r10, r9, r5
    sxtb16  r10, r10
    smlabb  r2, r10, r9, r2
    smlatb  r4, r10, r9, r4
    smlabb  r7, r12, r9, r7
    sxtb    r12, r12
    smlabb  r6, r12, r9, r6
23:
    begin_own
64:
    multiply_four
    multiply_four
    cmp     r1, r11
    bne     64b
    ldr     pc, [sp, #92]       // entry
    multiply_last
    ldm     sp, {r1, r8, r9, r10, r11, r12, lr} // shifts
    asr     r2, r2, r1
    asr     r3, r3, r8
    asr     r4, r4, r9
    asr     r5, r5, r10
    asr     r6, r6, lr
    ldr     r1, [sp, #28]
    asr     r7, r7, r1
    ldrd    r8, r9, [sp, #52]
    asr     r8, r8, r11
    asr     r9, r9, r12
    ldrd    r1, lr, [sp, #60]   // gates, states
    line    r10, r3, r1         // the first unit's reset gate
    smulwt  r10, r6, r10
    add     r8, r8, r10, lsl #1
    line    r10, r5, r1         // the second's
    smulwt  r10, r7, r10
    add     r9, r9, r10, lsl #1
    line    r3, r2, r1          // one minus the update gates
    line    r5, r4, r1
    add     r1, r1, #1024       // tanh
    line    r2, r8, r1          // the candidates
    line    r4, r9, r1
    ldrd    r6, r7, [lr]
    rsb     r2, r6, r2, asr #1
    smulwt  r2, r2, r3
    add     r6, r6, r2, lsl #1
    rsb     r4, r7, r4, asr #1
    smulwt  r4, r4, r5
    add     r7, r7, r4, lsl #1
    strd    r6, r7, [lr], #8
    str     lr, [sp, #64]
    ldrd    r1, r11, [sp, #40]  // inputs, and the end of those that come in
    cmp     lr, r1              // states end where inputs begin
    bne     20b

// All units have read the old outputs: the new ones are made of the states, eight at once.
    ldrd    r0, r2, [sp, #76]   // states, output
    ldr     r11, [sp, #88]      // own outputs
    sub     r3, lr, r0
    tst     r3, #16
    beq     1f
    four_outputs
    cmp     r0, lr
    beq     2f
1:
    ldm     r0!, {r3-r10}
    smmulr  r3, r3, r2
    smmulr  r4, r4, r2
    smmulr  r5, r5, r2
    smmulr  r6, r6, r2
    smmulr  r7, r7, r2
    smmulr  r8, r8, r2
    smmulr  r9, r9, r2
    smmulr  r10, r10, r2
    pkhbt   r3, r3, r4, lsl #16
    pkhbt   r5, r5, r6, lsl #16
    pkhbt   r7, r7, r8, lsl #16
    pkhbt   r9, r9, r10, lsl #16
    stm     r11!, {r3, r5, r7, r9}
    cmp     r0, lr
    bne     1b
2:
    add     sp, #100
    pop     {r4-r11, pc}

// With that loop.
13:
    add     r6, r6, #4
    bic     r6, r6, #7          // inputs in the loop
    add     r7, r7, r6, lsl #1
    str     r7, [sp, #32]       // the end of that loop
    sub     r5, r5, r6
    ldr     r9, [r10, r5]
    add     r9, r9, r10
    str     r9, [sp, #92]       // entry behind it
    adr.w   r9, 64b + 1
    b       10b

    constants
// For none to four times.
31:
    .word   23b - 31b + 1
    .word   51b - 31b + 1
    .word   52b - 31b + 1
    .word   53b - 31b + 1
    .word   54b - 31b + 1

    .purgem multiply_four
    .purgem multiply_two
    .purgem begin_own
    purge
    .purgem purge
