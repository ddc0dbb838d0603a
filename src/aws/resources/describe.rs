//! Reading objects by id, tag and neighbour. Ids go as a filter, so that one that is missing does
//! not hide the others.

use crate::aws::client::Ec2;
use crate::aws::error::{Error, call_context};
use crate::aws::from_sdk;
use crate::aws::model::{
    CustomerGateway, CustomerGatewayId, InternetGateway, RouteTable, Subnet, TransitAttachment,
    TransitGateway, TransitGatewayId, TransitRouteTable, Vpc, VpcId, VpnConnection, VpnGateway,
    VpnGatewayId,
};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use crate::client::response::MAX_PAGES;
use aws_sdk_ec2::types as sdk;
use bgp_vpn::types::Tags;
use std::collections::BTreeSet;
use std::fmt;

/// Which objects to describe. All conditions must hold; without any, all of the region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Some: only these, an empty list meaning none at all.
    pub ids: Option<Vec<String>>,
    /// The VPCs one of which it is in, or attached to; empty: any or none.
    pub vpcs: Vec<VpcId>,
    /// VPN connections only.
    pub vpn_gateway: Option<VpnGatewayId>,
    /// VPN connections only.
    pub transit_gateway: Option<TransitGatewayId>,
    /// VPN connections only.
    pub customer_gateway: Option<CustomerGatewayId>,
    /// Tags that it must carry among others.
    pub tags: Tags,
}

impl Filter {
    pub fn id(id: impl fmt::Display) -> Self {
        Self::ids([id])
    }

    pub fn ids<I: fmt::Display>(ids: impl IntoIterator<Item = I>) -> Self {
        Filter {
            ids: Some(ids.into_iter().map(|id| id.to_string()).collect()),
            ..Filter::default()
        }
    }

    pub fn tags(tags: &Tags) -> Self {
        Filter {
            tags: tags.clone(),
            ..Filter::default()
        }
    }

    pub fn vpc(vpc: &VpcId) -> Self {
        Self::vpcs(vec![vpc.clone()])
    }

    pub fn vpcs(vpcs: Vec<VpcId>) -> Self {
        Filter {
            vpcs,
            ..Filter::default()
        }
    }

    /// The ids, if there is no other condition.
    pub(super) fn only_ids(&self) -> Option<BTreeSet<String>> {
        let ids = self.ids.as_ref()?;
        (*self == Filter::ids(ids)).then(|| ids.iter().cloned().collect())
    }

    #[must_use]
    pub fn in_vpc(self, vpc: &VpcId) -> Self {
        Filter {
            vpcs: vec![vpc.clone()],
            ..self
        }
    }

    pub fn vpn_gateway(gateway: &VpnGatewayId) -> Self {
        Filter {
            vpn_gateway: Some(gateway.clone()),
            ..Filter::default()
        }
    }

    pub fn transit_gateway(gateway: &TransitGatewayId) -> Self {
        Filter {
            transit_gateway: Some(gateway.clone()),
            ..Filter::default()
        }
    }

    /// In EC2's words; `id` and `vpc` are the names of the kind's own filters.
    fn sent(&self, id: &str, vpc: &str) -> Option<Vec<sdk::Filter>> {
        let one = |name: &str, value: &dyn fmt::Display| {
            sdk::Filter::builder()
                .name(name)
                .values(value.to_string())
                .build()
        };
        let mut sent = Vec::new();
        if let Some(ids) = &self.ids {
            sent.push(
                sdk::Filter::builder()
                    .name(id)
                    .set_values(Some(ids.clone()))
                    .build(),
            );
        }
        if !self.vpcs.is_empty() {
            let ids = self.vpcs.iter().map(ToString::to_string).collect();
            sent.push(
                sdk::Filter::builder()
                    .name(vpc)
                    .set_values(Some(ids))
                    .build(),
            );
        }
        sent.extend(self.vpn_gateway.iter().map(|it| one("vpn-gateway-id", it)));
        sent.extend(
            self.transit_gateway
                .iter()
                .map(|it| one("transit-gateway-id", it)),
        );
        sent.extend(
            self.customer_gateway
                .iter()
                .map(|it| one("customer-gateway-id", it)),
        );
        sent.extend(
            self.tags
                .iter()
                .map(|(key, value)| one(&format!("tag:{key}"), value)),
        );
        (!sent.is_empty()).then_some(sent)
    }

    fn none(&self) -> bool {
        self.ids.as_ref().is_some_and(Vec::is_empty)
    }
}

/// The ids or else the tags, for messages.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.ids.clone().unwrap_or_default();
        parts.extend(self.vpcs.iter().map(ToString::to_string));
        parts.extend(self.vpn_gateway.iter().map(ToString::to_string));
        parts.extend(self.transit_gateway.iter().map(ToString::to_string));
        parts.extend(self.customer_gateway.iter().map(ToString::to_string));
        parts.extend(
            self.tags
                .iter()
                .map(|(key, value)| format!("{key}={value}")),
        );
        f.write_str(&if parts.is_empty() {
            "all".to_owned()
        } else {
            parts.join(", ")
        })
    }
}

/// Objects of one list.
const MAX_RESULTS: usize = 100_000;

/// The pages of one list, so that it comes to an end.
#[derive(Default)]
struct Pages(BTreeSet<String>);

impl Pages {
    /// # Errors
    /// `DocumentError` for a page that was read before, or one too many.
    fn turn(
        &mut self,
        operation: &'static str,
        filter: &Filter,
        token: &str,
        found: usize,
    ) -> Result<(), Error> {
        let fault = |message: &str| {
            let context = call_context(operation, filter);
            Err(Error::Malformed(context.with_message(message)))
        };
        if !self.0.insert(token.to_owned()) {
            return fault("the list repeats a page: its nextToken was used before");
        }
        if self.0.len() >= MAX_PAGES || found > MAX_RESULTS {
            fault("the list is too long")
        } else {
            Ok(())
        }
    }
}

/// A describe call with all pages of its response.
macro_rules! whole {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $id:literal, $list:ident, $kind:ident, $observe:path) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// See `Error`; what is missing is none.
        pub async fn $name(&self, ctx: &CallContext, filter: &Filter) -> Result<Vec<$kind>, Error> {
            if filter.none() {
                return Ok(Vec::new());
            }
            let filters = filter.sent($id, "attachment.vpc-id");
            let send = || self.client().$name().set_filters(filters.clone()).send();
            let output = self.with_retry(ctx, RetryPolicy::READ, $operation, &filter.to_string(), send).await?;
            Ok(output.$list().iter().filter_map($observe).collect())
        }
    };
}

/// A describe call whose answer may come in parts.
macro_rules! paged {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $id:literal, $vpc:literal, $list:ident, $kind:ident, $observe:path) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// See `Error`; what is missing is none.
        pub async fn $name(&self, ctx: &CallContext, filter: &Filter) -> Result<Vec<$kind>, Error> {
            let (mut found, mut next) = (Vec::new(), None::<String>);
            if filter.none() {
                return Ok(found);
            }
            let filters = filter.sent($id, $vpc);
            let mut pages = Pages::default();
            loop {
                let send = || self.client().$name().set_filters(filters.clone()).set_next_token(next.clone()).send();
                let output = self.with_retry(ctx, RetryPolicy::READ, $operation, &filter.to_string(), send).await?;
                found.extend(output.$list().iter().filter_map($observe));
                next = output.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
                match &next {
                    Some(token) => pages.turn($operation, filter, token, found.len())?,
                    None => return Ok(found),
                }
            }
        }
    };
}

impl Ec2 {
    paged!(
        /// VPCs with their ranges.
        describe_vpcs, "DescribeVpcs", "vpc-id", "vpc-id", vpcs, Vpc, from_sdk::vpc
    );
    paged!(
        /// Subnets.
        describe_subnets, "DescribeSubnets", "subnet-id", "vpc-id", subnets, Subnet, from_sdk::subnet
    );
    paged!(
        /// Internet gateways with the VPCs that they hang on.
        describe_internet_gateways, "DescribeInternetGateways", "internet-gateway-id", "attachment.vpc-id",
        internet_gateways, InternetGateway, from_sdk::internet_gateway
    );
    paged!(
        /// Route tables with associations, propagation and the default route.
        describe_route_tables, "DescribeRouteTables", "route-table-id", "vpc-id", route_tables, RouteTable,
        from_sdk::route_table
    );
    whole!(
        /// VPN gateways with their attachment, deleted ones left out. `Filter::vpc`: attached, or
        /// being attached or detached.
        describe_vpn_gateways, "DescribeVpnGateways", "vpn-gateway-id", vpn_gateways, VpnGateway, from_sdk::vpn_gateway
    );
    paged!(
        /// Transit gateways, deleted ones left out.
        describe_transit_gateways, "DescribeTransitGateways", "transit-gateway-id", "vpc-id", transit_gateways,
        TransitGateway, from_sdk::transit_gateway
    );
    paged!(
        /// Attachments to transit gateways, by the ids of their VPN connections. Those that are being
        /// deleted are left out.
        describe_transit_gateway_attachments, "DescribeTransitGatewayAttachments", "resource-id", "vpc-id",
        transit_gateway_attachments, TransitAttachment, from_sdk::transit_attachment
    );
    paged!(
        /// Route tables of transit gateways.
        describe_transit_gateway_route_tables, "DescribeTransitGatewayRouteTables", "transit-gateway-route-table-id",
        "vpc-id", transit_gateway_route_tables, TransitRouteTable, from_sdk::transit_route_table
    );
    whole!(
        /// Customer gateways, deleted ones left out.
        describe_customer_gateways, "DescribeCustomerGateways", "customer-gateway-id", customer_gateways,
        CustomerGateway, from_sdk::customer_gateway
    );
    whole!(
        /// VPN connections with their tunnels, keys and telemetry, deleted ones left out.
        describe_vpn_connections, "DescribeVpnConnections", "vpn-connection-id", vpn_connections, VpnConnection,
        from_sdk::vpn_connection
    );
}
