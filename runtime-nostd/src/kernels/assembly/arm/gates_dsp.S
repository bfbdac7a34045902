// Cortex-M4, M7: what steps of GRU, LSTM and FastGRNN share.

// \to: in the table of lines at \table, the value at \from, where 1 is 2^16.
    .macro line to, from, table
    ssat    \to, #8, \from, asr #12
    ldr     \to, [\table, \to, lsl #2]
    smlabb  \to, \to, \from, \to
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

// The outputs of the four states at r0 go to r11; r2 multiplies a state so that the upper word is an output.
    .macro four_outputs
    ldm     r0!, {r3-r6}
    smmulr  r3, r3, r2
    smmulr  r4, r4, r2
    smmulr  r5, r5, r2
    smmulr  r6, r6, r2
    pkhbt   r3, r3, r4, lsl #16
    pkhbt   r5, r5, r6, lsl #16
    stm     r11!, {r3, r5}
    .endm

// At 35 the middle of the table of gates, at 30 the entries into `multiply_last` for one to eight times four inputs.
    .macro constants
    .p2align 2
35:
    .word   kilornn_lines + 512
30:
    .word   0
    .word   41b - 30b + 1       // bit 0 says Thumb
    .word   42b - 30b + 1
    .word   43b - 30b + 1
    .word   44b - 30b + 1
    .word   45b - 30b + 1
    .word   46b - 30b + 1
    .word   47b - 30b + 1
    .word   48b - 30b + 1
    .endm

    .macro purge
    .purgem line
    .purgem multiply_last
    .purgem four_outputs
    .purgem constants
    .endm
