//! A drill of the demonstration, begun by a click: the head of the centre and the deputy sign it with their drill keys,
//! and each confirms its code with a log-in of their own, as they would.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use linli_domain::caller::Caller;
use linli_drivers::Clock;
use linli_mode::Class;
use linli_mode::order::{Authority, Envelope, Kind, Order, PlanHash, SecretKey, Series, Target, sign};
use linli_services::ServiceError;
use linli_services::client::ServiceClient;
use linli_services::mode::RequestedAction;
use linli_services::random::random;
use serde_json::Value;

/// The plan: the hall becomes the command room, for which nobody has to leave it.
const PLAN: &str = "hall.command@1";

/// The accounts of those who sign and confirm.
pub const SIGNERS: [&str; 2] = ["chen", "deng"];

/// Orders drills.
pub struct DrillOrders {
    /// Directory of the configuration, where the keys lie.
    pub config: PathBuf,
    /// Clock of the gateway.
    pub clock: Arc<dyn Clock>,
    /// The mode service.
    pub mode: ServiceClient<RequestedAction, Value>,
}

// === impl DrillOrders ===

impl DrillOrders {
    /// The signed order.
    pub async fn sign(&self, caller: &Caller) -> anyhow::Result<Envelope> {
        let config = linli_config::load(&self.config)?;
        let plan = config.plans.iter().find(|plan| plan.resolved.plan.is_named(PLAN));
        let plan = plan.with_context(|| format!("there is no plan {PLAN}"))?;
        let shown = self.mode.ask(caller, RequestedAction::Status).await?;
        let series = Series { authority: Authority::Local, class: Class::Exercise };
        let last = shown["numbers"][series.to_string()].as_u64().unwrap_or_default();
        let (now, plans) = (self.clock.now().at, vec![PlanHash { plan: PLAN.to_owned(), hash: plan.hash }]);
        let target = Target { centre: config.centre.id.clone(), site: None, plans, snapshot: None };
        let what = (Kind::Enter, Class::Exercise);
        let order = Order::on_the_spot(random()?, now, last.saturating_add(1), what, "drill", target);
        let mut envelope = Envelope::of(order);
        for signer in SIGNERS {
            let file = self.config.join(format!("drill-{signer}.key"));
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let key = SecretKey::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", file.display()))?;
            envelope = sign(&envelope, &key);
        }
        Ok(envelope)
    }

    /// Sends the order, or, with a code, confirms it as that caller. Gives why it was not taken; `None` when it waits
    /// for another person, or was taken.
    ///
    /// # Errors
    /// When the mode service cannot answer.
    pub async fn send(
        &self,
        envelope: &Envelope,
        code: Option<String>,
        caller: &Caller,
    ) -> Result<Option<String>, ServiceError> {
        let bytes = if code.is_some() { Vec::new() } else { envelope.bytes() };
        let answer = self.mode.ask(caller, RequestedAction::Order { bytes, code }).await?;
        let is_refused = answer["together"].is_null() && answer["result"] != "quarantined";
        Ok(is_refused.then(|| answer["reason"].as_str().unwrap_or_default().to_owned()))
    }
}
