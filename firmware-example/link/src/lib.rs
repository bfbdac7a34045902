//! The protocol between a KiloRNN device and its host on a serial line, in memory of fixed size.
//!
//! A [`message`] is a request or a response: a version, a sequence number and a body, serialized by
//! [postcard](https://docs.rs/postcard). On the line it is a [`frame`]: the message and its CRC-32, encoded by COBS so
//! that no byte is zero, between two zeros. Text that a person types has no zeros, so that text and frames can share a
//! line. [`frame::Splitter`] tells them apart, and after any garbage it understands the next frame.
//!
//! The host sends a request and waits for the response with the same sequence number. If the wait times out, it sends
//! the request again, with one zero more in front: if the first frame lost nothing but its last zero, the next zero ends
//! that frame and does not begin another. Each request may be repeated and has the same response as the first time, so
//! that a device must buffer only one frame.
//!
//! ```
//! use kilornn_link::frame::{self, FRAME, Piece, Splitter};
//! use kilornn_link::message::{self, Header, Message, Request, VERSION};
//!
//! // The host:
//! let header = Header { version: VERSION, sequence: 7 };
//! let mut buffer = [0; FRAME];
//! let frame = frame::encode(&Message { header, body: Request::Label { class: 1 } }, &mut buffer)?;
//!
//! // The device:
//! let mut splitter = Splitter::new();
//! for &byte in frame {
//!     if let Piece::Message(message) = splitter.push(byte) {
//!         let (header, body) = message::header(message)?;
//!         assert_eq!((header.version, header.sequence), (VERSION, 7));
//!         assert_eq!(message::body(body), Ok(Request::Label { class: 1 }));
//!     }
//! }
//! # Ok::<(), postcard::Error>(())
//! ```

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod frame;
pub mod message;

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
