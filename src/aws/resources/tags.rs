//! Tags of objects that exist.

use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types::Tag;
use bgp_vpn::types::Tags;

impl Ec2 {
    /// Sets tags on objects of any kind; other tags stay as they are.
    ///
    /// # Errors
    /// `NotFound` names the first id that is not there, and then nothing is tagged; see `Error`.
    pub async fn create_tags(
        &self,
        ctx: &CallContext,
        ids: &[String],
        tags: &Tags,
    ) -> Result<(), Error> {
        if ids.is_empty() || tags.is_empty() {
            return Ok(());
        }
        let list: Vec<Tag> = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect();
        let send = || {
            self.client()
                .create_tags()
                .set_resources(Some(ids.to_vec()))
                .set_tags(Some(list.clone()))
                .send()
        };
        self.with_retry(
            ctx,
            RetryPolicy::CHANGE,
            "CreateTags",
            &ids.join(", "),
            send,
        )
        .await
        .map(drop)
    }

    /// Removes tags by key, with any value; absent tags are ignored.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn delete_tags(
        &self,
        ctx: &CallContext,
        ids: &[String],
        keys: &[String],
    ) -> Result<(), Error> {
        if ids.is_empty() || keys.is_empty() {
            return Ok(());
        }
        let list: Vec<Tag> = keys
            .iter()
            .map(|key| Tag::builder().key(key).build())
            .collect();
        let send = || {
            self.client()
                .delete_tags()
                .set_resources(Some(ids.to_vec()))
                .set_tags(Some(list.clone()))
                .send()
        };
        self.with_retry(
            ctx,
            RetryPolicy::CHANGE,
            "DeleteTags",
            &ids.join(", "),
            send,
        )
        .await
        .map(drop)
    }
}
