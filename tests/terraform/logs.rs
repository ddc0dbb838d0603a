//! Logs of the tunnels, switched and changed in place.

use awsazure::aws::model::{LogGroup, Logs, TunnelOptions};
use serde_json::json;
use test_support::terraform::{Link, Scenario, TestEnv};

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:vpn";
const BGP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/vpn/bgp";

fn log(arn: &str, format: &str) -> Option<LogGroup> {
    Some(LogGroup {
        arn: arn.to_owned(),
        format: format.to_owned(),
    })
}

fn connections(env: &TestEnv) -> Vec<String> {
    env.world()
        .of_kind("vpn-connection")
        .iter()
        .map(|vpn| vpn.id.clone())
        .collect()
}

/// What all four tunnels write.
fn written(env: &TestEnv) -> Logs {
    let cloud_admin = env.cloud_admin();
    let all = connections(env)
        .into_iter()
        .flat_map(|id| cloud_admin.vpn(&id).tunnels);
    let mut all: Vec<Logs> = all
        .map(|tunnel| tunnel.options.logs.unwrap_or_default())
        .collect();
    assert_eq!(all.len(), 4);
    all.dedup();
    assert_eq!(all.len(), 1, "they differ: {all:#?}");
    all.remove(0)
}

#[test]
fn enable_move_and_disable_logs_in_place() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    assert_eq!(written(&scenario.env), Logs::default());

    let said =
        scenario.changes(|link| link.with("aws.logs", &format!("{{ log_group_arn = {GROUP:?} }}")));
    assert!(
        said.contains(awsazure::provider::summaries::TUNNELS_INTERRUPTED),
        "{said}"
    );
    assert_eq!(
        written(&scenario.env),
        Logs {
            tunnel: log(GROUP, "json"),
            bgp: None
        }
    );
    assert_eq!(scenario.state()["aws"]["logs"]["format"], "json");

    let both =
        format!("{{ log_group_arn = {GROUP:?}, format = \"text\", bgp_log_group_arn = {BGP:?} }}");
    scenario.changes(|link| link.with("aws.logs", &both));
    let wanted = Logs {
        tunnel: log(GROUP, "text"),
        bgp: log(BGP, "json"),
    };
    assert_eq!(written(&scenario.env), wanted);

    // A user disables them, which is detected and undone. If not configured, they stay.
    let off = TunnelOptions {
        logs: Some(Logs::default()),
        ..TunnelOptions::default()
    };
    connections(&scenario.env)
        .iter()
        .for_each(|id| scenario.env.cloud_admin().change_tunnels(id, &off));
    scenario.env.write(&Link::complete("link").to_string());
    let plan = scenario.env.plan();
    let before = &plan.change(&scenario.link.address()).before["aws"]["logs"];
    assert_eq!(before["log_group_arn"], json!(null), "{}", plan.text);
    scenario.env.apply();
    assert_eq!(written(&scenario.env), wanted);
    assert!(scenario.env.plan_is_empty());

    scenario.changes(|link| link.with("aws.logs", "{}"));
    assert_eq!(written(&scenario.env), Logs::default());
    scenario.env.write(&Link::complete("link").to_string());
    assert!(scenario.env.plan_is_empty(), "off is as last applied too");

    // And the other way round.
    let on = TunnelOptions {
        logs: Some(wanted),
        ..TunnelOptions::default()
    };
    connections(&scenario.env)
        .iter()
        .for_each(|id| scenario.env.cloud_admin().change_tunnels(id, &on));
    scenario.env.apply();
    assert_eq!(written(&scenario.env), Logs::default());
    scenario.finish();
}

#[test]
fn import_link_with_logs_and_hidden_keys() {
    let Some(env) = TestEnv::new() else { return };
    let plain = Link::complete("link");
    let logged =
        format!("{{ log_group_arn = terraform_data.group.output, bgp_log_group_arn = {BGP:?} }}");
    let link = plain
        .clone()
        .with("aws.logs", &logged)
        .with("aws.preshared_key_storage", "\"SecretsManager\"");
    let group = format!("resource \"terraform_data\" \"group\" {{\n  input = {GROUP:?}\n}}\n\n");
    env.write(&format!("{group}{link}"));
    env.apply();
    assert_eq!(
        written(&env),
        Logs {
            tunnel: log(GROUP, "json"),
            bgp: log(BGP, "json")
        }
    );
    assert!(env.plan_is_empty());

    let (id, before) = (
        env.link("link")["id"].clone(),
        env.link("link")["aws"].clone(),
    );
    env.ok(&["state", "rm", &link.address()]);
    env.write(&format!("{group}{plain}"));
    env.import(&link.address(), id.as_str().unwrap());
    assert_eq!(env.link("link")["aws"]["logs"], before["logs"]);
    assert_eq!(
        env.link("link")["aws"]["preshared_key_storage"],
        "SecretsManager"
    );
    assert!(env.plan_is_empty());
}
