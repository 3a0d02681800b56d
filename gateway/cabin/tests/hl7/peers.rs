//! Several peers at once, and one that sends faster than anybody: each has its own answers.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::gateway::Gateway;
use super::streams::still;
use super::trial::{answer, patiently};

fn message(id: &str, weight: u32) -> Vec<u8> {
    let text = format!(
        "\u{b}MSH|^~\\&|{id}|S|GW|S|||ORU^R01|{id}|P|2.6\rPID|||{id}\rOBR|1\rOBX|1|NM|29463-7^W^LN||{weight}|kg|||||F\r\u{1c}\r"
    );
    text.into_bytes()
}

#[test]
fn two_peers_that_send_byte_by_byte_at_once_are_each_answered_with_their_own() {
    let stored = still(async {
        let gateway = Gateway::start().await;
        let address = ("127.0.0.1", gateway.ports[0]);
        let mut peers = Vec::new();
        for _ in 0..2 {
            peers.push(loop {
                match TcpStream::connect(address).await {
                    Ok(peer) => break peer,
                    Err(_) => tokio::task::yield_now().await,
                }
            });
        }
        let texts = [message("first", 61), message("other", 62)];
        for at in 0..texts[0].len().max(texts[1].len()) {
            for (peer, text) in peers.iter_mut().zip(&texts) {
                if let Some(byte) = text.get(at) {
                    peer.write_u8(*byte).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        }
        for (peer, id) in peers.iter_mut().zip(["first", "other"]) {
            let said = patiently(0, answer(peer)).await.unwrap();
            assert_eq!((said.code.as_str(), said.about.as_str()), ("AA", id));
        }
        gateway.measured(0, 1).await.len()
    });
    assert_eq!(stored, 2);
}

#[test]
fn a_thousand_messages_without_waiting_are_answered_in_their_order() {
    let stored = still(async {
        let gateway = Gateway::start().await;
        let mut peer = loop {
            match TcpStream::connect(("127.0.0.1", gateway.ports[1])).await {
                Ok(peer) => break peer,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let (mut reading, mut writing) = peer.split();
        let all: Vec<u8> = (0..1000).flat_map(|nth| message(&format!("m{nth}"), 50 + nth % 50)).collect();
        let write = async { writing.write_all(&all).await };
        let read = async {
            for nth in 0..1000 {
                let said = answer(&mut reading).await?;
                assert_eq!((said.code.as_str(), said.about), ("AA", format!("m{nth}")));
            }
            Ok(())
        };
        patiently(0, async { tokio::try_join!(write, read) }).await.unwrap();
        gateway.measured(0, 1).await.len()
    });
    assert_eq!(stored, 1000);
}
