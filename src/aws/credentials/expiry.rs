//! When keys expire that nothing renews.

use super::settings::Settings;
use super::shared_files::profiles;
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::time::{Duration, SystemTime};

/// Session of an assumed role without `duration`.
const DEFAULT_SESSION: Duration = Duration::from_secs(3600);
/// A longer chain of profiles is a loop, which the SDK reports.
const MAX_PROFILES: usize = 16;

/// Keys whose expiry is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiringKeys {
    /// Zero if they have expired.
    pub valid_for: Duration,
    /// The variable, or the key of a profile.
    pub known_from: String,
}

/// The keys of the environment or of a profile, where their expiry is recorded. None for
/// credentials that are renewed.
pub(in crate::aws) async fn expiring_keys(
    settings: &Settings,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
    now: SystemTime,
) -> Option<ExpiringKeys> {
    if settings.access_key.is_some() || settings.assume_role_with_web_identity.is_some() {
        return None;
    }
    let set = |name: &str| variable(name).filter(|text| !text.is_empty());
    let from_environment = settings.profile.is_none();
    let valid_until = |at: SystemTime| at.duration_since(now).unwrap_or_default();
    let mut keys = if from_environment
        && set("AWS_ACCESS_KEY_ID").is_some()
        && set("AWS_SECRET_ACCESS_KEY").is_some()
    {
        set("AWS_SESSION_TOKEN")?;
        ExpiringKeys {
            valid_for: valid_until(parse(&set("AWS_CREDENTIAL_EXPIRATION")?)?),
            known_from: "AWS_CREDENTIAL_EXPIRATION".to_owned(),
        }
    } else if from_environment && set("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() {
        return None;
    } else {
        let name = settings.profile_name();
        let name = name.as_deref().unwrap_or("default");
        profile_keys(&profiles(settings).await?, name, &valid_until)?
    };
    // The session of a role outlives the keys that it was assumed with.
    if let Some(role) = settings.assume_role.last() {
        let session = role.duration.unwrap_or(DEFAULT_SESSION);
        keys.valid_for = keys.valid_for.max(session);
    }
    Some(keys)
}

/// Follows `source_profile` to the keys.
fn profile_keys(
    profiles: &EnvConfigSections,
    name: &str,
    valid_until: &dyn Fn(SystemTime) -> Duration,
) -> Option<ExpiringKeys> {
    let (mut name, mut session) = (name, None);
    for _ in 0..MAX_PROFILES {
        let profile = profiles.get_profile(name)?;
        match profile.get("source_profile") {
            Some(source) if profile.get("role_arn").is_some() && source != name => {
                session = session.or_else(|| Some(role_session(profile)));
                name = source;
            }
            _ => {
                profile.get("aws_access_key_id")?;
                let at = parse(profile.get("x_security_token_expires")?)?;
                return Some(ExpiringKeys {
                    valid_for: valid_until(at).max(session.unwrap_or_default()),
                    known_from: format!("x_security_token_expires of the profile {name:?}"),
                });
            }
        }
    }
    None
}

fn role_session(profile: &Profile) -> Duration {
    let seconds = profile.get("duration_seconds");
    let seconds = seconds.and_then(|text| text.trim().parse().ok());
    seconds.map_or(DEFAULT_SESSION, Duration::from_secs)
}

fn parse(text: &str) -> Option<SystemTime> {
    let at = DateTime::from_str(text.trim(), Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(at).ok()
}

#[cfg(test)]
#[path = "expiry_tests.rs"]
mod tests;
