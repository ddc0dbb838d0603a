//! Links in sovereign clouds: endpoints, audiences, partitions and versions of the API.

use awsazure::aws::model::{LogGroup, Region};
use awsazure_sandbox::azure::AzureCloud;
use awsazure_sandbox::world::Settings;
use std::collections::BTreeSet;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::succeeded;

/// Creates a link, finds nothing to do and destroys it; the hosts that were contacted.
async fn hosts(sim: &Sim, location: &str, region: &str, partition: &str) -> BTreeSet<String> {
    let mut spec = sim.spec("prod", 0);
    spec.azure.location = location.to_owned();
    spec.aws.region = Region(region.to_owned());
    spec.aws.logs.tunnel = Some(LogGroup {
        arn: format!("arn:{partition}:logs:{region}:123456789012:log-group:vpn"),
        format: "json".to_owned(),
    });
    let built = sim.converge(&spec).await;
    succeeded("create", &built).unwrap();
    let again = sim
        .converge_from(&spec, &sim.search_after(&spec, &built.observed))
        .await;
    succeeded("the second run", &again).unwrap();
    assert_eq!(again.done, []);
    let gone = sim.demolish(&spec, &again.observed).await;
    succeeded("destroy", &gone).unwrap();
    sim.wire.hosts()
}

#[test]
fn create_link_in_sovereign_clouds() {
    let clouds = [
        (
            AzureCloud::UsGovernment,
            ["usgovvirginia", "us-gov-west-1", "aws-us-gov"],
            [
                "login.microsoftonline.us",
                "management.usgovcloudapi.net",
                "ec2.us-gov-west-1.amazonaws.com",
            ],
        ),
        (
            AzureCloud::China,
            ["chinaeast2", "cn-north-1", "aws-cn"],
            [
                "login.chinacloudapi.cn",
                "management.chinacloudapi.cn",
                "ec2.cn-north-1.amazonaws.com.cn",
            ],
        ),
    ];
    for (azure_cloud, [location, region, partition], expected) in clouds {
        simulated(|| async move {
            let settings = Settings {
                azure_cloud,
                ..Settings::default()
            };
            let sim = Sim::with(41, settings);
            let contacted = hosts(&sim, location, region, partition).await;
            assert_eq!(contacted, expected.map(str::to_owned).into());
        });
    }
}

/// A cloud that does not serve the newer version of the API is asked for it once.
#[test]
fn use_older_version_where_newer_is_not_served() {
    simulated(|| async {
        let settings = Settings {
            azure_cloud: AzureCloud::UsGovernment,
            ..Settings::default()
        };
        let sim = Sim::with(42, settings);
        hosts(&sim, "usgovtexas", "us-gov-east-1", "aws-us-gov").await;
        let calls = sim.sandbox.calls();
        let refused: Vec<usize> = (0..calls.len())
            .filter(|at| calls[*at].operation.starts_with("Get") && calls[*at].status == Some(400))
            .collect();
        // Reads that began together are rejected together.
        assert!(!refused.is_empty() && refused.len() < 30, "{refused:?}");
        assert!(refused.iter().all(|at| *at < 60), "{refused:?}");
    });
}
