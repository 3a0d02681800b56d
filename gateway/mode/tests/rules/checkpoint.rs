//! Signed checkpoints: what verifies, and what does not.

use linli_domain::audit::Head;
use linli_mode::checkpoint::{CheckpointSigner, NotSigned, Verifier};
use linli_mode::order::SecretKey;

/// The example of the specification.
const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn keeper() -> CheckpointSigner {
    CheckpointSigner::new("linli/xinghe/gate-1".to_owned(), SecretKey::from_seed([7; 32]))
}

fn head() -> Head {
    Head { count: 12, root: "ab".repeat(32) }
}

#[test]
fn the_example_of_the_specification_is_read() {
    let verifier = Verifier::parse(KEY).unwrap();
    assert_eq!(verifier.to_string(), KEY);
    assert_eq!(verifier.text(NOTE), Ok("This is an example message.\n"));
    assert_eq!(verifier.open(NOTE), Err(NotSigned::NoCheckpoint));
}

#[test]
fn what_is_signed_is_read_by_its_verifier_alone() {
    let note = keeper().sign(&head(), &[]);
    assert!(note.starts_with("linli/xinghe/gate-1\n12\nq6urq6"), "{note}");
    let verifier = Verifier::parse(&keeper().verifier().to_string()).unwrap();
    assert_eq!(verifier.open(&note), Ok(head()));
    let other = CheckpointSigner::new("linli/xinghe/gate-1".to_owned(), SecretKey::from_seed([8; 32]));
    assert!(matches!(other.verifier().open(&note), Err(NotSigned::NotByThem(_))));
    let elsewhere = CheckpointSigner::new("linli/yinhe/gate-1".to_owned(), SecretKey::from_seed([7; 32]));
    assert!(matches!(elsewhere.verifier().open(&note), Err(NotSigned::NotByThem(_))));
    // A second signature, of a witness, does not disturb.
    let line = note.lines().last().unwrap().replace("xinghe", "witness");
    assert_eq!(verifier.open(&format!("{note}{line}\n")), Ok(head()));
}

#[test]
fn a_change_anywhere_is_found() {
    let (note, verifier) = (keeper().sign(&head(), &[]), keeper().verifier().clone());
    for at in (0..note.len()).filter(|at| note.is_char_boundary(*at) && note.is_char_boundary(at + 1)) {
        let changed = if &note[at..=at] == "x" { "y" } else { "x" };
        let told = verifier.open(&format!("{}{changed}{}", &note[..at], &note[at + 1..]));
        // The last line may end or not; nothing else may differ.
        assert!(told.is_err() || at + 1 == note.len(), "{at}: {told:?}");
    }
    for end in 0..note.len() - 1 {
        if note.is_char_boundary(end) {
            assert!(verifier.open(&note[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn a_verifier_key_that_is_none_is_told() {
    for (text, why) in [
        ("", "NAME+ID+KEY"),
        ("a+530d903a+?", "base64"),
        ("a+530d903a+AgAA", "Ed25519"),
        ("a+530d903a+AQAA", "32 bytes"),
        ("b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "belong together"),
        ("a+530d903a+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "weak"),
    ] {
        let told = Verifier::parse(text).expect_err(text);
        assert!(told.contains(why), "{text}: {told}");
    }
}
