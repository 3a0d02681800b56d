//! Identities of residents: stored encrypted, published as pseudonyms.
//!
//! An identity is encrypted with AES-256-GCM. The pseudonym is its additional data, so an encrypted identity
//! cannot be moved to another resident. The pseudonym is a keyed hash: without the district's key it cannot be
//! found by hashing all identity numbers.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use linli_config::settings::key::{Key, Keys};
use linli_domain::visit::Condition;
use linli_domain::vital::Sex;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use serde::{Deserialize, Serialize};

use linli_services::random::random;

/// Characters of a pseudonym: 130 bits.
const PSEUDONYM_LENGTH: usize = 26;

/// Weights of the check digit (GB 11643-1999).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Longest name, card number or telephone number, in characters.
const LONGEST: usize = 64;

/// Longest text of a health code, in characters.
const LONGEST_CODE: usize = 128;

/// Identity of a resident, as the register keeps it. It has no `Display`, and its `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name of the resident.
    pub name: String,
    /// Number of the resident identity card (GB 11643).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<String>,
    /// Number of another card, such as the social security card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The text of the resident's health code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_code: Option<String>,
    /// Sex; the identity number, if there is one, says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Year of birth; the identity number, if there is one, says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<u16>,
    /// Chronic conditions that are followed up; an empty list ends them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
    /// The resident to whom this record was joined; the service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

// === impl Identity ===

impl Identity {
    /// Validates the identity and normalises its numbers. An error names the invalid field.
    pub fn checked(self) -> Result<Self, &'static str> {
        let checked = self.checked_fields()?;
        if !checked.has_number() {
            return Err("one of id_number, card and health_code must be given: a name alone names nobody \
                 (请填身份证号、卡号或健康码之一)");
        }
        Ok(checked)
    }

    /// Whether a number names the resident.
    #[must_use]
    pub const fn has_number(&self) -> bool {
        self.id_number.is_some() || self.card.is_some() || self.health_code.is_some()
    }

    /// As [`Self::checked`]; a name alone is enough.
    pub fn checked_fields(mut self) -> Result<Self, &'static str> {
        self.merged_into = None;
        self.name = self.name.trim().to_owned();
        if self.name.is_empty() || self.name.chars().count() > LONGEST {
            return Err("name must be 1 to 64 characters (姓名须为 1 到 64 个字)");
        }
        if let Some(number) = &mut self.id_number {
            *number = number.trim().to_uppercase();
            if !is_id_number(number) {
                return Err(
                    "id_number is not an 18-digit resident identity number (GB 11643): its check digit is wrong",
                );
            }
        }
        if let Some(card) = &mut self.card {
            *card = card.trim().to_uppercase();
            if card.is_empty() || card.len() > LONGEST || !card.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err("card must be 1 to 64 letters and digits");
            }
        }
        if self.phone.as_ref().is_some_and(|phone| phone.chars().count() > LONGEST) {
            return Err("phone is too long");
        }
        if let Some(code) = &mut self.health_code {
            *code = code.trim().to_owned();
            if code.is_empty() || code.chars().count() > LONGEST_CODE || code.chars().any(char::is_control) {
                return Err("health_code must be 1 to 128 characters (健康码须为 1 到 128 个字符)");
            }
        }
        if self.birth_year.is_some_and(|year| !(1890..=2200).contains(&year)) {
            return Err("birth_year is no year of birth, such as 1949 (出生年份不对，例如 1949)");
        }
        if let Some(conditions) = &mut self.conditions {
            conditions.sort_unstable();
            conditions.dedup();
        }
        Ok(self)
    }

    /// This identity, and of `old` what it does not say.
    #[must_use]
    pub fn over(self, old: Self) -> Self {
        Self {
            name: self.name,
            id_number: self.id_number.or(old.id_number),
            card: self.card.or(old.card),
            phone: self.phone.or(old.phone),
            health_code: self.health_code.or(old.health_code),
            sex: self.sex.or(old.sex),
            birth_year: self.birth_year.or(old.birth_year),
            conditions: self.conditions.or(old.conditions),
            merged_into: old.merged_into,
        }
    }

    /// Sex, by the identity number or as registered.
    #[must_use]
    pub fn known_sex(&self) -> Option<Sex> {
        self.born().map(|(_, sex)| sex).or(self.sex)
    }

    /// Year of birth, by the identity number or as registered.
    #[must_use]
    pub fn known_birth_year(&self) -> Option<i64> {
        self.born().map(|((year, ..), _)| year).or(self.birth_year.map(i64::from))
    }

    /// Birthday where it is known, else the middle of the year of birth; and sex where it is known.
    #[must_use]
    pub fn birth_and_sex(&self) -> (Option<(i64, u8, u8)>, Option<Sex>) {
        let year = |year: u16| (i64::from(year), 7, 1);
        let birth = self.born().map(|(birth, _)| birth).or_else(|| self.birth_year.map(year));
        (birth, self.known_sex())
    }

    /// The last four characters of the number by which the resident is known.
    #[must_use]
    pub fn tail(&self) -> Option<String> {
        let number = self.id_number.as_ref().or(self.card.as_ref()).or(self.health_code.as_ref())?;
        let count = number.chars().count();
        Some(number.chars().skip(count.saturating_sub(4)).collect())
    }

    /// Whether a scanned or typed text is one of the resident's numbers.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        let numbers = [&self.id_number, &self.card, &self.health_code];
        numbers.into_iter().flatten().any(|number| number.eq_ignore_ascii_case(text))
    }

    /// Whether a text finds the resident: a number or its end of four or more characters, or a part of the name.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_uppercase();
        let ends = |number: &String| text.chars().count() >= 4 && number.to_uppercase().ends_with(&text);
        let numbers = [&self.id_number, &self.card, &self.health_code, &self.phone];
        numbers.into_iter().flatten().any(ends) || self.name.to_uppercase().contains(&text)
    }

    /// Returns the name for screens: the first character, the others as `*`, such as 张**.
    #[must_use]
    pub fn masked(&self) -> String {
        let mut characters = self.name.chars();
        let first = characters.next().unwrap_or('*');
        std::iter::once(first).chain(characters.map(|_| '*')).collect()
    }

    /// Birthday and sex, which the number of a resident identity card says (GB 11643-1999: digits 7 to 14, and whether
    /// the 17th is odd).
    #[must_use]
    pub fn born(&self) -> Option<((i64, u8, u8), Sex)> {
        let number = self.id_number.as_deref().filter(|number| number.is_ascii() && number.len() == 18)?;
        let birth = (number[6..10].parse().ok()?, number[10..12].parse().ok()?, number[12..14].parse().ok()?);
        let order: u8 = number[16..17].parse().ok()?;
        Some((birth, if order % 2 == 1 { Sex::Male } else { Sex::Female }))
    }

    fn canonical(&self) -> String {
        match (&self.id_number, &self.card) {
            (Some(number), _) => format!("id:{number}"),
            (None, Some(card)) => format!("card:{card}"),
            (None, None) => self.health_code.as_ref().map_or_else(String::new, |code| format!("code:{code}")),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

/// Returns the pseudonym of a resident, the same in every centre of the district.
#[must_use]
pub fn pseudonym(keys: &Keys, identity: &Identity) -> String {
    pseudonym_of(keys, &identity.canonical())
}

/// A pseudonym of a resident who has no number: a random one, which names them in this centre only.
pub fn random_pseudonym() -> anyhow::Result<String> {
    Ok(BASE32_NOPAD.encode(&random::<32>()?).chars().take(PSEUDONYM_LENGTH).collect())
}

/// The pseudonym of somebody of an outreach who is kept apart from whoever has the same number here. It is the same
/// whenever the file is read.
#[must_use]
pub fn pseudonym_apart(keys: &Keys, from: &str, known_as: &str) -> String {
    pseudonym_of(keys, &format!("outreach:{from}:{known_as}"))
}

/// Like [`pseudonym`], for a number in a message, which may be an identity number or that of another card.
#[must_use]
pub fn pseudonyms_of_number(keys: &Keys, number: &str) -> [String; 2] {
    let number = number.trim().to_uppercase();
    ["id", "card"].map(|kind| pseudonym_of(keys, &format!("{kind}:{number}")))
}

fn pseudonym_of(keys: &Keys, canonical: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, keys.pseudonym.bytes()), canonical.as_bytes());
    BASE32_NOPAD.encode(tag.as_ref()).chars().take(PSEUDONYM_LENGTH).collect()
}

/// Encrypts an identity with the centre's key, as versions before the residents' keys did.
#[cfg(test)]
pub fn seal(keys: &Keys, pseudonym: &str, identity: &Identity) -> anyhow::Result<Vec<u8>> {
    seal_with(&keys.identity, pseudonym, serde_json::to_vec(identity)?)
}

/// Decrypts an identity with the centre's key of the given name, present or previous. An error if the key is
/// unknown, or if the data or the pseudonym was changed.
pub fn unseal(keys: &Keys, pseudonym: &str, key: &str, sealed: &[u8]) -> anyhow::Result<Identity> {
    Ok(serde_json::from_slice(&open_with(known(keys, key)?, pseudonym, sealed)?)?)
}

/// The centre's key of that name, present or previous.
pub(super) fn known<'k>(keys: &'k Keys, name: &str) -> anyhow::Result<&'k Key> {
    let mut known = std::iter::once(&keys.identity).chain(&keys.previous);
    known.find(|known| known.name() == name).ok_or_else(|| {
        anyhow::anyhow!("it is sealed with key {name}, which is not in previous_identity_keys")
    })
}

/// Encrypts with a key, bound to a pseudonym: a nonce, then the text, then its tag.
pub(super) fn seal_with(key: &Key, pseudonym: &str, mut text: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let aad = Aad::from(pseudonym.as_bytes());
    aead(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text)
        .map_err(|_| anyhow::anyhow!("it could not be sealed"))?;
    Ok([nonce.as_slice(), &text].concat())
}

/// Decrypts what [`seal_with`] encrypted.
pub(super) fn open_with(key: &Key, pseudonym: &str, sealed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let Some((nonce, body)) = sealed.split_first_chunk::<NONCE_LEN>() else {
        anyhow::bail!("what is sealed is too short");
    };
    let (mut body, aad) = (body.to_vec(), Aad::from(pseudonym.as_bytes()));
    let open =
        aead(key).open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut body).map(|p| p.to_vec());
    open.map_err(|_| anyhow::anyhow!("what is sealed was changed"))
}

fn aead(key: &Key) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.bytes()).expect("a key of 32 bytes fits"))
}

/// Returns the check character of 17 digits (GB 11643-1999; ISO 7064, MOD 11-2), or `None` if they are not 17
/// digits.
pub fn check_digit(digits: &str) -> Option<char> {
    if digits.len() != WEIGHTS.len() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let sum: u32 = digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    Some(char::from(b"10X98765432"[(sum % 11) as usize]))
}

fn is_id_number(number: &str) -> bool {
    let mut characters = number.chars();
    let check = characters.next_back();
    check.is_some() && check_digit(characters.as_str()) == check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            name: "张小明".to_owned(),
            id_number: Some("11010519491231002x".to_owned()),
            ..Identity::default()
        }
    }

    fn keys(seal: u8) -> Keys {
        let key = |byte: u8| Key::parse(&format!("{byte:02x}").repeat(32)).unwrap();
        Keys { identity: key(seal), previous: vec![key(1)], pseudonym: key(9) }
    }

    #[test]
    fn an_identity_number_is_checked() {
        assert_eq!(identity().checked().unwrap().id_number.unwrap(), "11010519491231002X");
        let wrong = Identity { id_number: Some("110105194912310021".to_owned()), ..identity() };
        assert!(wrong.checked().unwrap_err().contains("check digit"));
        assert!(Identity { id_number: None, ..identity() }.checked().is_err());
        assert_eq!(identity().born(), Some(((1949, 12, 31), Sex::Female)));
        assert_eq!(Identity { id_number: None, ..identity() }.born(), None);
        assert!(!is_id_number("一二三四五六七八九十一二三四五六七八"));
    }

    #[test]
    fn sealed_is_unreadable_and_bound_to_its_pseudonym() {
        let (identity, keys) = (identity().checked().unwrap(), keys(2));
        let pseudonym = pseudonym(&keys, &identity);
        assert_eq!(pseudonym.len(), 26);
        assert_eq!(pseudonym, pseudonyms_of_number(&keys, "11010519491231002x")[0]);
        let sealed = seal(&keys, &pseudonym, &identity).unwrap();
        assert!(!sealed.windows(6).any(|w| w == "小明".as_bytes()));
        let name = keys.identity.name();
        assert_eq!(unseal(&keys, &pseudonym, &name, &sealed).unwrap(), identity);
        assert!(unseal(&keys, "SOMEBODYELSE", &name, &sealed).is_err());
        let mut bent = sealed.clone();
        bent[20] ^= 1;
        assert!(unseal(&keys, &pseudonym, &name, &bent).is_err());
        assert_eq!(identity.masked(), "张**");
        assert_eq!(format!("{identity:?} {keys:?}").matches("小明").count(), 0);
    }

    #[test]
    fn what_an_older_key_sealed_opens_while_it_is_known() {
        let (identity, old, new) = (identity().checked().unwrap(), keys(1), keys(2));
        let pseudonym = pseudonym(&old, &identity);
        let sealed = seal(&old, &pseudonym, &identity).unwrap();
        assert_eq!(unseal(&new, &pseudonym, &old.identity.name(), &sealed).unwrap(), identity);
        let without = Keys { previous: Vec::new(), ..new };
        let error = unseal(&without, &pseudonym, &old.identity.name(), &sealed).unwrap_err();
        assert!(error.to_string().contains("previous_identity_keys"));
    }
}
