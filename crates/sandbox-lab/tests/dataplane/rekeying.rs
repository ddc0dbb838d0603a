//! Who renews the keys of a link, with the lifetimes that the provider writes, divided by 200.
//!
//! | | AWS | Azure |
//! |---|---|---|
//! | IPsec, plain | 3,600 s: 18 s | 27,000 s: 135 s |
//! | IPsec, accelerated | 3,600 s: 18 s | 2,700 s: 14 s |
//! | IKE, accelerated | 28,800 s: 144 s | 28,800 s: 144 s |
//!
//! Microsoft does not document how long before the end Azure renews IKE keys. The lab's Azure starts
//! a tenth to a fifth of the lifetime before it. So the test shows of IKE only that packets survive
//! the renewal, and that Azure starts it if it is that early.

use super::complete_link::complete_link;
use super::link::Link;
use super::running::{Ping, lab, learning, until};
use awsazure_sandbox_lab::Side;
use bgp_vpn::ipsec::Preset;
use std::thread::sleep;
use std::time::Duration;

const DIVISOR: u32 = 200;
/// Ten pings a second, for as long as an IKE association lives.
const PINGS: u32 = 1_500;

/// Gives a link the lifetimes of the default policy.
fn with_lifetimes(mut link: Link, accelerated: bool) -> Link {
    let policy = Preset::Strong.policy_for(accelerated);
    let (phase1, phase2) = policy.aws();
    for end in &mut link.aws {
        end.phase1_lifetime_seconds = phase1.lifetime_seconds.unwrap();
        end.phase2_lifetime_seconds = phase2.lifetime_seconds.unwrap();
        end.accelerated = accelerated;
    }
    let azure = policy.azure(accelerated).unwrap();
    for end in &mut link.azure {
        end.policy.as_mut().unwrap().sa_life_time_seconds = azure.sa_life_time_seconds;
    }
    link
}

/// On an accelerated link Azure renews everything and no packet is lost, also where AWS would rekey
/// by its own timer. On a plain link AWS renews the IPsec keys.
#[test]
fn azure_rekeys_accelerated_link_without_packet_loss() {
    let Some(mut lab) = lab("rekeying") else {
        return;
    };
    lab.divide_lifetimes_by(DIVISOR);
    let mut accelerated = with_lifetimes(complete_link(1), true);
    // AWS also renews keys on these, if Azure is late.
    accelerated.aws[1].accelerated = false;
    accelerated.aws[3].accelerated = false;
    let plain = with_lifetimes(complete_link(2), false);
    let both = Link {
        aws: [accelerated.aws.clone(), plain.aws.clone()].concat(),
        azure: [accelerated.azure.clone(), plain.azure.clone()].concat(),
    };
    let report = until(&mut lab, &both, &[], "eight tunnels", |report| {
        learning(report) == (8, 8)
    });
    let mut pings = Ping::both_ways(&report, &accelerated, PINGS);
    while !pings.iter_mut().all(Ping::is_done) {
        lab.reconcile(&both.aws, &both.azure, &[]).unwrap();
        sleep(Duration::from_millis(500));
    }
    for ping in pings {
        assert_eq!(ping.counts(), (PINGS, PINGS), "packets sent and answered");
    }
    let started = |link: &Link, side| {
        let ends = link.aws.iter();
        let all = ends.map(|end| lab.started_renewals(end.outside_ip, side).unwrap());
        all.collect::<Vec<_>>()
    };
    for (name, link, starts, waits) in [
        ("accelerated", &accelerated, Side::Azure, Side::Aws),
        ("plain", &plain, Side::Aws, Side::Azure),
    ] {
        let (own, other) = (started(link, starts), started(link, waits));
        println!("{name}: {starts:?} started {own:?}, {waits:?} {other:?} (IKE, IPsec)");
        assert!(own.iter().all(|(_, child)| *child >= 6), "{name}: {own:?}");
        assert!(
            other.iter().all(|(_, child)| *child == 0),
            "{name}: {other:?}"
        );
    }
    let azure = started(&accelerated, Side::Azure);
    assert!(azure.iter().all(|(ike, _)| *ike >= 1), "{azure:?}");
}
