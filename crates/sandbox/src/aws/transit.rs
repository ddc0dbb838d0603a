//! Transit gateways, as far as a VPN connection needs them: create, list, delete, and the
//! attachment of each connection. `transit_routes` has the route tables.

use super::ACCOUNT;
use super::connection::{Connection, Target};
use super::describe_vpn::moment;
use super::errors::ApiError;
use super::gateways::amazon_asn;
use super::lifecycle::{
    self, Lifecycle, Object, State, find_live, find_mut, new_id, object, select, visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::transit_routes::{Association, Propagation, TransitRouteTable};
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::{Context, Settings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const CREATE_LEAST: SimDuration = SimDuration::seconds(60);
const CREATE_MOST: SimDuration = SimDuration::seconds(150);
const DELETE_LEAST: SimDuration = SimDuration::seconds(30);
const DELETE_MOST: SimDuration = SimDuration::seconds(90);
const ATTACH_LEAST: SimDuration = SimDuration::seconds(150);
const ATTACH_MOST: SimDuration = SimDuration::seconds(280);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub asn: u32,
    arn: String,
    description: String,
    created: SimTime,
    route_table_id: String,
    ecmp: String,
    /// Of new attachments with the default route table: `enable` or `disable`.
    association: String,
    propagation: String,
}

object!(
    TransitGateway,
    "transit-gateway",
    "tgw",
    "InvalidTransitGatewayID",
    "transitGateway",
    lifecycle
);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitAttachment {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub(super) gateway_id: String,
    pub(super) vpn_connection_id: String,
    created: SimTime,
    #[serde(default)]
    pub(super) association: Option<Association>,
    /// By route table.
    #[serde(default)]
    pub(super) propagations: BTreeMap<String, Propagation>,
}

object!(
    TransitAttachment,
    "transit-gateway-attachment",
    "tgw-attach",
    "InvalidTransitGatewayAttachmentID",
    "transitGatewayAttachment",
    lifecycle
);

impl TransitGateway {
    fn write(&self, settings: &Settings, xml: &mut Xml) {
        let default_table =
            |enabled: &str| (enabled == "enable").then_some(self.route_table_id.as_str());
        xml.text("transitGatewayId", &self.id);
        xml.text("transitGatewayArn", &self.arn);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text("ownerId", ACCOUNT);
        xml.text("description", &self.description);
        xml.text("creationTime", moment(settings, self.created));
        xml.nest("options", |xml| {
            xml.text("amazonSideAsn", self.asn);
            xml.text("autoAcceptSharedAttachments", "disable");
            xml.text("defaultRouteTableAssociation", &self.association);
            xml.maybe(
                "associationDefaultRouteTableId",
                default_table(&self.association),
            );
            xml.text("defaultRouteTablePropagation", &self.propagation);
            xml.maybe(
                "propagationDefaultRouteTableId",
                default_table(&self.propagation),
            );
            xml.text("vpnEcmpSupport", &self.ecmp);
            xml.text("dnsSupport", "enable");
            xml.text("securityGroupReferencingSupport", "disable");
            xml.text("multicastSupport", "disable");
        });
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "transit-gateway-id" => self.id.clone(),
            "state" => self.lifecycle.state.as_str().to_owned(),
            "owner-id" => ACCOUNT.to_owned(),
            "options.amazon-side-asn" => self.asn.to_string(),
            _ => return None,
        }])
    }
}

impl TransitAttachment {
    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "transit-gateway-attachment-id" => self.id.clone(),
            "transit-gateway-id" => self.gateway_id.clone(),
            "resource-id" => self.vpn_connection_id.clone(),
            "resource-type" => "vpn".to_owned(),
            "state" => self.lifecycle.state.as_str().to_owned(),
            "resource-owner-id" | "transit-gateway-owner-id" => ACCOUNT.to_owned(),
            "association.transit-gateway-route-table-id" | "association.state" => {
                let association = self.association.iter();
                let shown = association.map(|one| match name {
                    "association.state" => one.state.as_str().to_owned(),
                    _ => one.route_table.clone(),
                });
                return Some(shown.collect());
            }
            _ => return None,
        }])
    }

    /// Lets due changes happen; false when the deleted row is to go.
    pub fn advance(&mut self, now: SimTime) -> bool {
        self.association = self.association.take().and_then(|one| one.advanced(now));
        self.propagations.retain(|_, one| one.advance(now));
        self.lifecycle.advance(now)
    }
}

impl Region {
    pub(super) fn create_transit_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let asn = amazon_asn(params, "Options.AmazonSideAsn")?;
        if self
            .transit_gateways
            .values()
            .filter(|gateway| !gateway.gone())
            .count()
            >= self.quotas.transit_gateways
        {
            return Err(ApiError::new(
                "TransitGatewayLimitExceeded",
                "You've reached the limit of transit gateways.",
            ));
        }
        let option = |name: &str| {
            params
                .get(&format!("Options.{name}"))
                .unwrap_or("enable")
                .to_owned()
        };
        let id = new_id("tgw", cx.rng);
        let visible_from = visible_from(cx.now, cx.rng);
        let available = cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST);
        let gateway = TransitGateway {
            tags: lifecycle::initial_tags::<TransitGateway>(params)?,
            visible_from,
            lifecycle: Lifecycle::pending(available),
            asn,
            arn: self.arn("ec2", &format!("transit-gateway/{id}")),
            description: params.get("Description").unwrap_or_default().to_owned(),
            created: cx.now,
            route_table_id: new_id("tgw-rtb", cx.rng),
            ecmp: option("VpnEcmpSupport"),
            association: option("DefaultRouteTableAssociation"),
            propagation: option("DefaultRouteTablePropagation"),
            id,
        };
        let (associates, propagates) = (
            gateway.association == "enable",
            gateway.propagation == "enable",
        );
        if associates || propagates {
            let table = TransitRouteTable {
                id: gateway.route_table_id.clone(),
                tags: Tags::new(),
                visible_from,
                lifecycle: gateway.lifecycle,
                gateway_id: gateway.id.clone(),
                created: cx.now,
                default_association: associates,
                default_propagation: propagates,
            };
            self.transit_route_tables.insert(table.id.clone(), table);
        }
        let mut xml = Xml::new();
        xml.nest("transitGateway", |xml| gateway.write(cx.settings, xml));
        self.transit_gateways.insert(gateway.id.clone(), gateway);
        Ok(xml)
    }

    pub(super) fn describe_transit_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.transit_gateways,
            params,
            "TransitGatewayIds",
            cx.now,
            TransitGateway::field,
        )?;
        let mut xml = Xml::new();
        xml.set("transitGatewaySet", rows, |xml, gateway| {
            gateway.write(cx.settings, xml)
        });
        Ok(xml)
    }

    pub(super) fn delete_transit_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("TransitGatewayId")?;
        find_live(&self.transit_gateways, id, cx.now)?;
        if self.connections_of(id).any(|connection| !connection.gone()) {
            return Err(ApiError::incorrect_state(format!(
                "{id} has non-deleted VPN Attachments"
            )));
        }
        let gateway = find_mut(&mut self.transit_gateways, id, cx.now)?;
        if gateway.lifecycle.state != State::Deleting {
            gateway.lifecycle =
                Lifecycle::deleting(cx.now + cx.rng.duration(DELETE_LEAST, DELETE_MOST));
        }
        let end = gateway.lifecycle;
        let tables = self.transit_route_tables.values_mut();
        tables
            .filter(|table| table.gateway_id == id)
            .for_each(|table| table.lifecycle = end);
        let mut xml = Xml::new();
        xml.nest("transitGateway", |xml| gateway.write(cx.settings, xml));
        Ok(xml)
    }

    pub(super) fn describe_transit_gateway_attachments(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let map = &self.transit_attachments;
        let rows = select(
            map,
            params,
            "TransitGatewayAttachmentIds",
            cx.now,
            TransitAttachment::field,
        )?;
        let mut xml = Xml::new();
        xml.set("transitGatewayAttachments", rows, |xml, attachment| {
            xml.text("transitGatewayAttachmentId", &attachment.id);
            xml.text("transitGatewayId", &attachment.gateway_id);
            xml.text("transitGatewayOwnerId", ACCOUNT);
            xml.text("resourceOwnerId", ACCOUNT);
            xml.text("resourceType", "vpn");
            xml.text("resourceId", &attachment.vpn_connection_id);
            xml.text("state", attachment.lifecycle.state.as_str());
            if let Some(association) = &attachment.association {
                xml.nest("association", |xml| {
                    xml.text("transitGatewayRouteTableId", &association.route_table);
                    xml.text("state", association.state.as_str());
                });
            }
            xml.text("creationTime", moment(cx.settings, attachment.created));
            tags::write(xml, &attachment.tags);
        });
        Ok(xml)
    }

    /// A connection on a transit gateway is attached to it, under tags of the attachment's own.
    pub(super) fn attach_to_transit_gateway(
        &mut self,
        connection: &Connection,
        cx: &mut Context<'_>,
    ) {
        let Target::TransitGateway(gateway_id) = &connection.target else {
            return;
        };
        let Some(gateway) = self.transit_gateways.get(gateway_id) else {
            return;
        };
        let id = new_id("tgw-attach", cx.rng);
        let visible_from = visible_from(cx.now, cx.rng);
        let available = cx.now + cx.rng.duration(ATTACH_LEAST, ATTACH_MOST);
        let table = &gateway.route_table_id;
        let attachment = TransitAttachment {
            id,
            tags: Tags::new(),
            visible_from,
            lifecycle: Lifecycle::pending(available),
            gateway_id: gateway_id.clone(),
            vpn_connection_id: connection.id.clone(),
            created: cx.now,
            association: (gateway.association == "enable")
                .then(|| Association::new(table, available)),
            propagations: (gateway.propagation == "enable")
                .then(|| (table.clone(), Propagation::new(available)))
                .into_iter()
                .collect(),
        };
        self.transit_attachments
            .insert(attachment.id.clone(), attachment);
    }

    pub(super) fn detach_from_transit_gateway(&mut self, vpn_connection_id: &str, end: SimTime) {
        for attachment in self.transit_attachments.values_mut() {
            if attachment.vpn_connection_id == vpn_connection_id
                && !attachment.lifecycle.state.is_terminating()
            {
                attachment.lifecycle = Lifecycle::deleting(end);
            }
        }
    }

    pub(super) fn transit_tags_mut(
        &mut self,
        id: &str,
        now: SimTime,
    ) -> Result<&mut Tags, ApiError> {
        if id.starts_with("tgw-attach-") {
            return Ok(find_mut(&mut self.transit_attachments, id, now)?.tags_mut());
        }
        if id.starts_with("tgw-rtb-") {
            return Ok(find_mut(&mut self.transit_route_tables, id, now)?.tags_mut());
        }
        Ok(find_mut(&mut self.transit_gateways, id, now)?.tags_mut())
    }
}
