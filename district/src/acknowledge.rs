//! The end of the hand-over: what is committed is named to the gateway, which then forgets it.
//!
//! Payload of `linli/1/{centre}/{gateway}/ack`, QoS 0: `{"epoch":"18c2…","ranges":[[1,500],[502,502]]}`, both ends
//! included. The ranges are those of the database that contain what has just come, so that one message makes good for
//! all that were lost before. At most one message a second and gateway; when a gateway connects, all of its epoch.

use std::collections::{BTreeSet, HashMap};

use sqlx::{PgPool, Row};

use crate::source::Publisher;

/// Ranges of one message; of more, those with the highest numbers.
const MOST_RANGES: i64 = 500;

/// What has to be named.
#[derive(Debug, Default)]
pub struct Unnamed {
    /// Epochs, and the numbers in them that have just been committed.
    numbers: HashMap<i32, BTreeSet<i64>>,
    /// Epochs to be named as a whole.
    whole: BTreeSet<i32>,
}

// === impl Unnamed ===

impl Unnamed {
    /// A number was committed, now or earlier.
    pub fn number(&mut self, epoch: i32, seq: i64) {
        self.numbers.entry(epoch).or_default().insert(seq);
    }

    /// A gateway has connected: everything of its epoch.
    pub fn whole(&mut self, epoch: i32) {
        self.whole.insert(epoch);
    }

    /// Takes over what another owes as a whole.
    pub fn take_over(&mut self, other: Self) {
        self.whole.extend(other.whole);
        for (epoch, numbers) in other.numbers {
            self.numbers.entry(epoch).or_default().extend(numbers);
        }
    }

    /// Whether nothing has to be named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.whole.is_empty()
    }

    /// Publishes all of it. What cannot be read from the database stays.
    pub async fn publish(&mut self, pool: &PgPool, publisher: &dyn Publisher) -> Result<u64, sqlx::Error> {
        if self.is_empty() {
            return Ok(0);
        }
        let (mut epochs, mut seqs) = (Vec::new(), Vec::new());
        for (epoch, numbers) in &self.numbers {
            // Of a run of numbers the first stands for all: they are in one range of the database.
            let mut before = None;
            for seq in numbers {
                if before.is_none_or(|before: i64| before.saturating_add(1) != *seq) {
                    epochs.push(*epoch);
                    seqs.push(*seq);
                }
                before = Some(*seq);
            }
        }
        let whole: Vec<i32> = self.whole.iter().copied().collect();
        let rows = sqlx::query(
            "WITH asked AS (SELECT epoch, range_agg(int8range(seq, seq + 1)) AS seqs \
                            FROM unnest($1::int4[], $2::int8[]) AS t (epoch, seq) GROUP BY epoch), \
             named AS (SELECT e.id, lower(r) AS first, upper(r) - 1 AS last FROM asked a JOIN epoch e ON e.id = a.epoch, \
                       unnest(e.seqs) AS r WHERE r && a.seqs AND NOT e.id = ANY ($3) \
                       UNION ALL SELECT e.id, lower(r), upper(r) - 1 FROM epoch e, unnest(e.seqs) AS r \
                       WHERE e.id = ANY ($3)), \
             numbered AS (SELECT *, row_number() OVER (PARTITION BY id ORDER BY first DESC) AS nth FROM named) \
             SELECT g.centre, g.gateway, e.epoch, array_agg(n.first ORDER BY n.first), array_agg(n.last ORDER BY n.first) \
             FROM numbered n JOIN epoch e ON e.id = n.id JOIN gateway g ON g.id = e.gateway WHERE n.nth <= $4 \
             GROUP BY g.centre, g.gateway, e.epoch",
        )
        .bind(&epochs)
        .bind(&seqs)
        .bind(&whole)
        .bind(MOST_RANGES)
        .fetch_all(pool)
        .await?;
        for row in &rows {
            let (centre, gateway, epoch): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (first, last): (Vec<i64>, Vec<i64>) = (row.try_get(3)?, row.try_get(4)?);
            let ranges: Vec<(i64, i64)> = first.into_iter().zip(last).collect();
            let payload = serde_json::json!({"epoch": epoch, "ranges": ranges}).to_string().into_bytes();
            publisher.publish(format!("linli/1/{centre}/{gateway}/ack"), payload, false);
        }
        self.numbers.clear();
        self.whole.clear();
        Ok(rows.len() as u64)
    }
}
