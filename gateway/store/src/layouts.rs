//! Layouts by number: a row refers to what its samples meant when they were taken, also after
//! the configuration has changed.

use std::collections::HashMap;
use std::sync::Arc;

use linli_domain::Layout;
use sqlx::SqliteConnection;

use crate::undecodable::json_column;

/// Layouts the writer has numbered in this database. Held by address: a device's layout is one
/// shared object from the moment its line is planned.
#[derive(Default)]
pub(crate) struct Numbered {
    by_address: HashMap<usize, (Arc<Layout>, i64)>,
}

/// More than any configuration has; reached only by many reloads.
const MOST: usize = 4096;

// === impl Numbered ===

impl Numbered {
    /// The number of `layout`, giving it one if need be.
    pub(crate) async fn number(
        &mut self,
        connection: &mut SqliteConnection,
        layout: &Arc<Layout>,
    ) -> Result<i64, sqlx::Error> {
        let address = Arc::as_ptr(layout).addr();
        if let Some((_, number)) = self.by_address.get(&address) {
            return Ok(*number);
        }
        let body = serde_json::to_string(&**layout).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query("INSERT OR IGNORE INTO layout (body) VALUES (?)")
            .bind(&body)
            .execute(&mut *connection)
            .await?;
        let number = sqlx::query_scalar("SELECT id FROM layout WHERE body = ?")
            .bind(&body)
            .fetch_one(connection)
            .await?;
        if self.by_address.len() >= MOST {
            self.by_address.clear();
        }
        self.by_address.insert(address, (Arc::clone(layout), number));
        Ok(number)
    }

    /// Forgets every number: the transaction that gave them may not have been committed.
    pub(crate) fn forget(&mut self) {
        self.by_address.clear();
    }
}

/// Layouts a reader has looked up.
#[derive(Default)]
pub(crate) struct LayoutCache {
    by_number: HashMap<i64, Arc<Layout>>,
}

// === impl LayoutCache ===

impl LayoutCache {
    /// The layout of that number, or why there is none.
    pub(crate) async fn find(
        &mut self,
        connection: &mut SqliteConnection,
        number: i64,
    ) -> Result<Result<Arc<Layout>, String>, sqlx::Error> {
        if let Some(layout) = self.by_number.get(&number) {
            return Ok(Ok(Arc::clone(layout)));
        }
        let row = sqlx::query("SELECT body FROM layout WHERE id = ?")
            .bind(number)
            .fetch_optional(connection)
            .await?;
        let Some(row) = row else { return Ok(Err(format!("layout {number} is missing"))) };
        let layout: Layout = match json_column(&row, 0) {
            Ok(layout) => layout,
            Err(reason) => return Ok(Err(format!("layout {number}: {reason}"))),
        };
        let layout = Arc::new(layout);
        if self.by_number.len() >= MOST {
            self.by_number.clear();
        }
        self.by_number.insert(number, Arc::clone(&layout));
        Ok(Ok(layout))
    }
}
