//! Who calls: keys, session tokens, and the three STS operations that hand them out.
//!
//! Signatures are not verified. A session token carries its own end by the *caller's* clock (the
//! date it signs with), for a client reckons a session's life by that clock, not by simulated time.

use super::ACCOUNT;
use super::call::{Call, scope};
use super::errors::ApiError;
use super::query::Params;
use super::region::{ApiResult, partition};
use super::xml::Xml;
use crate::http::Request;
use crate::world::Context;

/// Access keys that begin so are unknown to the service.
const REJECTED_KEY_ID: &str = "AKIAINVALID";
/// Session tokens of ours: this, the end in Unix seconds, the role and the session's name, with `/`
/// between.
const TOKEN: &str = "SandboxSession";
/// Any token that begins so has expired.
const EXPIRED: &str = "EXPIRED";
/// The end of a session whose caller's clock is unknown (web identity requests are not signed):
/// 2099-12-31.
const FAR: i64 = 4_102_358_400;

/// Refuses a call that is unsigned, signed by an unknown key, or of an expired session.
pub fn authenticate(call: &Call, request: &Request) -> Result<(), ApiError> {
    let sts = matches!(call.service, super::Service::Sts);
    let Some(credential) = credential(request, &call.params) else {
        return Err(if sts {
            ApiError::new(
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            )
            .with_status(403)
        } else {
            ApiError::new(
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            )
            .with_status(401)
        });
    };
    if credential.starts_with(REJECTED_KEY_ID) {
        return Err(if sts {
            ApiError::new(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            )
            .with_status(403)
        } else {
            ApiError::new(
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            )
            .with_status(401)
        });
    }
    if token(request, &call.params).is_some_and(|token| ended(token, clock(request, &call.params)))
    {
        return Err(if sts {
            ApiError::new(
                "ExpiredToken",
                "The security token included in the request is expired",
            )
            .with_status(403)
        } else {
            ApiError::new("RequestExpired", "Request has expired.")
        });
    }
    Ok(())
}

pub fn answer(call: &Call, request: &Request, cx: &mut Context<'_>) -> ApiResult {
    match call.operation.as_str() {
        "AssumeRoleWithWebIdentity" => {}
        _ => authenticate(call, request)?,
    }
    let params = &call.params;
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(identity(request, params)),
        "AssumeRole" => {
            let mut xml = Xml::new();
            session(
                &mut xml,
                params,
                caller_partition(request, params),
                clock(request, params),
                cx,
            )?;
            Ok(xml)
        }
        "AssumeRoleWithWebIdentity" => {
            let token = params.require("WebIdentityToken")?;
            if crate::assertion::is_expired(token, cx.now, cx.settings) {
                return Err(ApiError::new(
                    "ExpiredTokenException",
                    "Token expired: the current date is after the expiration date",
                ));
            }
            let mut xml = Xml::new();
            xml.text("SubjectFromWebIdentityToken", "sandbox");
            xml.text("Audience", "aws.workload.identity");
            xml.text("Provider", "sandbox");
            session(&mut xml, params, "", clock(request, params), cx)?;
            Ok(xml)
        }
        other => Err(ApiError::new(
            "InvalidAction",
            format!("Could not find operation {other} for version 2011-06-15"),
        )),
    }
}

fn identity(request: &Request, params: &Params) -> Xml {
    let token = token(request, params).and_then(|token| token.strip_prefix(TOKEN));
    let mut parts = token.unwrap_or_default().splitn(5, '/').skip(2);
    let partition = caller_partition(request, params);
    let mut xml = Xml::new();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(account), Some(session), Some(role)) => {
            xml.text(
                "Arn",
                format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"),
            );
            xml.text("UserId", format!("AROASANDBOX:{session}"));
            xml.text("Account", account);
        }
        _ => {
            xml.text(
                "Arn",
                format!("arn:{partition}:iam::{ACCOUNT}:user/sandbox"),
            );
            xml.text("UserId", "AIDASANDBOX");
            xml.text("Account", ACCOUNT);
        }
    }
    xml
}

/// Writes the credentials of a session of the role that was asked for.
fn session(
    xml: &mut Xml,
    params: &Params,
    caller: &str,
    clock: Option<i64>,
    cx: &mut Context<'_>,
) -> Result<(), ApiError> {
    let arn = params.require("RoleArn")?;
    let name = params.require("RoleSessionName")?;
    let seconds = params.parsed::<i64>("DurationSeconds")?.unwrap_or(3_600);
    if !(900..=43_200).contains(&seconds) {
        return Err(ApiError::new(
            "ValidationError",
            "DurationSeconds must be between 900 and 43200",
        ));
    }
    let invalid = || ApiError::new("ValidationError", format!("{arn} is invalid"));
    let (account, role) = arn
        .split_once("::")
        .and_then(|(_, rest)| rest.split_once(":role/"))
        .filter(|(account, role)| !account.is_empty() && !role.is_empty())
        .ok_or_else(invalid)?;
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    // A web identity's request is not signed, so it names no region.
    if !caller.is_empty() && caller != partition {
        return Err(
            ApiError::new("AccessDenied", format!("{arn} is in another partition."))
                .with_status(403),
        );
    }
    let end = clock.map_or(FAR, |clock| clock.saturating_add(seconds));
    let key = format!("ASIA{}", cx.rng.hex(16).to_uppercase());
    xml.nest("Credentials", |xml| {
        xml.text("AccessKeyId", &key);
        xml.text("SecretAccessKey", cx.rng.hex(40));
        xml.text(
            "SessionToken",
            format!("{TOKEN}/{end}/{account}/{name}/{role}"),
        );
        xml.text("Expiration", instant(end));
    });
    xml.nest("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("AROASANDBOX:{name}"));
        xml.text(
            "Arn",
            format!("arn:{partition}:sts::{account}:assumed-role/{role}/{name}"),
        );
    });
    Ok(())
}

/// The partition of the region that a call is signed for.
fn caller_partition(request: &Request, params: &Params) -> &'static str {
    let scope = credential(request, params).unwrap_or_default();
    partition(scope.split('/').nth(2).unwrap_or_default())
}

fn credential(request: &Request, params: &Params) -> Option<String> {
    let header = request
        .header("authorization")
        .filter(|value| value.starts_with("AWS4-HMAC-SHA256"));
    header
        .and_then(scope)
        .or_else(|| params.get("X-Amz-Credential").map(str::to_owned))
}

fn token<'a>(request: &'a Request, params: &'a Params) -> Option<&'a str> {
    request
        .header("x-amz-security-token")
        .or_else(|| params.get("X-Amz-Security-Token"))
}

/// The caller's clock in Unix seconds: the date that it signs with.
fn clock(request: &Request, params: &Params) -> Option<i64> {
    let text = request
        .header("x-amz-date")
        .or_else(|| params.get("X-Amz-Date"))?;
    let digits = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let iso = format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(0, 4),
        digits(4, 6),
        digits(6, 8),
        digits(9, 11),
        digits(11, 13),
        digits(13, 15)
    );
    iso.parse::<jiff::Timestamp>().ok().map(|at| at.as_second())
}

fn ended(token: &str, clock: Option<i64>) -> bool {
    if token.starts_with(EXPIRED) {
        return true;
    }
    let end = token
        .strip_prefix(TOKEN)
        .and_then(|rest| rest.split('/').nth(1))
        .and_then(|end| end.parse::<i64>().ok());
    end.zip(clock).is_some_and(|(end, clock)| clock >= end)
}

/// Unix seconds as an ISO 8601 date.
fn instant(unix_seconds: i64) -> String {
    jiff::Timestamp::from_second(unix_seconds)
        .unwrap_or_default()
        .to_string()
}
