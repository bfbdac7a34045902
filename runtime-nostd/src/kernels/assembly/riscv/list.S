// One step by a list of the active inputs (those that are not zero), eight bytes each: where the column begins, and
// the multiplier. a0 points to the plan; `.Lplan_` symbols are the offsets of its fields.

// The assembler does not know that the target multiplies.
    .option push
    .option arch, +m

    addi    sp, sp, -64
    sw      ra, 60(sp)
    sw      s0, 56(sp)
    sw      s1, 52(sp)
    sw      s2, 48(sp)
    sw      s3, 44(sp)
    sw      s4, 40(sp)
    sw      s5, 36(sp)
    sw      s6, 32(sp)
    sw      s7, 28(sp)
    sw      s8, 24(sp)
    sw      s9, 20(sp)
    sw      s10, 16(sp)
    sw      s11, 12(sp)

// Adds the active units to the list. a1 points to the state, a2 to its end and a3 to the end of the list. a4 is the
// offset of the unit's column, a5 the shift, t0 to t2 the distances between columns.
    .macro list_unit unit, stride
    lb      a6, \unit(a1)
    beqz    a6, 1f
    sll     a6, a6, a5
    sw      a4, .Linput_column(a3)
    sw      a6, .Linput_multiplier(a3)
    addi    a3, a3, .Linput_size
1:
    add     a4, a4, \stride
    .endm

    lw      a1, .Lplan_state(a0)
    lw      a2, .Lplan_units(a0)
    lw      a3, .Lplan_end(a0)          // list, behind what is in it
    lw      a5, .Lplan_shift(a0)
    lw      t0, .Lplan_odd_column(a0)   // from column to column
    lw      t1, .Lplan_third_column(a0)
    lw      t2, .Lplan_next_columns(a0)
    add     a2, a2, a1
    li      a4, 0
2:
    list_unit 0, t0
    list_unit 1, t1
    list_unit 2, t0
    list_unit 3, t2
    addi    a1, a1, 4
    bne     a1, a2, 2b
    sw      a3, .Lplan_end(a0)

// Blocks of units. Each pair of units has two sums: even + 256 * odd, and that of the even unit alone.

// Adds the products of an input (a4) with the weights of two units.
    .macro multiply_add place, base, both, even
    lh      a5, \place(\base)
    lb      a6, \place(\base)
    mul     a5, a5, a4
    mul     a6, a6, a4
    add     \both, \both, a5
    add     \even, \even, a6
    .endm

// The sums before the first input: t1 what accumulators begin with, t2 257 times as much, a4 what multiplies biases,
// which begin at a3.
    .macro begin place, both, even
    lh      a5, \place(a3)
    lb      a6, \place(a3)
    mul     a5, a5, a4
    mul     a6, a6, a4
    add     \both, a5, t2
    add     \even, a6, t1
    .endm

// ReLU: from a sum to a state between 0 and 127 (a7). Most states are zero.
    .macro relu place, sum, shift
    srai    \sum, \sum, \shift
    blez    \sum, 11f
    ble     \sum, a7, 12f
    mv      \sum, a7
12:
    sb      \sum, \place(a3)
    j       13f
11:
    sb      zero, \place(a3)
13:
    .endm

    .macro relu_pair place, both, even
    sub     \both, \both, \even
    relu    \place, \even, 9
    relu    (\place + 1), \both, 17
    .endm

    lw      a2, .Lplan_biases(a0)
    lw      a3, .Lplan_units(a0)
    add     a3, a3, a2
    sw      a3, .Lplan_units(a0)        // the biases' end
    lw      t1, .Lplan_half(a0)
    slli    t2, t1, 8
    add     t2, t2, t1
    sw      t2, .Lplan_halves(a0)       // 257 times as much
    lw      t0, .Lplan_to_kernel(a0)
    add     t0, t0, a2
    sw      t0, .Lplan_to_kernel(a0)    // the kernel, in the rows of the next units

// Where a column's weights lie side by side, sixteen units at once.
3:
    lw      a5, .Lplan_block(a0)
    li      a6, 4
    bne     a5, a6, 6f
    lw      a3, .Lplan_biases(a0)
    lw      a5, .Lplan_units(a0)        // their end
    sub     a5, a5, a3
    li      a6, 16
    bltu    a5, a6, 6f
    lw      t1, .Lplan_half(a0)
    lw      t2, .Lplan_halves(a0)
    lw      a4, .Lplan_bias(a0)
    begin   0, s0, s1
    begin   2, s2, s3
    begin   4, s4, s5
    begin   6, s6, s7
    begin   8, s8, s9
    begin   10, s10, s11
    begin   12, t3, t4
    begin   14, t5, t6
    addi    a3, a3, 16
    sw      a3, .Lplan_biases(a0)
    lw      a1, .Lplan_list(a0)
    lw      a2, .Lplan_end(a0)
    lw      t0, .Lplan_to_kernel(a0)
    addi    a3, t0, 16
    sw      a3, .Lplan_to_kernel(a0)
    beq     a1, a2, 5f
4:
    lw      a3, .Linput_column(a1)
    lw      a4, .Linput_multiplier(a1)
    add     a3, a3, t0
    addi    a1, a1, .Linput_size
    multiply_add 0, a3, s0, s1
    multiply_add 2, a3, s2, s3
    multiply_add 4, a3, s4, s5
    multiply_add 6, a3, s6, s7
    multiply_add 8, a3, s8, s9
    multiply_add 10, a3, s10, s11
    multiply_add 12, a3, t3, t4
    multiply_add 14, a3, t5, t6
    bne     a1, a2, 4b
5:
    lw      a3, .Lplan_state(a0)
    li      a7, 127
    relu_pair 0, s0, s1
    relu_pair 2, s2, s3
    relu_pair 4, s4, s5
    relu_pair 6, s6, s7
    relu_pair 8, s8, s9
    relu_pair 10, s10, s11
    relu_pair 12, t3, t4
    relu_pair 14, t5, t6
    addi    a3, a3, 16
    sw      a3, .Lplan_state(a0)
    j       3b

// Otherwise four units at once.
6:
    lw      a3, .Lplan_biases(a0)
    lw      a5, .Lplan_units(a0)        // their end
    beq     a3, a5, 9f
    lw      t1, .Lplan_half(a0)
    lw      t2, .Lplan_halves(a0)
    lw      a4, .Lplan_bias(a0)
    begin   0, s0, s1
    begin   2, s2, s3
    addi    a3, a3, 4
    sw      a3, .Lplan_biases(a0)
    lw      a1, .Lplan_list(a0)
    lw      a2, .Lplan_end(a0)
    lw      t0, .Lplan_to_kernel(a0)
    lw      t1, .Lplan_second(a0)
    lw      a5, .Lplan_block(a0)
    add     t1, t1, t0
    add     a5, a5, t0
    sw      a5, .Lplan_to_kernel(a0)
    beq     a1, a2, 8f
7:
    lw      a3, .Linput_column(a1)
    lw      a4, .Linput_multiplier(a1)
    add     t2, a3, t1
    add     a3, a3, t0
    addi    a1, a1, .Linput_size
    multiply_add 0, a3, s0, s1
    multiply_add 0, t2, s2, s3
    bne     a1, a2, 7b
8:
    lw      a3, .Lplan_state(a0)
    lw      a5, .Lplan_tanh(a0)
    bnez    a5, 10f
    li      a7, 127
    relu_pair 0, s0, s1
    relu_pair 2, s2, s3
    addi    a3, a3, 4
    sw      a3, .Lplan_state(a0)
    j       6b
9:
    lw      ra, 60(sp)
    lw      s0, 56(sp)
    lw      s1, 52(sp)
    lw      s2, 48(sp)
    lw      s3, 44(sp)
    lw      s4, 40(sp)
    lw      s5, 36(sp)
    lw      s6, 32(sp)
    lw      s7, 28(sp)
    lw      s8, 24(sp)
    lw      s9, 20(sp)
    lw      s10, 16(sp)
    lw      s11, 12(sp)
    addi    sp, sp, 64
    ret

// tanh of all four sums. The calls keep s0 to s11.
10:
    mv      s4, a0
    mv      s5, a3
    mv      s6, a5
    sub     s0, s0, s1
    sub     s2, s2, s3
    srai    a0, s1, 8
    jalr    s6
    sb      a0, 0(s5)
    srai    a0, s0, 16
    jalr    s6
    sb      a0, 1(s5)
    srai    a0, s3, 8
    jalr    s6
    sb      a0, 2(s5)
    srai    a0, s2, 16
    jalr    s6
    sb      a0, 3(s5)
    mv      a0, s4
    addi    s5, s5, 4
    sw      s5, .Lplan_state(a0)
    j       6b

    .purgem list_unit
    .purgem multiply_add
    .purgem begin
    .purgem relu
    .purgem relu_pair
    .option pop
