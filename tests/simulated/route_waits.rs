//! A create with `wait_for_bgp` waits for the routes of its tunnels, where some are expected.

use awsazure::reconcile::{ActionError, observe};
use bgp_vpn::tunnel::TunnelKey;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::{only_error, succeeded};

/// Another user detaches the VPN gateway while the Azure gateway is created. It advertises nothing
/// then: all sessions come up, and Azure learns no routes.
#[test]
fn create_names_tunnels_without_routes() {
    for waits in [true, false] {
        simulated(|| async move {
            let sim = Sim::new(71);
            let mut spec = sim.spec("prod", 0);
            spec.wait_for_bgp = waits;
            let other_user = async {
                let clients = sim
                    .clouds
                    .link_clients(Some(&spec.aws.region), &sim.limits())
                    .await
                    .unwrap();
                let (id, vpc) = loop {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                    let seen = observe(&clients, &sim.search(&spec), &sim.limits()).await;
                    let aws = seen.unwrap().aws;
                    let complete = aws.vpn_connections.iter().all(|(_, vpn)| vpn.is_some());
                    if let (Some(gateway), true) = (aws.gateway, complete)
                        && let Some((vpc, _)) = gateway.attachment
                    {
                        break (gateway.id, vpc);
                    }
                };
                let ctx = sim.limits().call_context();
                clients.ec2.detach_vpn_gateway(&ctx, &id, &vpc).await
            };
            let (ended, detached) = tokio::join!(sim.converge(&spec), other_user);
            detached.unwrap();
            if !waits {
                return succeeded("create", &ended).unwrap();
            }
            let error = only_error(&ended);
            let ActionError::NoRoutes {
                tunnels, minutes, ..
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!((tunnels.as_slice(), *minutes), (&TunnelKey::ALL[..], 14));
            let text = error.to_string();
            assert!(text.contains("Azure learns no routes from AWS"), "{text}");
        });
    }
}
