// tanh of a block's sums, of which 256 times the odd units' are alone by now, by the table whose middle is at
// r4: to its states, as far from
// the biases, to which r2 points, as r5 says.
    .macro tanh_block
    ssat    r10, #11, r10, asr #8
    ssat    r11, #11, r11, asr #16
    ssat    r12, #11, r12, asr #8
    ssat    lr, #11, lr, asr #16
    ldrb    r10, [r4, r10]
    ldrb    r11, [r4, r11]
    ldrb    r12, [r4, r12]
    ldrb    lr, [r4, lr]
    orr     r10, r10, r11, lsl #8
    orr     r12, r12, lr, lsl #8
    orr     r10, r10, r12, lsl #16
    str     r10, [r5, r2]
    adds    r2, #4
    .endm
