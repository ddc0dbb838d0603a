//! The link in whose place a plan without a prior state creates another one.
//!
//! Terraform plans the create half of a replacement without a prior state. It passes on the private
//! data of the plan that had the prior state, but nothing of a tainted link. The state of a tainted
//! link is known only because Terraform had it upgraded or read in this process, and the planned
//! link may have other inside CIDRs. Its name and resource group identify the state: the names of
//! Azure objects derive from them, so no two links share both.

use super::TYPE_NAME;
use super::attributes::path_of;
use super::model::Model;
use super::private_state::PrivateState;
use super::resume::{CachedState, ResumeCache};
use super::teardown::{full_removal, label, listed, removal_warning};
use crate::provider::summaries;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::ownership_tags::LinkId;
use terraform_plugin::Diagnostic;

/// Whether a state and a configuration are of one link, by what both say of it.
pub fn is_of_one_link(state: &Config, config: &Config) -> bool {
    let same = |a: &Attr<String>, b: &Attr<String>| matches!((a, b), (Attr::Known(a), Attr::Known(b)) if a.eq_ignore_ascii_case(b));
    same(&state.name, &config.name) && same(&state.group, &config.group)
}

/// Ids of the shared and single objects that a state holds.
pub fn own_object_ids(state: &Model) -> Vec<String> {
    let mut ids = ids_of_shared_objects(state);
    for (_, tunnel) in state.tunnels.iter() {
        let outputs = [
            &tunnel.azure_connection_id,
            &tunnel.aws_vpn_connection_id,
            &tunnel.aws_customer_gateway_id,
        ];
        ids.extend(outputs.into_iter().filter_map(Attr::known).cloned());
    }
    ids
}

/// Gateways and networks of a state, and what it put into networks and tables of others.
fn ids_of_shared_objects(state: &Model) -> Vec<String> {
    let named = [
        &state.gateway_id,
        &state.network_id,
        &state.vpn_gateway_id,
        &state.vpc_id,
    ];
    let named = named.into_iter().filter_map(Attr::known).cloned();
    let created = [Kind::AzureSubnet, Kind::AwsRoutePropagation]
        .into_iter()
        .flat_map(|kind| state.link.managed.ids(kind));
    named.chain(created.map(str::to_owned)).collect()
}

/// Before the plan of a create: what it takes the place of, as far as that is known by its
/// configuration.
pub fn note(
    private: &mut PrivateState,
    resume_cache: &ResumeCache,
    config: &Config,
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
        private.removes = state.link.managed.clone();
        // Under create_before_destroy the link is still there when the other one is created, and
        // conflicts with it. That plan comes without a read before it.
        if read.is_some() || !may_be_applying {
            private.replaced_ids.extend(own_object_ids(state));
        }
    }
    // By the time of the create the state is gone.
    let before = resume_cache.gone(config).filter(|_| may_be_applying);
    let before = before.map_or_else(|| private.removes.clone(), |state| state.link.managed);
    let has_network = !config.network_id.is_null() || !config.network.is_null();
    let gateway = config.gateway_id.known();
    let own = gateway.filter(|id| has_network && before.has(Kind::AzureGateway, id));
    private.own_gateway = own.cloned();
}

/// What the plan of a create announces to be deleted: a link that Terraform replaces though no
/// setting asks for it.
pub fn announced(
    private: &PrivateState,
    resume_cache: &ResumeCache,
    link: Option<&LinkId>,
    provider: Option<String>,
    planned: &Config,
) -> Option<Diagnostic> {
    let by_tag = || {
        let cached = resume_cache.get(link)?;
        Some(full_removal(
            &cached.state,
            &cached.private.unwrap_or_default(),
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

/// What the plan of a create announces of links whose create failed and that no plan names so far.
/// Terraform replaces such a link and does not say by which one; if the user changed its name or
/// resource group, nothing in the configuration identifies it.
pub fn perhaps_replaced(
    resume_cache: &ResumeCache,
    provider: Option<String>,
    planned: &Config,
) -> Vec<Diagnostic> {
    let warning = |cached: CachedState| {
        let private = cached.private.unwrap_or_default();
        let removed = listed(&full_removal(&cached.state, &private, provider.clone()));
        let (old, new) = (label(&cached.state), label(planned));
        let detail = format!(
            "The create of the link {old} failed, and this plan creates the link {new}. If the plan shows {new} as tainted, it takes the \
             place of {old}, and the apply deletes these objects of {old}:\n\n{removed}\n\nTo keep them, restore the former name, slot and \
             azure.resource_group_name: the next apply then completes {old}."
        );
        let summary = format!("{}: {old}", summaries::OBJECTS_DELETED);
        (!removed.is_empty()).then(|| Diagnostic::warning(summary).detail(detail))
    };
    let unplanned = resume_cache.unplanned_incomplete_states();
    unplanned.into_iter().filter_map(warning).collect()
}

/// What a plan with a prior state announces where the user asks for a replacement (`-replace`):
/// Terraform drops the warnings of the plan of the create half (1.11), and a plan request contains no
/// address.
pub fn on_request(removed: &Managed, addresses: &[String], prior: &Config) -> Option<Diagnostic> {
    let ours: Vec<&str> = addresses
        .iter()
        .map(String::as_str)
        .filter(|it| it.contains(TYPE_NAME))
        .collect();
    let said = removal_warning(removed, None, prior).filter(|_| !ours.is_empty())?;
    let detail = format!(
        "This applies if -replace names this link ({}). {}",
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
pub fn unrepeatable(private: &PrivateState, config: &Config) -> Option<&'static str> {
    let removed =
        |id: &Attr<String>, kind| id.known().is_some_and(|id| private.removes.has(kind, id));
    if removed(&config.vpn_gateway_id, Kind::AwsVpnGateway) {
        Some(path_of(&AttributeId::VpnGateway))
    } else if removed(&config.gateway_id, Kind::AzureGateway) && private.own_gateway.is_none() {
        Some(path_of(&AttributeId::AzureGateway))
    } else {
        None
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
