//! The kernels in assembly: the one folder with unsafe code. Those in plain Rust are their oracle.
//!
//! A file for each kind of recurrence fills in a plan, and passes a pointer to it to the assembly, which takes the step.
#![allow(unsafe_code)]

/// Names numbers for the assembly and checks each of them at compile time, so that the two cannot differ: `$symbols` is
/// a macro that expands to assembly which defines the symbols.
///
/// The symbols begin with `.L`, so that the assembler does not put them into the object file.
macro_rules! symbols {
    ($symbols:ident: $($symbol:literal = $number:literal is $value:expr;)*) => {
        $(const _: () = assert!($value == $number, $symbol);)*
        macro_rules! $symbols {
            () => {
                concat!($(".equ ", $symbol, ", ", $number, "\n"),*)
            };
        }
    };
}

#[cfg(kilornn_gates)]
mod gates;
mod simple_rnn;

#[cfg(feature = "fastgrnn")]
pub(super) use gates::fastgrnn;
#[cfg(feature = "gru")]
pub(super) use gates::gru;
#[cfg(feature = "lstm")]
pub(super) use gates::lstm;
pub(super) use simple_rnn::step_alone;
#[cfg(kilornn_gates)]
pub(super) use simple_rnn::step_in_stack;
