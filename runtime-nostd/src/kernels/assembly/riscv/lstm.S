// One step of an LSTM. a0 points to the weights, a1 to the inputs, a3 to the biases of the word's row or is zero; a2 has the
// dimensions. `gates.S` and `four_sums.S` have the macros.
//
// A unit's four sums are in registers: t0 input gate, t1 candidate, t2 forget gate, t3 output gate. In the memory there are
// for each unit its cell state and a word for its new output, to which s0 points, then the inputs.

    save
    unpack
    sub     s0, a1, a7
    sub     s0, s0, a7
    mv      s9, s0
    widen
// Blocks of one unit.
2:
    mv      s11, a0             // the words with which the sums begin; the low bytes are their shifts
    begin_sums 16
3:
    multiply_four
    bne     a1, a5, 3b
    lw      t4, 0(s11)
    lw      t5, 4(s11)
    lw      a2, 8(s11)
    lw      a3, 12(s11)
    sra     t0, t0, t4
    sra     t1, t1, t5
    sra     t2, t2, a2
    sra     t3, t3, a3
    gate    t0
    gate    t2                  // one minus the forget gate
    gate    t3
    line    t1, s3
    lw      t4, 0(s0)           // the cell state, with 20 bits below one
    mulh    t5, t4, t2
    slli    t5, t5, 1
    sub     t4, t4, t5
    mulh    t1, t1, t0
    srai    t1, t1, 9
    add     t5, t4, t1
    slti    t2, t1, 0
    slt     t6, t5, t4
    bne     t2, t6, 7f
4:
    sw      t5, 0(s0)
    srai    t5, t5, 4
    line    t5, s3
    mulh    t5, t5, t3
    add     t5, t5, s5
    sra     t5, t5, s6
    sw      t5, 4(s0)           // the new output
    addi    s0, s0, 8
    bne     s0, s1, 2b          // states end where inputs begin

// All units have read the old outputs: the new ones take their place, in the second half of their room.
    srli    a7, a7, 1
    sub     a7, a5, a7
5:
    lw      t0, 4(s9)
    lw      t1, 12(s9)
    addi    s9, s9, 16
    sh      t0, 0(a7)
    sh      t1, 2(a7)
    addi    a7, a7, 4
    bne     a7, a5, 5b
    restore
// The cell state saturates. The sign of the sum is not that of its terms.
7:
    srai    t5, t5, 31
    lui     t6, 0x80000
    xor     t5, t5, t6
    j       4b
    purge_four
    .purgem purge_four
