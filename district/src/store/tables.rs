//! The other tables of a batch. Rows are changed in the order of their keys, so that no two copies wait for each other.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sqlx::{Postgres, Transaction};

use super::{Content, Numbered, POISON_BYTES, Poison, Sample};
use crate::wire::{Meta, Status};

type Tx<'a, 'b> = &'a mut Transaction<'b, Postgres>;

/// The newest value of each series.
pub async fn latest(tx: Tx<'_, '_>, fresh: &[&Numbered]) -> Result<(), sqlx::Error> {
    let mut newest: BTreeMap<i32, &Sample> = BTreeMap::new();
    for message in fresh {
        let Content::Samples(samples) = &message.content else { continue };
        for sample in &samples.samples {
            let slot = newest.entry(sample.series).or_insert(sample);
            if sample.at >= slot.at {
                *slot = sample;
            }
        }
    }
    if newest.is_empty() {
        return Ok(());
    }
    let samples = || newest.values();
    sqlx::query(
        "INSERT INTO latest AS l (series, at, value, quality, text) \
         SELECT s, to_timestamp(t / 1000.0), v, q, x \
         FROM unnest($1::int4[], $2::int8[], $3::float8[], $4::int2[], $5::text[]) AS u (s, t, v, q, x) \
         ON CONFLICT (series) DO UPDATE SET at = excluded.at, value = excluded.value, quality = excluded.quality, \
         text = excluded.text WHERE excluded.at >= l.at",
    )
    .bind(newest.keys().copied().collect::<Vec<i32>>())
    .bind(samples().map(|s| s.at).collect::<Vec<i64>>())
    .bind(samples().map(|s| (!s.value.is_nan()).then_some(s.value)).collect::<Vec<Option<f64>>>())
    .bind(samples().map(|s| s.quality).collect::<Vec<i16>>())
    .bind(samples().map(|s| s.text.clone()).collect::<Vec<Option<String>>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Events, and what follows from them: alarms, rooms, devices, numbers that will never come, answers to orders.
pub async fn events(tx: Tx<'_, '_>, fresh: &[&Numbered]) -> Result<(), sqlx::Error> {
    let mut events: Vec<(i32, i32, i64, i64, &str, &Json)> = Vec::new();
    for message in fresh {
        if let Content::Event { at, kind, body } = &message.content {
            events.push((message.gateway, message.epoch, message.seq, *at, kind, body));
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    // Of two events of one alarm the later decides.
    events.sort_by_key(|(gateway, _, seq, at, ..)| (*gateway, *at, *seq));
    sqlx::query(
        "INSERT INTO event (at, seq, epoch, gateway, kind, body) SELECT to_timestamp(t / 1000.0), s, e, g, k, b::jsonb \
         FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::text[], $6::text[]) AS u (t, s, e, g, k, b)",
    )
    .bind(events.iter().map(|e| e.3).collect::<Vec<i64>>())
    .bind(events.iter().map(|e| e.2).collect::<Vec<i64>>())
    .bind(events.iter().map(|e| e.1).collect::<Vec<i32>>())
    .bind(events.iter().map(|e| e.0).collect::<Vec<i32>>())
    .bind(events.iter().map(|e| e.4.to_owned()).collect::<Vec<String>>())
    .bind(events.iter().map(|e| e.5.to_string()).collect::<Vec<String>>())
    .execute(&mut **tx)
    .await?;
    for (gateway, _, _, at, kind, body) in events {
        match kind {
            "event/alarm" if body["test"] != true => alarm(tx, gateway, at, body).await?,
            "event/mode" if body["kind"] == "room" => room(tx, gateway, at, body).await?,
            "event/device" => device(tx, gateway, at, body).await?,
            "event/ledger" => ledger(tx, gateway, body).await?,
            "event/order" => answer(tx, gateway, body).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn alarm(tx: Tx<'_, '_>, gateway: i32, at: i64, body: &Json) -> Result<(), sqlx::Error> {
    let (Some(alarm), Some(state)) = (body["alarm"].as_str(), body["to"].as_str()) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO alarm AS a (gateway, alarm, state, priority, device, text, at) \
         VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0)) ON CONFLICT (gateway, alarm) DO UPDATE SET \
         state = excluded.state, priority = excluded.priority, device = excluded.device, text = excluded.text, \
         at = excluded.at WHERE excluded.at >= a.at",
    )
    .bind(gateway)
    .bind(alarm)
    .bind(state)
    .bind(body["priority"].as_str())
    .bind(body["device"].as_str())
    .bind(body["text"].as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn room(tx: Tx<'_, '_>, gateway: i32, at: i64, body: &Json) -> Result<(), sqlx::Error> {
    let Some(room) = body["room"].as_str() else { return Ok(()) };
    sqlx::query(
        "INSERT INTO room AS r (gateway, room, stage, role, class, text, \"order\", at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8 / 1000.0)) ON CONFLICT (gateway, room) DO UPDATE SET \
         stage = excluded.stage, role = excluded.role, class = excluded.class, text = excluded.text, \
         \"order\" = excluded.\"order\", at = excluded.at WHERE excluded.at >= r.at",
    )
    .bind(gateway)
    .bind(room)
    .bind(body["stage"].as_str())
    .bind(body["role"].as_str())
    .bind(body["class"].as_str())
    .bind(body["text"].as_str())
    .bind(body["order"].as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn device(tx: Tx<'_, '_>, gateway: i32, at: i64, body: &Json) -> Result<(), sqlx::Error> {
    let state = body["state"].as_str().unwrap_or_default();
    let (Some(device), true) = (body["device"].as_str(), ["online", "offline"].contains(&state)) else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO device AS d (gateway, device, online, reason, state_at) \
         VALUES ($1, $2, $3, $4, to_timestamp($5 / 1000.0)) ON CONFLICT (gateway, device) DO UPDATE SET \
         online = excluded.online, reason = excluded.reason, state_at = excluded.state_at \
         WHERE d.state_at IS NULL OR excluded.state_at >= d.state_at",
    )
    .bind(gateway)
    .bind(device)
    .bind(state == "online")
    .bind(body["reason"].as_str())
    .bind(at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Numbers that the gateway names as lost for good. Those of the range that did arrive are no loss.
async fn ledger(tx: Tx<'_, '_>, gateway: i32, body: &Json) -> Result<(), sqlx::Error> {
    let (first, last) = (body["range"][0].as_i64(), body["range"][1].as_i64());
    let (Some(first), Some(last), Some(epoch)) = (first, last, body["of_epoch"].as_str()) else {
        return Ok(());
    };
    if first < 0 || last < first || last == i64::MAX {
        return Ok(());
    }
    sqlx::query(
        "UPDATE epoch SET gone = gone + int8multirange(int8range($3, $4 + 1)) WHERE gateway = $1 AND epoch = $2",
    )
    .bind(gateway)
    .bind(epoch)
    .bind(first)
    .bind(last)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A centre answers an order. `repeated` says nothing new; another answer may follow a quarantine.
async fn answer(tx: Tx<'_, '_>, gateway: i32, body: &Json) -> Result<(), sqlx::Error> {
    let (Some(order), Some(result)) = (body["order"].as_str(), body["result"].as_str()) else {
        return Ok(());
    };
    sqlx::query(
        "UPDATE order_target SET result = $3, reason = $4, answered_at = now(), due = NULL \
         WHERE id = $1 AND gateway = $2 AND NOT ($3 IN ('repeated', 'dropped') AND result IS NOT NULL) \
         AND $3 <> 'dropped'",
    )
    .bind(order)
    .bind(gateway)
    .bind(result)
    .bind(body["reason"].as_str())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// States of gateways; the last of each decides.
pub async fn states(tx: Tx<'_, '_>, states: &[(i32, Status)]) -> Result<(), sqlx::Error> {
    let last: BTreeMap<i32, &Status> = states.iter().map(|(gateway, status)| (*gateway, status)).collect();
    for (gateway, status) in last {
        sqlx::query(
            "UPDATE gateway SET online = $2, mode = $3, version = $4, boot = $5, epoch = $6, record_key = $7, \
             service = $8::jsonb, order_bytes = $9, rooms = $10::jsonb, state_at = now() WHERE id = $1",
        )
        .bind(gateway)
        .bind(status.online)
        .bind(&status.mode)
        .bind(&status.version)
        .bind(&status.boot)
        .bind(&status.epoch)
        .bind(status.record_key.as_deref())
        .bind(status.service.as_ref().map(Json::to_string))
        .bind(status.order_bytes)
        .bind(status.rooms.as_ref().map(|rooms| serde_json::json!(rooms).to_string()))
        .execute(&mut **tx)
        .await?;
        // A gateway of before tells neither.
        if status.rooms.is_some() {
            rooms(tx, gateway, status.switches.as_deref().unwrap_or_default(), &status.mode).await?;
        }
    }
    Ok(())
}

/// The rooms that a gateway's mode switch can change. Whatever an event said of a room is newer than what is concluded
/// from the mode of the whole; one that is no longer there is forgotten, unless it was left in the middle.
async fn rooms(tx: Tx<'_, '_>, gateway: i32, switches: &[String], mode: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO room AS r (gateway, room, stage, at) SELECT $1, x, CASE $3 WHEN 'peace' THEN 'peace' END, \
         to_timestamp(0) FROM unnest($2::text[]) x ORDER BY x ON CONFLICT (gateway, room) DO UPDATE SET \
         stage = excluded.stage WHERE r.at = to_timestamp(0) AND r.stage IS DISTINCT FROM excluded.stage",
    )
    .bind(gateway)
    .bind(switches)
    .bind(mode)
    .execute(&mut **tx)
    .await?;
    sqlx::query("DELETE FROM room WHERE gateway = $1 AND stage = 'peace' AND NOT room = ANY($2)")
        .bind(gateway)
        .bind(switches)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Descriptions of devices; the last of each decides.
pub async fn metas(tx: Tx<'_, '_>, metas: &[(i32, Option<Meta>)]) -> Result<(), sqlx::Error> {
    let last: BTreeMap<i32, &Option<Meta>> = metas.iter().map(|(device, meta)| (*device, meta)).collect();
    for (device, meta) in last {
        let Some(meta) = meta else {
            let gone =
                sqlx::query("UPDATE device SET removed_at = now() WHERE id = $1 AND removed_at IS NULL");
            gone.bind(device).execute(&mut **tx).await?;
            continue;
        };
        sqlx::query(
            "UPDATE device SET name = $2, room = $3, class = $4, profile = $5, points = $6::jsonb, removed_at = NULL \
             WHERE id = $1 AND (name, room, class, profile, points, removed_at) IS DISTINCT FROM \
             ($2, $3, $4, $5, $6::jsonb, NULL)",
        )
        .bind(device)
        .bind(&meta.name)
        .bind(meta.room.as_deref())
        .bind(&meta.class)
        .bind(meta.profile.as_deref())
        .bind(meta.points.to_string())
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// What is put aside.
pub async fn poison(tx: Tx<'_, '_>, poison: &[Poison]) -> Result<(), sqlx::Error> {
    for Poison { topic, unfit, payload } in poison {
        let kept = &payload[..payload.len().min(POISON_BYTES)];
        sqlx::query("INSERT INTO poison (topic, reason, detail, bytes, payload) VALUES ($1, $2, $3, $4, $5)")
            .bind(topic.replace('\0', "\u{fffd}"))
            .bind(unfit.reason)
            .bind(unfit.detail.replace('\0', "\u{fffd}"))
            .bind(i32::try_from(payload.len()).unwrap_or(i32::MAX))
            .bind(kept)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
