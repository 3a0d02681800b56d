//! Talks to a printer: whether it takes PDF, a job, what became of it, and what keeps it from printing.

use std::time::Duration;

use linli_config::settings::slip::PrinterAddress;
use linli_domain::visit::Paper;
use linli_drivers::kiosk::ipp::message::{self, Answer, Attributes, Request, Value, values};

use crate::http;

/// Time limit of a request.
const PATIENCE: Duration = Duration::from_secs(15);

const PDF: &str = "application/pdf";

/// Reasons that keep a printer from printing, in English and Chinese (RFC 8011 clause 5.4.12). They count whatever their
/// suffix: printers call an empty tray a warning while they wait for paper.
const REASONS: [(&str, &str, &str); 13] = [
    ("media-empty", "out of paper", "缺纸"),
    ("media-needed", "needs paper of this size", "需要装入此规格纸张"),
    ("media-jam", "paper jam", "卡纸"),
    ("cover-open", "a cover is open", "盖板打开"),
    ("door-open", "a door is open", "门打开"),
    ("input-tray-missing", "the paper tray is missing", "纸盒缺失"),
    ("output-area-full", "the output tray is full", "出纸盒已满"),
    ("toner-empty", "out of toner", "墨粉用尽"),
    ("marker-supply-empty", "out of ink or toner", "耗材用尽"),
    ("paused", "it is paused", "已暂停"),
    ("connecting-to-device", "the queue cannot reach the printer", "打印队列连不上打印机"),
    ("offline", "the printer is offline", "打印机离线"),
    ("shutdown", "it is switched off", "已关机"),
];

/// What a printer says about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It has the job, under this number, and prints it when its turn comes.
    Has(i32),
    /// The job waits, and why; it is tried or looked at again.
    Waits(String),
    /// It is printed.
    Printed,
    /// It was cancelled, here or at the printer.
    Cancelled,
    /// It will not be printed.
    Failed(String),
    /// The printer does not know it.
    NotThere,
}

/// A printer.
#[derive(Debug, Clone)]
pub struct Printer {
    /// Where it is.
    pub address: PrinterAddress,
}

// === impl Printer ===

impl Printer {
    /// Sends a document. Blocks.
    #[must_use]
    pub fn print(&self, name: &str, user: &str, paper: Paper, document: &[u8]) -> Report {
        let printer = match self.about() {
            Ok(printer) => printer,
            Err(report) => return report,
        };
        if let Some(why) = refused(&printer) {
            return Report::Failed(why);
        }
        if printer.all("printer-is-accepting-jobs") == [Value::Boolean(false)] {
            return Report::Waits(format!(
                "the printer takes no jobs now 打印机暂不接收任务{}",
                trouble(&printer)
            ));
        }
        let mut request = self
            .request(message::PRINT_JOB)
            .text(message::NAME, "requesting-user-name", user)
            .text(message::NAME, "job-name", name)
            .text(message::MEDIA_TYPE, "document-format", PDF)
            .of_job();
        // Named only if it has it: others scale the page to what is in their tray.
        let media = "iso_a5_148x210mm";
        let has = |value: &Value| value.word() == Some(media);
        if paper == Paper::A5 && printer.all("media-supported").iter().any(has) {
            request = request.text(message::KEYWORD, "media", media);
        }
        let answer = match self.ask(request, document) {
            Ok(answer) => answer,
            // It may have the job: the next look finds out.
            Err(why) => return Report::Waits(why),
        };
        if answer.status >= message::FIRST_ERROR {
            return refusal(&answer);
        }
        match number(&answer, "job-id") {
            Some(job) => Report::Has(job),
            None => Report::Waits("the printer gave the job no number 打印机未给出任务号".to_owned()),
        }
    }

    /// What became of a job. Blocks.
    #[must_use]
    pub fn look(&self, job: i32) -> Report {
        let wanted = ["job-state", "job-state-reasons", "job-state-message"];
        let request = self.request(message::GET_JOB_ATTRIBUTES).number("job-id", job).wanting(&wanted);
        let answer = match self.ask(request, &[]) {
            Ok(answer) => answer,
            Err(why) => return Report::Waits(why),
        };
        // Printers forget jobs that are over (RFC 8011 clause 5.3.7.2): the last known is that it had it.
        if answer.status == 0x0406 {
            return Report::Failed(
                "the printer no longer knows the job; look whether it was printed 打印机已无此任务记录，请查看是否已打印"
                    .to_owned(),
            );
        }
        if answer.status >= message::FIRST_ERROR {
            return Report::Waits(format!("IPP {:#06x}", answer.status));
        }
        let reasons =
            answer.jobs.first().map(|job| words(values(job, "job-state-reasons"))).unwrap_or_default();
        match number(&answer, "job-state") {
            Some(9) => Report::Printed,
            Some(7) => Report::Cancelled,
            Some(8) => {
                Report::Failed(format!("the printer gave it up 打印机放弃了任务: {}", reasons.join(", ")))
            }
            _ => match self.about() {
                Ok(printer) if !trouble(&printer).is_empty() => {
                    Report::Waits(trouble(&printer).trim_start_matches(": ").to_owned())
                }
                Ok(_) => Report::Has(job),
                Err(report) => report,
            },
        }
    }

    /// Whether the printer has a job of this name: it may have taken it before this process was killed. Blocks.
    #[must_use]
    pub fn find(&self, name: &str, user: &str) -> Report {
        for which in ["not-completed", "completed"] {
            let request = self
                .request(message::GET_JOBS)
                .text(message::NAME, "requesting-user-name", user)
                .text(message::KEYWORD, "which-jobs", which)
                .wanting(&["job-id", "job-name"]);
            let answer = match self.ask(request, &[]) {
                Ok(answer) if answer.status < message::FIRST_ERROR => answer,
                Ok(answer) => return Report::Waits(format!("IPP {:#06x}", answer.status)),
                Err(why) => return Report::Waits(why),
            };
            let is_it =
                |job: &&Attributes| values(job, "job-name").first().and_then(Value::word) == Some(name);
            if let Some(job) = answer.jobs.iter().find(is_it)
                && let Some(number) = values(job, "job-id").first().and_then(Value::number)
            {
                return Report::Has(number);
            }
        }
        Report::NotThere
    }

    /// Cancels a job. Blocks.
    #[must_use]
    pub fn cancel(&self, job: i32, user: &str) -> Report {
        let request = self.request(message::CANCEL_JOB).number("job-id", job).text(
            message::NAME,
            "requesting-user-name",
            user,
        );
        match self.ask(request, &[]) {
            // Not possible: it is over already. Not found: forgotten.
            Ok(answer) if [0x0404, 0x0406].contains(&answer.status) => self.look(job),
            Ok(answer) if answer.status < message::FIRST_ERROR => Report::Cancelled,
            Ok(answer) => Report::Waits(format!("IPP {:#06x}", answer.status)),
            Err(why) => Report::Waits(why),
        }
    }

    fn about(&self) -> Result<Answer, Report> {
        let wanted = [
            "printer-state",
            "printer-state-reasons",
            "printer-is-accepting-jobs",
            "document-format-supported",
            "media-supported",
        ];
        let request = self.request(message::GET_PRINTER_ATTRIBUTES).wanting(&wanted);
        let answer = self.ask(request, &[]).map_err(Report::Waits)?;
        if answer.status >= message::FIRST_ERROR { Err(refusal(&answer)) } else { Ok(answer) }
    }

    fn request(&self, operation: u16) -> Request {
        Request::new(operation, &self.address.uri)
    }

    fn ask(&self, request: Request, document: &[u8]) -> Result<Answer, String> {
        let mut body = request.finish();
        body.extend(document);
        let headers = [("content-type", "application/ipp")];
        let answer = http::post(&self.address.http, self.address.ca.as_deref(), &headers, &body, PATIENCE);
        let answer = answer.map_err(|why| format!("the printer does not answer 打印机无应答: {why}"))?;
        if answer.status != 200 {
            return Err(format!("the printer answers HTTP {} 打印机应答异常", answer.status));
        }
        Answer::parse(&answer.body).map_err(|why| format!("the printer's answer is no IPP: {why}"))
    }
}

/// Why a printer cannot print slips at all: it takes no PDF.
fn refused(printer: &Answer) -> Option<String> {
    let formats = words(printer.all("document-format-supported"));
    if formats.is_empty() || formats.iter().any(|format| format == PDF) {
        return None;
    }
    Some(format!(
        "the printer takes no PDF, only {}; print through a CUPS queue on this machine, which converts \
         打印机不支持 PDF，请经本机 CUPS 队列打印",
        formats.join(", ")
    ))
}

/// A refusal of a request: what may pass is tried again.
fn refusal(answer: &Answer) -> Report {
    let said = answer.message().map(|said| format!(": {said}")).unwrap_or_default();
    let why = format!("IPP {:#06x}{said}", answer.status);
    // 0x0500 and up: errors of the server; 0x0507 busy, 0x0506 not accepting jobs.
    if answer.status >= 0x0500 {
        Report::Waits(format!("the printer refuses it now 打印机暂时拒绝: {why}"))
    } else {
        Report::Failed(format!("the printer refuses it 打印机拒绝: {why}"))
    }
}

fn number(answer: &Answer, name: &str) -> Option<i32> {
    answer.jobs.first().and_then(|job| values(job, name).first()?.number())
}

fn words(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::word).map(str::to_owned).collect()
}

/// What keeps the printer from printing, for people, after `: `; empty if nothing does.
fn trouble(printer: &Answer) -> String {
    let reasons = words(printer.all("printer-state-reasons"));
    described(printer.number("printer-state") == Some(5), &reasons)
}

fn described(is_stopped: bool, reasons: &[String]) -> String {
    let mut found = Vec::new();
    for reason in reasons.iter().filter(|reason| *reason != "none") {
        let (word, suffix) = ["-error", "-warning", "-report"]
            .into_iter()
            .find_map(|suffix| Some((reason.strip_suffix(suffix)?, suffix)))
            .unwrap_or((reason, ""));
        match REASONS.iter().find(|(known, ..)| *known == word) {
            Some((_, english, chinese)) => found.push(format!("{english} {chinese}")),
            // One that is not known says by its suffix how bad it is; without one it is an error.
            None if is_stopped || !matches!(suffix, "-warning" | "-report") => found.push(reason.clone()),
            None => {}
        }
    }
    if found.is_empty() && is_stopped {
        found.push("the printer is stopped 打印机已停止".to_owned());
    }
    if found.is_empty() { String::new() } else { format!(": {}", found.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_printer_from_printing_is_said_in_words() {
        let of = |is_stopped, reasons: &[&str]| {
            described(is_stopped, &reasons.iter().map(|reason| (*reason).to_owned()).collect::<Vec<_>>())
        };
        // As ippeveprinter and CUPS say it.
        for empty in ["media-empty", "media-empty-warning", "media-empty-error", "media-empty-report"] {
            assert_eq!(of(false, &[empty]), ": out of paper 缺纸", "{empty}");
        }
        assert_eq!(of(false, &["none"]), "");
        assert_eq!(of(false, &["media-low-warning", "toner-low-report"]), "", "it prints");
        assert_eq!(of(true, &["none"]), ": the printer is stopped 打印机已停止");
        assert_eq!(
            of(true, &["media-jam-error", "cover-open"]),
            ": paper jam 卡纸, a cover is open 盖板打开"
        );
        assert_eq!(of(false, &["fuser-over-temp-error"]), ": fuser-over-temp-error");
        assert_eq!(of(false, &["fuser-over-temp-warning"]), "");
    }
}
