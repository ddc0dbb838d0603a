//! The VPC with its attached gateway, and an existing virtual private gateway or transit gateway.

use super::context::PreflightContext;
use super::snapshot::{Lookup, PreflightSnapshot};
use crate::aws;
use crate::config::Attr;
use crate::ownership_tags::{TAG_AWS_ENDPOINT, TAG_INCOMPLETE, TAG_LINK, TAG_NAME};
use crate::preflight_issue::PreflightIssue;
use crate::violation::{AttributeId, Violation, ViolationKind};

/// EC2's default quota of VPN connections on a virtual private gateway.
const MAX_CONNECTIONS_PER_VPN_GATEWAY: usize = 10;

pub(super) fn check_vpc(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    add: &mut impl FnMut(AttributeId, PreflightIssue),
) {
    if snapshot.vpc == Lookup::NotFound
        && let Attr::Known(id) = &context.planned.vpc_id
    {
        let (id, region) = (id.clone(), searched_region(context));
        add(
            AttributeId::VpcId,
            PreflightIssue::VpcNotFound { id, region },
        );
    }
    if let Lookup::Found(gateway) = &snapshot.vpc_gateway
        && !context.vpn_gateway_is_existing
        && !(context.records(&gateway.id.0)
            || context.owns(&gateway.id.0, &gateway.tags)
                && (gateway.tags.contains_key(TAG_INCOMPLETE) || is_of_move(context, gateway)))
    {
        let id = gateway.id.clone();
        let is_incomplete =
            gateway.tags.contains_key(TAG_LINK) && gateway.tags.contains_key(TAG_INCOMPLETE);
        let issue = match gateway.tags.get(TAG_NAME).filter(|_| is_incomplete) {
            Some(name) => PreflightIssue::LeftByIncompleteCreate {
                id: id.to_string(),
                name: name.clone(),
            },
            None => PreflightIssue::VpcHasGateway(id),
        };
        add(AttributeId::VpnGateway, issue);
    }
}

/// The region in which the objects of the configuration were looked up.
fn searched_region(context: PreflightContext<'_>) -> String {
    context.planned.region.known().cloned().unwrap_or_default()
}

/// Whether a run that was killed created a VPN gateway for the AWS side to which the link moves.
fn is_of_move(context: PreflightContext<'_>, gateway: &aws::VpnGateway) -> bool {
    context.moves_to.is_some_and(|end| {
        gateway
            .tags
            .get(TAG_AWS_ENDPOINT)
            .is_some_and(|tag| *tag == end.to_string())
    })
}

pub(super) fn check_vpn_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let gateway = match &snapshot.vpn_gateway {
        Lookup::Skipped => return,
        Lookup::NotFound => {
            let id = context
                .planned
                .vpn_gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            let region = searched_region(context);
            let problem =
                ViolationKind::Preflight(PreflightIssue::VpnGatewayNotFound { id, region });
            return violations.push(Violation::error(AttributeId::VpnGateway, problem));
        }
        Lookup::Found(gateway) => gateway,
    };
    let mut add = |field, finding| {
        violations.push(Violation::error(field, ViolationKind::Preflight(finding)))
    };
    if context
        .configured
        .aws_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        add(
            AttributeId::AwsAsn,
            PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string()),
        );
    }
    if let Attr::Known(id) = &context.configured.vpc_id {
        match &gateway.attachment {
            Some((vpc, _)) if vpc.0 != *id => add(
                AttributeId::VpcId,
                PreflightIssue::GatewayMismatch("VPC", vpc.to_string()),
            ),
            None => add(
                AttributeId::VpcId,
                PreflightIssue::GatewayMismatch("VPC", "none".to_owned()),
            ),
            Some(_) => {}
        }
    }
    let foreign = count_foreign_vpn_connections(context, snapshot);
    if foreign + 2 > MAX_CONNECTIONS_PER_VPN_GATEWAY {
        let finding = PreflightIssue::VpnGatewayFull {
            has: foreign,
            limit: MAX_CONNECTIONS_PER_VPN_GATEWAY,
        };
        violations.push(Violation::warning(
            AttributeId::VpnGateway,
            ViolationKind::Preflight(finding),
        ));
    }
}

/// Number of VPN connections of other users on the existing AWS gateway.
fn count_foreign_vpn_connections(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
) -> usize {
    snapshot
        .vpn_connections
        .iter()
        .filter(|vpn| !context.owns(&vpn.id.0, &vpn.tags))
        .count()
}

pub(super) fn check_transit_gateway(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    violations: &mut Vec<Violation>,
) {
    let gateway = match &snapshot.transit_gateway {
        Lookup::Skipped => return,
        Lookup::Found(gateway)
            if gateway.state == aws::State::Available || gateway.state == aws::State::Modifying =>
        {
            gateway
        }
        _ => {
            let id = context
                .planned
                .transit_gateway_id
                .known()
                .cloned()
                .unwrap_or_default();
            let region = searched_region(context);
            let problem =
                ViolationKind::Preflight(PreflightIssue::TransitGatewayNotFound { id, region });
            return violations.push(Violation::error(AttributeId::TransitGateway, problem));
        }
    };
    if context
        .configured
        .aws_asn
        .known()
        .is_some_and(|asn| *asn != i64::from(gateway.asn.0))
    {
        let finding = PreflightIssue::GatewayMismatch("ASN", gateway.asn.to_string());
        violations.push(Violation::error(
            AttributeId::AwsAsn,
            ViolationKind::Preflight(finding),
        ));
    }
    let planned = context.planned;
    check_transit_route_tables(context, snapshot, gateway, violations);
    let associates = gateway.associates || !planned.transit_association.is_null();
    let propagates = gateway.propagates || !planned.transit_propagations.is_null();
    let by_hand = match (associates, propagates) {
        (false, false) => Some("associate and propagate routes of"),
        (false, true) => Some("associate"),
        (true, false) => Some("propagate routes of"),
        (true, true) => None,
    };
    let findings = by_hand
        .map(PreflightIssue::ManualTransitAttachment)
        .into_iter()
        .chain((!gateway.ecmp).then_some(PreflightIssue::NoEcmp));
    violations.extend(findings.map(|finding| {
        Violation::warning(
            AttributeId::TransitGateway,
            ViolationKind::Preflight(finding),
        )
    }));
}

/// Route tables that do not exist or belong to another transit gateway. AWS would reject them after
/// everything else is created.
fn check_transit_route_tables(
    context: PreflightContext<'_>,
    snapshot: &PreflightSnapshot,
    gateway: &aws::TransitGateway,
    violations: &mut Vec<Violation>,
) {
    let Lookup::Found(tables) = &snapshot.transit_route_tables else {
        return;
    };
    let configured = context.configured;
    let propagations = configured.transit_propagations.known();
    let named = configured
        .transit_association
        .known()
        .map(|table| (AttributeId::TransitAssociation, table))
        .into_iter()
        .chain(
            propagations
                .into_iter()
                .flatten()
                .filter_map(Attr::known)
                .map(|table| (AttributeId::TransitPropagations, table)),
        );
    for (attribute, id) in named {
        let table = tables.iter().find(|table| table.id.0 == *id);
        let issue = match table.filter(|table| table.state.is_living()) {
            None => PreflightIssue::TransitRouteTableNotFound {
                id: id.clone(),
                region: searched_region(context),
            },
            Some(table) if table.gateway != gateway.id => {
                PreflightIssue::RouteTableOfOtherTransitGateway {
                    id: id.clone(),
                    has: table.gateway.to_string(),
                    needs: gateway.id.to_string(),
                }
            }
            Some(_) => continue,
        };
        let kind = ViolationKind::Preflight(issue);
        violations.push(Violation::error(attribute, kind));
    }
}
