//! Reads what surrounds a link that is to be made. What does not exist is an answer, not an error.

use super::cause::Cause;
use super::clouds::{Clouds, Limits};
use crate::aws::Filter;
use crate::aws::model::CustomerGateway;
use crate::azure::Azure;
use crate::link::ownership::{LINK, LinkId, UNFINISHED, placed, propagations};
use crate::link::survey::{Looked, Survey, SurveyAsk, network_of};
use crate::link::tunnel::TunnelKey;
use crate::primitives::Tags;
use futures::try_join;
use std::collections::{BTreeMap, BTreeSet};

fn looked<T>(found: Option<T>) -> Looked<T> {
    found.map_or(Looked::Absent, Looked::Found)
}

/// Looks at both clouds at once.
///
/// # Errors
/// What could not be read.
pub async fn survey(clouds: &Clouds, ask: &SurveyAsk, limits: &Limits) -> Result<Survey, Cause> {
    let (azure, aws) = try_join!(
        Box::pin(survey_azure(&clouds.azure, ask, limits)),
        Box::pin(async {
            let gateways = [&ask.vpn_gateway, &ask.own_vpn_gateway];
            if ask.vpc.is_none() && gateways.iter().all(|id| id.is_none()) && ask.transit_gateway.is_none() {
                return Ok(Survey::default());
            }
            survey_aws(clouds, ask, limits).await
        })
    )?;
    let (unfinished, left) =
        try_join!(unfinished(clouds, ask, &azure, limits), left_before(clouds, ask, &azure, limits))?;
    let marks = || left.iter().map(|customer| &customer.tags);
    Ok(Survey {
        unfinished,
        placed: (!left.is_empty()).then(|| marks().flat_map(placed).collect()),
        propagations: marks().flat_map(propagations).collect(),
        vpc: aws.vpc,
        vpc_gateway: aws.vpc_gateway,
        subnets: aws.subnets,
        route_tables: aws.route_tables,
        vpn_gateway: aws.vpn_gateway,
        transit_gateway: aws.transit_gateway,
        vpn_connections: aws.vpn_connections,
        own_vpn_connections: aws.own_vpn_connections,
        ..azure
    })
}

/// Links with all their connections whose AWS half carries the mark all the same.
async fn unfinished(
    clouds: &Clouds,
    ask: &SurveyAsk,
    seen: &Survey,
    limits: &Limits,
) -> Result<BTreeSet<String>, Cause> {
    let mut counts = BTreeMap::<&String, usize>::new();
    let tags = seen.network_connections.iter().filter_map(|connection| connection.resource.tags.get(LINK));
    tags.for_each(|link| *counts.entry(link).or_default() += 1);
    let mut found = BTreeSet::new();
    for link in counts.into_iter().filter(|(_, count)| *count >= TunnelKey::ALL.len()).map(|(link, _)| link) {
        let ec2 = clouds.site(ask.region.as_ref(), limits).await?.ec2;
        let marked = Tags::from([(LINK.to_owned(), link.clone()), (UNFINISHED.to_owned(), "true".to_owned())]);
        if !ec2.describe_customer_gateways(&limits.aws(), &Filter::tags(&marked)).await?.is_empty() {
            found.insert(link.clone());
        }
    }
    Ok(found)
}

/// The customer gateways of an earlier try, whose marks say what it put on gateways of somebody else.
async fn left_before(
    clouds: &Clouds,
    ask: &SurveyAsk,
    seen: &Survey,
    limits: &Limits,
) -> Result<Vec<CustomerGateway>, Cause> {
    let network = || seen.gateway.found().and_then(network_of).or_else(|| ask.network.clone());
    let link = ask.link.clone().or_else(|| Some(LinkId::new(&network()?, ask.first_cidr?)));
    let Some(link) = link else { return Ok(Vec::new()) };
    let tags = Tags::from([(LINK.to_owned(), link.to_string())]);
    let ec2 = clouds.site(ask.region.as_ref(), limits).await?.ec2;
    Ok(ec2.describe_customer_gateways(&limits.aws(), &Filter::tags(&tags)).await?)
}

async fn survey_azure(azure: &Azure, ask: &SurveyAsk, limits: &Limits) -> Result<Survey, Cause> {
    let waits = &limits.azure();
    let group = Box::pin(async {
        let Some(name) = &ask.resource_group else { return Ok(Looked::Not) };
        Ok::<_, Cause>(looked(azure.get_group(name, waits).await?))
    });
    let network = Box::pin(async {
        let Some(id) = &ask.network else { return Ok((Looked::Not, Looked::Not, Vec::new())) };
        let Some(network) = azure.get_virtual_network(id, waits).await? else {
            return Ok((Looked::Absent, Looked::Absent, Vec::new()));
        };
        let gateways = azure.gateways_of(&network, waits).await?;
        let vpn = gateways.into_iter().find(|g| g.gateway_type.eq_ignore_ascii_case("Vpn"));
        let on_it = match &vpn {
            Some(gateway) => azure.gateway_connections(&gateway.resource.id, waits).await?,
            None => Vec::new(),
        };
        Ok::<_, Cause>((Looked::Found(network), looked(vpn), on_it))
    });
    let given = Box::pin(async {
        let Some(id) = &ask.gateway else { return Ok((Looked::Not, Looked::Not, Vec::new())) };
        let Some(gateway) = azure.get_gateway(id, waits).await? else {
            return Ok((Looked::Absent, Looked::Not, Vec::new()));
        };
        let connections = azure.gateway_connections(id, waits).await?;
        let network = match network_of(&gateway) {
            Some(id) => looked(azure.get_virtual_network(&id, waits).await?),
            None => Looked::Not,
        };
        Ok::<_, Cause>((Looked::Found(gateway), network, connections))
    });
    let (group, (network, network_gateway, network_connections), (gateway, gateway_network, connections)) =
        try_join!(group, network, given)?;
    let azure = Survey { group, network, network_gateway, network_connections, ..Survey::default() };
    Ok(Survey { gateway, gateway_network, connections, ..azure })
}

async fn survey_aws(clouds: &Clouds, ask: &SurveyAsk, limits: &Limits) -> Result<Survey, Cause> {
    let ec2 = clouds.site(ask.region.as_ref(), limits).await?.ec2;
    let waits = &limits.aws();
    let mut seen = Survey::default();
    let mut vpc = ask.vpc.clone();
    if let Some(id) = &ask.vpn_gateway {
        let (by_id, of_it) = (Filter::id(id), Filter::vpn_gateway(id));
        let (gateways, connections) =
            try_join!(ec2.describe_vpn_gateways(waits, &by_id), ec2.describe_vpn_connections(waits, &of_it))?;
        seen.vpn_gateway = looked(gateways.into_iter().next());
        seen.vpn_connections = connections;
        let attached = seen.vpn_gateway.found().and_then(|g| g.attachment.as_ref()).map(|(vpc, _)| vpc.clone());
        vpc = vpc.or(attached);
    }
    if let Some(id) = &ask.own_vpn_gateway {
        seen.own_vpn_connections = ec2.describe_vpn_connections(waits, &Filter::vpn_gateway(id)).await?;
    }
    if let Some(id) = &ask.transit_gateway {
        let (by_id, of_it) = (Filter::id(id), Filter::transit_gateway(id));
        let (gateways, connections) =
            try_join!(ec2.describe_transit_gateways(waits, &by_id), ec2.describe_vpn_connections(waits, &of_it))?;
        seen.transit_gateway = looked(gateways.into_iter().next());
        seen.vpn_connections = connections;
    }
    if let Some(id) = &vpc {
        let (by_id, inside) = (Filter::id(id), Filter::vpc(id));
        let (vpcs, gateways, subnets, tables) = try_join!(
            ec2.describe_vpcs(waits, &by_id),
            ec2.describe_vpn_gateways(waits, &inside),
            ec2.describe_subnets(waits, &inside),
            ec2.describe_route_tables(waits, &inside),
        )?;
        seen.vpc = looked(vpcs.into_iter().next());
        seen.vpc_gateway = looked(gateways.into_iter().find(|g| g.attachment.is_some()));
        (seen.subnets, seen.route_tables) = (subnets, tables);
    }
    Ok(seen)
}
