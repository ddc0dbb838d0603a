//! The account: who may call, how often, and which region answers.

use super::call::{Call, Service};
use super::errors::ApiError;
use super::query::Params;
use super::region::{ApiResult, Quotas, Region};
use super::{service_quotas, sts, throttle};
use crate::dataplane::AwsEndpoint;
use crate::http::{Request, Response};
use crate::rng::Rng;
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// AWS's half of the world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AwsService {
    /// Limits of every region; a region's own start with EC2's defaults.
    pub quotas: Quotas,
    regions: BTreeMap<String, Region>,
    throttle: throttle::Buckets,
    /// Calls so far that may have changed something.
    #[serde(skip)]
    changes: u64,
}

impl AwsService {
    pub fn new() -> Self {
        AwsService::default()
    }

    /// The call that a request makes of AWS; none if it is not addressed to AWS.
    pub fn classify(request: &Request) -> Option<Call> {
        Call::read(request)
    }

    pub fn handle(&mut self, call: &Call, request: &Request, cx: &mut Context<'_>) -> Response {
        self.changes += u64::from(!call.operation.starts_with("Describe"));
        if call.service == Service::ServiceQuotas {
            let admitted = sts::authenticate(call, request)
                .and_then(|()| super::authorization::authorize_quotas(call, cx.authorization));
            return match admitted {
                Ok(()) => service_quotas::answer(call, request, &mut self.quotas),
                Err(error) => {
                    call.error_response(error.status, &error.code, &error.message, cx.rng)
                }
            };
        }
        let outcome = match call.service {
            Service::Sts => sts::answer(call, request, cx),
            Service::Ec2 | Service::ServiceQuotas => self.ec2(call, request, cx),
        };
        call.answer(outcome, cx.rng)
    }

    /// Lets everything happen that is due by `now`.
    pub fn advance(&mut self, now: SimTime, rng: &mut Rng) {
        for region in self.regions.values_mut() {
            region.advance(now, rng);
        }
    }

    /// Another number whenever [`AwsService::endpoints`] may be others: after a call, and when time
    /// has changed a state.
    pub fn revision(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.changes.hash(&mut hasher);
        self.regions
            .values()
            .for_each(|region| region.revision(&mut hasher));
        hasher.finish()
    }

    /// Every tunnel endpoint that there is, in AWS's words.
    pub fn endpoints(&self) -> Vec<AwsEndpoint> {
        self.regions.values().flat_map(Region::endpoints).collect()
    }

    /// Every object but deleted ones as `{kind, id, name, region, state, tags, ...}`, without keys.
    pub fn objects(&self) -> Vec<Value> {
        self.regions.values().flat_map(Region::objects).collect()
    }

    fn ec2(&mut self, call: &Call, request: &Request, cx: &mut Context<'_>) -> ApiResult {
        sts::authenticate(call, request)?;
        if call
            .params
            .get("Version")
            .is_some_and(|version| version != "2016-11-15")
        {
            return Err(ApiError::new(
                "NoSuchVersion",
                "The specified API version does not exist.",
            ));
        }
        let operation =
            operation(&call.operation).ok_or_else(|| ApiError::unknown_action(&call.operation))?;
        if cx.settings.throttling {
            self.throttle.take(&call.region, &call.operation, cx.now)?;
        }
        let region = self
            .regions
            .entry(call.region.clone())
            .or_insert_with(|| Region::new(&call.region));
        super::authorization::authorize(call, region, cx.authorization)?;
        if call.params.flag("DryRun")? == Some(true) {
            return Err(ApiError::dry_run());
        }
        region.quotas = self.quotas;
        operation(region, &call.params, cx)
    }
}

type Operation = fn(&mut Region, &Params, &mut Context<'_>) -> ApiResult;

fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "CreateVpc" => Region::create_vpc,
        "DescribeVpcs" => Region::describe_vpcs,
        "DeleteVpc" => Region::delete_vpc,
        "ModifyVpcAttribute" => Region::modify_vpc_attribute,
        "DescribeVpcAttribute" => Region::describe_vpc_attribute,
        "AssociateVpcCidrBlock" => Region::associate_vpc_cidr_block,
        "DisassociateVpcCidrBlock" => Region::disassociate_vpc_cidr_block,
        "DescribeSecurityGroups" => Region::describe_security_groups,
        "DescribeNetworkAcls" => Region::describe_network_acls,
        "CreateSubnet" => Region::create_subnet,
        "DescribeSubnets" => Region::describe_subnets,
        "DeleteSubnet" => Region::delete_subnet,
        "ModifySubnetAttribute" => Region::modify_subnet_attribute,
        "CreateInternetGateway" => Region::create_internet_gateway,
        "AttachInternetGateway" => Region::attach_internet_gateway,
        "DetachInternetGateway" => Region::detach_internet_gateway,
        "DeleteInternetGateway" => Region::delete_internet_gateway,
        "DescribeInternetGateways" => Region::describe_internet_gateways,
        "CreateRouteTable" => Region::create_route_table,
        "DescribeRouteTables" => Region::describe_route_tables,
        "DeleteRouteTable" => Region::delete_route_table,
        "AssociateRouteTable" => Region::associate_route_table,
        "DisassociateRouteTable" => Region::disassociate_route_table,
        "CreateRoute" => Region::create_route,
        "DeleteRoute" => Region::delete_route,
        "EnableVgwRoutePropagation" => Region::enable_vgw_route_propagation,
        "DisableVgwRoutePropagation" => Region::disable_vgw_route_propagation,
        "CreateVpnGateway" => Region::create_vpn_gateway,
        "DescribeVpnGateways" => Region::describe_vpn_gateways,
        "DeleteVpnGateway" => Region::delete_vpn_gateway,
        "AttachVpnGateway" => Region::attach_vpn_gateway,
        "DetachVpnGateway" => Region::detach_vpn_gateway,
        "CreateCustomerGateway" => Region::create_customer_gateway,
        "DescribeCustomerGateways" => Region::describe_customer_gateways,
        "DeleteCustomerGateway" => Region::delete_customer_gateway,
        "CreateVpnConnection" => Region::create_vpn_connection,
        "DescribeVpnConnections" => Region::describe_vpn_connections,
        "DeleteVpnConnection" => Region::delete_vpn_connection,
        "ModifyVpnTunnelOptions" => Region::modify_vpn_tunnel_options,
        "ModifyVpnConnection" => Region::modify_vpn_connection,
        "ModifyVpnConnectionOptions" => Region::modify_vpn_connection_options,
        "ReplaceVpnTunnel" => Region::replace_vpn_tunnel,
        "GetVpnTunnelReplacementStatus" => Region::get_vpn_tunnel_replacement_status,
        "GetActiveVpnTunnelStatus" => Region::get_active_vpn_tunnel_status,
        "CreateTransitGateway" => Region::create_transit_gateway,
        "DescribeTransitGateways" => Region::describe_transit_gateways,
        "DeleteTransitGateway" => Region::delete_transit_gateway,
        "DescribeTransitGatewayAttachments" => Region::describe_transit_gateway_attachments,
        "CreateTransitGatewayRouteTable" => Region::create_transit_gateway_route_table,
        "DescribeTransitGatewayRouteTables" => Region::describe_transit_gateway_route_tables,
        "DeleteTransitGatewayRouteTable" => Region::delete_transit_gateway_route_table,
        "AssociateTransitGatewayRouteTable" => Region::associate_transit_gateway_route_table,
        "DisassociateTransitGatewayRouteTable" => Region::disassociate_transit_gateway_route_table,
        "EnableTransitGatewayRouteTablePropagation" => {
            Region::enable_transit_gateway_route_table_propagation
        }
        "DisableTransitGatewayRouteTablePropagation" => {
            Region::disable_transit_gateway_route_table_propagation
        }
        "GetTransitGatewayAttachmentPropagations" => {
            Region::get_transit_gateway_attachment_propagations
        }
        "GetTransitGatewayRouteTableAssociations" => {
            Region::get_transit_gateway_route_table_associations
        }
        "GetTransitGatewayRouteTablePropagations" => {
            Region::get_transit_gateway_route_table_propagations
        }
        "CreateTags" => Region::create_tags,
        "DeleteTags" => Region::delete_tags,
        "DescribeTags" => Region::describe_tags,
        "DescribeAvailabilityZones" => Region::describe_availability_zones,
        "DescribeRegions" => Region::describe_regions,
        "DescribeAccountAttributes" => Region::describe_account_attributes,
        "CreateNetworkInterface" => Region::create_network_interface,
        "DeleteNetworkInterface" => Region::delete_network_interface,
        "CreateNatGateway" => Region::create_nat_gateway,
        "DescribeNatGateways" => Region::describe_nat_gateways,
        "DeleteNatGateway" => Region::delete_nat_gateway,
        "CreateVpcEndpoint" => Region::create_vpc_endpoint,
        "DescribeVpcEndpoints" => Region::describe_vpc_endpoints,
        "DeleteVpcEndpoints" => Region::delete_vpc_endpoints,
        "CreateVpcPeeringConnection" => Region::create_vpc_peering_connection,
        "DescribeVpcPeeringConnections" => Region::describe_vpc_peering_connections,
        "DeleteVpcPeeringConnection" => Region::delete_vpc_peering_connection,
        "CreateSecurityGroup" => Region::create_security_group,
        "DeleteSecurityGroup" => Region::delete_security_group,
        "CreateNetworkAcl" => Region::create_network_acl,
        "DeleteNetworkAcl" => Region::delete_network_acl,
        "CreateEgressOnlyInternetGateway" => Region::create_egress_only_internet_gateway,
        "DescribeEgressOnlyInternetGateways" => Region::describe_egress_only_internet_gateways,
        "DeleteEgressOnlyInternetGateway" => Region::delete_egress_only_internet_gateway,
        "DescribeNetworkInterfaces" => Region::describe_network_interfaces,
        _ => return None,
    })
}
