//! Gateway subnets with a wrong prefix.

use serde_json::json;
use test_support::simulated::environment::GROUP;
use test_support::simulated::scripted_run::scripted;

/// A create is killed after it created the gateway subnet with a wrong prefix, and the user corrects
/// the prefix.
#[test]
fn correct_gateway_subnet_of_killed_create() {
    for existing in [true, false] {
        for fault in [
            "fail call 1 of azure PutGateway: once hang",
            "fail call 2 of azure PutPublicIp: once hang-after",
        ] {
            scripted(async |run| {
                let mut azure = if existing {
                    json!({
                        "resource_group_name": GROUP, "virtual_network_id": run.environment.bare_network,
                        "gateway_subnet_prefix": "10.10.1.0/24",
                    })
                } else {
                    json!({
                        "resource_group_name": GROUP, "location": "westeurope",
                        "virtual_network": {"name": "own", "address_space": ["10.77.0.0/16"], "gateway_subnet_prefix": "10.77.1.0/24"},
                    })
                };
                let aws = json!({"vpc_id": run.environment.vpcs[0].id});
                run.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
                run.apply_killed(fault, false).await;
                if existing {
                    azure["gateway_subnet_prefix"] = json!("10.10.2.0/24");
                } else {
                    azure["virtual_network"]["gateway_subnet_prefix"] = json!("10.77.2.0/24");
                }
                run.configure(&json!({"name": "prod", "azure": azure, "aws": aws}));
                run.apply().await;
                run.finish().await;
            });
        }
    }
}
