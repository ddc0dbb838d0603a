//! What must be true of a link and of everything around it, for every seed.

use super::Sim;
use awsazure::reconcile::{ActionError, ReconcileOutcome};
use awsazure_sandbox::dataplane::TunnelStatus;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::plan::GATEWAY_SUBNET;
use bgp_vpn::spec::{AwsGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every object of both clouds by id, as the sandbox lists it.
pub type Listing = BTreeMap<String, Value>;

pub fn listing(sim: &Sim) -> Listing {
    let listing = sim.sandbox.world().objects();
    let all = ["aws", "azure"]
        .into_iter()
        .flat_map(|cloud| listing[cloud].as_array().cloned().unwrap_or_default());
    all.map(|object| (object["id"].as_str().unwrap_or("?").to_lowercase(), object))
        .collect()
}

/// An operation that ended as it should.
pub fn succeeded(what: &str, ended: &ReconcileOutcome) -> Result<(), String> {
    if !ended.failures.is_empty() {
        let words: Vec<String> = ended
            .failures
            .iter()
            .map(|f| {
                format!(
                    "{}: {}",
                    f.action
                        .as_ref()
                        .map_or("reading".to_owned(), |s| format!("{:?}", s.id())),
                    f.error
                )
            })
            .collect();
        return Err(format!("{what} failed: {words:#?}"));
    }
    if !ended.remaining.is_empty() || ended.cancelled {
        return Err(format!("{what} left undone: {:#?}", ended.remaining));
    }
    Ok(())
}

/// The error of an operation that failed at one action only.
pub fn only_error(ended: &ReconcileOutcome) -> &ActionError {
    let [failure] = ended.failures.as_slice() else {
        panic!("{:#?}", ended.failures)
    };
    &failure.error
}

/// IDs of all objects of a kind.
pub fn ids_of_kind(sim: &Sim, kind: &str) -> Vec<String> {
    let all = listing(sim);
    all.values()
        .filter(|object| object["kind"] == kind)
        .map(|object| object["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The two clouds, asked separately, agree about all four tunnels.
pub fn tunnels_agree(sim: &Sim, seen: &Observed) -> Result<(), String> {
    let world = sim.sandbox.world();
    for key in TunnelKey::ALL {
        let outside = seen
            .tunnel(key)
            .ok_or_else(|| format!("{key} has no AWS endpoint"))?
            .outside_ip;
        let negotiation = world
            .tunnels
            .negotiation(outside)
            .ok_or_else(|| format!("{key} is no tunnel of the world's"))?;
        if negotiation.status != TunnelStatus::Up {
            return Err(format!("{key} cannot come up: {negotiation:?}"));
        }
    }
    Ok(())
}

/// No key that either cloud has shows in what would go into a log.
pub fn no_key_in_output(sim: &Sim, seen: &Observed, spec: &Spec) -> Result<(), String> {
    let text = format!("{seen:?} {spec:?}");
    let ends = sim.sandbox.world().aws.endpoints();
    let keys: Vec<&str> = ends
        .iter()
        .map(|end| end.pre_shared_key.as_str())
        .filter(|key| !key.is_empty())
        .collect();
    if keys.len() < 4 {
        return Err(format!("only {} keys to look for", keys.len()));
    }
    match keys.iter().any(|key| text.contains(key)) {
        true => Err("a shared key shows in Debug".to_owned()),
        false => Ok(()),
    }
}

/// No write was refused because another of ours was under way on the same gateway, and none was
/// sent with an old etag. Injected refusals do not count.
pub fn writes_were_serialized(sim: &Sim) -> Result<(), String> {
    let busy = |status| matches!(status, Some(409 | 412 | 429));
    let calls = sim.sandbox.calls();
    let refused = calls
        .iter()
        .find(|call| call.cloud == "azure" && busy(call.status) && call.fault.is_none());
    match refused {
        Some(call) => Err(format!("a write got in the way of another: {call:?}")),
        None => Ok(()),
    }
}

/// What was there before the link is there unchanged, and nothing else is.
pub fn only_preexisting_objects_left(before: &Listing, now: &Listing) -> Result<(), String> {
    let more: Vec<&Value> = now
        .iter()
        .filter(|(id, _)| !before.contains_key(*id))
        .map(|(_, object)| object)
        .collect();
    if !more.is_empty() {
        return Err(format!("left behind: {more:#?}"));
    }
    foreign_objects_unchanged(before, now)?;
    let given_back = |(id, was): (&String, &Value)| {
        now.get(id)
            .is_some_and(|is| addresses(is) == addresses(was))
    };
    match before.iter().all(given_back) {
        true => Ok(()),
        false => Err("a foreign gateway lists other addresses than before".to_owned()),
    }
}

/// What a gateway lists for its sessions.
fn addresses(object: &Value) -> BTreeSet<String> {
    let listed = object["custom_bgp_addresses"]
        .as_array()
        .into_iter()
        .flatten();
    listed
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// A foreign gateway may list more addresses while the link stands, never fewer; everything else of
/// others is as it was.
pub fn foreign_objects_unchanged(before: &Listing, now: &Listing) -> Result<(), String> {
    for (id, was) in before {
        let Some(is) = now.get(id) else {
            return Err(format!("{id}, which is foreign, is gone"));
        };
        let decided = |object: &Value| {
            let mut object = object.clone();
            for volatile in [
                "propagating",
                "routes",
                "telemetry",
                "tunnels",
                "state",
                "custom_bgp_addresses",
            ] {
                object.as_object_mut().map(|fields| fields.remove(volatile));
            }
            object
        };
        if !addresses(was).is_subset(&addresses(is)) {
            return Err(format!(
                "a foreign gateway lost an address: {was:#} became {is:#}"
            ));
        }
        if decided(was) != decided(is) {
            return Err(format!("a foreign object changed: {was:#} became {is:#}"));
        }
    }
    Ok(())
}

/// What destroy may delete: all that carries the link's tag, and what depends on that.
pub fn managed(spec: &Spec, seen: &Observed) -> Managed {
    let mut managed = Managed::default();
    let (azure, aws) = (&seen.azure, &seen.aws);
    let ours = |tags| spec.link.is_on(tags);
    azure
        .group
        .iter()
        .filter(|g| ours(&g.tags))
        .for_each(|g| managed.add(Kind::AzureResourceGroup, &g.name));
    if let Some(network) = &azure.network {
        if ours(&network.resource.tags) {
            managed.add(Kind::AzureVirtualNetwork, &network.resource.id);
        } else if matches!(
            spec.azure.network,
            AzureNetwork::Existing {
                gateway_subnet_prefix: Some(_),
                ..
            }
        ) {
            let made = network
                .subnets
                .iter()
                .filter(|subnet| subnet.name == GATEWAY_SUBNET);
            made.for_each(|subnet| managed.add(Kind::AzureSubnet, &subnet.id));
        }
    }
    azure
        .gateway
        .iter()
        .filter(|g| ours(&g.resource.tags))
        .for_each(|g| managed.add(Kind::AzureGateway, &g.resource.id));
    for key in TunnelKey::ALL {
        azure
            .local_gateways
            .get(key)
            .iter()
            .for_each(|l| managed.add(Kind::AzureLocalGateway, &l.resource.id));
        azure
            .connections
            .get(key)
            .iter()
            .for_each(|c| managed.add(Kind::AzureConnection, &c.resource.id));
    }
    for instance in Instance::ALL {
        let ips = azure
            .public_ips
            .get(instance)
            .iter()
            .filter(|ip| ours(&ip.resource.tags));
        ips.for_each(|ip| managed.add(Kind::AzurePublicIp, &ip.resource.id));
        aws.customer_gateways
            .get(instance)
            .iter()
            .for_each(|c| managed.add(Kind::AwsCustomerGateway, &c.id));
        aws.vpn_connections
            .get(instance)
            .iter()
            .for_each(|v| managed.add(Kind::AwsVpnConnection, &v.id));
    }
    aws.vpc
        .iter()
        .filter(|v| ours(&v.tags))
        .for_each(|v| managed.add(Kind::AwsVpc, &v.id));
    if aws.vpc.as_ref().is_some_and(|v| ours(&v.tags)) {
        aws.internet_gateway
            .iter()
            .for_each(|i| managed.add(Kind::AwsInternetGateway, &i.id));
        aws.public_subnet
            .iter()
            .for_each(|s| managed.add(Kind::AwsSubnet, s));
        aws.public_route_table
            .iter()
            .for_each(|t| managed.add(Kind::AwsRouteTable, t));
    }
    if let (Some(gateway), AwsGateway::ManagedVgw { .. }) = (&aws.gateway, &spec.aws.gateway) {
        managed.add(Kind::AwsVpnGateway, &gateway.id);
        for table in aws
            .route_tables
            .iter()
            .filter(|t| t.propagating.contains(&gateway.id))
        {
            managed.add(
                Kind::AwsRoutePropagation,
                format!("{}/{}", table.id, gateway.id),
            );
        }
    }
    managed
}
