//! The board's layout, shared with `build.rs`.

include!("../layout.rs");
