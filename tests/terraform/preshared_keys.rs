//! Rolling keys by `rotate_keys` and setting keys of one's own, with real Terraform.

use test_support::terraform::{Clouds, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";
const OWN: &str = "{ instance0_tunnel1 = \"Qd3k_Zr7.Wm2x_Pt9\" }";

fn changed_tunnels(env: &TestEnv) -> usize {
    env.calls()
        .iter()
        .filter(|call| call.operation == "ModifyVpnTunnelOptions" && call.status == Some(200))
        .count()
}

fn set(env: &TestEnv, link: &Link) {
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
}

#[test]
fn only_rotate_keys_change_rotates_all_keys() {
    let Some(env) = TestEnv::with(Clouds {
        time_scale: 2_400,
        ..Clouds::default()
    }) else {
        return;
    };
    let link = Link::complete("link").with("rotate_keys", "\"2026-10\"");
    set(&env, &link);
    assert_eq!(changed_tunnels(&env), 0, "a new link has new keys");

    let rolled = link.clone().with("rotate_keys", "\"2026-11\"");
    env.write(&rolled.to_string());
    let plan = env.plan();
    assert_eq!(plan.change(ADDRESS).actions, ["update"]);
    assert!(
        plan.text
            .contains(awsazure::provider::summaries::KEYS_ROTATED),
        "{}",
        plan.text
    );
    env.fault("fail call 2 of ModifyVpnTunnelOptions: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    assert_eq!(changed_tunnels(&env), 1);
    assert_eq!(
        env.resource("awsazure_bgp_vpn", "link")["rotate_keys"],
        "2026-10",
        "what is not done is asked for again"
    );
    set(&env, &rolled);
    assert_eq!(changed_tunnels(&env), 4);

    set(&env, &link.without("rotate_keys"));
    assert_eq!(changed_tunnels(&env), 4);

    let own = Link::complete("link")
        .with("preshared_keys_wo", OWN)
        .with("preshared_keys_wo_version", "1");
    set(&env, &own);
    assert_eq!(
        changed_tunnels(&env),
        5,
        "only the tunnel that has another key"
    );
    set(
        &env,
        &own.clone().with(
            "preshared_keys_wo",
            "{ instance0_tunnel1 = \"Xd3k_Zr7.Wm2x_Pt0\" }",
        ),
    );
    assert_eq!(changed_tunnels(&env), 5, "the version was not raised");

    env.write(&own.with("rotate_keys", "\"x\"").to_string());
    assert!(
        env.plan_fails()
            .words()
            .contains(bgp_vpn::summaries::CONFLICTING_KEY_SETTINGS)
    );
    env.write(&Link::complete("link").to_string());
    env.destroy();
    assert!(env.world().is_empty());
}
