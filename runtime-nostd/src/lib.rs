#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Only kernels in assembly need unsafe code; a build without them forbids it.
#![deny(unsafe_code)]
#![cfg_attr(not(kilornn_assembly), forbid(unsafe_code))]

mod check;
mod classifier;
mod decoder;
mod error;
pub mod file;
mod kernel;
mod kernels;
pub mod layers;
mod load;
mod memory;
mod model;
mod prediction;
mod probability;
mod reader;
mod scratch;
mod session;
mod shape;
pub mod text;
mod values;
mod version;

pub use classifier::Classifier;
pub use error::Error;
pub use kernel::Kernel;
pub use kernels::State;
pub use load::Model;
pub use model::{Contents, Head, Input, PadStates, Padding, Sequence, Text, Truncating, Unknown};
pub use prediction::Prediction;
pub use session::Session;
pub use values::Values;

/// The bytes of a model file as a `&'static [u8]` that begins at a multiple of four, as [`Model::from_bytes`] needs it.
///
/// It is `include_bytes!` with an alignment. The path is relative to the source file; on a microcontroller the bytes are
/// in flash.
///
/// ```
/// # fn main() -> Result<(), kilornn::Error> {
/// static MODEL: &[u8] = kilornn::include_model!("../docs/starter.kilo");
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
