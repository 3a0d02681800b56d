//! Where connections come from: a TCP port or a Unix socket.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A source of connections.
pub trait Source: Send {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;
    /// Whose it is; handlers read it as `ConnectInfo`.
    type Peer: Clone + std::fmt::Debug + Send + Sync + 'static;

    /// Waits for the next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Self::Peer)>> + Send;

    /// Returns the address whose connections are counted together; `None` for peers on this machine.
    fn address(peer: &Self::Peer) -> Option<IpAddr>;
}

/// Peer of a connection to a Unix socket.
#[derive(Debug, Clone, Copy)]
pub struct UnixPeer {
    /// User id of the process at the other end (`SO_PEERCRED`).
    pub uid: Option<u32>,
}

// === impl TcpListener ===

impl Source for TcpListener {
    type Stream = TcpStream;
    type Peer = SocketAddr;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }

    /// All IPv6 addresses of one network (/64) are those of one peer.
    fn address(peer: &SocketAddr) -> Option<IpAddr> {
        match peer.ip().to_canonical() {
            address if address.is_loopback() => None,
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Some(IpAddr::V6(network.into()))
            }
            address => Some(address),
        }
    }
}

// === impl UnixListener ===

impl Source for UnixListener {
    type Stream = UnixStream;
    type Peer = UnixPeer;

    async fn accept(&mut self) -> io::Result<(UnixStream, UnixPeer)> {
        let (stream, _) = Self::accept(self).await?;
        let uid = stream.peer_cred().ok().map(|peer| peer.uid());
        Ok((stream, UnixPeer { uid }))
    }

    fn address(_: &UnixPeer) -> Option<IpAddr> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_counted_by_address_and_ipv6_by_network() {
        let of = |text: &str| TcpListener::address(&text.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(of("127.0.0.9:80"), None);
        assert_eq!(of("[::1]:80"), None);
        assert_eq!(of("[::ffff:127.0.0.1]:80"), None);
        assert_eq!(of("192.0.2.7:80").as_deref(), Some("192.0.2.7"));
        assert_eq!(of("[2001:db8:0:1:2:3:4:5]:80").as_deref(), Some("2001:db8:0:1::"));
    }
}
