//! `linli tls`: the certificate of the listeners, and the authority that signed it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use linli_domain::timezone::Zone;
use linli_tls::{Certificate, CertificateStore, Names, Present, Renewal, local_addresses};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::config_dir::ConfigDir;

/// Show, renew or import the certificate that the gateway's listeners show, and its fingerprint.
///
/// Every address but loopback is served over TLS. At its first start the gateway makes an authority of the
/// centre and a certificate signed by it; screens and kiosks are told once to trust the authority. A running
/// gateway uses what changes here within a few seconds; open connections go on. Restarts nothing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli tls show\n  linli tls show --authority > centre-ca.pem\n  linli tls show --pdf fingerprint.pdf\n  linli tls renew\n  linli tls renew --authority\n  linli tls import chain.pem key.pem\n  linli tls import --remove"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show the certificate and the fingerprint, also as QR code (查看证书指纹)
    Show {
        /// Print only the authority's certificate as PEM, for screens, kiosks and other programs
        #[arg(long, conflicts_with_all = ["json", "pdf"])]
        authority: bool,
        /// Write the fingerprint as a sheet to print
        #[arg(long, value_name = "FILE", conflicts_with = "json")]
        pdf: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a new certificate now; it is renewed by itself 60 days before its end (更新证书)
    Renew {
        /// Make a new authority too: every screen and kiosk must then be told to trust it
        #[arg(long)]
        authority: bool,
    },
    /// Use a certificate made elsewhere (导入证书)
    Import {
        /// The certificates in PEM: the gateway's first, after each one its issuer's
        #[arg(required_unless_present = "remove", value_name = "CHAIN")]
        chain: Option<PathBuf>,
        /// Its private key in PEM, readable by its owner alone
        #[arg(required_unless_present = "remove", value_name = "KEY")]
        key: Option<PathBuf>,
        /// Use the centre's own certificate again
        #[arg(long, conflicts_with_all = ["chain", "key"])]
        remove: bool,
    },
}

/// Where the certificates are, and for which names.
struct Place {
    store: CertificateStore,
    names: Names,
    centre: String,
    zone: Zone,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let place = place(args)?;
    let now = super::now();
    let present = match &args.verb {
        Verb::Show { authority, pdf, json } => {
            let (present, renewal) = place.store.ensure(&place.names, now)?;
            if *authority {
                print!("{}", present.authority_pem);
                return Ok(ExitCode::SUCCESS);
            }
            if *json {
                return show_json(&present, now);
            }
            if let Some(file) = pdf {
                return sheet(&place, &present, file);
            }
            if let Some(why) = renewal {
                println!("A certificate was made: {why}.");
            }
            present
        }
        Verb::Renew { authority: false } => place.store.renew(&place.names, now)?,
        Verb::Renew { authority: true } => {
            let present = place.store.renew_authority(&place.names, now)?;
            println!("A new authority signs from now on. {}.", Renewal::OtherAuthority);
            present
        }
        Verb::Import { remove: true, .. } => {
            let was_there = place.store.remove_import()?;
            println!(
                "{}",
                if was_there { "The imported certificate is removed." } else { "None was imported." }
            );
            place.store.ensure(&place.names, now)?.0
        }
        Verb::Import { chain, key, .. } => {
            let (chain, key) = chain.as_ref().zip(key.as_ref()).context("CHAIN and KEY belong together")?;
            place.store.import(chain, key, now)?
        }
    };
    show(&present, &place.zone, now)?;
    Ok(ExitCode::SUCCESS)
}

fn place(args: &Args) -> anyhow::Result<Place> {
    let checked = linli_config::load(&args.site.config)?;
    let data_dir = checked.data_dir()?;
    anyhow::ensure!(
        data_dir.is_dir(),
        "{}: there is no such directory yet; the gateway makes the certificate at its first start",
        data_dir.display()
    );
    Ok(Place {
        store: CertificateStore::at(&data_dir, checked.centre.id.as_str()),
        names: Names::of(&checked, &local_addresses()),
        centre: checked.centre.name.clone(),
        zone: checked.centre.zone.clone(),
    })
}

/// The fingerprint that people compare: the authority's, or that of a certificate made elsewhere.
fn compared(present: &Present) -> &Certificate {
    if present.is_imported { &present.server } else { &present.authority }
}

fn code(fingerprint: &str) -> anyhow::Result<QrCode> {
    QrCode::new(format!("sha256:{}", fingerprint.replace(':', "").to_ascii_lowercase()))
        .context("the fingerprint fits into no QR code")
}

fn show(present: &Present, zone: &Zone, now: linli_domain::Timestamp) -> anyhow::Result<()> {
    let compared = compared(present);
    let whose =
        if present.is_imported { "Certificate 证书" } else { "Authority of the centre 本中心根证书" };
    println!("{}", code(&compared.fingerprint)?.render::<Dense1x2>().build());
    println!("{whose}\n  SHA-256  {}", compared.fingerprint);
    if !present.is_imported {
        println!("Certificate of this gateway 本网关证书\n  SHA-256  {}", present.server.fingerprint);
    }
    println!("  issuer   {}", present.server.issuer);
    println!("  names    {}", present.server.names.join(", "));
    println!("  until    {}", zone.shown(present.server.not_after));
    if let Some(concern) = present.concern(now) {
        println!("\n!! {concern}");
    }
    Ok(())
}

fn show_json(present: &Present, now: linli_domain::Timestamp) -> anyhow::Result<ExitCode> {
    let shown = json!({
        "authority": present.authority, "server": present.server, "imported": present.is_imported,
        "concern": present.concern(now),
    });
    println!("{}", serde_json::to_string_pretty(&shown)?);
    Ok(ExitCode::SUCCESS)
}

fn sheet(place: &Place, present: &Present, file: &Path) -> anyhow::Result<ExitCode> {
    let compared = compared(present);
    let code = code(&compared.fingerprint)?;
    let width = code.width();
    let modules: Vec<bool> = code.to_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect();
    let sheet = linli_reports::Fingerprint {
        centre: place.centre.clone(),
        fingerprint: compared.fingerprint.clone(),
        lines: vec![format!("{}  ({})", compared.subject, place.zone.shown(compared.not_after))],
        code: modules.chunks(width).map(<[bool]>::to_vec).collect(),
    };
    std::fs::write(file, linli_reports::fingerprint_sheet(&sheet))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    println!("{}", file.display());
    Ok(ExitCode::SUCCESS)
}
