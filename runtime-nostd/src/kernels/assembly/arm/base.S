// Cortex-M0, M0+, M23: no multiply-accumulate, no saturation, and most instructions reach r0 to r7 only.

// Adds to the sums of two units: r3 has their weights, even + 256 * odd, and r2 the multiplier. \both gets the sum of
// these products, \even that of the even unit alone. r3 and r4 are lost.
    .macro multiply_add both, even
    sxtb    r4, r3
    muls    r3, r2, r3
    muls    r4, r2, r4
    add     \both, r3
    add     \even, r4
    .endm

// ReLU: \to = \from >> \shift, between 0 and 127. r4 is lost; \from may be \to.
    .macro relu to, from, shift
    asrs    \to, \from, #\shift
    asrs    r4, \to, #31
    bics    \to, r4
    cmp     \to, #127
    ble     0f
    movs    \to, #127
0:
    .endm
