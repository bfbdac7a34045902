//! What a device and its host say to each other over a serial line, in memory of fixed size.
//!
//! A [`message`] is a request or its response: a version, a sequence number and a body, in
//! [postcard](https://docs.rs/postcard). On the line it is a [`frame`]: its bytes and their CRC-32, stuffed by COBS so
//! that no byte of it is zero, with a zero on either side. Text that a person types has no zeros, so that both may
//! come over one line; [`frame::Splitter`] tells them apart, and is ready for the next frame after any garbage.
//!
//! The host sends a request and waits for the response with its sequence number. If none comes, it sends the request
//! again, with one zero more before it: of the first frame only the last zero may have been lost, and then the next zero
//! ends that frame and opens none. Every request may be repeated, and has the same answer as the first time. So nothing
//! needs to be buffered on the device but one frame.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod frame;
pub mod message;
