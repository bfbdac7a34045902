//! Finds out which kernel the target's core can run: stable Rust does not say whether it has Arm's DSP instructions
//! (`target_feature = "dsp"` is unstable), but every core of its `thumbv7em` targets has them. Also sums up the features
//! of the cells, and writes the table of lower-case letters.

use std::path::Path;
use std::{env, fs};

#[path = "build/lowercase.rs"]
mod lowercase;

/// How names of targets begin, and the kernel in assembly that serves them.
const KERNELS: [(&str, &str); 6] = [
    // Cortex-M0, M0+ and M23.
    ("thumbv6m", "base"),
    ("thumbv8m.base", "base"),
    // M3 and M33.
    ("thumbv7m", "main"),
    ("thumbv8m.main", "main"),
    // M4 and M7.
    ("thumbv7em", "dsp"),
    // RISC-V that multiplies.
    ("riscv32im", "riscv"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let names = KERNELS.map(|(_, kernel)| format!("{kernel:?}")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(kilornn_assembly, values(none(), {names}))");
    // A cell with gates brings what all of them share: layers in a stack, and format 4 of the model file.
    println!("cargo::rustc-check-cfg=cfg(kilornn_gates)");
    let target = env::var("TARGET").unwrap_or_default();
    let kernel = KERNELS.into_iter().find(|(prefix, _)| target.starts_with(prefix)).map(|(_, kernel)| kernel);
    if let Some(kernel) = kernel {
        println!("cargo::rustc-cfg=kilornn_assembly");
        println!("cargo::rustc-cfg=kilornn_assembly={kernel:?}");
    }
    if ["GRU", "LSTM", "FASTGRNN"].iter().any(|cell| env::var_os(format!("CARGO_FEATURE_{cell}")).is_some()) {
        println!("cargo::rustc-cfg=kilornn_gates");
    }
    if env::var_os("CARGO_FEATURE_UNICODE").is_some() {
        let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
        let written = fs::write(Path::new(&out).join("lowercase.rs"), lowercase::table());
        written.expect("OUT_DIR can be written to");
    }
}
