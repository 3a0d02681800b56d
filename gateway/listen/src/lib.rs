//! The accept loop of every HTTP listener of the gateway: the network, the control socket, reports of kiosks.
//!
//! Whoever can reach a listener can open connections to it and say nothing. So connections are capped, in all
//! and for each peer; headers and bodies have time limits; and where a cap is reached, the connection that has
//! been idle for longest gives way to the one that comes. A listener's trouble ends no listener: an accept that
//! fails, for want of file descriptors for instance, is tried again.
//!
//! With [`Tls`] a connection begins with a handshake, which counts as the beginning of its first headers, and
//! speaks HTTP/2 or HTTP/1.1, whichever the peer prefers.

mod activity;
mod body;
mod connections;
mod limits;
pub mod pem;
mod resolver;
mod secure;
mod serve;
mod source;

pub use connections::Counts;
pub use limits::{Limits, raise_descriptor_limit};
pub use resolver::Resolver;
pub use secure::Tls;
pub use serve::serve;
pub use source::{Source, UnixPeer};
