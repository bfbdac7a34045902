// One step of a GRU, on cores without DSP instructions. r0 points to the weights, r1 to the inputs, r3 to the biases of the
// word's row or is zero; r2 has the dimensions. `base_gates.S` or `main_gates.S`, and
// `wide_gates.S`, have the macros.
//
// The sums of two units are in registers: r8 and r9 update gate and reset gate of the first, r10 and r11 those of the
// second, r12 and lr the candidates of both.

    save                        // the biases, too
    sub     sp, #64
// What each block needs is kept on the stack. In the memory there are the states, then the inputs with 32 bits each, of which
// the layer's own outputs are the last.
    .equ    .Lblock, 0          // the block's beginning
    .equ    .Lfrom_x, 8         // bytes of the candidates' sums over what comes in, which come to lie before it
    .equ    .Linputs, 12
    .equ    .Lown, 16
    .equ    .Lend, 20
    .equ    .Lfirst, 24         // entry into the loop over what comes in, or to the biases
    .equ    .Lsecond, 28        // entry into the loop over the layer's own outputs
    .equ    .Lgates, 32
    .equ    .Ltanh, 36
    .equ    .Lstates, 40        // of the block, then those of the first one
    .equ    .Lfactor, 48        // of biases
    .equ    .Lstate, 52         // by how many bits a state is shifted to be an output
    .equ    .Lhalf, 56          // half of the last place that remains
    .equ    .Lbiases, 64
    str     r0, [sp, #.Lblock]
    str     r1, [sp, #.Linputs]
    unpack                      // r4 bytes of what comes in, r5 of the layer's own
    subs    r6, r1, r5
    str     r6, [sp, #.Lstates]
    str     r6, [sp, #.Lstates + 4]
    adds    r1, r1, r4
    str     r1, [sp, #.Lown]
    adds    r7, r1, r5
    str     r7, [sp, #.Lend]
    scales
// The number of inputs modulo 16 or 32 decides where the loops over them are entered.
    adr     r6, 30f
    movs    r2, #112
    ands    r2, r5
    lsrs    r2, r2, #2
    ldr     r2, [r6, r2]
    adds    r2, r2, r6
    str     r2, [sp, #.Lsecond]
    ldr     r2, 34f             // to the biases
    cmp     r3, #0
    bne     1f
    ldr     r2, 35f             // or behind the loop, if nothing comes in
    cmp     r4, #0
    beq     1f
    adr     r6, 31f
    movs    r2, #48
    ands    r2, r4
    lsrs    r2, r2, #2
    ldr     r2, [r6, r2]
1:
    adr     r6, 31f
    adds    r2, r2, r6
    str     r2, [sp, #.Lfirst]
    widen
    bl      20f                 // which reaches farther than B; lr is free

// Entries for zero to seven times four inputs modulo 32; bit 0 says Thumb.
    .p2align 2
30:
    entries
// For zero to three times four inputs modulo 16.
31:
    .word   54f - 31b + 1
    .word   51f - 31b + 1
    .word   52f - 31b + 1
    .word   53f - 31b + 1
32:
    .word   kilornn_lines + 512
33:
    .word   kilornn_lines + 1536
34:
    .word   22f - 31b + 1
35:
    .word   23f - 31b + 1

// Four inputs. r0 points to the weights, r1 to the inputs.
    .macro multiply_four
    multiply_two
    multiply_two
    .endm

    .macro multiply_two
    ldmia   r1!, {r2, r3}
    ldmia   r0!, {r4, r5, r6}
    multiply_add r4, r8, r9
    multiply_add r5, r10, r11
    multiply_add r6, r12, lr
    .endm

54:
    multiply_four
53:
    multiply_four
52:
    multiply_four
51:
    multiply_four
    ldr     r7, [sp, #.Lown]
    cmp     r1, r7
    beq     23f
    b       54b
// The biases of the word's row, three halfwords.
22:
    ldr     r5, [sp, #.Lbiases]
    ldr     r6, [sp, #.Lfactor]
    movs    r4, #0
    ldrsh   r2, [r5, r4]
    bias_add r2, r6, r3, r8, r9
    movs    r4, #2
    ldrsh   r2, [r5, r4]
    bias_add r2, r6, r3, r10, r11
    movs    r4, #4
    ldrsh   r2, [r5, r4]
    bias_add r2, r6, r3, r12, lr
    adds    r5, #6
    str     r5, [sp, #.Lbiases]
// The candidates' sums over the layer's own outputs begin.
23:
    mov     r2, r12
    mov     r3, lr
    ldr     r4, [sp, #.Lblock]
    push    {r2, r3}
    ldr     r5, [r4, #24]
    ldr     r6, [r4, #28]
    mov     r12, r5
    mov     lr, r6
    ldr     r7, [sp, #.Lsecond + .Lfrom_x]
    bx      r7
    multiply_last
    ldr     r7, [sp, #.Lend + .Lfrom_x]
    cmp     r1, r7
    beq     5f
    b       48b
    clamp   r5, r6, 810, 710f
    clamp   r5, r6, 811, 711f
    clamp   r5, r6, 812, 712f
5:
    ldr     r1, [sp, #.Lblock + .Lfrom_x]
    str     r0, [sp, #.Lblock + .Lfrom_x] // the next one

// A unit's state, at r0, from the sums of its gates and of its candidate over its own outputs. r1 points to the words with
// which they begin, of which the low bytes are shifts: those of the gates here, the others \x and \h bytes farther. On the
// stack there are \from_x bytes of sums over what comes in. Labels that clamp are \near: before or behind.
    .macro state update, reset, own, from_x, x, h, first, near
    ldmia   r1!, {r2, r3}
    mov     r4, \reset
    asrs    r4, r3
    ldr     r7, [sp, #.Lgates + \from_x]
    line    r4, r5, r6, r7, 8\first\()0\near, 7\first\()0
    lsrs    r4, r4, #16
    ldr     r5, [r1, #\h]
    mov     r3, \own
    asrs    r3, r5
    half_times r3, r3, r4, r5
    pop     {r5}
    ldr     r6, [r1, #\x]
    asrs    r5, r6
    adds    r5, r5, r3
    adds    r3, r5, r3
    mov     r4, \update
    asrs    r4, r2
    line    r4, r5, r6, r7, 8\first\()1\near, 7\first\()1
    lsrs    r4, r4, #16         // one minus the update gate
    ldr     r7, [sp, #.Ltanh + \from_x - 4]
    line    r3, r5, r6, r7, 8\first\()2\near, 7\first\()2
    ldr     r2, [r0]
    asrs    r3, r3, #1
    subs    r3, r3, r2
    half_times r3, r3, r4, r5
    adds    r2, r2, r3
    adds    r2, r2, r3
    stmia   r0!, {r2}
    .endm

    ldr     r0, [sp, #.Lstates + .Lfrom_x]
    state   r8, r9, r12, 8, 8, 16, 1, b
    state   r10, r11, lr, 4, 4, 12, 2, f
    str     r0, [sp, #.Lstates]
    ldr     r1, [sp, #.Linputs]
    cmp     r0, r1              // states end where inputs begin
    beq     3f

// Blocks of two units.
20:
    ldr     r0, [sp, #.Lblock]
    ldmia   r0!, {r2-r7}        // of the candidates' sums, those over what comes in begin
    mov     r8, r2
    mov     r9, r3
    mov     r10, r4
    mov     r11, r5
    mov     r12, r6
    mov     lr, r7
    adds    r0, #8
    ldr     r1, [sp, #.Linputs]
    ldr     r2, [sp, #.Lfirst]
    bx      r2
    clamp   r5, r6, 820, 720b
    clamp   r5, r6, 821, 721b
    clamp   r5, r6, 822, 722b

3:
    ldr     r0, [sp, #.Lstates + 4]
    ldr     r7, [sp, #.Lend]
    outputs_of_states
    add     sp, #64
    restore

    .purgem multiply_four
    .purgem multiply_two
    .purgem state
    purge
    .purgem purge
