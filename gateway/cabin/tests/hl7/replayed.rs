//! Streams that failed once, shrunk.

use super::act::Act;

/// The acts of a text, one a line.
pub fn acts(text: &str) -> Vec<Act> {
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sends a stream; it must be right.
fn replay(text: &str) {
    let acts = acts(text);
    assert!(super::world::is_legal(&acts), "the stream cannot happen");
    assert_eq!(super::streams::alone(&acts), None);
}

#[test]
fn a_message_made_while_the_resident_before_was_there_is_not_the_next_ones() {
    replay(
        r#"
{"Open":{"at":0,"room":0,"who":0}}
{"End":{"at":70000,"room":0}}
{"Open":{"at":80000,"room":0,"who":1}}
{"Send":{"at":60000,"takes":5000,"late":90000,"monitor":0,"who":0,"names":[],"clock":"None","id":1}}
"#,
    );
}
