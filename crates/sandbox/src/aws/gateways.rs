//! Virtual private gateways and their attachments to VPCs.

use super::errors::ApiError;
use super::lifecycle::{
    self, Lifecycle, Object, State, TOMBSTONE_TTL, find_live, find_mut, new_id, object, select,
    visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};

const CREATE_LEAST: SimDuration = SimDuration::seconds(3);
const CREATE_MOST: SimDuration = SimDuration::seconds(8);
const ATTACH_LEAST: SimDuration = SimDuration::seconds(15);
const ATTACH_MOST: SimDuration = SimDuration::seconds(45);
const DELETE_LEAST: SimDuration = SimDuration::seconds(1);
const DELETE_MOST: SimDuration = SimDuration::seconds(3);
const DEFAULT_ASN: u32 = 64_512;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentState {
    Attaching,
    Attached,
    Detaching,
    Detached,
}

impl AttachmentState {
    pub fn as_str(self) -> &'static str {
        match self {
            AttachmentState::Attaching => "attaching",
            AttachmentState::Attached => "attached",
            AttachmentState::Detaching => "detaching",
            AttachmentState::Detached => "detached",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    pub vpc_id: String,
    pub state: AttachmentState,
    due: Option<SimTime>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VpnGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub asn: u32,
    zone: Option<String>,
    /// Detached ones stay listed for a while.
    pub attachments: Vec<Attachment>,
}

object!(
    VpnGateway,
    "vpn-gateway",
    "vgw",
    "InvalidVpnGatewayID",
    "vpnGateway",
    lifecycle
);

/// The ASNs that EC2 takes for its own side of a new gateway.
pub fn amazon_asn(params: &Params, name: &str) -> Result<u32, ApiError> {
    let asn: u64 = params.parsed(name)?.unwrap_or(u64::from(DEFAULT_ASN));
    match u32::try_from(asn) {
        Ok(asn @ (64_512..=65_534 | 4_200_000_000..=4_294_967_294)) => Ok(asn),
        _ => Err(ApiError::value(
            "amazonSideAsn",
            &asn.to_string(),
            "The ASN must be in 64512-65534 or 4200000000-4294967294.",
        )),
    }
}

impl VpnGateway {
    /// The VPC that it serves: attached, neither coming nor going.
    pub fn attached_vpc(&self) -> Option<&str> {
        self.attachments
            .iter()
            .find(|a| a.state == AttachmentState::Attached)
            .map(|a| a.vpc_id.as_str())
    }

    /// Whether any attachment that has not ended names that VPC.
    pub fn holds(&self, vpc_id: &str) -> bool {
        self.held().any(|attachment| attachment.vpc_id == vpc_id)
    }

    fn held(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments
            .iter()
            .filter(|attachment| attachment.state != AttachmentState::Detached)
    }

    /// Lets attachments go on; gives the VPCs that it is detached from now.
    pub fn complete_attachments(&mut self, now: SimTime) -> Vec<String> {
        let mut detached = Vec::new();
        self.attachments.retain_mut(|attachment| {
            while let Some(due) = attachment.due.filter(|due| *due <= now) {
                match attachment.state {
                    AttachmentState::Attaching | AttachmentState::Attached => {
                        attachment.state = AttachmentState::Attached;
                        attachment.due = None;
                    }
                    AttachmentState::Detaching => {
                        attachment.state = AttachmentState::Detached;
                        attachment.due = Some(due + TOMBSTONE_TTL);
                        detached.push(attachment.vpc_id.clone());
                    }
                    AttachmentState::Detached => return false,
                }
            }
            true
        });
        detached
    }

    fn write(&self, xml: &mut Xml) {
        xml.text("vpnGatewayId", &self.id);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text("type", "ipsec.1");
        xml.maybe("availabilityZone", self.zone.as_ref());
        xml.set("attachments", &self.attachments, write_attachment);
        xml.text("amazonSideAsn", self.asn);
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(match name {
            "vpn-gateway-id" => vec![self.id.clone()],
            "state" => vec![self.lifecycle.state.as_str().to_owned()],
            "type" => vec!["ipsec.1".to_owned()],
            "amazon-side-asn" => vec![self.asn.to_string()],
            "availability-zone" => self.zone.iter().cloned().collect(),
            "attachment.vpc-id" => self.attachments.iter().map(|a| a.vpc_id.clone()).collect(),
            "attachment.state" => self
                .attachments
                .iter()
                .map(|a| a.state.as_str().to_owned())
                .collect(),
            _ => return None,
        })
    }
}

fn write_attachment(xml: &mut Xml, attachment: &Attachment) {
    xml.text("vpcId", &attachment.vpc_id);
    xml.text("state", attachment.state.as_str());
}

impl Region {
    pub(super) fn create_vpn_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        require_ipsec(params)?;
        let asn = amazon_asn(params, "AmazonSideAsn")?;
        let tags = lifecycle::initial_tags::<VpnGateway>(params)?;
        if self
            .vpn_gateways
            .values()
            .filter(|gateway| !gateway.gone())
            .count()
            >= self.quotas.vpn_gateways
        {
            return Err(ApiError::new(
                "VpnGatewayLimitExceeded",
                "The maximum number of virtual private gateways has been reached.",
            ));
        }
        let gateway = VpnGateway {
            id: new_id("vgw", cx.rng),
            tags,
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::pending(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST)),
            asn,
            zone: params.get("AvailabilityZone").map(str::to_owned),
            attachments: Vec::new(),
        };
        let mut xml = Xml::new();
        xml.nest("vpnGateway", |xml| gateway.write(xml));
        self.vpn_gateways.insert(gateway.id.clone(), gateway);
        Ok(xml)
    }

    pub(super) fn describe_vpn_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.vpn_gateways,
            params,
            "VpnGatewayId",
            cx.now,
            VpnGateway::field,
        )?;
        let mut xml = Xml::new();
        xml.set("vpnGatewaySet", rows, |xml, gateway| gateway.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_vpn_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnGatewayId")?;
        let gateway = find_live(&self.vpn_gateways, id, cx.now)?;
        if gateway.held().next().is_some()
            || self.connections_of(id).any(|connection| !connection.gone())
        {
            return Err(ApiError::incorrect_state("The VPN gateway is in use."));
        }
        let gateway = find_mut(&mut self.vpn_gateways, id, cx.now)?;
        if gateway.lifecycle.state != State::Deleting {
            gateway.lifecycle =
                Lifecycle::deleting(cx.now + cx.rng.duration(DELETE_LEAST, DELETE_MOST));
        }
        Ok(Xml::done())
    }

    pub(super) fn attach_vpn_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = self
            .usable_vpc(params.require("VpcId")?, cx.now)?
            .id
            .clone();
        let id = params.require("VpnGatewayId")?;
        let gateway = find_live(&self.vpn_gateways, id, cx.now)?;
        if gateway.lifecycle.state != State::Available {
            return Err(ApiError::new(
                "InvalidVpnGatewayState",
                format!("The vpnGateway ID '{id}' is not in a valid state"),
            ));
        }
        if let Some(held) = gateway.held().find(|attachment| attachment.vpc_id == vpc) {
            if held.state == AttachmentState::Detaching {
                return Err(ApiError::incorrect_state(format!(
                    "The vpnGateway '{id}' is being detached from '{vpc}'."
                )));
            }
            let mut xml = Xml::new();
            xml.nest("attachment", |xml| write_attachment(xml, held));
            return Ok(xml);
        }
        if gateway.held().next().is_some() {
            return Err(ApiError::new(
                "VpnGatewayAttachmentLimitExceeded",
                format!("The vpnGateway ID '{id}' is already attached to another VPC"),
            ));
        }
        if self
            .vpn_gateways
            .values()
            .any(|other| other.id != id && other.holds(&vpc))
        {
            return Err(ApiError::new(
                "InvalidVpcState",
                format!("The VPC '{vpc}' already has a virtual private gateway"),
            ));
        }
        self.require_not_pending(id)?;
        let gateway = find_mut(&mut self.vpn_gateways, id, cx.now)?;
        let due = Some(cx.now + cx.rng.duration(ATTACH_LEAST, ATTACH_MOST));
        let attachment = Attachment {
            vpc_id: vpc,
            state: AttachmentState::Attaching,
            due,
        };
        let mut xml = Xml::new();
        xml.nest("attachment", |xml| write_attachment(xml, &attachment));
        gateway
            .attachments
            .retain(|old| old.vpc_id != attachment.vpc_id);
        gateway.attachments.push(attachment);
        Ok(xml)
    }

    pub(super) fn detach_vpn_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = params.require("VpcId")?;
        let id = params.require("VpnGatewayId")?;
        if !find_live(&self.vpn_gateways, id, cx.now)?.holds(vpc) {
            return Err(ApiError::new(
                "InvalidVpnGatewayAttachment.NotFound",
                format!(
                    "The attachment with vpn gateway ID '{id}' and vpc ID '{vpc}' does not exist"
                ),
            ));
        }
        self.require_not_pending(id)?;
        let due = Some(cx.now + cx.rng.duration(ATTACH_LEAST, ATTACH_MOST));
        let gateway = find_mut(&mut self.vpn_gateways, id, cx.now)?;
        for attachment in &mut gateway.attachments {
            if attachment.vpc_id == vpc
                && matches!(
                    attachment.state,
                    AttachmentState::Attaching | AttachmentState::Attached
                )
            {
                attachment.state = AttachmentState::Detaching;
                attachment.due = due;
            }
        }
        Ok(Xml::done())
    }

    /// Attachments cannot change while a connection of the gateway is being made.
    fn require_not_pending(&self, id: &str) -> Result<(), ApiError> {
        if self
            .connections_of(id)
            .any(|connection| connection.lifecycle.state == State::Pending)
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "This call cannot be completed because there are pending VPNs or Virtual Interfaces",
            ));
        }
        Ok(())
    }
}

/// `Type` must be there and be the only type that there is.
pub fn require_ipsec(params: &Params) -> Result<(), ApiError> {
    match params.require("Type")? {
        "ipsec.1" => Ok(()),
        other => Err(ApiError::value(
            "type",
            other,
            "The only supported type is ipsec.1.",
        )),
    }
}
