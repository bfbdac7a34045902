#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Kernels for microcontrollers are in assembly; every other build forbids unsafe code outright.
#![deny(unsafe_code)]
#![cfg_attr(not(kilornn_assembly), forbid(unsafe_code))]

mod classifier;
mod error;
pub mod file;
mod kernels;
pub mod layers;
mod load;
mod model;
mod prediction;
mod probability;
pub mod text;

pub use classifier::Classifier;
pub use error::Error;
pub use load::Model;
pub use model::{Contents, Padding, Sequence, Truncating, Unknown};
pub use prediction::Prediction;

/// The bytes of a model file, in flash, at a multiple of four, where [`Model::from_bytes`] needs them: as
/// `include_bytes!`, which puts them anywhere.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// static MODEL: &[u8] = kilornn::include_model!("../tests/golden/v2-starter.kilo");
///
/// assert_eq!(MODEL.as_ptr().addr() % 4, 0);
/// let model = kilornn::Model::from_bytes(MODEL)?;
/// # let _ = model;
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr) => {{
        #[repr(C)]
        struct Aligned<T: ?Sized>([u32; 0], T);
        static ALIGNED: &Aligned<[u8]> = &Aligned([], *include_bytes!($path));
        &ALIGNED.1
    }};
}
