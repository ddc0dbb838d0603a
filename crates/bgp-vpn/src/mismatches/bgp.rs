//! ASNs and BGP addresses, each as one cloud has it and as it is configured in the other.

use super::Mismatch;
use crate::inside_cidr::InsideCidr;
use crate::observed::Observed;
use crate::tunnel::TunnelKey;

/// Where the BGP settings of a tunnel's two sides differ; None where one side does not exist or
/// does not return its settings.
pub fn bgp_mismatches(observed: &Observed, key: TunnelKey) -> Option<Vec<Mismatch>> {
    let (aws, azure) = (&observed.aws, &observed.azure);
    let inside = InsideCidr::check(observed.tunnel(key)?.inside_cidr?).ok()?;
    let connection = azure.connections.get(key).as_ref()?;
    let vpn = aws.vpn_connections.get(key.instance).as_ref()?;
    // Without BGP the other settings have no effect.
    if !connection.enable_bgp {
        return Some(vec![Mismatch::BgpDisabled]);
    }
    if vpn.static_routes_only {
        return Some(vec![Mismatch::StaticRouting]);
    }
    let customer = aws
        .used_customer_gateways
        .get(key.instance)
        .as_ref()
        .or(aws.customer_gateways.get(key.instance).as_ref())?;
    let gateway = azure.gateway.as_ref()?;
    let instance = azure.gateway_instance(key.instance)?;
    let local = azure.local_gateways.get(key).as_ref()?;
    let amazon = observed.amazon_asn()?;
    let mut found = Vec::new();
    if customer.asn != gateway.asn {
        found.push(Mismatch::AzureAsn {
            aws: customer.asn,
            azure: gateway.asn,
        });
    }
    match local.bgp {
        None => found.push(Mismatch::MissingPeer),
        Some((asn, _)) if asn != amazon => found.push(Mismatch::AwsAsn {
            azure: asn,
            aws: amazon,
        }),
        Some((_, ip)) if ip != inside.aws_ip() => found.push(Mismatch::AwsPeer {
            azure: ip,
            aws: inside.aws_ip(),
        }),
        Some(_) => {}
    }
    let uses = connection
        .custom_bgp_ips
        .iter()
        .find(|(id, _)| *id == instance.ip_configuration_id)
        .map(|(_, ip)| *ip);
    if uses != Some(inside.azure_ip()) {
        found.push(Mismatch::AzurePeer {
            aws: inside.azure_ip(),
        });
    }
    Some(found)
}
