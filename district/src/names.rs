//! Names that the database knows by a number.
//!
//! A number never changes, so it is remembered; what is new in a batch is learnt in bulk, a few round trips for all of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, Row};
use tokio::time::Instant;

use crate::wire::{Message, Unfit};

/// How long an answer about a gateway that is not enrolled holds.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// How long an answer about an enrolled gateway holds: one that is revoked meanwhile is heard until then.
const ENROLLED_FOR: Duration = Duration::from_secs(10);

/// Most series of one gateway: a gateway that invents names must not fill the database with them.
const MOST_SERIES: i64 = 20_000;

/// A gateway as the database knows it.
#[derive(Debug, Clone, Copy)]
struct Gateway {
    id: i32,
    is_heard: bool,
    until: Instant,
}

/// What is remembered.
#[derive(Debug, Default)]
pub struct Names {
    gateways: HashMap<String, HashMap<String, Gateway>>,
    /// Number and owner of an epoch.
    epochs: HashMap<String, (i32, i32)>,
    devices: HashMap<i32, HashMap<String, i32>>,
    series: HashMap<i32, HashMap<String, i32>>,
    shapes: HashMap<i32, HashMap<Vec<i32>, i32>>,
    qualities: HashMap<String, i16>,
    /// Gateways that have too many names.
    crowded: HashSet<i32>,
}

// === impl Names ===

impl Names {
    /// The number of a gateway that is heard. `required`: only enrolled ones are.
    pub fn gateway(&self, centre: &str, gateway: &str) -> Result<i32, Unfit> {
        let known = self.gateways.get(centre).and_then(|centre| centre.get(gateway));
        match known {
            Some(known) if known.is_heard => Ok(known.id),
            _ => Err(Unfit::new("not_enrolled", format!("no gateway {centre}/{gateway} is enrolled"))),
        }
    }

    /// The number of an epoch, if it belongs to that gateway.
    pub fn epoch(&self, gateway: i32, epoch: &str) -> Result<i32, Unfit> {
        match self.epochs.get(epoch) {
            Some((id, owner)) if *owner == gateway => Ok(*id),
            Some(_) => Err(Unfit::new(
                "claims_another",
                "its epoch belongs to another gateway: one of the two is not who it says",
            )),
            None => Err(Unfit::new("no_number", "its epoch is unknown")),
        }
    }

    /// The number of a device.
    pub fn device(&self, gateway: i32, device: &str) -> Option<i32> {
        self.devices.get(&gateway)?.get(device).copied()
    }

    /// The number of a point.
    pub fn series(&self, device: i32, point: &str) -> Option<i32> {
        self.series.get(&device)?.get(point).copied()
    }

    /// The number of a sequence of points.
    pub fn shape(&self, device: i32, series: &[i32]) -> Option<i32> {
        self.shapes.get(&device)?.get(series).copied()
    }

    /// The number of a quality.
    pub fn quality(&self, quality: &str) -> Option<i16> {
        self.qualities.get(quality).copied()
    }

    /// Forgets everything: the database is another one.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Learns the gateways of a batch.
    pub async fn learn_gateways(
        &mut self,
        pool: &PgPool,
        required: bool,
        names: &HashSet<(&str, &str)>,
    ) -> Result<(), sqlx::Error> {
        let now = Instant::now();
        let is_known = |centre: &str, gateway: &str| {
            let known = self.gateways.get(centre).and_then(|centre| centre.get(gateway));
            known.is_some_and(|known| known.until > now)
        };
        let new: Vec<&(&str, &str)> = names.iter().filter(|(c, g)| !is_known(c, g)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let centres: Vec<String> = new.iter().map(|(centre, _)| (*centre).to_owned()).collect();
        let gateways: Vec<String> = new.iter().map(|(_, gateway)| (*gateway).to_owned()).collect();
        if !required {
            sqlx::query(
                "INSERT INTO gateway (centre, gateway) SELECT c, g FROM unnest($1::text[], $2::text[]) AS u (c, g) \
                 WHERE NOT EXISTS (SELECT FROM gateway w WHERE w.centre = u.c AND w.gateway = u.g) \
                 ORDER BY 1, 2 ON CONFLICT DO NOTHING",
            )
            .bind(&centres)
            .bind(&gateways)
            .execute(pool)
            .await?;
        }
        for (centre, gateway) in new {
            let unknown = Gateway { id: 0, is_heard: false, until: now + UNKNOWN_FOR };
            self.gateways.entry((*centre).to_owned()).or_default().insert((*gateway).to_owned(), unknown);
        }
        let rows = sqlx::query(
            "SELECT id, w.centre, w.gateway, revoked_at IS NULL FROM gateway w \
             JOIN unnest($1::text[], $2::text[]) AS u (c, g) ON w.centre = u.c AND w.gateway = u.g",
        )
        .bind(&centres)
        .bind(&gateways)
        .fetch_all(pool)
        .await?;
        for row in rows {
            let known = Gateway { id: row.try_get(0)?, is_heard: row.try_get(3)?, until: now + ENROLLED_FOR };
            self.gateways.entry(row.try_get(1)?).or_default().insert(row.try_get(2)?, known);
        }
        Ok(())
    }

    /// Learns every other name of a batch. What a gateway has too many of is not learnt.
    pub async fn learn(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        self.learn_epochs(pool, messages).await?;
        self.learn_devices(pool, messages).await?;
        self.learn_series(pool, messages).await?;
        self.learn_shapes(pool, messages).await?;
        self.learn_qualities(pool, messages).await
    }

    async fn learn_epochs(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        let mut new: HashMap<&str, i32> = HashMap::new();
        for (gateway, message) in messages {
            let epoch: &str = match message {
                Message::Data(data) => &data.epoch,
                Message::Event(event) => &event.epoch,
                Message::Status(status) => &status.epoch,
                Message::Meta { .. } => continue,
            };
            if !self.epochs.contains_key(epoch) {
                new.entry(epoch).or_insert(*gateway);
            }
        }
        self.add_epochs(pool, new).await
    }

    /// Learns epochs, each with the gateway that uses it.
    pub async fn add_epochs(&mut self, pool: &PgPool, new: HashMap<&str, i32>) -> Result<(), sqlx::Error> {
        if new.is_empty() {
            return Ok(());
        }
        let mut pairs: Vec<(i32, String)> =
            new.into_iter().map(|(epoch, gateway)| (gateway, epoch.to_owned())).collect();
        pairs.sort();
        let (gateways, epochs): (Vec<i32>, Vec<String>) = pairs.into_iter().unzip();
        sqlx::query(
            "INSERT INTO epoch (gateway, epoch) SELECT g, e FROM unnest($1::int4[], $2::text[]) AS u (g, e) \
             WHERE NOT EXISTS (SELECT FROM epoch w WHERE w.epoch = u.e) ORDER BY 2 ON CONFLICT DO NOTHING",
        )
        .bind(&gateways)
        .bind(&epochs)
        .execute(pool)
        .await?;
        let rows = sqlx::query("SELECT epoch, id, gateway FROM epoch WHERE epoch = ANY ($1)").bind(&epochs);
        for row in rows.fetch_all(pool).await? {
            self.epochs.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
        }
        Ok(())
    }

    async fn learn_devices(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        let mut new: HashSet<(i32, &str)> = HashSet::new();
        for (gateway, message) in messages {
            let device: &str = match message {
                Message::Data(data) => &data.device,
                Message::Meta { device, .. } => device,
                _ => continue,
            };
            if self.device(*gateway, device).is_none() && !self.crowded.contains(gateway) {
                new.insert((*gateway, device));
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        for (gateway, device, id) in learn_pairs(pool, DEVICES, new).await? {
            self.devices.entry(gateway).or_default().insert(device, id);
        }
        Ok(())
    }

    async fn learn_series(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        let mut new: HashSet<(i32, &str)> = HashSet::new();
        let mut gateways: HashSet<i32> = HashSet::new();
        for (gateway, message) in messages {
            let Message::Data(data) = message else { continue };
            let Some(device) = self.device(*gateway, &data.device) else { continue };
            for sample in &data.samples {
                if self.series(device, &sample.p).is_none() && !self.crowded.contains(gateway) {
                    new.insert((device, &sample.p));
                    gateways.insert(*gateway);
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        for (device, point, id) in learn_pairs(pool, SERIES, new).await? {
            self.series.entry(device).or_default().insert(point, id);
        }
        self.count_series(pool, gateways).await
    }

    async fn count_series(&mut self, pool: &PgPool, gateways: HashSet<i32>) -> Result<(), sqlx::Error> {
        let gateways: Vec<i32> = gateways.into_iter().collect();
        let rows = sqlx::query(
            "SELECT d.gateway FROM series s JOIN device d ON d.id = s.device WHERE d.gateway = ANY ($1) \
             GROUP BY 1 HAVING count(*) > $2",
        )
        .bind(&gateways)
        .bind(MOST_SERIES);
        for row in rows.fetch_all(pool).await? {
            let gateway = row.try_get(0)?;
            if self.crowded.insert(gateway) {
                tracing::warn!(
                    gateway,
                    most = MOST_SERIES,
                    "a gateway has too many series; no new ones are stored"
                );
            }
        }
        Ok(())
    }

    async fn learn_shapes(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        let mut new: HashSet<(i32, Vec<i32>)> = HashSet::new();
        for (gateway, message) in messages {
            let Message::Data(data) = message else { continue };
            let Some(device) = self.device(*gateway, &data.device) else { continue };
            let series: Option<Vec<i32>> =
                data.samples.iter().map(|sample| self.series(device, &sample.p)).collect();
            if let Some(series) = series.filter(|series| self.shape(device, series).is_none()) {
                new.insert((device, series));
            }
        }
        let mut new: Vec<(i32, Vec<i32>)> = new.into_iter().collect();
        new.sort();
        if new.is_empty() {
            return Ok(());
        }
        // An array of arrays of different lengths does not exist in SQL: as texts.
        let devices: Vec<i32> = new.iter().map(|(device, _)| *device).collect();
        let texts: Vec<String> = new
            .iter()
            .map(|(_, series)| {
                let numbers: Vec<String> = series.iter().map(i32::to_string).collect();
                format!("{{{}}}", numbers.join(","))
            })
            .collect();
        sqlx::query(
            "INSERT INTO shape (device, series) SELECT d, s::int4[] FROM unnest($1::int4[], $2::text[]) AS u (d, s) \
             WHERE NOT EXISTS (SELECT FROM shape w WHERE w.device = u.d AND w.series = u.s::int4[]) \
             ON CONFLICT DO NOTHING",
        )
        .bind(&devices)
        .bind(&texts)
        .execute(pool)
        .await?;
        let rows = sqlx::query(
            "SELECT w.device, w.series, id FROM shape w \
             JOIN unnest($1::int4[], $2::text[]) AS u (d, s) ON w.device = u.d AND w.series = u.s::int4[]",
        )
        .bind(&devices)
        .bind(&texts);
        for row in rows.fetch_all(pool).await? {
            self.shapes.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
        }
        Ok(())
    }

    async fn learn_qualities(
        &mut self,
        pool: &PgPool,
        messages: &[(i32, &Message<'_>)],
    ) -> Result<(), sqlx::Error> {
        let mut new: HashSet<String> = HashSet::new();
        for (_, message) in messages {
            let Message::Data(data) = message else { continue };
            let qualities = data.samples.iter().filter_map(|sample| sample.q.as_deref());
            new.extend(qualities.filter(|quality| self.quality(quality).is_none()).map(str::to_owned));
        }
        if new.is_empty() {
            return Ok(());
        }
        let new: Vec<String> = new.into_iter().collect();
        sqlx::query(
            "INSERT INTO quality (quality) SELECT q FROM unnest($1::text[]) AS u (q) \
             WHERE NOT EXISTS (SELECT FROM quality w WHERE w.quality = u.q) ORDER BY 1 ON CONFLICT DO NOTHING",
        )
        .bind(&new)
        .execute(pool)
        .await?;
        let rows = sqlx::query("SELECT quality, id FROM quality WHERE quality = ANY ($1)").bind(&new);
        for row in rows.fetch_all(pool).await? {
            self.qualities.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(())
    }
}

/// A table of names below an owner, and its columns of the owner and of the name.
type Table = (&'static str, &'static str, &'static str);

const DEVICES: Table = ("device", "gateway", "device");
const SERIES: Table = ("series", "device", "point");

/// Adds names that a table does not have, and reads the number of each: owner, name, number.
async fn learn_pairs(
    pool: &PgPool,
    (table, owner, name): Table,
    new: HashSet<(i32, &str)>,
) -> Result<Vec<(i32, String, i32)>, sqlx::Error> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let mut pairs: Vec<(i32, String)> = new.into_iter().map(|(of, name)| (of, name.to_owned())).collect();
    pairs.sort();
    let (owners, names): (Vec<i32>, Vec<String>) = pairs.into_iter().unzip();
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {table} ({owner}, {name}) SELECT o, n FROM unnest($1::int4[], $2::text[]) AS u (o, n) \
         WHERE NOT EXISTS (SELECT FROM {table} w WHERE w.{owner} = u.o AND w.{name} = u.n) \
         ORDER BY 1, 2 ON CONFLICT DO NOTHING"
    )))
    .bind(&owners)
    .bind(&names)
    .execute(pool)
    .await?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT w.{owner}, w.{name}, w.id FROM {table} w \
         JOIN unnest($1::int4[], $2::text[]) AS u (o, n) ON w.{owner} = u.o AND w.{name} = u.n"
    )))
    .bind(&owners)
    .bind(&names)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}
