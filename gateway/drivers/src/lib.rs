//! Southbound protocols: from a device's bytes to samples.
