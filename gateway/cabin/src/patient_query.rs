//! Who is here? A monitor that may ask is told of the open visit of its own room, and of nobody else: the register is not
//! searched. A scanner's code goes to the screens of its room. Each look is in the record before the answer is sent.

use std::time::Duration;

use linli_config::settings::cabin::CabinSettings;
use linli_domain::Id;
use linli_domain::visit::Visit;
use linli_domain::vital::Sex;
use linli_drivers::{Answer, Asked, Found, PatientQuestion, ScannedCode, Shows};
use linli_store::Entry;
use serde_json::json;
use tokio::time::Instant;

use super::Identity;
use super::identity::pseudonyms_of_number;
use super::service::CabinService;

/// Most questions of one device in a minute: a monitor that asks for ever fills no record.
const MOST_A_MINUTE: u32 = 30;

const TOO_MANY: &str = "more than 30 questions in a minute; ask again later";

// === impl CabinService ===

impl CabinService {
    /// Answers a monitor.
    pub(super) async fn asked(&mut self, question: PatientQuestion) {
        let answer = self.patient(&question).await;
        // A monitor that does not wait any more was told nothing; the record says that it asked.
        let _ = question.reply.send(answer);
    }

    async fn patient(&mut self, question: &PatientQuestion) -> Answer {
        let PatientQuestion { layout, asked, shows, .. } = question;
        if self.asks_too_much(&layout.device) {
            return Answer::Refused(TOO_MANY.to_owned());
        }
        let settings = self.settings();
        let visit = layout.room.as_ref().and_then(|room| self.rooms.open_in(room)).cloned();
        let resident = match &visit {
            Some(visit) => self.resident(visit, &settings).await,
            None => None,
        };
        let meant = visit.filter(|visit| is_meant(visit, resident.as_ref(), asked, &settings));
        let (about, detail) = match (&meant, shows) {
            (None, _) => (layout.room.as_ref().map(ToString::to_string).unwrap_or_default(), "nobody"),
            (Some(visit), Shows::Visit) => (visit.id.clone(), "visit"),
            (Some(visit), Shows::Name) => (visit.id.clone(), "name"),
        };
        let audit = vec![self.audit(layout.device.as_str(), "patient.query", &about, detail)];
        if let Err(error) = self.deps.store.cabin().keep(Entry { audit, ..Entry::default() }).await {
            return Answer::Refused(format!("{error}; ask again later"));
        }
        meant.map_or(Answer::Nobody, |visit| Answer::Found(found(visit, resident.as_ref(), *shows)))
    }

    fn asks_too_much(&mut self, device: &Id) -> bool {
        let now = Instant::now();
        let (began, count) = self.questions.entry(device.clone()).or_insert((now, 0));
        if now.saturating_duration_since(*began) >= Duration::from_secs(60) {
            (*began, *count) = (now, 0);
        }
        *count += 1;
        *count > MOST_A_MINUTE
    }

    /// Gives a scanned code to the screens of the scanner's room. It is not kept: who looks at whom is in the record when
    /// a screen searches.
    pub(super) fn scanned(&self, ScannedCode { layout, text }: &ScannedCode) {
        let at = self.deps.clock.now().at;
        let body = json!({"room": layout.room, "device": layout.device, "text": text, "at": at});
        self.deps.events.publish_workers("scan", &body);
    }
}

/// Whether everything that is asked is true of the visit and its resident.
fn is_meant(visit: &Visit, resident: Option<&Identity>, asked: &Asked, settings: &CabinSettings) -> bool {
    let is_here = |place: &String| place.eq_ignore_ascii_case(visit.room.as_str());
    let is_a_room =
        |place: &String| settings.rooms.iter().any(|room| place.eq_ignore_ascii_case(room.as_str()));
    let is_elsewhere = !asked.places.iter().any(is_here) && asked.places.iter().any(is_a_room);
    !is_elsewhere
        && asked.ids.iter().all(|id| is_known_as(visit, resident, id, settings))
        && (asked.name.is_empty() || resident.is_some_and(|resident| is_named(resident, &asked.name)))
        && (asked.birth.is_empty() || resident.is_some_and(|resident| is_born(resident, &asked.birth)))
        && Sex::find(&asked.sex).is_none_or(|sex| resident.and_then(Identity::known_sex) == Some(sex))
}

fn is_known_as(visit: &Visit, resident: Option<&Identity>, id: &str, settings: &CabinSettings) -> bool {
    let is_it = |known: Option<&String>| known.is_some_and(|known| known.eq_ignore_ascii_case(id.trim()));
    let numbers = settings.keys.as_ref().map(|keys| pseudonyms_of_number(keys, id));
    is_it(Some(&visit.id))
        || is_it(visit.code.as_ref())
        || is_it(visit.pseudonym.as_ref())
        || resident.is_some_and(|resident| resident.has(id.trim()))
        || visit.pseudonym.as_ref().is_some_and(|own| numbers.iter().flatten().any(|number| number == own))
}

fn is_named(resident: &Identity, name: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    plain(&resident.name) == plain(name)
}

fn is_born(resident: &Identity, birth: &str) -> bool {
    let digits: String = birth.chars().take_while(char::is_ascii_digit).take(8).collect();
    match born(resident, Shows::Name) {
        known if known.len() == 8 => digits.len() >= 4 && known.starts_with(&digits),
        known => known.len() == 4 && digits.get(..4) == Some(&known),
    }
}

/// The birthday as HL7 writes it, as far as it is known and may be told.
fn born(resident: &Identity, shows: Shows) -> String {
    match (resident.born(), shows) {
        (Some(((year, month, day), _)), Shows::Name) => format!("{year:04}{month:02}{day:02}"),
        (Some(((year, ..), _)), Shows::Visit) => format!("{year:04}"),
        (None, _) => resident.birth_year.map(|year| format!("{year:04}")).unwrap_or_default(),
    }
}

fn found(visit: Visit, resident: Option<&Identity>, shows: Shows) -> Found {
    let name = resident.filter(|_| shows == Shows::Name).map(|resident| resident.name.clone());
    // In place of a name what tells this visit from others at the bedside: its code, else the end of its id.
    let tail = || visit.id.chars().skip(visit.id.chars().count().saturating_sub(6)).collect();
    let code = || visit.code.clone().unwrap_or_else(tail);
    Found {
        is_code: name.is_none(),
        name: name.unwrap_or_else(code),
        birth: resident.map(|resident| born(resident, shows)).unwrap_or_default(),
        sex: resident.and_then(Identity::known_sex),
        room: visit.room.to_string(),
        pseudonym: visit.pseudonym.clone(),
        visit: visit.id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_config::settings::key::{Key, Keys};
    use linli_domain::Timestamp;
    use linli_domain::visit::{OpenedBy, Progress};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn identity() -> Identity {
        Identity {
            name: "张 三".to_owned(),
            id_number: Some("11010519491231002X".to_owned()),
            card: Some("A1234".to_owned()),
            ..Identity::default()
        }
    }

    fn settings() -> CabinSettings {
        let key = |byte: u8| Key::of([byte; 32]);
        CabinSettings {
            keys: Some(Keys { identity: key(1), previous: Vec::new(), pseudonym: key(2) }),
            rooms: vec![id("cabin"), id("cabin-2")],
            ..CabinSettings::default()
        }
    }

    fn visit() -> Visit {
        let keys = settings().keys.unwrap();
        Visit {
            id: "v-0011223344556677".to_owned(),
            room: id("cabin"),
            pseudonym: Some(super::super::identity::pseudonym(&keys, &identity())),
            code: Some("B-12".to_owned()),
            consent: None,
            opened_by: OpenedBy::Card,
            opened: Timestamp(0),
            ended: None,
            progress: Progress::default(),
        }
    }

    fn asked(ids: &[&str]) -> Asked {
        Asked { ids: ids.iter().map(|id| (*id).to_owned()).collect(), ..Asked::default() }
    }

    #[test]
    fn only_what_is_true_of_who_is_here_finds_them() {
        let (visit, identity, settings) = (visit(), identity(), settings());
        let is = |asked: &Asked| is_meant(&visit, Some(&identity), asked, &settings);
        for ids in
            [&[][..], &["A1234"], &["a1234 "], &["11010519491231002x"], &["B-12", "v-0011223344556677"]]
        {
            assert!(is(&asked(ids)), "{ids:?}");
        }
        for ids in [&["A12"][..], &["A1234", "Z9"], &["%"], &["11010519491231002"]] {
            assert!(!is(&asked(ids)), "{ids:?}");
        }
        let with = |change: fn(&mut Asked)| {
            let mut asked = asked(&[]);
            change(&mut asked);
            is(&asked)
        };
        assert!(with(|asked| asked.name = "张三".to_owned()) && !with(|asked| asked.name = "张".to_owned()));
        assert!(
            with(|asked| asked.birth = "19491231".to_owned())
                && with(|asked| asked.birth = "1949".to_owned())
        );
        assert!(
            !with(|asked| asked.birth = "19491230".to_owned()) && !with(|asked| asked.birth = "1".to_owned())
        );
        assert!(with(|asked| asked.sex = "F".to_owned()) && !with(|asked| asked.sex = "M".to_owned()));
        assert!(with(|asked| asked.places = vec!["CABIN".to_owned(), "7".to_owned()]));
        assert!(with(|asked| asked.places = vec!["bed 7".to_owned()]), "it is no room");
        assert!(!with(|asked| asked.places = vec!["cabin-2".to_owned()]));
        // Nobody named: what needs a name is not true.
        assert!(!is_meant(&visit, None, &Asked { name: "张三".to_owned(), ..Asked::default() }, &settings));
        assert!(is_meant(&visit, None, &asked(&["11010519491231002X"]), &settings), "its pseudonym tells");
    }

    #[test]
    fn no_name_is_told_where_only_the_visit_is_shown() {
        let told = found(visit(), Some(&identity()), Shows::Visit);
        assert_eq!((told.name.as_str(), told.is_code, told.birth.as_str()), ("B-12", true, "1949"));
        let told = found(Visit { code: None, ..visit() }, None, Shows::Name);
        assert_eq!((told.name.as_str(), told.is_code, told.sex), ("556677", true, None));
        let told = found(visit(), Some(&identity()), Shows::Name);
        assert_eq!((told.name.as_str(), told.is_code, told.birth.as_str()), ("张 三", false, "19491231"));
    }
}
