//! The promise of the first page: nine lines, one apply, an empty plan, and nothing left after
//! destroy.

use test_support::terraform::TestEnv;

#[test]
fn quickstart_applies_plans_empty_and_destroys() {
    let Some(env) = TestEnv::new() else { return };
    assert!(env.world().is_empty());
    env.write_example("quickstart");

    let planned = env.plan();
    let change = planned.change("awsazure_bgp_vpn.link");
    assert_eq!(change.actions, ["create"]);
    let tunnel = &change.after["tunnels"]["instance1_tunnel2"];
    assert_eq!(tunnel["aws_bgp_ip"], "169.254.22.5");
    assert_eq!(tunnel["azure_bgp_ip"], "169.254.22.6");

    env.apply();
    assert!(env.plan_is_empty());
    assert!(env.plan_is_empty());
    assert_eq!(
        env.ok(&["plan", "-detailed-exitcode", "-refresh=false"])
            .code,
        Some(0)
    );
    assert_eq!(env.output("tunnels").as_object().unwrap().len(), 4);

    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
    assert!(
        env.keys_seen() >= 4,
        "the check for keys in logs and states looked for none"
    );
}

#[test]
fn status_data_source_reports_healthy_link() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    env.write_example("quickstart");
    env.apply();
    let (azure, aws) = (env.output("azure_gateway_id"), env.output("vpn_gateway_id"));
    env.set("TF_VAR_azure_gateway_id", azure.as_str().unwrap());
    env.set("TF_VAR_aws_gateway_id", aws.as_str().unwrap());
    let quickstart = std::fs::read_to_string(env.folder().join("main.tf")).unwrap();
    let status = include_str!("../../examples/status/main.tf");
    // One configuration may name its providers only once.
    let (_, rest) = status.split_once("variable ").unwrap();
    env.write_file("main.tf", &format!("{quickstart}\nvariable {rest}"));
    env.apply();
    assert_eq!(env.output("healthy"), true, "{}", env.output("report"));
    assert_eq!(env.output("tunnels_up"), 4);
}
