//! Writes ownership tags again that were deleted.

use super::Building;
use crate::azure::documents;
use crate::link::lost_tags::{Place, Tagged, lost, wanted};
use crate::primitives::Tags;
use crate::reconcile::cause::Cause;
use serde_json::Value;

impl Building<'_> {
    pub(super) async fn restore_tags(&self) -> Result<(), Cause> {
        for object in self.acting.seen(|seen| lost(self.spec, seen)) {
            self.restore(&object).await?;
        }
        Ok(())
    }

    async fn restore(&self, object: &Tagged) -> Result<(), Cause> {
        let (azure, waits) = (&self.acting.site.azure, self.acting.limits.azure());
        let own = wanted(self.spec, object);
        let all: Tags = object.tags.clone().into_iter().chain(own.clone()).collect();
        let edit = |doc: &mut Value| own.iter().for_each(|(key, value)| documents::set_tag(doc, key, value));
        match &object.place {
            Place::Group(name) => azure.set_group_tags(name, &all, &waits).await?,
            Place::Azure(id) => azure.set_tags(id, &all, &waits).await?,
            Place::AzureGateway(id) => {
                let changed = azure.change_gateway(id, &edit, &waits).await?;
                self.acting.note(|seen| seen.azure.gateway = Some(changed));
            }
            Place::AzureConnection(id) => {
                azure.change_connection(id, self.spec.azure.gateway.id(), &edit, &waits).await?;
            }
            Place::Aws(id) => {
                self.acting.site.ec2.create_tags(&self.acting.limits.aws(), &[id.clone()], &own).await?;
            }
        }
        Ok(())
    }
}
