// One step of an LSTM, on cores without DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of
// the word's row or is zero; r2 has the dimensions. `base_gates.S` or `main_gates.S`, `wide_gates.S` and `four_sums.S` have
// the macros.
//
// A unit's four sums are in registers: r8 input gate, r9 candidate, r10 forget gate, r11 output gate. r12 is the end of the
// inputs, lr the place of the unit's cell state.

// In the memory there are for each unit its cell state and a word for its new output, then the inputs with 32 bits each, of
// which the layer's own outputs are the last.
    .equ    .Lframe, 40
    .equ    .Lshifts, 16        // the words with which a block's sums begin
    begin_step 2
    b       20f
    constants

// A unit's products, and what becomes of them.
    multiply_last
    cmp     r1, r12
    beq     6f
    b       48b
6:
    pop     {r4-r7}
    mov     r1, r8
    asrs    r1, r4
    mov     r2, r9
    asrs    r2, r5
    mov     r3, r10
    asrs    r3, r6
    mov     r4, r11
    asrs    r4, r7
    ldr     r7, [sp, #.Lgates]
    line    r3, r5, r6, r7, 81f, 71
    lsrs    r3, r3, #16         // one minus the forget gate
    line    r1, r5, r6, r7, 82f, 72
    lsrs    r1, r1, #16         // the input gate
    line    r4, r5, r6, r7, 83f, 73
    lsrs    r4, r4, #16         // the output gate
    mov     r5, lr
    ldr     r6, [r5]            // the cell state, with 20 bits below one
    half_times r5, r6, r3, r7
    subs    r6, r6, r5
    subs    r6, r6, r5
    ldr     r7, [sp, #.Ltanh]
    line    r2, r5, r3, r7, 84f, 74
    half_times r2, r2, r1, r5   // of the candidate and the input gate
    asrs    r2, r2, #9
    adds    r2, r2, r6
    bvs     86f
5:
    asrs    r3, r2, #4
    line    r3, r5, r6, r7, 85f, 75
    half_times r3, r3, r4, r5   // the new output, with 29 bits
    mov     r1, lr
    stmia   r1!, {r2, r3}
    mov     lr, r1
    ldr     r1, [sp, #.Linputs]
    cmp     lr, r1              // states end where inputs begin
    beq     3f

// Blocks of one unit. r1 points to the inputs.
20:
    ldmia   r0!, {r4-r7}
    push    {r4-r7}             // the low bytes are the sums' shifts
    begin_sums
    add_biases
    clamp   r5, r6, 81, 71b
    clamp   r5, r6, 82, 72b
    clamp   r5, r6, 83, 73b
    clamp   r5, r3, 84, 74b
    clamp   r5, r6, 85, 75b
// The cell state saturates. The sign of the sum is not that of its terms.
86:
    asrs    r2, r2, #31
    movs    r5, #1
    lsls    r5, r5, #31
    eors    r2, r5
    b       5b

// All units have read the old outputs: the new ones take their place, in the second half of their room.
3:
    ldr     r0, [sp, #.Lstates]
    mov     r7, r12
    subs    r2, r1, r0          // eight bytes a unit
    lsrs    r2, r2, #2
    subs    r2, r7, r2
    ldr     r5, [sp, #.Lhalf]
    ldr     r6, [sp, #.Lstate]
4:
    ldr     r3, [r0, #4]
    ldr     r4, [r0, #12]
    adds    r0, #16
    two_outputs
    cmp     r2, r7
    bne     4b
    add     sp, #.Lframe
    restore

    purge_four
    .purgem purge_four
