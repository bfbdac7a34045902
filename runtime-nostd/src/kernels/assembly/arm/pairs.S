// One step with all inputs, two at a time. r0 points to the plan; `.Lplan_` symbols are the offsets of its fields.
//
// The kernel is read in sequence: a word has the weights of two units for two inputs, which SMLAD multiplies and adds
// at once. As it is the word gives even + 256 * odd, and behind SXTB16 even alone: three instructions for four products.

    push    {r4-r11, lr}
    sub     sp, #44
    ldrd    r8, r10, [r0, #.Lplan_half] // and tanh, the next field
    ldm     r0, {r0, r2, r3, r4, r5, r6, r11, r12, lr}
    // The plan's first nine fields: r0 state, r2 the inputs' end, r3 from biases to kernel, r4 units, r5 factor of biases,
    // r6 is not used, r11 shift, r12 inputs, lr biases. What each block needs is kept on the stack, where one LDM loads it:
    add     r9, r8, r8, lsl #8
    strd    r12, r2, [sp]       // inputs and their end
    strd    r8, r9, [sp, #8]    // half, halves
    str     r5, [sp, #16]       // what multiplies biases; the entry into the loop over inputs follows
    sub     r8, r0, lr
    add     r9, lr, r4
    strd    r8, r9, [sp, #24]   // from biases to state, and the biases' end
    str     r10, [sp, #32]      // tanh
    adds    r1, r0, r4
    mov     r2, r12

// States become 16-bit numbers in twos, the first and third of four and the second and fourth. r0 state, r1 its end,
// r2 inputs, r11 the shift.
    cmp     r10, #0
    bne     12f
11:
    ldr     r5, [r0], #4
    uxtb16  r6, r5
    uxtb16  r7, r5, ror #8
    lsl     r6, r6, r11
    lsl     r7, r7, r11
    strd    r6, r7, [r2], #8
    cmp     r0, r1
    bne     11b
    b       13f
// The same for states that may be negative: 128 is added, so that no sign reaches the other half of a word, and
// subtracted behind the shift, which is 8 at most.
    .macro shift_four states, even, odd
    eor     \states, \states, #0x80808080
    uxtb16  \even, \states
    uxtb16  \odd, \states, ror #8
    lsl     \even, \even, r11
    lsl     \odd, \odd, r11
    ssub16  \even, \even, r8
    ssub16  \odd, \odd, r8
    .endm

12:
    mov     r8, #0x00800080
    lsl     r8, r8, r11
    lsls    r4, r4, #29
    bpl     15f                 // an even number of fours
    ldr     r5, [r0], #4
    shift_four r5, r6, r7
    strd    r6, r7, [r2], #8
    cmp     r0, r1
    beq     13f
15:
    ldm     r0!, {r5, r9}
    shift_four r5, r6, r7
    shift_four r9, r4, r5
    strd    r6, r7, [r2], #8
    strd    r4, r5, [r2], #8
    cmp     r0, r1
    bne     15b
13:
    add     r0, r3, lr          // kernel
    mov     r2, lr
// The last 4 to 48 inputs are multiplied by code that is entered where it has as many; before it, a loop takes 16 at a time.
    ldrd    r4, r5, [sp]        // inputs and their end
    adr.w   r6, 30f
    sub     r5, r5, r4
    subs    r7, r5, #96
    bhi.w   16f
    lsrs    r5, r5, #1
    ldr     r5, [r6, r5]
    add     r5, r5, r6
17:
    str     r5, [sp, #20]       // entry

// Four inputs.
    .macro multiply_four
    ldm     r0!, {r4-r7}
    ldm     r1!, {r8, r9}
    smlad   r11, r4, r8, r11
    sxtb16  r4, r4
    smlad   r10, r4, r8, r10
    smlad   lr, r5, r8, lr
    sxtb16  r5, r5
    smlad   r12, r5, r8, r12
    smlad   r11, r6, r9, r11
    sxtb16  r6, r6
    smlad   r10, r6, r9, r10
    smlad   lr, r7, r9, lr
    sxtb16  r7, r7
    smlad   r12, r7, r9, r12
    .endm

// Blocks of four units; r2 points to their biases, r0 to the kernel.
20:
    ldm     sp, {r1, r3, r5, r6, r7} // inputs, the loop's end, half, halves, what multiplies biases
    begin_block
    ldr     pc, [sp, #20]       // entry
54:
    multiply_four
    multiply_four
    multiply_four
    multiply_four
    cmp     r1, r3
    bne     54b
    ldr     pc, [sp, #36]       // entry
52:
    multiply_four
51:
    multiply_four
50:
    multiply_four
49:
    multiply_four
48:
    multiply_four
47:
    multiply_four
46:
    multiply_four
45:
    multiply_four
44:
    multiply_four
43:
    multiply_four
42:
    multiply_four
41:
    multiply_four
    sub     r11, r11, r10
    sub     lr, lr, r12
    ldr     r4, [sp, #32]       // tanh
    ldrd    r5, r6, [sp, #24]   // from biases to state, and the biases' end
    cbnz    r4, 28f
    relu_block
    adds    r2, #4
    cmp     r2, r6
    bne     20b
    add     sp, #44
    pop     {r4-r11, pc}

28:
    tanh_block
    cmp     r2, r6
    bne     20b
    add     sp, #44
    pop     {r4-r11, pc}

// With the loop.
16:
    add     r7, r7, #31
    bic     r7, r7, #31         // bytes of the loop's inputs
    add     r4, r4, r7
    str     r4, [sp, #4]
    sub     r5, r5, r7
    lsrs    r5, r5, #1
    ldr     r5, [r6, r5]
    add     r5, r5, r6
    str     r5, [sp, #36]       // entry behind it
    adr.w   r5, 54b + 1         // bit 0 says Thumb
    b       17b

// Entries for one to twelve times four inputs.
    .p2align 2
30:
    .word   0
    .word   41b - 30b + 1
    .word   42b - 30b + 1
    .word   43b - 30b + 1
    .word   44b - 30b + 1
    .word   45b - 30b + 1
    .word   46b - 30b + 1
    .word   47b - 30b + 1
    .word   48b - 30b + 1
    .word   49b - 30b + 1
    .word   50b - 30b + 1
    .word   51b - 30b + 1
    .word   52b - 30b + 1

    .purgem shift_four
    .purgem multiply_four
    .purgem begin_block
    .purgem relu_block
    .purgem tanh_block
