//! Random bytes for ids and keys.

use linli_domain::audit::hex;

/// An id for a command that nobody repeats: the prefix and 64 random bits. A repeated id counts as the same
/// command, so there is none without random numbers.
pub fn command_id(prefix: &str) -> anyhow::Result<String> {
    Ok(format!("{prefix}{}", hex(&random::<8>()?)))
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_commands_have_entropy() {
        let ids: std::collections::BTreeSet<String> =
            (0..1000).map(|_| command_id("siren-").unwrap()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == "siren-".len() + 16));
    }
}
