//! Inside CIDRs that tunnels of one link take over from each other, and those that others have.

use super::fixture::{Link, clients, ec2, wait_for_sessions, writes};
use awsazure::aws::model::{TargetGateway, TunnelOptions, VpnConnectionId, VpnGatewayId};
use awsazure::aws::{IdempotencyKey, NewConnection, VpnConnectionOptions};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::connection::NewConnection as NewAzureConnection;
use awsazure::azure::documents::local_gateway::NewLocalGateway;
use awsazure::azure::model::ConnectionMode;
use awsazure_sandbox::rng::Rng;
use bgp_vpn::tunnel::TunnelKey;
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use terraform_plugin::Value;
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::{in_virtual_time, on_all_cores, simulated};
use test_support::simulated::terraform_core::Run;
use test_support::simulated::{Sim, leak_checker};

/// The CIDRs of slot 0 in the tunnels' order, and two more.
const CIDRS: [&str; 6] = [
    "169.254.21.0/30",
    "169.254.22.0/30",
    "169.254.21.4/30",
    "169.254.22.4/30",
    "169.254.21.40/30",
    "169.254.22.200/30",
];

fn inside_cidrs(places: &[usize; 4]) -> Value {
    let named = TunnelKey::ALL
        .into_iter()
        .zip(places)
        .map(|(key, place)| (key.to_string(), CIDRS[*place]));
    Value::object(
        named
            .collect::<Vec<_>>()
            .iter()
            .map(|(key, cidr)| (key.as_str(), *cidr)),
    )
}

/// The BGP addresses that the gateway lists.
fn listed(sim: &Sim, gateway: &str) -> BTreeSet<String> {
    let objects = sim.sandbox.world().objects();
    let azure = objects["azure"].as_array().unwrap().iter();
    let mut found = azure.filter(|object| {
        object["id"]
            .as_str()
            .is_some_and(|own| own.eq_ignore_ascii_case(gateway))
    });
    let addresses = found.next().unwrap()["custom_bgp_addresses"]
        .as_array()
        .unwrap();
    addresses
        .iter()
        .map(|ip| ip.as_str().unwrap().to_owned())
        .collect()
}

/// A tunnel's address at Azure.
fn azure_ip(cidr: &str) -> String {
    let net: ipnet::Ipv4Net = cidr.parse().unwrap();
    net.hosts().nth(1).unwrap().to_string()
}

/// An update to these CIDRs, killed after so many changes of AWS tunnels and taken up again.
async fn moved(link: &Link, places: &[usize; 4], killed_at: Option<usize>) -> Result<(), String> {
    let sim = link.sim();
    let mut core = link.core(&sim);
    core.config.set("inside_cidrs", inside_cidrs(places));
    let availability = AvailabilityMonitor::over(&sim)?;
    if let Some(changes) = killed_at {
        let count = || {
            sim.sandbox
                .calls()
                .iter()
                .filter(|call| call.operation == "ModifyVpnTunnelOptions")
                .count()
        };
        let death = async {
            while count() < changes {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            tokio::time::sleep(Duration::from_secs(45)).await;
        };
        tokio::select! {
            ended = core.run(&Run::Apply) => ended?,
            () = death => core.store_checkpoint(),
        }
        core.new_process();
    }
    core.run(&Run::Apply).await?;
    core.plans_empty().await?;
    wait_for_sessions(&sim).await;
    availability.check_at_least(3)?;
    leak_checker::tunnels_up(&sim)?;
    let wanted: BTreeSet<String> = places.iter().map(|place| azure_ip(CIDRS[*place])).collect();
    let has = listed(&sim, &link.text("azure.gateway_id"));
    if has != wanted {
        Err(format!("the gateway lists {has:?}, not {wanted:?}"))
    } else {
        Ok(())
    }
}

fn distinct(places: &[usize; 4]) -> bool {
    places.iter().collect::<BTreeSet<_>>().len() == 4
}

#[test]
fn exchange_inside_cidrs_with_three_tunnels_up() {
    let link = Link::new();
    // Two change places on one instance, across instances; a ring of four; two rings; a chain.
    let mut cases: Vec<([usize; 4], Option<usize>)> = vec![
        ([1, 0, 2, 3], None),
        ([2, 1, 0, 3], None),
        ([1, 2, 3, 0], None),
        ([3, 2, 1, 0], None),
        ([4, 1, 0, 3], None),
    ];
    cases.extend([
        ([1, 2, 3, 0], Some(1)),
        ([1, 2, 3, 0], Some(3)),
        ([2, 3, 0, 1], Some(2)),
        ([4, 0, 1, 2], Some(2)),
    ]);
    let mut rng = Rng::seeded(13);
    while cases.len() < 12 {
        let places = [0; 4].map(|_| rng.below(6) as usize);
        let killed = (rng.below(3) == 0).then(|| 1 + rng.below(3) as usize);
        if distinct(&places) && places != [0, 1, 2, 3] {
            cases.push((places, killed));
        }
    }
    let done = on_all_cores(
        &cases,
        || (),
        |_, (places, killed)| in_virtual_time(Box::pin(moved(&link, places, *killed))),
    );
    let bad: Vec<String> = cases
        .iter()
        .zip(done)
        .filter_map(|(case, done)| Some(format!("{case:?}: {}", done.err()?)))
        .collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// A branch's firewall on the gateway that the link made, over 169.254.21.34.
async fn connect_branch(sim: &Sim, link: &Link) -> ResourceId {
    let (azure, ctx) = clients(sim);
    let gateway = ResourceId::parse(&link.text("azure.gateway_id")).unwrap();
    let listed = "169.254.21.34".parse().unwrap();
    let have = azure.get_gateway(&gateway, &ctx).await.unwrap().unwrap();
    let at = &have.instances[0].ip_configuration_id;
    let edit = |doc: &mut serde_json::Value| {
        awsazure::azure::documents::gateway::add_custom_bgp_ip(doc, at, listed)
    };
    azure.change_gateway(&gateway, &edit, &ctx).await.unwrap();
    let id =
        |kind: &str| ResourceId::network(&sim.subscription(), "prod-rg", kind, "branch-office");
    let office = NewLocalGateway {
        location: "westeurope".to_owned(),
        gateway_ip: [198, 51, 100, 9].into(),
        asn: Asn(65200),
        bgp_ip: [169, 254, 21, 33].into(),
        tags: Tags::new(),
    };
    azure
        .create_local_gateway(&id("localNetworkGateways"), &office, &|_| true, &ctx)
        .await
        .unwrap();
    let other = have.instances[1].custom_bgp_ips[0];
    let branch = NewAzureConnection {
        location: "westeurope".to_owned(),
        gateway_id: gateway,
        local_gateway_id: id("localNetworkGateways"),
        key: PreSharedKey::from_cloud("branchkey1"),
        mode: ConnectionMode::Default,
        dpd_timeout_seconds: 45,
        custom_bgp_ips: vec![
            (at.clone(), listed),
            (have.instances[1].ip_configuration_id.clone(), other),
        ],
        policy: None,
        tags: Tags::new(),
    };
    azure
        .create_connection(&id("connections"), &branch, &|_| true, &ctx)
        .await
        .unwrap();
    id("connections")
}

/// A branch's VPN connection on the VPN gateway that the link made.
async fn connect_branch_to_aws(sim: &Sim, link: &Link, cidr: &str) -> VpnConnectionId {
    let (ec2, ctx) = (ec2(sim).await, sim.limits().call_context());
    let customer = ec2
        .create_customer_gateway(&ctx, [198, 51, 100, 9].into(), Asn(65200), "", &Tags::new())
        .await
        .unwrap();
    ec2.wait_customer_gateway_available(&ctx, &customer.id)
        .await
        .unwrap();
    let first = TunnelOptions {
        inside_cidr: Some(cidr.parse().unwrap()),
        ..TunnelOptions::default()
    };
    let tags = Tags::new();
    let new = NewConnection {
        customer_gateway: &customer.id,
        target: &TargetGateway::VpnGateway(VpnGatewayId(link.text("aws.vpn_gateway_id"))),
        tunnels: &[first, TunnelOptions::default()],
        options: &VpnConnectionOptions::default(),
        tags: &tags,
        idempotency: IdempotencyKey::new(&tags),
    };
    ec2.create_vpn_connection(&ctx, &new).await.unwrap().id
}

#[test]
fn reject_slot_whose_addresses_others_use_on_own_gateways() {
    let link = Link::new();
    simulated(|| async move {
        let sim = link.sim();
        let branch = connect_branch(&sim, &link).await;
        let office = connect_branch_to_aws(&sim, &link, "169.254.22.72/30").await;
        let before = writes(&sim).len();
        for (slot, by) in [(4_u8, branch.name().to_owned()), (9, office.0)] {
            let mut core = link.core(&sim);
            core.config.set("slot", slot);
            let refused = core.run(&Run::Apply).await.unwrap_err();
            assert!(
                refused.starts_with("plan") && refused.contains(&by),
                "{refused}"
            );
        }
        assert_eq!(writes(&sim).len(), before);
        let mut core = link.core(&sim);
        core.config.set("slot", 5_u8);
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();
    });
}

#[test]
fn move_addresses_listed_on_the_wrong_instance() {
    let link = Link::new();
    simulated(|| async move {
        let sim = link.sim();
        let (azure, ctx) = clients(&sim);
        let gateway = ResourceId::parse(&link.text("azure.gateway_id")).unwrap();
        // All connections let go, the addresses change instances, and the connections name them
        // there.
        let connections = azure.gateway_connections(&gateway, &ctx).await.unwrap();
        for connection in &connections {
            let edit = |doc: &mut serde_json::Value| {
                doc["properties"]["gatewayCustomBgpIpAddresses"] = json!([])
            };
            azure
                .change_connection(&connection.resource.id, &gateway, &edit, &ctx)
                .await
                .unwrap();
        }
        let swap = |doc: &mut serde_json::Value| {
            let rows = doc["properties"]["bgpSettings"]["bgpPeeringAddresses"]
                .as_array_mut()
                .unwrap();
            let ids: Vec<serde_json::Value> = rows
                .iter()
                .map(|row| row["ipconfigurationId"].clone())
                .collect();
            (rows[0]["ipconfigurationId"], rows[1]["ipconfigurationId"]) =
                (ids[1].clone(), ids[0].clone());
        };
        azure.change_gateway(&gateway, &swap, &ctx).await.unwrap();
        for connection in &connections {
            let crossed = |doc: &mut serde_json::Value| {
                let named: Vec<serde_json::Value> = [0, 1]
                    .map(|at| {
                        let (id, ip) = (
                            &connection.custom_bgp_ips[at].0,
                            connection.custom_bgp_ips[1 - at].1,
                        );
                        json!({"ipConfigurationId": id, "customBgpIpAddress": ip})
                    })
                    .into();
                doc["properties"]["gatewayCustomBgpIpAddresses"] = json!(named);
            };
            azure
                .change_connection(&connection.resource.id, &gateway, &crossed, &ctx)
                .await
                .unwrap();
        }
        let mut core = link.core(&sim);
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();
        wait_for_sessions(&sim).await;
        leak_checker::tunnels_up(&sim).unwrap();
    });
}
