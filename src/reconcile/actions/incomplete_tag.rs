//! The end of a create: the tags that call the link incomplete are removed.

use super::ApplyContext;
use crate::reconcile::error::ActionError;
use bgp_vpn::ownership_tags::{TAG_HEARTBEAT, TAG_INCOMPLETE};
use bgp_vpn::tunnel::Instance;

impl ApplyContext<'_> {
    /// Removes the incomplete tag and the heartbeat from every AWS object in one call.
    pub(super) async fn clear_incomplete_tag(&self) -> Result<(), ActionError> {
        let context = self.context;
        let ids = context.read(|observed| {
            let aws = &observed.aws;
            let link = context.scope.link.as_ref().unwrap_or(&self.spec.link);
            let mut ids: Vec<String> = Vec::new();
            ids.extend(
                aws.gateway
                    .iter()
                    .filter(|g| link.is_on(&g.tags))
                    .map(|g| g.id.0.clone()),
            );
            for instance in Instance::ALL {
                ids.extend(
                    aws.customer_gateways
                        .get(instance)
                        .iter()
                        .map(|c| c.id.0.clone()),
                );
                ids.extend(
                    aws.vpn_connections
                        .get(instance)
                        .iter()
                        .map(|v| v.id.0.clone()),
                );
            }
            if aws.vpc.as_ref().is_some_and(|v| link.is_on(&v.tags)) {
                ids.extend(aws.vpc.iter().map(|v| v.id.0.clone()));
                ids.extend(aws.internet_gateway.iter().map(|i| i.id.0.clone()));
                ids.extend(aws.public_subnet.iter().map(|s| s.0.clone()));
                ids.extend(aws.public_route_table.iter().map(|t| t.0.clone()));
            }
            ids
        });
        self.heartbeat.stop().await;
        context
            .clients
            .ec2
            .delete_tags(
                &context.operation.call_context(),
                &ids,
                &[TAG_INCOMPLETE, TAG_HEARTBEAT].map(str::to_owned),
            )
            .await?;
        context.update(|observed| {
            let aws = &mut observed.aws;
            for tags in [
                aws.gateway.as_mut().map(|g| &mut g.tags),
                aws.vpc.as_mut().map(|v| &mut v.tags),
            ]
            .into_iter()
            .flatten()
            {
                tags.remove(TAG_INCOMPLETE);
            }
            for instance in Instance::ALL {
                if let Some(customer) = aws.customer_gateways.get_mut(instance) {
                    customer.tags.remove(TAG_INCOMPLETE);
                    customer.tags.remove(TAG_HEARTBEAT);
                }
                if let Some(vpn) = aws.vpn_connections.get_mut(instance) {
                    vpn.tags.remove(TAG_INCOMPLETE);
                }
            }
        });
        Ok(())
    }
}
