//! Logs of the tunnels, switched and changed in place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use awsazure::aws::model::{LogGroup, Logs, TunnelOptions};
use serde_json::json;
use support::{Link, Story, TestEnv};

const GROUP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
const BGP: &str = "arn:aws:logs:eu-west-1:123456789012:log-group:/vpn/bgp";

fn log(arn: &str, format: &str) -> Option<LogGroup> {
    Some(LogGroup { arn: arn.to_owned(), format: format.to_owned() })
}

fn connections(env: &TestEnv) -> Vec<String> {
    env.world().of_kind("vpn-connection").iter().map(|vpn| vpn.id.clone()).collect()
}

/// What all four tunnels write.
fn written(env: &TestEnv) -> Logs {
    let hands = env.hands();
    let all = connections(env).into_iter().flat_map(|id| hands.vpn(&id).tunnels);
    let mut all: Vec<Logs> = all.map(|tunnel| tunnel.options.logs.unwrap_or_default()).collect();
    assert_eq!(all.len(), 4);
    all.dedup();
    assert_eq!(all.len(), 1, "they differ: {all:#?}");
    all.remove(0)
}

#[test]
fn logs_go_on_elsewhere_and_off_in_place() {
    let Some(mut story) = Story::begins() else { return };
    assert_eq!(written(&story.env), Logs::default());

    let said = story.changes(|link| link.with("aws.logs", &format!("{{ log_group_arn = {GROUP:?} }}")));
    assert!(said.contains("The tunnels will be interrupted"), "{said}");
    assert_eq!(written(&story.env), Logs { tunnel: log(GROUP, "json"), bgp: None });
    assert_eq!(story.state()["aws"]["logs"]["format"], "json");

    let both = format!("{{ log_group_arn = {GROUP:?}, format = \"text\", bgp_log_group_arn = {BGP:?} }}");
    story.changes(|link| link.with("aws.logs", &both));
    let wanted = Logs { tunnel: log(GROUP, "text"), bgp: log(BGP, "json") };
    assert_eq!(written(&story.env), wanted);

    // Somebody switches them off, which is seen and undone, and left out they stay.
    let off = TunnelOptions { logs: Some(Logs::default()), ..TunnelOptions::default() };
    connections(&story.env).iter().for_each(|id| story.env.hands().change_tunnels(id, &off));
    story.env.write(&Link::whole("link").to_string());
    let plan = story.env.plan();
    let before = &plan.change(&story.link.address()).before["aws"]["logs"];
    assert_eq!(before["log_group_arn"], json!(null), "{}", plan.text);
    story.env.apply();
    assert_eq!(written(&story.env), wanted);
    assert!(story.env.plan_is_empty());

    story.changes(|link| link.with("aws.logs", "{}"));
    assert_eq!(written(&story.env), Logs::default());
    story.env.write(&Link::whole("link").to_string());
    assert!(story.env.plan_is_empty(), "off is as last applied too");

    // And the other way round.
    let on = TunnelOptions { logs: Some(wanted), ..TunnelOptions::default() };
    connections(&story.env).iter().for_each(|id| story.env.hands().change_tunnels(id, &on));
    story.env.apply();
    assert_eq!(written(&story.env), Logs::default());
    story.ends();
}

#[test]
fn a_link_with_logs_and_hidden_keys_is_imported_as_it_is() {
    let Some(env) = TestEnv::new() else { return };
    let plain = Link::whole("link");
    let logged = format!("{{ log_group_arn = terraform_data.group.output, bgp_log_group_arn = {BGP:?} }}");
    let link = plain.clone().with("aws.logs", &logged).with("aws.preshared_key_storage", "\"SecretsManager\"");
    let group = format!("resource \"terraform_data\" \"group\" {{\n  input = {GROUP:?}\n}}\n\n");
    env.write(&format!("{group}{link}"));
    env.apply();
    assert_eq!(written(&env), Logs { tunnel: log(GROUP, "json"), bgp: log(BGP, "json") });
    assert!(env.plan_is_empty());

    let (id, before) = (env.link("link")["id"].clone(), env.link("link")["aws"].clone());
    env.ok(&["state", "rm", &link.address()]);
    env.write(&format!("{group}{plain}"));
    env.import(&link.address(), id.as_str().unwrap());
    assert_eq!(env.link("link")["aws"]["logs"], before["logs"]);
    assert_eq!(env.link("link")["aws"]["preshared_key_storage"], "SecretsManager");
    assert!(env.plan_is_empty());
}
