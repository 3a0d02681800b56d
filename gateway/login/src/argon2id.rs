//! Argon2id (RFC 9106): a key from a password, in memory that is given back.

use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Bytes of a derived key.
pub const LENGTH: usize = 32;

/// Memory in KiB, passes and lanes.
pub type Cost = (u32, u32, u32);

/// OWASP's first choice of 2025 for Argon2id.
pub const COST: Cost = (19 * 1024, 2, 1);

/// What is reserved for a computation; only what its cost asks for is touched. Up to 32 MiB glibc remembers the size of a
/// freed mapping and then keeps as much of its heap for good (mallopt(3), `M_MMAP_THRESHOLD`): one log-in made the gateway
/// 19 MB larger.
const RESERVED: usize = 33 << 20;

/// Derives a key. It takes as much memory as the cost says and tens of milliseconds: never do it on a thread of the runtime.
///
/// # Errors
/// When the cost or the length of the salt is not valid.
pub fn derive(
    secret: &[u8],
    salt: &[u8],
    (memory, passes, lanes): Cost,
) -> Result<[u8; LENGTH], argon2::Error> {
    let params = Params::new(memory, passes, lanes, Some(LENGTH))?;
    let count = params.block_count();
    let mut blocks = Vec::with_capacity(count.max(RESERVED / Block::SIZE));
    blocks.resize(count, Block::new());
    let mut key = [0; LENGTH];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        secret,
        salt,
        &mut key,
        &mut blocks,
    )?;
    Ok(key)
}
