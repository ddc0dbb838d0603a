//! Other people's hands: transient trouble of the clouds, and edits made outside while a link
//! stands.

use super::scenario_gen::{once_in, pick};
use super::{REGION, Sim};
use awsazure::aws::Filter;
use awsazure::aws::model::{KeyStorage, Region, TunnelOptions};
use awsazure::azure::documents::{connection, local_gateway};
use awsazure_sandbox::rng::Rng;
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{AwsGateway, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::PreSharedKey;

/// What clouds really answer now and then: throttled, unavailable, busy, a read that dies.
const TROUBLE: [(&str, &[&str]); 14] = [
    // A refused token is the sweep's: here it may strike the very call that has just renewed one,
    // which ends a run.
    ("azure * on /subscriptions/", &["429", "503", "500"]),
    ("aws *", &["429", "503"]),
    (
        "azure GetOperation",
        &["500", "503", "dropped", "404", "429"],
    ),
    ("azure GetGateway", &["500", "dropped", "truncated"]),
    ("azure GetConnection", &["500", "dropped", "malformed"]),
    ("azure PutConnection", &["409", "429", "503"]),
    ("azure PutGateway", &["409", "429", "503"]),
    ("azure PutLocalGateway", &["429", "503"]),
    ("azure PutPublicIp", &["429", "503"]),
    ("azure DeleteConnection", &["409", "429", "503"]),
    (
        "aws DescribeVpnConnections",
        &["500", "dropped", "truncated", "malformed"],
    ),
    ("aws DescribeVpnGateways", &["500", "dropped", "hang"]),
    ("aws AttachVpnGateway", &["409", "429"]),
    ("aws CreateVpnConnection", &["429", "lost"]),
];

/// Adds a few rules to the world's fault plan; each strikes once.
pub fn trouble(sim: &Sim, rng: &mut Rng) -> Vec<String> {
    let mut world = sim.sandbox.world();
    world.faults.clear();
    let mut rules = Vec::new();
    for _ in 0..rng.below(5) {
        let (operation, kinds) = pick(rng, &TROUBLE);
        let most = if operation.contains('*') { 150 } else { 6 };
        let rule = format!(
            "fail call {} of {operation}: once {}",
            1 + rng.below(most),
            pick(rng, kinds)
        );
        world.faults.add(rule.parse().unwrap());
        rules.push(rule);
    }
    rules
}

/// Edits or deletes something of the link behind its back. Says what.
pub async fn change_externally(
    sim: &Sim,
    rng: &mut Rng,
    spec: &Spec,
    seen: &Observed,
) -> Result<&'static str, String> {
    let limits = sim.limits();
    let (azure, ctx) = (&sim.clouds.azure, limits.call_context());
    let ec2 = sim
        .clouds
        .aws
        .region(&ctx, Some(&Region(REGION.to_owned())))
        .await
        .map_err(|e| e.to_string())?;
    let key = pick(rng, &TunnelKey::ALL);
    let gateway = spec.azure.gateway.id();
    let there = seen
        .azure
        .connections
        .get(key)
        .as_ref()
        .unwrap()
        .resource
        .id
        .clone();
    let local = seen
        .azure
        .local_gateways
        .get(key)
        .as_ref()
        .unwrap()
        .resource
        .id
        .clone();
    let vpn = seen.aws.vpn_connections.get(key.instance).as_ref().unwrap();
    let said =
        |what, error: &dyn std::fmt::Display| format!("the meddler could not {what}: {error}");
    Ok(match rng.below(8) {
        // Where AWS does not return its keys, this cannot be detected.
        0 if spec.aws.key_storage == KeyStorage::Standard => {
            let other = PreSharedKey::from_cloud(&format!("meddled_{}", rng.hex(16)));
            azure
                .set_shared_key(&there, gateway, &other, &ctx)
                .await
                .map_err(|e| said("set a key", &e))?;
            "another key at Azure"
        }
        1 => {
            azure
                .delete_connection(&there, gateway, &ctx)
                .await
                .map_err(|e| said("delete a connection", &e))?;
            if once_in(rng, 2) {
                azure
                    .delete_local_gateway(&local, &ctx)
                    .await
                    .map_err(|e| said("delete a local gateway", &e))?;
            }
            "an Azure connection deleted"
        }
        2 => {
            let edit = |doc: &mut serde_json::Value| connection::set_dpd_timeout(doc, 33);
            azure
                .change_connection(&there, gateway, &edit, &ctx)
                .await
                .map_err(|e| said("edit a connection", &e))?;
            "a connection's DPD edited"
        }
        3 => {
            let edit = |doc: &mut serde_json::Value| {
                local_gateway::set_gateway_ip(doc, std::net::Ipv4Addr::new(203, 0, 113, 9));
            };
            azure
                .change_local_gateway(&local, &edit, &ctx)
                .await
                .map_err(|e| said("edit a local gateway", &e))?;
            "a local network gateway edited"
        }
        4 => {
            ec2.delete_vpn_connection(&ctx, &vpn.id)
                .await
                .map_err(|e| said("delete a VPN connection", &e))?;
            ec2.wait_vpn_connection_deleted(&ctx, &vpn.id)
                .await
                .map_err(|e| said("wait", &e))?;
            if once_in(rng, 3) {
                let customer = vpn.customer_gateway_id.clone();
                ec2.delete_customer_gateway(&ctx, &customer)
                    .await
                    .map_err(|e| said("delete", &e))?;
            }
            "a VPN connection deleted"
        }
        5 => {
            let outside = seen.tunnel(key).unwrap().outside_ip;
            let change = TunnelOptions {
                dpd_timeout_seconds: Some(50),
                ..TunnelOptions::default()
            };
            ec2.change_tunnel(&ctx, &vpn.id, outside, &change)
                .await
                .map_err(|e| said("edit a tunnel", &e))?;
            "an AWS tunnel edited"
        }
        6 if matches!(spec.aws.gateway, AwsGateway::ManagedVgw { .. }) => {
            let gateway = &seen.aws.gateway.as_ref().unwrap().id;
            for table in seen
                .aws
                .route_tables
                .iter()
                .filter(|table| table.propagating.contains(gateway))
            {
                ec2.disable_propagation(&ctx, &table.id, gateway)
                    .await
                    .map_err(|e| said("switch off", &e))?;
            }
            "propagation switched off"
        }
        _ => {
            let instance = pick(rng, &Instance::ALL);
            let id = seen
                .aws
                .customer_gateways
                .get(instance)
                .as_ref()
                .unwrap()
                .id
                .clone();
            let tags: Vec<String> = spec.tags.keys().cloned().collect();
            ec2.delete_tags(&ctx, &[id.to_string()], &tags)
                .await
                .map_err(|e| said("delete tags", &e))?;
            let found = ec2.describe_customer_gateways(&ctx, &Filter::id(&id)).await;
            found.map_err(|e| said("look", &e))?;
            "tags deleted"
        }
    })
}
