// One step by a list of the inputs that are not zero, eight bytes each: where the column begins, and the multiplier.
// a0 points to the plan.

// The assembler does not know the target's features.
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

// The units that are not zero join the list. a1 state, a2 its end, a3 list, a4 the column, a5 the shift; t0 to t2 lead
// from column to column.
    .macro list_unit unit, stride
    lb      a6, \unit(a1)
    beqz    a6, 1f
    sll     a6, a6, a5
    sw      a4, 0(a3)
    sw      a6, 4(a3)
    addi    a3, a3, 8
1:
    add     a4, a4, \stride
    .endm

    lw      a1, 0(a0)           // state
    lw      a2, 12(a0)          // units
    lw      a3, 4(a0)           // list, behind what is in it
    lw      a5, 24(a0)          // shift
    lw      t0, 52(a0)          // from column to column
    lw      t1, 56(a0)
    lw      t2, 60(a0)
    add     a2, a2, a1
    li      a4, 0
2:
    list_unit 0, t0
    list_unit 1, t1
    list_unit 2, t0
    list_unit 3, t2
    addi    a1, a1, 4
    bne     a1, a2, 2b
    sw      a3, 4(a0)           // end

// Blocks of units. For each two of them there are two sums, one of both, the odd one 256 times, and one of the even
// one alone.

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

// ReLU: a sum to a state, between 0 and 127, which is a7. Most are zero.
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

    lw      a2, 32(a0)          // biases
    lw      a3, 12(a0)          // units
    add     a3, a3, a2
    sw      a3, 12(a0)          // the biases' end
    lw      t1, 36(a0)          // half
    slli    t2, t1, 8
    add     t2, t2, t1
    sw      t2, 64(a0)          // 257 times as much
    lw      t0, 8(a0)           // from biases to kernel
    add     t0, t0, a2
    sw      t0, 8(a0)           // the kernel, in the rows of the next units

// Where a column's weights lie side by side, sixteen units at once.
3:
    lw      a5, 48(a0)          // from one block of four to the next
    li      a6, 4
    bne     a5, a6, 6f
    lw      a3, 32(a0)          // biases
    lw      a5, 12(a0)          // their end
    sub     a5, a5, a3
    li      a6, 16
    bltu    a5, a6, 6f
    lw      t1, 36(a0)
    lw      t2, 64(a0)
    lw      a4, 16(a0)          // what multiplies biases
    begin   0, s0, s1
    begin   2, s2, s3
    begin   4, s4, s5
    begin   6, s6, s7
    begin   8, s8, s9
    begin   10, s10, s11
    begin   12, t3, t4
    begin   14, t5, t6
    addi    a3, a3, 16
    sw      a3, 32(a0)
    lw      a1, 28(a0)          // list
    lw      a2, 4(a0)           // end
    lw      t0, 8(a0)           // kernel
    addi    a3, t0, 16
    sw      a3, 8(a0)
    beq     a1, a2, 5f
4:
    lw      a3, 0(a1)
    lw      a4, 4(a1)
    add     a3, a3, t0
    addi    a1, a1, 8
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
    lw      a3, 0(a0)           // state
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
    sw      a3, 0(a0)
    j       3b

// Else four.
6:
    lw      a3, 32(a0)          // biases
    lw      a5, 12(a0)          // their end
    beq     a3, a5, 9f
    lw      t1, 36(a0)
    lw      t2, 64(a0)
    lw      a4, 16(a0)          // what multiplies biases
    begin   0, s0, s1
    begin   2, s2, s3
    addi    a3, a3, 4
    sw      a3, 32(a0)
    lw      a1, 28(a0)          // list
    lw      a2, 4(a0)           // end
    lw      t0, 8(a0)           // kernel
    lw      t1, 44(a0)          // from a block's first two units to its last two
    lw      a5, 48(a0)          // to the next block
    add     t1, t1, t0
    add     a5, a5, t0
    sw      a5, 8(a0)
    beq     a1, a2, 8f
7:
    lw      a3, 0(a1)
    lw      a4, 4(a1)
    add     t2, a3, t1
    add     a3, a3, t0
    addi    a1, a1, 8
    multiply_add 0, a3, s0, s1
    multiply_add 0, t2, s2, s3
    bne     a1, a2, 7b
8:
    lw      a3, 0(a0)           // state
    lw      a5, 40(a0)          // tanh
    bnez    a5, 10f
    li      a7, 127
    relu_pair 0, s0, s1
    relu_pair 2, s2, s3
    addi    a3, a3, 4
    sw      a3, 0(a0)
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

// tanh of all four, by calls that leave s0 to s11 as they are.
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
    sw      s5, 0(a0)
    j       6b

    .purgem list_unit
    .purgem multiply_add
    .purgem begin
    .purgem relu
    .purgem relu_pair
    .option pop
