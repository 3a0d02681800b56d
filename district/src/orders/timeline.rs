//! The course of a mass order in time: how many gateways it was sent to, have answered, are ready, were rung, and what
//! people did. The report has it as numbers, the screens and the PDF draw it.

use serde_json::{Value, json};

/// Curves, in the order in which they are drawn and told.
pub const CURVES: [&str; 4] = ["sent", "answered", "ready", "called"];

/// The course of an order with its events. `now` is its end while it goes on.
#[must_use]
pub fn timeline(order: &Value, events: &[Value], now: i64) -> Value {
    let gateways = order["gateways"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |key: &str| gateways.iter().filter_map(|gateway| gateway[key].as_i64()).collect::<Vec<i64>>();
    let ready = ready(events);
    let curves = [of("first_sent_at"), of("answered_at"), ready, of("called_at")].map(steps);
    let acts: Vec<&Value> = events
        .iter()
        .filter(|event| {
            event["account"].is_string() && event["what"] != "called" && event["what"] != "uncalled"
        })
        .collect();
    let times = events.iter().filter_map(|event| event["at"].as_i64());
    let begins = times.clone().min().unwrap_or(now);
    // Before the first release people only look: the drawing begins with the last approval.
    let released =
        acts.iter().filter(|act| act["what"] == "released").filter_map(|act| act["at"].as_i64()).min();
    let from = released.map_or(begins, |at| {
        let approved =
            acts.iter().filter(|act| act["what"] == "approved").filter_map(|act| act["at"].as_i64());
        approved.filter(|approval| *approval <= at && at - approval < 600_000).min().unwrap_or(at)
    });
    let is_over = ["stopped", "expired"].iter().any(|state| order["state"] == *state)
        || order["sums"]["answered"] == order["sums"]["gateways"];
    let last = curves.iter().flatten().map(|(at, _)| *at).chain(times).max().unwrap_or(now);
    let to = if is_over { last } else { last.max(now) };
    let mut told = json!({"from": from, "to": to.max(from + 1000), "gateways": gateways.len(), "acts": acts});
    for (name, curve) in CURVES.iter().zip(&curves) {
        told[*name] = json!(curve);
    }
    told
}

/// When each gateway first had a room ready.
fn ready(events: &[Value]) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    let stages = events.iter().filter(|event| event["what"] == "stage" && event["stage"] == "ready");
    stages
        .filter(|event| seen.insert((event["centre"].as_str(), event["gateway"].as_str())))
        .filter_map(|event| event["at"].as_i64())
        .collect()
}

/// Times and how many there were by then.
fn steps(mut times: Vec<i64>) -> Vec<(i64, usize)> {
    times.sort_unstable();
    let mut steps: Vec<(i64, usize)> = Vec::new();
    for (at, count) in times.into_iter().zip(1..) {
        match steps.last_mut() {
            Some(last) if last.0 == at => last.1 = count,
            _ => steps.push((at, count)),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_curve_counts_gateways_once() {
        let gateway = |sent: i64, answered: Option<i64>| json!({"first_sent_at": sent, "answered_at": answered, "called_at": null});
        let order = json!({"state": "released", "sums": {"gateways": 3, "answered": 2},
            "gateways": [gateway(100, Some(110)), gateway(100, None), gateway(200, Some(230))]});
        let act = |at: i64, what: &str| json!({"at": at, "what": what, "account": "chen"});
        let stage = |at: i64, centre: &str| json!({"at": at, "what": "stage", "stage": "ready", "centre": centre, "gateway": "gw"});
        let events = [
            act(1, "prepared"),
            act(90, "approved"),
            act(100, "released"),
            stage(300, "a"),
            stage(310, "a"),
            stage(320, "b"),
        ];
        let told = timeline(&order, &events, 1000);
        assert_eq!(told["sent"], json!([[100, 2], [200, 3]]));
        assert_eq!(told["answered"], json!([[110, 1], [230, 2]]));
        assert_eq!(told["ready"], json!([[300, 1], [320, 2]]));
        assert_eq!(told["called"], json!([]));
        assert_eq!(
            (&told["from"], &told["to"]),
            (&json!(90), &json!(1090)),
            "it goes on, for a second at least"
        );
        assert_eq!(told["acts"].as_array().unwrap().len(), 3);
    }
}
