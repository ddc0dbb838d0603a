//! Failures that random corrections found, each with the correction that did not work.

use awsazure::aws::Filter;
use awsazure::aws::model::{RouteTableId, VpcId, VpnConnectionId, VpnGatewayId};
use awsazure::azure::ResourceId;
use serde_json::{Value, json};
use test_support::simulated::REGION;
use test_support::simulated::environment::{Environment, GROUP, OTHER_REGION};
use test_support::simulated::fault_sweep::create_foreign;
use test_support::simulated::scripted_run::{ScriptedRun, scripted};
use test_support::simulated::terraform_core::Run;

pub fn azure_network(environment: &Environment) -> Value {
    json!({"resource_group_name": GROUP, "virtual_network_id": environment.networks[0]})
}

pub fn azure_gateway(environment: &Environment) -> Value {
    json!({"resource_group_name": GROUP, "gateway_id": environment.azure_gateways[0]})
}

#[test]
fn replace_after_broken_region_move_deletes_both_sides() {
    scripted(async |run| {
        let far = json!({"vpc_id": run.environment.far_vpc, "region": OTHER_REGION});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": far}),
        );
        run.apply().await;
        run.set("aws.vpc_id", &json!(run.environment.vpcs[0].id));
        run.set("aws.region", &json!(REGION));
        run.apply_killed(
            "fail call 1 of aws DeleteVpnConnection: once hang-after",
            true,
        )
        .await;
        run.set(
            "azure.virtual_network_id",
            &json!(run.environment.networks[1]),
        );
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn failed_vpc_move_drops_route_tables_of_old_vpc() {
    scripted(async |run| {
        let vpc = |number: u8| json!({"cidr_block": format!("10.{number}.0.0/16"), "public_subnet_cidr_block": format!("10.{number}.0.0/24")});
        run.configure(&json!({"name": "prod", "azure": azure_network(run.environment), "aws": {"vpc": vpc(2)}}));
        run.apply().await;
        run.set("aws.vpc", &vpc(3));
        run.apply_fails(Some("fail call 1 of aws CreateRouteTable: forever 403"))
            .await;
        run.set("tags", &json!({"team": "network"}));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn replace_vpn_gateway_by_vpc_in_one_apply() {
    for other in ["vpc_id", "vpc"] {
        scripted(async |run| {
            let given = json!({"vpn_gateway_id": run.environment.vpn_gateways[0]});
            run.configure(
                &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": given}),
            );
            run.apply().await;
            let own = match other {
                "vpc_id" => json!({"vpc_id": run.environment.vpcs[0].id}),
                _ => json!({"vpc": {"cidr_block": "10.2.0.0/16"}}),
            };
            run.configure(
                &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": own}),
            );
            run.apply().await;
            assert_eq!(run.state("aws.asn").as_u64(), Some(64_512));
            assert!(run.state("managed").get("aws_vpn_gateway").is_set());
            run.finish().await;
        });
    }
}

#[test]
fn vpn_gateway_in_other_region_excludes_vpc_block() {
    scripted(async |run| {
        let far = json!({"region": OTHER_REGION, "vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": far}),
        );
        run.apply().await;
        let given = json!({"region": REGION, "vpn_gateway_id": run.environment.vpn_gateways[0]});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": given}),
        );
        run.apply().await;
        assert!(run.state("aws.vpc").is_null());
        run.finish().await;
    });
}

#[test]
fn replacement_ignores_existing_gateway_differences() {
    scripted(async |run| {
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws}),
        );
        run.apply().await;
        let mut azure = azure_network(run.environment);
        azure["generation"] = json!("Generation1");
        azure["asn"] = json!(65_010);
        run.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn replace_tainted_link_on_another_network() {
    scripted(async |run| {
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": aws}),
        );
        run.apply_fails(Some(
            "fail call 2 of aws CreateVpnConnection: forever refused",
        ))
        .await;
        assert!(run.core.stored.tainted);
        run.set(
            "azure.virtual_network_id",
            &json!(run.environment.networks[1]),
        );
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn destroy_deletes_gateway_subnet_of_killed_create() {
    scripted(async |run| {
        let azure = json!({
            "resource_group_name": GROUP, "virtual_network_id": run.environment.bare_network,
            "gateway_subnet_prefix": "10.10.1.0/24",
        });
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        run.apply_killed("fail call 1 of azure PutGateway: once hang-after", false)
            .await;
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn create_on_existing_gateways_rejects_manage_gateways() {
    scripted(async |run| {
        let aws = json!({"vpn_gateway_id": run.environment.vpn_gateways[0]});
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws, "manage_gateways": true}),
        );
        assert_eq!(run.apply_fails(None).await, ["manage_gateways"]);
        run.set("manage_gateways", &json!(false));
        run.apply().await;
        run.finish().await;
    });
}

/// The read before the second apply drops what is gone of the former AWS side from the state.
#[test]
fn complete_move_killed_at_its_end() {
    scripted(async |run| {
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": aws}),
        );
        run.apply().await;
        let given = json!({"vpn_gateway_id": run.environment.vpn_gateways[0]});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": given}),
        );
        run.apply_killed("fail call 1 of aws DeleteTags: once hang-after", false)
            .await;
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn remove_propagation_tag_with_public_subnet() {
    scripted(async |run| {
        let vpc = |subnet: Value| json!({"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": subnet}});
        let link = |environment: &Environment, aws: Value| json!({"name": "prod", "azure": azure_network(environment), "aws": aws});
        run.configure(&link(run.environment, vpc(json!("10.2.0.0/24"))));
        run.apply().await;
        let managed = run.state("managed");
        let table = managed.get("aws_route_table").as_list().unwrap()[0]
            .as_str()
            .unwrap()
            .to_owned();
        let is_tagged = |world: String| world.contains(&format!("awsazure:propagates/{table}"));
        let world = |run: &test_support::simulated::scripted_run::ScriptedRun<'_>| {
            serde_json::to_string(&*run.sim.sandbox.world()).unwrap()
        };
        assert!(is_tagged(world(run)));
        run.configure(&link(run.environment, vpc(Value::Null)));
        run.apply().await;
        assert!(!is_tagged(world(run)));
        run.finish().await;
    });
}

/// Objects that a configuration names and that another team deletes, with everything that uses
/// them.
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

fn kept(run: &ScriptedRun<'_>, path: &str) -> String {
    run.state(path).as_str().unwrap().to_owned()
}

/// Every VPN connection, and then the VPN gateway if the link has one.
async fn lose_aws(run: &ScriptedRun<'_>, victim: Victim) {
    let limits = run.sim.limits().call_context();
    let ec2 = run.sim.clouds.aws.region(&limits, None).await.unwrap();
    for connection in ec2
        .describe_vpn_connections(&limits, &Filter::default())
        .await
        .unwrap()
    {
        if connection.state.is_living() {
            ec2.delete_vpn_connection(&limits, &VpnConnectionId(connection.id.0.clone()))
                .await
                .unwrap();
            ec2.wait_vpn_connection_deleted(&limits, &connection.id)
                .await
                .unwrap();
        }
    }
    if victim == Victim::TransitGateway {
        let form = format!("TransitGatewayId={}", kept(run, "aws.transit_gateway_id"));
        create_foreign(
            &mut run.sim.sandbox.world(),
            "DeleteTransitGateway",
            &form,
            "transitGatewayId",
        );
        return;
    }
    let (gateway, vpc) = (
        VpnGatewayId(kept(run, "aws.vpn_gateway_id")),
        VpcId(kept(run, "aws.vpc_id")),
    );
    ec2.detach_vpn_gateway(&limits, &gateway, &vpc)
        .await
        .unwrap();
    ec2.wait_vpn_gateway_detached(&limits, &gateway)
        .await
        .unwrap();
    ec2.delete_vpn_gateway(&limits, &gateway).await.unwrap();
    if victim == Victim::Vpc {
        for table in ec2
            .describe_route_tables(&limits, &Filter::vpc(&vpc))
            .await
            .unwrap()
        {
            if !table.main {
                ec2.delete_route_table(&limits, &RouteTableId(table.id.0))
                    .await
                    .unwrap();
            }
        }
        ec2.delete_vpc(&limits, &vpc).await.unwrap();
    }
}

async fn lose(run: &ScriptedRun<'_>, victim: Victim) {
    if !matches!(
        victim,
        Victim::AzureGateway | Victim::Network | Victim::ResourceGroup
    ) {
        return lose_aws(run, victim).await;
    }
    let (azure, limits) = (&run.sim.clouds.azure, run.sim.limits().call_context());
    if victim == Victim::ResourceGroup {
        azure
            .delete_group(&kept(run, "azure.resource_group_name"), &limits)
            .await
            .unwrap();
        return;
    }
    let gateway = ResourceId::parse(&kept(run, "azure.gateway_id")).unwrap();
    for connection in azure.gateway_connections(&gateway, &limits).await.unwrap() {
        azure
            .delete_connection(&connection.resource.id, &gateway, &limits)
            .await
            .unwrap();
    }
    azure.delete_gateway(&gateway, &limits).await.unwrap();
    if victim == Victim::Network {
        let network = ResourceId::parse(&kept(run, "azure.virtual_network_id")).unwrap();
        azure
            .delete_virtual_network(&network, &limits)
            .await
            .unwrap();
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
fn left(run: &ScriptedRun<'_>) -> Vec<String> {
    let all = test_support::simulated::verify::listing(run.sim).into_values();
    all.filter(|object| !object["tags"]["awsazure:link"].is_null())
        .map(|object| object["id"].to_string())
        .collect()
}

#[test]
fn destroy_after_configured_object_was_deleted() {
    for victim in VICTIMS {
        for tainted in [false, true] {
            scripted(async |run| {
                run.configure(&link_with(run.environment, victim));
                run.apply().await;
                lose(run, victim).await;
                run.core.stored.tainted = tainted;
                run.core.new_process();
                assert_eq!(
                    run.core.run(&Run::Destroy).await,
                    Ok(()),
                    "{victim:?}, tainted: {tainted}"
                );
                assert_eq!(left(run), Vec::<String>::new(), "{victim:?}");
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
fn move_tagged_link_from_existing_to_managed_vgw() {
    scripted(async |run| {
        run.configure(&given_vpn_gateway(run.environment));
        run.apply().await;
        run.configure(&own_vpn_gateway(run.environment));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn keep_existing_vgw_untagged_after_failed_move() {
    scripted(async |run| {
        run.configure(&given_vpn_gateway(run.environment));
        run.apply().await;
        run.configure(&own_vpn_gateway(run.environment));
        run.apply_fails(Some(
            "fail call 1 of aws DeleteVpnConnection: forever refused",
        ))
        .await;
        run.configure(&given_vpn_gateway(run.environment));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn keep_subnet_of_existing_gateway_after_killed_replacement() {
    scripted(async |run| {
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws}),
        );
        run.apply().await;
        let bare = json!({"resource_group_name": GROUP, "virtual_network_id": run.environment.bare_network,
            "gateway_subnet_prefix": "10.10.1.0/24"});
        run.configure(&json!({"name": "prod", "azure": bare, "aws": aws}));
        run.apply_killed(
            "fail call 2 of azure DeleteConnection: once hang-after",
            true,
        )
        .await;
        run.set("aws.dpd_timeout_seconds", &json!(40));
        run.apply().await;
        run.finish().await;
    });
}

/// The killed delete half left neither the network nor the gateway of the old link in the state.
#[test]
fn find_configured_network_after_killed_replacement() {
    scripted(async |run| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        let network = json!({"name": "own", "address_space": ["10.40.0.0/16"], "gateway_subnet_prefix": "10.40.255.0/27"});
        let own = json!({"resource_group_name": GROUP, "location": "westeurope", "virtual_network": network});
        run.configure(&json!({"name": "prod", "azure": own, "aws": aws}));
        run.apply().await;
        let bare = json!({"resource_group_name": GROUP, "virtual_network_id": run.environment.bare_network,
                "gateway_subnet_prefix": "10.10.1.0/24"});
        run.configure(&json!({"name": "prod", "azure": bare, "aws": aws}));
        run.apply_killed("fail call 1 of aws CreateTags: once hang", true)
            .await;
        run.set("aws.dpd_timeout_seconds", &json!(40));
        run.apply().await;
        run.finish().await;
    });
}

/// The gateway exists before the link and keeps its own addresses.
#[test]
fn failed_replacement_removes_its_addresses_from_gateway() {
    scripted(async |run| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        let azure = |environment: &Environment, group: &str| json!({"resource_group_name": group, "create_resource_group": true, "gateway_id": environment.azure_gateways[0]});
        run.configure(
            &json!({"name": "prod", "azure": azure(run.environment, "one-rg"), "aws": aws}),
        );
        run.apply().await;
        run.configure(
            &json!({"name": "prod", "azure": azure(run.environment, "two-rg"), "aws": aws}),
        );
        run.apply_fails(Some(
            "fail call 2 of azure DeleteConnection: forever refused",
        ))
        .await;
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn replacement_removes_addresses_of_failed_update() {
    scripted(async |run| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        run.configure(&json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws, "slot": 1}));
        run.apply().await;
        run.set("slot", &json!(2));
        run.apply_fails(Some("fail call 2 of azure PutConnection: forever refused"))
            .await;
        run.set(
            "azure.gateway_id",
            &json!(run.environment.azure_gateways[1]),
        );
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn remove_swapped_addresses_from_existing_gateway() {
    scripted(async |run| {
        let cidr = |number: u8| json!(format!("169.254.21.{number}/30"));
        let cidrs = |order: [u8; 4]| {
            json!({"instance0_tunnel1": cidr(order[0]), "instance0_tunnel2": cidr(order[1]),
                "instance1_tunnel1": cidr(order[2]), "instance1_tunnel2": cidr(order[3])})
        };
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws,
            "inside_cidrs": cidrs([224, 228, 232, 236])}),
        );
        run.apply().await;
        run.set("inside_cidrs", &cidrs([228, 232, 236, 224]));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn incomplete_link_keeps_gateway_under_another_name() {
    scripted(async |run| {
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        let mut azure = azure_network(run.environment);
        azure["names"] = json!({"gateway": "first-name"});
        run.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
        run.apply_fails(Some("fail call 3 of azure PutConnection: forever refused"))
            .await;
        run.set("azure.names.gateway", &json!("second-name"));
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn ignore_vpn_gateway_of_killed_move() {
    scripted(async |run| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}, "region": OTHER_REGION});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": aws}),
        );
        run.apply().await;
        let aws = json!({"vpc_id": run.environment.vpcs[0].id, "region": REGION});
        run.configure(
            &json!({"name": "prod", "azure": azure_network(run.environment), "aws": aws}),
        );
        run.apply_killed("fail call 1 of aws DeleteTags: once hang-after", false)
            .await;
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn reject_created_vpc_beside_existing_one() {
    scripted(async |run| {
        let created = json!({"cidr_block": "10.2.0.0/16"});
        let others = [
            ("vpc_id", run.environment.vpcs[0].id.clone()),
            ("vpn_gateway_id", run.environment.vpn_gateways[0].clone()),
        ];
        for (attribute, id) in others {
            let aws = json!({"vpc": created, attribute: id});
            run.configure(
                &json!({"name": "prod", "azure": azure_network(run.environment), "aws": aws}),
            );
            assert_eq!(run.apply_fails(None).await, [format!("aws.{attribute}")]);
        }
        // A link that exists may name the VPC that it created.
        run.configure(&json!({"name": "prod", "azure": azure_network(run.environment), "aws": {"vpc": created}}));
        run.apply().await;
        let own = run.state("aws.vpc_id");
        run.set("aws.vpc_id", &json!(own.as_str().unwrap()));
        run.apply().await;
        run.finish().await;
    });
}
