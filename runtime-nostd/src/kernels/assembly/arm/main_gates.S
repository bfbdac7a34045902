// Cortex-M3, M33: products and gates with multiply-accumulate, saturation and long products.

// Adds products to two sums: \w has the weights of two inputs, each a halfword that is the odd sum's weight and whose low byte
// is the even sum's; r2 and r3 are the inputs. \w and r7 are lost.
    .macro multiply_add w, even, odd
    sxtb    r7, \w
    mla     \even, r7, r2, \even
    sxth    r7, \w
    mla     \odd, r7, r2, \odd
    sxtb    r7, \w, ror #16
    mla     \even, r7, r3, \even
    asrs    \w, \w, #16
    mla     \odd, \w, r3, \odd
    .endm

// Adds a bias to two sums: \w is a halfword like a weight's, \by the factor. \b is lost.
    .macro bias_add w, by, b, even, odd
    sxtb    \b, \w
    mla     \even, \b, \by, \even
    mla     \odd, \w, \by, \odd
    .endm

// \a: in the table of lines with its middle at \table, the value at \a, where 1 is 2^16. \b and \c are lost.
    .macro line a, b, c, table, out, back
    ssat    \b, #8, \a, asr #12
    ldr     \b, [\table, \b, lsl #2]
    sxth    \a, \a
    sxth    \c, \b
    mla     \a, \a, \c, \b
    .endm

// What the table does not have, SSAT has clamped.
    .macro clamp b, c, out, back
    .endm

// \to: half of the product of \a and a gate of 15 bits, \gate, rounded down. \b is lost.
    .macro half_times to, a, gate, b
    smull   \to, \b, \a, \gate
    lsrs    \to, \to, #16
    orr     \to, \to, \b, lsl #16
    .endm

// \a saturates at 30 bits.
    .macro limit a, b, c, out, back
    ssat    \a, #30, \a
    .endm

// SSAT has done it.
    .macro limited a, b, c, out, back
    .endm
