// One step by a list of the inputs that are not zero, eight bytes each: where the column begins, and the multiplier.
// r0 points to the plan.

    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r3-r7}             // r3 for the sake of the stack's alignment
    mov     r7, r0

// The units that are not zero join the list. r0 state, r6 its end, r1 list, r2 the column, r5 what is left of a shift
// to the right behind one that puts a state's sign on top; r8 to r10 lead from column to column.
    .macro list unit, stride
    ldrb    r3, [r0, #\unit]
    lsls    r3, r3, #24
    beq     0f
    asrs    r3, r3, r5
    stmia   r1!, {r2, r3}
0:
    add     r2, \stride
    .endm

    ldr     r0, [r7, #0]        // state
    ldr     r6, [r7, #12]       // units
    adds    r6, r6, r0
    ldr     r1, [r7, #4]        // list, behind what is in it
    movs    r2, #0
    ldr     r3, [r7, #24]       // shift
    movs    r5, #24
    subs    r5, r5, r3
    ldr     r3, [r7, #52]       // from column to column
    mov     r8, r3
    ldr     r3, [r7, #56]
    mov     r9, r3
    ldr     r3, [r7, #60]
    mov     r10, r3
1:
    list    0, r8
    list    1, r9
    list    2, r8
    list    3, r10
    adds    r0, #4
    cmp     r0, r6
    bne     1b
    str     r1, [r7, #4]        // end

// An input of the list.
    .macro multiply_input
    ldmia   r1!, {r0, r2}
    ldrsh   r3, [r0, r5]
    multiply_add r8, r9
    ldrsh   r3, [r0, r6]
    multiply_add r10, r11
    .endm

// Blocks of four units. r5 and r6 are the kernel's first column at their first and last two; r8 is the sum of the
// first two, one of them 256 times, and r9 that of the even one alone; r10 and r11 likewise for the last two.
    ldr     r5, [r7, #32]       // biases
    ldr     r3, [r7, #12]       // units
    adds    r3, r3, r5
    str     r3, [r7, #12]       // the biases' end
    ldr     r3, [r7, #8]        // from biases to kernel
    adds    r5, r5, r3
    ldr     r6, [r7, #44]       // to the last two
    adds    r6, r6, r5
    ldr     r3, [r7, #36]       // half
    lsls    r4, r3, #8
    adds    r4, r4, r3
    str     r4, [r7, #64]       // 257 times as much
2:
    ldr     r3, [r7, #36]       // half
    mov     r9, r3
    mov     r11, r3
    ldr     r3, [r7, #64]       // halves
    mov     r8, r3
    mov     r10, r3
    ldr     r0, [r7, #32]       // biases
    ldr     r2, [r7, #16]       // what multiplies them
    movs    r1, #0
    ldrsh   r3, [r0, r1]
    multiply_add r8, r9
    movs    r1, #2
    ldrsh   r3, [r0, r1]
    multiply_add r10, r11
    adds    r0, #4
    str     r0, [r7, #32]
    ldr     r1, [r7, #28]       // list
    ldr     r2, [r7, #4]        // end
    mov     r12, r2
    subs    r2, r2, r1
    beq     4f
    lsls    r2, r2, #28         // an odd number of inputs begins with the second of two
    bmi     6f
3:
    multiply_input
6:
    multiply_input
    cmp     r1, r12
    bne     3b
4:
    ldr     r3, [r7, #48]       // to the next block
    adds    r5, r5, r3
    adds    r6, r6, r3
    // r1 and r3 the even units, r0 and r2 256 times the odd ones.
    mov     r0, r8
    mov     r1, r9
    subs    r0, r0, r1
    mov     r2, r10
    mov     r3, r11
    subs    r2, r2, r3
    ldr     r4, [r7, #40]       // tanh
    cmp     r4, #0
    bne     7f
    relu    r0, r0, 17
    relu    r1, r1, 9
    relu    r2, r2, 17
    relu    r3, r3, 9
5:
    ldr     r4, [r7, #0]        // state
    strb    r1, [r4, #0]
    strb    r0, [r4, #1]
    strb    r3, [r4, #2]
    strb    r2, [r4, #3]
    adds    r4, #4
    str     r4, [r7, #0]
    ldr     r0, [r7, #32]       // biases
    ldr     r1, [r7, #12]       // their end
    cmp     r0, r1
    bne     2b
    pop     {r3-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}

// tanh of all four, by calls that leave r4 to r11 as they are.
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
