//! Certificates of gateways at the broker: asked for with a one-time code, renewed before their end, revoked.
//!
//! A code is for one gateway, is kept hashed, ends by itself and is used once. A request that fails after the code was
//! used is repeated with the same key and gets the same certificate; with another key the code is used.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_login::code;
use serde::Serialize;
use sqlx::{PgConnection, PgPool, Row};

use crate::accounts::record::{self, Event};
use crate::accounts::{AccountError, clock, delays, random};
use crate::authority::{Authority, Request, Signed, Void};
use crate::enrolment::user;

/// A version of MQTT as it is written in a gateway's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum MqttVersion {
    /// MQTT 5.
    #[default]
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1; NATS speaks no other.
    #[serde(rename = "3.1.1")]
    V311,
}

/// What is needed to sign certificates, as configured.
#[derive(Clone)]
pub struct Settings {
    /// Signs them.
    pub authority: Arc<Authority>,
    /// What gateways trust at the broker and at this program's listener, PEM.
    pub trust: String,
    /// Its fingerprint, for people to compare.
    pub fingerprint: String,
    /// Addresses of the broker, for gateways.
    pub brokers: Vec<String>,
    /// Version of MQTT that gateways speak there.
    pub version: MqttVersion,
    /// Address of this program, for gateways.
    pub url: Option<String>,
}

// The key is nobody's to see.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A code, shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The code.
    pub code: String,
    /// Its end.
    pub until: Timestamp,
}

/// A gateway that asks for its certificate.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The centre.
    pub centre: Id,
    /// The gateway.
    pub gateway: Id,
    /// The code.
    pub code: String,
    /// Its request, PEM.
    pub request: String,
}

/// A gateway that asks for its next certificate.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// The present one, PEM.
    pub certificate: String,
    /// The next request, PEM.
    pub request: String,
    /// Signature by the present key over the request, base64.
    pub proof: String,
}

/// Why no certificate is given.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Nothing signs them here.
    #[error("this district signs no certificates: enrolment.authority is missing in its district.toml")]
    NoAuthority,
    /// Not the code of that gateway.
    #[error(
        "this is not the code of {0}; look at it again, or let the district give out another: linli-district centre code"
    )]
    Wrong(String),
    /// The code of another gateway.
    #[error(
        "this is the code of another gateway, not of {0}: set centre and gateway.id right, or ask for its own code"
    )]
    Another(String),
    /// It was used.
    #[error("the code of {0} was used before; let the district give out another: linli-district centre code")]
    Used(String),
    /// It has ended.
    #[error("the code of {0} has ended; let the district give out another: linli-district centre code")]
    Ended(String),
    /// Not enrolled, or no more.
    #[error("{0} is not enrolled in this district, or was revoked")]
    NotEnrolled(String),
    /// The certificate does not entitle to another.
    #[error("the certificate is void: {0}; enrol anew with a code")]
    Void(String),
    /// Not a request.
    #[error("the request: {0}")]
    Request(String),
    /// Too many errors before.
    #[error("too many errors; try again in {} s", .0.as_secs().max(1))]
    Wait(Duration),
    /// It cannot be made.
    #[error("{0}")]
    NotNow(String),
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<AccountError> for Refused {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Wait(left) => Self::Wait(left),
            AccountError::Database(error) => Self::Database(error),
            other => Self::NotNow(other.to_string()),
        }
    }
}

// === impl Refused ===

impl Refused {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        let another = "请区级平台另发 linli-district centre code";
        match self {
            Self::NoAuthority => "本平台不签发证书：district.toml 没有 enrolment.authority".to_owned(),
            Self::Wrong(of) => format!("这不是 {of} 的登记码，请核对，或{another}"),
            Self::Another(of) => {
                format!("这是另一台网关的登记码，不是 {of} 的；请改正中心和网关编号，或索取它自己的登记码")
            }
            Self::Used(of) => format!("{of} 的登记码已用过，{another}"),
            Self::Ended(of) => format!("{of} 的登记码已失效，{another}"),
            Self::NotEnrolled(of) => format!("{of} 没有在本平台登记，或已撤销"),
            Self::Void(_) => "证书无效，请用登记码重新登记".to_owned(),
            Self::Request(_) => "证书请求不对".to_owned(),
            Self::Wait(left) => format!("错误次数过多，请 {} 秒后再试", left.as_secs().max(1)),
            Self::NotNow(_) => "现在不行，请稍后再试".to_owned(),
            Self::Database(_) => "数据库没有应答，请稍后再试".to_owned(),
        }
    }
}

/// An enrolled gateway, held for a change; `None` when it is not enrolled or was revoked.
async fn held(database: &mut PgConnection, centre: &Id, gateway: &Id) -> Result<Option<i32>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT id FROM gateway WHERE centre = $1 AND gateway = $2 AND revoked_at IS NULL FOR UPDATE",
    )
    .bind(centre.as_str())
    .bind(gateway.as_str())
    .fetch_optional(database)
    .await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Gives out a code for an enrolled gateway; an earlier one is void.
pub async fn invite(
    pool: &PgPool,
    (centre, gateway): (&Id, &Id),
    valid: Duration,
    by: &str,
) -> Result<Invited, Refused> {
    let mut tx = pool.begin().await?;
    let id = held(&mut tx, centre, gateway).await?;
    let id = id.ok_or_else(|| Refused::NotEnrolled(format!("{centre}/{gateway}")))?;
    let text = code::code(&random()?);
    let valid = i64::try_from(valid.as_millis()).unwrap_or(i64::MAX);
    let until = Timestamp(clock(&mut tx).await?.saturating_add(valid));
    sqlx::query(
        "INSERT INTO invitation (gateway, hash, until) VALUES ($1, $2, to_timestamp($3 / 1000.0)) \
         ON CONFLICT (gateway) DO UPDATE SET hash = excluded.hash, until = excluded.until, used_at = NULL",
    )
    .bind(id)
    .bind(code::hash(&code::normal(&text)))
    .bind(until.0)
    .execute(&mut *tx)
    .await?;
    record::note_centre(&mut tx, (centre, gateway), "code", by).await?;
    tx.commit().await?;
    Ok(Invited { code: text, until })
}

/// Signs a certificate for the gateway whose code this is.
pub async fn issue(pool: &PgPool, settings: &Settings, ask: &Ask, from: &str) -> Result<Signed, Refused> {
    let request = Request::read(&ask.request).map_err(Refused::Request)?;
    let name = format!("{}/{}", ask.centre, ask.gateway);
    let mut tx = pool.begin().await?;
    // Counted before it is looked at: of many at once, none is for nothing.
    delays::attempt(&mut tx, &delays::subjects(&format!("gateway {name}"), from)).await?;
    let now = clock(&mut tx).await?;
    let found = match held(&mut tx, &ask.centre, &ask.gateway).await? {
        Some(id) => look(&mut tx, id, ask, &request, &name).await?,
        None => Err(Refused::NotEnrolled(name.clone())),
    };
    let (id, before) = match found {
        Ok(found) => found,
        Err(refused) => {
            let refused = of_another(&mut tx, ask, &name).await?.unwrap_or(refused);
            refuse(&mut tx, ask, &refused, from).await?;
            tx.commit().await?;
            return Err(refused);
        }
    };
    delays::right(&mut tx, &format!("gateway {name}"), from).await?;
    if let Some(signed) = before {
        tx.commit().await?;
        return Ok(signed);
    }
    // Whoever has the code is the gateway now: another one with its name is none.
    sqlx::query("UPDATE certificate SET revoked_at = now() WHERE gateway = $1 AND revoked_at IS NULL")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE invitation SET used_at = now() WHERE gateway = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    let of = (&ask.centre, &ask.gateway);
    let signed = sign(&mut tx, settings, (id, of), &request, now).await?;
    record::note_centre(&mut tx, of, "certificate", &format!("address {from}")).await?;
    tx.commit().await?;
    Ok(signed)
}

/// Whether the code is right. Gives the gateway, and the certificate that this very request got before.
async fn look(
    database: &mut PgConnection,
    id: i32,
    ask: &Ask,
    request: &Request,
    name: &str,
) -> Result<Result<(i32, Option<Signed>), Refused>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT hash = $2, used_at IS NOT NULL, until <= now() FROM invitation WHERE gateway = $1",
    )
    .bind(id)
    .bind(code::hash(&code::normal(&ask.code)))
    .fetch_optional(&mut *database)
    .await?;
    let Some(row) = row else { return Ok(Err(Refused::Wrong(name.to_owned()))) };
    let (is_right, is_used, has_ended): (bool, bool, bool) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if !is_right {
        return Ok(Err(Refused::Wrong(name.to_owned())));
    }
    if is_used {
        let row = sqlx::query(
            "SELECT serial, chain, (extract(epoch FROM until) * 1000)::int8 FROM certificate \
             WHERE gateway = $1 AND key = $2 AND revoked_at IS NULL AND until > now()",
        )
        .bind(id)
        .bind(request.key())
        .fetch_optional(database)
        .await?;
        let Some(row) = row else { return Ok(Err(Refused::Used(name.to_owned()))) };
        let user = user(ask.centre.as_str(), ask.gateway.as_str());
        let signed = Signed { user, serial: row.try_get(0)?, chain: row.try_get(1)?, until: row.try_get(2)? };
        return Ok(Ok((id, Some(signed))));
    }
    if has_ended {
        return Ok(Err(Refused::Ended(name.to_owned())));
    }
    Ok(Ok((id, None)))
}

/// Whether it is the code of another gateway: one of the two is not who it says.
async fn of_another(
    database: &mut PgConnection,
    ask: &Ask,
    name: &str,
) -> Result<Option<Refused>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT g.centre || '/' || g.gateway FROM invitation i JOIN gateway g ON g.id = i.gateway \
         WHERE i.hash = $1 AND (g.centre, g.gateway) <> ($2, $3)",
    )
    .bind(code::hash(&code::normal(&ask.code)))
    .bind(ask.centre.as_str())
    .bind(ask.gateway.as_str())
    .fetch_optional(&mut *database)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let owner: String = row.try_get(0)?;
    sqlx::query(
        "INSERT INTO poison (topic, reason, detail, bytes, payload) VALUES ($1, 'claims_another', $2, 0, '')",
    )
    .bind(format!("certificate {name}"))
    .bind(format!("somebody with the code of {owner} asked for the certificate of {name}"))
    .execute(database)
    .await?;
    Ok(Some(Refused::Another(name.to_owned())))
}

async fn refuse(
    database: &mut PgConnection,
    ask: &Ask,
    refused: &Refused,
    from: &str,
) -> Result<(), sqlx::Error> {
    let event = Event::CentreRefused {
        centre: ask.centre.clone(),
        gateway: ask.gateway.clone(),
        why: refused.to_string(),
        from: from.to_owned(),
    };
    record::append(database, &event).await
}

/// Signs the next certificate of a gateway; the present one stays valid until its end.
pub async fn renew(pool: &PgPool, settings: &Settings, asked: &Renew, from: &str) -> Result<Signed, Refused> {
    use base64::Engine as _;
    let request = Request::read(&asked.request).map_err(Refused::Request)?;
    let proof = base64::engine::general_purpose::STANDARD.decode(asked.proof.trim());
    let proof = proof.map_err(|_| Refused::Request("the proof is no base64".to_owned()))?;
    let serial = settings.authority.renews(&asked.certificate, &request, &proof).map_err(Refused::Void)?;
    let mut tx = pool.begin().await?;
    let now = clock(&mut tx).await?;
    let row = sqlx::query(
        "SELECT g.id, g.centre, g.gateway, c.revoked_at IS NOT NULL OR g.revoked_at IS NOT NULL, c.until <= now() \
         FROM certificate c JOIN gateway g ON g.id = c.gateway WHERE c.serial = $1 FOR UPDATE OF g",
    )
    .bind(&serial)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Err(Refused::Void("it is unknown here".to_owned())) };
    let parse = |text: String| Id::new(&text).map_err(|error| Refused::NotNow(error.to_string()));
    let (id, centre, gateway): (i32, Id, Id) =
        (row.try_get(0)?, parse(row.try_get(1)?)?, parse(row.try_get(2)?)?);
    if row.try_get(3)? {
        return Err(Refused::Void("it was revoked".to_owned()));
    }
    if row.try_get(4)? {
        return Err(Refused::Void("it has ended".to_owned()));
    }
    let of = (&centre, &gateway);
    let signed = sign(&mut tx, settings, (id, of), &request, now).await?;
    record::note_centre(&mut tx, of, "renewed", &format!("address {from}")).await?;
    tx.commit().await?;
    Ok(signed)
}

async fn sign(
    database: &mut PgConnection,
    settings: &Settings,
    (id, (centre, gateway)): (i32, (&Id, &Id)),
    request: &Request,
    now: i64,
) -> Result<Signed, Refused> {
    let user = user(centre.as_str(), gateway.as_str());
    let signed = settings.authority.issue(&user, request, random()?, now);
    let signed =
        signed.map_err(|error| Refused::NotNow(format!("the certificate cannot be made: {error}")))?;
    sqlx::query(
        "INSERT INTO certificate (serial, gateway, key, chain, until) \
         VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0))",
    )
    .bind(&signed.serial)
    .bind(id)
    .bind(request.key())
    .bind(&signed.chain)
    .bind(signed.until)
    .execute(database)
    .await?;
    Ok(signed)
}

/// The void certificates that have not ended.
pub async fn void(pool: &PgPool) -> Result<Vec<Void>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT serial, (extract(epoch FROM revoked_at) * 1000)::int8 FROM certificate \
         WHERE revoked_at IS NOT NULL AND until > now() - interval '1 day' ORDER BY 1",
    );
    let rows = rows.fetch_all(pool).await?;
    rows.iter().map(|row| Ok(Void { serial: row.try_get(0)?, since: row.try_get(1)? })).collect()
}

// === impl Settings ===

impl Settings {
    /// What is typed at the gateway.
    #[must_use]
    pub fn command(&self, code: &str) -> String {
        let url = self.url.as_deref().unwrap_or("https://DISTRICT");
        // A certificate of this machine's own listener is not asked for by a name.
        let fingerprint = match url.starts_with("http://") {
            true => String::new(),
            false => format!(" --fingerprint {}", self.fingerprint),
        };
        format!("linli uplink enrol --district {url} --code {code}{fingerprint}")
    }
}
