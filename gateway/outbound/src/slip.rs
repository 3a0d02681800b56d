//! Makes the result slip of a visit: reads it with an entry in the record, and sets it in the fonts of this machine.

use std::path::PathBuf;
use std::sync::Arc;

use linli_cabin::AuditedReader;
use linli_config::settings::slip::SlipSettings;
use linli_domain::Timestamp;
use linli_domain::timezone::Zone;
use linli_domain::visit::{CriticalAnswer, CriticalDecision, Naming, Paper};
use linli_reports::slip::{FontFile, NoSlip, Referred, Slip};
use linli_services::ServiceError;
use serde_json::Value;
use tokio::sync::watch;

/// Largest font file, in bytes: Noto Sans CJK with all its faces has 19 MiB, Hanazono Mincho 30.
const LARGEST_FONT: u64 = 64 << 20;

/// Which slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlipOrder {
    /// Id of the visit.
    pub visit: String,
    /// The paper.
    pub paper: Paper,
    /// How the resident is named.
    pub naming: Naming,
}

/// Makes slips.
#[derive(Clone)]
pub struct SlipMaker {
    /// Reads visits, with an entry in the record for each.
    pub reader: AuditedReader,
    /// Fonts and paper of the present configuration.
    pub settings: watch::Receiver<Arc<SlipSettings>>,
    /// Name of the centre.
    pub centre: String,
    /// Time zone of the centre.
    pub zone: Zone,
}

// === impl SlipMaker ===

impl SlipMaker {
    /// The paper that the configuration names.
    #[must_use]
    pub fn paper(&self) -> Paper {
        self.settings.borrow().paper
    }

    /// The slip as PDF. The record says who had it made, and whether it names the resident.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] without such a visit; [`ServiceError::Conflict`] when it cannot be set: no font has a
    /// character, or there is none. The text says what to install.
    pub async fn pdf(&self, who: &str, order: &SlipOrder) -> Result<Vec<u8>, ServiceError> {
        let view = self.reader.visit(who, &order.visit, order.naming == Naming::Full).await?;
        let detail = format!("paper {}, name {}", order.paper.as_str(), order.naming.as_str());
        self.reader.note(who, "slip.make", &order.visit, &detail).await?;
        let (limits, now) = (self.reader.settings.borrow().limits, self.reader.clock.now().at);
        let versions = view.measurements.unwrap_or_default();
        let summary = view.summary.unwrap_or(Value::Null);
        let visit = (view.visit.room.as_str(), view.visit.code.as_deref(), view.visit.opened);
        let mut slip = Slip::of(visit, (&summary, &versions), &limits, (&self.centre, &self.zone, now));
        slip.name = match order.naming {
            Naming::None => None,
            Naming::Masked => view.name,
            Naming::Full => view.identity.map(|identity| identity.name),
        };
        let (fonts, paper) = (self.settings.borrow().fonts.clone(), order.paper);
        let set = tokio::task::spawn_blocking(move || set(&slip, paper, &fonts)).await;
        set.map_err(|error| ServiceError::NotNow(error.to_string()))?
    }

    /// The referral note of a visit as PDF: a slip with the critical values that were answered with a referral, and with the
    /// resident's name, where there is one. The record says who had it made.
    ///
    /// # Errors
    /// As [`Self::pdf`]; [`ServiceError::Conflict`] when nobody was referred.
    pub async fn referral(&self, who: &str, visit: &str, paper: Paper) -> Result<Vec<u8>, ServiceError> {
        let stored = self.reader.store.visit(visit).await?;
        let is_named = stored.is_some_and(|visit| visit.pseudonym.is_some());
        let view = self.reader.visit(who, visit, is_named).await?;
        let is_referral = |answer: &CriticalAnswer| answer.decision == CriticalDecision::Refer;
        let referred = view.critical.iter().filter_map(|critical| {
            let answer = critical.answer.as_ref().filter(|answer| is_referral(answer))?;
            let referred = Referred {
                quantity: critical.quantity,
                value: answer.read_back.clone(),
                is_high: critical.is_high,
                limit: critical.limit,
                source: critical.source,
                by: answer.by.clone(),
                at: String::new(),
            };
            Some((answer.at, referred))
        });
        let referred: Vec<(Timestamp, Referred)> = referred.collect();
        if referred.is_empty() {
            return Err(ServiceError::Conflict(
                "no critical value of this visit was answered with a referral (本次就诊没有转诊的危急值)"
                    .to_owned(),
            ));
        }
        let detail = format!("paper {}", paper.as_str());
        self.reader.note(who, "referral.make", visit, &detail).await?;
        let (limits, now) = (self.reader.settings.borrow().limits, self.reader.clock.now().at);
        let versions = view.measurements.unwrap_or_default();
        let summary = view.summary.unwrap_or(Value::Null);
        let about = (view.visit.room.as_str(), view.visit.code.as_deref(), view.visit.opened);
        let mut slip = Slip::of(about, (&summary, &versions), &limits, (&self.centre, &self.zone, now));
        slip.name = view.identity.map(|identity| identity.name);
        for (at, referred) in referred {
            slip.refer(at, &self.zone, referred);
        }
        let fonts = self.settings.borrow().fonts.clone();
        let set = tokio::task::spawn_blocking(move || set(&slip, paper, &fonts)).await;
        set.map_err(|error| ServiceError::NotNow(error.to_string()))?
    }

    /// Everything measured of a resident, visit after visit, as CSV. The record says so first.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] without a visit of that resident.
    pub async fn values_of(&self, who: &str, pseudonym: &str) -> Result<String, ServiceError> {
        let visits = self.reader.store.visits_of(pseudonym).await?;
        if visits.is_empty() {
            return Err(ServiceError::Unknown(format!("there is no visit of a resident {pseudonym}")));
        }
        let mut measured = Vec::new();
        for visit in visits {
            for version in self.reader.store.measured_during(&visit.id).await? {
                measured.push((Some(visit.clone()), version));
            }
        }
        let detail = format!("{} measurements", measured.len());
        self.reader.note(who, "export.csv", pseudonym, &detail).await?;
        let limits = self.reader.settings.borrow().limits;
        Ok(linli_reports::csv(&measured, self.zone.name(), &limits))
    }
}

/// Sets a slip in the first fonts that suffice: those for rare characters are large, and seldom needed.
fn set(slip: &Slip, paper: Paper, paths: &[PathBuf]) -> Result<Vec<u8>, ServiceError> {
    let there: Vec<&PathBuf> = paths.iter().filter(|path| path.is_file()).collect();
    if there.is_empty() {
        return Err(ServiceError::Conflict(
            "there is no font for Chinese here: install the packages fonts-noto-cjk and fonts-hanazono, or name font \
             files as fonts in [slip] of gateway.toml （请安装中文字体）"
                .to_owned(),
        ));
    }
    let mut fonts = Vec::new();
    let mut missing = NoSlip::Code;
    for path in there {
        fonts.push(font(path)?);
        match slip.pdf(paper, &fonts) {
            Ok(pdf) => return Ok(pdf),
            Err(error @ NoSlip::Characters(_)) => missing = error,
            Err(error) => return Err(ServiceError::Conflict(error.to_string())),
        }
    }
    Err(ServiceError::Conflict(format!(
        "{missing}: install the package fonts-hanazono, or name a font that has them in fonts of [slip]; the slip \
         without a name needs none （生僻字缺字体）"
    )))
}

fn font(path: &PathBuf) -> Result<FontFile, ServiceError> {
    let fail = |why: String| ServiceError::Conflict(format!("{}: {why}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if length > LARGEST_FONT {
        return Err(fail(format!("a font of {length} bytes is too large")));
    }
    let data = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    Ok(FontFile { name: path.display().to_string(), data })
}
