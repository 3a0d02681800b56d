//! Who a resident of a box is in the register of the centre.
//!
//! | found in the register | taken as |
//! |---|---|
//! | the record that an earlier reading of the file made | that one |
//! | the same identity number | that one |
//! | the same card or health code, the same name, no other identity number | that one |
//! | the same card or health code, another name or identity number | a record of its own, and a doubt |
//! | the same name, and nothing that says that they are two people | a record of its own, and a doubt |
//! | nobody | a record of its own |
//!
//! A doubt is for a person to decide; nothing is joined by a name alone.

use linli_config::settings::key::Keys;
use serde::{Deserialize, Serialize};

use super::Person;
use crate::Identity;
use crate::identity::{pseudonym, pseudonym_apart};

/// Why a person must decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// Only the name is the same.
    SameName,
    /// The card or the health code is the same, the name or the identity number is another.
    SameNumber,
}

/// Who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Pseudonym of the record.
    pub own: String,
    /// The record as it shall be.
    pub identity: Identity,
    /// Whether that differs from what the register says.
    pub is_changed: bool,
    /// Whether there was no such record.
    pub is_new: bool,
    /// What a person must decide: why, and the records that may be the same person.
    pub doubt: Option<(DoubtKind, Vec<String>)>,
}

// === impl Resolved ===

impl Resolved {
    /// Pseudonym of the record that stays.
    pub fn stays(&self) -> &str {
        self.identity.merged_into.as_deref().unwrap_or(&self.own)
    }
}

/// Finds a resident of a box in the register.
pub fn resolve(register: &[(String, Identity)], keys: &Keys, from: &str, person: &Person) -> Resolved {
    let given = Identity { merged_into: None, ..person.identity.clone() };
    let apart = pseudonym_apart(keys, from, &person.pseudonym);
    let at = |known_as: &str| register.iter().find(|(pseudonym, _)| pseudonym == known_as);
    let imported = at(&apart).or_else(|| at(&person.pseudonym).filter(|(_, known)| is_same(known, &given)));
    let same = imported.or_else(|| {
        let by_number = |(_, known): &&(String, Identity)| {
            given.id_number.is_some() && known.id_number == given.id_number
        };
        register.iter().find(by_number).or_else(|| {
            register.iter().find(|(_, known)| shares_number(known, &given) && is_same(known, &given))
        })
    });
    if let Some((own, known)) = same {
        let identity = filled(known.clone(), given);
        return Resolved {
            own: own.clone(),
            is_changed: identity != *known,
            identity,
            is_new: false,
            doubt: None,
        };
    }
    let of = |is_it: &dyn Fn(&Identity) -> bool| -> Vec<String> {
        register.iter().filter(|(_, known)| is_it(known)).map(|(own, _)| own.clone()).collect()
    };
    let numbered = of(&|known| known.merged_into.is_none() && shares_number(known, &given));
    let named =
        of(&|known| known.merged_into.is_none() && known.name == given.name && !are_two(known, &given));
    let own = match (numbered.is_empty(), given.has_number()) {
        (false, _) => apart,
        (true, true) => pseudonym(keys, &given),
        (true, false) => person.pseudonym.clone(),
    };
    let doubt = if !numbered.is_empty() {
        Some((DoubtKind::SameNumber, numbered))
    } else if !named.is_empty() {
        Some((DoubtKind::SameName, named))
    } else {
        None
    };
    Resolved { own, identity: given, is_changed: true, is_new: true, doubt }
}

/// Whether a card or a health code is the same.
fn shares_number(known: &Identity, given: &Identity) -> bool {
    let same = |one: &Option<String>, other: &Option<String>| {
        one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    same(&known.card, &given.card) || same(&known.health_code, &given.health_code)
}

/// Whether two records say the same person: one identity number, or one name and nothing against it.
fn is_same(known: &Identity, given: &Identity) -> bool {
    match (&known.id_number, &given.id_number) {
        (Some(one), Some(other)) => one == other,
        _ => known.name == given.name && !are_two(known, given),
    }
}

/// Whether something says that they are two people: identity number, year of birth, sex.
fn are_two(known: &Identity, given: &Identity) -> bool {
    fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
        one.zip(other).is_some_and(|(one, other)| one != other)
    }
    differ(known.id_number.as_ref(), given.id_number.as_ref())
        || differ(known.known_birth_year(), given.known_birth_year())
        || differ(known.known_sex(), given.known_sex())
}

/// What the register says, and of the box what it does not say.
fn filled(known: Identity, given: Identity) -> Identity {
    let merged_into = known.merged_into.clone();
    Identity { merged_into, ..known.over(given) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_config::settings::key::Key;
    use linli_domain::Timestamp;

    const ZHANG: &str = "11010519491231002X";
    const OTHER: &str = "440524188001010014";

    fn keys() -> Keys {
        Keys { identity: Key::of([1; 32]), previous: Vec::new(), pseudonym: Key::of([9; 32]) }
    }

    fn who(name: &str, id_number: Option<&str>, card: Option<&str>) -> Identity {
        let own = |text: &str| text.to_owned();
        Identity {
            name: own(name),
            id_number: id_number.map(own),
            card: card.map(own),
            ..Identity::default()
        }
    }

    fn found(register: &[(&str, Identity)], identity: Identity) -> Resolved {
        let register: Vec<(String, Identity)> =
            register.iter().map(|(own, known)| ((*own).to_owned(), known.clone())).collect();
        let person = Person { pseudonym: "FIELD".to_owned(), identity, at: Timestamp(0) };
        resolve(&register, &keys(), "van", &person)
    }

    #[test]
    fn a_number_finds_the_record_and_fills_its_gaps() {
        let known = ("CENTRE", who("张小明", Some(ZHANG), None));
        let same = found(std::slice::from_ref(&known), who("张小明", Some(ZHANG), Some("A1")));
        assert_eq!((same.own.as_str(), same.is_new, same.is_changed), ("CENTRE", false, true));
        assert_eq!(same.identity.card.as_deref(), Some("A1"));
        let again = found(&[("CENTRE", same.identity)], who("张小名", Some(ZHANG), Some("B2")));
        assert_eq!(
            (again.is_changed, again.identity.card.as_deref()),
            (false, Some("A1")),
            "the centre's holds"
        );
        let by_card = found(&[("C", who("李四", None, Some("A9")))], who("李四", None, Some("a9")));
        assert_eq!((by_card.own.as_str(), by_card.doubt), ("C", None));
        let joined = Identity { merged_into: Some("STAYS".to_owned()), ..known.1 };
        assert_eq!(found(&[("CENTRE", joined)], who("张小明", Some(ZHANG), None)).stays(), "STAYS");
    }

    #[test]
    fn a_card_of_another_name_and_a_name_alone_are_doubts() {
        let register = [("CENTRE", who("李四", None, Some("A9")))];
        let borrowed = found(&register, who("王五", None, Some("A9")));
        assert_eq!(borrowed.doubt, Some((DoubtKind::SameNumber, vec!["CENTRE".to_owned()])));
        assert!(borrowed.is_new && borrowed.own != "CENTRE");
        let namesake = found(&register, who("李四", None, None));
        assert_eq!(namesake.doubt, Some((DoubtKind::SameName, vec!["CENTRE".to_owned()])));
        assert_eq!(namesake.own, "FIELD");
        // Read again they are the records that were made.
        for first in [borrowed, namesake] {
            let made = [register[0].clone(), (first.own.as_str(), first.identity.clone())];
            let again = found(&made, first.identity.clone());
            assert_eq!((again.own, again.is_new, again.is_changed), (first.own, false, false));
        }
    }

    #[test]
    fn two_people_of_one_name_are_two_without_a_doubt() {
        let register = [("CENTRE", who("张小明", Some(ZHANG), None))];
        let other = found(&register, who("张小明", Some(OTHER), None));
        assert_eq!((other.doubt.clone(), other.is_new), (None, true));
        let young = Identity { birth_year: Some(1990), ..who("张小明", None, None) };
        assert_eq!(found(&register, young).doubt, None, "the other was born in 1949");
        let nobody = found(&register, who("赵六", None, None));
        assert_eq!((nobody.doubt, nobody.own.as_str()), (None, "FIELD"));
    }
}
