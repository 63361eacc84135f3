//! Randomness for the plugin: the operating system's.

use crate::contract::generated::wasi::random::random;

use super::super::limits::Limit;
use super::super::meter::Meter;
use super::State;

/// Random bytes in one call. The plugin asks for some hundred at the most; without a bound it
/// could make the host allocate any amount.
const RANDOM_BYTES: u64 = 64 << 10;

impl random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        random_bytes(len, &mut self.meter)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        getrandom::u64().map_err(no_random)
    }
}

/// So many random bytes.
pub(in crate::plugin) fn random_bytes(len: u64, meter: &mut Meter) -> wasmtime::Result<Vec<u8>> {
    let size = match usize::try_from(len) {
        Ok(size) if len <= RANDOM_BYTES => size,
        _ => return Err(meter.refuse(Limit::Random, Some(len), RANDOM_BYTES)),
    };
    let mut bytes = vec![0; size];
    getrandom::fill(&mut bytes).map_err(no_random)?;
    Ok(bytes)
}

/// The contract has no answer for this, so the call ends. Nothing may go on without randomness.
pub(in crate::plugin) fn no_random(error: getrandom::Error) -> wasmtime::Error {
    wasmtime::Error::msg(format!("the operating system gives no randomness: {error}"))
}
