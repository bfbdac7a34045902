// Cortex-M without DSP instructions: what steps of GRU, LSTM and FastGRNN share, besides the macros of `base_gates.S` or
// `main_gates.S`.

// Puts the caller's registers on the stack, and r3.
    .macro save
    push    {r4-r7, lr}
    mov     r4, r8
    mov     r5, r9
    mov     r6, r10
    mov     r7, r11
    push    {r3-r7}
    .endm

    .macro restore
    pop     {r3-r7}
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    pop     {r4-r7, pc}
    .endm

// Of the dimensions in r2, those in bytes of inputs of 32 bits: what comes in (r4), and the layer's own (r5).
    .macro unpack
    lsls    r4, r2, #(32 - .Lunits)
    lsrs    r4, r4, #(32 - .Lunits + .Lwidth)
    lsls    r4, r4, #2
    lsls    r5, r2, #(32 - .Lstate_bits)
    lsrs    r5, r5, #(32 - .Lstate_bits + .Lunits)
    lsls    r5, r5, #2
    .endm

// The other dimensions and the tables, to their places on the stack. r2 and r6 are lost.
    .macro scales
    movs    r6, #1
    lsls    r6, r2              // the low byte is the biases' shift
    str     r6, [sp, #.Lfactor]
    lsrs    r2, r2, #.Lstate_bits
    movs    r6, #29
    subs    r6, r6, r2
    str     r6, [sp, #.Lstate]
    movs    r2, #1
    lsls    r2, r6
    lsrs    r2, r2, #1
    str     r2, [sp, #.Lhalf]
    ldr     r2, 32f
    str     r2, [sp, #.Lgates]
    ldr     r2, 33f
    str     r2, [sp, #.Ltanh]
    .endm

// The outputs, which lie in the second half of their room with 16 bits each, get 32 bits. r1 is the room, r5 its bytes, r7
// its end, which r1 then is. r2 to r6 are lost.
    .macro widen
    lsrs    r5, r5, #1
    subs    r4, r7, r5
1:
    ldmia   r4!, {r2, r6}
    sxth    r3, r2
    asrs    r5, r2, #16
    stmia   r1!, {r3, r5}
    sxth    r5, r6
    asrs    r6, r6, #16
    stmia   r1!, {r5, r6}
    cmp     r1, r7
    bne     1b
    .endm

// The last 4 to 32 inputs, by the cell's own `multiply_four`: entered at the label of as many fours as there are.
    .macro multiply_last
48:
    multiply_four
47:
    multiply_four
46:
    multiply_four
45:
    multiply_four
44:
    multiply_four
43:
    multiply_four
42:
    multiply_four
41:
    multiply_four
    .endm

// The entries into it, for zero to seven times four inputs modulo 32; bit 0 says Thumb.
    .macro entries
    .word   48f - 30b + 1
    .word   41f - 30b + 1
    .word   42f - 30b + 1
    .word   43f - 30b + 1
    .word   44f - 30b + 1
    .word   45f - 30b + 1
    .word   46f - 30b + 1
    .word   47f - 30b + 1
    .endm

// Outputs of two numbers, r3 and r4, go to r2, with half of the last place in r5 and their shift in r6.
    .macro two_outputs
    adds    r3, r3, r5
    adds    r4, r4, r5
    asrs    r3, r6
    asrs    r4, r6
    uxth    r3, r3
    lsls    r4, r4, #16
    orrs    r3, r4
    stmia   r2!, {r3}
    .endm

// Once all units have read the old outputs: the new ones are made of the states, from r0 to r1, and go to the second half of
// their room, which ends at r7.
    .macro outputs_of_states
    subs    r2, r1, r0
    lsrs    r2, r2, #1
    subs    r2, r7, r2
    ldr     r5, [sp, #.Lhalf]
    ldr     r6, [sp, #.Lstate]
1:
    ldmia   r0!, {r3, r4}
    two_outputs
    cmp     r2, r7
    bne     1b
    .endm

    .macro purge
    .purgem save
    .purgem restore
    .purgem unpack
    .purgem scales
    .purgem widen
    .purgem multiply_last
    .purgem entries
    .purgem two_outputs
    .purgem outputs_of_states
    .purgem multiply_add
    .purgem bias_add
    .purgem line
    .purgem clamp
    .purgem half_times
    .purgem limit
    .purgem limited
    .endm
