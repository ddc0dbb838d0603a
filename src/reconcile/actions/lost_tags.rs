//! Writes ownership tags again that were deleted.

use super::ApplyContext;
use crate::azure::documents;
use crate::reconcile::error::ActionError;
use bgp_vpn::lost_tags::{ObjectRef, Tagged, desired_tags, objects_with_lost_tags};
use bgp_vpn::types::Tags;
use serde_json::Value;

impl ApplyContext<'_> {
    pub(super) async fn restore_tags(&self) -> Result<(), ActionError> {
        for object in self
            .context
            .read(|observed| objects_with_lost_tags(self.spec, observed))
        {
            self.restore(&object).await?;
        }
        Ok(())
    }

    async fn restore(&self, object: &Tagged) -> Result<(), ActionError> {
        let (azure, ctx) = (
            &self.context.clients.azure,
            self.context.operation.call_context(),
        );
        let own = desired_tags(self.spec, object);
        let all: Tags = object.tags.clone().into_iter().chain(own.clone()).collect();
        let edit = |doc: &mut Value| {
            own.iter()
                .for_each(|(key, value)| documents::set_tag(doc, key, value))
        };
        match &object.place {
            ObjectRef::Group(name) => azure.set_group_tags(name, &all, &ctx).await?,
            ObjectRef::Azure(id) => azure.set_tags(id, &all, &ctx).await?,
            ObjectRef::AzureGateway(id) => {
                let changed = azure.change_gateway(id, &edit, &ctx).await?;
                self.context
                    .update(|observed| observed.azure.gateway = Some(changed));
            }
            ObjectRef::AzureConnection(id) => {
                azure
                    .change_connection(id, self.spec.azure.gateway.id(), &edit, &ctx)
                    .await?;
            }
            ObjectRef::Aws(id) => {
                self.context
                    .clients
                    .ec2
                    .create_tags(
                        &self.context.operation.call_context(),
                        std::slice::from_ref(id),
                        &own,
                    )
                    .await?;
            }
        }
        Ok(())
    }
}
