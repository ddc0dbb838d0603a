//! The link in whose place a plan without a prior state creates another one.
//!
//! Terraform plans the create half of a replacement without a prior state. After a plan that was
//! given the state, its private data is handed on. Of a tainted link nothing is handed on: the
//! state is known only because Terraform had it upgraded or read in this process, and the link that
//! is planned may have other inside CIDRs. Name and resource group tell which state it is: names of
//! Azure objects derive from them, so that no two links can have both in common.

use super::TYPE_NAME;
use super::flatten::read_managed;
use super::private_state::PrivateState;
use super::resume::{CachedState, ResumeCache};
use super::teardown::{full_removal, label, removal_warning};
use crate::provider::summaries;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::ownership_tags::LinkId;
use terraform_plugin::{Diagnostic, Value};

/// Whether a state and a configuration are of one link, by what both say of it.
pub fn is_of_one_link(state: &Value, config: &Value) -> bool {
    let same = |path: &str| {
        let texts = [state, config].map(|value| value.at(&path.into()).as_str());
        matches!(texts, [Some(a), Some(b)] if a.eq_ignore_ascii_case(b))
    };
    same("name") && same("azure.resource_group_name")
}

/// Ids of the shared and single objects that a state holds.
pub fn own_object_ids(state: &Value) -> Vec<String> {
    let mut ids = ids_of_shared_objects(state);
    for tunnel in state
        .get("tunnels")
        .as_map()
        .into_iter()
        .flatten()
        .map(|(_, tunnel)| tunnel)
    {
        let fields = [
            "azure_connection_id",
            "aws_vpn_connection_id",
            "aws_customer_gateway_id",
        ];
        ids.extend(
            fields
                .iter()
                .filter_map(|field| tunnel.get(field).as_str().map(str::to_owned)),
        );
    }
    ids
}

/// Gateways and networks of a state, and what it put into networks and tables of others.
fn ids_of_shared_objects(state: &Value) -> Vec<String> {
    let paths = [
        "azure.gateway_id",
        "azure.virtual_network_id",
        "aws.vpn_gateway_id",
        "aws.vpc_id",
    ];
    let named = paths
        .iter()
        .filter_map(|path| state.at(&(*path).into()).as_str().map(str::to_owned));
    let managed = read_managed(state);
    let made = [Kind::AzureSubnet, Kind::AwsRoutePropagation]
        .into_iter()
        .flat_map(|kind| managed.ids(kind));
    named.chain(made.map(str::to_owned)).collect()
}

/// Before the plan of a create: what it takes the place of, as far as that is known by its
/// configuration.
pub fn note(
    private: &mut PrivateState,
    resume_cache: &ResumeCache,
    config: &Value,
    may_be_applying: bool,
) {
    let named = resume_cache
        .named(config)
        .filter(|_| private.removes.is_empty());
    if let Some(CachedState {
        state,
        private: read,
    }) = &named
    {
        private.removes = read_managed(state);
        // Under create_before_destroy the link is still there when the other one is created, and
        // conflicts with it. That plan comes without a read before it.
        if read.is_some() || !may_be_applying {
            private.replaced_ids.extend(own_object_ids(state));
        }
    }
    // By the time of the create the state is gone.
    let before = resume_cache.gone(config).filter(|_| may_be_applying);
    let before = before.map_or_else(|| private.removes.clone(), |state| read_managed(&state));
    let has_network = ["azure.virtual_network_id", "azure.virtual_network"];
    let has_network = has_network
        .into_iter()
        .any(|path| !config.at(&path.into()).is_null());
    let gateway = config.at(&"azure.gateway_id".into()).as_str();
    let own = gateway.filter(|id| has_network && before.has(Kind::AzureGateway, id));
    private.own_gateway = own.map(str::to_owned);
}

/// What the plan of a create announces to be deleted: a link that Terraform replaces though no
/// setting asks for it.
pub fn announced(
    private: &PrivateState,
    resume_cache: &ResumeCache,
    link: Option<&LinkId>,
    provider: Option<String>,
    planned: &Value,
) -> Option<Diagnostic> {
    let by_tag = || {
        let recalled = resume_cache.get(link)?;
        Some(full_removal(
            &recalled.state,
            &recalled.private.unwrap_or_default(),
            provider,
        ))
    };
    let removed = if private.removes.is_empty() {
        by_tag()
    } else {
        Some(private.removes.clone())
    };
    removal_warning(&removed?, None, planned)
}

/// What a plan with a prior state announces where the user asks for a replacement (`-replace`):
/// Terraform drops the warnings of the plan of the create half (1.11), and tells no plan which
/// address it is about.
pub fn on_request(removed: &Managed, addresses: &[String], prior: &Value) -> Option<Diagnostic> {
    let ours: Vec<&str> = addresses
        .iter()
        .map(String::as_str)
        .filter(|it| it.contains(TYPE_NAME))
        .collect();
    let said = removal_warning(removed, None, prior).filter(|_| !ours.is_empty())?;
    let detail = format!(
        "If -replace names this link ({}): {}",
        ours.join(", "),
        said.detail
    );
    Some(
        Diagnostic::warning(format!(
            "{}: {}",
            summaries::OBJECTS_DELETED_BY_REPLACE,
            label(prior)
        ))
        .detail(detail),
    )
}

/// The attribute that names an object which the replacement deletes and cannot create again under
/// that id.
pub fn unrepeatable(private: &PrivateState, config: &Value) -> Option<&'static str> {
    let named = |path: &str, removed: &Managed, kind| {
        config
            .at(&path.into())
            .as_str()
            .is_some_and(|id| removed.has(kind, id))
    };
    let aws = named("aws.vpn_gateway_id", &private.removes, Kind::AwsVpnGateway);
    let azure = named("azure.gateway_id", &private.removes, Kind::AzureGateway)
        && private.own_gateway.is_none();
    if aws {
        Some("aws.vpn_gateway_id")
    } else {
        azure.then_some("azure.gateway_id")
    }
}

/// Said at the plan, and by the delete half instead of deleting anything.
pub fn unrepeatable_words(path: &str) -> (&'static str, String) {
    let detail = format!(
        "{path} names a gateway that this link manages. The replacement deletes it, so the new link cannot use it. The apply stops with \
         this error and deletes nothing. Remove {path}, then plan again."
    );
    (summaries::UNABLE_TO_REPLACE, detail)
}
