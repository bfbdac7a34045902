// One step with ReLU by a list of the active inputs (those that are not zero) in pairs of twelve bytes: where their two
// columns begin, seen from the row of biases, and the two multipliers in one word. r0 points to the plan; `.Lplan_` and
// `.Lpair_` symbols are the offsets of fields.
//
// For a pair and a block of four units, two words are loaded and their halves paired. Then SMLAD multiplies a unit's
// two weights by the two multipliers and adds both products at once: the paired halves as they are give
// even + 256 * odd, and behind SXTB16 they give even alone. That is one instruction a product, packing and widening
// included, and a quarter more for loads.

    push    {r4-r11, lr}
    sub     sp, #36
    ldr     r8, [r0, #.Lplan_half]
    ldm     r0, {r0, r2, r3, r4, r5, r6, r11, r12, lr}
    // The plan's first nine fields: r0 state, r2 end of the list, r3 offset of the first column, r4 units, r5 factor of
    // biases, r6 whether the list ends with half a pair, r11 shift, r12 list, lr biases. What each block needs is kept on
    // the stack, where one LDM loads it:
    add     r9, r8, r8, lsl #8
    str     r12, [sp]           // the list; its end follows
    strd    r8, r9, [sp, #8]    // half, halves
    str     r5, [sp, #16]       // what multiplies biases; the entry into the loop over the list follows
    sub     r8, r0, lr
    add     r9, lr, r4
    strd    r8, r9, [sp, #24]   // from biases to state, and the biases' end
    adds    r1, r0, r4
    lsls    r7, r4, #2
    lsl     r8, r4, #1
    add     r9, r8, r4

// Adds the active units to the list. r0 points to the state, r1 to its end and r2 to the end of the list. r3 is the
// offset of a column; r4, r8, r9 and r7 are the bytes of one, two, three and four columns; r11 is the shift.

// Adds a unit, a byte of the word in r5, while the list ends with a whole pair; r10 is the offset of its column.
    .macro list_first byte, columns, next
    uxtb    r6, r5, ror #\byte
    cbz     r6, 2f
    add     r10, r3, \columns
    lsl     r6, r6, r11
    str     r10, [r2, #.Lpair_columns]
    str     r6, [r2, #.Lpair_multipliers]
    b       \next
2:
    .endm

// The same while the list ends with half a pair.
    .macro list_second byte, columns, next
    uxtb    r6, r5, ror #\byte
    cbz     r6, 2f
    add     r10, r3, \columns
    lsl     r6, r6, r11
    str     r10, [r2, #.Lpair_columns + 4]
    strh    r6, [r2, #.Lpair_multipliers + 2]
    adds    r2, #.Lpair_size
    b       \next
2:
    .endm

    mov     r12, #0             // no column
    cmp     r6, #0
    bne     40f
    b       30f
29:
    add     r3, r7
30:
    cmp     r0, r1
    beq     50f
    ldr     r5, [r0], #4
    cmp     r5, #0
    beq     29b
    list_first 0, r12, 42f
32:
    list_first 8, r4, 43f
33:
    list_first 16, r8, 44f
34:
    list_first 24, r9, 39f
    b       29b
39:
    add     r3, r7
40:
    cmp     r0, r1
    beq     49f
    ldr     r5, [r0], #4
    cmp     r5, #0
    beq     39b
    list_second 0, r12, 32b
42:
    list_second 8, r4, 33b
43:
    list_second 16, r8, 34b
44:
    list_second 24, r9, 29b
    b       39b
// The last pair has one input. The other one's multiplier is zero, and its column may be any that can be read.
49:
    str     r12, [r2, #.Lpair_columns + 4]
    adds    r2, #.Lpair_size
// The loop over pairs takes four at a time, so the number of pairs modulo four decides where it is entered. A pair has
// three words, so the number of words is minus the number of pairs, modulo four.
50:
    ldr     r12, [sp]
    sub     r3, r12, r2
    and     r3, r3, #12
    adr.w   r4, 70f
    ldr     r5, [r4, r3]
    adds    r4, r4, r5
    str     r2, [sp, #4]        // end
    str     r4, [sp, #20]       // entry
    mov     r2, lr

// Four units' weights of two inputs: \w and \v are the columns' words, \x both multipliers.
    .macro multiply_pair w, v, x
    pkhbt   r3, \w, \v, lsl #16
    pkhtb   \v, \v, \w, asr #16
    smlad   r11, r3, \x, r11
    sxtb16  r3, r3
    smlad   r10, r3, \x, r10
    smlad   lr, \v, \x, lr
    sxtb16  \v, \v
    smlad   r12, \v, \x, r12
    .endm

    .macro multiply_one_pair
    ldm     r0!, {r4, r5, r6}
    ldr     r4, [r2, r4]
    ldr     r5, [r2, r5]
    multiply_pair r4, r5, r6
    .endm

    .macro multiply_two_pairs
    ldm     r0!, {r4, r5, r6, r7, r8, r9}
    ldr     r4, [r2, r4]
    ldr     r5, [r2, r5]
    ldr     r7, [r2, r7]
    ldr     r8, [r2, r8]
    multiply_pair r4, r5, r6
    multiply_pair r7, r8, r9
    .endm

// Blocks of four units; r2 points to their biases.
60:
    ldm     sp, {r0, r1, r5, r6, r7} // list, end, half, halves, what multiplies biases
    begin_block
    ldr     pc, [sp, #20]       // entry
// Three pairs modulo four.
63:
    multiply_one_pair
    b       62f
// One.
61:
    multiply_one_pair
// None.
65:
    cmp     r0, r1
    beq     64f
66:
    multiply_two_pairs
// Two.
62:
    multiply_two_pairs
    cmp     r0, r1
    bne     66b
64:
    sub     r11, r11, r10
    sub     lr, lr, r12
    ldrd    r5, r6, [sp, #24]   // from biases to state, and the biases' end
    relu_block
    adds    r2, #4
    cmp     r2, r6
    bne     60b
    add     sp, #36
    pop     {r4-r11, pc}

// Entries for zero to three pairs modulo four; bit 0 says Thumb.
    .p2align 2
70:
    .word   65b - 70b + 1
    .word   61b - 70b + 1
    .word   62b - 70b + 1
    .word   63b - 70b + 1

    .purgem list_first
    .purgem list_second
    .purgem multiply_pair
    .purgem multiply_one_pair
    .purgem multiply_two_pairs
    .purgem begin_block
    .purgem relu_block
