//! The listener before the gateway's own broker: how many may connect, for how long they may say nothing, and how
//! long a packet may be. It speaks TLS off this machine, and passes what it lets through to the broker within it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use linli_listen::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::packet::{Connect, Packets, TooLong};
use crate::connections::{Activity, Connections};

/// Most clients: the devices of one centre.
pub(super) const MOST_CLIENTS: usize = 200;

/// Most clients of one address off this machine.
const MOST_OF_ADDRESS: usize = 50;

/// Longest time for the handshake and the first packet (CONNECT).
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A client that asked for no keep-alive may say nothing for this long.
const IDLE: Duration = Duration::from_secs(3600);

/// Longest time in which a client takes nothing of what is sent to it.
const TAKE_WITHIN: Duration = Duration::from_secs(30);

/// Pause after an accept that failed: file descriptors become free meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Bytes read at once.
const BUFFER: usize = 8 << 10;

/// Accepts clients until cancelled.
pub(super) async fn serve(
    listener: TcpListener,
    broker: SocketAddr,
    tls: Option<Tls>,
    cancel: CancellationToken,
) {
    let acceptor = tls.map(|tls| TlsAcceptor::from(tls.other));
    let (mut tasks, mut open) = (JoinSet::new(), Connections::new(MOST_CLIENTS));
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                };
                let most = if peer.ip().is_loopback() { MOST_CLIENTS } else { MOST_OF_ADDRESS };
                let Some(activity) = open.add(peer.ip(), most) else {
                    tracing::warn!(%peer, "not taken: too many MQTT clients, all are busy");
                    continue;
                };
                tasks.spawn(hold(stream, activity, broker, acceptor.clone()));
            }
        }
    }
}

/// Holds one connection until it ends or has to give way.
async fn hold(stream: TcpStream, activity: Arc<Activity>, broker: SocketAddr, tls: Option<TlsAcceptor>) {
    let give_way = activity.give_way.clone();
    tokio::select! {
        () = give_way.cancelled() => {}
        () = async {
            match tls {
                None => pass(stream, activity, broker).await,
                // Otherwise it is no TLS, no trust, or nothing at all.
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_WITHIN, tls.accept(stream)).await {
                        pass(stream, activity, broker).await;
                    }
                }
            }
        } => {}
    }
}

/// Passes packets in both directions once the first one has come.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(mut client: S, activity: Arc<Activity>, broker: SocketAddr) {
    let first = tokio::time::timeout(CONNECT_WITHIN, Connect::read(&mut client)).await;
    let Ok(Ok(connect)) = first else { return };
    activity.heard();
    let Ok(mut broker) = TcpStream::connect(broker).await else { return };
    if broker.write_all(&connect.bytes).await.is_err() {
        return;
    }
    // The broker ends a silent client after one and a half of its keep-alive (MQTT 3.1.2.10).
    let idle = connect.keep_alive.map_or(IDLE, |every| every * 2);
    let (from_client, to_client) = tokio::io::split(client);
    let (from_broker, to_broker) = broker.split();
    tokio::select! {
        () = upward(from_client, to_broker, idle, &activity) => {}
        () = downward(from_broker, to_client, &activity) => {}
    }
}

async fn upward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    idle: Duration,
    activity: &Activity,
) {
    let (mut packets, mut buffer) = (Packets::default(), vec![0; BUFFER]);
    loop {
        let Ok(Ok(count @ 1..)) = tokio::time::timeout(idle, from.read(&mut buffer)).await else { return };
        activity.heard();
        if let Err(TooLong { length }) = packets.see(&buffer[..count]) {
            tracing::warn!(length, "an MQTT client is cut off: its packet is too long");
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn downward(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, activity: &Activity) {
    let (mut buffer, mut is_first) = (vec![0; BUFFER], true);
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        if std::mem::take(&mut is_first) && super::packet::is_welcome(&buffer[..count]) {
            // From now on it gives way only to nobody who has not logged in.
            activity.busy(false);
        }
        let sent = tokio::time::timeout(TAKE_WITHIN, to.write_all(&buffer[..count])).await;
        if !matches!(sent, Ok(Ok(()))) || to.flush().await.is_err() {
            return;
        }
    }
}
