// Cortex-M4, M7: what the kernels for cores with DSP instructions share. r2 points to the biases of a block of four
// units. r10 and r12 are the sums of the even units, r11 and lr those of even + 256 * odd.

// A block's sums before the first input: r5 what accumulators begin with, r6 257 times as much, r7 what multiplies
// biases. r4 is lost.
    .macro begin_block
    ldr     r4, [r2]
    smlabb  r11, r4, r7, r6
    smlatb  lr, r4, r7, r6
    sxtb16  r4, r4
    smlabb  r10, r4, r7, r5
    smlatb  r12, r4, r7, r5
    .endm

// ReLU: a block's sums, of which 256 times the odd units' are alone by now, to its states. r5 is the distance from
// biases to states.
    .macro relu_block
    usat    r10, #7, r10, asr #9
    usat    r11, #7, r11, asr #17
    usat    r12, #7, r12, asr #9
    usat    lr, #7, lr, asr #17
    orr     r10, r10, r11, lsl #8
    orr     r12, r12, lr, lsl #8
    orr     r10, r10, r12, lsl #16
    str     r10, [r5, r2]
    .endm
