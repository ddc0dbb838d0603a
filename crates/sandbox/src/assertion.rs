//! Tokens of other identity providers, with which a client asks for credentials: OpenID Connect.
//!
//! Signatures are not verified. A token that contains no end never expires.

use crate::time::SimTime;
use crate::world::Settings;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// Whether the token has expired by the clock of the clients, which simulated time scales up.
pub(crate) fn is_expired(token: &str, now: SimTime, settings: &Settings) -> bool {
    let clock = settings.unix_seconds(SimTime(now.0 / settings.time_scale.max(1)));
    end(token).is_some_and(|end| end <= clock)
}

/// The `exp` claim, in Unix seconds.
fn end(token: &str) -> Option<i64> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_expires_at_its_end() {
        let settings = Settings {
            time_scale: 60,
            ..Settings::default()
        };
        let token = |end: i64| {
            let claims = URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{end}}}"));
            format!("e30.{claims}.c2ln")
        };
        // A minute of the client's clock is an hour here.
        let now = SimTime(3_600_000);
        let clock = settings.epoch_unix_seconds + 60;
        assert!(is_expired(&token(clock), now, &settings));
        assert!(!is_expired(&token(clock + 1), now, &settings));
        assert!(!is_expired("header.claims.signature", now, &settings));
    }
}
