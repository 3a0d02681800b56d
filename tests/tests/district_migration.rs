//! A district's database of format 1 that holds data is brought to this program's format: nothing is lost, and a
//! migration that is killed in the middle has done nothing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::ensure;
use linli_tests::{Broker, Database, Platform, Workspace, binary, free_port};
use tokio::process::Command;

/// Every wait is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// The day of the stored messages, in the past: it has a partition, and is packed when it is old.
const DAY: &str = "(current_date - 3)::timestamptz";

/// What a program of format 1 had stored: numbers, none, qualities, texts, offsets; alarms, events, an order.
const DATA: &str = "
INSERT INTO gateway (centre, gateway, name, phone) VALUES ('c', 'g', '试验中心', '021-1');
INSERT INTO epoch (gateway, epoch, seqs) VALUES (1, 'of-c', '{[1,2001)}');
INSERT INTO device (gateway, device, class) VALUES (1, 'd', 'sensor');
INSERT INTO series (device, point) SELECT 1, 'p' || n FROM generate_series(0, 5) n;
INSERT INTO shape (device, series) VALUES (1, '{1,2,3,4,5,6}'), (1, '{1}');
INSERT INTO quality (quality) VALUES ('bad:silent');
SELECT make_partitions(current_date - 4, current_date + 2);
INSERT INTO message (at, seq, epoch, shape, value, dt, quality, text)
  SELECT @DAY@ + n * interval '40 s', n, 1, 1, ARRAY[n / 10.0, n, NULL, 0.1 + 0.2, -n, 1e300]::float8[],
    CASE WHEN n % 3 = 0 THEN '{0,1,2,3,4,5}'::int[] END, CASE WHEN n % 5 = 0 THEN '{0,0,1,0,0,0}'::int2[] END,
    CASE WHEN n % 7 = 0 THEN '{NULL,NULL,\"18446744073709551615\",NULL,NULL,NULL}'::text[] END
  FROM generate_series(1, 1999) n;
INSERT INTO message (at, seq, epoch, shape, value) VALUES (@DAY@ + interval '9000 days', 2000, 1, 2, '{7}');
INSERT INTO latest (at, value, series, quality) VALUES (now(), 4.5, 1, 0);
INSERT INTO event (at, seq, epoch, gateway, kind, body) VALUES (@DAY@, 2001, 1, 1, 'event/alarm', '{\"alarm\":\"a\"}');
INSERT INTO alarm (gateway, alarm, state, at) VALUES (1, 'a', 'active', now());
INSERT INTO poison (topic, reason, detail, bytes, payload) VALUES ('t', 'not_json', 'x', 1, 'x');
INSERT INTO mass_order (id, number, kind, class, bytes, expires, made_by, released_at, released_by)
  VALUES ('o', 1, 'return', 'Exercise', 'x', now(), 'zhou', now(), 'li');
INSERT INTO order_target (id, gateway, ramp, sent) VALUES ('o', 1, 2, 3);
";

/// All values, one row each, as a hash; `{}` is the array of numbers.
const VALUES: &str = "SELECT md5(string_agg(v::text, ' ' ORDER BY v.seq, v.series)) FROM (SELECT m.seq, m.epoch, m.at, \
    u.* FROM message m JOIN shape s ON s.id = m.shape, unnest(s.series, {}, m.dt, m.quality, m.text) \
    AS u (series, value, dt, quality, text)) v";

const OTHERS: &str = "SELECT md5(concat((SELECT string_agg(e::text, ' ') FROM event e), \
    (SELECT string_agg(a::text, ' ') FROM alarm a), (SELECT string_agg(l::text, ' ') FROM latest l), \
    (SELECT string_agg((g.id, g.centre, g.gateway, g.name, g.phone, g.enrolled_at, g.state_at)::text, ' ') \
    FROM gateway g), (SELECT string_agg(p::text, ' ') FROM poison p), \
    (SELECT string_agg(e::text, ' ') FROM epoch e)))";

#[tokio::test]
async fn a_database_of_format_1_keeps_everything_whenever_its_migration_is_killed() -> anyhow::Result<()> {
    let (workspace, mut database) = (Workspace::new()?, Database::start().await?);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../district/src/schema/1.sql");
    let table = "CREATE TABLE format (format int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); \
        INSERT INTO format (format) VALUES (1);";
    database.ask(&format!("{}{table}", std::fs::read_to_string(schema)?)).await?;
    database.ask(&DATA.replace("@DAY@", DAY)).await?;
    let (values, others) =
        (database.ask(&VALUES.replace("{}", "m.value")).await?, database.ask(OTHERS).await?);

    // Somebody reads a table: the migration comes to it and waits, and dies there.
    let reads = "BEGIN; LOCK TABLE message IN ACCESS SHARE MODE; SELECT pg_sleep(600)";
    let mut reader = Command::new("psql")
        .args(["-X", "-d", &database.url(), "-c", reads])
        .stdout(Stdio::null())
        .spawn()?;
    let holds =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND wait_event = 'PgSleep'";
    database.until(holds, PATIENCE, |n| n == 1).await?;
    let config = workspace.path("district.toml");
    let text = format!(
        "[database]\nurl = \"{}\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n",
        database.url(),
        free_port()?
    );
    std::fs::write(&config, text)?;
    let program = binary()?.with_file_name("linli-district");
    let mut migrating = Command::new(program).args(["migrate", "--config"]).arg(&config).spawn()?;
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'message'::regclass";
    database.until(waits, PATIENCE, |n| n == 1).await?;
    migrating.kill().await?;
    reader.kill().await?;
    // The machine goes down too.
    database.crash().await?;
    database.begin().await?;
    ensure!(database.number("SELECT max(format) FROM format").await? == 1);
    ensure!(database.ask("SELECT to_regclass('account') IS NULL").await? == "t", "of format 2 nothing stays");
    ensure!(database.ask(&VALUES.replace("{}", "m.value")).await? == values);

    // Once more, to its end.
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("district"), "one", &database, broker.port).await?;
    ensure!(database.number("SELECT max(format) FROM format").await? == 6);
    let read = VALUES.replace("{}", "numbers(m.value, m.short)");
    ensure!(database.ask(&read).await? == values, "every value of format 1 is there");
    ensure!(database.ask(OTHERS).await? == others);
    ensure!(database.ask("SELECT first_by, second_by, stage FROM mass_order").await? == "zhou|li|2");

    // Old and new rows beside each other, in a trend and packed.
    platform.begin().await?;
    let now = linli_tests::now_ms();
    let fresh =
        format!(r#"{{"epoch":"of-c","seq":2002,"device":"d","samples":[{{"p":"p0","t":{now},"v":23.4}}]}}"#);
    broker.publish("linli/1/c/g/data/d", &fresh, false).await?;
    database.until("SELECT count(*) FROM message WHERE short = '23.4'", PATIENCE, |n| n == 1).await?;
    let path = format!(
        "/api/v1/centres/c/g/trend?device=d&point=p0&from={}&to={}",
        now - 6 * 86_400_000,
        now + 1000
    );
    let before = platform.get(&path)?.1;
    let trend: Vec<serde_json::Value> = serde_json::from_str(&before)?;
    ensure!(trend.len() == 2000 && trend[1999][1] == 23.4 && trend[0][1] == 0.1, "{} values", trend.len());
    let pack = "SELECT count(pack(c.oid::regclass)) FROM pg_class c WHERE relname ~ '^message_[0-9]+$'; \
        DELETE FROM message";
    database.ask(pack).await?;
    ensure!(platform.get(&path)?.1 == before, "packed, the same values are there");
    platform.stop().await
}
