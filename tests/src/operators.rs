//! People of a simulated centre, who carry out the tasks of the plans.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::gateway::Gateway;
use crate::room::{Room, room, rooms};

/// Interval at which they check for tasks.
const LOOK: Duration = Duration::from_millis(100);

/// The simulated people, and their decisions.
pub struct Operators {
    /// Whether they resume a held room.
    pub resumes: bool,
    /// Whether they retry a step that is stuck.
    pub retries: bool,
}

// === impl Crew ===

impl Operators {
    /// Works until every room with an order is at one of these stages, or for that long; gives what the reading
    /// room was like in the end.
    pub async fn work(
        &self,
        gateway: &Gateway,
        place: &mut Room,
        stages: &[&str],
        patience: Duration,
    ) -> anyhow::Result<Value> {
        let began = Instant::now();
        loop {
            // A gateway that was killed in the middle does not answer; whoever asked asks again.
            if let Ok(all) = rooms(gateway) {
                let ordered: Vec<&Value> = all.iter().filter(|room| !room["plan"].is_null()).collect();
                let is_there = |room: &&Value| stages.iter().any(|stage| room["stage"] == *stage);
                if !ordered.is_empty() && ordered.iter().all(is_there) {
                    return room(gateway);
                }
                for shown in ordered {
                    self.turn(gateway, place, 4, shown).await?;
                }
            }
            if began.elapsed() > patience {
                return room(gateway);
            }
            sleep(LOOK).await;
        }
    }

    /// Does what is asked now in the reading room that is this unit; gives how the room was before.
    pub async fn attend(&self, gateway: &Gateway, place: &mut Room, unit: u8) -> anyhow::Result<Value> {
        let shown = room(gateway)?;
        if !shown["plan"].is_null() {
            self.turn(gateway, place, unit, &shown).await?;
        }
        Ok(shown)
    }

    async fn turn(&self, gateway: &Gateway, place: &mut Room, unit: u8, shown: &Value) -> anyhow::Result<()> {
        let name = shown["room"].as_str().unwrap_or_default();
        let action = |action: &str, body: &Value| {
            let _ = gateway.ask("POST", &format!("/api/v1/mode/rooms/{name}/{action}"), body);
        };
        if shown["stage"] == "held" && self.resumes {
            action("resume", &json!({"person": "zhao", "why": "已核实，可以继续"}));
        }
        if shown["stage"] == "preview" && shown["class"] == "Exercise" {
            action("commit", &json!({"person": "zhao"}));
        }
        for asked in shown["steps"].as_array().into_iter().flatten() {
            let Some(id) = asked["step"].as_str() else { continue };
            if asked["state"] == "stuck" && self.retries {
                action("retry", &json!({"person": "zhao", "step": id}));
            }
            if asked["state"] != "asked" {
                continue;
            }
            if id == "sweep" {
                place.set(&format!("{unit}:occupied 0")).await?;
                // The sensor has to be read before anybody swears that the room is empty.
                sleep(LOOK * 4).await;
            }
            let people: &[&str] = if asked["role"] == "site_lead" { &["zhao"] } else { &["qian", "sun"] };
            let count = usize::try_from(asked["count"].as_u64().unwrap_or(1)).unwrap_or(1);
            for person in people.iter().take(count) {
                action("confirm", &json!({"person": person, "step": id}));
            }
        }
        Ok(())
    }
}
