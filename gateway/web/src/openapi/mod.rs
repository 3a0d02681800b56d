//! The OpenAPI document: what programs may ask, what they get, and why they are refused.
//!
//! Methods, paths and permissions are those of the table in `permission`. The schemas come from `schemars`, which also
//! describes the configuration: bodies and queries from the types that the handlers read, answers from types that
//! only describe, because most answers are made by the services as JSON. Tests compare the answers of a real gateway
//! with them.

mod accounts;
mod alarms;
mod building;
mod cabin;
mod cabin_work;
mod food;
mod mode;
mod nodes;
mod operation;
mod outbound;
mod outreach;
mod parameter;
mod record;
mod refusal;
pub(crate) mod schema;
mod technician;

use std::sync::OnceLock;

use axum::Router;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use linli_accounts::rules::role::Role;
use linli_services::VERSION;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::permission::{Needs, Row, TABLE};
use crate::problem::{PROBLEM, Problem};
use operation::{Answer, Body, Operation};

/// The areas: name, English, Chinese.
const TAGS: [(&str, &str, &str); 12] = [
    ("session", "Logging in and out", "登录"),
    ("accounts", "Accounts, screens, sealed codes", "账号与屏幕"),
    ("building", "Devices, values, the whole gateway", "设备与数值"),
    ("alarms", "Alarms and their journal", "报警"),
    ("kiosks", "Kiosks of public administration", "政务终端"),
    ("cabin", "Visits and measurements of the health cabin", "健康小屋"),
    ("food", "The canteen's record", "食堂"),
    ("mode", "The mode switch of rooms", "平急转换"),
    ("nodes", "Sensor nodes", "节点"),
    ("record", "Who did what: every log, chained by hashes", "审计记录"),
    ("demo", "The demonstration only; a real gateway answers 404", "演示"),
    ("document", "This document", "本文档"),
];

const ABOUT: &str = "How to log in by curl, and what to do about each refusal: docs/api.md. Times are Unix milliseconds \
     UTC. Answers may get new members; a client ignores those that it does not know. A request that acts may have an \
     Idempotency-Key: sent again with the same key within the hour, it is done once. Paths of version 1 begin with \
     /api/v1.";

/// Route of the document.
pub fn router() -> Router {
    Router::new().route("/api/openapi.json", get(|| async { answer() }))
}

fn answer() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string());
    ([(CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut writer = Writer { taken: schema::generator(), given: schema::generator() };
    let mut paths = Map::new();
    let operations = operations();
    for row in TABLE.iter().filter(|row| row.path.starts_with("/api/")) {
        let Some(operation) = operations.iter().find(|one| one.method == row.method && one.path == row.path)
        else {
            continue;
        };
        let item = paths.entry(row.path).or_insert_with(|| json!({}));
        item[row.method.as_str().to_lowercase()] = writer.operation(row, operation);
    }
    let used = |tag: &str| operations.iter().any(|one| one.tag == tag);
    let tags: Vec<Value> = TAGS
        .iter()
        .filter(|(name, ..)| used(name))
        .map(|(name, english, chinese)| {
            json!({"name": name, "description": english, "x-description-zh": chinese})
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "linli", "version": VERSION, "description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": writer.components(),
    })
}

fn operations() -> Vec<Operation> {
    let areas = [
        building::operations(),
        accounts::operations(),
        alarms::operations(),
        cabin::operations(),
        outbound::operations(),
        cabin_work::operations(),
        outreach::operations(),
        food::operations(),
        mode::operations(),
        nodes::operations(),
        record::operations(),
        technician::operations(),
    ];
    areas.into_iter().flatten().collect()
}

/// Writes the operations. What is taken and what is given have schemas of their own: in what is given, a member that
/// may be missing is never null.
struct Writer {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

// === impl Writer ===

impl Writer {
    fn operation(&mut self, row: &Row, operation: &Operation) -> Value {
        let (english, chinese) = operation.summary;
        let parameters = parameter::all(operation, &mut self.taken);
        let mut responses = Map::new();
        let answer = self.answer(&operation.answer);
        responses.insert(operation.answer.status.to_string(), answer);
        for status in refusal::of(row, operation, !parameters.is_empty()) {
            responses.insert(
                status.to_string(),
                json!({"$ref": format!("#/components/responses/{}", refusal::name(status))}),
            );
        }
        let mut written = json!({
            "operationId": id(row), "tags": [operation.tag], "summary": english, "x-summary-zh": chinese,
            "responses": responses,
        });
        if !operation.about.is_empty() {
            written["description"] = json!(operation.about);
        }
        if !parameters.is_empty() {
            written["parameters"] = parameters.into();
        }
        if let Some(body) = &operation.body {
            written["requestBody"] = self.body(body);
        }
        match row.needs {
            Needs::Nothing => written["security"] = json!([]),
            Needs::Allowed(permission) => {
                let is_for_screens = permission.roles().contains(&Role::Screen);
                let ways = ["session", "token", "screen"];
                let ways = ways.iter().filter(|way| **way != "screen" || is_for_screens);
                written["security"] = ways.map(|way| json!({*way: []})).collect();
                written["x-permission"] = json!(permission);
                written["x-roles"] = json!(permission.roles());
            }
        }
        written
    }

    fn body(&mut self, body: &Body) -> Value {
        let schema = body.schema.map_or_else(|| json!({}), |of| of(&mut self.taken).to_value());
        let content = content(body.kinds, &schema);
        json!({"required": !body.is_optional, "content": content})
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let about = match answer.status {
            201 => "It is made.",
            204 => "It is done.",
            _ => "The answer.",
        };
        let mut written = json!({"description": about});
        if !answer.kinds.is_empty() {
            let schema = answer.schema.map_or_else(|| json!({}), |of| of(&mut self.given).to_value());
            written["content"] = content(answer.kinds, &schema);
        }
        if answer.sets_cookie {
            let about = "The token of the log-in, or of the screen: HttpOnly, SameSite=Strict";
            written["headers"] = json!({"Set-Cookie": {"description": about, "schema": {"type": "string"}}});
        }
        if answer.is_page {
            let about = "The address of the next page with rel=\"next\" (RFC 8288); missing on the last one";
            written["headers"] = json!({"Link": {"description": about, "schema": {"type": "string"}}});
        }
        written
    }

    fn components(mut self) -> Value {
        let problem = self.given.subschema_for::<Problem>().to_value();
        let mut schemas = Value::Object(self.given.take_definitions(true));
        schema::as_answered(&mut schemas);
        let mut taken = Value::Object(self.taken.take_definitions(true));
        schema::with_limits(&mut taken);
        if let (Value::Object(schemas), Value::Object(taken)) = (&mut schemas, taken) {
            schemas.extend(taken);
        }
        json!({
            "schemas": schemas,
            "responses": refusal::responses(&content(&[PROBLEM], &problem)),
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "linli-session",
                    "description": "A log-in: POST /api/v1/session. With TLS the cookie is named __Host-linli.",
                },
                "screen": {
                    "type": "apiKey", "in": "cookie", "name": "linli-screen",
                    "description": "An enrolled screen: POST /api/v1/session/screen. With TLS the cookie is named __Host-linli-screen.",
                },
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "A program: the token of a [[worker]] of gateway.toml.",
                },
            },
        })
    }
}

fn content(kinds: &[&str], schema: &Value) -> Value {
    let kinds: Map<String, Value> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!({"schema": schema}))).collect();
    kinds.into()
}

/// The name of an operation, for programs that are made from the document: `get_devices_device`.
fn id(row: &Row) -> String {
    let path = row.path.trim_start_matches("/api/").trim_start_matches("v1/");
    let words = path.split(['/', '-', '.']).map(|word| word.trim_matches(['{', '}']));
    let method = if row.method == Method::GET { "get" } else { &row.method.as_str().to_lowercase() };
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests;
