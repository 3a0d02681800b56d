//! What is shown of the certificate with which the uplink connects: how far it is from its end, what became of its
//! renewal, and what a person must do.

use std::path::PathBuf;
use std::time::Duration;

use linli_domain::Timestamp;
use linli_tls::Certificate;
use serde::Serialize;

use crate::files::Certified;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// With less than this left the certificate ends soon, where it is renewed by itself: of 180 days, 46 went by in which
/// every attempt failed.
const SOON_RENEWED_MS: i64 = 14 * DAY_MS;

/// With less than this left it ends soon, where a person has to replace it.
const SOON_MS: i64 = 30 * DAY_MS;

/// Of a short validity, this share is soon: half of the third that is left when the renewal begins.
const SOON_SHARE: i64 = 6;

/// Pause after the first attempt that failed; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Longest pause between two attempts, and the shortest after one that succeeded: where the clocks of gateway and district
/// differ by months the new certificate is due at once, too.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How far a certificate is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Valid, and not to be renewed yet.
    Valid,
    /// Its validity has not begun, by the clock of this machine.
    NotYet,
    /// To be renewed, in time.
    Due,
    /// It ends soon.
    EndsSoon,
    /// It has ended.
    Ended,
    /// There is none, or it cannot be read.
    Unreadable,
}

/// What is shown of the certificate for the district.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateState {
    /// The file.
    pub file: PathBuf,
    /// How far it is from its end.
    pub stage: Stage,
    /// What it says; none where it cannot be read.
    pub certificate: Option<Certificate>,
    /// When it is renewed by itself; none where a person has to replace it.
    pub renewed_at: Option<Timestamp>,
    /// The district that renews it.
    pub district: Option<String>,
    /// Whole days that are left; negative when it has ended.
    pub days_left: Option<i64>,
    /// Attempts that failed since the last one that succeeded.
    pub attempts: u32,
    /// Why the last attempt failed, or the file cannot be read.
    pub failure: Option<String>,
    /// The next attempt, while one fails.
    pub next_attempt: Option<Timestamp>,
    /// Renewals since the start of the process.
    pub renewals: u64,
    /// Attempts that failed since the start of the process.
    pub failures: u64,
}

// === impl Stage ===

impl Stage {
    /// How far a certificate is from its end.
    #[must_use]
    pub fn of(certified: &Certified, now: Timestamp, is_renewed: bool) -> Self {
        let (from, until) = (certified.certificate.not_before.0, certified.certificate.not_after.0);
        let most = if is_renewed { SOON_RENEWED_MS } else { SOON_MS };
        let soon = most.min(until.saturating_sub(from) / SOON_SHARE);
        match now.0 {
            now if now > until => Self::Ended,
            now if now < from => Self::NotYet,
            now if until - now < soon => Self::EndsSoon,
            now if is_renewed && now >= certified.renewed_at().0 => Self::Due,
            _ => Self::Valid,
        }
    }
}

// === impl CertificateState ===

impl CertificateState {
    /// Looks at the file.
    #[must_use]
    pub fn read(file: PathBuf, district: Option<String>, now: Timestamp) -> Self {
        let read = Certified::read(&file);
        let blank = Self {
            file,
            stage: Stage::Unreadable,
            certificate: None,
            renewed_at: None,
            district,
            days_left: None,
            attempts: 0,
            failure: None,
            next_attempt: None,
            renewals: 0,
            failures: 0,
        };
        match read {
            Ok(certified) => Self {
                stage: Stage::of(&certified, now, blank.district.is_some()),
                renewed_at: blank.district.is_some().then(|| certified.renewed_at()),
                days_left: Some((certified.certificate.not_after.0 - now.0).div_euclid(DAY_MS)),
                certificate: Some(certified.certificate),
                ..blank
            },
            Err(error) => Self { failure: Some(error.to_string()), ..blank },
        }
    }

    /// The end of the certificate.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.certificate.as_ref().map(|certificate| certificate.not_after)
    }

    /// What a person must know, and do; `None` while all is well.
    #[must_use]
    pub fn concern(&self) -> Option<String> {
        let tried = match (&self.failure, self.attempts) {
            (Some(why), 1..) => format!("; {} attempts to renew it failed, the last: {why}", self.attempts),
            _ => String::new(),
        };
        let enrol =
            "let the district give out a code (linli-district centre code) and run: linli uplink enrol";
        let days = self.days_left.unwrap_or_default();
        match self.stage {
            Stage::Valid => None,
            Stage::Due if self.attempts == 0 => None,
            Stage::Due => Some(format!("it is not renewed yet, {days} days are left{tried}")),
            Stage::NotYet => {
                Some("its validity has not begun by this machine's clock; check the clock".to_owned())
            }
            Stage::EndsSoon if self.district.is_some() => {
                Some(format!("ENDS in {days} days{tried}; mend the way to the district, or {enrol}"))
            }
            Stage::EndsSoon => Some(format!(
                "ENDS in {days} days and is not renewed by itself; replace the file of [mqtt] tls.cert, or {enrol}"
            )),
            Stage::Ended => Some(format!(
                "HAS ENDED {} days ago, the broker takes no new connection{tried}; {enrol}",
                -days
            )),
            Stage::Unreadable => {
                let why = self.failure.as_deref().unwrap_or_default();
                Some(format!("cannot be read: {why}; {enrol}"))
            }
        }
    }
}

/// The pause after that many attempts that failed one after the other.
#[must_use]
pub fn pause(attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified(days: i64) -> Certified {
        let certificate = Certificate {
            subject: "CN=c.gw".to_owned(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: Timestamp(0),
            not_after: Timestamp(days * DAY_MS),
            fingerprint: String::new(),
        };
        Certified { certificate }
    }

    #[test]
    fn the_nearer_its_end_the_graver() {
        let of = certified(180);
        for (day, renewed, by_hand) in [
            (-1, Stage::NotYet, Stage::NotYet),
            (0, Stage::Valid, Stage::Valid),
            (119, Stage::Valid, Stage::Valid),
            (120, Stage::Due, Stage::Valid),
            (151, Stage::Due, Stage::EndsSoon),
            (167, Stage::EndsSoon, Stage::EndsSoon),
            (181, Stage::Ended, Stage::Ended),
        ] {
            let now = Timestamp(day * DAY_MS);
            assert_eq!(Stage::of(&of, now, true), renewed, "day {day}");
            assert_eq!(Stage::of(&of, now, false), by_hand, "day {day}");
        }
    }

    #[test]
    fn a_short_one_is_due_before_it_ends_soon() {
        let of = certified(6);
        assert_eq!(Stage::of(&of, Timestamp(4 * DAY_MS), true), Stage::Due);
        assert_eq!(Stage::of(&of, Timestamp(5 * DAY_MS + 1), true), Stage::EndsSoon);
    }

    #[test]
    fn the_pause_grows_to_an_hour() {
        let of: Vec<u64> = [1, 2, 3, 9, 10, 11, 200].map(|n| pause(n).as_secs()).to_vec();
        assert_eq!(of, [5, 10, 20, 1280, 2560, 3600, 3600]);
    }

    #[test]
    fn what_cannot_be_read_says_where_and_how_to_mend_it() {
        let state = CertificateState::read(PathBuf::from("/nowhere/district.pem"), None, Timestamp(0));
        assert_eq!(state.stage, Stage::Unreadable);
        let told = state.concern().unwrap();
        assert!(told.contains("/nowhere/district.pem") && told.contains("linli uplink enrol"), "{told}");
    }
}
