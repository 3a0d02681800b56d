//! Mass orders over HTTP: prepared, seen, approved by two persons, released in stages, reported.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use linli_domain::approval::NotApproved;
use linli_mode::order::{LARGEST, Malformed};

use super::accounts::read;
use super::gate::{From as Address, Who};
use super::reports::{self, Format};
use super::{Problem, State, json};
use crate::accounts::AccountError;
use crate::orders::{self, Confirmation, OrderRefused, Release};

impl From<OrderRefused> for Problem {
    fn from(refused: OrderRefused) -> Self {
        const CONFLICT: StatusCode = StatusCode::CONFLICT;
        const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
        let (status, code, zh) = match &refused {
            OrderRefused::Malformed(Malformed::Large(bytes)) => {
                let zh = format!("指令有 {bytes} 字节，最长 {LARGEST}；请按中心分成几份，分别签名后再导入");
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", zh)
            }
            OrderRefused::Malformed(_) | OrderRefused::Text(_) => {
                (UNPROCESSABLE, "malformed", "这不是签名的指令".to_owned())
            }
            OrderRefused::NotInOrder(centre) => {
                (UNPROCESSABLE, "not_in_order", format!("指令没有写中心 {centre}"))
            }
            OrderRefused::Expired => (CONFLICT, "expired", "指令已过期".to_owned()),
            OrderRefused::Nobody(_) => (CONFLICT, "nobody", "指令中的中心都没有登记".to_owned()),
            OrderRefused::Known(id) => (CONFLICT, "known", format!("指令 {id} 已经准备过")),
            OrderRefused::Unknown(id) => (StatusCode::NOT_FOUND, "order", format!("没有指令 {id}")),
            OrderRefused::NotSent(of) => (StatusCode::NOT_FOUND, "not_sent", format!("指令没有发给 {of}")),
            OrderRefused::Changed => (CONFLICT, "changed", "所见与现在的预览不同，请重新查看".to_owned()),
            OrderRefused::OldPreview => {
                (CONFLICT, "old_preview", "预览已超过 10 分钟，请重新查看".to_owned())
            }
            OrderRefused::NotYet => (CONFLICT, "not_approved", "尚未经两人批准".to_owned()),
            OrderRefused::Stage { next, .. } => (CONFLICT, "stage", format!("下一批是第 {next} 批")),
            OrderRefused::Typed { count, of, .. } => {
                (UNPROCESSABLE, "typed", format!("输入不符：共 {count} 台网关，类别 {of}"))
            }
            OrderRefused::Stopped => (CONFLICT, "stopped", "指令已停发".to_owned()),
            OrderRefused::Complete => (CONFLICT, "complete", "已批准，或各批都已放行".to_owned()),
            OrderRefused::NotApproved(why) => return not_approved(*why),
            OrderRefused::Database(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "database", "数据库没有应答，请稍后再试".to_owned())
            }
        };
        Self::new(status, zh, refused.to_string()).code(code)
    }
}

fn not_approved(why: NotApproved) -> Problem {
    let (status, code, zh, en) = match why {
        NotApproved::SameAccount => (
            StatusCode::FORBIDDEN,
            "same_person",
            "须由另一人批准",
            "another person approves it: two accounts",
        ),
        NotApproved::SameSession => (
            StatusCode::FORBIDDEN,
            "same_session",
            "须在另一会话中批准",
            "the second person approves it in a session of their own",
        ),
        NotApproved::NoPerson | NotApproved::NotRenewed => {
            (StatusCode::FORBIDDEN, "wrong_password", "须重新输入口令", "enter your password again")
        }
        NotApproved::Late => (
            StatusCode::CONFLICT,
            "late",
            "第一人的批准已超过 2 分钟；现在您是第一人，请另一人批准",
            "the first approval is more than 2 minutes old; yours is now the first, and another person approves",
        ),
        NotApproved::Changed => (
            StatusCode::CONFLICT,
            "changed",
            "所见与现在的预览不同，请重新查看",
            "the preview has changed; look at it again",
        ),
    };
    Problem::new(status, zh, en).code(code)
}

/// Every order.
pub async fn list(Shared(state): Shared<State>) -> Result<Response, Problem> {
    Ok(json(orders::list(&state.pool).await?))
}

/// One order.
pub async fn one(Shared(state): Shared<State>, Path(id): Path<String>) -> Result<Response, Problem> {
    shown(&state, &id).await
}

async fn shown(state: &State, id: &str) -> Result<Response, Problem> {
    let order = orders::one(&state.pool, id).await?;
    order.map(|order| json(order.to_string())).ok_or_else(|| OrderRefused::Unknown(id.to_owned()).into())
}

/// The body that prepares an order.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Prepare {
    order: String,
    centres: Option<Vec<String>>,
}

/// Prepares an order.
pub async fn prepare(
    Shared(state): Shared<State>,
    Who(person): Who,
    body: Bytes,
) -> Result<Response, Problem> {
    let Prepare { order, centres } = read(&body, "需要 order（指令全文或 base64）")?;
    let (payload, by) = (order.as_bytes(), person.account.as_str());
    let id = orders::prepare(&state.pool, payload, centres.as_deref(), by).await?;
    tracing::info!(id, by, "mass order prepared");
    shown(&state, &id).await
}

/// Looks anew at what would stop each centre.
pub async fn preview(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    orders::look(&state.pool, &id, person.account.as_str()).await?;
    shown(&state, &id).await
}

/// Approves an order, as one of two persons.
pub async fn approve(
    Shared(state): Shared<State>,
    Who(person): Who,
    Address(from): Address,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let confirmation: Confirmation = read(&body, "需要 seen、password；第二人另需 count、class")?;
    let renewed = state.log_ins.renew(&state.pool, &person, confirmation.password.clone(), &from).await;
    match renewed {
        Err(AccountError::Wrong) => {
            let en = "the password is not right";
            return Err(Problem::new(StatusCode::FORBIDDEN, "口令不对", en).code("wrong_password"));
        }
        other => other?,
    }
    let is_second = orders::approve(&state.pool, &id, &confirmation, &person).await?;
    tracing::info!(id, is_second, by = person.account.as_str(), "mass order approved");
    shown(&state, &id).await
}

/// Releases the next stage.
pub async fn release(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked: Release = read(&body, "需要 stage、count、class")?;
    let stage = orders::release(&state.pool, &id, &asked, person.account.as_str()).await?;
    tracing::info!(id, stage, by = person.account.as_str(), "mass order released");
    shown(&state, &id).await
}

/// Sends no more of it.
pub async fn stop(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    orders::stop(&state.pool, &id, person.account.as_str()).await?;
    tracing::info!(id, by = person.account.as_str(), "mass order stopped");
    shown(&state, &id).await
}

/// Who was rung.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    centre: String,
    gateway: String,
    called: bool,
}

/// Keeps that a silent gateway's people were rung, or were not after all.
pub async fn called(
    Shared(state): Shared<State>,
    Who(person): Who,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let Called { centre, gateway, called } = read(&body, "需要 centre、gateway、called")?;
    orders::called(&state.pool, &id, (&centre, &gateway), called, person.account.as_str()).await?;
    shown(&state, &id).await
}

/// All that happened to it.
pub async fn report(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
    Query(format): Query<Format>,
) -> Result<Response, Problem> {
    let report = orders::report(&state.pool, &id).await?.ok_or(OrderRefused::Unknown(id))?;
    let course = reports::course(&report);
    reports::answer_drawn(&format, &report, reports::order, Some(&course))
}
