//! Reading a payload from front to back.

use linli_domain::Civil;

use super::float::{Real, float, sfloat};

/// The payload ends before its flags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload ends before its flags say")]
pub struct Truncated;

/// What is left of a payload.
pub(super) struct Payload<'a>(pub &'a [u8]);

// === impl Payload ===

impl Payload<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (head, rest) = self.0.split_at_checked(N).ok_or(Truncated)?;
        self.0 = rest;
        head.try_into().map_err(|_| Truncated)
    }

    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(self.take::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    pub fn i16(&mut self) -> Result<i16, Truncated> {
        Ok(i16::from_le_bytes(self.take()?))
    }

    pub fn u24(&mut self) -> Result<u32, Truncated> {
        let [a, b, c] = self.take()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    pub fn sfloat(&mut self) -> Result<Real, Truncated> {
        Ok(sfloat(self.u16()?))
    }

    pub fn float(&mut self) -> Result<Real, Truncated> {
        Ok(float(u32::from_le_bytes(self.take()?)))
    }

    /// Date Time (0x2A08): parts the device does not know are zero.
    pub fn date_time(&mut self) -> Result<Civil, Truncated> {
        let year = i64::from(self.u16()?);
        let [month, day, hour, minute, second] = self.take()?;
        Ok(Civil { year, month, day, hour, minute, second })
    }

    /// Reads what a flag promises.
    pub fn when<T>(
        &mut self,
        is_there: bool,
        read: impl FnOnce(&mut Self) -> Result<T, Truncated>,
    ) -> Result<Option<T>, Truncated> {
        is_there.then(|| read(self)).transpose()
    }
}
