//! The centre's certificates: an authority made at the first start, the gateway's certificate, renewal, import.
//!
//! Every address but loopback is served over TLS. A centre has nobody who would order certificates, so the
//! gateway makes its own: an authority, which screens and kiosks are told to trust once, and a certificate that
//! is renewed in time and swapped under the running listeners. A certificate made elsewhere can be imported.

mod authority;
mod certificate;
mod error;
mod names;
mod store;

pub use certificate::Certificate;
pub use error::TlsError;
pub use linli_listen::Resolver;
pub use names::{Names, local_addresses};
pub use store::{CertificateStore, Present, Renewal, Stamps, TlsStatus};
