//! Discovery documents, tokens and the subscription: what a client asks for before its first real
//! call.
//!
//! A token is shaped like the real thing (three base64url parts) because clients read its claims,
//! but it is not signed: its last part is the simulated instant at which it expires, in
//! hexadecimal.

use super::cloud::AzureCloud;
use super::errors::ApiError;
use super::ids;
use super::operations::json_response;
use crate::http::{Request, Response};
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// `/metadata/endpoints`: one object from api-version 2022-09-01 on, a list of one before.
pub(super) fn metadata(request: &Request, cloud: AzureCloud) -> Response {
    let base = &request.base_url;
    let audiences = match cloud.audiences() {
        [] => json!([base, format!("{base}/")]),
        audiences => json!(audiences),
    };
    let document = json!({
        "name": cloud.name(),
        "portal": base,
        "authentication": {"loginEndpoint": base, "audiences": audiences, "tenant": "common", "identityProvider": "AAD"},
        "resourceManager": format!("{base}/"),
        "graph": base, "graphAudience": base, "microsoftGraphResourceId": base, "media": base, "batch": base,
        "gallery": base, "sqlManagement": base, "vmImageAliasDoc": base, "activeDirectoryDataLake": base,
        "ossrDbmsResourceId": base, "logAnalyticsResourceId": base, "appInsightsResourceId": base,
        "suffixes": {"keyVaultDns": "vault.sandbox.invalid", "storage": "storage.sandbox.invalid",
            "acrLoginServer": "registry.sandbox.invalid", "sqlServerHostname": "sql.sandbox.invalid"},
    });
    let version = super::service::api_version(request);
    if version.as_str() >= "2022-09-01" {
        json_response(200, &document)
    } else {
        json_response(200, &json!([document]))
    }
}

pub(super) fn instance_discovery(request: &Request) -> Response {
    let host = request.base_url.trim_start_matches("https://");
    json_response(
        200,
        &json!({"tenant_discovery_endpoint": format!("{}/common/v2.0/.well-known/openid-configuration", request.base_url),
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]}),
    )
}

pub(super) fn openid_configuration(request: &Request, tenant: &str) -> Response {
    let base = &request.base_url;
    let version = if request.path.to_ascii_lowercase().contains("/v2.0/") {
        "/v2.0"
    } else {
        ""
    };
    json_response(
        200,
        &json!({
            "issuer": format!("{base}/{tenant}{version}"),
            "authorization_endpoint": format!("{base}/{tenant}/oauth2{version}/authorize"),
            "token_endpoint": format!("{base}/{tenant}/oauth2{version}/token"),
            "device_authorization_endpoint": format!("{base}/{tenant}/oauth2{version}/devicecode"),
            "jwks_uri": format!("{base}/{tenant}/discovery{version}/keys"),
            "response_types_supported": ["code", "id_token", "token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "tenant_region_scope": "NA",
        }),
    )
}

/// The token endpoint, of version 2 (`scope`) and version 1 (`resource`): a client secret or a
/// client assertion.
pub(super) fn token(request: &Request, tenant: &str, cx: &mut Context<'_>) -> Response {
    let form = String::from_utf8_lossy(&request.body).into_owned();
    let field = |name: &str| ids::parameter(&form, name).unwrap_or_default();
    let second = request.path.to_ascii_lowercase().contains("/v2.0/");
    let settings = cx.settings;
    let refuse = |status, error: &str, number: u32, text: &str, cx: &mut Context<'_>| {
        let (trace, correlation) = (cx.rng.uuid(), cx.rng.uuid());
        let timestamp = timestamp(cx);
        json_response(
            status,
            &json!({"error": error,
                "error_description": format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"),
                "error_codes": [number], "timestamp": timestamp, "trace_id": trace, "correlation_id": correlation}),
        )
    };
    if !tenant.eq_ignore_ascii_case(&settings.tenant_id) {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        );
        return refuse(400, "invalid_request", 90_002, &text, cx);
    }
    if field("grant_type") != "client_credentials" {
        return refuse(
            400,
            "unsupported_grant_type",
            70_003,
            "The app requested an unsupported grant type.",
            cx,
        );
    }
    let client = field("client_id");
    if !client.eq_ignore_ascii_case(&settings.client_id) {
        let text =
            format!("Application with identifier '{client}' was not found in the directory.");
        return refuse(400, "unauthorized_client", 700_016, &text, cx);
    }
    let assertion = field("client_assertion");
    if assertion.is_empty() && field("client_secret") != settings.client_secret {
        return refuse(
            401,
            "invalid_client",
            7_000_215,
            "Invalid client secret provided.",
            cx,
        );
    }
    if !assertion.is_empty() && assertion.split('.').count() != 3 {
        return refuse(
            401,
            "invalid_client",
            50_027,
            "JWT token is invalid or malformed.",
            cx,
        );
    }
    if crate::assertion::is_expired(&assertion, cx.now, settings) {
        return refuse(
            401,
            "invalid_client",
            700_024,
            "Client assertion is not within its valid time range.",
            cx,
        );
    }
    let wanted = if second {
        field("scope")
    } else {
        field("resource")
    };
    if wanted.is_empty() {
        return refuse(
            400,
            "invalid_request",
            900_144,
            "The request body must contain the parameter 'scope' or 'resource'.",
            cx,
        );
    }
    if !settings.azure_cloud.accepts(&wanted) {
        let text = format!(
            "The resource principal named {wanted} was not found in the tenant named {tenant}."
        );
        return refuse(400, "invalid_resource", 500_011, &text, cx);
    }
    json_response(200, &issue(&wanted, second, cx))
}

/// The endpoint of a virtual machine's managed identity.
pub(super) fn managed_identity_token(request: &Request, cx: &mut Context<'_>) -> Response {
    let resource = ids::parameter(&request.query, "resource").unwrap_or_default();
    if request.header("metadata") != Some("true") || resource.is_empty() {
        return json_response(
            400,
            &json!({"error": "invalid_request", "error_description": "Required metadata header or resource not specified"}),
        );
    }
    let mut token = issue(&resource, false, cx);
    if let Some(token) = token.as_object_mut() {
        token.insert("client_id".into(), cx.settings.client_id.clone().into());
    }
    json_response(200, &token)
}

/// A fresh token in the endpoint's answer. Its lifetime counts on the client's clock, so simulated
/// time scales it up.
fn issue(audience: &str, second: bool, cx: &mut Context<'_>) -> Value {
    let settings = cx.settings;
    let lifetime = settings.token_lifetime_seconds;
    let scale = settings.time_scale.max(1);
    let expires = cx.now + SimDuration(lifetime.saturating_mul(1_000).saturating_mul(scale));
    let issued = settings.unix_seconds(SimTime(cx.now.0 / scale));
    let until = issued.saturating_add_unsigned(lifetime);
    let claims = json!({"aud": audience.trim_end_matches("/.default"), "iss": format!("sandbox/{}/", settings.tenant_id),
        "iat": issued, "nbf": issued, "exp": until, "appid": settings.client_id, "oid": settings.client_id,
        "sub": settings.client_id, "tid": settings.tenant_id, "idtyp": "app", "ver": "1.0"});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode(format!("{:x}", expires.0));
    let token = format!(
        "{}.{}.{signature}",
        encode(&json!({"typ": "JWT", "alg": "none"})),
        encode(&claims)
    );
    if second {
        return json!({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token});
    }
    json!({"token_type": "Bearer", "expires_in": lifetime.to_string(), "ext_expires_in": lifetime.to_string(),
        "expires_on": until.to_string(), "not_before": issued.to_string(), "resource": audience, "access_token": token})
}

/// Refuses a request without a token, with one that was not issued here, and with one that is too
/// old.
pub(super) fn check_token(request: &Request, cx: &Context<'_>) -> Result<(), ApiError> {
    let header = request.header("authorization").unwrap_or_default();
    let Some(token) = header
        .strip_prefix("Bearer ")
        .or(header.strip_prefix("bearer "))
    else {
        let refusal = ApiError::new(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
        );
        return Err(challenge(refusal, request, cx));
    };
    let expires = token
        .rsplit('.')
        .next()
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let expires =
        expires.and_then(|bytes| u64::from_str_radix(std::str::from_utf8(&bytes).ok()?, 16).ok());
    match expires {
        Some(_) if !cx.settings.azure_cloud.accepts(&audience(token)) => {
            let refusal = ApiError::new(
                401,
                "InvalidAuthenticationTokenAudience",
                "The access token has been obtained for wrong audience or resource.",
            );
            Err(challenge(refusal, request, cx))
        }
        Some(expires) if cx.now.0 < expires => Ok(()),
        Some(_) => Err(expired(request, cx)),
        None => {
            let refusal = ApiError::new(
                401,
                "InvalidAuthenticationToken",
                "The access token is invalid.",
            );
            Err(challenge(refusal, request, cx))
        }
    }
}

/// The `aud` claim of a token; empty where it has none.
fn audience(token: &str) -> String {
    let claims = token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    claims
        .and_then(|claims| claims.get("aud")?.as_str().map(str::to_owned))
        .unwrap_or_default()
}

pub(super) fn expired(request: &Request, cx: &Context<'_>) -> ApiError {
    let text = format!(
        "The access token expiry UTC time is earlier than current UTC time '{}'.",
        timestamp(cx)
    );
    challenge(
        ApiError::new(401, "ExpiredAuthenticationToken", text),
        request,
        cx,
    )
}

fn challenge(mut refusal: ApiError, request: &Request, cx: &Context<'_>) -> ApiError {
    let challenge = format!(
        "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", error_description=\"{}\"",
        request.base_url, cx.settings.tenant_id, refusal.message
    );
    refusal.headers.push(("WWW-Authenticate", challenge));
    refusal
}

fn timestamp(cx: &Context<'_>) -> String {
    jiff::Timestamp::from_second(cx.settings.unix_seconds(cx.now))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

pub(super) fn subscription(cx: &Context<'_>) -> Value {
    let id = &cx.settings.subscription_id;
    json!({"id": format!("/subscriptions/{id}"), "authorizationSource": "RoleBased", "managedByTenants": [],
        "subscriptionId": id, "tenantId": cx.settings.tenant_id, "displayName": "Sandbox", "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"}})
}

pub(super) fn tenants(cx: &Context<'_>) -> Response {
    let id = &cx.settings.tenant_id;
    json_response(
        200,
        &json!({"value": [{"id": format!("/tenants/{id}"), "tenantId": id, "displayName": "Sandbox", "tenantCategory": "Home"}]}),
    )
}
