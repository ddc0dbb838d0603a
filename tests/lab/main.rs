//! The complete link through real daemons: real terraform applies `examples/quickstart` in the
//! sandbox, strongSwan and BIRD bring up what it wrote, hosts ping each other, and
//! `examples/status` tells what is broken, as the daemons have it. `make lab`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod running_lab;

use running_lab::{Ping, RunningLab};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;
use test_support::terraform::{TestEnv, skip};

/// Half a minute of BGP hold time, and what surrounds it.
const FAILOVER_LIMIT: f64 = 45.0;

/// What `examples/status` says: healthy, tunnels that are up, and the line of each tunnel.
struct Status {
    healthy: bool,
    up: u64,
    lines: BTreeMap<String, String>,
}

impl Status {
    fn of(env: &TestEnv, folder: &Path) -> Status {
        let run = |args: &[&str]| {
            let output = env.command(args).current_dir(folder).output().unwrap();
            assert!(
                output.status.success(),
                "terraform {args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8(output.stdout).unwrap()
        };
        let gateway = format!(
            "-var=azure_gateway_id={}",
            env.output("azure_gateway_id").as_str().unwrap()
        );
        let vgw = format!(
            "-var=aws_gateway_id={}",
            env.output("vpn_gateway_id").as_str().unwrap()
        );
        run(&["apply", "-auto-approve", "-no-color", &gateway, &vgw]);
        let said: serde_json::Value = serde_json::from_str(&run(&["output", "-json"])).unwrap();
        let report = said["report"]["value"].as_str().unwrap();
        let lines = report
            .lines()
            .skip(1)
            .map(|line| (line.split(' ').next().unwrap().to_owned(), line.to_owned()));
        Status {
            healthy: said["healthy"]["value"].as_bool().unwrap(),
            up: said["tunnels_up"]["value"].as_u64().unwrap(),
            lines: lines.collect(),
        }
    }

    /// The tunnels with something to diagnose.
    fn ill(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter(|(_, line)| !line.trim_end().ends_with(" well"))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn print(&self) {
        self.lines.values().for_each(|line| println!("    {line}"));
    }
}

struct Figures {
    began: Instant,
    table: String,
}

impl Figures {
    fn step(&self, words: &str) {
        println!("{:6.1} s  {words}", self.began.elapsed().as_secs_f64());
    }

    fn note(&mut self, what: &str, seconds: f64) {
        self.step(&format!("{what}: {seconds:.1} s"));
        writeln!(self.table, "| {what}, s | {seconds:.1} |").unwrap();
    }
}

#[test]
fn link_carries_packets_and_reports_faults() {
    if let Some(missing) = awsazure_sandbox_lab::missing() {
        assert!(
            std::env::var_os("AWSAZURE_LAB").is_none(),
            "the lab needs {missing}"
        );
        return skip(&format!("the dataplane lab (needs {missing})"));
    }
    let Some(env) = TestEnv::new() else { return };
    let mut figures = Figures {
        began: Instant::now(),
        table: String::new(),
    };
    let status_folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/status/main.tf");
    fs::copy(example, status_folder.path().join("main.tf")).unwrap();
    let status = || Status::of(&env, status_folder.path());

    let mut lab = RunningLab::start(env.sandbox());
    figures.step("sandbox and lab run; terraform apply of examples/quickstart, waiting for BGP");
    env.write_example("quickstart");
    let applying = Instant::now();
    env.apply();
    figures.note(
        "`terraform apply` of a complete link, until four sessions are up",
        applying.elapsed().as_secs_f64(),
    );

    lab.until("four tunnels with BGP", |state| {
        state.up() == 4 && state.routes() == (4, 4)
    });
    let (vpc_host, vnet_host) = lab.hosts();
    for (from, to) in [(&vpc_host, &vnet_host), (&vnet_host, &vpc_host)] {
        let ping = Ping::count(from, to, 20);
        assert_eq!(
            ping,
            (20, 20),
            "packets sent and answered from {} to {}",
            from.address,
            to.address
        );
        figures.step(&format!("{} pings {}: 20 of 20", from.address, to.address));
    }
    let seen = status();
    seen.print();
    assert!(seen.healthy && seen.up == 4 && seen.ill().is_empty());

    // One tunnel is cut: the one that AWS sends by.
    let state = lab.state();
    let cut = state.best().expect("a tunnel that AWS sends by");
    let (out, back) = (
        Ping::start(&vpc_host, &vnet_host),
        Ping::start(&vnet_host, &vpc_host),
    );
    lab.command(&["fault", "tunnel", &cut]);
    let at = Instant::now();
    lab.until("another tunnel in place of the cut one", |state| {
        state.up() == 3 && state.best().is_some_and(|best| best != cut)
    });
    figures.note(
        "one tunnel cut silently: noticed by AWS's BGP",
        at.elapsed().as_secs_f64(),
    );
    // Azure's BGP notices for itself.
    lab.until(
        "the end of the cut tunnel's sessions on both sides",
        |state| state.azure_up() == 3,
    );
    lab.until("an answer by another tunnel", |_| {
        Ping::count(&vpc_host, &vnet_host, 1).1 == 1
    });
    let outage = out.stop().max(back.stop());
    figures.note(
        "one tunnel cut silently: longest time without an answer, either way",
        outage,
    );
    assert!(outage > 1.0 && outage < FAILOVER_LIMIT, "{outage}");
    let seen = status();
    seen.print();
    assert!(!seen.healthy && seen.up == 3);
    let ill = seen.ill();
    assert!(
        ill.len() == 1 && seen.lines[ill[0]].contains(&cut),
        "{cut}: {ill:?}"
    );
    assert_eq!(
        Ping::count(&vpc_host, &vnet_host, 10),
        (10, 10),
        "traffic goes on by another tunnel"
    );
    let at = Instant::now();
    lab.command(&["repair"]);
    lab.until("four tunnels again", |state| {
        state.up() == 4 && state.routes() == (4, 4)
    });
    figures.note(
        "the cut tunnel repaired: four sessions again",
        at.elapsed().as_secs_f64(),
    );

    // A gateway instance dies: the one that AWS sends to.
    let state = lab.state();
    let best = state.best().unwrap();
    let instance = seen
        .lines
        .iter()
        .find(|(_, line)| line.contains(&best))
        .map(|(name, _)| &name[8..9])
        .unwrap();
    let (out, back) = (
        Ping::start(&vpc_host, &vnet_host),
        Ping::start(&vnet_host, &vpc_host),
    );
    lab.command(&["fault", "instance", instance]);
    let at = Instant::now();
    lab.until("only the other instance's tunnels", |state| {
        state.up() == 2 && state.best().is_some()
    });
    figures.note(
        "an Azure instance killed: noticed by AWS's BGP",
        at.elapsed().as_secs_f64(),
    );
    lab.until("an answer by the other instance", |_| {
        Ping::count(&vpc_host, &vnet_host, 1).1 == 1
    });
    let outage = out.stop().max(back.stop());
    figures.note(
        "an Azure instance killed: longest time without an answer, either way",
        outage,
    );
    assert!(outage > 1.0 && outage < FAILOVER_LIMIT, "{outage}");
    let seen = status();
    seen.print();
    assert!(!seen.healthy && seen.up == 2);
    let ill = seen.ill();
    let dead = format!("instance{instance}");
    assert!(
        ill.len() == 2 && ill.iter().all(|name| name.starts_with(&dead)),
        "{dead}: {ill:?}"
    );
    let at = Instant::now();
    lab.command(&["repair"]);
    lab.until("four tunnels again", |state| {
        state.up() == 4 && state.routes() == (4, 4)
    });
    figures.note(
        "the instance restored: four sessions again",
        at.elapsed().as_secs_f64(),
    );
    let seen = status();
    assert!(seen.healthy && seen.up == 4, "{:?}", seen.lines);

    // A lab that is killed leaves no daemon behind, and the next one sweeps up after it.
    lab.kill();
    let at = Instant::now();
    lab = RunningLab::start(env.sandbox());
    lab.until("four tunnels in the next lab", |state| state.up() == 4);
    figures.note(
        "a lab for a link that is there: namespaces, eight IKE daemons, four sessions up",
        at.elapsed().as_secs_f64(),
    );
    assert!(env.plan_is_empty());

    env.destroy();
    figures.step("destroyed");
    lab.until("nothing running any more", |state| state.is_empty());
    lab.interrupt();
    assert!(env.world().is_empty());
    let figures = figures.table;
    fs::write(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab-link.md"),
        figures,
    )
    .unwrap();
}
