//! The wrong-parameter table: each row is a link with one thing wrong, judged by the rules and by
//! real IKE and BGP daemons. Both must find the same layer at fault, and the same renewals to go
//! well.
//!
//! IKEv2's first child carries no key exchange, so that a wrong PFS group shows at a renewal only:
//! each row whose tunnels come up has child and IKE renewed from either side.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod link;
mod rows;

use awsazure_sandbox::dataplane::{AwsEndpoint, AzureEndpoint, Negotiation, TunnelStatus, Tunnels};
use awsazure_sandbox::time::SimTime;
use awsazure_sandbox_lab::{self as lab, Lab, Rekey, Side};
use link::Link;
use rows::{ROWS, Row};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long daemons that run may take to come to their verdicts, on a busy machine.
const CONVERGE_TIMEOUT: Duration = Duration::from_secs(120);
/// For how long these verdicts must stand then: some retries of BGP and IKE.
const STAND: Duration = Duration::from_secs(8);

fn built(number: u8, row: &Row) -> Link {
    let mut link = Link::new(number, row.verdicts.len());
    (row.wrong)(&mut link);
    link
}

fn by_the_rules(aws: &[AwsEndpoint], azure: &[AzureEndpoint]) -> BTreeMap<Ipv4Addr, Negotiation> {
    let mut tunnels = Tunnels::default();
    tunnels.refresh(SimTime(0), aws, azure);
    aws.iter()
        .map(|end| {
            (
                end.outside_ip,
                tunnels.negotiation(end.outside_ip).unwrap().clone(),
            )
        })
        .collect()
}

#[test]
fn rules_find_layer_of_each_wrong_parameter() {
    for (number, row) in ROWS.iter().enumerate() {
        let link = built(u8::try_from(number).unwrap(), row);
        let judged = by_the_rules(&link.aws, &link.azure);
        for (end, status) in link.aws.iter().zip(row.verdicts) {
            let negotiation = &judged[&end.outside_ip];
            assert_eq!(
                negotiation.status, *status,
                "{}: {}",
                row.name, negotiation.reason
            );
            assert_eq!(negotiation.agreed.is_some(), status.ipsec(), "{}", row.name);
            assert_eq!(
                negotiation.rekeys,
                status.ipsec() && row.rekeys,
                "{}: {}",
                row.name,
                negotiation.reason
            );
        }
    }
}

// Two labs side by side.

#[test]
fn daemons_agree_with_rules_first_half() {
    agree(0);
}

#[test]
fn daemons_agree_with_rules_second_half() {
    agree(1);
}

fn agree(half: usize) {
    if let Some(missing) = lab::missing() {
        return skip(&format!(
            "the wrong-parameter table against real daemons (needs {missing})"
        ));
    }
    let began = Instant::now();
    let links: Vec<(&Row, Link)> = (ROWS.iter().enumerate().skip(half).step_by(2))
        .map(|(number, row)| (row, built(u8::try_from(number).unwrap(), row)))
        .collect();
    let aws: Vec<AwsEndpoint> = links
        .iter()
        .flat_map(|(_, link)| link.aws.clone())
        .collect();
    let azure: Vec<AzureEndpoint> = links
        .iter()
        .flat_map(|(_, link)| link.azure.clone())
        .collect();
    let rules = by_the_rules(&aws, &azure);

    let folder = std::env::temp_dir().join(format!("awsazure-table-{}-{half}", std::process::id()));
    let mut lab = Lab::start(&folder).unwrap();
    let prefix = lab.prefix().to_owned();
    let seen = wait_for_convergence(&mut lab, &aws, &azure, &rules);
    let mut failures = String::new();
    let mut table = String::new();
    let mut compare = |failures: &mut String,
                       end: &AwsEndpoint,
                       row: &Row,
                       layer: &str,
                       rules: String,
                       lab: String| {
        let _ = writeln!(
            table,
            "{:48} {:14} {layer:18} {lab}",
            row.name, end.outside_ip
        );
        if rules != lab {
            let _ = writeln!(
                failures,
                "{} ({}), {layer}: the rules say {rules}, the daemons {lab}",
                row.name, end.outside_ip
            );
        }
    };
    for (row, end) in tunnels(&links) {
        let (rule, real) = (rules[&end.outside_ip].status, seen[&end.outside_ip]);
        compare(
            &mut failures,
            end,
            row,
            "verdict",
            format!("{rule:?}"),
            format!("{real:?}"),
        );
    }

    let up: Vec<Ipv4Addr> = seen
        .iter()
        .filter(|(_, status)| status.ipsec())
        .map(|(ip, _)| *ip)
        .collect();
    for side in [Side::Aws, Side::Azure] {
        for what in [Rekey::Child, Rekey::Ike] {
            let renewed = lab.rekey(&up, side, what).unwrap();
            for (row, end) in tunnels(&links) {
                let Some(renewed) = renewed.get(&end.outside_ip) else {
                    continue;
                };
                // The association itself always has a key exchange.
                let rule = what == Rekey::Ike || rules[&end.outside_ip].rekeys;
                let layer = format!("{what:?} by {side:?}");
                compare(
                    &mut failures,
                    end,
                    row,
                    &layer,
                    rule.to_string(),
                    renewed.to_string(),
                );
            }
        }
    }
    let report = lab.observe();
    for (row, end) in tunnels(&links) {
        let negotiation = &rules[&end.outside_ip];
        let real = lab::assess(&report, end);
        compare(
            &mut failures,
            end,
            row,
            "after renewal",
            format!("{:?}", negotiation.status),
            format!("{real:?}"),
        );
        // Where a side leaves a choice, which of its algorithms is taken is the implementation's
        // own.
        if negotiation.rekeys && end.phase1_dh_groups.len() == 1 && end.phase2_dh_groups.len() == 1
        {
            let sa = report
                .aws
                .iter()
                .find(|word| word.outside_ip == end.outside_ip)
                .and_then(|word| word.sa.clone());
            let agreed = sa.and_then(|sa| sa.agreed);
            compare(
                &mut failures,
                end,
                row,
                "algorithms",
                format!("{:?}", negotiation.agreed),
                format!("{agreed:?}"),
            );
        }
    }
    drop(lab);
    let left = std::fs::read_dir("/run/netns").unwrap().flatten();
    let left: Vec<_> = left
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    println!("{table}");
    assert!(failures.is_empty(), "\n{failures}");
    std::fs::remove_dir_all(&folder).unwrap();
    let rows = links.len();
    let figures = format!(
        "| wrong-parameter table, half {half}: rows, all agree; s | {rows}; {:.0} |\n",
        began.elapsed().as_secs_f64()
    );
    std::fs::write(
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lab-table-{half}.md")),
        figures,
    )
    .unwrap();
}

fn tunnels<'a>(links: &'a [(&'a Row, Link)]) -> impl Iterator<Item = (&'a Row, &'a AwsEndpoint)> {
    links
        .iter()
        .flat_map(|(row, link)| link.aws.iter().map(|end| (*row, end)))
}

/// The daemons' verdicts once they are the rules', or time is up, and after they have stood for a
/// while.
fn wait_for_convergence(
    lab: &mut Lab,
    aws: &[AwsEndpoint],
    azure: &[AzureEndpoint],
    rules: &BTreeMap<Ipv4Addr, Negotiation>,
) -> BTreeMap<Ipv4Addr, TunnelStatus> {
    // Half a hundred daemons take their time to start.
    lab.reconcile(aws, azure, &[]).unwrap();
    let began = Instant::now();
    let mut agreed: Option<Instant> = None;
    loop {
        lab.reconcile(aws, azure, &[]).unwrap();
        let report = lab.observe();
        let seen: BTreeMap<Ipv4Addr, TunnelStatus> = aws
            .iter()
            .map(|end| (end.outside_ip, lab::assess(&report, end)))
            .collect();
        if seen.iter().all(|(ip, status)| rules[ip].status == *status) {
            let since = *agreed.get_or_insert_with(Instant::now);
            if since.elapsed() > STAND {
                return seen;
            }
        } else {
            agreed = None;
        }
        if began.elapsed() > CONVERGE_TIMEOUT {
            return seen;
        }
        sleep(Duration::from_millis(300));
    }
}

/// Notes that a test cannot run here, for the last line of `make test`.
fn skip(why: &str) {
    eprintln!("skipped: {why}");
    if let Ok(path) = std::env::var("AWSAZURE_SKIPPED")
        && let Ok(mut file) = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
    {
        let _ = writeln!(file, "{why}");
    }
}
