//! A whole centre, simulated behind real protocols.
