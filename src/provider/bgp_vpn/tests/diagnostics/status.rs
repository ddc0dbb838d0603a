//! The data source: its errors, and the texts of `diagnosis`.

use crate::provider::status::{
    self, AwsHealth, AzureHealth, BgpHealth, Denial, LinkHealth, Reported, TunnelHealth, diagnose,
};
use bgp_vpn::inside_cidr::Slot;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use terraform_plugin::{Diagnostic, Value};

fn healthy() -> TunnelHealth {
    TunnelHealth {
        inside_cidr: Some(*Slot::default().inside_cidrs().get(TunnelKey::ALL[0])),
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
        mismatches: Some(Vec::new()),
    }
}

fn diagnosis(
    spoil: impl Fn(&mut TunnelHealth),
    azure_busy: bool,
    denied: bool,
) -> Option<Diagnostic> {
    let tunnels = PerTunnel::from_fn(|_| {
        let mut tunnel = healthy();
        spoil(&mut tunnel);
        tunnel
    });
    let peers_denied = denied.then(denial);
    let report = diagnose(&LinkHealth {
        tunnels,
        azure_busy,
        peers_denied,
    });
    let text = report.tunnels.get(TunnelKey::ALL[0]).clone()?;
    Some(Diagnostic::warning("Text of the attribute diagnosis").detail(text))
}

fn denial() -> Denial {
    Denial {
        action: "Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action",
        scope: super::gateway().to_string(),
        reason: "HTTP 403".into(),
    }
}

pub fn diagnostics() -> Vec<Diagnostic> {
    let query = |name: &str, value: &str| Value::object([(name, value)]);
    let invalid = [
        ("azure_gateway_id", "gateway"),
        ("aws_gateway_id", "vpc-1"),
        ("inside_cidr", "10.0.0.0/8"),
    ];
    let mut found: Vec<Diagnostic> = invalid
        .into_iter()
        .filter_map(|(name, value)| status::decode(&query(name, value)).err())
        .flatten()
        .collect();
    found.push(status::missing_gateway_id());
    found.push(status::denied(&denial()));
    let ipsec_down = |t: &mut TunnelHealth| {
        t.aws = Reported::Value(AwsHealth {
            up: false,
            message: "IPSEC IS DOWN".into(),
            accepted_routes: 0,
        });
    };
    let bgp_down = |t: &mut TunnelHealth| {
        t.aws = Reported::Value(AwsHealth {
            up: false,
            message: "IPSEC IS UP".into(),
            accepted_routes: 0,
        });
        t.bgp = Reported::Value(BgpHealth {
            state: "Connecting".into(),
            routes_learned: 0,
        });
    };
    let no_routes = |t: &mut TunnelHealth| {
        t.aws = Reported::Value(AwsHealth {
            up: true,
            message: "0 BGP ROUTES".into(),
            accepted_routes: 0,
        });
    };
    let no_learned = |t: &mut TunnelHealth| {
        t.bgp = Reported::Value(BgpHealth {
            state: "Connected".into(),
            routes_learned: 0,
        });
    };
    let texts = [
        diagnosis(
            |t| (t.aws, t.azure) = (Reported::NotFound, Reported::NotFound),
            false,
            false,
        ),
        diagnosis(|t| t.aws = Reported::NotFound, false, false),
        diagnosis(|t| t.azure = Reported::NotFound, false, false),
        diagnosis(|t| t.aws = Reported::Unknown, false, false),
        diagnosis(|t| t.azure = Reported::Unknown, false, false),
        diagnosis(|t| t.bgp = Reported::Unknown, true, false),
        diagnosis(ipsec_down, false, false),
        diagnosis(
            |t| {
                ipsec_down(t);
                t.azure = Reported::Value(AzureHealth {
                    status: "NotConnected".into(),
                });
            },
            false,
            false,
        ),
        diagnosis(|t| t.bgp = Reported::NotFound, false, false),
        diagnosis(bgp_down, false, false),
        diagnosis(
            |t| {
                bgp_down(t);
                t.mismatches = None;
            },
            false,
            false,
        ),
        diagnosis(
            |t| {
                bgp_down(t);
                t.mismatches = Some(vec![
                    "the customer gateway has ASN 65001, but the Azure gateway has 65000".into(),
                ]);
            },
            false,
            false,
        ),
        diagnosis(
            |t| {
                bgp_down(t);
                t.bgp = healthy().bgp;
            },
            false,
            false,
        ),
        diagnosis(
            |t| {
                bgp_down(t);
                t.bgp = Reported::Unknown;
            },
            false,
            true,
        ),
        diagnosis(no_routes, false, false),
        diagnosis(no_learned, false, false),
        diagnosis(
            |t| {
                no_routes(t);
                no_learned(t);
            },
            false,
            false,
        ),
    ];
    found.extend(texts.into_iter().flatten());
    found
}
