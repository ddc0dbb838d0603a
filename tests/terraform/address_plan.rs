//! The function in real Terraform: no cloud, no credentials, no resource.

use test_support::terraform::TestEnv;

#[test]
fn return_tutorial_table_and_reject_invalid_slot() {
    let Some(env) = TestEnv::new() else { return };
    env.write("output \"plan\" {\n  value = provider::awsazure::address_plan(0)\n}\n");
    env.apply();
    let plan = env.output("plan");
    assert_eq!(plan["instance0_tunnel1"]["inside_cidr"], "169.254.21.0/30");
    assert_eq!(plan["instance1_tunnel2"]["azure_bgp_ip"], "169.254.22.6");
    assert!(env.plan_is_empty());
    assert!(env.calls().is_empty(), "a function asks no cloud");

    env.write("output \"plan\" {\n  value = provider::awsazure::address_plan(32)\n}\n");
    let refused = env.plan_fails().words();
    assert!(
        refused.contains("slot") && refused.contains("32"),
        "{refused}"
    );
}
