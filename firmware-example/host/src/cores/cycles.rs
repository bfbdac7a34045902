//! Estimated cycles of the engine on each core of which the manual documents them, as if memory had no wait states.
//!
//! `cargo xtask bench device` estimates them from a trace of the executed instructions and fails where this table is more
//! than 15 % away; with `--fit` it prints the table anew. The guide's page on cycles describes the method and its error.

use super::{Costs, GatedStep, Step};

/// Cortex-M4.
pub(super) const M4: Costs = Costs {
    byte: 31.79,
    character_byte: 148.2,
    word: 108.6,
    pair: 28.0,
    logit: 336.8,
    columns: Step { any: 169.1, unit: 13.04, tanh: 0.0, number: 27.41, product: 1.96, reads_zeros: false },
    pairs: Some(Step {
        any: 121.6,
        unit: 15.88,
        tanh: 0.06938,
        number: 21.03,
        product: 1.243,
        reads_zeros: true,
    }),
    gated: [
        GatedStep { any: 450.1, unit: 41.07, number: 0.0, product: 1.332 },
        GatedStep { any: 250.7, unit: 75.35, number: 0.0, product: 1.308 },
        GatedStep { any: 206.0, unit: 47.08, number: 6.05, product: 2.25 },
    ],
};

/// Cortex-M3.
pub(super) const M3: Costs = Costs {
    byte: 31.63,
    character_byte: 147.2,
    word: 115.4,
    pair: 28.0,
    logit: 682.0,
    columns: Step { any: 172.0, unit: 23.79, tanh: 47.92, number: 15.17, product: 4.707, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 525.3, unit: 94.79, number: 0.0, product: 3.668 },
        GatedStep { any: 411.5, unit: 136.6, number: 0.0, product: 3.777 },
        GatedStep { any: 300.0, unit: 70.04, number: 10.53, product: 4.879 },
    ],
};

/// Cortex-M0.
pub(super) const M0: Costs = Costs {
    byte: 46.17,
    character_byte: 178.1,
    word: 255.1,
    pair: 80.0,
    logit: 696.6,
    columns: Step { any: 308.3, unit: 34.68, tanh: 50.44, number: 43.34, product: 4.765, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 801.8, unit: 94.46, number: 7.082, product: 3.695 },
        GatedStep { any: 799.6, unit: 139.3, number: 0.0, product: 3.824 },
        GatedStep { any: 206.0, unit: 47.08, number: 6.05, product: 2.25 },
    ],
};

/// Cortex-M0+.
pub(super) const M0_PLUS: Costs = Costs {
    byte: 44.44,
    character_byte: 165.1,
    word: 245.5,
    pair: 76.0,
    logit: 677.3,
    columns: Step { any: 309.2, unit: 31.59, tanh: 45.14, number: 39.71, product: 4.732, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 773.5, unit: 94.57, number: 5.778, product: 3.686 },
        GatedStep { any: 771.2, unit: 136.9, number: 0.0, product: 3.815 },
        GatedStep { any: 206.0, unit: 47.08, number: 6.05, product: 2.25 },
    ],
};
