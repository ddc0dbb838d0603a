//! A lab that a test drives itself, and pings through it.

use super::link::Link;
use awsazure_sandbox::dataplane::{LabFault, LabReport};
use awsazure_sandbox_lab::Lab;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(120);

/// A lab for a test of that name; None, with a message, where no lab can run.
pub fn lab(name: &str) -> Option<Lab> {
    if let Some(missing) = awsazure_sandbox_lab::missing() {
        let mut err = std::io::stderr();
        let _ = std::io::Write::write_fmt(
            &mut err,
            format_args!("skipped: {name} (needs {missing})\n"),
        );
        return None;
    }
    let folder = std::env::temp_dir().join(format!("awsazure-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    Some(Lab::start(Path::new(&folder)).unwrap())
}

/// Has the lab follow the link until the condition holds.
pub fn until(
    lab: &mut Lab,
    link: &Link,
    faults: &[LabFault],
    what: &str,
    holds: impl Fn(&LabReport) -> bool,
) -> LabReport {
    let began = Instant::now();
    loop {
        lab.reconcile(&link.aws, &link.azure, faults).unwrap();
        let report = lab.observe();
        if holds(&report) {
            return report;
        }
        assert!(began.elapsed() < TIMEOUT, "no {what}: {report:#?}");
        sleep(Duration::from_millis(300));
    }
}

/// Sessions of AWS's and of Azure's speakers that have learned a route.
pub fn learning(report: &LabReport) -> (usize, usize) {
    let aws = report.aws.iter();
    let azure = report.azure.iter();
    (
        aws.filter(|end| end.session.is_up() && !end.routes.is_empty())
            .count(),
        azure
            .filter(|end| end.session.is_up() && !end.routes.is_empty())
            .count(),
    )
}

/// Pings between the hosts of a link, ten a second.
pub struct Ping(Child);

impl Ping {
    /// From the VPC to the VNet, and the reverse.
    pub fn both_ways(report: &LabReport, link: &Link, count: u32) -> [Ping; 2] {
        let host = |gateway: &str| {
            let mut hosts = report.hosts.iter();
            let found = hosts.find(|host| host.gateway.eq_ignore_ascii_case(gateway));
            found.unwrap().clone()
        };
        let (vpc, vnet) = (
            host(&link.aws[0].gateway_id),
            host(&link.azure[0].gateway_id),
        );
        [(&vpc, &vnet), (&vnet, &vpc)].map(|(from, to)| {
            let child = Command::new("ip")
                .args(["netns", "exec", &from.namespace, "ping", "-n", "-q"])
                .args(["-i", "0.1", "-W", "2", "-c", &count.to_string()])
                .arg(to.address.to_string())
                .stdout(Stdio::piped())
                .spawn();
            Ping(child.unwrap())
        })
    }

    pub fn is_done(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Packets sent, packets answered.
    pub fn counts(self) -> (u32, u32) {
        let output = self.0.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let summary = text
            .lines()
            .find(|line| line.contains(" packets transmitted"));
        let mut numbers = summary
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|word| word.parse().ok());
        (
            numbers.next().unwrap_or_default(),
            numbers.next().unwrap_or_default(),
        )
    }
}
