//! Finds out whether the target has Arm's DSP instructions: stable Rust does not say so (`target_feature = "dsp"`
//! is unstable), but every core of its `thumbv7em` targets has them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kilornn_arm_dsp)");
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv7em")) {
        println!("cargo::rustc-cfg=kilornn_arm_dsp");
    }
}
