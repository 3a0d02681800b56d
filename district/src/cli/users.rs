//! `linli-district users`: accounts. Who may read the configuration manages them: that is what all trust begins with.

use clap::Subcommand;
use linli_domain::{Id, Timestamp};
use linli_login::totp;

use super::Opened;
use crate::accounts::{self, AccountError, Issued, Role};

/// What is done with accounts.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// Add an account; its person sets it up with the code that is printed (添加)
    Add {
        /// What the person types to log in
        #[arg(value_parser = Id::new)]
        account: Id,
        /// Name for people
        #[arg(long, default_value = "")]
        name: String,
        /// What it may do: viewer, `duty_officer`, commander, administrator; again for several
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<Role>,
    },
    /// List accounts (列表)
    List,
    /// Switch an account off; its sessions end at once (停用)
    Disable {
        /// The account
        #[arg(value_parser = Id::new)]
        account: Id,
    },
    /// Switch an account on again (启用)
    Enable {
        /// The account
        #[arg(value_parser = Id::new)]
        account: Id,
    },
    /// Forget its password and one-time codes; prints a new code (重置)
    Reset {
        /// The account
        #[arg(value_parser = Id::new)]
        account: Id,
    },
    /// Print the one-time code of now for a secret in a file, without an authenticator (动态码)
    Code {
        /// File with the secret in base 32
        file: std::path::PathBuf,
    },
}

/// Prints the one-time code of now.
pub fn code(file: &std::path::Path) -> anyhow::Result<()> {
    let secret =
        std::fs::read_to_string(file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    let code = totp::code_at(&secret, now);
    println!("{}", code.ok_or_else(|| anyhow::anyhow!("{}: no secret in base 32", file.display()))?);
    Ok(())
}

/// Runs it.
pub async fn run(operation: &Operation, Opened { pool, by, .. }: Opened) -> anyhow::Result<()> {
    let told = |error: AccountError| anyhow::anyhow!("{} {error}", error.zh());
    match operation {
        Operation::Add { account, name, roles } => {
            print(&accounts::add(&pool, account, name, roles, &by).await.map_err(told)?);
        }
        Operation::Reset { account } => print(&accounts::reset(&pool, account, &by).await.map_err(told)?),
        Operation::Disable { account } => {
            accounts::set_disabled(&pool, account, true, &by).await.map_err(told)?;
            println!("{account} 已停用 disabled");
        }
        Operation::Enable { account } => {
            accounts::set_disabled(&pool, account, false, &by).await.map_err(told)?;
            println!("{account} 已启用 enabled");
        }
        Operation::List => {
            for account in accounts::list(&pool).await.map_err(told)? {
                let word = |key: &str| account[key].as_str().unwrap_or_default().to_owned();
                let roles =
                    account["roles"].as_array().into_iter().flatten().filter_map(|role| role.as_str());
                let roles: Vec<&str> = roles.collect();
                println!("{}\t{}\t{}\t{}", word("id"), word("standing"), roles.join(","), word("name"));
            }
        }
        Operation::Code { .. } => {}
    }
    Ok(())
}

fn print(issued: &Issued) {
    println!("{}", issued.code);
    eprintln!(
        "{}：24 小时内在登录页用此码设置口令 within 24 hours its person sets a password with this code at the log-in page",
        issued.account
    );
}
