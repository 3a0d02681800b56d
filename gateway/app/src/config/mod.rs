//! Configuration: raw text to checked plan.
