//! Values of stored documents: states of rooms, signed checkpoints.

use linli_domain::audit::Chain;
use linli_golden::{frozen, stored, words};

use crate::checkpoint::CheckpointSigner;
use crate::facility::Contents;
use crate::order::SecretKey;

#[test]
fn words_of_contents() {
    words!(stored "value/contents", Contents: HotFood, Chilled, Frozen, Dry, Medical, Hazard);
}

#[test]
fn checkpoints_of_heads() {
    let (mut chain, mut notes) = (Chain::default(), Vec::new());
    let signer = CheckpointSigner::new("linli/xinghe/gate-1".to_owned(), SecretKey::from_seed([7; 32]));
    for line in 0..6 {
        notes.push(signer.sign(&chain.head(), &[]));
        let (n, prev) = chain.next();
        chain.append(&format!(r#"{{"n":{n},"prev":"{prev}","at":{line}}}"#));
    }
    stored("audit/checkpoint", &notes);
    frozen("audit/verifier.txt", &signer.verifier().to_string());
}
