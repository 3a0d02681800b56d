//! The envelope: one payload, several signatures (COSE_Sign, RFC 9052 §4.1, tag 98).

use coset::iana::{Algorithm, HeaderParameter};
use coset::{CborSerializable, CoseSign, CoseSignBuilder, CoseSignatureBuilder, Header, HeaderBuilder};
use coset::{RegisteredLabelWithPrivate, TaggedCborSerializable};
use sha2::{Digest, Sha256};

use super::demand::{Demand, Demands};
use super::error::OrderError;
use super::key::{Key, KeyId, Keyring, SecretKey};
use super::payload::{Malformed, Order};
use super::time::KnownTime;
use crate::Class;
use linli_domain::Id;

/// External data of an order's signatures (RFC 9052 §4.3): separates them from other signatures.
const ORDER: &[u8] = b"lln-order-v1";
/// External data of plan signatures.
const PLAN: &[u8] = b"lln-plan-v1";

/// Most signatures that are checked.
const MOST: usize = 16;

/// A parsed order whose signatures are not yet verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The order.
    pub order: Order,
    /// SHA-256 of the payload: identifies the order.
    pub hash: [u8; 32],
    sign: CoseSign,
}

/// A valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The person.
    pub person: Id,
    /// Their roles.
    pub roles: Vec<String>,
    /// The key.
    pub key: KeyId,
    /// The class of the key.
    pub class: Class,
}

// === impl Envelope ===

impl Envelope {
    /// Parses an envelope, with or without its tag.
    ///
    /// # Errors
    /// When it is no such envelope, or not in the one form that [`Self::bytes`] writes: the envelope and
    /// the order in it have one encoding each.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > super::LARGEST {
            return Err(Malformed::Large(bytes.len()));
        }
        let sign = parse(bytes)?;
        let is_written_so = |encoded: coset::Result<Vec<u8>>| encoded.is_ok_and(|encoded| encoded == bytes);
        if !is_written_so(sign.clone().to_tagged_vec()) && !is_written_so(sign.clone().to_vec()) {
            return Err(Malformed::NotCanonical);
        }
        let payload = sign.payload.as_deref().ok_or(Malformed::Envelope("it carries no order".to_owned()))?;
        let order = Order::decode(payload)?;
        let hash = Sha256::digest(payload).into();
        Ok(Self { order, hash, sign })
    }

    /// Creates an envelope without signatures.
    #[must_use]
    pub fn of(order: Order) -> Self {
        let payload = order.encode();
        let hash = Sha256::digest(&payload).into();
        Self { order, hash, sign: CoseSignBuilder::new().payload(payload).build() }
    }

    /// Encodes it, with the tag.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.sign.clone().to_tagged_vec().expect("an envelope is made of CBOR values")
    }

    /// Returns the people whose signatures hold, by keys of the order's class. Whether the keys were in
    /// date or revoked is not looked at: that depends on when the order is judged.
    ///
    /// # Errors
    /// When a signature by a known key is not valid; it makes the whole envelope invalid.
    pub fn signers(&self, keyring: &Keyring) -> Result<Vec<Signed>, String> {
        self.signers_under(Demands::ALL, keyring, None).map_err(|error| error.to_string())
    }

    /// Does the same; with a time also refuses keys that are not valid then. Some requirements can be
    /// disabled, for the model checker.
    pub(super) fn signers_under(
        &self,
        demands: Demands,
        keyring: &Keyring,
        time: Option<KnownTime>,
    ) -> Result<Vec<Signed>, OrderError> {
        let valid = |key: &Key| {
            if key.class != self.order.class && demands.make(Demand::Class) {
                let (class, order) = (key.class, self.order.class);
                let why = format!("key {} signs {class}, not {order}", key.public.id());
                return Err(OrderError::Signature(why));
            }
            let Some(time) = time else { return Ok(()) };
            if key.is_revoked(&time) && demands.make(Demand::NotRevoked) {
                return Err(OrderError::Revoked { key: key.public.id(), person: key.person.clone() });
            }
            let is_revoked = key.is_revoked(&time);
            if !key.counts(&time) && !is_revoked && demands.make(Demand::ValidKey) {
                let why = format!("key {} of {} is not valid now", key.public.id(), key.person);
                return Err(OrderError::Signature(why));
            }
            Ok(())
        };
        signers(demands, &self.sign, None, ORDER, keyring, valid)
    }

    /// The bytes that the owner of a key signs (RFC 9052 §4.4), for one who signs elsewhere: the secret key does not
    /// leave the machine that it is on.
    #[must_use]
    pub fn to_be_signed(&self, key: KeyId) -> Vec<u8> {
        self.sign.tbs_data(ORDER, &unsigned_by(key))
    }

    /// The envelope with one more signature, an earlier one by the same key replaced. Whether it holds is seen by
    /// [`Self::signers`].
    #[must_use]
    pub fn with_signature(&self, key: KeyId, signature: &[u8]) -> Self {
        let signature = coset::CoseSignature { signature: signature.to_vec(), ..unsigned_by(key) };
        let mut signed = self.clone();
        signed.sign.signatures.retain(|other| kid(other) != kid(&signature));
        signed.sign.signatures.push(signature);
        signed
    }

    /// The ids of all keys that signatures name.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.sign.signatures.iter().map(|signature| linli_domain::audit::hex(kid(signature))).collect()
    }
}

/// Adds a signature to an order.
#[must_use]
pub fn sign(envelope: &Envelope, secret: &SecretKey) -> Envelope {
    let key = secret.public().id();
    envelope.with_signature(key, &secret.sign(&envelope.to_be_signed(key)))
}

/// Signs the file of a plan; the signatures are kept in a file of their own.
pub fn sign_plan(file: &[u8], before: Option<&[u8]>, secret: &SecretKey) -> Result<Vec<u8>, Malformed> {
    let mut sign = before.map(parse).transpose()?.unwrap_or_else(|| CoseSignBuilder::new().build());
    let signature = unsigned(secret);
    let tbs = sign.tbs_detached_data(file, PLAN, &signature);
    let signature = coset::CoseSignature { signature: secret.sign(&tbs), ..signature };
    sign.signatures.retain(|other| kid(other) != kid(&signature));
    sign.signatures.push(signature);
    sign.to_tagged_vec().map_err(|error| Malformed::Envelope(error.to_string()))
}

/// Returns the people who signed the file of a plan with keys of class Actual; signatures by keys for
/// drills do not count. Whether the keys are in date or revoked is judged when the plan is ordered.
///
/// # Errors
/// When a signature by a known key is not valid.
pub fn verify_plan(file: &[u8], signature: &[u8], keyring: &Keyring) -> Result<Vec<Signed>, String> {
    let sign = parse(signature).map_err(|error| error.to_string())?;
    let signed = signers(Demands::ALL, &sign, Some(file), PLAN, keyring, |_| Ok(()));
    let mut signed = signed.map_err(|error| error.to_string())?;
    signed.retain(|signed| signed.class == Class::Actual);
    Ok(signed)
}

fn parse(bytes: &[u8]) -> Result<CoseSign, Malformed> {
    let sign = CoseSign::from_tagged_slice(bytes)
        .or_else(|_| CoseSign::from_slice(bytes))
        .map_err(|error| Malformed::Envelope(error.to_string()))?;
    if sign.signatures.len() > MOST {
        return Err(Malformed::Envelope(format!("more than {MOST} signatures")));
    }
    let of_signatures = sign.signatures.iter().flat_map(|one| [&one.protected.header, &one.unprotected]);
    let unknown = of_signatures.chain([&sign.protected.header, &sign.unprotected]).find_map(critical);
    match unknown {
        Some(name) => Err(Malformed::Critical(name)),
        None => Ok(sign),
    }
}

/// Returns the first critical header (RFC 9052 §3.1) that is not understood here.
fn critical(header: &Header) -> Option<String> {
    const UNDERSTOOD: [HeaderParameter; 2] = [HeaderParameter::Alg, HeaderParameter::Kid];
    let is_understood = |label: &RegisteredLabelWithPrivate<HeaderParameter>| {
        UNDERSTOOD.iter().any(|known| *label == RegisteredLabelWithPrivate::Assigned(*known))
    };
    let unknown = header.crit.iter().find(|label| !is_understood(label))?;
    Some(match unknown {
        RegisteredLabelWithPrivate::PrivateUse(number) => number.to_string(),
        RegisteredLabelWithPrivate::Assigned(known) => format!("{known:?}"),
        RegisteredLabelWithPrivate::Text(text) => format!("{text:?}"),
    })
}

fn unsigned(secret: &SecretKey) -> coset::CoseSignature {
    unsigned_by(secret.public().id())
}

fn unsigned_by(key: KeyId) -> coset::CoseSignature {
    let header = HeaderBuilder::new().algorithm(Algorithm::EdDSA).key_id(key.0.to_vec()).build();
    CoseSignatureBuilder::new().protected(header).build()
}

fn kid(signature: &coset::CoseSignature) -> &[u8] {
    let protected = &signature.protected.header.key_id;
    if protected.is_empty() { &signature.unprotected.key_id } else { protected }
}

fn signers(
    demands: Demands,
    sign: &CoseSign,
    detached: Option<&[u8]>,
    aad: &[u8],
    keyring: &Keyring,
    valid: impl Fn(&Key) -> Result<(), OrderError>,
) -> Result<Vec<Signed>, OrderError> {
    let mut people: Vec<Signed> = Vec::new();
    for signature in &sign.signatures {
        // Another key, such as another centre's: ignored here.
        let Some(key) = keyring.key(kid(signature)) else { continue };
        let id = key.public.id();
        let eddsa = RegisteredLabelWithPrivate::Assigned(Algorithm::EdDSA);
        if signature.protected.header.alg != Some(eddsa) {
            return Err(OrderError::Signature(format!("the signature by key {id} is not EdDSA")));
        }
        let message = match detached {
            Some(file) => sign.tbs_detached_data(file, aad, signature),
            None => sign.tbs_data(aad, signature),
        };
        if !key.public.has_signed(&message, &signature.signature) && demands.make(Demand::Signature) {
            let why = format!("the signature by key {id} of {} does not hold", key.person);
            return Err(OrderError::Signature(why));
        }
        valid(key)?;
        // Two keys of one person count once.
        let is_known = people.iter().any(|known| known.person == key.person && known.class == key.class);
        if !is_known || !demands.make(Demand::Person) {
            let (person, roles, class) = (key.person.clone(), key.roles.clone(), key.class);
            people.push(Signed { person, roles, key: id, class });
        }
    }
    Ok(people)
}
