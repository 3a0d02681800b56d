//! Documents that are written together: in their order, with what is done between them, all or none.

use linli_domain::Timestamp;
use linli_store::{Change, Document, Entry};

use crate::support::{NOW, open};

fn document(number: usize, body: &str) -> Change {
    let (id, kind) = (format!("note/{number:04}"), "note".to_owned());
    Change::Document(Document { id, kind, at: NOW, body: format!("{body:?}") })
}

#[tokio::test]
async fn many_documents_of_one_entry_are_written_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let mut changes: Vec<Change> = (0..300).map(|number| document(number, "first")).collect();
    // Of two with one id the later stays, across statements too.
    changes.extend((250..300).map(|number| document(number, "second")));
    changes.push(Change::ForgetDocuments {
        kind: "note".to_owned(),
        from: "note/0000".to_owned(),
        to: "note/0009".to_owned(),
    });
    // What is forgotten before is written after.
    changes.extend([document(5, "again"), document(5, "again and again")]);
    store.documents().keep(Entry { changes, ..Entry::default() }).await.unwrap();
    let all = store.documents().of("note", Timestamp(i64::MIN), Timestamp(i64::MAX)).await.unwrap();
    let mut found: Vec<(String, String)> = all.into_iter().map(|page| (page.id, page.body)).collect();
    found.sort();
    let expected = std::iter::once((5, "again and again"))
        .chain((10..250).map(|number| (number, "first")))
        .chain((250..300).map(|number| (number, "second")));
    let expected: Vec<(String, String)> =
        expected.map(|(number, body)| (format!("note/{number:04}"), format!("{body:?}"))).collect();
    assert_eq!(found, expected);
}
