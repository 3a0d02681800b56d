//! Prepared log-ins of the demonstration, one a role: nobody could try a role otherwise. Each password, and what its
//! person needs besides, lies in a file beside the configuration. A real centre has no prepared log-in.

use std::path::{Path, PathBuf};

use linli_accounts::rules::account::Enrolled;
use linli_accounts::rules::role::Role;
use linli_accounts::{Accounts, Answer, Manage};
use linli_domain::Id;
use linli_domain::caller::Caller;
use linli_services::random::random;

/// Account, roles; the account of a person has the person's id.
const PEOPLE: [(&str, &[Role]); 9] = [
    ("zhao", &[Role::Operator, Role::Technician]),
    ("qian", &[Role::Operator]),
    ("sun", &[Role::Operator]),
    ("chen", &[Role::Operator, Role::Command]),
    ("deng", &[Role::Operator, Role::Command]),
    ("mei", &[Role::HealthWorker]),
    ("lan", &[Role::Canteen]),
    ("shen", &[Role::Auditor]),
    ("guan", &[Role::Admin]),
];

/// The shared screens, and their rooms.
const SCREENS: [(&str, &str); 2] = [("cabin-screen", "health-cabin"), ("kitchen-screen", "kitchen")];

/// Where the log-ins lie.
#[must_use]
pub fn directory(config: &Path) -> PathBuf {
    config.join("log-ins")
}

/// Makes the accounts, and the files NAME.password and NAME.factor: the secret of the authenticator, or the badge.
/// Returns the codes of the shared screens, in the cabin and in the kitchen.
///
/// # Errors
/// When an account cannot be made.
pub async fn prepare(config: &Path, accounts: &Accounts) -> anyhow::Result<(String, String)> {
    let (dir, caller) = (directory(config), Caller::local("demo"));
    std::fs::create_dir_all(&dir)?;
    for (name, roles) in PEOPLE {
        let id = Id::new(name)?;
        let is_person = !matches!(name, "mei" | "lan" | "shen" | "guan");
        let add =
            Manage::Add { id: id.clone(), person: is_person.then(|| id.clone()), roles: roles.to_vec() };
        // With a data directory of its own it may have run before.
        let code = match accounts.manage(add, &caller, "demo").await {
            Ok(answer) => answer,
            Err(_) => accounts.manage(Manage::Reset(id), &caller, "demo").await?,
        };
        let Answer::Code(code, _) = code else { anyhow::bail!("{name} has no code") };
        let is_shared = roles.iter().all(|role| matches!(role, Role::HealthWorker | Role::Canteen));
        let secret = if is_shared { pin()? } else { linli_domain::audit::hex(&random::<8>()?) };
        let factor = match accounts.enrol(name, &code, secret.clone(), "demo").await? {
            Enrolled::Totp(totp) => totp.secret().to_owned(),
            Enrolled::Badge(badge) => badge,
        };
        for (ending, text) in [("password", &secret), ("factor", &factor)] {
            let file = dir.join(format!("{name}.{ending}"));
            let _ = std::fs::remove_file(&file);
            linli_config::files::create_secret(&file, format!("{text}\n").as_bytes())?;
        }
    }
    let mut codes = Vec::new();
    for (screen, room) in SCREENS {
        let screen = Manage::Screen { id: Id::new(screen)?, room: Id::new(room)?, views: Vec::new() };
        if let Answer::Code(code, _) = accounts.manage(screen, &caller, "demo").await? {
            codes.push(code);
        }
    }
    let [cabin, kitchen]: [String; 2] =
        codes.try_into().map_err(|_| anyhow::anyhow!("a screen has no code"))?;
    Ok((cabin, kitchen))
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
