//! `linli drill run`: a whole drill in one command, from the order to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use linli_config::Checked;
use linli_mode::order::Kind;
use linli_mode::{Class, Stage, labels};
use linli_reports::switch::Form;
use serde_json::{Value, json};

use super::super::config_dir::ConfigDir;
use super::super::log_in_store;
use super::super::mode::{self, local_order, report};
use super::super::order::keygen;

/// Pause between two looks at the rooms.
const LOOK: Duration = Duration::from_millis(500);

/// Duration of a waiver of what a device did not do in a drill.
const WAIVER: &str = "1h";

/// Arguments of a whole drill.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plans to drill, one per room: reading-room.sampling@1, or their files
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    /// Secret drill keys of two people of the roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// The mode, such as epidemic.sampling
    #[arg(long, default_value = "drill")]
    mode: String,
    /// File with the password of each signer, in the order of the keys, where the gateway asks for two persons
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    /// Report every task of people as simulated, without asking (全部模拟完成)
    #[arg(long)]
    simulate: bool,
    /// Stay in the emergency role: do not play the return (不演练返回)
    #[arg(long)]
    stay: bool,
    /// Report; Markdown, or PDF when the name ends in .pdf. drill-ORDER.md unless given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

/// Plays the drill. The report is written even when the drill ends early.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.simulate || std::io::stdin().is_terminal(),
        "people are asked on a terminal; without one, add --simulate: every task of people counts as simulated"
    );
    let config = linli_config::load(&args.site.config)?;
    let (order, rooms) = args.order(&args.plans, Kind::Enter)?;
    let mut play = Play { args, config: &config, rooms, committed: BTreeSet::new(), stages: BTreeMap::new() };
    let played = play.until(&[Stage::Ready, Stage::Degraded]).and_then(|()| {
        if args.stay {
            return Ok(());
        }
        let back = play.returns()?;
        args.order(&back, Kind::Return)?;
        play.committed.clear();
        play.until(&[Stage::Peace])
    });
    let is_pdf =
        args.output.as_ref().is_some_and(|file| file.extension().is_some_and(|ending| ending == "pdf"));
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("drill-{order}.md")));
    let form = if is_pdf { Form::Pdf } else { Form::Md };
    println!("\n演练报告 report");
    report::run(&report::Args::new(order, form, file, args.site.clone()), Class::Exercise)?;
    played.map(|()| ExitCode::SUCCESS)
}

// === impl Args ===

impl Args {
    fn order(&self, plans: &[PathBuf], kind: Kind) -> anyhow::Result<(String, Vec<String>)> {
        let args = local_order::Args {
            plans: plans.to_vec(),
            class: keygen::Class::Exercise,
            mode: Some(self.mode.clone()),
            key: self.key.clone(),
            yes: self.simulate,
            password_file: self.password_file.clone(),
            site: self.site.clone(),
        };
        local_order::run(&args, kind)
    }
}

/// A drill under way.
struct Play<'a> {
    args: &'a Args,
    config: &'a Checked,
    rooms: Vec<String>,
    /// Rooms whose plan was started.
    committed: BTreeSet<String>,
    /// The stage of each room that was printed last.
    stages: BTreeMap<String, String>,
}

// === impl Play ===

impl Play<'_> {
    /// Does what each room asks for, until all are in one of the stages.
    fn until(&mut self, wanted: &[Stage]) -> anyhow::Result<()> {
        loop {
            let shown = mode::ask(&self.args.site, "GET", "/api/v1/mode", "")?;
            let rooms: Vec<&Value> = shown["rooms"].as_array().into_iter().flatten().collect();
            let mut done = 0;
            for id in self.rooms.clone() {
                let room = rooms.iter().find(|room| room["room"] == id.as_str());
                let room = room.with_context(|| format!("the gateway no longer knows room {id}"))?;
                self.print_stage(&id, room);
                let stage: Option<Stage> = serde_json::from_value(room["stage"].clone()).ok();
                let stage = stage.with_context(|| format!("unknown stage {}", room["stage"]))?;
                if wanted.contains(&stage) {
                    done += 1;
                } else {
                    self.act(&id, room, stage)?;
                }
            }
            if done == self.rooms.len() {
                return Ok(());
            }
            super::super::runtime()?.block_on(async { tokio::time::sleep(LOOK).await });
        }
    }

    /// Prints the stage of a room when it has changed.
    fn print_stage(&mut self, id: &str, room: &Value) {
        let stage = room["stage"].as_str().unwrap_or_default().to_owned();
        if self.stages.insert(id.to_owned(), stage.clone()).as_ref() != Some(&stage) {
            let named = serde_json::from_value(room["stage"].clone()).map(labels::stage).unwrap_or_default();
            println!("【演练】{id}: {named}【演练】");
        }
    }

    fn act(&mut self, id: &str, room: &Value, stage: Stage) -> anyhow::Result<()> {
        match stage {
            Stage::Peace => anyhow::bail!("{id}: 演练已被撤销 the drill was cancelled"),
            _ if room["class"] == "Actual" => {
                anyhow::bail!("{id}: 实战指令已终止演练 an actual order has ended the drill")
            }
            Stage::Held => {
                mode::print_room(room, &self.args.site.zone());
                anyhow::bail!("{id}: 房间已停止，演练到此为止 the room is held: the drill ends here")
            }
            Stage::Preview if self.committed.insert(id.to_owned()) => {
                let lead = self.lead(room)?;
                self.post(lead, id, "commit", &json!({}))?;
                println!("  {lead} 开始 started it");
            }
            _ => {}
        }
        for asked in room["asked"].as_array().into_iter().flatten() {
            self.task(id, asked)?;
        }
        Ok(())
    }

    /// Does one task of people, or decides about one that failed.
    fn task(&self, id: &str, asked: &Value) -> anyhow::Result<()> {
        let word = |key: &str| asked[key].as_str().unwrap_or_default();
        let (step, role) = (word("step"), word("role"));
        let somebody = self.person(role)?;
        if asked["decide"] == Value::Bool(true) {
            println!(
                "  ✗ {step} 设备没有完成，由 {somebody} 豁免 not done by the device, waived by {somebody}"
            );
            let body = json!({"step": step, "why": "演练：设备没有完成", "for": WAIVER});
            return self.post(somebody, id, "waive", &body);
        }
        if self.args.simulate {
            println!("  ○ {step} {somebody} 模拟完成 simulated");
            return self.post(somebody, id, "simulate", &json!({"step": step}));
        }
        println!("  ▶ {step} · {role} ×{} · {}", asked["count"], word("prompt"));
        print!("    完成者 done by (如 {somebody})；直接回车 Enter = 模拟 simulated: ");
        std::io::stdout().flush()?;
        let mut names = String::new();
        anyhow::ensure!(std::io::stdin().read_line(&mut names)? > 0, "no more input: the drill ends here");
        if names.trim().is_empty() {
            return self.post(somebody, id, "simulate", &json!({"step": step}));
        }
        for name in names.split([' ', ',', '，', '、']).map(str::trim).filter(|name| !name.is_empty()) {
            // A wrong name is asked for again.
            if let Err(refused) = self.post(name, id, "confirm", &json!({"step": step})) {
                println!("    {refused}");
            }
        }
        Ok(())
    }

    /// Acts as a person who is logged in here.
    fn post(&self, person: &str, room: &str, word: &str, body: &Value) -> anyhow::Result<()> {
        let site = self.args.site.as_account(person);
        mode::ask(&site, "POST", &format!("/api/v1/mode/rooms/{room}/{word}"), &body.to_string())?;
        Ok(())
    }

    /// The first person of a role who is logged in here.
    fn person(&self, role: &str) -> anyhow::Result<&str> {
        let has_role = |person: &&linli_mode::facility::Person| person.roles.iter().any(|has| has == role);
        let people: Vec<_> = self.config.building.people.iter().filter(has_role).collect();
        let first = people.first().with_context(|| {
            format!("facility.toml 里没有角色为 {role} 的人员 has no person with the role {role}: add one as [[person]]")
        })?;
        let found = people.iter().find(|person| log_in_store::read(person.id.as_str()).is_ok());
        found.map(|person| person.id.as_str()).with_context(|| {
            format!(
                "角色 {role} 无人登录 nobody with the role {role} is logged in here: `linli login {}`",
                first.id
            )
        })
    }

    fn lead(&self, room: &Value) -> anyhow::Result<&str> {
        self.person(room["lead"].as_str().unwrap_or_default())
    }

    /// The return plans of the plans that were drilled.
    fn returns(&self) -> anyhow::Result<Vec<PathBuf>> {
        let of_room = |room: &String| {
            let plans = self.config.plans.iter().map(|plan| &plan.resolved.plan);
            let mut back = plans.filter(|plan| plan.room.as_str() == room && self.is_drilled(&plan.key()));
            back.find_map(|plan| plan.return_plan.clone()).map(PathBuf::from)
        };
        let back: Vec<PathBuf> = self.rooms.iter().filter_map(of_room).collect();
        anyhow::ensure!(
            back.len() == self.rooms.len(),
            "a plan has no return plan: add --stay, then `linli drill end`"
        );
        Ok(back)
    }

    fn is_drilled(&self, key: &str) -> bool {
        self.args.plans.iter().any(|name| {
            let stem = name.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            name.to_string_lossy() == key
                || (name.extension().is_some_and(|e| e == "toml") && stem.as_deref() == Some(key))
        })
    }
}
