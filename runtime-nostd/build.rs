//! Finds out what the target's core can do: stable Rust does not say whether it has Arm's DSP instructions
//! (`target_feature = "dsp"` is unstable), but every core of its `thumbv7em` targets has them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kilornn_arm, values(none(), \"base\", \"main\", \"dsp\"))");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Cortex-M0, M0+ and M23; M3 and M33; M4 and M7.
    let kinds = [
        ("thumbv6m", "base"),
        ("thumbv8m.base", "base"),
        ("thumbv7m", "main"),
        ("thumbv8m.main", "main"),
        ("thumbv7em", "dsp"),
    ];
    if let Some((_, kind)) = kinds.into_iter().find(|(prefix, _)| target.starts_with(prefix)) {
        println!("cargo::rustc-cfg=kilornn_arm");
        println!("cargo::rustc-cfg=kilornn_arm=\"{kind}\"");
    }
}
