//! The store of the gateway: outbox, history, journal and documents in one SQLite file.
//!
//! **Accepted means durable.** A record gets its sequence number when it is committed; from then
//! on it leaves only by a broker's acknowledgement or by a rule that writes the loss ledger. One
//! writer task owns the only writing connection and commits in groups; readers have connections
//! of their own. The store opens whatever happened to the file before. Each kind of document has its share
//! of the size and its rule when that is used up ([`Kind`]): what is refused is refused with words, and
//! alarms, their acknowledgements and the mode switch are taken in a full store too.

mod alarms;
mod backup;
mod cabin;
pub mod codec;
mod command;
mod connection;
mod database_lock;
mod dead_letters;
mod disk_space;
mod documents;
mod entry;
mod error;
mod heads;
mod history;
mod inspect;
mod journal;
mod layouts;
mod op;
mod open;
mod outbox;
mod page;
mod place;
mod quota;
mod readers;
mod rejected;
mod schema;
mod sealed_cabin;
mod sealing;
mod settings;
mod spans;
mod status;
mod store;
mod trail;
mod trail_reader;
mod undecodable;
mod watermark;
mod writer;

pub use alarms::Alarms;
pub use backup::{BackupError, backup};
pub use cabin::Cabin;
pub use command::{Begun, JournaledCommand};
pub use dead_letters::DeadLetter;
pub use documents::Documents;
pub use entry::{Audit, Change, Document, Entry, Notification, Resident};
pub use error::{Full, LONGEST_KEY, NotDurable, OpenError, ReadError, Refused};
pub use heads::Heads;
pub use history::History;
pub use inspect::{Inspection, inspect};
pub use journal::Journal;
pub use open::{Opening, SetAside};
pub use outbox::{Outbox, Row};
pub use page::{Cursor, Listing, NoCursor, Paging};
pub use quota::{GIVES_WAY, GIVES_WAY_AT, Kind};
pub use sealed_cabin::{SealPlace, SealStep};
pub use sealing::Sealer;
pub use settings::{Now, Settings};
pub use status::{PATIENCE, Status};
pub use store::Store;
pub use trail::{AuditEvent, Trail};
