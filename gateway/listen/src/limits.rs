//! The limits of a listener, within the number of files that the process may open.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the process may open when the system sets no limit.
const UNLIMITED: u64 = 65_536;

/// The soft limit is raised to this many files, as far as the hard limit allows.
const WANTED: u64 = 4096;

/// What a listener lets its peers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most connections in all.
    pub connections: usize,
    /// Most connections of one address off this machine.
    pub per_address: usize,
    /// Longest time for the headers of a request, and for the pause before the next one.
    pub headers: Duration,
    /// Longest time for the body of a request.
    pub body: Duration,
}

// === impl Limits ===

impl Limits {
    /// The limits of the network listener: screens, reports, other programs.
    #[must_use]
    pub fn network() -> Self {
        Self::within(256, 4)
    }

    /// These limits with those that a configuration sets; within the number of files that the process may open.
    #[must_use]
    pub fn with(
        self,
        connections: Option<u16>,
        per_address: Option<u16>,
        headers: Option<Duration>,
        body: Option<Duration>,
    ) -> Self {
        let connections =
            connections.map_or(self.connections, |most| Self::within(most.into(), 4).connections);
        Self {
            connections,
            per_address: per_address.map_or(self.per_address, usize::from),
            headers: headers.unwrap_or(self.headers),
            body: body.unwrap_or(self.body),
        }
    }

    /// The limits of the control socket.
    #[must_use]
    pub fn control() -> Self {
        Self::within(64, 8)
    }

    /// The limits of a listener for reports of kiosks.
    #[must_use]
    pub fn kiosks() -> Self {
        Self::within(128, 8)
    }

    /// At most `connections`, and at most that part of the files that the process may open.
    fn within(connections: usize, part: u64) -> Self {
        let share = usize::try_from(descriptors() / part).unwrap_or(usize::MAX);
        Self {
            connections: connections.min(share).max(1),
            per_address: 16,
            headers: Duration::from_secs(10),
            body: Duration::from_secs(30),
        }
    }
}

/// Returns how many files the process may open.
fn descriptors() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED)
}

/// Raises the number of files that the process may open to what is usual for a service, as far as it may.
pub fn raise_descriptor_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = WANTED.min(maximum.unwrap_or(UNLIMITED));
    if current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, wanted, "the number of open files cannot be raised");
        }
    }
}
