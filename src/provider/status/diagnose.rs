//! Describes what is wrong with a tunnel, by layer: objects, IKE and IPsec, BGP, routes.

use super::health::{AwsHealth, AzureHealth, BgpHealth, LinkHealth, Reported, TunnelHealth};
use bgp_vpn::mismatches::Mismatch;
use bgp_vpn::missing_routes::missing_routes;
use bgp_vpn::tunnel::PerTunnel;

/// The health of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// What is wrong with each tunnel; `None` if it is healthy.
    pub tunnels: PerTunnel<Option<String>>,
    /// All four tunnels carry routes.
    pub healthy: bool,
    /// Some tunnels carry traffic, but not all four.
    pub degraded: bool,
    /// Number of tunnels with IPsec and BGP up in both clouds, 0 to 4.
    pub tunnels_up: u8,
}

/// Judges the health of a link by the reports of both clouds.
pub fn diagnose(view: &LinkHealth) -> HealthReport {
    let denied = view.peers_denied.is_some();
    let tunnels = view
        .tunnels
        .map(|_, tunnel| fault(tunnel, view.azure_busy, denied));
    let up = view
        .tunnels
        .iter()
        .filter(|(_, tunnel)| is_up(tunnel, denied))
        .count();
    let healthy = tunnels.iter().all(|(_, fault)| fault.is_none());
    HealthReport {
        healthy,
        degraded: !healthy && up > 0,
        tunnels_up: u8::try_from(up).unwrap_or(4),
        tunnels,
    }
}

/// AWS reports a tunnel as up once IPsec and BGP are up. Azure reports its BGP peer.
/// Without permission to read that peer, the report of AWS decides.
fn is_up(tunnel: &TunnelHealth, denied: bool) -> bool {
    let connected = tunnel
        .bgp
        .known()
        .is_some_and(|bgp| bgp.state.eq_ignore_ascii_case("Connected"));
    tunnel.aws.known().is_some_and(|aws| aws.up) && (connected || denied)
}

fn fault(tunnel: &TunnelHealth, azure_busy: bool, denied: bool) -> Option<String> {
    match (&tunnel.aws, &tunnel.azure) {
        (Reported::NotFound, Reported::NotFound) => {
            return non_empty("The tunnel exists in neither cloud. Run apply to create it.");
        }
        (Reported::NotFound, _) => {
            return non_empty(
                "The tunnel does not exist in AWS, so the Azure connection has no peer. Run apply to create it.",
            );
        }
        (_, Reported::NotFound) => {
            return non_empty(
                "The Azure connection of this tunnel does not exist. Run apply to create it.",
            );
        }
        (Reported::Unknown, _) => {
            return non_empty(
                "AWS reports no status yet, because the VPN connection is new or being modified.",
            );
        }
        _ => {}
    }
    let unheard = || {
        let because = if azure_busy {
            "the Azure gateway is being updated"
        } else {
            "the Azure connection is new"
        };
        Some(format!("Azure reports no status yet, because {because}."))
    };
    let (Some(aws), Some(azure)) = (tunnel.aws.known(), tunnel.azure.known()) else {
        return unheard();
    };
    if !aws.up && !aws.message.starts_with("IPSEC IS UP") {
        return ipsec_fault(aws, azure, &tunnel.ipsec_mismatches);
    }
    match &tunnel.bgp {
        Reported::Unknown if denied => unread_bgp_fault(aws),
        Reported::Unknown => unheard(),
        Reported::NotFound => Some(missing_peer_fault(tunnel.bgp_mismatches.as_deref())),
        Reported::Value(bgp) => bgp_fault(aws, bgp, tunnel.bgp_mismatches.as_deref()),
    }
}

fn clauses(mismatches: &[Mismatch]) -> String {
    let clauses: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
    clauses.join("; ")
}

fn ipsec_fault(aws: &AwsHealth, azure: &AzureHealth, mismatches: &[Mismatch]) -> Option<String> {
    let message = if aws.message.is_empty() {
        "DOWN".to_owned()
    } else {
        aws.message.clone()
    };
    if azure.status == "Connected" {
        return Some(format!(
            "AWS reports {message}, and Azure reports Connected. One of the reports is out of date. Check again in a minute."
        ));
    }
    let reports = format!(
        "IPsec is down on both sides (AWS: {message}, Azure: {})",
        azure.status
    );
    Some(if mismatches.is_empty() {
        format!(
            "{reports}. Both clouds have matching settings, so IKE is still negotiating or packets are lost between the two gateways. Check \
             again in a minute, then read the tunnel logs."
        )
    } else {
        format!("{reports}: {}.", clauses(mismatches))
    })
}

fn missing_peer_fault(mismatches: Option<&[Mismatch]>) -> String {
    let because = match mismatches {
        None | Some([]) => {
            "the BGP address of the local network gateway is not the AWS address of the inside CIDR, or the gateway is still applying a change"
                .to_owned()
        }
        Some(found) => clauses(found),
    };
    format!(
        "IPsec is up, but the Azure gateway has no BGP peer with the AWS address of this tunnel: {because}."
    )
}

/// What AWS alone reports of a session.
fn unread_bgp_fault(aws: &AwsHealth) -> Option<String> {
    match (aws.up, aws.accepted_routes) {
        (false, _) => Some(format!(
            "IPsec is up, but BGP is down (AWS: {}). The credentials have no permission to read the BGP state in Azure.",
            aws.message
        )),
        (true, routes) => missing_routes(routes.into(), None).map(str::to_owned),
    }
}

fn bgp_fault(aws: &AwsHealth, bgp: &BgpHealth, mismatches: Option<&[Mismatch]>) -> Option<String> {
    if !bgp.state.eq_ignore_ascii_case("Connected") {
        let because = match mismatches {
            None => "an ASN or a BGP address differs between the two sides".to_owned(),
            Some([]) => "both clouds have the same ASNs and addresses, so the session is still starting or BGP packets are lost between \
                         the two gateways (check again in a minute)"
                .to_owned(),
            Some(found) => clauses(found),
        };
        return Some(format!(
            "IPsec is up, but BGP is down (Azure: {}, AWS: {}): {because}.",
            bgp.state, aws.message
        ));
    }
    if !aws.up {
        return Some(format!(
            "Azure reports BGP as up, and AWS reports {}. Check again in a minute.",
            aws.message
        ));
    }
    missing_routes(aws.accepted_routes.into(), Some(bgp.routes_learned)).map(str::to_owned)
}

fn non_empty(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::provider::status::health::Denial;
    use bgp_vpn::inside_cidr::Slot;
    use bgp_vpn::tunnel::TunnelKey;
    use bgp_vpn::types::Asn;

    fn well() -> TunnelHealth {
        TunnelHealth {
            inside_cidr: None,
            aws: Reported::Value(AwsHealth {
                up: true,
                message: "1 BGP ROUTES".into(),
                accepted_routes: 1,
            }),
            azure: Reported::Value(AzureHealth {
                status: "Connected".into(),
            }),
            bgp: Reported::Value(BgpHealth {
                state: "Connected".into(),
                routes_learned: 1,
            }),
            ipsec_mismatches: Vec::new(),
            bgp_mismatches: Some(Vec::new()),
        }
    }

    fn link(spoil: impl Fn(TunnelKey, &mut TunnelHealth)) -> LinkHealth {
        let cidrs = Slot::default().inside_cidrs();
        let tunnels = PerTunnel::from_fn(|key| {
            let mut tunnel = TunnelHealth {
                inside_cidr: Some(*cidrs.get(key)),
                ..well()
            };
            spoil(key, &mut tunnel);
            tunnel
        });
        LinkHealth {
            tunnels,
            azure_busy: false,
            peers_denied: None,
        }
    }

    fn down(tunnel: &mut TunnelHealth) {
        tunnel.aws = Reported::Value(AwsHealth {
            up: false,
            message: "IPSEC IS DOWN".into(),
            accepted_routes: 0,
        });
        tunnel.azure = Reported::Value(AzureHealth {
            status: "NotConnected".into(),
        });
        tunnel.bgp = Reported::Value(BgpHealth {
            state: "Connecting".into(),
            routes_learned: 0,
        });
    }

    fn without_bgp(tunnel: &mut TunnelHealth) {
        tunnel.aws = Reported::Value(AwsHealth {
            up: false,
            message: "IPSEC IS UP".into(),
            accepted_routes: 0,
        });
        tunnel.bgp = Reported::Value(BgpHealth {
            state: "Connecting".into(),
            routes_learned: 0,
        });
    }

    /// If the settings of both clouds agree, a tunnel without traffic is not reported as a wrong
    /// ASN.
    #[test]
    fn do_not_report_asn_mismatch_for_lost_path() {
        let silent = diagnose(&link(|_, tunnel| {
            tunnel.bgp = Reported::Value(BgpHealth {
                state: "Connecting".into(),
                routes_learned: 0,
            });
        }));
        let still_coming = diagnose(&link(|_, tunnel| without_bgp(tunnel)));
        for diagnosis in [silent, still_coming] {
            let said = diagnosis.tunnels.get(TunnelKey::ALL[0]).clone().unwrap();
            assert!(
                said.contains("packets") && !said.contains("differs"),
                "{said}"
            );
        }
    }

    #[test]
    fn healthy_link_reports_no_problem() {
        let diagnosis = diagnose(&link(|_, _| {}));
        assert_eq!(
            (diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up),
            (true, false, 4)
        );
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
        assert_eq!(
            (diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up),
            (false, true, 3)
        );
        assert!(
            diagnosis
                .tunnels
                .get(first)
                .as_ref()
                .unwrap()
                .contains("IPSEC IS DOWN")
        );
        let diagnosis = diagnose(&link(|_, tunnel| down(tunnel)));
        assert_eq!(
            (diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up),
            (false, false, 0)
        );
    }

    #[test]
    fn each_layer_has_its_own_message() {
        let said = |spoil: fn(&mut TunnelHealth)| {
            diagnose(&link(|_, tunnel| spoil(tunnel)))
                .tunnels
                .get(TunnelKey::ALL[0])
                .clone()
                .unwrap()
        };
        let asn = said(|t| {
            without_bgp(t);
            t.bgp_mismatches = Some(vec![Mismatch::AzureAsn {
                aws: Asn(65_001),
                azure: Asn(65_000),
            }]);
        });
        assert!(asn.contains("65001"), "{asn}");
        let unseen = said(|t| {
            without_bgp(t);
            t.bgp_mismatches = None;
        });
        assert!(unseen.contains("differs"), "{unseen}");
        let no_route = said(|t| {
            t.bgp = Reported::Value(BgpHealth {
                state: "Connected".into(),
                routes_learned: 0,
            })
        });
        let keys = said(|t| {
            down(t);
            t.ipsec_mismatches = vec![Mismatch::Key];
        });
        assert!(
            keys.contains("pre-shared keys") && !keys.contains("packets"),
            "{keys}"
        );
        let layers = [
            asn,
            keys,
            unseen,
            said(|t| t.bgp = Reported::NotFound),
            said(|t| t.azure = Reported::NotFound),
            said(|t| t.aws = Reported::NotFound),
            no_route,
        ];
        let different: std::collections::BTreeSet<&String> = layers.iter().collect();
        assert_eq!(different.len(), layers.len(), "{layers:#?}");
    }

    #[test]
    fn use_aws_status_without_permission_to_read_peers() {
        let denial = Denial {
            action: "a",
            scope: "s".into(),
            reason: "r".into(),
        };
        let mut view = link(|_, tunnel| tunnel.bgp = Reported::Unknown);
        view.peers_denied = Some(denial);
        let diagnosis = diagnose(&view);
        assert_eq!((diagnosis.healthy, diagnosis.tunnels_up), (true, 4));
        without_bgp(view.tunnels.get_mut(TunnelKey::ALL[0]));
        view.tunnels.get_mut(TunnelKey::ALL[0]).bgp = Reported::Unknown;
        let diagnosis = diagnose(&view);
        assert_eq!(
            (diagnosis.healthy, diagnosis.degraded, diagnosis.tunnels_up),
            (false, true, 3)
        );
        assert!(
            diagnosis
                .tunnels
                .get(TunnelKey::ALL[0])
                .as_ref()
                .unwrap()
                .contains("IPSEC IS UP")
        );
    }

    #[test]
    fn updating_gateway_is_not_reported_as_failed() {
        let mut view = link(|_, tunnel| tunnel.bgp = Reported::Unknown);
        view.azure_busy = true;
        let diagnosis = diagnose(&view);
        assert!(!diagnosis.healthy);
        for (_, fault) in diagnosis.tunnels.iter() {
            let fault = fault.as_ref().unwrap();
            assert!(
                fault.contains("updated") && !fault.contains("down"),
                "{fault}"
            );
        }
    }
}
