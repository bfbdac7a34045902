// Cortex-M without DSP instructions: what steps of LSTM and FastGRNN share, besides the macros of `wide_gates.S`. Their
// blocks have four sums, in r8 to r11.
//
// What each block needs is kept on the stack; the cell says how many bytes there are in `.Lframe`, and in `.Lshifts` how many
// it pushes before the products.
    .equ    .Linputs, 0
    .equ    .Lentry, 4
    .equ    .Lgates, 8
    .equ    .Ltanh, 12
    .equ    .Lstates, 16
    .equ    .Lproducts, 20      // entry behind the biases
    .equ    .Lfactor, 24        // of biases
    .equ    .Lstate, 28         // by how many bits a number of 29 bits is shifted to be an output
    .equ    .Lhalf, 32          // half of the last place that remains

// From the arguments (r0 the weights, r1 the inputs, r2 the dimensions, r3 the biases of the word's row or zero) to what the
// step needs: r1 the inputs, r12 their end, lr the states, of which each unit has \words.
    .macro begin_step words
    save                        // the biases, too
    sub     sp, #.Lframe
    .equ    .Lbiases, .Lframe
    str     r1, [sp, #.Linputs]
    unpack                      // r4 bytes of what comes in, r5 of the layer's own
    subs    r6, r1, r5
    .if     \words == 2
    subs    r6, r6, r5
    .endif
    str     r6, [sp, #.Lstates]
    mov     lr, r6
    adds    r1, r1, r4
    adds    r7, r1, r5
    mov     r12, r7
    adds    r4, r4, r5
    scales
// The number of inputs modulo 32 decides where the loop over them is entered.
    adr     r6, 30f
    movs    r2, #112
    ands    r2, r4
    lsrs    r2, r2, #2
    ldr     r2, [r6, r2]
    adds    r2, r2, r6
    str     r2, [sp, #.Lproducts]
    cmp     r3, #0
    beq     1f
    ldr     r2, 34f             // to the biases
    adds    r2, r2, r6
1:
    str     r2, [sp, #.Lentry]
    widen
    ldr     r1, [sp, #.Linputs]
    .endm

// Constants of the step.
    .macro constants
// Entries for zero to seven times four inputs modulo 32; bit 0 says Thumb.
    .p2align 2
30:
    entries
32:
    .word   kilornn_lines + 512
33:
    .word   kilornn_lines + 1536
34:
    .word   22f - 30b + 1
    .endm

// Four inputs. r0 points to the weights, r1 to the inputs.
    .macro multiply_four
    multiply_two
    multiply_two
    .endm

    .macro multiply_two
    ldmia   r1!, {r2, r3}
    ldmia   r0!, {r4, r5}
    multiply_add r4, r8, r9
    multiply_add r5, r10, r11
    .endm

// The four sums begin with the words in r4 to r7. The biases come next, or the products.
    .macro begin_sums
    ldr     r2, [sp, #.Lentry + .Lshifts]
    mov     r8, r4
    mov     r9, r5
    mov     r10, r6
    mov     r11, r7
    bx      r2
    .endm

// The biases of the word's row, two halfwords.
    .macro add_biases
22:
    ldr     r5, [sp, #.Lbiases + .Lshifts]
    ldr     r6, [sp, #.Lfactor + .Lshifts]
    movs    r4, #0
    ldrsh   r2, [r5, r4]
    bias_add r2, r6, r3, r8, r9
    movs    r4, #2
    ldrsh   r2, [r5, r4]
    bias_add r2, r6, r3, r10, r11
    adds    r5, #4
    str     r5, [sp, #.Lbiases + .Lshifts]
    ldr     r2, [sp, #.Lproducts + .Lshifts]
    bx      r2
    .endm

    .macro purge_four
    .purgem begin_step
    .purgem constants
    .purgem multiply_four
    .purgem multiply_two
    .purgem begin_sums
    .purgem add_biases
    purge
    .purgem purge
    .endm
