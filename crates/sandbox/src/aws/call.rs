//! What was asked of AWS: which service, operation and region, with which parameters.

use super::errors::ApiError;
use super::query::Params;
use super::service_quotas;
use super::xml::Xml;
use crate::http::{Request, Response};
use crate::rng::Rng;

const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";
const EC2_NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// Where a request that names no region goes.
const DEFAULT_REGION: &str = "us-east-1";
/// Parameters that name what a call is about, the most telling first.
const TARGETS: [&str; 23] = [
    "VpnConnectionId",
    "VpnConnectionId.1",
    "CustomerGatewayId",
    "CustomerGatewayId.1",
    "VpnGatewayId",
    "VpnGatewayId.1",
    "RouteTableId",
    "RouteTableId.1",
    "AssociationId",
    "SubnetId",
    "SubnetId.1",
    "InternetGatewayId",
    "InternetGatewayId.1",
    "TransitGatewayAttachmentId",
    "TransitGatewayAttachmentIds.1",
    "TransitGatewayRouteTableId",
    "TransitGatewayRouteTableIds.1",
    "TransitGatewayId",
    "TransitGatewayIds.1",
    "VpcId",
    "VpcId.1",
    "ResourceId.1",
    "IpAddress",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ec2,
    Sts,
    ServiceQuotas,
}

/// One call to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The API's name of it, such as `CreateVpnConnection`.
    pub operation: String,
    /// The id that it is about; empty where it names none.
    pub target: String,
    pub service: Service,
    pub region: String,
    pub(super) params: Params,
}

impl Call {
    /// Reads a Query-protocol request; none for what is not addressed to AWS.
    pub fn read(request: &Request) -> Option<Call> {
        if request.path != "/" {
            return None;
        }
        if let Some(call) = Self::read_json(request) {
            return Some(call);
        }
        let mut params = Params::parse(&request.query);
        if request.method == "POST" {
            params.merge(Params::parse(&String::from_utf8_lossy(&request.body)));
        }
        let signature = request.header("authorization").unwrap_or_default();
        let scope = scope(signature).or_else(|| params.get("X-Amz-Credential").map(str::to_owned));
        let signed = signature.starts_with("AWS4-HMAC-SHA256") || scope.is_some();
        let operation = match params.get("Action") {
            Some(action) => action.to_owned(),
            None if signed => String::new(),
            None => return None,
        };
        let mut scope = scope.as_deref().unwrap_or_default().split('/').skip(2);
        let region = scope.next().unwrap_or(DEFAULT_REGION).to_owned();
        let service = match (params.get("Version"), scope.next()) {
            (Some("2011-06-15"), _) | (None, Some("sts")) => Service::Sts,
            _ => Service::Ec2,
        };
        let target = TARGETS
            .iter()
            .find_map(|name| params.get(name))
            .unwrap_or_default()
            .to_owned();
        Some(Call {
            operation,
            target,
            service,
            region,
            params,
        })
    }

    /// A call in AWS JSON 1.1.
    fn read_json(request: &Request) -> Option<Call> {
        let target = request.header("x-amz-target")?;
        let operation = target.strip_prefix(service_quotas::TARGET)?.to_owned();
        let scope = scope(request.header("authorization").unwrap_or_default());
        let region = scope.as_deref().and_then(|scope| scope.split('/').nth(2));
        Some(Call {
            operation,
            target: String::new(),
            service: Service::ServiceQuotas,
            region: region.unwrap_or(DEFAULT_REGION).to_owned(),
            params: Params::default(),
        })
    }

    /// The name in the call log and in fault rules. A dry run has its own: it changes nothing, so a
    /// rule about the operation does not mean it.
    pub fn log_name(&self) -> String {
        match self.params.flag("DryRun") {
            Ok(Some(true)) => format!("DryRun{}", self.operation),
            _ => self.operation.clone(),
        }
    }

    /// Every parameter, decoded, in the order of their names.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params.iter()
    }

    /// The answer to this call: the elements inside its response, or its refusal.
    pub fn answer(&self, outcome: Result<Xml, ApiError>, rng: &mut Rng) -> Response {
        let xml = match outcome {
            Ok(xml) => xml,
            Err(fault) => {
                return self.error_response(fault.status, &fault.code, &fault.message, rng);
            }
        };
        let operation = &self.operation;
        let id = rng.uuid();
        let body = match self.service {
            Service::Ec2 => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{operation}Response xmlns=\"{EC2_NAMESPACE}\">\
                 <requestId>{id}</requestId>{}</{operation}Response>",
                xml.as_str()
            ),
            Service::Sts => format!(
                "<{operation}Response xmlns=\"{STS_NAMESPACE}\"><{operation}Result>{}</{operation}Result>\
                 <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>",
                xml.as_str()
            ),
            // Answered in JSON by its own module.
            Service::ServiceQuotas => String::new(),
        };
        respond(200, &id, body)
    }

    /// An error in the words of the service that was called.
    pub fn error_response(
        &self,
        status: u16,
        code: &str,
        message: &str,
        rng: &mut Rng,
    ) -> Response {
        match self.service {
            Service::Ec2 => ec2_error(status, code, message, rng),
            Service::ServiceQuotas => service_quotas::error_response(status, code, message),
            Service::Sts => {
                let id = rng.uuid();
                let mut error = Xml::new();
                error.text("Type", if status < 500 { "Sender" } else { "Receiver" });
                error.text("Code", code);
                error.text("Message", message);
                let error = error.into_string();
                let body = format!(
                    "<ErrorResponse xmlns=\"{STS_NAMESPACE}\"><Error>{error}</Error><RequestId>{id}</RequestId></ErrorResponse>"
                );
                respond(status, &id, body)
            }
        }
    }
}

/// An error document as EC2 writes it.
fn ec2_error(status: u16, code: &str, message: &str, rng: &mut Rng) -> Response {
    let id = rng.uuid();
    let mut error = Xml::new();
    error.text("Code", code);
    error.text("Message", message);
    let error = error.into_string();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>{error}</Error></Errors>\
         <RequestID>{id}</RequestID></Response>"
    );
    respond(status, &id, body)
}

/// The credential of a signature: access key, date, region, service and `aws4_request`, with
/// slashes.
pub fn scope(authorization: &str) -> Option<String> {
    let (_, rest) = authorization.split_once("Credential=")?;
    Some(rest.split(',').next().unwrap_or(rest).trim().to_owned())
}

fn respond(status: u16, id: &str, body: String) -> Response {
    Response::new(status)
        .with_header("x-amzn-RequestId", id)
        .with_body(CONTENT_TYPE, body)
}
