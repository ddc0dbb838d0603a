//! The attachment of a VPN connection to a transit gateway: tags, propagation and association.

use super::ApplyContext;
use crate::aws::model::{
    AssociationState, TransitAttachment, TransitGatewayId, TransitRouteTableId, VpnConnection,
};
use crate::reconcile::error::ActionError;
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::compare;
use bgp_vpn::ownership_tags::propagation_tag;
use bgp_vpn::spec::{AwsGateway, TransitRouting};
use bgp_vpn::transit_routing;
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Tags;

/// Tags from which on no route table is recorded: EC2 allows 50. Propagation that is not recorded
/// stays until the VPN connection is deleted, which ends it.
const MAX_TAGS_BEFORE_RECORD: usize = 48;

/// A VPN connection with its attachment.
struct Attached {
    instance: Instance,
    connection: VpnConnection,
    gateway: TransitGatewayId,
    attachment: TransitAttachment,
}

impl ApplyContext<'_> {
    /// Tags, then propagation into further tables, then the association, which interrupts routes,
    /// then the end of propagation.
    pub(super) async fn transit_attachment(&self, instance: Instance) -> Result<(), ActionError> {
        let AwsGateway::TransitGateway(gateway) = &self.spec.aws.gateway else {
            let object = ActionTarget::TransitAttachment(instance);
            return Err(ActionError::internal(object, Verb::Update));
        };
        let connection = self.context.require("the VPN connection", |observed| {
            observed.aws.vpn_connections.get(instance).clone()
        })?;
        let before = self.context.read(|observed| {
            let attachments = &observed.aws.transit_attachments;
            attachments.get(instance).clone()
        });
        let routing = &self.spec.aws.transit_routing;
        // Where no table is configured any more, the tags may still record some.
        let routes = *routing != TransitRouting::default()
            || before.is_some_and(|before| {
                !transit_routing::former_propagations(self.spec, &before).is_empty()
            });
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let attachment = ec2
            .wait_transit_attachment(&ctx, &connection.id, gateway, routes)
            .await?;
        let mut attached = Attached {
            instance,
            connection,
            gateway: gateway.clone(),
            attachment,
        };
        self.record_attachment(&attached);
        self.tag_attachment(&mut attached).await?;
        if routes {
            let id = &attached.attachment.id;
            attached.attachment.propagations = ec2.attachment_propagations(&ctx, id).await?;
            self.propagate_attachment(&mut attached).await?;
            self.associate_attachment(&mut attached).await?;
            self.end_former_propagations(&mut attached).await?;
        }
        self.record_attachment(&attached);
        Ok(())
    }

    fn record_attachment(&self, attached: &Attached) {
        let (at, one) = (attached.instance, &attached.attachment);
        self.context.update(|observed| {
            let aws = &mut observed.aws;
            *aws.transit_attachments.get_mut(at) = Some(one.clone());
            *aws.transit_attachment_ids.get_mut(at) = Some(one.id.clone());
        });
    }

    /// Writes all tags that are wanted at once: the permission to tag an attachment for the first
    /// time depends on the ownership tag in the request.
    async fn tag_attachment(&self, attached: &mut Attached) -> Result<(), ActionError> {
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let have = &attached.attachment.tags;
        let (connection, instance) = (&attached.connection, attached.instance);
        let wanted = transit_routing::desired_tags(self.spec, connection, have, instance);
        let surplus: Vec<String> = compare::removed_tags(have, self.spec).cloned().collect();
        let ids = [attached.attachment.id.0.clone()];
        if !compare::user_tag_diff(have, &wanted).is_empty() {
            ec2.create_tags(&ctx, &ids, &wanted).await?;
        }
        ec2.delete_tags(&ctx, &ids, &surplus).await?;
        let tags = &mut attached.attachment.tags;
        tags.extend(wanted);
        tags.retain(|key, _| !surplus.contains(key));
        Ok(())
    }

    async fn propagate_attachment(&self, attached: &mut Attached) -> Result<(), ActionError> {
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let id = attached.attachment.id.clone();
        for table in transit_routing::missing_propagations(self.spec, &attached.attachment) {
            // Before it is enabled: a run that finds it enabled without this tag leaves it enabled.
            let (key, value) = propagation_tag(&table.0, &id.0);
            let tags = &mut attached.attachment.tags;
            if tags.get(&key) != Some(&value) && tags.len() < MAX_TAGS_BEFORE_RECORD {
                let mark = Tags::from([(key, value)]);
                ec2.create_tags(&ctx, std::slice::from_ref(&id.0), &mark)
                    .await?;
                tags.extend(mark);
            }
            ec2.enable_transit_propagation(&ctx, &id, &table).await?;
            ec2.wait_transit_propagation(&ctx, &id, &table, true)
                .await?;
            attached
                .attachment
                .propagations
                .get_or_insert_default()
                .insert(table);
        }
        Ok(())
    }

    async fn end_former_propagations(&self, attached: &mut Attached) -> Result<(), ActionError> {
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let id = attached.attachment.id.clone();
        for table in transit_routing::former_propagations(self.spec, &attached.attachment) {
            ec2.disable_transit_propagation(&ctx, &id, &table).await?;
            ec2.wait_transit_propagation(&ctx, &id, &table, false)
                .await?;
            let (key, _) = propagation_tag(&table.0, &id.0);
            let (ids, keys) = ([id.0.clone()], [key.clone()]);
            ec2.delete_tags(&ctx, &ids, &keys).await?;
            let attachment = &mut attached.attachment;
            attachment.tags.remove(&key);
            attachment
                .propagations
                .get_or_insert_default()
                .remove(&table);
        }
        Ok(())
    }

    /// AWS associates an attachment with one table at most, so the former association ends first.
    async fn associate_attachment(&self, attached: &mut Attached) -> Result<(), ActionError> {
        let Some(table) = &self.spec.aws.transit_routing.association else {
            return Ok(());
        };
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let (connection, gateway) = (&attached.connection.id, &attached.gateway);
        let id = &attached.attachment.id;
        let ends = match &attached.attachment.association {
            Some((has, _)) if has == table && !is_ending(attached) => None,
            Some((has, _)) => Some(has.clone()),
            None => None,
        };
        if let Some(former) = &ends {
            self.spare_peer(attached.instance).await?;
            self.end_association(attached, former).await?;
            ec2.wait_transit_association(&ctx, connection, gateway, None)
                .await?;
        }
        if ends.is_some() || attached.attachment.association.is_none() {
            ec2.associate_transit_route_table(&ctx, id, table).await?;
        }
        ec2.wait_transit_association(&ctx, connection, gateway, Some(table))
            .await?;
        let state = AssociationState::Associated;
        attached.attachment.association = Some((table.clone(), state));
        Ok(())
    }

    async fn end_association(
        &self,
        attached: &Attached,
        former: &TransitRouteTableId,
    ) -> Result<(), ActionError> {
        if is_ending(attached) {
            return Ok(());
        }
        let (ec2, ctx) = (
            &self.context.clients.ec2,
            self.context.operation.call_context(),
        );
        let id = &attached.attachment.id;
        ec2.disassociate_transit_route_table(&ctx, id, former)
            .await?;
        Ok(())
    }

    /// A connection that carries traffic is interrupted only while the tunnels of the other are up.
    async fn spare_peer(&self, instance: Instance) -> Result<(), ActionError> {
        let tunnels = instance.tunnels();
        let before = self.context.before;
        if tunnels.iter().any(|key| before.is_up(*key)) {
            self.wait_peer_connection(instance).await?;
        }
        Ok(())
    }

    /// The attachment of a VPN connection whose tags change, where it was not read. Reading it is
    /// no reason to fail: the link may have no permission for it.
    pub(super) async fn unread_attachment(
        &self,
        instance: Instance,
    ) -> Result<Option<String>, ActionError> {
        let AwsGateway::TransitGateway(gateway) = &self.spec.aws.gateway else {
            return Ok(None);
        };
        let (connection, is_read) = self.context.read(|observed| {
            let aws = &observed.aws;
            let connection = aws.vpn_connections.get(instance).as_ref();
            (
                connection.map(|one| one.id.clone()),
                aws.transit_attachments.get(instance).is_some(),
            )
        });
        let Some(connection) = connection.filter(|_| !is_read) else {
            return Ok(None);
        };
        let ctx = self.context.operation.call_context();
        let read = self
            .context
            .clients
            .ec2
            .read_transit_attachments(&ctx, &[connection])
            .await;
        match read {
            Err(denied @ crate::aws::Error::Denied(_)) => {
                tracing::warn!(%denied, "cannot tag the transit gateway attachment");
                Ok(None)
            }
            found => {
                let mut found = found?.into_iter();
                let own = found.find(|one| one.gateway == *gateway);
                Ok(own.map(|one| one.id.0))
            }
        }
    }
}

/// Whether the association of the attachment ends already.
fn is_ending(attached: &Attached) -> bool {
    let association = attached.attachment.association.as_ref();
    association.is_some_and(|(_, state)| *state == AssociationState::Disassociating)
}
