//! Keys that AWS keeps in Secrets Manager, and keys that the credentials may not read: a link works
//! without anybody seeing them.

use awsazure::aws::model::{KeyStorage, Tunnel};
use awsazure::provider::summaries::UNREAD_KEYS as UNREAD;
use test_support::terraform::{Clouds, Link, Scenario, TestEnv};

const SECRETS: &str = "\"SecretsManager\"";

fn endpoints(env: &TestEnv) -> Vec<Tunnel> {
    let cloud_admin = env.cloud_admin();
    env.world()
        .of_kind("vpn-connection")
        .iter()
        .flat_map(|vpn| cloud_admin.vpn(&vpn.id).tunnels)
        .collect()
}

/// How many tunnels are up, once the clouds had time to notice.
fn up(env: &TestEnv) -> usize {
    std::thread::sleep(std::time::Duration::from_millis(400));
    endpoints(env)
        .iter()
        .filter(|tunnel| {
            tunnel
                .telemetry
                .as_ref()
                .is_some_and(|telemetry| telemetry.up)
        })
        .count()
}

fn all_hidden(env: &TestEnv) -> bool {
    let hidden = |t: &Tunnel| t.key.is_none() && t.key_storage == Some(KeyStorage::SecretsManager);
    endpoints(env).iter().all(hidden)
}

/// Calls that changed an endpoint or a key at Azure.
fn key_writes(env: &TestEnv) -> usize {
    let of_keys = ["ModifyVpnTunnelOptions", "PutSharedKey"];
    env.calls()
        .iter()
        .filter(|call| of_keys.contains(&call.operation.as_str()) && call.status < Some(400))
        .count()
}

fn set(env: &TestEnv, link: &Link) {
    env.write(&link.to_string());
    env.apply();
    assert!(env.plan_is_empty());
}

/// A user gives the connection of a tunnel another key.
fn edit_key(env: &TestEnv, tunnel: &str) {
    let state = env.link("link");
    let connection = state["tunnels"][tunnel]["azure_connection_id"]
        .as_str()
        .unwrap();
    env.cloud_admin().set_key(
        connection,
        state["azure"]["gateway_id"].as_str().unwrap(),
        "Some_other.key",
    );
}

#[test]
fn create_rotate_and_repair_link_with_hidden_keys() {
    let Some(env) = TestEnv::with(Clouds {
        time_scale: 2_400,
        ..Clouds::default()
    }) else {
        return;
    };
    let link = Link::complete("link").with("aws.preshared_key_storage", SECRETS);
    set(&env, &link);
    assert!(all_hidden(&env));
    assert_eq!(
        (key_writes(&env), up(&env)),
        (0, 4),
        "each end was given its key when it was made"
    );

    set(&env, &link.clone().with("rotate_keys", "\"1\""));
    assert_eq!(
        (key_writes(&env), up(&env)),
        (8, 4),
        "both ends of all four"
    );

    edit_key(&env, "instance1_tunnel1");
    assert!(env.plan_is_empty(), "not detectable");
    assert_eq!(up(&env), 3);
    set(&env, &link.clone().with("rotate_keys", "\"2\""));
    assert_eq!(up(&env), 4, "new keys on both sides repair it");

    let own = link.clone().with(
        "preshared_keys_wo",
        "{ instance0_tunnel2 = \"Qd3k_Zr7.Wm2x_Pt9\" }",
    );
    let writes = key_writes(&env);
    set(&env, &own.clone().with("preshared_keys_wo_version", "1"));
    assert_eq!(
        (key_writes(&env) - writes, up(&env)),
        (2, 4),
        "the one tunnel that has a key of its own"
    );
    let other = own.clone().with(
        "preshared_keys_wo",
        "{ instance0_tunnel2 = \"Xd3k_Zr7.Wm2x_Pt0\" }",
    );
    set(&env, &other.clone().with("preshared_keys_wo_version", "1"));
    assert_eq!(key_writes(&env) - writes, 2, "the version was not raised");
    set(&env, &other.with("preshared_keys_wo_version", "2"));
    assert_eq!((key_writes(&env) - writes, up(&env)), (4, 4));

    assert!(all_hidden(&env));
    env.destroy();
    assert!(env.world().is_empty());
}

#[test]
fn replace_unrecoverable_key_at_both_ends() {
    let Some(env) = TestEnv::with(Clouds {
        time_scale: 2_400,
        ..Clouds::default()
    }) else {
        return;
    };
    let link = Link::complete("link").with("aws.preshared_key_storage", SECRETS);
    env.write(&link.to_string());
    env.fault("fail call 3 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    set(&env, &link);
    assert_eq!(up(&env), 4);
    assert_eq!(
        key_writes(&env),
        2,
        "an endpoint for each of the two connections that were not made; those two keep theirs"
    );

    let state = env.link("link");
    let connection = state["tunnels"]["instance0_tunnel1"]["azure_connection_id"]
        .as_str()
        .unwrap();
    env.cloud_admin()
        .delete_azure_connection(connection, state["azure"]["gateway_id"].as_str().unwrap());
    set(&env, &link);
    assert_eq!((key_writes(&env), up(&env)), (3, 4));

    // The AWS half is recreated: the Azure connections have a key, and the new endpoints use it.
    set(&env, &link.clone().with("azure.asn", "65010"));
    assert_eq!((key_writes(&env), up(&env)), (3, 4));
    let own = "{ instance1_tunnel2 = \"Qd3k_Zr7.Wm2x_Pt9\" }";
    let own = link
        .with("preshared_keys_wo", own)
        .with("preshared_keys_wo_version", "1");
    set(&env, &own.with("azure.asn", "65020"));
    assert_eq!(
        (key_writes(&env), up(&env)),
        (4, 4),
        "a key of the user's own comes with the new endpoint"
    );
}

#[test]
fn move_keys_into_secret_and_back_in_place() {
    let Some(mut scenario) = Scenario::apply() else {
        return;
    };
    let tunnels = scenario.state()["tunnels"].clone();
    let shown = |scenario: &Scenario| {
        endpoints(&scenario.env)
            .into_iter()
            .map(|t| t.key)
            .collect::<Vec<_>>()
    };
    let keys = shown(&scenario);
    assert!(keys.iter().all(Option::is_some));
    assert_eq!(scenario.state()["aws"]["preshared_key_storage"], "Standard");

    let said = scenario.changes(|link| link.with("aws.preshared_key_storage", SECRETS));
    assert!(
        said.contains(awsazure::provider::summaries::TUNNELS_INTERRUPTED),
        "{said}"
    );
    assert!(all_hidden(&scenario.env));
    assert_eq!(up(&scenario.env), 4);

    scenario.env.write(&Link::complete("link").to_string());
    assert!(scenario.env.plan_is_empty(), "left out, it stays as it was");

    scenario.changes(|link| link.with("aws.preshared_key_storage", "\"Standard\""));
    assert_eq!(shown(&scenario), keys, "the keys are the same as ever");
    assert_eq!(up(&scenario.env), 4);
    assert_eq!(
        scenario.state()["tunnels"],
        tunnels,
        "ids and addresses stay"
    );
    scenario.finish();
}

#[test]
fn unreadable_keys_only_warn() {
    let Some(env) = TestEnv::with(Clouds {
        time_scale: 2_400,
        ..Clouds::default()
    }) else {
        return;
    };
    let link = Link::complete("link");
    let denied = "fail any call of azure GetSharedKey: forever 403";
    env.write(&link.to_string());
    env.fault(denied);
    let said = env.apply().words();
    assert!(
        said.contains(UNREAD) && said.contains("Microsoft.Network/connections/sharedKey/action"),
        "{said}"
    );
    assert_eq!(up(&env), 4);
    let plan = env.plan();
    assert!(
        plan.text.contains(UNREAD) && plan.text.contains("link-to-aws-instance1-tunnel2"),
        "{}",
        plan.text
    );
    assert!(env.plan_is_empty());
    edit_key(&env, "instance0_tunnel1");
    let writes = env.calls().len();
    assert!(env.plan_is_empty(), "an unread key differs from none");
    set(&env, &link);
    assert_eq!(env.writes_since(writes), Vec::<String>::new());

    env.sandbox().fault(&["--clear"]);
    let seen = env.plan();
    assert!(
        !seen.text.contains(UNREAD) && seen.text.contains("differs"),
        "{}",
        seen.text
    );
    set(&env, &link);
    assert_eq!(up(&env), 4);

    // Hidden at AWS too: rolling still gives both ends the same.
    env.fault(denied);
    let hidden = link.with("aws.preshared_key_storage", SECRETS);
    set(&env, &hidden);
    let own = "{ instance0_tunnel1 = \"Qd3k_Zr7.Wm2x_Pt9\" }";
    set(
        &env,
        &hidden
            .clone()
            .with("preshared_keys_wo", own)
            .with("preshared_keys_wo_version", "1"),
    );
    set(&env, &hidden.with("rotate_keys", "\"1\""));
    assert!(all_hidden(&env));
    assert_eq!(up(&env), 4);
    env.destroy();
    assert!(env.world().is_empty());
}
