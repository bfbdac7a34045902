//! Estimated cycles of the engine on each core of which the manual documents them, as if memory had no wait states.
//!
//! `cargo xtask bench device` estimates them from a trace of the executed instructions and fails where this table is more
//! than 15 % away; with `--fit` it prints the table anew. The guide's page on cycles describes the method and its error.

use super::{Costs, GatedStep, Step};

/// Cortex-M4.
pub(super) const M4: Costs = Costs {
    byte: 31.79,
    character_byte: 149.2,
    word: 111.9,
    pair: 28.0,
    logit: 333.0,
    columns: Step { any: 167.8, unit: 13.02, tanh: 0.0, number: 27.58, product: 1.957, reads_zeros: false },
    pairs: Some(Step {
        any: 118.9,
        unit: 14.67,
        tanh: 0.1648,
        number: 20.87,
        product: 1.266,
        reads_zeros: true,
    }),
    gated: [
        GatedStep { any: 448.1, unit: 41.49, number: 0.0, product: 1.329 },
        GatedStep { any: 250.2, unit: 75.8, number: 0.0, product: 1.304 },
        GatedStep { any: 170.4, unit: 31.48, number: 6.77, product: 1.328 },
    ],
};

/// Cortex-M3.
pub(super) const M3: Costs = Costs {
    byte: 31.68,
    character_byte: 147.2,
    word: 117.3,
    pair: 28.0,
    logit: 670.8,
    columns: Step { any: 168.6, unit: 24.05, tanh: 47.87, number: 15.41, product: 4.697, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 521.1, unit: 95.32, number: 0.0, product: 3.663 },
        GatedStep { any: 405.8, unit: 137.5, number: 0.0, product: 3.772 },
        GatedStep { any: 285.1, unit: 72.03, number: 4.959, product: 3.827 },
    ],
};

/// Cortex-M0.
pub(super) const M0: Costs = Costs {
    byte: 46.17,
    character_byte: 178.1,
    word: 255.1,
    pair: 80.0,
    logit: 696.7,
    columns: Step { any: 307.5, unit: 34.76, tanh: 50.44, number: 43.28, product: 4.765, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 791.2, unit: 94.94, number: 7.245, product: 3.691 },
        GatedStep { any: 795.9, unit: 139.6, number: 0.0, product: 3.822 },
        GatedStep { any: 477.2, unit: 71.62, number: 16.24, product: 3.829 },
    ],
};

/// Cortex-M0+.
pub(super) const M0_PLUS: Costs = Costs {
    byte: 44.44,
    character_byte: 165.1,
    word: 245.4,
    pair: 76.0,
    logit: 677.3,
    columns: Step { any: 308.5, unit: 31.66, tanh: 45.14, number: 39.65, product: 4.732, reads_zeros: false },
    pairs: None,
    gated: [
        GatedStep { any: 762.9, unit: 95.05, number: 5.94, product: 3.682 },
        GatedStep { any: 768.5, unit: 137.1, number: 0.0, product: 3.813 },
        GatedStep { any: 458.4, unit: 71.27, number: 15.35, product: 3.821 },
    ],
};
