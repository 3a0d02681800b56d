//! What was once on a wire stays as it was: one module a version of the register map.

mod v01;
