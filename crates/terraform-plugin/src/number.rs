//! Terraform's only number type: an exact decimal of any size. Equal numbers have one
//! representation here.

use std::fmt;

/// An exact number.
#[derive(Clone, Debug, PartialEq)]
pub struct Number(Repr);

/// Numbers take the first of these that holds them exactly, so that derived equality is numeric
/// equality.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Repr {
    Int(i64),
    Uint(u64),
    /// Finite or infinite, never a NaN.
    Float(f64),
    /// Plain decimal notation without exponent, leading or trailing zeros.
    Decimal(String),
}

/// Longest notation and largest exponent that [`Number::parse`] takes. Terraform itself keeps 512
/// bits, about 155 digits, and exponents far below this.
const LONGEST: usize = 16_384;

/// Why text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Something else than sign, digits, point and exponent.
    #[error("not a number")]
    Malformed,
    /// A notation too long, or an exponent too large, to be expanded.
    #[error("a number too large or too precise")]
    TooLarge,
}

impl Number {
    /// Reads decimal notation, with or without exponent.
    ///
    /// # Errors
    /// When the text is no number, or one with more than 16,384 digits.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        if text.len() > LONGEST {
            return Err(NumberError::TooLarge);
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: String = [integer, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::Malformed);
        }
        // The value is `digits` with the point `point` digits from the left.
        let point = i64::try_from(integer.len())
            .unwrap_or(i64::MAX)
            .saturating_add(exponent);
        Self::from_canonical(canonical(negative, &digits, point)?)
    }

    /// A float as the exact number it is; `None` for NaN.
    pub fn from_f64(float: f64) -> Option<Self> {
        if float.is_nan() {
            return None;
        }
        if float.is_finite() && float.fract() == 0.0 {
            return Self::from_canonical(format!("{:.0}", if float == 0.0 { 0.0 } else { float }))
                .ok();
        }
        Some(Self(Repr::Float(float)))
    }

    fn from_canonical(text: String) -> Result<Self, NumberError> {
        if let Ok(int) = text.parse::<i64>() {
            return Ok(Self(Repr::Int(int)));
        }
        if let Ok(uint) = text.parse::<u64>() {
            return Ok(Self(Repr::Uint(uint)));
        }
        let float: f64 = text.parse().map_err(|_| NumberError::Malformed)?;
        let fraction = text
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        // A float's exact decimal notation has as many fraction digits as it has fraction bits.
        if float.is_finite()
            && fraction_bits(float) == fraction
            && format!("{float:.fraction$}") == text
        {
            return Ok(Self(Repr::Float(float)));
        }
        Ok(Self(Repr::Decimal(text)))
    }

    /// The number as a signed integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(int) => Some(int),
            _ => None,
        }
    }

    /// The number as an unsigned integer, if it is one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::Int(int) => u64::try_from(int).ok(),
            Repr::Uint(uint) => Some(uint),
            _ => None,
        }
    }

    /// The nearest float.
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Float(float) => *float,
            // Rust reads its own decimal notation; too large a number becomes infinite.
            _ => self.to_string().parse().unwrap_or(f64::INFINITY),
        }
    }

    pub(crate) fn repr(&self) -> &Repr {
        &self.0
    }
}

fn parse_exponent(text: &str) -> Result<i64, NumberError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::Malformed);
    }
    let exponent: i64 = text.parse().map_err(|_| NumberError::TooLarge)?;
    if exponent.unsigned_abs() > LONGEST as u64 {
        Err(NumberError::TooLarge)
    } else {
        Ok(exponent)
    }
}

fn canonical(negative: bool, digits: &str, point: i64) -> Result<String, NumberError> {
    let significant = digits.trim_start_matches('0');
    let point = point - i64::try_from(digits.len() - significant.len()).unwrap_or(0);
    let significant = significant.trim_end_matches('0');
    if significant.is_empty() {
        return Ok("0".to_owned());
    }
    let sign = if negative { "-" } else { "" };
    if point <= 0 {
        let zeros = usize::try_from(-point).map_err(|_| NumberError::TooLarge)?;
        return Ok(format!("{sign}0.{}{significant}", "0".repeat(zeros)));
    }
    let point = usize::try_from(point).map_err(|_| NumberError::TooLarge)?;
    match significant.split_at_checked(point) {
        Some((integer, "")) => Ok(format!("{sign}{integer}")),
        Some((integer, fraction)) => Ok(format!("{sign}{integer}.{fraction}")),
        None => Ok(format!(
            "{sign}{significant}{}",
            "0".repeat(point - significant.len())
        )),
    }
}

/// How many bits, and so how many decimal digits, a float has behind the point.
fn fraction_bits(float: f64) -> usize {
    let bits = float.to_bits();
    let field = (bits >> 52) & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if field == 0 {
        (fraction, -1074)
    } else {
        (fraction | (1 << 52), field as i64 - 1075)
    };
    let exponent = exponent + i64::from(mantissa.trailing_zeros());
    usize::try_from(-exponent).unwrap_or(0)
}

impl fmt::Display for Number {
    /// Exact decimal notation without exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(int) => write!(f, "{int}"),
            Repr::Uint(uint) => write!(f, "{uint}"),
            Repr::Float(float) if float.is_finite() => {
                write!(f, "{float:.*}", fraction_bits(*float))
            }
            Repr::Float(float) => write!(f, "{float}"),
            Repr::Decimal(text) => write!(f, "{text}"),
        }
    }
}

impl From<i64> for Number {
    fn from(int: i64) -> Self {
        Self(Repr::Int(int))
    }
}

impl From<u64> for Number {
    fn from(uint: u64) -> Self {
        Self(i64::try_from(uint).map_or(Repr::Uint(uint), Repr::Int))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;

    #[test]
    fn equal_numbers_have_one_representation() {
        let parse = |text| Number::parse(text).unwrap();
        assert_eq!(parse("65515"), Number::from(65_515_u64));
        assert_eq!(parse("6.5515e4"), Number::from(65_515_i64));
        assert_eq!(parse("0.50"), Number::from_f64(0.5).unwrap());
        assert_eq!(parse("-0"), Number::from(0_u64));
        assert_eq!(
            parse("36893488147419103232"),
            Number::from_f64(36_893_488_147_419_103_232.0).unwrap()
        );
        assert_eq!(parse("18446744073709551615").as_u64(), Some(u64::MAX));
        assert_eq!(parse("1e-3"), parse("0.001"));
        assert_ne!(
            parse("0.1"),
            Number::from_f64(0.1).unwrap(),
            "a tenth is no binary fraction"
        );
    }

    #[test]
    fn display_numbers_exactly() {
        for text in [
            "0",
            "-7",
            "0.1",
            "-0.125",
            "1208925819614629174706177",
            "1267650600228229401496703205376",
        ] {
            assert_eq!(Number::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn reject_invalid_numbers() {
        for text in [
            "", "-", ".", "1.2.3", "0x10", "1e", "e5", "--1", "1e+-2", "NaN", "Inf", "1_000",
        ] {
            assert_eq!(Number::parse(text), Err(NumberError::Malformed), "{text}");
        }
        assert_eq!(Number::parse("1e1000000000"), Err(NumberError::TooLarge));
        assert_eq!(Number::from_f64(f64::NAN), None);
    }
}
