//! The provider's Azure half: how [`Azure`] is made, and the reads that all its calls share.
//!
//! [`Azure`] is cheap to clone. Each call takes a [`CallContext`].

use super::arm::{ArmClient, ArmRequest, ArmResponse};
use super::cloud::{self, CloudConfigError};
use super::credentials::{CredentialError, CredentialSettings, select_method};
use super::documents::location::Location;
use super::error::Error;
use super::gateway_lock::GatewayLocks;
use super::id::ResourceId;
use super::resources::{encoded, version_of};
use super::transport::response_limit::ResponseLimit;
use super::transport::tls::Http;
use crate::client::response::{MAX_BYTES, MAX_PAGES};
use crate::client::{Backoff, CallContext, SharedReads};
use azure_core::http::{HttpClient, Method};
use bgp_vpn::types::Tags;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Bytes of all pages of one list.
const MAX_LIST_BYTES: usize = 2 * MAX_BYTES;

/// Returns whether an object with these tags was created by this link. Called before an existing
/// object is accepted as the result of a create.
pub type IsOwned<'a> = &'a (dyn Fn(&Tags) -> bool + Send + Sync);

/// What a client is made from.
#[derive(Clone, Debug, Default)]
pub struct AzureSettings {
    /// Already completed from the environment.
    pub credentials: CredentialSettings,
    /// Files of PEM certificates to trust in addition to those of the system.
    pub extra_roots: Vec<PathBuf>,
    /// A client to send everything through, in place of TLS.
    pub http: Option<Arc<dyn HttpClient>>,
    /// Shared by all clients of the process.
    pub gateway_locks: GatewayLocks,
    /// Makes the pauses between attempts repeatable.
    pub seed: Option<u64>,
}

/// A client cannot be made from the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientBuildError {
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Cloud(#[from] CloudConfigError),
}

/// Azure, as seen from one subscription.
#[derive(Clone, Debug)]
pub struct Azure {
    pub(super) arm: ArmClient,
    pub(super) subscription: Arc<str>,
    pub(super) gateway_locks: GatewayLocks,
    /// Regions of the subscription, once they were read.
    pub(super) locations: Arc<OnceCell<Vec<Location>>>,
    shared_gets: Arc<SharedReads<Option<Value>, Error>>,
    shared_lists: Arc<SharedReads<Vec<Value>, Error>>,
    shares_reads: bool,
}

impl Azure {
    /// Contacts no endpoint.
    ///
    /// # Errors
    /// Where credentials or environment are missing or not known.
    pub fn new(settings: AzureSettings) -> Result<Self, ClientBuildError> {
        let credentials = &settings.credentials;
        // Without one, the resource IDs of a link name it: see `in_subscription`.
        let subscription = credentials.subscription_id.as_deref().unwrap_or_default();
        let subscription = subscription.into();
        let source = cloud::source(
            credentials.environment.as_deref(),
            credentials.metadata_host.as_deref(),
        )?;
        let login = select_method(credentials)?;
        let http = settings
            .http
            .unwrap_or_else(|| Arc::new(Http::new(settings.extra_roots)));
        let http = Arc::new(ResponseLimit::new(http));
        Ok(Azure {
            arm: ArmClient::new(http, source, login, Backoff::new(settings.seed)),
            subscription,
            gateway_locks: settings.gateway_locks,
            locations: Arc::default(),
            shared_gets: Arc::default(),
            shared_lists: Arc::default(),
            shares_reads: false,
        })
    }

    /// This client for reads that other links may make at the same time: equal ones are sent once.
    #[must_use]
    pub fn with_shared_reads(&self) -> Self {
        Azure {
            shares_reads: true,
            ..self.clone()
        }
    }

    /// This client for a link in `subscription`, where the provider has none of its own.
    #[must_use]
    pub fn in_subscription(&self, subscription: &str) -> Self {
        let mut client = self.clone();
        if client.subscription.is_empty() {
            client.subscription = subscription.into();
            client.locations = Arc::default();
        }
        client
    }

    /// Empty where the provider has none.
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// An id in this subscription, in `Microsoft.Network`.
    pub fn network_id(&self, group: &str, kind: &str, name: &str) -> ResourceId {
        ResourceId::network(&self.subscription, group, kind, name)
    }

    /// The document of a resource; None where it, or its group, does not exist.
    pub(super) async fn get(
        &self,
        operation: &'static str,
        id: &ResourceId,
        ctx: &CallContext,
    ) -> Result<Option<Value>, Error> {
        self.get_call(
            &ArmRequest::new(operation, Method::Get, id, version_of(id)),
            ctx,
        )
        .await
    }

    pub(super) async fn get_call(
        &self,
        request: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<Option<Value>, Error> {
        let get = async || {
            let response = self.read_call(request, ctx).await?;
            Ok(response.map(|response| response.body))
        };
        if self.shares_reads && request.method == Method::Get {
            let (gets, none) = (&self.shared_gets, BTreeSet::new());
            gets.read(ctx, &request.url, none, |_| get()).await
        } else {
            get().await
        }
    }

    async fn read_call(
        &self,
        request: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<Option<ArmResponse>, Error> {
        match self.arm.read(request, ctx).await {
            Ok(response) => Ok(Some(response)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All pages of a list; empty where the parent does not exist.
    ///
    /// # Errors
    /// `DocumentError` also where the pages have no end.
    pub(super) async fn list(
        &self,
        request: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<Vec<Value>, Error> {
        if self.shares_reads {
            let (lists, none) = (&self.shared_lists, BTreeSet::new());
            let read = |_| self.list_pages(request, ctx);
            lists.read(ctx, &request.url, none, read).await
        } else {
            self.list_pages(request, ctx).await
        }
    }

    async fn list_pages(
        &self,
        request: &ArmRequest,
        ctx: &CallContext,
    ) -> Result<Vec<Value>, Error> {
        let (mut found, mut request) = (Vec::new(), request.clone());
        let (mut seen, mut size) = (BTreeSet::from([request.url.clone()]), 0);
        loop {
            let fault =
                |message: &str| Error::Malformed(request.error_context().with_message(message));
            let Some(response) = self.read_call(&request, ctx).await? else {
                return Ok(found);
            };
            size += response.size;
            if size > MAX_LIST_BYTES || seen.len() > MAX_PAGES {
                return Err(fault("the list is too long and was not read to its end"));
            }
            let mut page = response.body;
            match page.get_mut("value").map(Value::take) {
                Some(Value::Array(items)) => found.extend(items),
                _ => return Err(fault("the list has no value")),
            }
            match page
                .get("nextLink")
                .and_then(Value::as_str)
                .filter(|link| !link.is_empty())
            {
                Some(next) if !seen.insert(next.to_owned()) => {
                    return Err(fault(
                        "the list repeats a page: its nextLink was followed before",
                    ));
                }
                Some(next) => request = request.follow(next),
                None => return Ok(found),
            }
        }
    }

    /// A list of one type of `Microsoft.Network` in a group.
    pub(super) async fn list_in_group(
        &self,
        operation: &'static str,
        group: &str,
        kind: &str,
        ctx: &CallContext,
    ) -> Result<Vec<Value>, Error> {
        let path = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/{kind}",
            self.subscription,
            encoded(group)
        );
        self.list(
            &ArmRequest::path(operation, Method::Get, &path, version_of(&path)),
            ctx,
        )
        .await
    }
}
