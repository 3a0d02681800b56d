//! End-to-end tests: the real binary against peers we did not write.
