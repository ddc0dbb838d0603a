//! What a plan promises: values that are not known yet, plans that no longer fit the clouds, and
//! replacements in either order.

use awsazure::provider::summaries;
use serde_json::Value;
use std::collections::BTreeSet;
use test_support::terraform::{CloudAdmin, Link, TestEnv};

const ADDRESS: &str = "awsazure_bgp_vpn.link";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn network(cloud_admin: &CloudAdmin, name: &str, space: u8) -> String {
    let (range, subnet) = (format!("10.{space}.0.0/16"), format!("10.{space}.255.0/27"));
    cloud_admin.make_network("hub", name, &range, &[("GatewaySubnet", &subnet)])
}

/// A link of a group, VNet and VPC that are there.
fn attached(env: &TestEnv) -> Link {
    let cloud_admin = env.cloud_admin();
    cloud_admin.make_group("hub");
    let (vnet, vpc) = (
        network(&cloud_admin, "vnet1", 1),
        cloud_admin.make_vpc("10.2.0.0/16"),
    );
    Link::between("link", "hub", &vnet, &vpc)
}

fn counts(env: &TestEnv) -> [usize; 3] {
    let world = env.world();
    ["virtualNetworkGateways", "connections", "vpn-connection"]
        .map(|kind| world.of_kind(kind).len())
}

/// Applies a saved plan that must be refused before anything is written; then a new plan has to
/// make all of it well.
fn refused_then_mended(env: &TestEnv, cause: &str) {
    let before = env.calls().len();
    let refused = env.run(&["apply", "-no-color", "saved"]);
    assert!(
        !refused.succeeded() && refused.words().contains(cause),
        "{}",
        refused.text()
    );
    assert_eq!(env.writes_since(before), Vec::<String>::new());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(counts(env), [1, 4, 2]);
}

#[test]
fn reject_outdated_plan_before_any_write() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.apply();
    let cloud_admin = env.cloud_admin();
    let state = || env.link("link");
    let mut team = 0;
    let mut save = || {
        team += 1;
        env.write(
            &link
                .clone()
                .with("tags", &format!("{{ team = \"{team}\" }}"))
                .to_string(),
        );
        env.ok(&["plan", "-no-color", "-out=saved"]);
    };

    save();
    let vpn = text(&state()["tunnels"]["instance1_tunnel2"]["aws_vpn_connection_id"]);
    cloud_admin.delete_vpn_connection(&vpn);
    refused_then_mended(&env, "VPN connection to instance1");

    save();
    cloud_admin.resize(&text(&state()["azure"]["gateway_id"]), "VpnGw3AZ");
    refused_then_mended(&env, "azure.sku");

    save();
    cloud_admin.switch_propagation_off(
        &text(&state()["aws"]["main_route_table_id"]),
        &text(&state()["aws"]["vpn_gateway_id"]),
    );
    refused_then_mended(&env, &text(&state()["aws"]["main_route_table_id"]));

    // What the plan mentions may have been done by others meanwhile.
    env.write(&link.clone().with("azure.sku", "\"VpnGw3AZ\"").to_string());
    env.ok(&["plan", "-no-color", "-out=saved"]);
    cloud_admin.resize(&text(&state()["azure"]["gateway_id"]), "VpnGw3AZ");
    env.ok(&["apply", "-no-color", "saved"]);
    assert!(env.plan_is_empty());
}

/// The link, with values that a resource gives which is replaced at each step.
fn fed(link: &Link, vnet: &str, generation: &str) -> String {
    let later = format!(
        "variable \"step\" {{ default = \"1\" }}\nresource \"terraform_data\" \"later\" {{\n  \
         input = {{ vnet = {vnet:?}, group = \"hub\", generation = {generation:?} }}\n  triggers_replace = var.step\n}}\n"
    );
    let fed = link
        .clone()
        .with(
            "azure.virtual_network_id",
            "terraform_data.later.output.vnet",
        )
        .with(
            "azure.resource_group_name",
            "terraform_data.later.output.group",
        )
        .with("azure.generation", "terraform_data.later.output.generation");
    format!("{later}{fed}")
}

#[test]
fn keep_or_reject_unknown_replacing_values() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    let link = attached(&env);
    let vnet = text(&Value::from(
        link.to_string()
            .split('"')
            .find(|part| part.ends_with("/vnet1"))
            .unwrap(),
    ));
    env.write(&fed(&link, &vnet, "Generation2"));
    env.apply();

    let before = env.calls().len();
    env.set("TF_VAR_step", "2");
    assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
    env.apply();
    assert_eq!(
        env.writes_since(before),
        Vec::<String>::new(),
        "the same values"
    );
    assert!(env.plan_is_empty());

    env.write(&fed(&link, &vnet, "Generation1"));
    env.set("TF_VAR_step", "3");
    let before = env.calls().len();
    let refused = env.apply_fails();
    assert!(
        refused
            .words()
            .contains(summaries::UNABLE_TO_REPLACE_IN_RUN),
        "{}",
        refused.text()
    );
    assert_eq!(
        env.writes_since(before),
        Vec::<String>::new(),
        "another value"
    );
    assert!(env.plan().change(ADDRESS).replaces());
    env.apply();
    assert_eq!(env.link("link")["azure"]["generation"], "Generation1");
    assert!(env.plan_is_empty());
}

const CREATE_FIRST: &str = "  lifecycle {\n    create_before_destroy = true\n  }\n";

/// A link with a line that is no attribute.
fn with_line(link: &Link, line: &str) -> String {
    link.clone()
        .with("lifecycle", "LINE")
        .to_string()
        .replace("  lifecycle = LINE\n", line)
}

#[test]
fn reject_create_before_destroy_and_keep_link() {
    let Some(env) = TestEnv::new() else { return };
    let link = attached(&env);
    let dependent =
        "resource \"terraform_data\" \"after\" {\n  input = awsazure_bgp_vpn.link.azure.resource_group_name\n  \
                     triggers_replace = awsazure_bgp_vpn.link.id\n"
            .to_owned();
    let imposed = format!("{link}{dependent}{CREATE_FIRST}}}\n");
    for configuration in [with_line(&link, CREATE_FIRST), imposed] {
        env.write(&configuration);
        env.apply();
        let before = env.calls().len();
        let refused = env.run(&["apply", "-auto-approve", "-no-color", "-replace", ADDRESS]);
        assert!(
            !refused.succeeded() && refused.words().contains("create_before_destroy"),
            "{}",
            refused.text()
        );
        assert_eq!(env.writes_since(before), Vec::<String>::new());
        let instances = env.state()["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|r| r["type"] == "awsazure_bgp_vpn")
            .unwrap()["instances"]
            .clone();
        assert_eq!(instances.as_array().unwrap().len(), 1, "{instances:#}");
        assert!(instances[0]["deposed"].is_null(), "{instances:#}");
        assert!(env.plan_is_empty());
    }
}

#[test]
fn keep_link_on_network_change_with_create_before_destroy() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (attached(&env), env.cloud_admin());
    let other = network(&cloud_admin, "vnet2", 3);
    env.write(&with_line(&link, CREATE_FIRST));
    env.apply();
    // The VPC has the VPN gateway of the old link.
    env.write(&with_line(
        &link
            .clone()
            .with("azure.virtual_network_id", &format!("{other:?}")),
        CREATE_FIRST,
    ));
    let before = env.calls().len();
    let refused = env.apply_fails();
    assert!(
        refused.words().contains("create_before_destroy"),
        "{}",
        refused.text()
    );
    assert_eq!(env.writes_since(before), Vec::<String>::new());
    env.write(
        &link
            .with("azure.virtual_network_id", &format!("{other:?}"))
            .to_string(),
    );
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(counts(&env), [1, 4, 2]);
}

#[test]
fn replacement_ignores_addresses_of_replaced_link() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (attached(&env), env.cloud_admin());
    let end = cloud_admin.make_transit_gateway("Options.AmazonSideAsn=64600");
    let link = link
        .without("aws.vpc_id")
        .with("aws.transit_gateway_id", &format!("{end:?}"));
    env.write(&link.to_string());
    env.apply();
    let other = network(&cloud_admin, "vnet2", 3);
    env.write(
        &link
            .with("azure.virtual_network_id", &format!("{other:?}"))
            .to_string(),
    );
    assert!(env.plan().change(ADDRESS).replaces());
    env.apply();
    assert!(env.plan_is_empty());
    assert_eq!(counts(&env), [1, 4, 2]);
    env.destroy();
}

#[test]
fn prevent_destroy_of_tainted_link_suggests_untaint() {
    let Some(env) = TestEnv::new() else { return };
    let protected = with_line(
        &attached(&env),
        "  lifecycle {\n    prevent_destroy = true\n  }\n",
    );
    env.write(&protected);
    env.fault("fail call 3 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    let rejected = env.plan_fails();
    assert!(rejected.words().contains("untaint"), "{}", rejected.text());
    env.ok(&["untaint", "-no-color", ADDRESS]);
    env.apply();
    assert!(env.plan_is_empty());
}

#[test]
fn change_remove_and_add_public_subnet_in_place() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link").with(
        "aws.vpc",
        "{ cidr_block = \"10.2.0.0/16\", public_subnet_cidr_block = \"10.2.1.0/24\" }",
    );
    env.write(&link.to_string());
    env.apply();
    let ours = |kind: &str| {
        let world = env.world();
        world
            .of_kind(kind)
            .into_iter()
            .filter(|object| !object.tags["awsazure:link"].is_null())
            .count()
    };
    let parts = || ["vpc", "subnet", "internet-gateway", "route-table"].map(ours);
    let vpn = env.link("link")["tunnels"].clone();
    let ranges = [Some("10.2.2.0/24"), None, Some("10.2.3.0/24")];
    for range in ranges {
        let range_hcl = range.map_or_else(|| "null".to_owned(), |range| format!("{range:?}"));
        let vpc =
            format!("{{ cidr_block = \"10.2.0.0/16\", public_subnet_cidr_block = {range_hcl} }}");
        env.write(&link.clone().with("aws.vpc", &vpc).to_string());
        assert_eq!(env.plan().change(ADDRESS).actions, ["update"]);
        env.apply();
        assert!(env.plan_is_empty(), "{range:?}");
        assert_eq!(
            parts(),
            if range.is_some() {
                [1, 1, 1, 1]
            } else {
                [1, 0, 0, 0]
            },
            "{range:?}"
        );
        let world = env.world();
        let subnets: Vec<String> = world
            .of_kind("subnet")
            .iter()
            .map(|subnet| format!("{:?}", subnet.more))
            .collect();
        assert!(
            subnets.iter().all(|subnet| subnet.contains(range.unwrap())),
            "{subnets:?}"
        );
        let state = env.link("link");
        assert_eq!(state["aws"]["public_subnet_id"].is_null(), range.is_none());
        assert_eq!(
            state["aws"]["route_table_ids"].as_array().unwrap().len(),
            if range.is_some() { 2 } else { 1 }
        );
        assert_eq!(state["tunnels"], vpn, "no tunnel is touched");
    }
    let spelled = link
        .to_string()
        .replace("VNet1", "vnet1")
        .replace("FrontEnd", "frontend")
        .replace("10.2.1.0", "10.2.3.0");
    env.write(&spelled);
    assert!(env.plan_is_empty(), "names in another casing");
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

/// Ids of what a destroy of a link deletes, as a plan has to announce them: not propagation, which
/// is a setting.
fn deletes(env: &TestEnv, label: &str) -> BTreeSet<String> {
    let managed = env.link(label)["managed"].as_object().unwrap().clone();
    let objects = managed
        .into_iter()
        .filter(|(kind, _)| kind != "aws_route_propagation");
    objects
        .flat_map(|(_, ids)| ids.as_array().unwrap().iter().map(text).collect::<Vec<_>>())
        .collect()
}

/// Ids in the announcements of a plan.
fn announced(run: &test_support::terraform::Run) -> BTreeSet<String> {
    let framed = |line: &str| line.trim_start_matches(['│', ' ']).trim_end().to_owned();
    let (mut ids, mut inside) = (BTreeSet::new(), false);
    // Terraform breaks long lines between words, so that no word is split.
    for line in run.text().lines().map(framed) {
        if line.starts_with("Warning: ") || line.starts_with('╵') {
            inside = line.starts_with(&format!("Warning: {}", summaries::OBJECTS_DELETED));
        } else if inside {
            let words = line
                .split([' ', ','])
                .filter(|word| !word.is_empty() && !word.ends_with(':'));
            ids.extend(words.map(str::to_owned));
        }
    }
    ids
}

/// Every way to ask for a replacement that the configuration does not ask for: arguments of the
/// plan, and whether the link is tainted first.
const ASKED: [(&[&str], bool); 4] = [
    (&[], true),
    (&["-refresh=false"], true),
    (&["-replace=awsazure_bgp_vpn.link"], false),
    (&["-replace=awsazure_bgp_vpn.link", "-refresh=false"], false),
];

/// Each such plan announces what the replacement deletes, and nothing else.
fn replacements_are_announced(env: &TestEnv, others: &[&str]) {
    let (gone, kept) = (
        deletes(env, "link"),
        others.iter().flat_map(|label| deletes(env, label)),
    );
    let kept: BTreeSet<String> = kept.collect();
    for (args, tainted) in ASKED {
        if tainted {
            env.ok(&["taint", "-no-color", ADDRESS]);
        }
        let run = env.run(&[&["plan", "-no-color"], args].concat());
        assert!(
            run.succeeded(),
            "{args:?}, tainted: {tainted}: {}",
            run.text()
        );
        let said = announced(&run);
        let missing: Vec<&String> = gone.iter().filter(|id| !said.contains(*id)).collect();
        assert!(
            missing.is_empty(),
            "{args:?}, tainted: {tainted}: {missing:#?} in {}",
            run.text()
        );
        // Terraform tells no link its address, so that all say what they would lose if -replace
        // names them.
        let conditional = run.words().contains(summaries::OBJECTS_DELETED_BY_REPLACE);
        assert_eq!(conditional, !tainted, "{args:?}: {}", run.text());
        assert!(
            conditional || said.is_disjoint(&kept),
            "{args:?}, tainted: {tainted}: {}",
            run.text()
        );
        if tainted {
            env.ok(&["untaint", "-no-color", ADDRESS]);
        }
    }
    assert!(env.plan_is_empty());
}

#[test]
fn announce_unrequested_replacement_of_one_link() {
    let Some(env) = TestEnv::new() else { return };
    let (link, other) = (attached(&env), Link::complete("other").with("slot", "3"));
    env.write(&format!("{link}{other}"));
    env.apply();
    replacements_are_announced(&env, &["other"]);
    env.ok(&["taint", "-no-color", ADDRESS]);
    env.ok(&["taint", "-no-color", "awsazure_bgp_vpn.other"]);
    let both: BTreeSet<String> = deletes(&env, "link")
        .union(&deletes(&env, "other"))
        .cloned()
        .collect();
    for args in [
        &["plan", "-no-color"][..],
        &["plan", "-no-color", "-refresh=false"],
    ] {
        let said = announced(&env.ok(args));
        assert!(both.is_subset(&said), "{said:#?}");
    }
    env.apply();
    assert!(env.plan_is_empty());
    env.destroy();
}

#[test]
fn replace_tainted_link_with_slot_only_in_state() {
    let Some(env) = TestEnv::new() else { return };
    let link = attached(&env);
    env.write(&link.clone().with("slot", "2").to_string());
    env.apply();
    env.write(&link.to_string());
    assert!(env.plan_is_empty());
    replacements_are_announced(&env, &[]);
    for args in [
        &["-auto-approve"][..],
        &["-auto-approve", "-replace", ADDRESS],
    ] {
        if args.len() == 1 {
            env.ok(&["taint", "-no-color", ADDRESS]);
        }
        env.ok(&[&["apply", "-no-color"], args].concat());
        assert!(env.plan_is_empty());
        assert_eq!(counts(&env), [1, 4, 2]);
    }
    env.destroy();
}

#[test]
fn announce_tainted_link_alone_on_gateway_of_another_link() {
    let Some(env) = TestEnv::new() else { return };
    let owner = attached(&env).to_string().replace("\"link\"", "\"owner\"");
    let vpc = env.cloud_admin().make_vpc("10.4.0.0/16");
    let link = Link::complete("link")
        .without("azure.virtual_network")
        .without("azure.create_resource_group")
        .without("azure.location")
        .without("aws.vpc")
        .with("azure.resource_group_name", "\"hub\"")
        .with(
            "azure.gateway_id",
            "awsazure_bgp_vpn.owner.azure.gateway_id",
        )
        .with("aws.vpc_id", &format!("{vpc:?}"))
        .with("slot", "1");
    env.write(&format!("{owner}{link}"));
    env.apply();
    replacements_are_announced(&env, &["owner"]);
    env.ok(&["taint", "-no-color", ADDRESS]);
    env.ok(&["taint", "-no-color", "awsazure_bgp_vpn.owner"]);
    let both: BTreeSet<String> = deletes(&env, "link")
        .union(&deletes(&env, "owner"))
        .cloned()
        .collect();
    for args in [
        &["plan", "-no-color"][..],
        &["plan", "-no-color", "-refresh=false"],
    ] {
        let said = announced(&env.ok(args));
        assert!(both.is_subset(&said), "{said:#?}");
    }
    env.apply();
    assert!(env.plan_is_empty());
    env.destroy();
}

#[test]
fn accept_zones_together_with_id_of_managed_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let link = attached(&env);
    let named = |gateway: &str| {
        let link = link.clone().with("azure.zones", "[\"1\", \"2\", \"3\"]");
        link.with("azure.gateway_id", &format!("{gateway:?}"))
    };
    // A create that failed after its gateway, whose id is then repeated.
    env.write(&link.to_string());
    env.fault("fail call 3 of PutConnection: forever refused");
    env.apply_fails();
    env.sandbox().fault(&["--clear"]);
    let gateway = text(&env.link("link")["azure"]["gateway_id"]);
    env.write(&named(&gateway).to_string());
    env.apply();
    assert!(env.plan_is_empty());
    for (args, tainted) in ASKED {
        if tainted {
            env.ok(&["taint", "-no-color", ADDRESS]);
        }
        env.ok(&[&["apply", "-no-color", "-auto-approve"], args].concat());
        assert!(env.plan_is_empty(), "{args:?}, tainted: {tainted}");
        assert_eq!(env.link("link")["azure"]["gateway_id"], gateway);
        assert_eq!(counts(&env), [1, 4, 2]);
    }
    let id = text(&env.link("link")["id"]);
    env.ok(&["state", "rm", ADDRESS]);
    env.import(ADDRESS, &id);
    env.write(&named(&gateway).with("manage_gateways", "true").to_string());
    assert!(env.plan_is_empty());

    // The gateway of another link.
    let other = link.to_string().replace("\"link\"", "\"other\"");
    let other = other.replace(
        "azure = {",
        &format!("azure = {{\n    zones = [\"1\"]\n    gateway_id = {gateway:?}"),
    );
    let vpc = env.cloud_admin().make_vpc("10.4.0.0/16");
    let other = other
        .replace(&text(&env.link("link")["aws"]["vpc_id"]), &vpc)
        .replace("azure = {", "slot = 1\n  azure = {");
    env.write(&format!("{}{other}", named(&gateway)));
    assert!(
        env.plan_fails()
            .words()
            .contains(bgp_vpn::summaries::CONFLICTING_ATTRIBUTES)
    );
    env.write(&named(&gateway).to_string());
    env.destroy();
    assert!(env.has_none_of(&[
        "virtualNetworkGateways",
        "publicIPAddresses",
        "vpn-connection"
    ]));
}

#[test]
fn destroy_ignores_missing_configured_objects() {
    let Some(env) = TestEnv::new() else { return };
    let (link, cloud_admin) = (attached(&env), env.cloud_admin());
    let vpc = cloud_admin.make_vpc("10.4.0.0/16");
    let gateway = cloud_admin.make_vpn_gateway(&vpc, 64_900);
    let given = |id: &str| {
        link.clone()
            .without("aws.vpc_id")
            .with("aws.vpn_gateway_id", &format!("{id:?}"))
    };
    let ways: [(&[&str], bool); 3] = [
        (&["destroy", "-auto-approve"], true),
        (&["apply", "-destroy", "-auto-approve"], false),
        (&["destroy"], false),
    ];
    env.write(&given(&gateway).to_string());
    for (way, (args, deleted)) in ways.into_iter().enumerate().rev() {
        env.apply();
        if deleted {
            let tunnels = env.link("link")["tunnels"].clone();
            for key in ["instance0_tunnel1", "instance1_tunnel1"] {
                cloud_admin.delete_vpn_connection(&text(&tunnels[key]["aws_vpn_connection_id"]));
            }
            cloud_admin.delete_vpn_gateway(&gateway, &vpc);
            // The plan of a change names what is missing.
            assert!(env.plan_fails().words().contains(&gateway), "{way}");
        } else {
            env.write(&given("vgw-0123456789abcdef0").to_string());
            assert!(
                env.plan_fails().words().contains("vgw-0123456789abcdef0"),
                "{way}"
            );
        }
        env.ok(&["plan", "-destroy", "-no-color"]);
        let confirmed = if args.len() == 1 {
            &["-auto-approve", "-no-color"][..]
        } else {
            &["-no-color"]
        };
        env.ok(&[args, confirmed].concat());
        assert!(env.has_none_of(&[
            "virtualNetworkGateways",
            "connections",
            "vpn-connection",
            "customer-gateway"
        ]));
        env.write(&given(&gateway).to_string());
    }
}

/// The replacement cannot keep the gateway of the link that the configuration names by its id.
#[test]
fn failed_replacement_of_named_gateway_deletes_nothing() {
    let Some(env) = TestEnv::new() else { return };
    let link = attached(&env);
    env.write(&link.to_string());
    env.apply();
    let gateway = text(&env.link("link")["aws"]["vpn_gateway_id"]);
    env.write(
        &link
            .clone()
            .with("aws.vpn_gateway_id", &format!("{gateway:?}"))
            .to_string(),
    );
    assert!(env.plan_is_empty());
    for (args, tainted) in ASKED {
        if tainted {
            env.ok(&["taint", "-no-color", ADDRESS]);
        }
        let before = env.calls().len();
        let refused = env.run(&[&["apply", "-no-color", "-auto-approve"], args].concat());
        assert!(
            !refused.succeeded() && refused.words().contains("aws.vpn_gateway_id"),
            "{}",
            refused.text()
        );
        assert_eq!(env.writes_since(before), Vec::<String>::new());
    }
    env.ok(&["untaint", "-no-color", ADDRESS]);
    assert!(env.plan_is_empty());
    env.ok(&["taint", "-no-color", ADDRESS]);
    env.destroy();
    assert!(env.has_none_of(&["virtualNetworkGateways", "vpn-gateway"]));
}
