//! Durations as Go writes them, which is what Terraform users write: `45m`, `1h30m`, `1.5h`.

use std::time::Duration;

/// Units and their length in nanoseconds. Longer names first: `ms` is no `m`.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];
/// Digits of a number beyond which it overflows anyway.
const LONGEST: usize = 18;

/// Parses a positive duration in Go's notation. None for anything else, zero and numbers that
/// overflow included.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0_u128);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, from_unit) = rest.split_at_checked(end)?;
        let (unit, length) = UNITS.iter().find(|(unit, _)| from_unit.starts_with(unit))?;
        total = total.checked_add(nanoseconds(number, *length)?)?;
        rest = from_unit.strip_prefix(unit)?;
    }
    let nanoseconds = u64::try_from(total).ok().filter(|total| *total > 0)?;
    Some(Duration::from_nanos(nanoseconds))
}

/// A decimal number of units.
fn nanoseconds(number: &str, length: u128) -> Option<u128> {
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(integer) || !digits(fraction) || integer.is_empty() && fraction.is_empty() {
        return None;
    }
    let parse = |text: &str| {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse::<u128>().ok()
        }
    };
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = parse(fraction)?.checked_mul(length)?.checked_div(scale)?;
    parse(integer)?.checked_mul(length)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_durations_like_go() {
        let seconds = |text: &str| parse_duration(text).map(|duration| duration.as_secs_f64());
        for (text, expected) in [
            ("2h30m", 9_000.0),
            ("90s", 90.0),
            ("1.5h", 5_400.0),
            (".5m", 30.0),
            ("1.h", 3_600.0),
            ("1500ms", 1.5),
            ("1h1h", 7_200.0),
            ("500000\u{b5}s", 0.5),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "5",
            "m",
            ".h",
            "-5m",
            "+5m",
            "1d",
            "0s",
            "0",
            "1.2.3h",
            "1 h",
            "1H",
            "1e3s",
            "99999999999999999999h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(
            parse_duration("5124096h"),
            None,
            "more nanoseconds than 64 bits hold"
        );
    }
}
