// RISC-V: what steps of LSTM and FastGRNN share, besides the macros of `gates.S`. Their blocks have four sums, in t0 to t3.

// The sums begin with the first words of the block, at a0, of which \words bytes lie before the weights, and with the biases
// of the word's row.
    .macro begin_sums words
    lw      t0, 0(a0)
    lw      t1, 4(a0)
    lw      t2, 8(a0)
    lw      t3, 12(a0)
    addi    a0, a0, \words
    mv      a1, s1
    beqz    s7, 1f
    bias_add 0, t0, t1
    bias_add 2, t2, t3
    addi    s7, s7, 4
1:
    .endm

// Four inputs.
    .macro multiply_four
    lw      t4, 0(a1)
    lw      t5, 4(a1)
    lw      a2, 8(a1)
    lw      a3, 12(a1)
    addi    a1, a1, 16
    multiply_add 0, t4, t0, t1
    multiply_add 2, t5, t0, t1
    multiply_add 4, t4, t2, t3
    multiply_add 6, t5, t2, t3
    multiply_add 8, a2, t0, t1
    multiply_add 10, a3, t0, t1
    multiply_add 12, a2, t2, t3
    multiply_add 14, a3, t2, t3
    addi    a0, a0, 16
    .endm

    .macro purge_four
    .purgem begin_sums
    .purgem multiply_four
    purge
    .purgem purge
    .endm
