//! The model that `build.rs` chose.

include!(concat!(env!("OUT_DIR"), "/dimensions.rs"));

static MODEL: &[u8] = kilornn::include_model!(concat!(env!("OUT_DIR"), "/model.kilo"));

/// The model file, where it lies in flash.
///
/// What the flash holds when the program runs may not be what the compiler saw, so it must not decide at
/// compile time how the loader's checks end.
pub(crate) fn bytes() -> &'static [u8] {
    core::hint::black_box(MODEL)
}
