//! Failures that random corrections found, each with the correction that did not work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use awsazure::aws::Filter;
use awsazure::aws::model::{RouteTableId, VpcId, VpnConnectionId, VpnGatewayId};
use awsazure::azure::ResourceId;
use serde_json::{Value, json};
use simulated::REGION;
use simulated::core::Run;
use simulated::environment::{Environment, GROUP, OTHER_REGION};
use simulated::scene::{Scene, scene};
use simulated::sweep::somebody_makes;

fn azure_network(environment: &Environment) -> Value {
    json!({"resource_group_name": GROUP, "virtual_network_id": environment.networks[0]})
}

fn azure_gateway(environment: &Environment) -> Value {
    json!({"resource_group_name": GROUP, "gateway_id": environment.azure_gateways[0]})
}

#[test]
fn replacement_after_broken_region_move_deletes_both() {
    scene(async |scene| {
        let far = json!({"vpc_id": scene.environment.far_vpc, "region": OTHER_REGION});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": far}));
        scene.applies().await;
        scene.set("aws.vpc_id", &json!(scene.environment.vpcs[0].id));
        scene.set("aws.region", &json!(REGION));
        scene.is_killed("fail call 1 of aws DeleteVpnConnection: once hang-after", true).await;
        scene.set("azure.virtual_network_id", &json!(scene.environment.networks[1]));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn failed_vpc_move_forgets_route_tables_of_old_vpc() {
    scene(async |scene| {
        let vpc = |number: u8| json!({"cidr_block": format!("10.{number}.0.0/16"), "public_subnet_cidr_block": format!("10.{number}.0.0/24")});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": {"vpc": vpc(2)}}));
        scene.applies().await;
        scene.set("aws.vpc", &vpc(3));
        scene.fails(Some("fail call 1 of aws CreateRouteTable: forever 403")).await;
        scene.set("tags", &json!({"team": "network"}));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn vpc_takes_the_place_of_vpn_gateway_in_one_apply() {
    for other in ["vpc_id", "vpc"] {
        scene(async |scene| {
            let given = json!({"vpn_gateway_id": scene.environment.vpn_gateways[0]});
            scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": given}));
            scene.applies().await;
            let own = match other {
                "vpc_id" => json!({"vpc_id": scene.environment.vpcs[0].id}),
                _ => json!({"vpc": {"cidr_block": "10.2.0.0/16"}}),
            };
            scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": own}));
            scene.applies().await;
            assert_eq!(scene.state("aws.asn").as_u64(), Some(64_512));
            assert!(scene.state("managed").get("aws_vpn_gateway").is_set());
            scene.ends().await;
        });
    }
}

#[test]
fn vpn_gateway_in_another_region_takes_no_vpc_block() {
    scene(async |scene| {
        let far = json!({"region": OTHER_REGION, "vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": far}));
        scene.applies().await;
        let given = json!({"region": REGION, "vpn_gateway_id": scene.environment.vpn_gateways[0]});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": given}));
        scene.applies().await;
        assert!(scene.state("aws.vpc").is_null());
        scene.ends().await;
    });
}

#[test]
fn replacement_is_not_compared_with_the_given_gateway() {
    scene(async |scene| {
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": aws}));
        scene.applies().await;
        let mut azure = azure_network(scene.environment);
        azure["generation"] = json!("Generation1");
        azure["asn"] = json!(65_010);
        scene.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn tainted_link_on_another_network_is_replaced() {
    scene(async |scene| {
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": aws}));
        scene.fails(Some("fail call 2 of aws CreateVpnConnection: forever refused")).await;
        assert!(scene.core.stored.tainted);
        scene.set("azure.virtual_network_id", &json!(scene.environment.networks[1]));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn destroy_deletes_gateway_subnet_of_killed_create() {
    scene(async |scene| {
        let azure = json!({
            "resource_group_name": GROUP, "virtual_network_id": scene.environment.bare_network,
            "gateway_subnet_prefix": "10.10.1.0/24",
        });
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        scene.is_killed("fail call 1 of azure PutGateway: once hang-after", false).await;
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn create_on_given_gateways_rejects_manage_gateways() {
    scene(async |scene| {
        let aws = json!({"vpn_gateway_id": scene.environment.vpn_gateways[0]});
        scene.configure(
            &json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": aws, "manage_gateways": true}),
        );
        assert_eq!(scene.fails(None).await, ["manage_gateways"]);
        scene.set("manage_gateways", &json!(false));
        scene.applies().await;
        scene.ends().await;
    });
}

/// The read before the second apply drops what is gone of the former AWS side from the state.
#[test]
fn move_killed_at_its_end_is_completed() {
    scene(async |scene| {
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": aws}));
        scene.applies().await;
        let given = json!({"vpn_gateway_id": scene.environment.vpn_gateways[0]});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": given}));
        scene.is_killed("fail call 1 of aws DeleteTags: once hang-after", false).await;
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn removed_public_subnet_takes_its_propagation_tag_along() {
    scene(async |scene| {
        let vpc = |subnet: Value| json!({"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": subnet}});
        let link = |environment: &Environment, aws: Value| json!({"name": "prod", "azure": azure_network(environment), "aws": aws});
        scene.configure(&link(scene.environment, vpc(json!("10.2.0.0/24"))));
        scene.applies().await;
        let managed = scene.state("managed");
        let table = managed.get("aws_route_table").as_list().unwrap()[0].as_str().unwrap().to_owned();
        let is_tagged = |world: String| world.contains(&format!("awsazure:propagates/{table}"));
        let world = |scene: &simulated::scene::Scene<'_>| serde_json::to_string(&*scene.sim.sandbox.world()).unwrap();
        assert!(is_tagged(world(scene)));
        scene.configure(&link(scene.environment, vpc(Value::Null)));
        scene.applies().await;
        assert!(!is_tagged(world(scene)));
        scene.ends().await;
    });
}

/// Objects that a configuration names and that another team deletes, with everything that uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    AzureGateway,
    Network,
    ResourceGroup,
    VpnGateway,
    Vpc,
    TransitGateway,
}

const VICTIMS: [Victim; 6] = [
    Victim::AzureGateway,
    Victim::Network,
    Victim::ResourceGroup,
    Victim::VpnGateway,
    Victim::Vpc,
    Victim::TransitGateway,
];

fn kept(scene: &Scene<'_>, path: &str) -> String {
    scene.state(path).as_str().unwrap().to_owned()
}

/// Every VPN connection, and then the VPN gateway if the link has one.
async fn lose_aws(scene: &Scene<'_>, victim: Victim) {
    let limits = scene.sim.limits().aws();
    let ec2 = scene.sim.clouds.aws.region(&limits, None).await.unwrap();
    for connection in ec2.describe_vpn_connections(&limits, &Filter::default()).await.unwrap() {
        if connection.state.is_living() {
            ec2.delete_vpn_connection(&limits, &VpnConnectionId(connection.id.0.clone())).await.unwrap();
            ec2.wait_vpn_connection_deleted(&limits, &connection.id).await.unwrap();
        }
    }
    if victim == Victim::TransitGateway {
        let form = format!("TransitGatewayId={}", kept(scene, "aws.transit_gateway_id"));
        somebody_makes(&mut scene.sim.sandbox.world(), "DeleteTransitGateway", &form, "transitGatewayId");
        return;
    }
    let (gateway, vpc) = (VpnGatewayId(kept(scene, "aws.vpn_gateway_id")), VpcId(kept(scene, "aws.vpc_id")));
    ec2.detach_vpn_gateway(&limits, &gateway, &vpc).await.unwrap();
    ec2.wait_vpn_gateway_detached(&limits, &gateway).await.unwrap();
    ec2.delete_vpn_gateway(&limits, &gateway).await.unwrap();
    if victim == Victim::Vpc {
        for table in ec2.describe_route_tables(&limits, &Filter::vpc(&vpc)).await.unwrap() {
            if !table.main {
                ec2.delete_route_table(&limits, &RouteTableId(table.id.0)).await.unwrap();
            }
        }
        ec2.delete_vpc(&limits, &vpc).await.unwrap();
    }
}

async fn lose(scene: &Scene<'_>, victim: Victim) {
    if !matches!(victim, Victim::AzureGateway | Victim::Network | Victim::ResourceGroup) {
        return lose_aws(scene, victim).await;
    }
    let (azure, limits) = (&scene.sim.clouds.azure, scene.sim.limits().azure());
    if victim == Victim::ResourceGroup {
        azure.delete_group(&kept(scene, "azure.resource_group_name"), &limits).await.unwrap();
        return;
    }
    let gateway = ResourceId::parse(&kept(scene, "azure.gateway_id")).unwrap();
    for connection in azure.gateway_connections(&gateway, &limits).await.unwrap() {
        azure.delete_connection(&connection.resource.id, &gateway, &limits).await.unwrap();
    }
    azure.delete_gateway(&gateway, &limits).await.unwrap();
    if victim == Victim::Network {
        let network = ResourceId::parse(&kept(scene, "azure.virtual_network_id")).unwrap();
        azure.delete_virtual_network(&network, &limits).await.unwrap();
    }
}

/// A link on the object that will be lost.
fn link_with(environment: &Environment, victim: Victim) -> Value {
    let azure = match victim {
        Victim::Network | Victim::ResourceGroup => azure_network(environment),
        _ => azure_gateway(environment),
    };
    let aws = match victim {
        Victim::VpnGateway => json!({"vpn_gateway_id": environment.vpn_gateways[0]}),
        Victim::TransitGateway => json!({"transit_gateway_id": environment.transit_gateways[0]}),
        _ => json!({"vpc_id": environment.vpcs[0].id}),
    };
    json!({"name": "prod", "azure": azure, "aws": aws})
}

/// Objects of the link that are left.
fn left(scene: &Scene<'_>) -> Vec<String> {
    let all = simulated::verify::listing(scene.sim).into_values();
    all.filter(|object| !object["tags"]["awsazure:link"].is_null()).map(|object| object["id"].to_string()).collect()
}

#[test]
fn destroy_works_after_an_object_of_the_configuration_was_deleted() {
    for victim in VICTIMS {
        for tainted in [false, true] {
            scene(async |scene| {
                scene.configure(&link_with(scene.environment, victim));
                scene.applies().await;
                lose(scene, victim).await;
                scene.core.stored.tainted = tainted;
                scene.core.new_process();
                assert_eq!(scene.core.run(&Run::Destroy).await, Ok(()), "{victim:?}, tainted: {tainted}");
                assert_eq!(left(scene), Vec::<String>::new(), "{victim:?}");
            });
        }
    }
}

fn given_vpn_gateway(environment: &Environment) -> Value {
    json!({"name": "prod", "azure": azure_network(environment), "tags": {"team": "network"},
        "aws": {"vpn_gateway_id": environment.vpn_gateways[0]}})
}

fn own_vpn_gateway(environment: &Environment) -> Value {
    json!({"name": "prod", "azure": azure_network(environment), "tags": {"team": "network"},
        "aws": {"vpc_id": environment.vpcs[0].id}})
}

#[test]
fn tagged_link_moves_from_given_to_own_vpn_gateway() {
    scene(async |scene| {
        scene.configure(&given_vpn_gateway(scene.environment));
        scene.applies().await;
        scene.configure(&own_vpn_gateway(scene.environment));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn given_vpn_gateway_gets_no_tags_after_a_failed_move() {
    scene(async |scene| {
        scene.configure(&given_vpn_gateway(scene.environment));
        scene.applies().await;
        scene.configure(&own_vpn_gateway(scene.environment));
        scene.fails(Some("fail call 1 of aws DeleteVpnConnection: forever refused")).await;
        scene.configure(&given_vpn_gateway(scene.environment));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn gateway_subnet_of_a_given_gateway_survives_a_killed_replacement() {
    scene(async |scene| {
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": aws}));
        scene.applies().await;
        let bare = json!({"resource_group_name": GROUP, "virtual_network_id": scene.environment.bare_network,
            "gateway_subnet_prefix": "10.10.1.0/24"});
        scene.configure(&json!({"name": "prod", "azure": bare, "aws": aws}));
        scene.is_killed("fail call 2 of azure DeleteConnection: once hang-after", true).await;
        scene.set("aws.dpd_timeout_seconds", &json!(40));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn replacement_that_failed_takes_its_addresses_off_the_given_gateway() {
    scene(async |scene| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        let azure = |environment: &Environment, group: &str| json!({"resource_group_name": group, "create_resource_group": true, "gateway_id": environment.azure_gateways[0]});
        scene.configure(&json!({"name": "prod", "azure": azure(scene.environment, "one-rg"), "aws": aws}));
        scene.applies().await;
        scene.configure(&json!({"name": "prod", "azure": azure(scene.environment, "two-rg"), "aws": aws}));
        scene.fails(Some("fail call 2 of azure DeleteConnection: forever refused")).await;
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn replacement_takes_off_addresses_that_a_failed_change_gave_up() {
    scene(async |scene| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": aws, "slot": 1}));
        scene.applies().await;
        scene.set("slot", &json!(2));
        scene.fails(Some("fail call 2 of azure PutConnection: forever refused")).await;
        scene.set("azure.gateway_id", &json!(scene.environment.azure_gateways[1]));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn exchanged_addresses_are_taken_off_the_given_gateway() {
    scene(async |scene| {
        let cidr = |number: u8| json!(format!("169.254.21.{number}/30"));
        let cidrs = |order: [u8; 4]| {
            json!({"instance0_tunnel1": cidr(order[0]), "instance0_tunnel2": cidr(order[1]),
                "instance1_tunnel1": cidr(order[2]), "instance1_tunnel2": cidr(order[3])})
        };
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        scene.configure(&json!({"name": "prod", "azure": azure_gateway(scene.environment), "aws": aws,
            "inside_cidrs": cidrs([224, 228, 232, 236])}));
        scene.applies().await;
        scene.set("inside_cidrs", &cidrs([228, 232, 236, 224]));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn unfinished_link_keeps_its_gateway_under_another_name() {
    scene(async |scene| {
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id});
        let mut azure = azure_network(scene.environment);
        azure["names"] = json!({"gateway": "first-name"});
        scene.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        scene.fails(Some("fail call 3 of azure PutConnection: forever refused")).await;
        scene.set("azure.names.gateway", &json!("second-name"));
        scene.applies().await;
        scene.ends().await;
    });
}

#[test]
fn vpn_gateway_of_a_killed_move_is_no_obstacle() {
    scene(async |scene| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}, "region": OTHER_REGION});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": aws}));
        scene.applies().await;
        let aws = json!({"vpc_id": scene.environment.vpcs[0].id, "region": REGION});
        scene.configure(&json!({"name": "prod", "azure": azure_network(scene.environment), "aws": aws}));
        scene.is_killed("fail call 1 of aws DeleteTags: once hang-after", false).await;
        scene.applies().await;
        scene.ends().await;
    });
}
