// RISC-V: what steps of GRU, LSTM and FastGRNN share.

// The assembler does not know that the target multiplies.
    .option push
    .option arch, +m

// Adds an input's products with a halfword of weights, \place bytes behind a0, to two sums: the halfword is the odd sum's
// weight, its low byte the even sum's. t6 and a6 are lost.
    .macro multiply_add place, x, even, odd
    lb      t6, \place(a0)
    lh      a6, \place(a0)
    mul     t6, t6, \x
    mul     a6, a6, \x
    add     \even, \even, t6
    add     \odd, \odd, a6
    .endm

// Adds a bias to two sums: a halfword like a weight's, \place bytes behind s7, times s8. t6 and a6 are lost.
    .macro bias_add place, even, odd
    lb      t6, \place(s7)
    lh      a6, \place(s7)
    mul     t6, t6, s8
    mul     a6, a6, s8
    add     \even, \even, t6
    add     \odd, \odd, a6
    .endm

// \a: in the table of lines with its middle at \table, the value at \a, where 1 is 2^16. a6 and t6 are lost.
    .macro line a, table
    srai    t6, \a, 12
    slti    a6, t6, -128
    beqz    a6, 11f
    li      t6, -128
11:
    slti    a6, t6, 128
    bnez    a6, 12f
    li      t6, 127
12:
    slli    t6, t6, 2
    add     t6, t6, \table
    lh      a6, 0(t6)
    lw      t6, 0(t6)
    slli    \a, \a, 16
    srai    \a, \a, 16
    mul     \a, \a, a6
    add     \a, \a, t6
    .endm

// \a: a gate of 15 bits in the upper half, where \a is half of its argument. s2 is the table, s4 a mask.
    .macro gate a
    line    \a, s2
    and     \a, \a, s4
    .endm

    .macro save
    addi    sp, sp, -48
    sw      s0, 44(sp)
    sw      s1, 40(sp)
    sw      s2, 36(sp)
    sw      s3, 32(sp)
    sw      s4, 28(sp)
    sw      s5, 24(sp)
    sw      s6, 20(sp)
    sw      s7, 16(sp)
    sw      s8, 12(sp)
    sw      s9, 8(sp)
    sw      s10, 4(sp)
    sw      s11, 0(sp)
    .endm

    .macro restore
    lw      s0, 44(sp)
    lw      s1, 40(sp)
    lw      s2, 36(sp)
    lw      s3, 32(sp)
    lw      s4, 28(sp)
    lw      s5, 24(sp)
    lw      s6, 20(sp)
    lw      s7, 16(sp)
    lw      s8, 12(sp)
    lw      s9, 8(sp)
    lw      s10, 4(sp)
    lw      s11, 0(sp)
    addi    sp, sp, 48
    ret
    .endm

// From the arguments (a0 the weights, a1 the inputs, a2 the dimensions, a3 the biases of the word's row or zero) to what the
// step needs: a4 the layer's own inputs, a5 their end, a7 the bytes of 32 for each unit, s1 the inputs, s2 and s3 the middles
// of the tables of gates and of tanh, s4 a mask for the upper half, s5 half of the last place that remains of an output, s6
// by how many bits it is shifted, s7 the biases, s8 their factor.
    .macro unpack
    mv      s1, a1
    mv      s7, a3
    slli    a4, a2, 32 - .Lunits
    srli    a4, a4, 32 - .Lunits + .Lwidth
    slli    a4, a4, 2
    add     a4, a4, a1
    slli    a7, a2, 32 - .Lstate_bits
    srli    a7, a7, 32 - .Lstate_bits + .Lunits
    slli    a7, a7, 2
    add     a5, a4, a7
    li      s8, 1
    sll     s8, s8, a2          // the low bits are the biases' shift
    srli    a2, a2, .Lstate_bits
    li      s6, 29
    sub     s6, s6, a2
    li      s5, 1
    sll     s5, s5, s6
    srli    s5, s5, 1
    lui     s2, %hi(kilornn_lines + 512)
    addi    s2, s2, %lo(kilornn_lines + 512)
    addi    s3, s2, 1024
    li      s4, -65536
    .endm

// The outputs, which lie in the second half of their room with 16 bits each, get 32 bits. a4 is the room, a5 its end, a7 its
// bytes.
    .macro widen
    srli    a6, a7, 1
    sub     a6, a5, a6
    mv      t6, a4
1:
    lh      t0, 0(a6)
    lh      t1, 2(a6)
    lh      t2, 4(a6)
    lh      t3, 6(a6)
    addi    a6, a6, 8
    sw      t0, 0(t6)
    sw      t1, 4(t6)
    sw      t2, 8(t6)
    sw      t3, 12(t6)
    addi    t6, t6, 16
    bne     t6, a5, 1b
    .endm

// Once all units have read the old outputs: the new ones are made of the states, at s0, and go to the second half of their
// room, of a7 bytes up to a5.
    .macro outputs_of_states
    srli    a7, a7, 1
    sub     a7, a5, a7
1:
    lw      t0, 0(s0)
    lw      t1, 4(s0)
    addi    s0, s0, 8
    add     t0, t0, s5
    add     t1, t1, s5
    sra     t0, t0, s6
    sra     t1, t1, s6
    sh      t0, 0(a7)
    sh      t1, 2(a7)
    addi    a7, a7, 4
    bne     a7, a5, 1b
    .endm

    .macro purge
    .purgem multiply_add
    .purgem bias_add
    .purgem line
    .purgem gate
    .purgem save
    .purgem restore
    .purgem unpack
    .purgem widen
    .purgem outputs_of_states
    .option pop
    .endm
