//! The whole node in virtual time: through its line, its registers and its power cuts.

mod day;
mod line;
mod registers;
mod restart;
mod rig;
mod update;
mod wrap;
