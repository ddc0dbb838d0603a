//! The figures of docs/benchmarks.md, measured: `make bench`. Not part of a normal test run, since
//! nothing here can fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod links;

use awsazure_sandbox::call_log::CallRecord;
use awsazure_sandbox::schema::SchemaValidator;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use test_support::simulated::attributes::{self, Effect};
use test_support::simulated::clock::{in_virtual_time, on_all_cores, on_big_stack};
use test_support::simulated::environment::Environment;
use test_support::simulated::{Sim, attribute_rows, correction};
use test_support::terraform::TestEnv;
use test_support::{build_dir, provider_program, repository, simulated};

/// Terraform's greeting to a provider; `crates/terraform-plugin/src/handshake.rs` says where it
/// comes from.
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// Calls that find the endpoints and log in.
const LOGIN: [&str; 4] = [
    "GetToken",
    "GetMetadataEndpoints",
    "GetInstanceDiscovery",
    "GetOpenIdConfiguration",
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A field of /proc/PID/status, in MiB.
fn memory(pid: u32, field: &str) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Milliseconds from start to the handshake line, and MiB then: all that is resident, and of it
/// what is no page of the binary.
fn handshake() -> (f64, (f64, f64)) {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .unwrap()
        .cert
        .pem();
    let begun = Instant::now();
    let mut process = Command::new(provider_program())
        .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "6")
        .env("PLUGIN_CLIENT_CERT", certificate)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    let of = |field| memory(process.id(), field).unwrap_or_default();
    let resident = (of("VmRSS"), of("RssAnon"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(line.starts_with("1|6|unix|"), "{line}");
    (took, resident)
}

/// CPU seconds of all ended children and theirs (fields 16 and 17 of /proc/self/stat, in
/// hundredths).
fn cpu_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest = stat.rsplit_once(") ").unwrap().1;
    let fields: Vec<f64> = rest
        .split(' ')
        .map(|field| field.trim().parse().unwrap_or_default())
        .collect();
    (fields[13] + fields[14]) / 100.0
}

/// Resident MiB of a process and all below it.
fn tree(pid: u32) -> f64 {
    let mut sum = memory(pid, "VmRSS").unwrap_or_default();
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        sum += children
            .split_whitespace()
            .filter_map(|child| Some(tree(child.parse().ok()?)))
            .sum::<f64>();
    }
    sum
}

/// Wall seconds, CPU seconds and peak MiB of `terraform plan`, the median of five.
fn plan(env: &TestEnv) -> [f64; 3] {
    let mut figures: [Vec<f64>; 3] = Default::default();
    for _ in 0..5 {
        let (begun, cpu, mut peak) = (Instant::now(), cpu_of_children(), 0_f64);
        let mut command = env.command(&["plan", "-input=false", "-lock=false"]);
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = loop {
            if let Some(status) = process.try_wait().unwrap() {
                break status;
            }
            peak = peak.max(tree(process.id()));
            std::thread::sleep(Duration::from_millis(3));
        };
        assert!(status.success());
        for (all, one) in
            figures
                .iter_mut()
                .zip([begun.elapsed().as_secs_f64(), cpu_of_children() - cpu, peak])
        {
            all.push(one);
        }
    }
    figures.map(median)
}

/// The most calls of which each began after the one before had been answered.
fn round_trips(calls: &[CallRecord]) -> usize {
    let mut calls: Vec<&CallRecord> = calls
        .iter()
        .filter(|call| !LOGIN.contains(&call.operation.as_str()))
        .collect();
    calls.sort_by_key(|call| call.sim_end_ms);
    let mut free = 0;
    calls
        .iter()
        .filter(|call| {
            call.sim_start_ms >= free && {
                free = call.sim_end_ms;
                true
            }
        })
        .count()
}

/// What a create and a look came to.
struct Create {
    seconds: f64,
    /// Without what went by until we noticed the end of an operation.
    chain: f64,
    calls: usize,
    round_trips: usize,
    judge: SchemaValidator,
}

/// Seconds that a create takes, and how many of them went by between the end of an operation on the
/// path through the gateway and our noticing it, from the world's own due times.
async fn create(seed: u64) -> Create {
    let sim = Sim::new(seed);
    let spec = sim.spec("prod", 0);
    let built = sim.converge(&spec).await;
    assert!(built.failures.is_empty(), "{:?}", built.failures);
    let calls = sim.sandbox.calls();
    let took = sim.sandbox.now().0 as f64 / 1000.0;
    let world = serde_json::to_value(&*sim.sandbox.world()).unwrap();
    let mut late = 0.0;
    for (id, operation) in world["azure"]["operations"].as_object().unwrap() {
        let target = operation["target"].as_str().unwrap_or_default();
        let ours = ["/connections/", "/virtualnetworkgateways/"]
            .iter()
            .any(|kind| target.contains(kind));
        let looks = calls
            .iter()
            .filter(|call| call.operation == "GetOperation" && call.target.contains(id.as_str()));
        if let (true, Some(seen)) = (ours, looks.map(|call| call.sim_end_ms).max()) {
            late += (seen as f64 - operation["due"].as_f64().unwrap()).max(0.0) / 1000.0;
        }
    }
    let looked = sim.sandbox.calls().len();
    let search = sim.search_after(&spec, &built.observed);
    let again = sim.converge_from(&spec, &search).await;
    assert!(again.done.is_empty());
    let look = sim.sandbox.calls().split_off(looked);
    let judge = sim.sandbox.world().validator.clone();
    Create {
        seconds: took,
        chain: took - late,
        calls: look.len(),
        round_trips: round_trips(&look),
        judge,
    }
}

/// What the last runs of the dataplane lab and of the wrong-parameter table wrote down; empty where
/// they have not run here.
/// How many actions each example needs.
fn permissions(page: &mut String) {
    use awsazure::provider::permissions::command::document;
    page.push_str(
        "\n## Permissions\n\nActions that the examples need, as `terraform-provider-awsazure permissions` prints them. A simulated life with exactly \
         these actions passes. Without any one of them it fails with an error that names the action, or a warning names it \
         (`live_with_exactly_the_computed_permissions`, `name_each_permission_that_is_missing`).\n\n| example | plan, AWS | plan, Azure | apply, AWS | apply, Azure |\n|---|---|---|---|---|\n",
    );
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples: Vec<String> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    examples.sort();
    for example in examples {
        let path = root.join(&example).display().to_string();
        let counts = |arguments: &[String]| {
            let document = document(arguments).ok()?;
            let statements = document["aws_policy"]["Statement"].as_array()?;
            let aws: BTreeSet<&str> = statements
                .iter()
                .flat_map(|one| one["Action"].as_array().into_iter().flatten())
                .filter_map(serde_json::Value::as_str)
                .collect();
            Some((
                aws.len(),
                document["azure_role"]["Actions"].as_array()?.len(),
            ))
        };
        let plan = counts(&["--plan-only".to_owned(), path.clone()]);
        if let (Some(plan), Some(apply)) = (plan, counts(&[path])) {
            writeln!(
                page,
                "| {example} | {} | {} | {} | {} |",
                plan.0, plan.1, apply.0, apply.1
            )
            .unwrap();
        }
    }
}

fn dataplane() -> String {
    let files = ["lab-link.md", "lab-table-0.md", "lab-table-1.md"];
    let read = |name| {
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).ok()
    };
    let rows: String = files.into_iter().filter_map(read).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "\n## The dataplane lab\n\nOne run of `make lab` and of the wrong-parameter table, with strongSwan and BIRD. These times are those of the lab. They say nothing about the clouds.\n\n| figure | value |\n|---|---|\n{rows}"
    )
}

/// How many faults at how many calls, and what they brought to light.
fn sweep(page: &mut String) {
    let rows = on_big_stack(|| simulated::sweep_stats::rows(30));
    page.push_str(
        "\n## The fault sweep\n\nEach run is repeated with a fault at every call: an error, a lost or malformed response, no response, a killed process, or Ctrl-C. One more apply (every third with `-refresh=false`) must complete the link, two plans must be empty, and a destroy must leave nothing. Changes of single tunnels keep three tunnels up, and changes of complete connections keep two. One call with one fault is a point.\n\n| run | calls | points in `make test` | points in `make soak`, in faster clouds |\n|---|---|---|---|\n",
    );
    for row in rows {
        writeln!(
            page,
            "| {} | {} | {} | {} |",
            row.operation, row.calls, row.tested, row.soaked
        )
        .unwrap();
    }
    page.push_str("\nThrough real Terraform and real processes: over 60 more in `make test`. Defects that it found, each with the test that now covers it:\n\n");
    for (test, what) in simulated::sweep_stats::FINDINGS {
        writeln!(page, "- {what} (`{test}`)").unwrap();
    }
}

/// How many attributes are changed to what effect, and how many failures are corrected.
fn corrections(page: &mut String) {
    let environment = on_big_stack(Environment::build);
    let rows = attribute_rows::rows(&environment);
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for row in &rows {
        let effect = match row.there {
            Effect::InPlace | Effect::Keys => "changed in place",
            Effect::Replaces => "replaces the link",
            Effect::LocalOnly => "changes the state only",
            Effect::ManagedOnly => "changes what destroy deletes",
            Effect::NamesNewObjects => "names objects that are created later",
            Effect::Rejected(_) => "rejected by its name",
            Effect::Computed => "computed",
        };
        *counts.entry(effect).or_default() += 1;
    }
    writeln!(
        page,
        "\n## The attribute table\n\nEvery attribute is changed in both directions. After each change the plan is empty, and both clouds equal those of a link that was created with the new value: {} rows for {} attributes.\n\n| effect | rows |\n|---|---|",
        rows.len(),
        attributes::attributes().len()
    )
    .unwrap();
    counts
        .iter()
        .for_each(|(effect, rows)| writeln!(page, "| {effect} | {rows} |").unwrap());

    let seeds: Vec<u64> = (1..=100).collect();
    let ran = on_all_cores(
        &seeds,
        || (),
        |_, seed| correction::run(&environment, *seed).unwrap_or_default(),
    );
    let (mut failures, mut calls) = (std::collections::BTreeMap::<&str, u64>::new(), 0);
    for tally in ran {
        calls += tally.calls;
        tally
            .failures
            .into_iter()
            .for_each(|(kind, count)| *failures.entry(kind).or_default() += count);
    }
    page.push_str(
        "\n## Corrected failures\n\nA random configuration, a random failure of its create or of a change, a random correction: one apply succeeds, two \
         plans are empty, and destroy leaves both clouds as they were. 2,000 runs in `make test`, 20,000 in `make soak`.\n\n\
         | failure | of the first 100 runs |\n|---|---|\n",
    );
    failures
        .iter()
        .for_each(|(kind, count)| writeln!(page, "| {kind} | {count} |").unwrap());
    writeln!(
        page,
        "\nCalls of a run, on average: {}. Defects that they found, each with the test that now covers it:\n",
        calls / 100
    )
    .unwrap();
    for (test, what) in correction::FINDINGS {
        writeln!(page, "- {what} (`{test}`)").unwrap();
    }
}

#[test]
#[ignore = "measures; run it with make bench"]
fn measure_benchmarks() {
    let mut page = String::from(
        "# Benchmarks\n\nMade by `make bench`, which overwrites this page. Medians; the clouds are `awsazure-sandbox`.\n\n",
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = machine
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    let profile = if build_dir().ends_with("release") {
        "release"
    } else {
        "dev (unoptimised)"
    };
    let memory = total.unwrap_or_default() / 1024.0 / 1024.0;
    writeln!(
        page,
        "Machine: {cores} cores, {memory:.0} GiB of memory. Provider built in profile {profile}.\n"
    )
    .unwrap();

    let (times, memory): (Vec<f64>, Vec<(f64, f64)>) = (0..20).map(|_| handshake()).unzip();
    let (resident, own): (Vec<f64>, Vec<f64>) = memory.into_iter().unzip();
    let size = std::fs::metadata(provider_program()).unwrap().len() as f64 / 1_048_576.0;
    page.push_str("## The provider process\n\n| figure | value | goal |\n|---|---|---|\n");
    writeln!(
        page,
        "| handshake, ms (20 starts) | {:.1} | 5 |",
        median(times)
    )
    .unwrap();
    writeln!(
        page,
        "| resident at the handshake, MiB | {:.1} | 10 |",
        median(resident)
    )
    .unwrap();
    writeln!(
        page,
        "| of these not pages of the binary, MiB | {:.1} | |",
        median(own)
    )
    .unwrap();
    writeln!(page, "| binary, MiB | {size:.1} | |").unwrap();
    if let Ok(seconds) = std::env::var("AWSAZURE_COLD_BUILD_SECONDS") {
        writeln!(
            page,
            "| cold build of provider and sandbox, s | {seconds} | |"
        )
        .unwrap();
    }

    let mut judged = Vec::new();
    if let (Some(ours), Some(alone)) = (TestEnv::new(), TestEnv::new()) {
        ours.write_example("quickstart");
        alone.write("resource \"terraform_data\" \"alone\" {\n  input = 1\n}\n");
        let (with, without) = (plan(&ours), plan(&alone));
        page.push_str(
            "\n## `terraform plan`\n\n| | wall s | CPU s | peak MiB of all its processes |\n|---|---|---|---|\n",
        );
        for (what, [wall, cpu, peak]) in [
            ("quickstart, new", with),
            ("Terraform alone (terraform_data)", without),
        ] {
            writeln!(page, "| {what} | {wall:.2} | {cpu:.2} | {peak:.0} |").unwrap();
        }
        ours.apply();
        let before = ours.calls().len();
        let [wall, cpu, peak] = plan(&ours);
        let login =
            |call: &&test_support::terraform::Call| !LOGIN.contains(&call.operation.as_str());
        let calls = ours.calls().iter().skip(before).filter(login).count() / 5;
        writeln!(
            page,
            "| quickstart, applied: empty | {wall:.2} | {cpu:.2} | {peak:.0} |"
        )
        .unwrap();
        writeln!(
            page,
            "\nAn empty plan makes {calls} HTTP calls (goal: 16), tokens and discovery apart."
        )
        .unwrap();
        ours.destroy();
        let seen = ours.sandbox().schemas();
        judged.push((
            "the quickstart through Terraform, from apply to destroy",
            seen.requests,
            seen.answers,
            seen.operations,
            seen.violations,
        ));
    }

    page.push_str(&links::section());

    let creates = on_big_stack(|| {
        (1..=10)
            .map(|seed| in_virtual_time(create(seed)))
            .collect::<Vec<_>>()
    });
    let of = |get: &dyn Fn(&Create) -> f64| median(creates.iter().map(get).collect());
    page.push_str("\n## A create and a read, ten seeds in memory under virtual time\n\n| figure | value | goal |\n|---|---|---|\n");
    writeln!(
        page,
        "| create, simulated s | {:.0} | |",
        of(&|c| c.seconds)
    )
    .unwrap();
    writeln!(
        page,
        "| create divided by its longest chain | {:.3} | 1.05 |",
        of(&|c| c.seconds / c.chain)
    )
    .unwrap();
    writeln!(
        page,
        "| calls of a read of a complete link | {} | 16 |",
        of(&|c| c.calls as f64)
    )
    .unwrap();
    writeln!(
        page,
        "| of these in sequence | {} | 3 |",
        of(&|c| c.round_trips as f64)
    )
    .unwrap();
    page.push_str(
        "\nThe longest chain is the time of the create without the delay between the end of each operation on the gateway or a \
         connection and the poll that saw it.\n",
    );
    sweep(&mut page);
    corrections(&mut page);
    permissions(&mut page);
    page.push_str(&dataplane());
    let mut all = SchemaValidator::default();
    for Create { judge, .. } in &creates {
        all.requests += judge.requests;
        all.answers += judge.answers;
        all.violations += judge.violations;
        all.operations.extend(judge.operations.iter().cloned());
    }
    judged.push((
        "the creates and reads above",
        all.requests,
        all.answers,
        all.operations.len() as u64,
        all.violations,
    ));
    page.push_str(
        "\n## Requests and responses validated against the schemas of the clouds\n\nEvery test validates each request and response of the sandbox against these schemas and fails on the first violation. The last lines of `make test` print the total.\n\n\
         | run | requests | responses | operations | violations |\n|---|---|---|---|---|\n",
    );
    for (what, requests, answers, operations, violations) in judged {
        writeln!(
            page,
            "| {what} | {requests} | {answers} | {operations} | {violations} |"
        )
        .unwrap();
    }
    println!("{page}");
    std::fs::write(repository().join("docs/benchmarks.md"), page).unwrap();
}
