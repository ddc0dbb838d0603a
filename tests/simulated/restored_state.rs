//! A state from before the last update: a backup that someone restored, or an upload that failed.

use super::correction_regressions::azure_network;
use awsazure_sandbox::time::SimDuration;
use serde_json::json;
use test_support::simulated::scripted_run::{ScriptedRun, scripted};
use test_support::simulated::terraform_core::Run;

/// An update after which the link has other VPN connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Update {
    AzureAsn,
    RecreatedConnection,
}

impl Update {
    async fn apply(self, run: &mut ScriptedRun<'_>) {
        match self {
            Update::AzureAsn => run.set("azure.asn", &json!(65_010)),
            Update::RecreatedConnection => {
                let id = run.state("tunnels.instance0_tunnel1.aws_vpn_connection_id");
                let form = format!(
                    "DeleteVpnConnection&VpnConnectionId={}",
                    id.as_str().unwrap()
                );
                run.sim.say_to_ec2(&form).await;
                run.wait(SimDuration::minutes(10)).await;
            }
        }
        run.apply().await;
    }
}

/// The configuration is that of the restored state, or the newer one.
#[test]
fn restored_state_finds_newer_vpn_connections() {
    for update in [Update::AzureAsn, Update::RecreatedConnection] {
        for (is_newer, destroys) in [(false, false), (true, false), (false, true)] {
            scripted(async |run| {
                run.configure(&json!({
                    "name": "prod",
                    "azure": azure_network(run.environment),
                    "aws": {"vpc_id": run.environment.vpcs[0].id},
                }));
                run.apply().await;
                let (before, older) = (run.core.stored.clone(), run.core.config.clone());
                update.apply(run).await;
                run.core.stored = before;
                if !is_newer {
                    run.core.config = older;
                }
                if destroys {
                    run.core.new_process();
                    assert_eq!(run.core.run(&Run::Destroy).await, Ok(()), "{update:?}");
                    run.wait(SimDuration::minutes(20)).await;
                    assert_eq!(run.differences(), Vec::<String>::new());
                } else {
                    run.apply().await;
                    run.finish().await;
                }
            });
        }
    }
}
