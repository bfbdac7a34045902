// tanh of a block's sums, of which 256 times the odd units' are alone by now, by calls of the function at r4, which keep r4 to
// r11: to its states, as far from the biases, to which r2 points, as r5 says.
    .macro tanh_block
    add     r5, r5, r2
    mov     r6, r0
    mov     r7, r2
    asr     r8, r12, #8
    asr     r9, lr, #16
    asr     r0, r10, #8
    blx     r4
    strb    r0, [r5]
    asr     r0, r11, #16
    blx     r4
    strb    r0, [r5, #1]
    mov     r0, r8
    blx     r4
    strb    r0, [r5, #2]
    mov     r0, r9
    blx     r4
    strb    r0, [r5, #3]
    mov     r0, r6
    adds    r2, r7, #4
    ldr     r6, [sp, #28]       // the biases' end
    .endm
