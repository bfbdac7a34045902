// One step of a FastGRNN. a0 points to the weights, a1 to the inputs, a3 to the biases of the word's row or is zero; a2 has the
// dimensions, a4 zeta in its lower half and nu in its upper. `gates.S` and `four_sums.S` have the macros.
//
// The sums of four units are in t0 to t3. In the memory there are the states, to which s0 points, then the inputs.

    save
    slli    s9, a4, 16          // zeta and nu, in the upper half
    srli    s10, a4, 16
    slli    s10, s10, 16
    unpack
    sub     s0, a1, a7
    widen
// Blocks of four units.
2:
    mv      s11, a0             // the words with which the sums begin, then the offsets of the gates; the low bytes are shifts
    begin_sums 32
3:
    multiply_four
    bne     a1, a5, 3b

// A unit's state from its sum, \place bytes behind s0. Its words have the same place behind s11.
    .macro state sum, place
    lw      a2, \place(s11)
    lw      a3, (16 + \place)(s11)
    sra     \sum, \sum, a2
    srai    a2, \sum, 1
    sub     a3, a3, a2
    gate    a3                  // one minus the gate
    line    \sum, s3            // the candidate
    lw      a2, \place(s0)
    mulh    t4, \sum, s9
    mulh    t5, \sum, s10
    sub     t4, t4, a2
    mulh    t4, t4, a3
    slli    t4, t4, 1
    add     a2, a2, t4
    add     a2, a2, t5
// States have 30 bits.
    srai    t4, a2, 29
    srai    t5, a2, 31
    beq     t4, t5, 4f
    lui     a2, 0x20000
    addi    a2, a2, -1
    xor     a2, a2, t5
4:
    sw      a2, \place(s0)
    .endm

    state   t0, 0
    state   t1, 4
    state   t2, 8
    state   t3, 12
    addi    s0, s0, 16
    bne     s0, s1, 2b          // states end where inputs begin
    sub     s0, s0, a7
    outputs_of_states
    restore

    .purgem state
    purge_four
    .purgem purge_four
