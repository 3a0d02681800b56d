//! A database as text: the statements that make it again, as the shell's `.dump` writes them.

use std::path::Path;

use data_encoding::HEXUPPER;
use linli_domain::command::State;
use linli_domain::loss::Loss;
use linli_domain::visit::{Version, Visit};
use linli_domain::{Layout, Message, Record};
use linli_store::{JournaledCommand, codec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};

use linli_golden::golden;

/// The statements for the tables, and for the rows of each table.
#[derive(Debug, PartialEq)]
pub struct Database {
    pub schema: String,
    pub tables: Vec<(String, String)>,
}

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn column<T>(connection: &mut SqliteConnection, sql: &str) -> Vec<T>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await.unwrap()
}

async fn execute(path: &Path, sql: String) {
    let mut connection = connect(path).await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Replaces the random epoch.
pub async fn set_epoch(path: &Path, epoch: &str) {
    execute(path, format!("UPDATE meta SET value = '{epoch}' WHERE key = 'epoch'")).await;
}

/// Gives the database the loss that a new one begins with.
pub async fn set_loss(path: &Path, loss: &str) {
    execute(path, format!("INSERT INTO meta VALUES ('loss', '{loss}')")).await;
}

// === impl Database ===

impl Database {
    pub async fn dump(path: &Path) -> Self {
        let mut connection = connect(path).await;
        let mut schema = String::new();
        for pragma in ["auto_vacuum", "user_version"] {
            let value: Vec<i64> = column(&mut connection, &format!("PRAGMA {pragma}")).await;
            schema += &format!("PRAGMA {pragma} = {};\n", value[0]);
        }
        let statements: Vec<String> = column(
            &mut connection,
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' \
             ORDER BY type DESC, name",
        )
        .await;
        statements.iter().for_each(|sql| schema += &format!("{sql};\n"));
        let names: Vec<String> =
            column(&mut connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
                .await;
        let mut tables = Vec::new();
        for name in names {
            let rows = rows(&mut connection, &name).await;
            tables.push((name, rows));
        }
        connection.close().await.unwrap();
        Self { schema, tables }
    }
}

async fn rows(connection: &mut SqliteConnection, table: &str) -> String {
    let columns: Vec<String> =
        column(connection, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
    let quoted: Vec<String> = columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
    let sql = format!("SELECT {} FROM {table} ORDER BY 1, 2, 3", quoted.join(", "));
    let sql = if columns.len() < 3 { sql.replace("1, 2, 3", "1") } else { sql };
    // Text sorts before its numbers otherwise: 10 before 9.
    let sql = sql.replace("ORDER BY 1", &format!("ORDER BY \"{}\", 1", columns[0]));
    let mut lines = String::new();
    for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap() {
        let values: Vec<String> = (0..columns.len()).map(|nth| readable(row.get(nth))).collect();
        lines += &format!("INSERT INTO {table} VALUES ({});\n", values.join(", "));
    }
    lines
}

/// A blob that is text is written as text.
fn readable(quoted: String) -> String {
    let Some(hex) = quoted.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\'')) else { return quoted };
    match String::from_utf8(HEXUPPER.decode(hex.as_bytes()).unwrap()) {
        Ok(text) if text.starts_with('{') => format!("CAST('{}' AS BLOB)", text.replace('\'', "''")),
        _ => quoted,
    }
}

/// Builds the golden database.
pub async fn restore(path: &Path) {
    build(path, "schema.sql").await;
}

/// Builds the golden database of an older format: its schema, and the rows its tables had.
pub async fn restore_format(path: &Path, format: i64) {
    build(path, &format!("schema-{format}.sql")).await;
}

async fn build(path: &Path, schema: &str) {
    let schema = golden(schema);
    let named = |line: &str| Some(line.strip_prefix("CREATE TABLE ")?.split(' ').next()?.to_owned());
    let mut tables: Vec<String> = schema.lines().filter_map(named).collect();
    tables.push("sqlite_sequence".to_owned());
    let rows: String = tables.iter().map(|table| golden(&format!("rows/{table}.sql"))).collect();
    execute(path, format!("BEGIN;\n{schema}{rows}COMMIT;")).await;
    assert_eq!(Database::dump(path).await.schema, schema);
}

/// Reads every body of the golden database as the type it is, and writes it back.
pub async fn bodies_come_back(path: &Path) {
    let mut connection = connect(path).await;
    let sql = "SELECT body FROM (SELECT seq, layout, body FROM urgent UNION ALL SELECT seq, layout, body FROM telemetry \
               UNION ALL SELECT seq, layout, body FROM kiosk UNION ALL SELECT seq, layout, body FROM actuator \
               UNION ALL SELECT seq, layout, body FROM food_safety UNION ALL SELECT seq, layout, body FROM dead_letter)";
    for body in column::<Vec<u8>>(&mut connection, &format!("{sql} WHERE layout IS NOT NULL")).await {
        assert_eq!(codec::pack(&codec::unpack(&body).unwrap()), body);
    }
    for body in column::<Vec<u8>>(&mut connection, &format!("{sql} WHERE layout IS NULL")).await {
        comes_back::<Message>(std::str::from_utf8(&body).unwrap());
    }
    for body in column::<Vec<u8>>(&mut connection, "SELECT body FROM history").await {
        assert_eq!(codec::pack_rollups(&codec::unpack_rollups(&body).unwrap()), body);
    }
    type ComesBack = fn(&str);
    let json: [(&str, ComesBack); 6] = [
        ("SELECT body FROM layout", comes_back::<Layout>),
        ("SELECT body FROM ledger", comes_back::<Loss>),
        ("SELECT body FROM command", comes_back::<JournaledCommand>),
        ("SELECT state FROM command", comes_back::<State>),
        ("SELECT body FROM visit", comes_back::<Visit>),
        ("SELECT body FROM measurement", comes_back::<Version>),
    ];
    for (sql, comes_back) in json {
        column::<String>(&mut connection, sql).await.iter().for_each(|body| comes_back(body));
    }
    connection.close().await.unwrap();
}

fn comes_back<T: Serialize + DeserializeOwned>(body: &str) {
    let value: T = serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), body);
}

/// The record in the dead letters.
pub async fn dead_letter(path: &Path) -> Record {
    let mut connection = connect(path).await;
    let body: Vec<Vec<u8>> =
        column(&mut connection, "SELECT body FROM dead_letter WHERE layout IS NULL").await;
    connection.close().await.unwrap();
    Record::Message(serde_json::from_slice(&body[0]).unwrap())
}

/// All commands of the journal, finished ones included.
pub async fn commands(path: &Path) -> Vec<(JournaledCommand, State)> {
    let mut connection = connect(path).await;
    let bodies: Vec<String> = column(&mut connection, "SELECT body FROM command ORDER BY at, id").await;
    let states: Vec<String> = column(&mut connection, "SELECT state FROM command ORDER BY at, id").await;
    connection.close().await.unwrap();
    let decode = |(body, state): (&String, &String)| {
        (serde_json::from_str(body).unwrap(), serde_json::from_str(state).unwrap())
    };
    bodies.iter().zip(&states).map(decode).collect()
}
