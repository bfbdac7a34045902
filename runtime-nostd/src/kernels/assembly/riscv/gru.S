// One step of a GRU. a0 points to the weights, a1 to the inputs, a3 to the biases of the word's row or is zero; a2 has the
// dimensions. `gates.S` has the macros.
//
// The sums of two units are in registers: t0 and t1 update gate and reset gate of the first, t2 and t3 those of the second,
// t4 and t5 the candidates of both, of which s9 and s10 keep those over what comes in. In the memory there are the states, to
// which s0 points, then the inputs.

    save
    unpack
    sub     s0, a1, a7
    widen

// Four inputs.
    .macro multiply_four
    lw      a2, 0(a1)
    lw      a3, 4(a1)
    multiply_add 0, a2, t0, t1
    multiply_add 2, a3, t0, t1
    multiply_add 4, a2, t2, t3
    multiply_add 6, a3, t2, t3
    multiply_add 8, a2, t4, t5
    multiply_add 10, a3, t4, t5
    lw      a2, 8(a1)
    lw      a3, 12(a1)
    multiply_add 12, a2, t0, t1
    multiply_add 14, a3, t0, t1
    multiply_add 16, a2, t2, t3
    multiply_add 18, a3, t2, t3
    multiply_add 20, a2, t4, t5
    multiply_add 22, a3, t4, t5
    addi    a0, a0, 24
    addi    a1, a1, 16
    .endm

// Blocks of two units.
2:
    mv      s11, a0             // the words with which the sums begin; the low bytes are their shifts
    lw      t0, 0(a0)
    lw      t1, 4(a0)
    lw      t2, 8(a0)
    lw      t3, 12(a0)
    lw      t4, 16(a0)
    lw      t5, 20(a0)
    addi    a0, a0, 32
    mv      a1, s1
    beqz    s7, 3f
    bias_add 0, t0, t1
    bias_add 2, t2, t3
    bias_add 4, t4, t5
    addi    s7, s7, 6
3:
    beq     a1, a4, 4f
    multiply_four
    j       3b
4:
    mv      s9, t4
    mv      s10, t5
    lw      t4, 24(s11)
    lw      t5, 28(s11)
5:
    multiply_four
    bne     a1, a5, 5b

// A unit's state, \place bytes behind s0, from its sums. Their words have these places behind s11.
    .macro state update, reset, own, from_x, u, r, h, x, place
    lw      a2, \r(s11)
    sra     \reset, \reset, a2
    gate    \reset
    lw      a2, \h(s11)
    sra     \own, \own, a2
    mulh    \own, \own, \reset
    lw      a2, \x(s11)
    sra     \from_x, \from_x, a2
    slli    \own, \own, 1
    add     \from_x, \from_x, \own
    line    \from_x, s3
    lw      a2, \u(s11)
    sra     \update, \update, a2
    gate    \update             // one minus the update gate
    lw      a2, \place(s0)
    srai    \from_x, \from_x, 1
    sub     \from_x, \from_x, a2
    mulh    \from_x, \from_x, \update
    slli    \from_x, \from_x, 1
    add     a2, a2, \from_x
    sw      a2, \place(s0)
    .endm

    state   t0, t1, t4, s9, 0, 4, 24, 16, 0
    state   t2, t3, t5, s10, 8, 12, 28, 20, 4
    addi    s0, s0, 8
    beq     s0, s1, 6f          // states end where inputs begin
    j       2b

6:
    sub     s0, s0, a7
    outputs_of_states
    restore

    .purgem multiply_four
    .purgem state
    purge
    .purgem purge
