//! What a plan says of changes that are easily missed.

use awsazure::provider::summaries;
use serde_json::json;
use test_support::simulated::environment::OTHER_REGION;
use test_support::simulated::scripted_run::scripted;

/// `aws.region` was removed from the configuration: the link stays, and the plan of a new AWS side
/// says where.
#[test]
fn link_stays_in_its_region_and_says_so() {
    scripted(async |run| {
        let vpc = |range: &str| json!({"cidr_block": range});
        let azure = super::correction_regressions::azure_network(run.environment);
        run.configure(&json!({"name": "prod", "azure": azure,
            "aws": {"vpc": vpc("10.2.0.0/16"), "region": OTHER_REGION}}));
        run.apply().await;
        run.configure(&json!({"name": "prod", "azure": azure, "aws": {"vpc": vpc("10.2.0.0/16")}}));
        run.core.messages.clear();
        run.apply().await;
        let shown = run.core.messages.join("\n");
        assert!(
            !shown.contains(summaries::REGION_KEPT),
            "nothing is created: {shown}"
        );
        run.configure(&json!({"name": "prod", "azure": azure, "aws": {"vpc": vpc("10.3.0.0/16")}}));
        run.apply().await;
        let shown = run.core.messages.join("\n");
        assert!(shown.contains(summaries::REGION_KEPT), "{shown}");
        assert_eq!(run.state("aws.region").as_str().unwrap(), OTHER_REGION);
        run.finish().await;
    });
}
