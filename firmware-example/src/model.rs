//! The model that `build.rs` chose.

include!(concat!(env!("OUT_DIR"), "/dimensions.rs"));

static MODEL: &[u8] = kilornn::include_model!(concat!(env!("OUT_DIR"), "/model.kilo"));

/// The model file, in flash.
///
/// The flash may hold another model than the one that the compiler saw, so that the compiler must not evaluate the
/// loader's checks.
pub(crate) fn bytes() -> &'static [u8] {
    core::hint::black_box(MODEL)
}
