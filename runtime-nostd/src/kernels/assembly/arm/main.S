// Cortex-M3, M33: multiply-accumulate and saturation.

// Adds to the sums of two units: r3 has their weights, even + 256 * odd, and r2 the multiplier. \both gets the sum of
// these products, \even that of the even unit alone. r4 is lost.
    .macro multiply_add both, even
    sxtb    r4, r3
    mla     \both, r3, r2, \both
    mla     \even, r4, r2, \even
    .endm

// ReLU: \to = \from >> \shift, between 0 and 127.
    .macro relu to, from, shift
    usat    \to, #7, \from, asr #\shift
    .endm
