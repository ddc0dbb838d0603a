//! What a plan asks of account and subscription: only where it creates objects.

use super::backend::Backend;
use super::change_set::ChangeSet;
use super::defaults::PlanInputs;
use super::expand::{all_known, subscription};
use super::model::Model;
use crate::aws::model::Region;
use bgp_vpn::account::{AccountRequest, Demand, PolicySubject, demand_of_create};
use bgp_vpn::azure::documents::public_ip::NewPublicIp;
use bgp_vpn::config::Attr;
use bgp_vpn::types::Tags;
use serde_json::json;

/// The sides that a plan creates.
struct Created {
    azure_gateway: bool,
    aws: bool,
    vpn_gateway: bool,
    vpc: bool,
}

fn created(model: &Model, inputs: &PlanInputs<'_, '_>) -> Option<Created> {
    let changes = inputs.prior.map(|prior| ChangeSet {
        prior,
        planned: model,
    });
    let aws = changes.is_none_or(ChangeSet::aws_side_replaced);
    let created = Created {
        azure_gateway: inputs.prior.is_none() && !inputs.azure_gateway_is_existing(),
        aws,
        vpn_gateway: aws && !inputs.vpn_gateway_is_existing() && !inputs.on_transit_gateway(),
        vpc: aws && model.vpc.is_set() && inputs.prior.is_none_or(|prior| !prior.vpc.is_set()),
    };
    (created.azure_gateway || created.aws).then_some(created)
}

/// What to read of account and subscription. None where the plan creates nothing, or
/// `preflight = false`.
pub fn account_request(
    backend: &dyn Backend,
    model: &Model,
    inputs: &PlanInputs<'_, '_>,
) -> Option<AccountRequest> {
    if !backend.checks_account() {
        return None;
    }
    let created = created(model, inputs)?;
    let location = model
        .location
        .known()
        .filter(|_| created.azure_gateway)
        .cloned();
    let resources = match tags(backend, model) {
        Some(tags) if created.azure_gateway => policy_subjects(model, tags),
        _ => Vec::new(),
    };
    Some(AccountRequest {
        creates_aws_side: created.aws,
        creates_vpc: created.vpc,
        creates_vpn_gateway: created.vpn_gateway,
        group: model
            .group
            .known()
            .filter(|_| model.create_group == Attr::Known(false))
            .cloned(),
        creates_azure_gateway: created.azure_gateway,
        location,
        resources,
    })
}

/// What the plan adds to quotas.
pub fn demand(backend: &dyn Backend, model: &Model, inputs: &PlanInputs<'_, '_>) -> Demand {
    let Some(created) = created(model, inputs) else {
        return Demand::default();
    };
    let place = || {
        let location = model.location.known()?;
        let subscription = subscription(model, backend.subscription())?;
        Some((subscription.to_lowercase(), location.to_lowercase()))
    };
    demand_of_create(
        model
            .region
            .known()
            .filter(|_| created.aws)
            .cloned()
            .map(Region),
        place().filter(|_| created.azure_gateway),
        created.vpc,
        created.vpn_gateway,
    )
}

/// The tags of every object, without those of the link. None while they are unknown.
fn tags(backend: &dyn Backend, model: &Model) -> Option<Tags> {
    let mut tags = backend.default_tags();
    match &model.tags {
        Attr::Null => {}
        Attr::Unknown => return None,
        Attr::Known(own) => {
            for (key, value) in own {
                tags.insert(key.clone(), value.known()?.clone());
            }
        }
    }
    Some(tags)
}

/// The Azure resources that policies most often restrict: location, SKU, public addresses and tags.
fn policy_subjects(model: &Model, tags: Tags) -> Vec<PolicySubject> {
    let zones = all_known(&model.zones).unwrap_or_default();
    let public_ip = NewPublicIp {
        location: String::new(),
        zones: zones.into_iter().collect(),
        tags: tags.clone(),
    };
    let mut subjects = vec![PolicySubject {
        resource_type: "Microsoft.Network/publicIPAddresses",
        content: public_ip.body(),
    }];
    if let (Some(sku), Some(generation)) = (model.sku.known(), model.generation.known()) {
        subjects.push(PolicySubject {
            resource_type: "Microsoft.Network/virtualNetworkGateways",
            content: json!({"tags": tags, "properties": {
                "gatewayType": "Vpn", "vpnType": "RouteBased", "activeActive": true, "enableBgp": true,
                "sku": {"name": sku, "tier": sku}, "vpnGatewayGeneration": generation}}),
        });
    }
    if let Some(network) = model.network.known()
        && let Some(ranges) = all_known(&network.address_space)
    {
        subjects.push(PolicySubject {
            resource_type: "Microsoft.Network/virtualNetworks",
            content: json!({"tags": tags,
                "properties": {"addressSpace": {"addressPrefixes": ranges}}}),
        });
    }
    subjects
}
