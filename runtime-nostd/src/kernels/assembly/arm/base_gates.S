// Cortex-M0, M0+, M23: products and gates without multiply-accumulate, saturation or long products. Most instructions reach
// r0 to r7 only.

// Adds products to two sums: \w has the weights of two inputs, each a halfword that is the odd sum's weight and whose low byte
// is the even sum's; r2 and r3 are the inputs. \w and r7 are lost.
    .macro multiply_add w, even, odd
    sxtb    r7, \w
    muls    r7, r2, r7
    add     \even, r7
    sxth    r7, \w
    muls    r7, r2, r7
    add     \odd, r7
    asrs    \w, \w, #16
    sxtb    r7, \w
    muls    r7, r3, r7
    add     \even, r7
    muls    \w, r3, \w
    add     \odd, \w
    .endm

// Adds a bias to two sums: \w is a halfword like a weight's, \by the factor. \w and \b are lost.
    .macro bias_add w, by, b, even, odd
    sxtb    \b, \w
    muls    \b, \by, \b
    add     \even, \b
    muls    \w, \by, \w
    add     \odd, \w
    .endm

// \a: in the table of lines with its middle at \table, the value at \a, where 1 is 2^16. \b and \c are lost. What lies
// outside the table is clamped at the label \out, from which it goes on at the label \back.
    .macro line a, b, c, table, out, back
    asrs    \b, \a, #12
    sxtb    \c, \b
    cmp     \c, \b
    bne     \out
\back:
    lsls    \c, \c, #2
    ldr     \b, [\table, \c]
    sxth    \a, \a
    sxth    \c, \b
    muls    \a, \c, \a
    adds    \a, \a, \b
    .endm

    .macro clamp b, c, out, back
\out:
    asrs    \c, \b, #31
    movs    \b, #127
    eors    \c, \b
    b       \back
    .endm

// \to: half of the product of \a and a gate of 15 bits, \gate, rounded down. \b is lost.
    .macro half_times to, a, gate, b
    asrs    \b, \a, #16
    uxth    \to, \a
    muls    \b, \gate, \b
    muls    \to, \gate, \to
    lsrs    \to, \to, #16
    adds    \to, \to, \b
    .endm

// \a saturates at 30 bits: what has more goes to the label \out, and comes back at \back. \b and \c are lost.
    .macro limit a, b, c, out, back
    asrs    \b, \a, #29
    asrs    \c, \a, #31
    cmp     \b, \c
    bne     \out
\back:
    .endm

// Where \c has the sign.
    .macro limited a, b, c, out, back
\out:
    movs    \a, #1
    lsls    \a, \a, #29
    subs    \a, #1
    eors    \a, \c
    b       \back
    .endm
