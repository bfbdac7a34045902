// One step of a FastGRNN, on cores without DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of
// the word's row or is zero; r2 has the dimensions, and a word on the stack zeta in its lower half and nu in its upper.
// `base_gates.S` or `main_gates.S`, `wide_gates.S` and `four_sums.S` have the macros.
//
// The sums of four units are in r8 to r11. r12 is the end of the inputs, lr the place of the block's first state. In the
// memory there are the states, then the inputs with 32 bits each, of which the layer's own outputs are the last.

    .equ    .Lframe, 56
    .equ    .Lshifts, 0
    .equ    .Lblock, 36         // the words with which the block's sums begin, of which the low bytes are shifts
    .equ    .Lzeta, 40
    .equ    .Lnu, 44
    .equ    .Lshares, .Lframe + 40 // zeta and nu, behind the registers
    begin_step 1
    ldr     r2, [sp, #.Lshares]
    uxth    r3, r2
    lsrs    r2, r2, #16
    str     r3, [sp, #.Lzeta]
    str     r2, [sp, #.Lnu]
    b       20f
    constants

// A unit's state, at r0, from its sum. r1 points to the word with which the sum began; 16 bytes farther is the offset of its
// gate. Labels that clamp are \near: before or behind.
    .macro state sum, first, near
    ldmia   r1!, {r2}
    mov     r3, \sum
    asrs    r3, r2
    ldr     r2, [r1, #12]
    asrs    r4, r3, #1
    subs    r2, r2, r4
    ldr     r7, [sp, #.Lgates]
    line    r2, r5, r6, r7, 8\first\()0\near, 7\first\()0
    lsrs    r2, r2, #16         // one minus the gate
    ldr     r7, [sp, #.Ltanh]
    line    r3, r5, r6, r7, 8\first\()1\near, 7\first\()1
    ldr     r6, [sp, #.Lzeta]
    half_times r4, r3, r6, r5
    ldr     r6, [sp, #.Lnu]
    half_times r3, r3, r6, r5
    ldr     r7, [r0]
    subs    r4, r4, r7
    half_times r4, r4, r2, r5
    adds    r7, r7, r3
    adds    r7, r7, r4
    adds    r7, r7, r4
    limit   r7, r5, r6, 8\first\()2\near, 7\first\()2
    stmia   r0!, {r7}
    .endm

    .macro clamp_state first, near
    clamp   r5, r6, 8\first\()0, 7\first\()0\near
    clamp   r5, r6, 8\first\()1, 7\first\()1\near
    limited r7, r5, r6, 8\first\()2, 7\first\()2\near
    .endm

// The products of four units, and what becomes of them. Branches that clamp reach 256 bytes.
    multiply_last
    cmp     r1, r12
    beq     6f
    b       48b
    clamp_state 1, f
    clamp_state 2, f
6:
    ldr     r1, [sp, #.Lblock]
    mov     r2, r0
    mov     r0, lr
    mov     lr, r2              // the next block
    state   r8, 1, b
    state   r9, 2, b
    state   r10, 3, f
    state   r11, 4, f
    ldr     r1, [sp, #.Linputs]
    cmp     r0, r1              // states end where inputs begin
    beq     3f
    mov     r2, r0
    mov     r0, lr
    mov     lr, r2

// Blocks of four units. r1 points to the inputs.
20:
    str     r0, [sp, #.Lblock]
    ldmia   r0!, {r4-r7}
    adds    r0, #16
    begin_sums
    clamp_state 3, b
    clamp_state 4, b
    add_biases

3:
    ldr     r0, [sp, #.Lstates]
    mov     r7, r12
    outputs_of_states
    add     sp, #.Lframe
    restore

    .purgem state
    .purgem clamp_state
    purge_four
    .purgem purge_four
