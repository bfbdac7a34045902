// One step by a list of the active inputs (those that are not zero), eight bytes each: where the column begins, and
// the multiplier. r0 points to the plan; `.Lplan_` symbols are the offsets of its fields.

    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r3-r7}             // r3 only keeps the stack at a multiple of eight
    mov     r7, r0

// Adds the active units to the list. r0 points to the state, r6 to its end and r1 to the end of the list. r2 is the
// offset of the unit's column, r8 to r10 the distances between columns. A state is shifted to the left by 24 bits,
// which puts its sign on top, then to the right by r5 = 24 - shift.
    .macro list unit, stride
    ldrb    r3, [r0, #\unit]
    lsls    r3, r3, #24
    beq     0f
    asrs    r3, r3, r5
    stmia   r1!, {r2, r3}
0:
    add     r2, \stride
    .endm

    ldr     r0, [r7, #.Lplan_state]
    ldr     r6, [r7, #.Lplan_units]
    adds    r6, r6, r0
    ldr     r1, [r7, #.Lplan_end]       // list, behind what is in it
    movs    r2, #0
    ldr     r3, [r7, #.Lplan_shift]
    movs    r5, #24
    subs    r5, r5, r3
    ldr     r3, [r7, #.Lplan_odd_column]// from column to column
    mov     r8, r3
    ldr     r3, [r7, #.Lplan_third_column]
    mov     r9, r3
    ldr     r3, [r7, #.Lplan_next_columns]
    mov     r10, r3
1:
    list    0, r8
    list    1, r9
    list    2, r8
    list    3, r10
    adds    r0, #4
    cmp     r0, r6
    bne     1b
    str     r1, [r7, #.Lplan_end]

// Adds the products of the next input in the list to the sums of four units.
    .macro multiply_input
    ldmia   r1!, {r0, r2}
    ldrsh   r3, [r0, r5]
    multiply_add r8, r9
    ldrsh   r3, [r0, r6]
    multiply_add r10, r11
    .endm

// Blocks of four units. r5 points to the weights of the first two units in the kernel's first column, r6 to those of
// the last two. r8 is the sum of the first two units as even + 256 * odd, r9 the sum of the even one alone; r10 and
// r11 are those of the last two units.
    ldr     r5, [r7, #.Lplan_biases]
    ldr     r3, [r7, #.Lplan_units]
    adds    r3, r3, r5
    str     r3, [r7, #.Lplan_units]     // the biases' end
    ldr     r3, [r7, #.Lplan_to_kernel]
    adds    r5, r5, r3
    ldr     r6, [r7, #.Lplan_second]
    adds    r6, r6, r5
    ldr     r3, [r7, #.Lplan_half]
    lsls    r4, r3, #8
    adds    r4, r4, r3
    str     r4, [r7, #.Lplan_halves]    // 257 times as much
2:
    ldr     r3, [r7, #.Lplan_half]
    mov     r9, r3
    mov     r11, r3
    ldr     r3, [r7, #.Lplan_halves]
    mov     r8, r3
    mov     r10, r3
    ldr     r0, [r7, #.Lplan_biases]
    ldr     r2, [r7, #.Lplan_bias]
    movs    r1, #0
    ldrsh   r3, [r0, r1]
    multiply_add r8, r9
    movs    r1, #2
    ldrsh   r3, [r0, r1]
    multiply_add r10, r11
    adds    r0, #4
    str     r0, [r7, #.Lplan_biases]
    ldr     r1, [r7, #.Lplan_list]
    ldr     r2, [r7, #.Lplan_end]
    mov     r12, r2
    subs    r2, r2, r1
    beq     4f
    lsls    r2, r2, #28         // with an odd number of inputs, enter at the second of two
    bmi     6f
3:
    multiply_input
6:
    multiply_input
    cmp     r1, r12
    bne     3b
4:
    ldr     r3, [r7, #.Lplan_block]
    adds    r5, r5, r3
    adds    r6, r6, r3
    // r1 and r3 the even units, r0 and r2 256 times the odd ones.
    mov     r0, r8
    mov     r1, r9
    subs    r0, r0, r1
    mov     r2, r10
    mov     r3, r11
    subs    r2, r2, r3
    ldr     r4, [r7, #.Lplan_tanh]
    cmp     r4, #0
    bne     7f
    relu    r0, r0, 17
    relu    r1, r1, 9
    relu    r2, r2, 17
    relu    r3, r3, 9
5:
    ldr     r4, [r7, #.Lplan_state]
    strb    r1, [r4, #0]
    strb    r0, [r4, #1]
    strb    r3, [r4, #2]
    strb    r2, [r4, #3]
    adds    r4, #4
    str     r4, [r7, #.Lplan_state]
    ldr     r0, [r7, #.Lplan_biases]
    ldr     r1, [r7, #.Lplan_units]     // their end
    cmp     r0, r1
    bne     2b
    pop     {r3-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}

// tanh of all four sums. The calls keep r4 to r11.
7:
    asrs    r0, r0, #16
    mov     r8, r0
    asrs    r2, r2, #16
    mov     r9, r2
    asrs    r3, r3, #8
    mov     r10, r3
    asrs    r0, r1, #8
    blx     r4
    mov     r11, r0
    mov     r0, r8
    blx     r4
    mov     r8, r0
    mov     r0, r9
    blx     r4
    mov     r9, r0
    mov     r0, r10
    blx     r4
    mov     r3, r0
    mov     r0, r8
    mov     r1, r11
    mov     r2, r9
    b       5b

    .purgem list
    .purgem multiply_input
    .purgem multiply_add
    .purgem relu
