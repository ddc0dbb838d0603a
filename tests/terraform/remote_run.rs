//! Runs as HCP Terraform's agent makes them.

use awsazure_sandbox::world::Settings;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use test_support::terraform::{Clouds, DEFAULT_ACCOUNT, Link, RemoteRuns};

const MINUTE: Duration = Duration::from_secs(60);

/// One provider configuration for each tag, as the guide on HCP Terraform has it.
const TAGGED: &str = include_str!("../../examples/hcp-terraform/main.tf");

fn count(runs: &RemoteRuns, operation: &str) -> usize {
    let calls = runs.sandbox().calls();
    calls
        .iter()
        .filter(|call| call.operation == operation)
        .count()
}

/// Plan and apply have nothing in common but configuration, plan file and state. The tokens of the
/// plan are not used by the apply.
#[test]
fn saved_plan_applies_in_another_directory() {
    let Some(runs) = RemoteRuns::start(Clouds::default(), Settings::default()) else {
        return;
    };
    let link = Link::complete("link");
    let workspace = runs.workspace("prod", &link.to_string());
    let planned = workspace.plan(&[]);
    assert!(planned.run.succeeded(), "{}", planned.run.text());
    assert!(!runs.states.is_locked("prod"));
    let applied = workspace.apply(&planned, MINUTE);
    assert!(applied.succeeded(), "{}", applied.text());
    let (versions, unlocked) = runs.states.writes("prod");
    assert!(versions > 0);
    assert_eq!(unlocked, 0, "the state was written without its lock");
    assert!(!runs.states.is_locked("prod"));
    assert!(count(&runs, "AssumeRoleWithWebIdentity") > 0);
    assert_eq!(workspace.link("link")["status"], "complete");
    assert!(workspace.plan_is_empty());

    let stale = workspace.apply(&planned, MINUTE);
    assert!(
        stale.words().contains("Saved plan is stale"),
        "{}",
        stale.text()
    );
    workspace.deploy(&["-destroy"]);
    assert!(runs.sandbox().world().is_empty());
}

/// A second run of the workspace is refused while the first one applies.
#[test]
fn state_lock_refuses_second_run() {
    let clouds = Clouds {
        time_scale: 300,
        ..Clouds::default()
    };
    let Some(runs) = RemoteRuns::start(clouds, Settings::default()) else {
        return;
    };
    let link = Link::complete("link");
    let workspace = runs.workspace("prod", &link.to_string());
    let planned = workspace.plan(&[]);
    std::thread::scope(|scope| {
        let apply = scope.spawn(|| workspace.apply(&planned, MINUTE));
        while !runs.states.is_locked("prod") {
            std::thread::sleep(Duration::from_millis(20));
        }
        let second = workspace.plan(&[]);
        assert!(!second.run.succeeded(), "{}", second.run.stdout);
        let words = second.run.words();
        assert!(words.contains("Error acquiring the state lock"), "{words}");
        assert!(apply.join().unwrap().succeeded());
    });
    assert!(runs.states.refused_locks("prod") > 0);
    assert!(workspace.plan_is_empty());
}

/// Two configurations of dynamic credentials in one run: each provider alias uses the role and the
/// token files of its tag.
#[test]
fn tagged_credentials_serve_two_aliases() {
    let Some(runs) = RemoteRuns::start(Clouds::default(), Settings::default()) else {
        return;
    };
    let accounts = ["111111111111", "222222222222"];
    let workspace = |west: &str| {
        runs.workspace("both", TAGGED)
            .with_tag("EAST", accounts[0])
            .with_tag("WEST", west)
    };
    let wrong = workspace(DEFAULT_ACCOUNT).plan(&[]);
    let words = wrong.run.words();
    assert!(
        !wrong.run.succeeded() && words.contains(DEFAULT_ACCOUNT),
        "{words}"
    );

    let workspace = workspace(accounts[1]);
    workspace.deploy(&[]);
    assert!(workspace.plan_is_empty());
    for label in ["east", "west"] {
        assert_eq!(workspace.link(label)["status"], "complete", "{label}");
    }
    workspace.deploy(&["-destroy"]);
    assert!(runs.sandbox().world().is_empty());
}

/// The token file of Azure is replaced while the gateway is created. Each token is valid for a
/// fraction of the create.
#[test]
fn replaced_token_file_is_read_during_create() {
    let clouds = Clouds {
        time_scale: 150,
        ..Clouds::default()
    };
    // The provider renews a token five minutes before its end: this one after two seconds.
    let settings = Settings {
        token_lifetime_seconds: 302,
        ..Settings::default()
    };
    let Some(runs) = RemoteRuns::start(clouds, settings) else {
        return;
    };
    let valid = Duration::from_secs(5);
    let link = Link::complete("link");
    let provider = "provider \"awsazure\" {}\n";
    let workspace = runs.workspace("long", &format!("{provider}{link}"));
    let file = workspace.credential("azure_token");
    workspace.put_credential("azure_token", &runs.token(MINUTE));
    let workspace = workspace
        .with_variable("ARM_OIDC_TOKEN", "")
        .with_variable("ARM_OIDC_TOKEN_FILE_PATH", &file.display().to_string());
    let planned = workspace.plan(&[]);
    assert!(planned.run.succeeded(), "{}", planned.run.text());
    let before = count(&runs, "GetToken");
    let over = AtomicBool::new(false);
    let applied = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                workspace.put_credential("azure_token", &runs.token(valid));
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let applied = workspace.apply(&planned, MINUTE);
        over.store(true, Ordering::Relaxed);
        applied
    });
    assert!(applied.succeeded(), "{}", applied.text());
    // A renewal that fails is repeated while the former access token is valid: each must succeed.
    let calls = runs.sandbox().calls();
    let requests = calls.iter().filter(|call| call.operation == "GetToken");
    let answers: Vec<_> = requests.skip(before).map(|call| call.status).collect();
    assert!(answers.len() >= 4, "{answers:?}");
    assert!(
        answers.iter().all(|status| *status == Some(200)),
        "{answers:?}"
    );

    // An expired token is refused.
    workspace.put_credential("azure_token", &runs.expired_token());
    let expired = workspace.plan(&[]);
    assert!(!expired.run.succeeded());
    let words = expired.run.words();
    assert!(words.contains("AADSTS700024"), "{words}");
}

/// Three workspaces create links on one Azure gateway at the same time, in processes that know
/// nothing of each other.
#[test]
fn three_workspaces_share_one_gateway() {
    let Some(runs) = RemoteRuns::start(Clouds::default(), Settings::default()) else {
        return;
    };
    let hub = runs.workspace("hub", &Link::complete("hub").to_string());
    hub.deploy(&[]);
    let gateway = hub.link("hub")["azure"]["gateway_id"].to_string();
    let spokes = [1_u32, 2, 3].map(|slot| {
        let link = Link::complete("spoke")
            .without("azure.create_resource_group")
            .without("azure.location")
            .without("azure.virtual_network")
            .with("name", &format!("\"spoke{slot}\""))
            .with("azure.resource_group_name", "\"hub\"")
            .with("azure.gateway_id", &gateway)
            .with(
                "aws.vpc",
                &format!("{{ cidr_block = \"10.{}.0.0/16\" }}", slot + 10),
            )
            .with("aws.asn", &(64_512 + slot).to_string())
            .with("slot", &slot.to_string());
        runs.workspace(&format!("spoke{slot}"), &link.to_string())
    });
    for args in [&[][..], &["-destroy"]] {
        std::thread::scope(|scope| {
            spokes.iter().for_each(|spoke| {
                scope.spawn(|| spoke.deploy(args));
            });
        });
        let connections = runs.sandbox().world().of_kind("connections").len();
        assert_eq!(connections, if args.is_empty() { 16 } else { 4 });
        if args.is_empty() {
            assert!(spokes.iter().all(|spoke| spoke.plan_is_empty()));
        }
        assert!(hub.plan_is_empty());
    }
}
