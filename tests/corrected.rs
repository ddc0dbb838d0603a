//! Failures that random corrections found, each with the correction that did not work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use serde_json::{Value, json};
use simulated::REGION;
use simulated::environment::{Environment, GROUP, OTHER_REGION};
use simulated::scene::scene;

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
