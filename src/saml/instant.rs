//! Points in time as SAML writes them: `xs:dateTime` in UTC, ending in `Z`
//! (SAML core §1.3.3).

use jiff::Timestamp;

/// Reads an instant; `None` when it is not exactly `YYYY-MM-DDThh:mm:ss[.f…]Z`.
pub fn parse(text: &str) -> Option<Timestamp> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let body = text.strip_suffix('Z')?;
    if !body.is_ascii() || body.len() < SHAPE.len() {
        return None;
    }
    let (main, fraction) = body.split_at(SHAPE.len());
    let fits = main.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        other => byte == *other,
    });
    let fraction_fits = match fraction.strip_prefix('.') {
        Some(digits) => {
            (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        }
        None => fraction.is_empty(),
    };
    // A leap second would silently become another second.
    if !fits || !fraction_fits || main.ends_with("60") {
        return None;
    }
    text.parse().ok()
}

/// Writes an instant to the second, the precision every peer reads.
pub fn format(instant: Timestamp) -> String {
    format!("{instant:.0}")
}
