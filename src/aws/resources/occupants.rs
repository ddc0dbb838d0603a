//! What is in a VPC or attached to it. EC2 deletes no VPC that holds any of this.

use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{SubnetId, VpcId, VpcOccupant};
use crate::aws::retry::RetryPolicy;
use crate::client::{CallContext, DeniedRead, ErrorContext};
use aws_sdk_ec2::types as sdk;
use futures::try_join;

/// Words for the state of something that is gone or about to be.
const GONE: [&str; 5] = ["deleting", "deleted", "rejected", "failed", "expired"];

fn is_remaining(state: Option<&str>) -> bool {
    !state.is_some_and(|state| GONE.iter().any(|gone| state.eq_ignore_ascii_case(gone)))
}

/// One describe call, all its pages, with its subnet where it has one. Where a permission is
/// missing the list ends early: EC2 itself checks again before it deletes the VPC.
macro_rules! ids {
    ($ec2:ident, $ctx:ident, $vpc:ident, $operation:literal, $call:ident, $filter:ident($by:expr), $list:ident, $one:ident => $id:expr, $subnet:expr) => {
        Box::pin(async {
            let by: Option<&str> = $by;
            let filters: Option<Vec<sdk::Filter>> =
                by.map(|name| vec![sdk::Filter::builder().name(name).values(&$vpc.0).build()]);
            let (mut found, mut next) = (Vec::<VpcOccupant>::new(), None::<String>);
            loop {
                let send = || {
                    $ec2.client()
                        .$call()
                        .$filter(filters.clone())
                        .set_next_token(next.clone())
                        .send()
                };
                let output = match $ec2
                    .with_retry($ctx, RetryPolicy::READ, $operation, &$vpc.0, send)
                    .await
                {
                    Err(Error::Denied(context)) => {
                        $ctx.denied.note(denied($operation, $vpc, &context));
                        return Ok::<_, Error>(found);
                    }
                    other => other?,
                };
                for $one in output.$list() {
                    let subnet: Option<&str> = $subnet;
                    let subnet = subnet.map(|id| SubnetId(id.to_owned()));
                    found.extend($id.map(|id| VpcOccupant {
                        id: id.to_owned(),
                        subnet,
                    }));
                }
                next = output
                    .next_token()
                    .filter(|token| !token.is_empty())
                    .map(str::to_owned);
                if next.is_none() {
                    return Ok(found);
                }
            }
        })
    };
}

/// A kind of object that the credentials may not list.
fn denied(operation: &str, vpc: &VpcId, context: &ErrorContext) -> DeniedRead {
    DeniedRead {
        action: format!("ec2:{operation}"),
        scope: vpc.0.clone(),
        consequence: "Objects of others in the VPC may be missed. AWS then rejects the delete of the VPC after other objects were deleted.",
        reason: context.to_string(),
    }
}

impl Ec2 {
    /// What is in a VPC or attached to it, but for route tables and VPN gateways, and the security
    /// group and network ACL that every VPC has.
    ///
    /// # Errors
    /// See `Error`; a lack of permission is none.
    pub async fn vpc_occupants(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
    ) -> Result<Vec<VpcOccupant>, Error> {
        let (inside, attached) =
            try_join!(self.inside_vpc(ctx, vpc), self.attached_to_vpc(ctx, vpc))?;
        Ok([inside, attached].concat())
    }

    async fn inside_vpc(&self, ctx: &CallContext, vpc: &VpcId) -> Result<Vec<VpcOccupant>, Error> {
        let by_vpc = Some("vpc-id");
        let subnets = ids!(
            self, ctx, vpc, "DescribeSubnets", describe_subnets, set_filters(by_vpc), subnets,
            one => one.subnet_id(), None
        );
        let interfaces = ids!(
            self, ctx, vpc, "DescribeNetworkInterfaces", describe_network_interfaces, set_filters(by_vpc),
            network_interfaces, one => one.network_interface_id(), one.subnet_id()
        );
        let nat_gateways = ids!(
            self, ctx, vpc, "DescribeNatGateways", describe_nat_gateways, set_filter(by_vpc), nat_gateways,
            one => one.nat_gateway_id().filter(|_| is_remaining(one.state().map(sdk::NatGatewayState::as_str))), one.subnet_id()
        );
        let endpoints = ids!(
            self, ctx, vpc, "DescribeVpcEndpoints", describe_vpc_endpoints, set_filters(by_vpc), vpc_endpoints,
            one => one.vpc_endpoint_id().filter(|_| is_remaining(one.state().map(sdk::State::as_str))), None
        );
        let groups = ids!(
            self, ctx, vpc, "DescribeSecurityGroups", describe_security_groups, set_filters(by_vpc), security_groups,
            one => one.group_id().filter(|_| one.group_name() != Some("default")), None
        );
        let acls = ids!(
            self, ctx, vpc, "DescribeNetworkAcls", describe_network_acls, set_filters(by_vpc), network_acls,
            one => one.network_acl_id().filter(|_| one.is_default() != Some(true)), None
        );
        let (a, b, c, d, e, f) =
            try_join!(subnets, interfaces, nat_gateways, endpoints, groups, acls)?;
        Ok([a, b, c, d, e, f].concat())
    }

    async fn attached_to_vpc(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
    ) -> Result<Vec<VpcOccupant>, Error> {
        let internet_gateways = ids!(
            self, ctx, vpc, "DescribeInternetGateways", describe_internet_gateways,
            set_filters(Some("attachment.vpc-id")), internet_gateways, one => one.internet_gateway_id(), None
        );
        // This call has no filter for the VPC.
        let egress_gateways = ids!(
            self, ctx, vpc, "DescribeEgressOnlyInternetGateways", describe_egress_only_internet_gateways,
            set_filters(None), egress_only_internet_gateways,
            one => {
                let here = one.attachments().iter().any(|attachment| attachment.vpc_id() == Some(vpc.0.as_str()));
                one.egress_only_internet_gateway_id().filter(|_| here)
            }, None
        );
        let requested = self.peerings(ctx, vpc, "requester-vpc-info.vpc-id");
        let accepted = self.peerings(ctx, vpc, "accepter-vpc-info.vpc-id");
        let (a, b, c, d) = try_join!(internet_gateways, egress_gateways, requested, accepted)?;
        Ok([a, b, c, d].concat())
    }

    async fn peerings(
        &self,
        ctx: &CallContext,
        vpc: &VpcId,
        side: &str,
    ) -> Result<Vec<VpcOccupant>, Error> {
        ids!(
            self, ctx, vpc, "DescribeVpcPeeringConnections", describe_vpc_peering_connections,
            set_filters(Some(side)), vpc_peering_connections,
            one => {
                let code = one.status().and_then(|status| status.code());
                let code = code.map(sdk::VpcPeeringConnectionStateReasonCode::as_str);
                one.vpc_peering_connection_id().filter(|_| is_remaining(code))
            }, None
        )
        .await
    }
}
