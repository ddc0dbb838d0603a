//! Ownership tags that a user deleted: shown as drift, written again, and no tunnel is down for it.

use super::fixture::{Link, clients, ec2, wait_for_sessions};
use awsazure::azure::ResourceId;
use bgp_vpn::lost_tags::{objects_with_lost_tags, tagged_objects};
use bgp_vpn::ownership_tags::{TAG_LINK, TAG_NAME, TAG_ROLE};
use bgp_vpn::spec::AzureGateway;
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Tags;
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::Run;
use test_support::simulated::{Sim, leak_checker};

#[test]
fn restore_deleted_ownership_tags() {
    let link = Link::new();
    simulated(|| async move {
        let sim = link.sim();
        let mut core = link.core(&sim);
        core.run(&Run::Refresh).await.unwrap();
        let snapshot = leak_checker::snapshot(&sim, &core.stored);
        let (azure, ctx) = clients(&sim);
        let keys = [TAG_LINK, TAG_ROLE, TAG_NAME].map(str::to_owned);
        let on_azure = [
            "azure.gateway_id",
            "azure.virtual_network_id",
            "tunnels.instance0_tunnel1.azure_connection_id",
            "tunnels.instance1_tunnel2.azure_local_network_gateway_id",
        ];
        let on_azure = on_azure.map(|path| link.text(path));
        for id in &on_azure {
            azure
                .set_tags(&ResourceId::parse(id).unwrap(), &Tags::new(), &ctx)
                .await
                .unwrap();
        }
        azure
            .set_group_tags("prod-rg", &Tags::new(), &ctx)
            .await
            .unwrap();
        let on_aws = [
            "aws.vpc_id",
            "aws.vpn_gateway_id",
            "tunnels.instance0_tunnel1.aws_vpn_connection_id",
            "tunnels.instance1_tunnel1.aws_customer_gateway_id",
        ];
        let on_aws = on_aws.map(|path| link.text(path));
        ec2(&sim)
            .await
            .delete_tags(&sim.limits().call_context(), &on_aws, &keys)
            .await
            .unwrap();
        wait_for_sessions(&sim).await;

        core.run(&Run::Refresh).await.unwrap();
        let drift = format!("{:?}", core.stored.state.get("drift")).to_lowercase();
        for id in on_azure.iter().chain(&on_aws) {
            assert!(drift.contains(&id.to_lowercase()), "{id}: {drift}");
        }
        let availability = AvailabilityMonitor::over(&sim).unwrap();
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();
        availability.check_at_least(4).unwrap();
        let is = leak_checker::snapshot(&sim, &core.stored);
        assert!(
            is == snapshot,
            "{}",
            leak_checker::difference(&is, &snapshot)
        );
        core.run(&Run::Destroy).await.unwrap();
        leak_checker::no_objects_left(&sim).unwrap();
    });
}

/// With an existing gateway, objects may carry the tag of a link that had the same slot before.
#[test]
fn leave_deleted_tags_of_existing_gateway_objects() {
    simulated(|| async {
        let sim = Sim::new(5);
        let mut spec = sim.spec("prod", 0);
        let mut observed = sim.converge(&spec).await.observed;
        spec.owned = tagged_objects(&observed, &spec.link);
        let azure = &mut observed.azure;
        azure.group.iter_mut().for_each(|group| group.tags.clear());
        azure
            .network
            .iter_mut()
            .for_each(|network| network.resource.tags.clear());
        azure
            .gateway
            .iter_mut()
            .for_each(|gateway| gateway.resource.tags.clear());
        for instance in Instance::ALL {
            azure
                .public_ips
                .get_mut(instance)
                .iter_mut()
                .for_each(|ip| ip.resource.tags.clear());
        }
        assert_eq!(objects_with_lost_tags(&spec, &observed).len(), 5);
        spec.azure.gateway = AzureGateway::Existing(spec.azure.gateway.id().clone());
        spec.azure.create_resource_group = false;
        assert_eq!(objects_with_lost_tags(&spec, &observed), []);
    });
}
