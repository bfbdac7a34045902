//! A loop of the bench whose cycles were counted by hand.
//!
//! It is `kilornn_bench_loop` in `firmware-example/src/bench/machine/cortex_m.rs`. That its cycles come out of every trace
//! shows that the trace, the decoder and the timing fit together.

use super::timing::Pipeline;

/// Its name.
pub(super) const FUNCTION: &str = "kilornn_bench_loop";

/// Instructions and cycles.
///
/// | | M0 | M0+ | M3, M4 |
/// |---|--:|--:|--:|
/// | `movs r1, #100` | 1 | 1 | 1 |
/// | 100 times `ldr r2, [r0]` | 2 | 2 | 2 |
/// | `ldr r3, [r0, #4]`, which overlaps with the one before on M3 and M4 | 2 | 2 | 1 |
/// | `muls r2, r3, r2` | 1 | 1 | 1 |
/// | `str r2, [r0]` | 2 | 2 | 1 |
/// | `subs r1, r1, #1` | 1 | 1 | 1 |
/// | `bne`, taken but the last time, when it takes 1 | 3 | 2 | 1 + P = 2 |
/// | `bx lr` | 3 | 2 | 1 + P = 3 |
pub(super) fn work(pipeline: Pipeline) -> (u64, u64) {
    let cycles = match pipeline {
        Pipeline::M0 => 1 + 100 * (2 + 2 + 1 + 2 + 1 + 3) - 2 + 3,
        Pipeline::M0Plus => 1 + 100 * (2 + 2 + 1 + 2 + 1 + 2) - 1 + 2,
        Pipeline::M3 | Pipeline::M4 => 1 + 100 * (2 + 1 + 1 + 1 + 1 + 2) - 1 + 3,
    };
    (1 + 100 * 6 + 1, cycles)
}
