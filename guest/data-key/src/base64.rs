//! Base64 as Go reads it.

use alloc::vec::Vec;

use base64::engine::general_purpose::GeneralPurposeConfig;
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use base64::{Engine as _, alphabet};

/// Base64 as Go's decoder takes it: padding wanted, stray bits in the last group let pass.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes base64 as Go does, which passes over line ends. None if it is no base64.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    if text.iter().any(is_line_end) {
        let others = text.iter().copied().filter(|byte| !is_line_end(byte));
        return BASE64.decode(others.collect::<Vec<u8>>()).ok();
    }
    BASE64.decode(text).ok()
}
