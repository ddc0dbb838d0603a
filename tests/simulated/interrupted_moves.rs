//! A move to another AWS side that is killed before Terraform writes a state, and what the next
//! configuration makes of it: no object of the half-built side may be left.

use super::correction_regressions::{azure_gateway, azure_network};
use awsazure_sandbox::time::SimDuration;
use serde_json::{Value, json};
use test_support::simulated::environment::{Environment, GROUP, OTHER_REGION};
use test_support::simulated::other_team;
use test_support::simulated::scripted_run::{ScriptedRun, scripted};
use test_support::simulated::terraform_core::Run;

/// An AWS side of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Vpc,
    VpnGateway,
    TransitGateway,
    CreatedVpc,
    FarVpc,
}

const TARGETS: [Side; 4] = [
    Side::VpnGateway,
    Side::TransitGateway,
    Side::CreatedVpc,
    Side::FarVpc,
];

/// Calls at which the move is killed: after the first VPN connection, and at the end.
const KILLS: [&str; 2] = [
    "fail call 1 of aws CreateVpnConnection: once hang-after",
    "fail call 1 of aws DeleteTags: once hang-after",
];

fn link(environment: &Environment, side: Side) -> Value {
    let aws = match side {
        Side::Vpc => json!({"vpc_id": environment.vpcs[0].id}),
        Side::VpnGateway => json!({"vpn_gateway_id": environment.vpn_gateways[0]}),
        Side::TransitGateway => json!({"transit_gateway_id": environment.transit_gateways[0]}),
        Side::CreatedVpc => json!({"vpc": {
            "cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"
        }}),
        Side::FarVpc => json!({"vpc_id": environment.far_vpc, "region": OTHER_REGION}),
    };
    json!({"name": "prod", "azure": azure_network(environment), "aws": aws})
}

async fn kill_move(run: &mut ScriptedRun<'_>, target: Side, rule: &str) {
    run.configure(&link(run.environment, Side::Vpc));
    run.apply().await;
    run.configure(&link(run.environment, target));
    run.apply_killed(rule, false).await;
}

#[test]
fn taking_back_a_killed_move_deletes_its_objects() {
    for target in TARGETS {
        for rule in KILLS {
            scripted(async |run| {
                kill_move(run, target, rule).await;
                run.configure(&link(run.environment, Side::Vpc));
                run.apply().await;
                run.finish().await;
            });
        }
    }
}

#[test]
fn moving_elsewhere_after_a_killed_move_deletes_its_objects() {
    for target in TARGETS {
        let other = if target == Side::VpnGateway {
            Side::TransitGateway
        } else {
            Side::VpnGateway
        };
        scripted(async |run| {
            kill_move(run, target, KILLS[0]).await;
            run.configure(&link(run.environment, other));
            run.apply().await;
            run.finish().await;
        });
    }
}

#[test]
fn destroy_after_a_killed_move_deletes_both_sides() {
    for target in TARGETS {
        for rule in KILLS {
            scripted(async |run| {
                kill_move(run, target, rule).await;
                run.finish().await;
            });
        }
    }
}

/// The plan names every object that the apply deletes.
#[test]
fn plan_announces_objects_of_a_killed_move() {
    scripted(async |run| {
        kill_move(run, Side::TransitGateway, KILLS[0]).await;
        run.configure(&link(run.environment, Side::Vpc));
        run.core.messages.clear();
        run.apply().await;
        let messages = run.core.messages.join("\n");
        assert!(messages.contains("aws_vpn_connection: vpn-"), "{messages}");
        assert!(
            messages.contains("aws_customer_gateway: cgw-"),
            "{messages}"
        );
        run.finish().await;
    });
}

/// The delete half of a replacement failed after it deleted the gateway that the link created.
#[test]
fn failed_replacement_continues_on_existing_gateway() {
    scripted(async |run| {
        let aws = json!({"vpc": {"cidr_block": "10.2.0.0/16"}});
        let own = json!({"resource_group_name": GROUP, "location": "westeurope", "virtual_network": {
            "name": "own", "address_space": ["10.40.0.0/16"], "gateway_subnet_prefix": "10.40.255.0/27"
        }});
        run.configure(&json!({"name": "prod", "azure": own, "aws": aws}));
        run.apply().await;
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws}),
        );
        run.apply_fails(Some("fail call 1 of azure DeletePublicIp: forever refused"))
            .await;
        assert!(run.state("azure.gateway_id").is_null());
        run.apply().await;
        run.finish().await;
    });
}

/// A failed create whose configuration names another AWS side: the plan announces what the apply
/// deletes of the side that was begun.
#[test]
fn resumed_create_announces_deletion_of_former_side() {
    scripted(async |run| {
        run.configure(&link(run.environment, Side::CreatedVpc));
        run.apply_fails(Some(
            "fail call 1 of aws CreateVpnConnection: forever refused",
        ))
        .await;
        run.configure(&link(run.environment, Side::VpnGateway));
        run.core.messages.clear();
        run.apply().await;
        let messages = run.core.messages.join("\n");
        assert!(messages.contains("aws_vpc: vpc-"), "{messages}");
        run.finish().await;
    });
}

/// Only an object in the way can be a matter of create_before_destroy.
#[test]
fn failure_without_conflict_does_not_mention_create_before_destroy() {
    scripted(async |run| {
        run.configure(&link(run.environment, Side::CreatedVpc));
        run.core.new_process();
        let rule = "fail call 1 of aws CreateVpc: forever 403".parse().unwrap();
        run.sim.sandbox.world().faults.add(rule);
        let denied = run.core.run(&Run::Apply).await.unwrap_err();
        run.sim.sandbox.world().faults.clear();
        assert!(!denied.contains("create_before_destroy"), "{denied}");
        run.apply().await;
        run.finish().await;
    });
}

/// Only the provider process dies: Terraform stores the attributes of before and no private data.
async fn lose_private_data(run: &mut ScriptedRun<'_>, before: &Value, next: &Value, rule: &str) {
    run.configure(before);
    run.apply().await;
    run.configure(next);
    run.apply_killed(rule, false).await;
    run.core.stored.private.clear();
}

#[test]
fn move_from_existing_gateway_survives_loss_of_private_data() {
    for target in [Side::CreatedVpc, Side::Vpc, Side::TransitGateway] {
        for rule in [
            "fail call 1 of aws CreateVpnConnection: once hang-after",
            "fail call 1 of aws CreateCustomerGateway: once hang-after",
        ] {
            for next in [Some(target), Some(Side::VpnGateway), None] {
                scripted(async |run| {
                    let before = link(run.environment, Side::VpnGateway);
                    let target = link(run.environment, target);
                    lose_private_data(run, &before, &target, rule).await;
                    if let Some(next) = next {
                        run.configure(&link(run.environment, next));
                        run.apply().await;
                    }
                    run.finish().await;
                });
            }
        }
    }
}

/// Others list one of the link's addresses on their gateway, and propagate into their table.
#[test]
fn destroy_after_loss_of_private_data_leaves_what_others_configured() {
    for rule in [
        "fail call 2 of aws DeleteCustomerGateway: once hang-after",
        "fail call 1 of aws CreateCustomerGateway: once hang-after",
        "fail call 1 of aws CreateVpnConnection: once hang-after",
    ] {
        for returns in [true, false] {
            scripted(async |run| {
                let (azure, aws) = {
                    let environment = run.environment;
                    (&environment.azure_gateways[0], &environment.vpn_gateways[0])
                };
                run.configure_by_others(async |sim| {
                    other_team::lists_bgp_address(sim, azure, [169, 254, 21, 2].into()).await;
                    other_team::propagates_routes(sim, aws).await;
                })
                .await;
                let on_existing = |side: Side| {
                    let mut link = link(run.environment, side);
                    link["azure"] = azure_gateway(run.environment);
                    link
                };
                let before = on_existing(Side::VpnGateway);
                let after = on_existing(Side::TransitGateway);
                lose_private_data(run, &before, &after, rule).await;
                if returns {
                    run.configure(&before);
                    run.apply().await;
                }
                run.finish().await;
            });
        }
    }
}

/// Without a read, nothing tells which addresses others list.
#[test]
fn destroy_without_refresh_after_loss_of_private_data_leaves_foreign_address() {
    scripted(async |run| {
        let azure = &run.environment.azure_gateways[0];
        run.configure_by_others(async |sim| {
            for address in [[169, 254, 21, 2], [169, 254, 22, 2]] {
                other_team::lists_bgp_address(sim, azure, address.into()).await;
            }
        })
        .await;
        let aws = json!({"vpc_id": run.environment.vpcs[0].id});
        run.configure(
            &json!({"name": "prod", "azure": azure_gateway(run.environment), "aws": aws}),
        );
        run.apply().await;
        run.core.stored.private.clear();
        run.core.blind = true;
        run.core.new_process();
        assert_eq!(run.core.run(&Run::Destroy).await, Ok(()));
        run.wait(SimDuration::minutes(20)).await;
        // The link's own two addresses, on the other instance, stay as well.
        let left = run.differences();
        assert_eq!(left.len(), 2, "{left:#?}");
        assert!(
            left.iter()
                .all(|one| one.contains("bgpPeeringAddresses[1].customBgpIpAddresses")),
            "{left:#?}"
        );
    });
}

/// The change adds addresses to another team's gateway, and the process dies before it removes any.
#[test]
fn change_of_addresses_survives_loss_of_private_data() {
    for rule in [
        "fail call 1 of azure PutGateway: once hang-after",
        "fail call 2 of azure PutGateway: once hang-after",
        "fail call 2 of azure PutLocalGateway: once hang-after",
    ] {
        for returns in [true, false] {
            scripted(async |run| {
                let on_slot = |slot: u8| {
                    let aws = json!({"vpc_id": run.environment.vpcs[0].id});
                    let azure = azure_gateway(run.environment);
                    json!({"name": "prod", "slot": slot, "azure": azure, "aws": aws})
                };
                let (before, after) = (on_slot(0), on_slot(1));
                lose_private_data(run, &before, &after, rule).await;
                if returns {
                    run.configure(&before);
                }
                run.apply().await;
                run.finish().await;
            });
        }
    }
}

/// A link keeps the ownership tag of its first slot.
#[test]
fn link_of_another_slot_survives_loss_of_private_data() {
    scripted(async |run| {
        let on_slot = |slot: u8| {
            let aws = json!({"vpc_id": run.environment.vpcs[0].id});
            let azure = azure_gateway(run.environment);
            json!({"name": "prod", "slot": slot, "azure": azure, "aws": aws})
        };
        let (first, second, third) = (on_slot(0), on_slot(1), on_slot(2));
        run.configure(&first);
        run.apply().await;
        let rule = "fail call 1 of azure PutGateway: once hang-after";
        lose_private_data(run, &second, &third, rule).await;
        run.configure(&second);
        run.apply().await;
        run.finish().await;
    });
}

/// The VPN connections of the killed run have settings that neither state nor configuration has.
#[test]
fn killed_move_from_existing_gateway_continues_with_other_tunnel_options() {
    scripted(async |run| {
        run.configure(&link(run.environment, Side::VpnGateway));
        run.apply().await;
        let mut target = link(run.environment, Side::TransitGateway);
        target["aws"]["dpd_timeout_seconds"] = json!(45);
        run.configure(&target);
        run.apply_killed(KILLS[0], false).await;
        run.configure(&link(run.environment, Side::TransitGateway));
        run.apply().await;
        run.finish().await;
    });
}
