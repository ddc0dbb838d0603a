//! Customer gateways: AWS's record of the other end's address and ASN.

use super::tag_specification;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::from_sdk;
use crate::aws::model::{CustomerGateway, CustomerGatewayId};
use crate::aws::retry::{RetryPolicy, unreadable};
use crate::client::CallContext;
use aws_sdk_ec2::types::{GatewayType, ResourceType};
use bgp_vpn::types::{Asn, Tags};
use std::net::Ipv4Addr;

impl Ec2 {
    /// Makes a customer gateway, or finds the one with this address, ASN and device name: EC2 makes
    /// no second, and leaves the tags of the first as they are. Look at `tags` of the answer to see
    /// whose it is.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_customer_gateway(
        &self,
        ctx: &CallContext,
        ip: Ipv4Addr,
        asn: Asn,
        device_name: &str,
        tags: &Tags,
    ) -> Result<CustomerGateway, Error> {
        let operation = "CreateCustomerGateway";
        let target = format!("{ip} with ASN {asn}");
        let spec = tag_specification(ResourceType::CustomerGateway, tags);
        // EC2 takes an ASN above 2147483647 in an attribute of its own.
        let (short, long) = match i32::try_from(asn.0) {
            Ok(asn) => (Some(asn), None),
            Err(_) => (None, Some(i64::from(asn.0))),
        };
        let send = || {
            let call = self
                .client()
                .create_customer_gateway()
                .r#type(GatewayType::Ipsec1)
                .ip_address(ip.to_string());
            let call = call.set_bgp_asn(short).set_bgp_asn_extended(long);
            let call = if device_name.is_empty() {
                call
            } else {
                call.device_name(device_name)
            };
            call.set_tag_specifications(spec.clone()).send()
        };
        let output = self
            .with_retry(ctx, RetryPolicy::CHANGE, operation, &target, send)
            .await?;
        let made = output
            .customer_gateway()
            .and_then(from_sdk::customer_gateway);
        made.ok_or_else(|| unreadable(operation, &target))
    }

    /// # Errors
    /// `DependencyViolation` while a VPN connection uses it; see `Error`.
    pub async fn delete_customer_gateway(
        &self,
        ctx: &CallContext,
        id: &CustomerGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_customer_gateway()
                .customer_gateway_id(&id.0)
                .send()
        };
        self.delete(ctx, "DeleteCustomerGateway", &id.0, send).await
    }
}
