//! From the SDK's answers to plain data. What lacks its id, or is gone already, is left out.

use super::model::{
    AssociationState, AttachmentState, Bandwidth, CustomerGateway, CustomerGatewayId,
    InternetGateway, InternetGatewayId, KeyStorage, NetworkCidrs, RouteTable, RouteTableId, State,
    Subnet, SubnetId, TargetGateway, Telemetry, TransitAttachment, TransitAttachmentId,
    TransitGateway, TransitGatewayId, TransitRouteTable, TransitRouteTableId, Tunnel, Vpc, VpcId,
    VpnConnection, VpnConnectionId, VpnGateway, VpnGatewayId,
};
use super::resources::read_options;
use crate::client::cloud_text::clean;
use aws_sdk_ec2::types as sdk;
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::net::Ipv4Addr;

/// What EC2 shows in place of a key that is kept in Secrets Manager.
const REDACTED: &str = "REDACTED";
/// State of a default route whose target was deleted. EC2 still returns the route.
const BLACKHOLE: &str = "blackhole";

pub(super) fn tags(tags: &[sdk::Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| {
            Some((
                tag.key()?.to_owned(),
                tag.value().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

fn state(word: Option<&str>) -> State {
    match word {
        Some("pending") => State::Pending,
        Some("available") => State::Available,
        Some("modifying") => State::Modifying,
        Some("deleting") => State::Deleting,
        Some("deleted") => State::Deleted,
        _ => State::Busy,
    }
}

fn attachment(word: Option<&str>) -> AttachmentState {
    match word {
        Some("attaching") => AttachmentState::Attaching,
        // An internet gateway's attachment calls it so.
        Some("attached" | "available") => AttachmentState::Attached,
        Some("detaching") => AttachmentState::Detaching,
        Some("detached") => AttachmentState::Detached,
        _ => AttachmentState::Busy,
    }
}

pub(super) fn vpc(vpc: &sdk::Vpc) -> Option<Vpc> {
    let cidr = vpc.cidr_block()?.parse().ok()?;
    let secondary = vpc
        .cidr_block_association_set()
        .iter()
        .filter(|part| {
            part.cidr_block_state()
                .and_then(|state| state.state())
                .is_none_or(|state| matches!(state.as_str(), "associated" | "associating"))
        })
        .filter_map(|part| part.cidr_block()?.parse().ok())
        .filter(|range| *range != cidr);
    Some(Vpc {
        id: VpcId(vpc.vpc_id()?.to_owned()),
        cidr,
        secondary_cidrs: secondary.collect(),
        state: state(vpc.state().map(sdk::VpcState::as_str)),
        tags: tags(vpc.tags()),
    })
}

pub(super) fn subnet(subnet: &sdk::Subnet) -> Option<Subnet> {
    Some(Subnet {
        id: SubnetId(subnet.subnet_id()?.to_owned()),
        vpc_id: VpcId(subnet.vpc_id()?.to_owned()),
        cidr: subnet.cidr_block()?.parse().ok()?,
        state: state(subnet.state().map(sdk::SubnetState::as_str)),
        tags: tags(subnet.tags()),
    })
}

pub(super) fn internet_gateway(gateway: &sdk::InternetGateway) -> Option<InternetGateway> {
    let attached = gateway.attachments().iter().filter(|part| {
        attachment(part.state().map(sdk::AttachmentStatus::as_str)) != AttachmentState::Detached
    });
    Some(InternetGateway {
        id: InternetGatewayId(gateway.internet_gateway_id()?.to_owned()),
        attached_vpcs: attached
            .filter_map(|part| Some(VpcId(part.vpc_id()?.to_owned())))
            .collect(),
        tags: tags(gateway.tags()),
    })
}

pub(super) fn route_table(table: &sdk::RouteTable) -> Option<RouteTable> {
    let live = || {
        table.associations().iter().filter(|part| {
            part.association_state()
                .and_then(|state| state.state())
                .is_none_or(|state| {
                    !matches!(
                        state.as_str(),
                        "disassociated" | "disassociating" | "failed"
                    )
                })
        })
    };
    let default = table
        .routes()
        .iter()
        .find(|route| route.destination_cidr_block() == Some("0.0.0.0/0"));
    Some(RouteTable {
        id: RouteTableId(table.route_table_id()?.to_owned()),
        vpc_id: VpcId(table.vpc_id()?.to_owned()),
        main: live().any(|part| part.main() == Some(true)),
        subnets: live()
            .filter_map(|part| {
                Some((
                    SubnetId(part.subnet_id()?.to_owned()),
                    part.route_table_association_id()?.to_owned(),
                ))
            })
            .collect(),
        propagating: table
            .propagating_vgws()
            .iter()
            .filter_map(|part| Some(VpnGatewayId(part.gateway_id()?.to_owned())))
            .collect(),
        default_route: default.and_then(|route| {
            if route.state() == Some(&sdk::RouteState::Blackhole) {
                return Some(BLACKHOLE.to_owned());
            }
            [
                route.gateway_id(),
                route.nat_gateway_id(),
                route.transit_gateway_id(),
                route.network_interface_id(),
                route.vpc_peering_connection_id(),
            ]
            .into_iter()
            .flatten()
            .next()
            .map(str::to_owned)
        }),
        tags: tags(table.tags()),
    })
}

pub(super) fn vpn_gateway(gateway: &sdk::VpnGateway) -> Option<VpnGateway> {
    let state = state(gateway.state().map(sdk::VpnState::as_str));
    let attached = gateway.vpc_attachments().iter().find_map(|part| {
        let state = attachment(part.state().map(sdk::AttachmentStatus::as_str));
        (state != AttachmentState::Detached).then_some((VpcId(part.vpc_id()?.to_owned()), state))
    });
    let found = VpnGateway {
        id: VpnGatewayId(gateway.vpn_gateway_id()?.to_owned()),
        // Gateways from before there was a choice are 7224 or the like and say so; one that says
        // nothing has EC2's default.
        asn: Asn(gateway
            .amazon_side_asn()
            .and_then(|asn| u32::try_from(asn).ok())
            .unwrap_or(64512)),
        state,
        attachment: attached,
        tags: tags(gateway.tags()),
    };
    (state != State::Deleted).then_some(found)
}

pub(super) fn transit_gateway(gateway: &sdk::TransitGateway) -> Option<TransitGateway> {
    let state = state(gateway.state().map(sdk::TransitGatewayState::as_str));
    let options = gateway.options()?;
    let found = TransitGateway {
        id: TransitGatewayId(gateway.transit_gateway_id()?.to_owned()),
        asn: Asn(options
            .amazon_side_asn()
            .and_then(|asn| u32::try_from(asn).ok())?),
        state,
        associates: options.default_route_table_association()
            != Some(&sdk::DefaultRouteTableAssociationValue::Disable),
        propagates: options.default_route_table_propagation()
            != Some(&sdk::DefaultRouteTablePropagationValue::Disable),
        ecmp: options.vpn_ecmp_support() != Some(&sdk::VpnEcmpSupportValue::Disable),
    };
    (state != State::Deleted).then_some(found)
}

pub(super) fn transit_route_table(
    table: &sdk::TransitGatewayRouteTable,
) -> Option<TransitRouteTable> {
    let table = TransitRouteTable {
        id: TransitRouteTableId(table.transit_gateway_route_table_id()?.to_owned()),
        gateway: TransitGatewayId(table.transit_gateway_id()?.to_owned()),
        state: state(
            table
                .state()
                .map(sdk::TransitGatewayRouteTableState::as_str),
        ),
    };
    (table.state != State::Deleted).then_some(table)
}

pub(super) fn transit_attachment(
    attachment: &sdk::TransitGatewayAttachment,
) -> Option<TransitAttachment> {
    let state = state(
        attachment
            .state()
            .map(sdk::TransitGatewayAttachmentState::as_str),
    );
    let association = attachment.association().and_then(|one| {
        let table = TransitRouteTableId(one.transit_gateway_route_table_id()?.to_owned());
        let state = match one.state().map(sdk::TransitGatewayAssociationState::as_str) {
            Some("associating") => AssociationState::Associating,
            Some("associated") => AssociationState::Associated,
            Some("disassociating") => AssociationState::Disassociating,
            Some("disassociated") => return None,
            _ => AssociationState::Busy,
        };
        Some((table, state))
    });
    let found = TransitAttachment {
        id: TransitAttachmentId(attachment.transit_gateway_attachment_id()?.to_owned()),
        vpn_connection: VpnConnectionId(attachment.resource_id()?.to_owned()),
        gateway: TransitGatewayId(attachment.transit_gateway_id()?.to_owned()),
        state,
        association,
        propagations: None,
        tags: tags(attachment.tags()),
    };
    state.is_living().then_some(found)
}

pub(super) fn customer_gateway(gateway: &sdk::CustomerGateway) -> Option<CustomerGateway> {
    let state = state(gateway.state());
    let asn = [gateway.bgp_asn_extended(), gateway.bgp_asn()]
        .into_iter()
        .flatten()
        .find_map(|asn| asn.parse().ok());
    let found = CustomerGateway {
        id: CustomerGatewayId(gateway.customer_gateway_id()?.to_owned()),
        ip: gateway.ip_address()?.parse().ok()?,
        asn: Asn(asn?),
        device_name: gateway
            .device_name()
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        state,
        tags: tags(gateway.tags()),
    };
    (state != State::Deleted).then_some(found)
}

pub(super) fn vpn_connection(connection: &sdk::VpnConnection) -> Option<VpnConnection> {
    let state = state(connection.state().map(sdk::VpnState::as_str));
    let target = match (connection.vpn_gateway_id(), connection.transit_gateway_id()) {
        (Some(id), _) if !id.is_empty() => TargetGateway::VpnGateway(VpnGatewayId(id.to_owned())),
        (_, Some(id)) if !id.is_empty() => {
            TargetGateway::TransitGateway(TransitGatewayId(id.to_owned()))
        }
        _ => TargetGateway::Other,
    };
    let options = connection.options();
    let ends = options
        .map(|options| options.tunnel_options())
        .unwrap_or_default();
    let found = VpnConnection {
        id: VpnConnectionId(connection.vpn_connection_id()?.to_owned()),
        state,
        customer_gateway_id: CustomerGatewayId(
            connection
                .customer_gateway_id()
                .unwrap_or_default()
                .to_owned(),
        ),
        target,
        tunnels: ends
            .iter()
            .filter_map(|end| {
                let mut tunnel = tunnel(end, connection.vgw_telemetry())?;
                // The secret may outlive the storage, so its name alone says nothing.
                let secret = connection
                    .pre_shared_key_arn()
                    .is_some_and(|arn| !arn.is_empty());
                if secret
                    && state == State::Available
                    && end.pre_shared_key().is_none_or(str::is_empty)
                {
                    tunnel.key_storage = Some(KeyStorage::SecretsManager);
                }
                Some(tunnel)
            })
            .collect(),
        bandwidth: Bandwidth::read(
            options
                .and_then(|options| options.tunnel_bandwidth())
                .map(sdk::VpnTunnelBandwidth::as_str),
        ),
        accelerated: options
            .and_then(|options| options.enable_acceleration())
            .unwrap_or(false),
        static_routes_only: options
            .and_then(|options| options.static_routes_only())
            .unwrap_or(false),
        networks: networks(options),
        tags: tags(connection.tags()),
    };
    (state != State::Deleted).then_some(found)
}

/// An absent range is the default.
fn networks(options: Option<&sdk::VpnConnectionOptions>) -> NetworkCidrs {
    let range = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or_default();
    NetworkCidrs {
        local: range(options.and_then(|options| options.local_ipv4_network_cidr())),
        remote: range(options.and_then(|options| options.remote_ipv4_network_cidr())),
    }
}

/// One end of a tunnel with the telemetry of its own outside address. None before an outside
/// address is assigned.
fn tunnel(end: &sdk::TunnelOption, telemetry: &[sdk::VgwTelemetry]) -> Option<Tunnel> {
    let outside_ip: Ipv4Addr = end.outside_ip_address()?.parse().ok()?;
    let seen = telemetry.iter().find(|row| {
        row.outside_ip_address()
            .and_then(|ip| ip.parse::<Ipv4Addr>().ok())
            == Some(outside_ip)
    });
    let count = |number: Option<i32>| number.and_then(|number| u32::try_from(number).ok());
    let shown = end.pre_shared_key().filter(|key| !key.is_empty());
    let redacted = shown.is_some_and(|key| key.contains(REDACTED));
    Some(Tunnel {
        outside_ip,
        inside_cidr: end.tunnel_inside_cidr().and_then(|cidr| cidr.parse().ok()),
        key: shown.filter(|_| !redacted).map(PreSharedKey::from_cloud),
        key_storage: shown.map(|_| {
            if redacted {
                KeyStorage::SecretsManager
            } else {
                KeyStorage::Standard
            }
        }),
        options: read_options(end),
        telemetry: seen.map(|row| Telemetry {
            up: row.status().is_some_and(|status| status.as_str() == "UP"),
            message: clean(row.status_message().unwrap_or_default()),
            accepted_routes: count(row.accepted_route_count()).unwrap_or(0),
        }),
    })
}
