//! Samples and roll-ups as bytes: a few per value instead of the forty of JSON.
//!
//! A body begins with its version. Points and times are differences to the sample before; a
//! number is a decimal mantissa and exponent, an `f32` or an `f64`, whichever is shortest and
//! gives exactly the same value back. Decoding never panics and checks every length.

mod bytes;
mod number;
mod rollup;
mod samples;

pub use bytes::Malformed;
pub use rollup::{join_rollups, pack_rollups, unpack_rollup, unpack_rollups};
pub use samples::{pack, unpack};
