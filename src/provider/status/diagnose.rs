//! What is wrong with a tunnel, layer by layer, in words: objects first, then IKE and IPsec, then BGP, then routes.

use super::health::{AwsHealth, AzureHealth, BgpHealth, LinkHealth, Reported, TunnelHealth};
use crate::link::tunnel::PerTunnel;

/// The health of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// What is wrong with each tunnel; `None` where it is well.
    pub tunnels: PerTunnel<Option<String>>,
    /// All four tunnels carry routes.
    pub healthy: bool,
    /// Traffic flows, but not by all four tunnels.
    pub degraded: bool,
    /// Tunnels with IPsec and BGP up, as both clouds say, 0 to 4.
    pub tunnels_up: u8,
}

/// Judges a link by what both clouds say.
pub fn diagnose(view: &LinkHealth) -> HealthReport {
    let denied = view.peers_denied.is_some();
    let tunnels = view.tunnels.map(|_, tunnel| fault(tunnel, view.azure_busy, denied));
    let up = view.tunnels.iter().filter(|(_, tunnel)| is_up(tunnel, denied)).count();
    let healthy = tunnels.iter().all(|(_, fault)| fault.is_none());
    HealthReport { healthy, degraded: !healthy && up > 0, tunnels_up: u8::try_from(up).unwrap_or(4), tunnels }
}

/// AWS calls a tunnel up once IPsec and BGP are; Azure's peer row is the other end's word for it.
/// Without permission to read it AWS decides alone.
fn is_up(tunnel: &TunnelHealth, denied: bool) -> bool {
    let connected = tunnel.bgp.known().is_some_and(|bgp| bgp.state.eq_ignore_ascii_case("Connected"));
    tunnel.aws.known().is_some_and(|aws| aws.up) && (connected || denied)
}

fn fault(tunnel: &TunnelHealth, azure_busy: bool, denied: bool) -> Option<String> {
    match (&tunnel.aws, &tunnel.azure) {
        (Reported::NotFound, Reported::NotFound) => return non_empty("neither cloud has this tunnel: apply makes it"),
        (Reported::NotFound, _) => {
            return non_empty("AWS has no such tunnel, the Azure connection has nobody to talk to: apply mends it");
        }
        (_, Reported::NotFound) => return non_empty("Azure has no connection for this tunnel: apply makes it"),
        (Reported::Unknown, _) => {
            return non_empty("AWS tells nothing yet: the VPN connection is new or being changed");
        }
        _ => {}
    }
    let unheard = || {
        let because = if azure_busy { "the Azure gateway is being changed" } else { "the Azure connection is new" };
        Some(format!("Azure tells nothing yet: {because}"))
    };
    let (Some(aws), Some(azure)) = (tunnel.aws.known(), tunnel.azure.known()) else { return unheard() };
    if !aws.up && !aws.message.starts_with("IPSEC IS UP") {
        return ipsec_fault(aws, azure);
    }
    match &tunnel.bgp {
        Reported::Unknown if denied => unread_bgp_fault(aws),
        Reported::Unknown => unheard(),
        Reported::NotFound => non_empty(
            "IPsec is up, but the Azure gateway has no BGP peer with the AWS address of this tunnel: the local network gateway's BGP \
             address differs from the inside CIDR",
        ),
        Reported::Value(bgp) => bgp_fault(aws, bgp, tunnel.mismatches.as_deref()),
    }
}

fn ipsec_fault(aws: &AwsHealth, azure: &AzureHealth) -> Option<String> {
    let message = if aws.message.is_empty() { "DOWN".to_owned() } else { aws.message.clone() };
    if azure.status == "Connected" {
        return Some(format!(
            "AWS says {message}, Azure says Connected: one side lags behind, or the other gateway instance holds a tunnel of its own"
        ));
    }
    Some(format!(
        "IPsec is down on both sides (AWS: {message}, Azure: {}): keys, public addresses or IPsec policies differ, neither side starts, or nothing gets through \
         between the two",
        azure.status
    ))
}

/// What AWS alone reports of a session.
fn unread_bgp_fault(aws: &AwsHealth) -> Option<String> {
    match (aws.up, aws.accepted_routes) {
        (false, _) => {
            Some(format!("IPsec is up, BGP is not (AWS: {}); Azure's BGP state may not be read", aws.message))
        }
        (true, 0) => non_empty("BGP is up, but AWS accepts no route from Azure"),
        (true, _) => None,
    }
}

fn bgp_fault(aws: &AwsHealth, bgp: &BgpHealth, disagreements: Option<&[String]>) -> Option<String> {
    if !bgp.state.eq_ignore_ascii_case("Connected") {
        let because = match disagreements {
            None => "an ASN or a BGP address differs between the two sides".to_owned(),
            Some([]) => "both clouds were told the same ASNs and addresses, so the session is only now coming up, or BGP's packets \
                         are lost between the two gateways: look again in a minute"
                .to_owned(),
            Some(found) => found.join("; "),
        };
        return Some(format!("IPsec is up, BGP is not (Azure: {}, AWS: {}): {because}", bgp.state, aws.message));
    }
    if !aws.up {
        return Some(format!("BGP is up as Azure says, not yet as AWS says ({}): wait a minute", aws.message));
    }
    match (aws.accepted_routes, bgp.routes_learned) {
        (0, 0) => non_empty("BGP is up, but neither side announces a route"),
        (0, _) => non_empty("BGP is up, but AWS accepts no route from Azure"),
        (_, 0) => non_empty(
            "BGP is up, but Azure learns no route from AWS: the virtual private gateway is attached to no VPC, the transit gateway's \
             route table for this VPN connection has no routes of VPCs, or the VPC's range is one of the VNet's",
        ),
        _ => None,
    }
}

fn non_empty(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::link::inside_cidr::Slot;
    use crate::link::tunnel::TunnelKey;
    use crate::provider::status::health::Denial;

    fn well() -> TunnelHealth {
        TunnelHealth {
            inside_cidr: None,
            aws: Reported::Value(AwsHealth { up: true, message: "1 BGP ROUTES".into(), accepted_routes: 1 }),
            azure: Reported::Value(AzureHealth { status: "Connected".into() }),
            bgp: Reported::Value(BgpHealth { state: "Connected".into(), routes_learned: 1 }),
            mismatches: Some(Vec::new()),
        }
    }

    fn link(spoil: impl Fn(TunnelKey, &mut TunnelHealth)) -> LinkHealth {
        let cidrs = Slot::default().inside_cidrs();
        let tunnels = PerTunnel::from_fn(|key| {
            let mut tunnel = TunnelHealth { inside_cidr: Some(*cidrs.get(key)), ..well() };
            spoil(key, &mut tunnel);
            tunnel
        });
        LinkHealth { tunnels, azure_busy: false, peers_denied: None }
    }

    fn down(tunnel: &mut TunnelHealth) {
        tunnel.aws = Reported::Value(AwsHealth { up: false, message: "IPSEC IS DOWN".into(), accepted_routes: 0 });
        tunnel.azure = Reported::Value(AzureHealth { status: "NotConnected".into() });
        tunnel.bgp = Reported::Value(BgpHealth { state: "Connecting".into(), routes_learned: 0 });
    }

    fn without_bgp(tunnel: &mut TunnelHealth) {
        tunnel.aws = Reported::Value(AwsHealth { up: false, message: "IPSEC IS UP".into(), accepted_routes: 0 });
        tunnel.bgp = Reported::Value(BgpHealth { state: "Connecting".into(), routes_learned: 0 });
    }

    /// If the settings of both clouds agree, a tunnel without traffic is not reported as a wrong ASN.
    #[test]
    fn do_not_report_asn_mismatch_for_lost_path() {
        let silent = diagnose(&link(|_, tunnel| {
            tunnel.bgp = Reported::Value(BgpHealth { state: "Connecting".into(), routes_learned: 0 });
        }));
        let still_coming = diagnose(&link(|_, tunnel| without_bgp(tunnel)));
        for diagnosis in [silent, still_coming] {
            let said = diagnosis.tunnels.get(TunnelKey::ALL[0]).clone().unwrap();
            assert!(said.contains("packets are lost") && !said.contains("differs"), "{said}");
        }
    }

    #[test]
    fn healthy_link_reports_no_problem() {
        let diagnosis = diagnose(&link(|_, _| {}));
        assert_eq!((diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up), (true, false, 4));
        assert!(diagnosis.tunnels.iter().all(|(_, fault)| fault.is_none()));
    }

    /// One tunnel down is degraded and named; all tunnels down is down.
    #[test]
    fn distinguish_degraded_and_down() {
        let [first, ..] = TunnelKey::ALL;
        let diagnosis = diagnose(&link(|key, tunnel| {
            if key == first {
                down(tunnel)
            }
        }));
        assert_eq!((diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up), (false, true, 3));
        assert!(diagnosis.tunnels.get(first).as_ref().unwrap().contains("IPsec is down on both sides"));
        let diagnosis = diagnose(&link(|_, tunnel| down(tunnel)));
        assert_eq!((diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up), (false, false, 0));
    }

    #[test]
    fn each_layer_has_its_own_message() {
        let said = |spoil: fn(&mut TunnelHealth)| {
            diagnose(&link(|_, tunnel| spoil(tunnel))).tunnels.get(TunnelKey::ALL[0]).clone().unwrap()
        };
        let asn = said(|t| {
            without_bgp(t);
            t.mismatches = Some(vec!["the customer gateway has ASN 65001, the Azure gateway 65000".into()]);
        });
        assert!(asn.contains("BGP is not") && asn.contains("ASN 65001"), "{asn}");
        let unseen = said(|t| {
            without_bgp(t);
            t.mismatches = None;
        });
        assert!(unseen.contains("an ASN or a BGP address differs"), "{unseen}");
        assert!(said(|t| t.bgp = Reported::NotFound).contains("no BGP peer with the AWS address"));
        assert!(said(|t| t.azure = Reported::NotFound).starts_with("Azure has no connection"));
        assert!(said(|t| t.aws = Reported::NotFound).starts_with("AWS has no such tunnel"));
        assert!(
            said(|t| t.bgp = Reported::Value(BgpHealth { state: "Connected".into(), routes_learned: 0 }))
                .contains("Azure learns no route")
        );
    }

    #[test]
    fn use_aws_status_without_permission_to_read_peers() {
        let denial = Denial { action: "a", scope: "s".into(), reason: "r".into() };
        let mut view = link(|_, tunnel| tunnel.bgp = Reported::Unknown);
        view.peers_denied = Some(denial);
        let diagnosis = diagnose(&view);
        assert_eq!((diagnosis.healthy, diagnosis.tunnels_up), (true, 4));
        without_bgp(view.tunnels.get_mut(TunnelKey::ALL[0]));
        view.tunnels.get_mut(TunnelKey::ALL[0]).bgp = Reported::Unknown;
        let diagnosis = diagnose(&view);
        assert_eq!((diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up), (false, true, 3));
        assert!(diagnosis.tunnels.get(TunnelKey::ALL[0]).as_ref().unwrap().contains("BGP is not"));
    }

    #[test]
    fn updating_gateway_is_not_reported_as_failed() {
        let mut view = link(|_, tunnel| tunnel.bgp = Reported::Unknown);
        view.azure_busy = true;
        let diagnosis = diagnose(&view);
        assert!(!diagnosis.healthy);
        for (_, fault) in diagnosis.tunnels.iter() {
            assert_eq!(fault.as_deref(), Some("Azure tells nothing yet: the Azure gateway is being changed"));
        }
    }
}
