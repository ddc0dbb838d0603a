//! The time is 2026-11-28T12:00:00Z.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::aws::credentials::{AssumeRole, AssumeRoleWithWebIdentity};
use std::io::Write;

const MINUTE: Duration = Duration::from_secs(60);

fn now() -> SystemTime {
    parse("2026-11-28T12:00:00Z").unwrap()
}

const TEMPORARY: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "ASIA"),
    ("AWS_SECRET_ACCESS_KEY", "s"),
    ("AWS_SESSION_TOKEN", "t"),
    ("AWS_CREDENTIAL_EXPIRATION", "2026-11-28T12:25:00+00:00"),
];

async fn of(settings: &Settings, variables: &[(&str, &str)]) -> Option<ExpiringKeys> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    expiring_keys(settings, &variable, now()).await
}

#[tokio::test]
async fn read_expiry_of_environment_keys() {
    let keys = of(&Settings::default(), &TEMPORARY).await.unwrap();
    assert_eq!(keys.valid_for, 25 * MINUTE);
    assert_eq!(keys.known_from, "AWS_CREDENTIAL_EXPIRATION");
    let expired = [
        &TEMPORARY[..3],
        &[("AWS_CREDENTIAL_EXPIRATION", "2026-11-28T11:00:00Z")],
    ];
    let expired = of(&Settings::default(), &expired.concat()).await.unwrap();
    assert_eq!(expired.valid_for, Duration::ZERO);
}

#[tokio::test]
async fn ignore_expiry_of_keys_that_are_not_used() {
    let default = Settings::default;
    // Without a date, with one that cannot be read, or for keys without a token.
    assert_eq!(of(&default(), &TEMPORARY[..3]).await, None);
    let unreadable = [&TEMPORARY[..3], &[("AWS_CREDENTIAL_EXPIRATION", "soon")]].concat();
    assert_eq!(of(&default(), &unreadable).await, None);
    let permanent = [&TEMPORARY[..2], &TEMPORARY[3..]].concat();
    assert_eq!(of(&default(), &permanent).await, None);
    let block = Settings {
        access_key: Some("AKIA".to_owned()),
        ..default()
    };
    assert_eq!(of(&block, &TEMPORARY).await, None);
    let identity = Settings {
        assume_role_with_web_identity: Some(AssumeRoleWithWebIdentity::default()),
        ..default()
    };
    assert_eq!(of(&identity, &TEMPORARY).await, None);
}

#[tokio::test]
async fn read_expiry_of_profile_and_its_source() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let keys = "aws_access_key_id=ASIA\naws_secret_access_key=s\naws_session_token=t\n";
    write!(
        file,
        "[saml]\n{keys}x_security_token_expires=2026-11-28T13:25:00+01:00\n\
         [undated]\n{keys}\
         [process]\ncredential_process=x\nx_security_token_expires=2026-11-28T12:25:00Z\n\
         [role]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=saml\n\
         [short]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=saml\nduration_seconds=900\n\
         [loop]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=pool\n\
         [pool]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=loop\n"
    )
    .unwrap();
    let settings = |profile: &str| Settings {
        profile: Some(profile.to_owned()),
        shared_config_files: vec!["/dev/null".to_owned()],
        shared_credentials_files: vec![file.path().display().to_string()],
        ..Settings::default()
    };
    let minutes = |keys: Option<ExpiringKeys>| keys.map(|keys| keys.valid_for.as_secs() / 60);
    for (profile, expected) in [
        ("saml", Some(25)),
        ("role", Some(60)),
        ("short", Some(25)),
        ("undated", None),
        ("process", None),
        ("loop", None),
    ] {
        let found = of(&settings(profile), &TEMPORARY).await;
        assert_eq!(minutes(found), expected, "{profile}");
    }
    let named = of(&settings("saml"), &[]).await.unwrap();
    assert_eq!(
        named.known_from,
        "x_security_token_expires of the profile \"saml\""
    );
}

/// The session of a role lasts as long as requested, also if the keys expire before.
#[tokio::test]
async fn count_session_of_assumed_role() {
    let role = |duration| Settings {
        assume_role: vec![AssumeRole {
            duration,
            ..AssumeRole::default()
        }],
        ..Settings::default()
    };
    for (duration, expected) in [(None, 60), (Some(15 * MINUTE), 25), (Some(90 * MINUTE), 90)] {
        let keys = of(&role(duration), &TEMPORARY).await.unwrap();
        assert_eq!(keys.valid_for, expected * MINUTE);
    }
}
