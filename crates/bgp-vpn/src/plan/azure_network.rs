//! Actions for the resource group, the VNet with its subnets, and the tags of the public IPs.

use super::GATEWAY_SUBNET;
use super::action_list::ActionList;
use crate::action::{ActionTarget, Verb};
use crate::azure::model::{PublicIp, Subnet};
use crate::compare::{self, Reasons};
use crate::observed::Observed;
use crate::ownership_tags::created_gateway_subnet;
use crate::placement::misplaced_public_ip;
use crate::spec::{AzureGateway, AzureNetwork, Spec};
use crate::types::Tags;

/// Why the gateway subnet of a create that was killed gets another prefix. One of another user
/// stays as it is.
fn wrong_gateway_subnet(spec: &Spec, observed: &Observed, subnet: &Subnet) -> Option<String> {
    let has = subnet.prefix?;
    let (wanted, is_own) = match &spec.azure.network {
        AzureNetwork::Create {
            gateway_subnet_prefix,
            ..
        } => {
            let network = observed.azure.network.as_ref()?;
            (
                *gateway_subnet_prefix,
                spec.link.is_on(&network.resource.tags),
            )
        }
        AzureNetwork::Existing {
            gateway_subnet_prefix,
            ..
        } => {
            let records = |ip: &PublicIp| {
                spec.link.is_on(&ip.resource.tags)
                    && created_gateway_subnet(&ip.resource.tags) == Some(has)
            };
            let mut ips = observed.azure.public_ips.iter();
            (
                (*gateway_subnet_prefix)?,
                ips.any(|(_, ip)| ip.as_ref().is_some_and(records)),
            )
        }
    };
    (is_own && has != wanted).then(|| format!("the gateway subnet is {has}, not {wanted}"))
}

pub(super) fn diff_azure_network(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    if spec.azure.create_resource_group && observed.azure.group.is_none() {
        list.create(ActionTarget::ResourceGroup);
    }
    // Groups, networks and addresses get tags where this link created them. With an existing
    // gateway they belong to others, also to a link that left this slot and has the same ownership
    // tag.
    let own = |tags: &Tags| {
        if spec.link.is_on(tags) {
            compare::azure_tag_diff(tags, spec)
        } else {
            Reasons::new()
        }
    };
    let creates_gateway = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    if let Some(group) = observed
        .azure
        .group
        .as_ref()
        .filter(|_| creates_gateway || spec.azure.create_resource_group)
    {
        list.update(ActionTarget::ResourceGroup, own(&group.tags));
    }
    if let Some(network) = &observed.azure.network {
        list.update(
            ActionTarget::VirtualNetwork,
            compare::network(spec, network),
        );
    }
    let public_ips = observed
        .azure
        .public_ips
        .iter()
        .filter_map(|(i, ip)| Some((i, ip.as_ref()?)));
    for (instance, ip) in public_ips.filter(|_| creates_gateway) {
        if let Some(why) = misplaced_public_ip(spec, observed, instance) {
            list.push(Verb::Delete, ActionTarget::PublicIp(instance), vec![]);
            list.push(Verb::Create, ActionTarget::PublicIp(instance), vec![why]);
            continue;
        }
        list.update(
            ActionTarget::PublicIp(instance),
            compare::public_ip(spec, instance, ip),
        );
    }
    let gateway_missing = observed.azure.gateway.is_none();
    match (&spec.azure.network, &observed.azure.network) {
        (AzureNetwork::Create { .. }, None) => list.create(ActionTarget::VirtualNetwork),
        (
            AzureNetwork::Create { .. }
            | AzureNetwork::Existing {
                gateway_subnet_prefix: Some(_),
                ..
            },
            Some(network),
        ) if gateway_missing => match network
            .subnets
            .iter()
            .find(|s| s.name.eq_ignore_ascii_case(GATEWAY_SUBNET))
        {
            Some(subnet) => {
                let mut reasons = compare::provisioning_failure("the gateway subnet", subnet.state);
                reasons.extend(wrong_gateway_subnet(spec, observed, subnet));
                list.update(ActionTarget::GatewaySubnet, reasons);
            }
            None => list.create(ActionTarget::GatewaySubnet),
        },
        _ => {}
    }
    if let (AzureNetwork::Create { subnets, .. }, Some(network)) =
        (&spec.azure.network, &observed.azure.network)
    {
        let missing = |name: &&String| {
            !network
                .subnets
                .iter()
                .any(|s| s.name.eq_ignore_ascii_case(name))
        };
        subnets
            .keys()
            .filter(missing)
            .for_each(|name| list.create(ActionTarget::Subnet(name.clone())));
        for have in &network.subnets {
            let (wanted, subnet) = (
                subnets.get(&have.name),
                ActionTarget::Subnet(have.name.clone()),
            );
            if let (Some(wanted), Some(prefix)) =
                (wanted, have.prefix.filter(|prefix| Some(prefix) != wanted))
            {
                list.update(
                    subnet,
                    vec![format!(
                        "the subnet {} is {prefix}, not {wanted}",
                        have.name
                    )],
                );
            } else if wanted.is_some() {
                list.update(
                    subnet,
                    compare::provisioning_failure(&format!("the subnet {}", have.name), have.state),
                );
            } else if spec.removals.subnets.contains(&have.name) {
                list.push(
                    Verb::Delete,
                    subnet,
                    vec![format!("the subnet {} is no longer wanted", have.name)],
                );
            }
        }
    }
}
