//! `linli visits export`, `import`, `doubts`: visits that were taken in the field join the register of the centre (巡诊).

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_domain::Timestamp;
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway: a page makes a key, slowly on purpose.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most bytes of lines in one request, if it is more than one line.
const BATCH: usize = 512 << 10;

/// Most lines in one request.
const MOST: usize = 100;

/// Members of a report that are counts, with their words.
const COUNTS: [(&str, &str); 10] = [
    ("visits", "visits taken 新增就诊"),
    ("visits_known", "visits that were here already 已有就诊"),
    ("measurements", "measurements taken 新增测量"),
    ("versions", "later versions of measurements 测量的后续版本"),
    ("documents", "documents taken 新增附件"),
    ("residents", "residents new in the register 新增居民"),
    ("residents_known", "times a resident of the register was found by a number 按证件号匹配"),
    ("doubts", "residents of whom you must say who they are 待确认居民"),
    ("erased", "visits that were erased here and stay erased 此处已删除，不再导入"),
    ("expired", "visits older than visits are kept here, not taken 超过保存期限，未导入"),
];

/// What is done with the lines of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Whether they open.
    Check,
    /// What they would bring.
    Preview,
    /// They are taken.
    Take,
}

/// Writes every visit of this box that has ended to a file. The file takes its name only when it is whole.
pub fn export(
    site: &ConfigDir,
    to: &Path,
    secret: &Path,
    reference: Option<Timestamp>,
) -> anyhow::Result<()> {
    let secret = secret_in(secret)?;
    ensure!(!to.exists(), "{}: the file exists; it is not overwritten (文件已存在，不会覆盖)", to.display());
    let clock_ahead_ms = reference.map(|reference| super::now().0 - reference.0);
    let part = to.with_extension("part");
    let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&part);
    let mut out = BufWriter::new(file.with_context(|| part.display().to_string())?);
    let mut request = json!({"secret": secret, "clock_ahead_ms": clock_ahead_ms});
    let (mut visits, mut open, mut lines) = (0, 0, 0);
    loop {
        let page = post(site, "/api/v1/outreach/export", &request)?;
        if lines == 0 {
            writeln!(out, "{}", page["header"].as_str().unwrap_or_default())?;
        }
        for line in page["lines"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            writeln!(out, "{line}")?;
            lines += 1;
        }
        visits += page["visits"].as_u64().unwrap_or_default();
        open += page["open"].as_u64().unwrap_or_default();
        eprint!("\r{visits} visits 就诊 …");
        if page["next"].is_null() {
            break;
        }
        let page = (&page["header"], &page["number"], &page["next"]);
        request = json!({"secret": secret, "header": page.0, "number": page.1, "next": page.2});
        lines = lines.max(1);
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&part, to).with_context(|| to.display().to_string())?;
    eprintln!();
    println!("{}: {visits} visits, sealed (已加密)", to.display());
    if open > 0 {
        println!(
            "{open} open visits are not in it: end them and export again (进行中的就诊未导出，请结束后再导出)"
        );
    }
    Ok(())
}

/// Reads a file: every line is opened before anything is taken. Reading it again takes only what is missing.
pub fn import(site: &ConfigDir, from: &Path, secret: &Path, json: bool) -> anyhow::Result<()> {
    let secret = secret_in(secret)?;
    whole(&each_batch(site, from, &secret, Pass::Check)?, from)?;
    let report = each_batch(site, from, &secret, Pass::Take)
        .context("it broke off; what was taken stays, run it again for the rest (中断，可重新执行以继续)")?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    print(&report);
    if report["doubts"].as_u64().unwrap_or_default() > 0 {
        println!("\nlinli visits doubts shows them (查看待确认居民)");
    }
    Ok(())
}

/// Says what a file would bring, and takes nothing.
pub fn preview(site: &ConfigDir, from: &Path, secret: &Path, json: bool) -> anyhow::Result<()> {
    let report = each_batch(site, from, &secret_in(secret)?, Pass::Preview)?;
    whole(&report, from)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("nothing was taken; it would bring (未导入任何内容；将会导入):");
    print(&report);
    for one in report["people"].as_array().into_iter().flatten() {
        let kind = match one["kind"].as_str() {
            Some("known") => "registered 已登记",
            Some("same_name") => "same name, to decide 同名，待确认",
            Some("same_number") => "same card, other name, to decide 卡号相同、姓名不同，待确认",
            _ => "new 新登记",
        };
        println!("{}  {kind}", record(one));
    }
    if report["numbered"] != 0 && report["numbered"] == report["other_key"] {
        println!(
            "\nno pseudonym of it comes from this district's key: ask whose file it is \
             (居民代号不是用本区的密钥生成的，请先问清楚)"
        );
    }
    Ok(())
}

/// Whether the end of the file was there.
fn whole(report: &Value, from: &Path) -> anyhow::Result<()> {
    ensure!(
        report["complete"] == true,
        "{}: its end is missing, it was cut off; copy it again from the box. Nothing was taken. \
         (文件不完整，请从设备重新拷贝；没有导入任何内容)",
        from.display()
    );
    Ok(())
}

fn print(report: &Value) {
    for (key, words) in COUNTS {
        let count = report[key].as_u64().unwrap_or_default();
        if count > 0 || key == "visits" {
            println!("{count:6}  {words}");
        }
    }
    for id in report["conflicts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("{id}: changed here and in the box; what is here was left (两边都改过，保留此处的)");
    }
}

/// Lists residents of whom a person must say who they are.
pub fn doubts(site: &ConfigDir, json: bool) -> anyhow::Result<()> {
    let answer = socket::ask(site, "GET", "/api/v1/outreach/doubts", "", PATIENCE)?;
    ensure!(answer.status < 300, "{}", socket::detail(&answer));
    let all: Vec<Value> = serde_json::from_str(&answer.body)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for doubt in &all {
        let why = match doubt["why"].as_str() {
            Some("same_number") => "same card or health code, other name 卡号或健康码相同，姓名不同",
            _ => "same name only 仅姓名相同",
        };
        println!("{}  {why}", record(doubt));
        for known in doubt["known"].as_array().into_iter().flatten() {
            println!("    {}", record(known));
        }
    }
    if !all.is_empty() {
        println!(
            "\nthe same person 同一人:  linli residents merge FIRST KNOWN --why …\n\
             another one 不是同一人:  linli visits apart FIRST --why …"
        );
    }
    Ok(())
}

/// Says that a resident is nobody else.
pub fn apart(site: &ConfigDir, pseudonym: &str, why: &str) -> anyhow::Result<()> {
    post(site, &format!("/api/v1/outreach/doubts/{pseudonym}/apart"), &json!({"why": why})).map(|_| ())
}

fn record(of: &Value) -> String {
    let person = &of["person"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let age = person["age"].as_i64().map(|age| age.to_string()).unwrap_or_default();
    let (pseudonym, name) = (word(&of["pseudonym"]), word(&of["name"]));
    format!("{pseudonym}  {name}  {} {age}  {}", word(&person["sex"]), word(&person["tail"]))
}

/// Sends the lines of a file in parts; the sum of the answers.
fn each_batch(site: &ConfigDir, from: &Path, secret: &str, pass: Pass) -> anyhow::Result<Value> {
    let file = File::open(from).with_context(|| from.display().to_string())?;
    let mut lines = BufReader::new(file).lines();
    let header = lines.next().context("the file is empty (文件为空)")?;
    let header = header.context("line 1 is no text: it is no outreach file (不是巡诊文件)")?;
    let mut sum = json!({"complete": false, "conflicts": []});
    if pass == Pass::Preview {
        sum = json!({"complete": false, "conflicts": [], "people": [], "numbered": 0, "other_key": 0});
    }
    let (mut batch, mut bytes, mut number) = (Vec::<String>::new(), 0, 2_u64);
    loop {
        let next = lines.next().transpose().context("a line is no text: the file was changed")?;
        let is_last = next.is_none();
        let length = next.as_ref().map_or(0, String::len);
        if !batch.is_empty() && (is_last || batch.len() >= MOST || bytes + length > BATCH) {
            let mut body = json!({"secret": secret, "header": header, "number": number, "lines": batch});
            if pass == Pass::Preview {
                let seen = post(site, "/api/v1/outreach/preview", &body)?;
                add(&mut sum, &seen["report"]);
                add_people(&mut sum, &seen);
            } else {
                body["check"] = json!(pass == Pass::Check);
                add(&mut sum, &post(site, "/api/v1/outreach/import", &body)?);
            }
            number += batch.len() as u64;
            (batch, bytes) = (Vec::new(), 0);
            eprint!(
                "\r{} {} lines 行 …",
                if pass == Pass::Take { "read 已导入" } else { "checked 已校验" },
                number - 2
            );
        }
        match next {
            Some(line) => {
                bytes += length;
                batch.push(line);
            }
            None => break,
        }
    }
    eprintln!();
    Ok(sum)
}

fn add(sum: &mut Value, report: &Value) {
    for (key, _) in COUNTS {
        let both = sum[key].as_u64().unwrap_or_default() + report[key].as_u64().unwrap_or_default();
        sum[key] = json!(both);
    }
    sum["complete"] = json!(sum["complete"] == true || report["complete"] == true);
    if let (Some(all), Some(more)) = (sum["conflicts"].as_array_mut(), report["conflicts"].as_array()) {
        all.extend(more.iter().cloned());
    }
}

/// Adds whom a preview names; somebody in two parts of a file is one person.
fn add_people(sum: &mut Value, seen: &Value) {
    for key in ["numbered", "other_key"] {
        sum[key] = json!(sum[key].as_u64().unwrap_or_default() + seen[key].as_u64().unwrap_or_default());
    }
    let Some(people) = sum["people"].as_array_mut() else { return };
    for one in seen["residents"].as_array().into_iter().flatten() {
        if !people.iter().any(|known| known["pseudonym"] == one["pseudonym"]) {
            people.push(one.clone());
        }
    }
}

/// The first line of a file; `-` is the standard input.
fn secret_in(file: &Path) -> anyhow::Result<String> {
    let mut line = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().read_line(&mut line)?;
    } else {
        let text = File::open(file).with_context(|| file.display().to_string())?;
        BufReader::new(text).read_line(&mut line).with_context(|| file.display().to_string())?;
    }
    let secret = line.trim().to_owned();
    ensure!(!secret.is_empty(), "{}: it has no secret in its first line (第一行没有口令)", file.display());
    Ok(secret)
}

fn post(site: &ConfigDir, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = socket::ask(site, "POST", path, &body.to_string(), PATIENCE)?;
    ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}
