//! What 1 to 50 links cost: hubs of ten links each, every hub with a transit gateway of its own.

use super::{LOGIN, cpu_of_children, plan};
use std::fmt::Write as _;
use std::time::Instant;
use test_support::terraform::{Link, TestEnv};

const COUNTS: [usize; 4] = [1, 5, 10, 50];
/// A VpnGw5AZ has 100 connections; a hub of ten links uses 40.
const LINKS_OF_HUB: usize = 10;
/// Service Quotas codes of customer gateways and VPN connections of a region, 50 by default.
const QUOTAS: [&str; 2] = ["L-4FB7FF5D", "L-3E6EC3A3"];

struct Hub {
    name: String,
    transit_gateway: String,
    azure_gateway: String,
}

fn hub_link(hub: &Hub) -> Link {
    Link::complete(&hub.name)
        .without("aws.vpc")
        .with(
            "aws.transit_gateway_id",
            &format!("{:?}", hub.transit_gateway),
        )
        .with("azure.sku", "\"VpnGw5AZ\"")
}

fn spoke(hub: &Hub, slot: usize) -> Link {
    Link::complete(&format!("{}-spoke{slot}", hub.name))
        .without("aws.vpc")
        .without("azure.create_resource_group")
        .without("azure.location")
        .without("azure.virtual_network")
        .with(
            "aws.transit_gateway_id",
            &format!("{:?}", hub.transit_gateway),
        )
        .with("azure.resource_group_name", &format!("{:?}", hub.name))
        .with("azure.gateway_id", &format!("{:?}", hub.azure_gateway))
        .with("slot", &slot.to_string())
}

fn write(env: &TestEnv, links: impl Iterator<Item = Link>) {
    let blocks: Vec<String> = links.map(|link| link.to_string()).collect();
    env.write(&blocks.join("\n"));
}

/// Calls since the log had that many lines.
fn calls(env: &TestEnv, since: usize) -> usize {
    let calls = env.calls().into_iter().skip(since);
    calls
        .filter(|call| !LOGIN.contains(&call.operation.as_str()))
        .count()
}

/// One row of the table. None without terraform.
fn row(count: usize) -> Option<String> {
    let env = TestEnv::new()?;
    let admin = env.cloud_admin();
    QUOTAS
        .iter()
        .for_each(|code| admin.raise_quota("ec2", code, 200));
    let mut hubs: Vec<Hub> = (0..count.div_ceil(LINKS_OF_HUB))
        .map(|number| Hub {
            name: format!("hub{number}"),
            transit_gateway: admin.make_transit_gateway("Options.AmazonSideAsn=64600"),
            azure_gateway: String::new(),
        })
        .collect();
    write(&env, hubs.iter().map(hub_link));
    env.apply();
    for hub in &mut hubs {
        let gateway = env.link(&hub.name)["azure"]["gateway_id"].clone();
        hub.azure_gateway = gateway.as_str()?.to_owned();
    }
    let spokes = (0..count).filter(|number| number % LINKS_OF_HUB != 0);
    let spokes = spokes.map(|number| spoke(&hubs[number / LINKS_OF_HUB], number % LINKS_OF_HUB));
    let all: Vec<Link> = hubs.iter().map(hub_link).chain(spokes).collect();
    let added = all.len() - hubs.len();
    write(&env, all.into_iter());
    let (begun, cpu) = (Instant::now(), cpu_of_children());
    env.apply();
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cpu_of_children() - cpu);
    let before = env.calls().len();
    assert!(env.plan_is_empty());
    let asked = calls(&env, before);
    let [plan_wall, plan_cpu, peak] = plan(&env);
    let apply = match added {
        0 => "| | |".to_owned(),
        _ => format!("| {wall:.1} | {cpu:.1} |"),
    };
    Some(format!(
        "| {count} | {} | {asked} | {plan_wall:.2} | {plan_cpu:.2} | {peak:.0} {apply}",
        hubs.len()
    ))
}

/// The section of the page.
pub fn section() -> String {
    let rows: Vec<String> = COUNTS.into_iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut page = String::from(
        "\n## Many links\n\nAn empty plan, and an apply that adds all links but the first of each hub to the existing gateways. Hubs have ten \
         links each. Four calls of each link read its pre-shared keys.\n\n\
         | links | hubs | plan: calls | wall s | CPU s | peak MiB | apply: wall s, 1,200 times faster than the clouds | CPU s |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    rows.iter().for_each(|row| writeln!(page, "{row}").unwrap());
    page
}
