//! Azure announces one next hop on all sessions of a gateway instance: its first APIPA address.

use super::complete_link::{complete_link, first_address};
use super::link::Link;
use super::running::{Ping, lab, learning, until};
use awsazure_sandbox::dataplane::{LabFault, LabReport};
use awsazure_sandbox_lab::Lab;

/// Both tunnels of an instance announce its first address, and each of the four carries packets
/// without the others. First their endpoints are gone, then their packets are lost silently, so that
/// the network of the announced address still exists and leads nowhere.
#[test]
fn each_tunnel_carries_packets_with_one_next_hop() {
    let Some(mut lab) = lab("next-hop") else {
        return;
    };
    let link = complete_link(1);
    let report = four_tunnels(&mut lab, &link);
    for (number, end) in link.aws.iter().enumerate() {
        let word = |report: &LabReport| {
            let mut ends = report.aws.iter();
            ends.find(|word| word.outside_ip == end.outside_ip)
                .map(|word| word.next_hop)
        };
        assert_eq!(word(&report), Some(first_address(number / 2)), "{number}");
        let alone = Link {
            aws: vec![end.clone()],
            azure: link.azure.clone(),
        };
        let report = until(&mut lab, &alone, &[], "only tunnel", |report| {
            learning(report) == (1, 1) && report.aws.len() == 1
        });
        expect_answers(&report, &link, &format!("tunnel {number} alone"));
    }

    four_tunnels(&mut lab, &link);
    let first_tunnels = [0, 2].map(|number| LabFault::Tunnel(link.aws[number].inside_cidr));
    let report = until(&mut lab, &link, &first_tunnels, "loss", |report| {
        learning(report) == (2, 2)
    });
    expect_answers(&report, &link, "the second tunnels");
}

fn four_tunnels(lab: &mut Lab, link: &Link) -> LabReport {
    until(lab, link, &[], "four tunnels", |report| {
        learning(report) == (4, 4)
    })
}

fn expect_answers(report: &LabReport, link: &Link, what: &str) {
    for ping in Ping::both_ways(report, link, 20) {
        assert_eq!(
            ping.counts(),
            (20, 20),
            "packets sent and answered by {what}"
        );
    }
}
