//! `cargo xtask bench`: measurements. None of them is a test.

pub(crate) mod accuracy;
pub(crate) mod device;
pub(crate) mod svm;
pub(crate) mod train;
