//! Northbound: pure encoders and the one connection that delivers the outbox.
