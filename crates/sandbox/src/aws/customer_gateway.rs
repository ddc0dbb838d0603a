//! Customer gateways: what AWS knows of the other side. An identical request gives the existing one
//! back.

use super::errors::ApiError;
use super::gateways::require_ipsec;
use super::lifecycle::{
    self, Lifecycle, Object, find_live, find_mut, new_id, object, select, visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

const DELETE_LEAST: SimDuration = SimDuration::seconds(1);
const DELETE_MOST: SimDuration = SimDuration::seconds(3);
const DEFAULT_ASN: u32 = 65_000;
/// ASNs above this go by `BgpAsnExtended`.
const HIGHEST_PLAIN_ASN: u32 = 2_147_483_647;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CustomerGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub asn: u32,
    /// Absent only where a certificate identifies the device.
    pub ip_address: Option<Ipv4Addr>,
    pub device_name: Option<String>,
    pub certificate_arn: Option<String>,
}

object!(
    CustomerGateway,
    "customer-gateway",
    "cgw",
    "InvalidCustomerGatewayID",
    "customerGateway",
    lifecycle
);

impl CustomerGateway {
    fn write(&self, xml: &mut Xml) {
        xml.text("customerGatewayId", &self.id);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text("type", "ipsec.1");
        xml.maybe("ipAddress", self.ip_address);
        if self.asn > HIGHEST_PLAIN_ASN {
            xml.text("bgpAsnExtended", self.asn);
        } else {
            xml.text("bgpAsn", self.asn);
        }
        xml.maybe("deviceName", self.device_name.as_ref());
        xml.maybe("certificateArn", self.certificate_arn.as_ref());
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(match name {
            "customer-gateway-id" => vec![self.id.clone()],
            "state" => vec![self.lifecycle.state.as_str().to_owned()],
            "type" => vec!["ipsec.1".to_owned()],
            "bgp-asn" => vec![self.asn.to_string()],
            "ip-address" => self.ip_address.iter().map(Ipv4Addr::to_string).collect(),
            "device-name" => self.device_name.iter().cloned().collect(),
            "certificate-arn" => self.certificate_arn.iter().cloned().collect(),
            _ => return None,
        })
    }
}

fn asn(params: &Params) -> Result<u32, ApiError> {
    match (
        params.parsed::<u32>("BgpAsn")?,
        params.parsed::<u32>("BgpAsnExtended")?,
    ) {
        (Some(_), Some(_)) => Err(ApiError::combination(
            "Specify either BgpAsn or BgpAsnExtended, not both.",
        )),
        (Some(asn), None) if (1..=HIGHEST_PLAIN_ASN).contains(&asn) => Ok(asn),
        (Some(asn), None) => Err(ApiError::value(
            "bgpAsn",
            &asn.to_string(),
            "The range is 1 to 2147483647.",
        )),
        (None, Some(asn)) if asn > HIGHEST_PLAIN_ASN => Ok(asn),
        (None, Some(asn)) => Err(ApiError::value(
            "bgpAsnExtended",
            &asn.to_string(),
            "The range is 2147483648 to 4294967295.",
        )),
        (None, None) => Ok(DEFAULT_ASN),
    }
}

impl Region {
    pub(super) fn create_customer_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        require_ipsec(params)?;
        let asn = asn(params)?;
        let ip_address = match params.parsed::<Ipv4Addr>("IpAddress")? {
            Some(ip) => Some(ip),
            None => params.parsed("PublicIp")?,
        };
        let certificate_arn = params.get("CertificateArn").map(str::to_owned);
        if ip_address.is_none() && certificate_arn.is_none() {
            return Err(ApiError::missing("IpAddress"));
        }
        let device_name = params.get("DeviceName").map(str::to_owned);
        if device_name
            .as_ref()
            .is_some_and(|name| name.chars().count() > 255)
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "The device name is longer than 255 characters.",
            ));
        }
        let tags = lifecycle::initial_tags::<CustomerGateway>(params)?;
        let live = || {
            self.customer_gateways
                .values()
                .filter(|gateway| !gateway.lifecycle.state.is_terminating())
        };
        let same = live().find(|gateway| {
            gateway.ip_address == ip_address
                && gateway.asn == asn
                && gateway.device_name == device_name
                && gateway.certificate_arn == certificate_arn
        });
        if let Some(known) = same {
            let mut xml = Xml::new();
            xml.nest("customerGateway", |xml| known.write(xml));
            return Ok(xml);
        }
        let twin = |gateway: &CustomerGateway| {
            ip_address.is_some()
                && gateway.ip_address == ip_address
                && gateway.device_name.is_none()
                && gateway.certificate_arn == certificate_arn
        };
        if device_name.is_none() && live().any(twin) {
            return Err(ApiError::new(
                "InvalidCustomerGateway.DuplicateIpAddress",
                "There is a conflict among the specified gateway IP addresses.",
            ));
        }
        if live().count() >= self.quotas.customer_gateways {
            return Err(ApiError::new(
                "CustomerGatewayLimitExceeded",
                "The maximum number of customer gateways has been reached.",
            ));
        }
        let gateway = CustomerGateway {
            id: new_id("cgw", cx.rng),
            tags,
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::available(),
            asn,
            ip_address,
            device_name,
            certificate_arn,
        };
        let mut xml = Xml::new();
        xml.nest("customerGateway", |xml| gateway.write(xml));
        self.customer_gateways.insert(gateway.id.clone(), gateway);
        Ok(xml)
    }

    pub(super) fn describe_customer_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.customer_gateways,
            params,
            "CustomerGatewayId",
            cx.now,
            CustomerGateway::field,
        )?;
        let mut xml = Xml::new();
        xml.set("customerGatewaySet", rows, |xml, gateway| {
            gateway.write(xml)
        });
        Ok(xml)
    }

    pub(super) fn delete_customer_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("CustomerGatewayId")?;
        find_live(&self.customer_gateways, id, cx.now)?;
        if self
            .vpn_connections
            .values()
            .any(|other| other.customer_gateway_id == id && !other.gone())
        {
            return Err(ApiError::incorrect_state("The customer gateway is in use."));
        }
        let gateway = find_mut(&mut self.customer_gateways, id, cx.now)?;
        if !gateway.lifecycle.state.is_terminating() {
            gateway.lifecycle =
                Lifecycle::deleting(cx.now + cx.rng.duration(DELETE_LEAST, DELETE_MOST));
        }
        Ok(Xml::done())
    }
}
