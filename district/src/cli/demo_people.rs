//! Prepared log-ins of the demonstration, at least one a role: nobody could try a role otherwise. A real district has none.

use std::path::{Path, PathBuf};

use linli_domain::Id;
use sqlx::PgPool;

use crate::accounts::{self, LogIns, Role};

/// Account, name, role: the two commanders approve an order together.
const PEOPLE: [(&str, &str, Role); 5] = [
    ("kan", "阚晓", Role::Viewer),
    ("zhou", "周值班", Role::DutyOfficer),
    ("chen", "陈指挥", Role::Commander),
    ("deng", "邓指挥", Role::Commander),
    ("guan", "管主任", Role::Administrator),
];

/// Makes the accounts, and the files NAME.password and NAME.factor, the secret of the authenticator. Returns their folder.
pub async fn prepare(pool: &PgPool, dir: &Path) -> anyhow::Result<PathBuf> {
    let (kept, work) = (dir.join("log-ins"), LogIns::default());
    std::fs::create_dir_all(&kept)?;
    std::fs::set_permissions(&kept, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    for (account, name, role) in PEOPLE {
        let id = Id::new(account).map_err(|error| anyhow::anyhow!("{account}: {error}"))?;
        let issued = accounts::add(pool, &id, name, &[role], "demo").await?;
        // A code of 80 random bits is a good password for somebody who reads it from a file.
        let password = issued.code.to_lowercase();
        let totp = accounts::enrol(pool, &work, (account, &issued.code), password.clone(), "demo").await?;
        std::fs::write(kept.join(format!("{account}.password")), password)?;
        std::fs::write(kept.join(format!("{account}.factor")), totp.secret())?;
    }
    Ok(kept)
}
