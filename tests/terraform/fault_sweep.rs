//! The sweep through real Terraform and real processes: links made, struck at some call each,
//! finished by one more apply, and gone after a destroy. The provider's process is killed on the
//! way, and Ctrl-C is pressed.

use awsazure_sandbox::aws::Quotas;
use awsazure_sandbox::world::{Settings, World};
use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use test_support::terraform::{Call, Clouds, TestEnv};

/// Links that are made at the same time.
const LINKS: usize = 10;
/// A provider that was asked to stop answers within ten seconds; Terraform needs a moment of its
/// own.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// Where the calls are struck that create, change or delete something, and those that read; each
/// rule strikes once.
const OPERATIONS: [(&str, u64); 24] = [
    ("PutResourceGroup", 10),
    ("PutVirtualNetwork", 10),
    ("PutPublicIp", 20),
    ("PutGateway", 10),
    ("PutLocalGateway", 40),
    ("PutConnection", 40),
    ("GetConnection", 40),
    ("GetSharedKey", 40),
    ("GetOperation", 200),
    ("ListConnections", 10),
    ("CreateVpc", 10),
    ("CreateSubnet", 10),
    ("CreateInternetGateway", 10),
    ("AttachInternetGateway", 10),
    ("CreateRouteTable", 10),
    ("CreateRoute", 10),
    ("AssociateRouteTable", 10),
    ("CreateVpnGateway", 10),
    ("AttachVpnGateway", 10),
    ("EnableVgwRoutePropagation", 20),
    ("CreateCustomerGateway", 20),
    ("CreateVpnConnection", 20),
    ("DescribeVpnConnections", 60),
    ("DeleteTags", 10),
];
const KINDS: [&str; 11] = [
    "refused",
    "lost",
    "429",
    "503",
    "409",
    "500",
    "malformed",
    "truncated",
    "401",
    "403",
    "dropped",
];

fn main_tf() -> String {
    let names: Vec<String> = (0..LINKS)
        .map(|number| format!("\"link{number}\""))
        .collect();
    format!(
        r#"resource "awsazure_bgp_vpn" "link" {{
  for_each = toset([{}])
  name     = each.key
  azure = {{
    resource_group_name   = each.key
    create_resource_group = true
    location              = "eastus"
    virtual_network = {{
      name                  = "vnet"
      address_space         = ["10.1.0.0/16"]
      gateway_subnet_prefix = "10.1.255.0/27"
      subnets               = {{ FrontEnd = "10.1.0.0/24" }}
    }}
  }}
  aws = {{
    vpc = {{
      cidr_block               = "10.2.0.0/16"
      public_subnet_cidr_block = "10.2.1.0/24"
    }}
  }}
}}
"#,
        names.join(", ")
    )
}

/// Clouds with room for all links at once.
fn environment() -> Option<TestEnv> {
    let env = TestEnv::with_world(
        Clouds {
            time_scale: 6_000,
            ..Clouds::default()
        },
        |dir| {
            let epoch_unix_seconds = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs() as i64;
            let settings = Settings {
                epoch_unix_seconds,
                throttling: false,
                ..Settings::default()
            };
            let mut world = World::new(1, settings);
            world.aws.quotas = Quotas {
                vpcs: 999,
                customer_gateways: 999,
                vpn_gateways: 999,
                vpn_connections: 999,
                vpn_connections_per_gateway: 999,
                transit_gateways: 999,
            };
            std::fs::create_dir_all(dir).unwrap();
            std::fs::write(dir.join("world.json"), serde_json::to_vec(&world).unwrap()).unwrap();
        },
    )?;
    env.write(&main_tf());
    Some(env)
}

const APPLY: [&str; 4] = ["apply", "-auto-approve", "-no-color", "-parallelism=10"];
const DESTROY: [&str; 4] = ["destroy", "-auto-approve", "-no-color", "-parallelism=10"];

/// One more apply, and every link is complete and exists once; two plans have nothing to do.
fn check_repaired(env: &TestEnv) {
    env.sandbox().fault(&["--clear"]);
    env.ok(&APPLY);
    for _ in 0..2 {
        let plan = env.ok(&["plan", "-no-color", "-detailed-exitcode", "-parallelism=10"]);
        assert_eq!(
            plan.code,
            Some(0),
            "the plan is not empty:\n{}",
            plan.stdout
        );
    }
    let world = env.world();
    let count = |kind: &str| world.of_kind(kind).len();
    let found = [
        "vpn-connection",
        "customer-gateway",
        "vpn-gateway",
        "vpc",
        "internet-gateway",
    ]
    .map(count);
    assert_eq!(
        found,
        [2, 2, 1, 1, 1].map(|each| each * LINKS),
        "{world:#?}"
    );
    let found = [
        "connections",
        "localNetworkGateways",
        "virtualNetworkGateways",
        "publicIPAddresses",
    ]
    .map(count);
    assert_eq!(found, [4, 4, 1, 2].map(|each| each * LINKS), "{world:#?}");
}

fn gone(env: &TestEnv) {
    env.ok(&DESTROY);
    let left = env.world();
    assert!(left.is_empty(), "{left:#?}");
}

/// Rules that each strike one call; another choice of calls and kinds in every round.
fn strike(env: &TestEnv, round: u64) {
    for (index, (operation, calls)) in OPERATIONS.iter().enumerate() {
        let index = index as u64;
        let call = 1 + (round * 7 + index * 3) % calls;
        let kind = KINDS[((round * 5 + index) % KINDS.len() as u64) as usize];
        env.fault(&format!("fail call {call} of {operation}: once {kind}"));
    }
}

fn struck(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.fault.is_some()).count()
}

/// The process below this one that is the provider.
fn provider_of(terraform: &Child) -> Option<u32> {
    let of = |pid: u32| {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
            .into_iter()
            .flatten()
            .flatten();
        let children =
            tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        children
            .flat_map(|text| {
                text.split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok())
                    .collect::<Vec<_>>()
            })
            .collect::<Vec<_>>()
    };
    let name =
        |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    of(terraform.id())
        .into_iter()
        .find(|pid| name(*pid).contains("terraform-provider-awsazure"))
}

fn signal(name: &str, pid: u32) {
    let status = std::process::Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Starts terraform and does something to it once so many more calls were made. False where it
/// ended before.
fn disturb(env: &TestEnv, args: &[&str], after_calls: usize, disturb: impl Fn(&Child)) -> bool {
    let before = env.calls().len();
    let mut terraform = env
        .command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let disturbed = loop {
        if terraform.try_wait().unwrap().is_some() {
            break false;
        }
        if env.calls().len() >= before + after_calls {
            disturb(&terraform);
            break true;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let begun = Instant::now();
    let status = terraform.wait().unwrap();
    if disturbed {
        assert!(
            begun.elapsed() < STOPPED_WITHIN,
            "terraform went on for {:?}",
            begun.elapsed()
        );
        assert!(
            !status.success(),
            "an apply that was cut off ended as though nothing had happened"
        );
    }
    disturbed
}

#[test]
fn one_apply_repairs_faults_at_sampled_calls() {
    let Some(env) = environment() else { return };
    let mut points = 0;
    for round in 0..3 {
        let before = env.calls().len();
        strike(&env, round);
        env.run(&APPLY);
        points += struck(&env.calls()[before..]);
        check_repaired(&env);
        let before = env.calls().len();
        for (index, operation) in [
            "DeleteConnection",
            "DeleteVpnConnection",
            "DeleteGateway",
            "DeleteVpc",
            "DetachVpnGateway",
        ]
        .iter()
        .enumerate()
        {
            env.fault(&format!(
                "fail call {} of {operation}: once {}",
                1 + index,
                KINDS[(index * 2 + round as usize) % KINDS.len()]
            ));
        }
        env.run(&DESTROY);
        points += struck(&env.calls()[before..]);
        env.sandbox().fault(&["--clear"]);
        gone(&env);
    }
    println!("{points} calls struck");
    assert!(points >= 60, "only {points} calls were struck");
}

#[test]
fn next_apply_finishes_links_of_killed_provider() {
    let Some(env) = environment() else { return };
    // Early, while the gateways are made, and while the connections are; and once while everything
    // goes.
    for after_calls in [60, 300, 500] {
        let kill = |terraform: &Child| {
            signal(
                "KILL",
                provider_of(terraform).expect("a provider below terraform"),
            )
        };
        assert!(
            disturb(&env, &APPLY, after_calls, kill),
            "it ended before call {after_calls}"
        );
    }
    check_repaired(&env);
    let kill = |terraform: &Child| {
        signal(
            "KILL",
            provider_of(terraform).expect("a provider below terraform"),
        )
    };
    assert!(disturb(&env, &DESTROY, 250, kill));
    gone(&env);
}

#[test]
fn next_apply_resumes_after_ctrl_c() {
    let Some(env) = environment() else { return };
    for after_calls in [100, 450] {
        assert!(disturb(&env, &APPLY, after_calls, |terraform| signal(
            "INT",
            terraform.id()
        )));
        let state = env.state().to_string();
        let known: BTreeSet<String> = env
            .world()
            .aws
            .iter()
            .map(|object| object.id.clone())
            .collect();
        let missing: Vec<&String> = known
            .iter()
            .filter(|id| id.starts_with("vpn-") && !state.contains(*id))
            .collect();
        assert!(
            missing.is_empty(),
            "{missing:?} are there and not in the state"
        );
    }
    check_repaired(&env);
    assert!(disturb(&env, &DESTROY, 250, |terraform| signal(
        "INT",
        terraform.id()
    )));
    gone(&env);
}

#[test]
fn trace_log_shows_no_key_after_failures() {
    let Some(mut env) = TestEnv::new() else {
        return;
    };
    env.set("TF_LOG_CORE", "trace");
    env.write_example("quickstart");
    env.fault("fail call 2 of PutConnection: once refused");
    env.fault("fail call 3 of GetSharedKey: once malformed");
    env.fault("fail call 2 of CreateVpnConnection: once lost");
    env.run(&["apply", "-auto-approve", "-no-color"]);
    env.sandbox().fault(&["--clear"]);
    let run = env.run(&["apply", "-auto-approve", "-no-color"]);
    assert!(run.code == Some(0), "{}", run.text());
    assert!(env.keys_seen() >= 4);
    let plan = env.run(&["plan", "-no-color", "-out=saved"]);
    assert!(plan.code == Some(0), "{}", plan.text());
    env.run(&["show", "-json", "saved"]);
    env.run(&["show", "-json"]);
    env.run(&["destroy", "-auto-approve", "-no-color"]);
    assert!(env.world().is_empty());
}
