//! Service Quotas (2019-06-24), as far as a VPN uses it: limits of a region, read and raised. A
//! raise is granted at once.
//!
//! The service speaks AWS JSON 1.1: the operation is in `X-Amz-Target`, bodies are JSON.

use super::ACCOUNT;
use super::call::Call;
use super::region::Quotas;
use crate::http::{Request, Response};
use serde_json::{Value, json};

/// What `X-Amz-Target` starts with.
pub const TARGET: &str = "ServiceQuotasV20190624.";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Service, code, name and the limit of a quota (2026-11, from published lists of the service).
type Row = (
    &'static str,
    &'static str,
    &'static str,
    fn(&mut Quotas) -> &mut usize,
);

const ROWS: [Row; 6] = [
    ("vpc", "L-F678F1CE", "VPCs per Region", |q| &mut q.vpcs),
    (
        "ec2",
        "L-7029FAB6",
        "Virtual private gateways per region",
        |q| &mut q.vpn_gateways,
    ),
    ("ec2", "L-4FB7FF5D", "Customer gateways per region", |q| {
        &mut q.customer_gateways
    }),
    ("ec2", "L-3E6EC3A3", "VPN connections per region", |q| {
        &mut q.vpn_connections
    }),
    ("ec2", "L-B91E5754", "VPN connections per VGW", |q| {
        &mut q.vpn_connections_per_gateway
    }),
    ("ec2", "L-A2478D36", "Transit gateways per account", |q| {
        &mut q.transit_gateways
    }),
];

/// A rejection: status, exception and message.
pub struct Rejection {
    pub status: u16,
    pub exception: &'static str,
    pub message: String,
}

fn reject(exception: &'static str, message: impl Into<String>) -> Rejection {
    Rejection {
        status: 400,
        exception,
        message: message.into(),
    }
}

/// Answers one call.
pub fn answer(call: &Call, request: &Request, quotas: &mut Quotas) -> Response {
    let input: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    match dispatch(call, &input, quotas) {
        Ok(output) => Response::new(200).with_body(CONTENT_TYPE, output.to_string()),
        Err(rejection) => error_response(rejection.status, rejection.exception, &rejection.message),
    }
}

/// An error as this service writes it.
pub fn error_response(status: u16, exception: &str, message: &str) -> Response {
    let body = json!({"__type": exception, "message": message});
    Response::new(status).with_body(CONTENT_TYPE, body.to_string())
}

fn dispatch(call: &Call, input: &Value, quotas: &mut Quotas) -> Result<Value, Rejection> {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let service = text("ServiceCode");
    let row = || {
        ROWS.iter()
            .find(|row| row.0 == service && row.1 == text("QuotaCode"))
            .ok_or_else(|| reject("NoSuchResourceException", "The quota does not exist."))
    };
    match call.operation.as_str() {
        "GetServiceQuota" => Ok(json!({"Quota": document(row()?, &call.region, quotas)})),
        "ListServiceQuotas" => {
            let rows = ROWS.iter().filter(|row| row.0 == service);
            let listed: Vec<Value> = rows
                .map(|row| document(row, &call.region, quotas))
                .collect();
            Ok(json!({"Quotas": listed}))
        }
        "RequestServiceQuotaIncrease" => {
            let row = row()?;
            let desired = input.get("DesiredValue").and_then(Value::as_f64);
            let desired = desired
                .filter(|value| (0.0..=100_000.0).contains(value))
                .ok_or_else(|| {
                    reject(
                        "IllegalArgumentException",
                        "DesiredValue is missing or invalid.",
                    )
                })?;
            // Between 0 and 100,000, checked above.
            *(row.3)(quotas) = desired as usize;
            Ok(json!({"RequestedQuota": {
                "ServiceCode": row.0, "QuotaCode": row.1, "QuotaName": row.2, "DesiredValue": desired,
                "Status": "APPROVED"}}))
        }
        other => Err(reject(
            "UnknownOperationException",
            format!("The operation {other} is not simulated."),
        )),
    }
}

fn document(row: &Row, region: &str, quotas: &mut Quotas) -> Value {
    let (service, code, name, limit) = *row;
    json!({
        "ServiceCode": service,
        "QuotaArn": format!("arn:aws:servicequotas:{region}:{ACCOUNT}:{service}/{code}"),
        "QuotaCode": code, "QuotaName": name, "Value": *limit(quotas), "Unit": "None",
        "Adjustable": true, "GlobalQuota": false,
    })
}
