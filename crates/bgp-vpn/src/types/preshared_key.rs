//! A tunnel's pre-shared key: generated here, passed to both clouds, never displayed.

use std::fmt;
use zeroize::Zeroizing;

/// Length of a generated key: the longest that EC2 takes (CreateVpnConnection, PreSharedKey).
const GENERATED: usize = 64;
const FIRST: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const REST: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

/// A pre-shared key that both clouds take: 8 to 64 of `[A-Za-z0-9._]`, not starting with `0`.
///
/// It is wiped from memory when dropped, has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PreSharedKey(Zeroizing<String>);

/// Why a text cannot be a shared key. Says nothing about the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PskError {
    #[error("it must have 8 to 64 characters")]
    Length,
    #[error("it may contain only letters, digits, '.' and '_'")]
    Alphabet,
    #[error("it must not start with '0'")]
    LeadingZero,
    #[error("the operating system returned no random bytes")]
    NoRandomness,
}

impl PreSharedKey {
    /// A fresh key of 64 characters from the operating system's randomness, starting with a letter.
    ///
    /// # Errors
    /// `NoRandomness` where the operating system refuses.
    pub fn generate() -> Result<Self, PskError> {
        let mut text = Zeroizing::new(String::with_capacity(GENERATED));
        let mut bytes = Zeroizing::new([0_u8; 256]);
        while text.len() < GENERATED {
            getrandom::fill(bytes.as_mut()).map_err(|_| PskError::NoRandomness)?;
            for &byte in bytes.iter() {
                let alphabet = if text.is_empty() { FIRST } else { REST };
                // Bytes past the largest multiple of the alphabet's length would favour its first
                // letters.
                let fair = 256 - 256 % alphabet.len();
                if text.len() < GENERATED
                    && usize::from(byte) < fair
                    && let Some(&letter) = alphabet.get(usize::from(byte) % alphabet.len())
                {
                    text.push(char::from(letter));
                }
            }
        }
        Ok(PreSharedKey(text))
    }

    /// A key of the user's own.
    ///
    /// # Errors
    /// The first rule of EC2 that it breaks (its set is the narrower of the two clouds').
    pub fn parse(text: &str) -> Result<Self, PskError> {
        if !(8..=64).contains(&text.len()) {
            return Err(PskError::Length);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
        {
            return Err(PskError::Alphabet);
        }
        if text.starts_with('0') {
            return Err(PskError::LeadingZero);
        }
        Ok(Self::from_cloud(text))
    }

    /// A key as a cloud reports it, in any form: manually created links may have keys that only
    /// Azure takes.
    pub fn from_cloud(text: &str) -> Self {
        PreSharedKey(Zeroizing::new(text.to_owned()))
    }

    /// The key itself, for a request body and nothing else.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreSharedKey(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn generate_unique_keys_valid_in_both_clouds() {
        let (one, other) = (
            PreSharedKey::generate().unwrap(),
            PreSharedKey::generate().unwrap(),
        );
        assert_eq!(one.expose_secret().len(), 64);
        assert!(PreSharedKey::parse(one.expose_secret()).is_ok());
        assert_ne!(one, other);
    }

    #[test]
    fn debug_output_hides_key() {
        assert_eq!(
            format!("{:?}", PreSharedKey::from_cloud("hunter2hunter2")),
            "PreSharedKey(..)"
        );
    }

    #[test]
    fn reject_keys_invalid_in_ec2_with_rule() {
        assert_eq!(PreSharedKey::parse("short"), Err(PskError::Length));
        assert_eq!(
            PreSharedKey::parse("0startswithzero"),
            Err(PskError::LeadingZero)
        );
        assert_eq!(PreSharedKey::parse("has a space"), Err(PskError::Alphabet));
    }
}
