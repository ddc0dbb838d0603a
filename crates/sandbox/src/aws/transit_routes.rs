//! Route tables of transit gateways: which one an attachment is associated with, and into which ones
//! it propagates its routes.
//!
//! The codes of the errors are those that the provider for AWS and the landing zone accelerator
//! handle (read 2026-11). The messages, and the error for a table of another gateway, are
//! unverified.

use super::describe_vpn::moment;
use super::errors::ApiError;
use super::filters;
use super::lifecycle::{
    Lifecycle, State, find_live, find_mut, new_id, object, select, visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::transit::TransitAttachment;
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::{Context, Settings};
use serde::{Deserialize, Serialize};

const CREATE_LEAST: SimDuration = SimDuration::seconds(5);
const CREATE_MOST: SimDuration = SimDuration::seconds(30);
const CHANGE_LEAST: SimDuration = SimDuration::seconds(10);
const CHANGE_MOST: SimDuration = SimDuration::seconds(50);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransitRouteTable {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub gateway_id: String,
    pub created: SimTime,
    pub default_association: bool,
    pub default_propagation: bool,
}

object!(
    TransitRouteTable,
    "transit-gateway-route-table",
    "tgw-rtb",
    "InvalidRouteTableID",
    "transitGatewayRouteTable",
    lifecycle
);

/// A change between an attachment and a route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    Starting,
    On,
    Ending,
}

impl LinkState {
    /// EC2's word for an association.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Starting => "associating",
            LinkState::On => "associated",
            LinkState::Ending => "disassociating",
        }
    }

    /// EC2's word for a propagation.
    fn of_propagation(self) -> &'static str {
        match self {
            LinkState::Starting => "enabling",
            LinkState::On => "enabled",
            LinkState::Ending => "disabling",
        }
    }
}

/// The route table by which traffic of an attachment is routed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Association {
    pub route_table: String,
    pub state: LinkState,
    due: Option<SimTime>,
}

impl Association {
    /// One that is complete by then.
    pub fn new(route_table: &str, due: SimTime) -> Self {
        Association {
            route_table: route_table.to_owned(),
            state: LinkState::Starting,
            due: Some(due),
        }
    }

    /// The same at another time; None once it has ended.
    pub fn advanced(mut self, now: SimTime) -> Option<Self> {
        if self.due.is_some_and(|due| due <= now) {
            if self.state == LinkState::Ending {
                return None;
            }
            (self.state, self.due) = (LinkState::On, None);
        }
        Some(self)
    }
}

/// Routes of an attachment in a route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Propagation {
    state: LinkState,
    due: Option<SimTime>,
}

impl Propagation {
    /// One that is complete by then.
    pub fn new(due: SimTime) -> Self {
        Propagation {
            state: LinkState::Starting,
            due: Some(due),
        }
    }

    /// Lets a due change happen; false once it has ended.
    pub fn advance(&mut self, now: SimTime) -> bool {
        if self.due.is_some_and(|due| due <= now) {
            if self.state == LinkState::Ending {
                return false;
            }
            (self.state, self.due) = (LinkState::On, None);
        }
        true
    }
}

impl TransitRouteTable {
    fn write(&self, settings: &Settings, xml: &mut Xml) {
        xml.text("transitGatewayRouteTableId", &self.id);
        xml.text("transitGatewayId", &self.gateway_id);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text("defaultAssociationRouteTable", self.default_association);
        xml.text("defaultPropagationRouteTable", self.default_propagation);
        xml.text("creationTime", moment(settings, self.created));
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "transit-gateway-route-table-id" => self.id.clone(),
            "transit-gateway-id" => self.gateway_id.clone(),
            "state" => self.lifecycle.state.as_str().to_owned(),
            "default-association-route-table" => self.default_association.to_string(),
            "default-propagation-route-table" => self.default_propagation.to_string(),
            _ => return None,
        }])
    }
}

/// What associations and propagations show of an attachment.
fn write_attachment(xml: &mut Xml, attachment: &TransitAttachment) {
    xml.text("transitGatewayAttachmentId", &attachment.id);
    xml.text("resourceId", &attachment.vpn_connection_id);
    xml.text("resourceType", "vpn");
}

impl Region {
    pub(super) fn create_transit_gateway_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let gateway = find_live(
            &self.transit_gateways,
            params.require("TransitGatewayId")?,
            cx.now,
        )?;
        if gateway.lifecycle.state != State::Available {
            return Err(ApiError::incorrect_state(format!(
                "{} is in invalid state",
                gateway.id
            )));
        }
        let mut tags = Tags::new();
        for prefix in params.structures("TagSpecifications") {
            for prefix in params.structures(&format!("{prefix}Tag")) {
                let key = params.require(&format!("{prefix}Key"))?.to_owned();
                let value = params.get(&format!("{prefix}Value")).unwrap_or_default();
                tags.insert(key, value.to_owned());
            }
        }
        let table = TransitRouteTable {
            id: new_id("tgw-rtb", cx.rng),
            tags,
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::pending(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST)),
            gateway_id: gateway.id.clone(),
            created: cx.now,
            default_association: false,
            default_propagation: false,
        };
        let mut xml = Xml::new();
        xml.nest("transitGatewayRouteTable", |xml| {
            table.write(cx.settings, xml)
        });
        self.transit_route_tables.insert(table.id.clone(), table);
        Ok(xml)
    }

    pub(super) fn describe_transit_gateway_route_tables(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.transit_route_tables,
            params,
            "TransitGatewayRouteTableIds",
            cx.now,
            TransitRouteTable::field,
        )?;
        let mut xml = Xml::new();
        xml.set("transitGatewayRouteTables", rows, |xml, table| {
            table.write(cx.settings, xml)
        });
        Ok(xml)
    }

    pub(super) fn delete_transit_gateway_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("TransitGatewayRouteTableId")?;
        find_live(&self.transit_route_tables, id, cx.now)?;
        let associated = |attachment: &&TransitAttachment| {
            let association = attachment.association.as_ref();
            association.is_some_and(|one| one.route_table == id)
        };
        if self
            .transit_attachments
            .values()
            .any(|one| associated(&one))
        {
            return Err(ApiError::incorrect_state(format!(
                "{id} has non-deleted associations"
            )));
        }
        for attachment in self.transit_attachments.values_mut() {
            attachment.propagations.remove(id);
        }
        let table = find_mut(&mut self.transit_route_tables, id, cx.now)?;
        table.lifecycle = Lifecycle::deleting(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST));
        let mut xml = Xml::new();
        xml.nest("transitGatewayRouteTable", |xml| {
            table.write(cx.settings, xml)
        });
        Ok(xml)
    }

    pub(super) fn associate_transit_gateway_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (table, attachment) = self.table_and_attachment(params, cx.now)?;
        if attachment.association.is_some() {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!(
                    "Transit Gateway Attachment {} is already associated to a route table.",
                    attachment.id
                ),
            ));
        }
        let due = cx.now + cx.rng.duration(CHANGE_LEAST, CHANGE_MOST);
        attachment.association = Some(Association::new(&table, due));
        Ok(shown_association(attachment))
    }

    pub(super) fn disassociate_transit_gateway_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (table, attachment) = self.table_and_attachment(params, cx.now)?;
        let id = attachment.id.clone();
        let association = attachment
            .association
            .as_mut()
            .filter(|one| one.route_table == table)
            .ok_or_else(|| {
                ApiError::new(
                    "InvalidAssociation.NotFound",
                    format!("The association of {id} with {table} does not exist."),
                )
            })?;
        if association.state != LinkState::On {
            return Err(ApiError::incorrect_state(format!(
                "The association of {id} with {table} is in invalid state"
            )));
        }
        association.state = LinkState::Ending;
        association.due = Some(cx.now + cx.rng.duration(CHANGE_LEAST, CHANGE_MOST));
        Ok(shown_association(attachment))
    }

    pub(super) fn enable_transit_gateway_route_table_propagation(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (table, attachment) = self.table_and_attachment(params, cx.now)?;
        if attachment.propagations.contains_key(&table) {
            return Err(ApiError::new(
                "TransitGatewayRouteTablePropagation.Duplicate",
                format!(
                    "Propagation {} already exists in Transit Gateway Route Table {table}.",
                    attachment.id
                ),
            ));
        }
        let due = cx.now + cx.rng.duration(CHANGE_LEAST, CHANGE_MOST);
        let propagation = Propagation::new(due);
        attachment.propagations.insert(table.clone(), propagation);
        Ok(shown_propagation(attachment, &table))
    }

    pub(super) fn disable_transit_gateway_route_table_propagation(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (table, attachment) = self.table_and_attachment(params, cx.now)?;
        let id = attachment.id.clone();
        let propagation = attachment.propagations.get_mut(&table).ok_or_else(|| {
            ApiError::new(
                "TransitGatewayRouteTablePropagation.NotFound",
                format!("Propagation {id} does not exist in Transit Gateway Route Table {table}."),
            )
        })?;
        propagation.state = LinkState::Ending;
        propagation.due = Some(cx.now + cx.rng.duration(CHANGE_LEAST, CHANGE_MOST));
        Ok(shown_propagation(attachment, &table))
    }

    pub(super) fn get_transit_gateway_attachment_propagations(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("TransitGatewayAttachmentId")?;
        let attachment = find_live(&self.transit_attachments, id, cx.now)?;
        let filters = filters::parse(params)?;
        let mut rows = Vec::new();
        for (table, propagation) in &attachment.propagations {
            let field = |name: &str| match name {
                "transit-gateway-route-table-id" => Some(vec![table.clone()]),
                _ => None,
            };
            if filters::accept(&filters, &Tags::new(), field)? {
                rows.push((table, propagation));
            }
        }
        let mut xml = Xml::new();
        let list = "transitGatewayAttachmentPropagations";
        xml.set(list, rows, |xml, (table, propagation)| {
            xml.text("transitGatewayRouteTableId", table);
            xml.text("state", propagation.state.of_propagation());
        });
        Ok(xml)
    }

    pub(super) fn get_transit_gateway_route_table_associations(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("TransitGatewayRouteTableId")?;
        find_live(&self.transit_route_tables, id, cx.now)?;
        let mut rows = Vec::new();
        for attachment in self.attachments_that(params)? {
            let association = attachment.association.as_ref();
            if let Some(association) = association.filter(|one| one.route_table == id) {
                rows.push((attachment, association));
            }
        }
        let mut xml = Xml::new();
        xml.set("associations", rows, |xml, (attachment, association)| {
            write_attachment(xml, attachment);
            xml.text("state", association.state.as_str());
        });
        Ok(xml)
    }

    pub(super) fn get_transit_gateway_route_table_propagations(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("TransitGatewayRouteTableId")?;
        find_live(&self.transit_route_tables, id, cx.now)?;
        let mut rows = Vec::new();
        for attachment in self.attachments_that(params)? {
            if let Some(propagation) = attachment.propagations.get(id) {
                rows.push((attachment, propagation));
            }
        }
        let mut xml = Xml::new();
        let list = "transitGatewayRouteTablePropagations";
        xml.set(list, rows, |xml, (attachment, propagation)| {
            write_attachment(xml, attachment);
            xml.text("state", propagation.state.of_propagation());
        });
        Ok(xml)
    }

    /// Attachments that pass the filters of a request.
    fn attachments_that(&self, params: &Params) -> Result<Vec<&TransitAttachment>, ApiError> {
        let filters = filters::parse(params)?;
        let mut found = Vec::new();
        for attachment in self.transit_attachments.values() {
            let field = |name: &str| {
                Some(vec![match name {
                    "resource-id" => attachment.vpn_connection_id.clone(),
                    "resource-type" => "vpn".to_owned(),
                    "transit-gateway-attachment-id" => attachment.id.clone(),
                    _ => return None,
                }])
            };
            if filters::accept(&filters, &attachment.tags, field)? {
                found.push(attachment);
            }
        }
        Ok(found)
    }

    /// The table and the attachment that a request names. Both must be available.
    fn table_and_attachment(
        &mut self,
        params: &Params,
        now: SimTime,
    ) -> Result<(String, &mut TransitAttachment), ApiError> {
        let table = find_live(
            &self.transit_route_tables,
            params.require("TransitGatewayRouteTableId")?,
            now,
        )?;
        let id = params.require("TransitGatewayAttachmentId")?;
        let attachment = find_mut(&mut self.transit_attachments, id, now)?;
        let states = [
            (&table.id, table.lifecycle.state),
            (&attachment.id, attachment.lifecycle.state),
        ];
        if let Some((id, _)) = states.iter().find(|(_, state)| *state != State::Available) {
            return Err(ApiError::incorrect_state(format!(
                "{id} is in invalid state"
            )));
        }
        if table.gateway_id != attachment.gateway_id {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!(
                    "{} and {} belong to different transit gateways.",
                    table.id, attachment.id
                ),
            ));
        }
        Ok((table.id.clone(), attachment))
    }
}

fn shown_association(attachment: &TransitAttachment) -> Xml {
    let mut xml = Xml::new();
    xml.nest("association", |xml| {
        if let Some(association) = &attachment.association {
            xml.text("transitGatewayRouteTableId", &association.route_table);
            write_attachment(xml, attachment);
            xml.text("state", association.state.as_str());
        }
    });
    xml
}

fn shown_propagation(attachment: &TransitAttachment, table: &str) -> Xml {
    let mut xml = Xml::new();
    xml.nest("propagation", |xml| {
        xml.text("transitGatewayRouteTableId", table);
        write_attachment(xml, attachment);
        if let Some(propagation) = attachment.propagations.get(table) {
            xml.text("state", propagation.state.of_propagation());
        }
    });
    xml
}
