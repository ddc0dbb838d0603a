//! Many links on one Azure gateway cost little more than one.

use test_support::terraform::{Link, TestEnv};

/// The link that creates the gateway, and `others` on it from one transit gateway.
fn configuration(transit_gateway: &str, azure_gateway: &str, others: u8) -> String {
    let on_transit_gateway = |link: Link| {
        link.without("aws.vpc")
            .with("aws.transit_gateway_id", &format!("{transit_gateway:?}"))
    };
    let hub = on_transit_gateway(Link::complete("hub")).with("azure.sku", "\"VpnGw5AZ\"");
    let spokes = (1..=others).map(|number| {
        on_transit_gateway(Link::complete(&format!("spoke{number}")))
            .without("azure.create_resource_group")
            .without("azure.location")
            .without("azure.virtual_network")
            .with("azure.resource_group_name", "\"hub\"")
            .with("azure.gateway_id", &format!("{azure_gateway:?}"))
            .with("slot", &number.to_string())
    });
    let links = std::iter::once(hub).chain(spokes);
    links
        .map(|link| link.to_string())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The calls of an empty plan.
fn calls_of_empty_plan(env: &TestEnv) -> usize {
    let before = env.calls().len();
    assert!(env.plan_is_empty());
    env.calls().len() - before
}

/// Ten links are read with at most 1.5 times the calls of one, besides one key read for each
/// connection.
#[test]
fn empty_plan_of_ten_links_shares_reads() {
    let _turn = super::turn();
    let Some(env) = TestEnv::new() else { return };
    let transit_gateway = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    env.write(&configuration(&transit_gateway, "", 0));
    env.apply();
    let keys = 4;
    let one = calls_of_empty_plan(&env);
    // With a reference, the links would be read after the hub.
    let azure_gateway = env.link("hub")["azure"]["gateway_id"].clone();
    env.write(&configuration(
        &transit_gateway,
        azure_gateway.as_str().unwrap(),
        9,
    ));
    env.apply();
    let ten = calls_of_empty_plan(&env);
    println!("{one} calls for one link, {ten} for ten");
    let limit = 10 * keys + (one - keys) * 3 / 2;
    assert!(
        ten <= limit,
        "{ten} calls for ten links, {one} for one, at most {limit} expected"
    );
    env.write(&configuration(&transit_gateway, "", 0));
    env.apply();
    env.destroy();
    assert!(env.world().of_kind("vpn-connection").is_empty());
}
