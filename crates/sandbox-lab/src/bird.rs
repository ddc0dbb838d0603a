//! BIRD: the speakers' configuration from what the ends were given, and their words on sessions and
//! routes.

use crate::LabError;
use awsazure_sandbox::dataplane::{AwsEndpoint, AzureEndpoint, Route, Session};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Retries of a session in seconds, quicker than either cloud's so that a lab converges quickly.
const RETRY: &str = "connect delay time 1; connect retry time 5; error wait time 2,10";
/// AWS's timers in seconds, which it proposes and, being the lower, gets.
const AWS_TIMERS: &str = "hold time 30; keepalive time 10";
/// Azure's hold time as documented; keepalives follow what is negotiated.
const AZURE_TIMERS: &str = "hold time 180";
/// Between the parts of one Azure gateway: an instance that dies is noticed within seconds there.
const FABRIC_TIMERS: &str = "hold time 9; keepalive time 3";

fn head(router_id: Ipv4Addr, kernel: &str, announces: &[Ipv4Net]) -> String {
    let routes: String = announces
        .iter()
        .map(|net| format!(" route {net} unreachable;"))
        .collect();
    format!(
        "log stderr {{ fatal, error, warning }};\nrouter id {router_id};\nprotocol device {{ scan time 1; }}\n\
         protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP; }}; {kernel} }}\n\
         protocol static own {{ ipv4;{routes} }}\n"
    )
}

/// A virtual private gateway, with the tunnel device of each endpoint. It takes one best path and
/// dials each neighbor.
///
/// Packets for a route leave through the tunnel of the session that announced it. Its next hop does
/// not matter: it is the first address of the instance on both sessions, outside the /30 of the second.
/// Resolved by address (`import all`), the second tunnel's route would have no gateway or take the
/// first tunnel. With `gateway recursive` BIRD accepts such a next hop, and the filter replaces it.
pub(super) fn vpn_gateway(router_id: Ipv4Addr, endpoints: &[(&str, &AwsEndpoint)]) -> String {
    let mut text = head(
        router_id,
        "",
        endpoints
            .first()
            .map(|(_, end)| end.announces.as_slice())
            .unwrap_or_default(),
    );
    for (device, end) in endpoints.iter().filter(|(_, end)| !end.static_routes_only) {
        let mut hosts = end.inside_cidr.hosts();
        let (Some(own), Some(peer)) = (hosts.next(), hosts.next()) else {
            continue;
        };
        let _ = writeln!(
            text,
            "protocol bgp {device} {{ local {own} as {}; neighbor {peer} as {}; direct; {RETRY}; {AWS_TIMERS}; \
             ipv4 {{ gateway recursive; import filter {{ gw = from; accept; }}; export where source = RTS_STATIC; }}; }}",
            end.asn, end.peer_asn
        );
    }
    text
}

/// An Azure gateway instance: it never opens a session from a link-local (APIPA) address, and names
/// one next hop on all its sessions. `fabric`
/// are its own address and that of the virtual network's router.
pub(super) fn instance(
    router_id: Ipv4Addr,
    endpoints: &[(&str, &AzureEndpoint)],
    fabric: Option<(Ipv4Addr, Ipv4Addr)>,
) -> String {
    let announces = endpoints
        .first()
        .map(|(_, end)| end.announces.as_slice())
        .unwrap_or_default();
    let mut text = head(router_id, "merge paths yes;", announces);
    for (device, end) in endpoints.iter().filter(|(_, end)| end.enable_bgp) {
        let (Some(own), Some(peer), Some(peer_asn)) = (end.bgp_ip, end.peer_bgp_ip, end.peer_asn)
        else {
            continue;
        };
        let hop = end.next_hop.unwrap_or(own);
        let passive = if own.is_link_local() {
            "passive yes; "
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "protocol bgp {device} {{ local {own} as {}; neighbor {peer} as {peer_asn}; direct; {passive}{RETRY}; \
             {AZURE_TIMERS}; ipv4 {{ next hop address {hop}; import all; export where source = RTS_STATIC; }}; }}",
            end.asn
        );
    }
    if let (Some((own, router)), Some((_, end))) = (fabric, endpoints.first()) {
        let _ = writeln!(
            text,
            "protocol bgp fabric {{ local {own} as {0}; neighbor {router} as {0}; direct; {RETRY}; {FABRIC_TIMERS}; \
             ipv4 {{ next hop self; import none; export where source = RTS_BGP; }}; }}",
            end.asn
        );
    }
    text
}

/// The virtual network's router, which spreads over both instances.
pub(super) fn network(own: Ipv4Addr, asn: u32, instances: &[Ipv4Addr]) -> String {
    let mut text = head(own, "merge paths yes;", &[]);
    for (number, instance) in instances.iter().enumerate() {
        let _ = writeln!(
            text,
            "protocol bgp gw{number} {{ local {own} as {asn}; neighbor {instance} as {asn}; direct; {RETRY}; \
             {FABRIC_TIMERS}; ipv4 {{ import all; export none; }}; }}"
        );
    }
    text
}

/// A question to a running speaker; its answer without the codes before each line.
pub(super) fn ask(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut answered = Vec::new();
    read_reply(&mut stream, &mut answered)?;
    answered.clear();
    stream.write_all(format!("{command}\n").as_bytes())?;
    read_reply(&mut stream, &mut answered)?;
    let text = String::from_utf8_lossy(&answered).into_owned();
    Ok(text
        .lines()
        .map(|line| format!("{}\n", content(line)))
        .collect())
}

/// A line is `NNNN-text` (more follow), `NNNN text` (the last) or ` text` (of the same code as
/// before).
fn content(line: &str) -> &str {
    match line.strip_prefix(' ') {
        Some(rest) => rest,
        None => line.get(5..).unwrap_or_default(),
    }
}

fn read_reply(stream: &mut UnixStream, answered: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part)?;
        answered.extend(part.get(..length).unwrap_or_default());
        let text = String::from_utf8_lossy(answered);
        let last = text.lines().next_back().unwrap_or_default();
        let code = last
            .get(..4)
            .is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()));
        if text.ends_with('\n') && code && last.get(4..5) == Some(" ") {
            return Ok(());
        }
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Has a speaker read its configuration again; sessions that did not change go on.
pub(super) fn reconfigure(socket: &Path, speaker: &str) -> Result<(), LabError> {
    let trouble = |message: String| LabError::Bgp {
        speaker: speaker.to_owned(),
        message,
    };
    let said = ask(socket, "configure").map_err(|error| trouble(error.to_string()))?;
    if said.contains("Reconfigured") || said.contains("Reconfiguration in progress") {
        Ok(())
    } else {
        Err(trouble(said))
    }
}

/// All sessions by the name of their protocol, which is that of the device.
pub(super) fn sessions(said: &str) -> BTreeMap<String, Session> {
    let mut sessions = BTreeMap::new();
    let mut name = None;
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let (false, [own, kind, _, _, since, ..]) = (line.starts_with(' '), words.as_slice()) {
            name = (*kind == "BGP").then(|| (*own).to_owned());
            if let Some(name) = &name {
                sessions.insert(
                    name.clone(),
                    Session {
                        since: (*since).to_owned(),
                        ..Session::default()
                    },
                );
            }
        }
        let Some(session) = name.as_ref().and_then(|name| sessions.get_mut(name)) else {
            continue;
        };
        if let Some(state) = line.trim().strip_prefix("BGP state:") {
            session.state = state.trim().to_owned();
        } else if let Some(error) = line.trim().strip_prefix("Last error:") {
            session.last_error = Some(error.trim().to_owned());
        }
    }
    sessions
}

/// A learned route: the protocol, the route, and whether it is the one in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    pub protocol: String,
    pub route: Route,
    pub primary: bool,
}

/// Reads `show route all`.
pub(super) fn routes(said: &str) -> Vec<Learned> {
    let mut routes: Vec<Learned> = Vec::new();
    let mut network: Option<Ipv4Net> = None;
    for line in said.lines() {
        if let Some((before, after)) = line.split_once('[').filter(|_| !line.starts_with('\t')) {
            if let Some(own) = before
                .split_whitespace()
                .next()
                .and_then(|word| word.parse().ok())
            {
                network = Some(own);
            }
            let Some(network) = network else { continue };
            let (head, flags) = after.split_once(']').unwrap_or((after, ""));
            let protocol = head
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            let route = Route {
                network,
                next_hop: None,
                as_path: String::new(),
            };
            routes.push(Learned {
                protocol,
                route,
                primary: flags.trim_start().starts_with('*'),
            });
        } else if let Some(last) = routes.last_mut() {
            if let Some(path) = line.trim().strip_prefix("BGP.as_path:") {
                last.route.as_path = path.trim().to_owned();
            } else if let Some(hop) = line.trim().strip_prefix("BGP.next_hop:") {
                last.route.next_hop = hop.trim().parse().ok();
            }
        }
    }
    routes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// As BIRD 2.0.12 answers.
    const ROUTES: &str = "Table master4:\n10.1.0.0/16          unreachable [own 23:05:32.082] * (200)\n\tType: static univ\n\
        10.2.0.0/16          unicast [t11 23:05:32.980] * (100) [AS64512i]\n\tvia 169.254.21.1 on t11\n\tType: BGP univ\n\
        \tBGP.origin: IGP\n\tBGP.as_path: 64512\n\tBGP.next_hop: 169.254.21.1\n\
        \x20                    unicast [t12 23:05:32.960] (100) [AS64512i]\n\tvia 169.254.22.1 on t12\n\tBGP.as_path: 64512 65010\n";
    const SESSIONS: &str = "Name       Proto      Table      State  Since         Info\n\
        own        Static     master4    up     23:05:32.082  \n\
        t11        BGP        ---        up     23:05:32.937  Established   \n  BGP state:          Established\n\
        \x20   Neighbor AS:      65000\nt12        BGP        ---        start  23:05:33.100  Active        Socket: x\n\
        \x20 BGP state:          Active\n    Last error:       Error: Bad peer AS\n";

    #[test]
    fn parse_bird_routes_and_sessions() {
        let routes = routes(ROUTES);
        assert_eq!(routes.len(), 3);
        let second = Route {
            network: "10.2.0.0/16".parse().unwrap(),
            next_hop: "169.254.21.1".parse().ok(),
            as_path: "64512".into(),
        };
        assert_eq!(
            routes[1],
            Learned {
                protocol: "t11".into(),
                route: second,
                primary: true
            }
        );
        assert_eq!(
            (routes[2].primary, routes[2].route.as_path.as_str()),
            (false, "64512 65010")
        );
        let sessions = sessions(SESSIONS);
        assert!(sessions["t11"].is_up() && sessions["t11"].since == "23:05:32.937");
        assert_eq!(
            sessions["t12"].last_error.as_deref(),
            Some("Error: Bad peer AS")
        );
        assert_eq!(sessions.len(), 2);
    }
}
