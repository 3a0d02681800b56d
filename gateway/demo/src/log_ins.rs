//! Prepared log-ins of the demonstration, one a role: nobody could try a role otherwise. Each password, and what its
//! person needs besides, lies in a file beside the configuration. A real centre has no prepared log-in.

use std::path::{Path, PathBuf};

use linli_accounts::rules::account::Enrolled;
use linli_accounts::rules::role::Role;
use linli_accounts::{Accounts, Answer, Manage};
use linli_domain::Id;
use linli_domain::caller::Caller;
use linli_services::random::random;
use linli_web::Visitor;

use super::visitors::Keys;

/// A person: account, names, roles. The account of a `[[person]]` of facility.toml has the person's id.
struct Person {
    account: &'static str,
    name: &'static str,
    english: &'static str,
    roles: &'static [Role],
}

const fn person(
    account: &'static str,
    name: &'static str,
    english: &'static str,
    roles: &'static [Role],
) -> Person {
    Person { account, name, english, roles }
}

/// Everybody; whoever tries the screens finds them in this order.
const PEOPLE: [Person; 9] = [
    person("mei", "梅医生", "Dr Mei", &[Role::HealthWorker]),
    person("lan", "兰师傅", "Lan", &[Role::Canteen]),
    person("zhao", "赵主管", "Zhao", &[Role::Operator, Role::Technician]),
    person("qian", "钱志远", "Qian", &[Role::Operator]),
    person("sun", "孙晓", "Sun", &[Role::Operator]),
    person("chen", "陈站长", "Chen, head", &[Role::Command, Role::Operator]),
    person("deng", "邓副站长", "Deng, deputy", &[Role::Command, Role::Operator]),
    person("shen", "沈审计", "Shen", &[Role::Auditor]),
    person("guan", "管主任", "Guan", &[Role::Admin]),
];

/// The shared screens of the command line, and their rooms.
const SCREENS: [(&str, &str); 2] = [("cabin-screen", "health-cabin"), ("kitchen-screen", "kitchen")];

/// The shared screens where a click logs somebody in: account, screen, room.
const PANELS: [(&str, &str, &str); 2] =
    [("mei", "cabin-panel", "health-cabin"), ("lan", "kitchen-panel", "kitchen")];

/// What [`prepare`] made.
pub struct LogIns {
    /// Code of the shared screen in the cabin.
    pub cabin: String,
    /// Code of the shared screen in the kitchen.
    pub kitchen: String,
    /// What everybody logs in with.
    pub keys: Vec<Keys>,
}

/// Where the log-ins lie.
#[must_use]
pub fn directory(config: &Path) -> PathBuf {
    config.join("log-ins")
}

/// Makes the accounts, and the files NAME.password and NAME.factor: the secret of the authenticator, or the badge.
///
/// # Errors
/// When an account cannot be made.
pub async fn prepare(config: &Path, accounts: &Accounts) -> anyhow::Result<LogIns> {
    let (dir, caller) = (directory(config), Caller::local("demo"));
    std::fs::create_dir_all(&dir)?;
    let mut keys = Vec::new();
    for person in &PEOPLE {
        let kept = |ending: &str| {
            let text = std::fs::read_to_string(dir.join(format!("{}.{ending}", person.account)));
            text.ok().map(|text| text.trim().to_owned())
        };
        // With a data directory of its own it may have run before.
        let is_known =
            accounts.access.snapshot().directory.accounts.keys().any(|id| id.as_str() == person.account);
        let (secret, factor) = match (kept("password"), kept("factor")) {
            (Some(secret), Some(factor)) if is_known => (secret, factor),
            _ => set_up(person, is_known, &dir, accounts, &caller).await?,
        };
        let screen = match PANELS.iter().find(|(account, ..)| *account == person.account) {
            Some((_, screen, room)) => Some(panel(screen, room, &dir, accounts, &caller).await?),
            None => None,
        };
        let Person { account, name, english, roles } = person;
        let role = roles.first().map_or("", |role| role.as_str());
        keys.push(Keys { visitor: Visitor { account, name, english, role }, secret, factor, screen });
    }
    let [(cabin, cabin_room), (kitchen, kitchen_room)] = SCREENS;
    let cabin = screen_code(accounts, &caller, cabin, cabin_room).await?;
    let kitchen = screen_code(accounts, &caller, kitchen, kitchen_room).await?;
    Ok(LogIns { cabin, kitchen, keys })
}

/// Makes an account, and its files; returns its password or PIN, and what its person needs besides.
async fn set_up(
    person: &Person,
    is_known: bool,
    dir: &Path,
    accounts: &Accounts,
    caller: &Caller,
) -> anyhow::Result<(String, String)> {
    let id = Id::new(person.account)?;
    let is_person = !matches!(person.account, "mei" | "lan" | "shen" | "guan");
    let what = match is_known {
        true => Manage::Reset(id),
        false => {
            let roles = person.roles.to_vec();
            Manage::Add { id: id.clone(), person: is_person.then_some(id), roles }
        }
    };
    let Answer::Code(code, _) = accounts.manage(what, caller, "demo").await? else {
        anyhow::bail!("{} has no code", person.account)
    };
    let is_shared = PANELS.iter().any(|(account, ..)| *account == person.account);
    let secret = if is_shared { pin()? } else { linli_domain::audit::hex(&random::<8>()?) };
    let factor = match accounts.enrol(person.account, &code, secret.clone(), "demo").await? {
        Enrolled::Totp(totp) => totp.secret().to_owned(),
        Enrolled::Badge(badge) => badge,
    };
    keep(&dir.join(format!("{}.password", person.account)), &secret)?;
    keep(&dir.join(format!("{}.factor", person.account)), &factor)?;
    Ok((secret, factor))
}

/// Enrols a screen, or finds the one that was enrolled before; returns its token and id.
async fn panel(
    screen: &str,
    room: &str,
    dir: &Path,
    accounts: &Accounts,
    caller: &Caller,
) -> anyhow::Result<(String, Id)> {
    let file = dir.join(format!("{screen}.token"));
    let kept = std::fs::read_to_string(&file).map(|token| token.trim().to_owned()).unwrap_or_default();
    if let Some(known) = accounts.access.screen(&kept) {
        return Ok((kept, known.id));
    }
    let code = screen_code(accounts, caller, screen, room).await?;
    let (token, id) = accounts.enrol_screen(&code, "demo").await?;
    keep(&file, &token)?;
    Ok((token, id))
}

fn keep(file: &Path, text: &str) -> anyhow::Result<()> {
    let _ = std::fs::remove_file(file);
    linli_config::files::create_secret(file, format!("{text}\n").as_bytes())?;
    Ok(())
}

/// Announces a screen; returns its code.
async fn screen_code(
    accounts: &Accounts,
    caller: &Caller,
    screen: &str,
    room: &str,
) -> anyhow::Result<String> {
    let screen = Manage::Screen { id: Id::new(screen)?, room: Id::new(room)?, views: Vec::new() };
    match accounts.manage(screen, caller, "demo").await? {
        Answer::Code(code, _) => Ok(code),
        _ => anyhow::bail!("a screen has no code"),
    }
}

/// A PIN that is not among those that are tried first.
fn pin() -> anyhow::Result<String> {
    loop {
        let number = u32::from_be_bytes(random()?) % 100_000_000;
        let pin = format!("{number:08}");
        let factor = linli_accounts::rules::role::Factor::BadgeAndPin;
        if linli_accounts::rules::secret::check(&pin, factor, "").is_ok() {
            return Ok(pin);
        }
    }
}
