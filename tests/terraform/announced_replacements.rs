//! Replacements that the configuration does not ask for: a taint or `-replace`. Each plan announces
//! what its replacement deletes.

use super::plan_semantics::{ADDRESS, with_line};
use awsazure::provider::summaries;
use std::collections::BTreeSet;
use test_support::terraform::{Link, TestEnv, text};

#[test]
fn prevent_destroy_of_tainted_link_suggests_untaint() {
    let Some(env) = TestEnv::new() else { return };
    let protected = with_line(
        &env.link_between_networks(),
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

/// Taints two links; the plan announces what the replacement of both deletes.
fn replacements_of_both_are_announced(env: &TestEnv, other: &str) {
    env.ok(&["taint", "-no-color", ADDRESS]);
    env.ok(&["taint", "-no-color", &format!("awsazure_bgp_vpn.{other}")]);
    let both: BTreeSet<String> = deletes(env, "link")
        .union(&deletes(env, other))
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
fn announce_unrequested_replacement_of_one_link() {
    let Some(env) = TestEnv::new() else { return };
    let (link, other) = (
        env.link_between_networks(),
        Link::complete("other").with("slot", "3"),
    );
    env.write(&format!("{link}{other}"));
    env.apply();
    replacements_are_announced(&env, &["other"]);
    replacements_of_both_are_announced(&env, "other");
}

#[test]
fn replace_tainted_link_with_slot_only_in_state() {
    let Some(env) = TestEnv::new() else { return };
    let link = env.link_between_networks();
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
        assert_eq!(env.link_counts(), [1, 4, 2]);
    }
    env.destroy();
}

#[test]
fn announce_tainted_link_alone_on_gateway_of_another_link() {
    let Some(env) = TestEnv::new() else { return };
    let owner = env
        .link_between_networks()
        .to_string()
        .replace("\"link\"", "\"owner\"");
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
    replacements_of_both_are_announced(&env, "owner");
}

#[test]
fn accept_zones_together_with_id_of_managed_gateway() {
    let Some(env) = TestEnv::new() else { return };
    let link = env.link_between_networks();
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
        assert_eq!(env.link_counts(), [1, 4, 2]);
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

/// The replacement cannot keep the gateway of the link that the configuration names by its id.
#[test]
fn failed_replacement_of_named_gateway_deletes_nothing() {
    let Some(env) = TestEnv::new() else { return };
    let link = env.link_between_networks();
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
