//! Base64 as the bindings and XML signatures use it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not base64")]
pub struct Base64Error;

/// Decodes standard base64 with padding; XML white space between characters is
/// tolerated, for encoders break lines, and nothing else is.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    // Most come in one line.
    STANDARD.decode(text).or_else(|_| {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let dense: Vec<u8> = text.bytes().filter(|byte| !blank(byte)).collect();
        STANDARD.decode(dense).map_err(|_| Base64Error)
    })
}

/// Encodes standard base64 with padding, in one line.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
