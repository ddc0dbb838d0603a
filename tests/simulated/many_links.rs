//! Ten links on one Azure gateway are created together: their addresses are written once, and links
//! that are cancelled or rejected leave nothing behind.

use awsazure::aws::model::TransitGatewayId;
use awsazure::reconcile::{OperationContext, converge, observe, teardown};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::TunnelKey;
use futures::future::join_all;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::fault_sweep::transit_gateway;
use test_support::simulated::verify::succeeded;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The link that creates the Azure gateway, on a transit gateway.
fn hub(sim: &Sim, transit_gateway: &str) -> Spec {
    let mut spec = sim.spec("hub", 0);
    let AzureGateway::Managed { sku, .. } = &mut spec.azure.gateway else {
        unreachable!()
    };
    "VpnGw5AZ".clone_into(sku);
    on_transit_gateway(&mut spec, transit_gateway);
    spec
}

fn on_transit_gateway(spec: &mut Spec, transit_gateway: &str) {
    spec.aws.network = AwsNetwork::FromGateway;
    spec.aws.gateway = AwsGateway::TransitGateway(TransitGatewayId(transit_gateway.to_owned()));
}

/// A link on the gateway of the hub.
fn spoke(sim: &Sim, hub: &Spec, slot: u64) -> Spec {
    let mut spec = sim.spec(&format!("spoke{slot}"), slot);
    let network = hub.azure.network.id().clone();
    spec.link = LinkId::new(&network, *spec.inside_cidrs.get(TunnelKey::ALL[0]));
    spec.azure.network = AzureNetwork::Existing {
        id: network,
        gateway_subnet_prefix: None,
    };
    spec.azure.gateway = AzureGateway::Existing(hub.azure.gateway.id().clone());
    spec.azure
        .resource_group
        .clone_from(&hub.azure.resource_group);
    spec.azure.create_resource_group = false;
    spec.aws.network = hub.aws.network.clone();
    spec.aws.gateway = hub.aws.gateway.clone();
    spec
}

fn count(sim: &Sim, operation: &str) -> usize {
    let calls = sim.sandbox.calls();
    calls
        .iter()
        .filter(|call| call.operation == operation)
        .count()
}

/// The hub, complete, and `others` links that are to be created on its gateway.
async fn hub_with(sim: &Sim, others: u64) -> (Spec, Vec<Spec>) {
    let transit = transit_gateway(&mut sim.sandbox.world());
    let hub = hub(sim, &transit);
    succeeded("the hub", &sim.converge(&hub).await).unwrap();
    let others = (1..=others).map(|slot| spoke(sim, &hub, slot)).collect();
    (hub, others)
}

/// How many BGP addresses the gateway lists.
async fn listed_addresses(sim: &Sim, hub: &Spec) -> usize {
    let (azure, ctx) = (&sim.clouds.azure, sim.limits().call_context());
    let gateway = azure.get_gateway(hub.azure.gateway.id(), &ctx);
    let instances = gateway.await.unwrap().unwrap().instances;
    instances
        .iter()
        .map(|instance| instance.custom_bgp_ips.len())
        .sum()
}

/// The first link writes its own addresses and the second one those of all that wait. Ten separate
/// writes would take 50 minutes more.
#[test]
fn ten_links_write_their_addresses_together() {
    simulated(|| async {
        let sim = Sim::new(50);
        let (hub, links) = hub_with(&sim, 10).await;
        let before = count(&sim, "PutGateway");
        let begun = Instant::now();
        let made = join_all(links.iter().map(|link| sim.converge(link))).await;
        let elapsed = begun.elapsed();
        for outcome in &made {
            succeeded("a link", outcome).unwrap();
        }
        let writes = count(&sim, "PutGateway") - before;
        println!("ten links: {elapsed:?}, {writes} writes of the gateway");
        assert!(writes <= 2, "{writes} writes");
        // Seconds of one write in the simulator, polled every 10 s.
        let (gateway, connection) = (365, 120);
        let limit = Duration::from_secs(gateway + 40 * connection).mul_f64(1.15);
        assert!(elapsed <= limit, "{elapsed:?}, at most {limit:?} expected");
        assert_eq!(listed_addresses(&sim, &hub).await, 44);
    });
}

/// Ten complete links are read with the calls of one, besides one key read for each connection.
#[test]
fn ten_links_are_read_together() {
    simulated(|| async {
        let sim = Sim::new(53);
        let (_, links) = hub_with(&sim, 10).await;
        let made = join_all(links.iter().map(|link| sim.converge(link))).await;
        let scopes = links.iter().zip(&made);
        let scopes = scopes.map(|(link, made)| sim.search_after(link, &made.observed));
        let scopes: Vec<_> = scopes.collect();
        let calls = async |count: usize| {
            let before = sim.sandbox.calls().len();
            let clients = sim.clouds.link_clients(None, &sim.limits()).await.unwrap();
            let limits = sim.limits();
            let reads = scopes
                .iter()
                .take(count)
                .map(|scope| observe(&clients, scope, &limits));
            for read in join_all(reads).await {
                assert!(
                    read.unwrap()
                        .aws
                        .vpn_connections
                        .iter()
                        .all(|(_, vpn)| vpn.is_some())
                );
            }
            sim.sandbox.calls().len() - before
        };
        let keys = TunnelKey::ALL.len();
        let (one, ten) = (calls(1).await, calls(10).await);
        assert_eq!(
            ten - 10 * keys,
            one - keys,
            "{one} calls for one link, {ten} for ten"
        );
    });
}

/// Whichever link is cancelled, the others are complete, and its destroy removes its addresses only.
#[test]
fn cancelled_link_removes_only_its_own_addresses() {
    for cancelled in 0..3 {
        for after in [5, 60, 200, 400] {
            simulated(move || async move {
                let sim = Sim::new(51);
                let (hub, links) = hub_with(&sim, 3).await;
                let token = CancellationToken::new();
                let made = join_all(links.iter().enumerate().map(async |(n, link)| {
                    let limits = match n == cancelled {
                        true => OperationContext::with_timeout(Duration::from_secs(14_400), &token),
                        false => sim.limits(),
                    };
                    converge(&sim.clouds, link, &sim.search(link), &limits, &|_| {}).await
                }));
                let cancel = async {
                    tokio::time::sleep(Duration::from_secs(after)).await;
                    token.cancel();
                };
                let (made, ()) = tokio::join!(made, cancel);
                for (n, outcome) in made.iter().enumerate().filter(|(n, _)| *n != cancelled) {
                    succeeded(&format!("link {n}"), outcome).unwrap();
                }
                let (link, seen) = (&links[cancelled], &made[cancelled].observed);
                let search = sim.search_after(link, seen);
                let what = sim.teardown_spec(link, seen);
                let gone = teardown(&sim.clouds, &what, &search, &sim.limits(), &|_| {}).await;
                succeeded("the destroy", &gone).unwrap();
                assert_eq!(
                    listed_addresses(&sim, &hub).await,
                    12,
                    "link {cancelled} was cancelled after {after} s"
                );
            });
        }
    }
}

/// Addresses that Azure does not accept are a problem of the link that they belong to.
#[test]
fn rejected_shared_write_is_repeated_alone() {
    for kind in ["refused", "failed"] {
        simulated(move || async move {
            let sim = Sim::new(52);
            let (hub, links) = hub_with(&sim, 3).await;
            let before = count(&sim, "PutGateway");
            let rule = format!("fail call 2 of PutGateway: once {kind}");
            sim.sandbox.world().faults.add(rule.parse().unwrap());
            let made = join_all(links.iter().map(|link| sim.converge(link))).await;
            for outcome in &made {
                succeeded(kind, outcome).unwrap();
            }
            let writes = count(&sim, "PutGateway") - before;
            // Alone, together, and once more each. A write whose operation fails leaves the addresses
            // of all behind.
            let expected = if kind == "failed" { 3 } else { 4 };
            assert_eq!(writes, expected, "{kind}");
            assert_eq!(listed_addresses(&sim, &hub).await, 16);
        });
    }
}
