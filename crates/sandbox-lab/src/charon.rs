//! strongSwan's IKE daemon: its settings, one connection put into it, and what it says of it.

use crate::vici::{Section, Vici};
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

/// Names of the connection and its child within a daemon.
const CONNECTION: &str = "link";
const CHILD: &str = "net";

/// Seconds of silence after which the peer is asked whether it lives. With three repetitions over
/// 24 s, a lost peer is given up after half a minute: EC2's least timeout.
const PROBE_SECONDS: u32 = 10;

/// What one end was given, for its daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setup {
    pub local: Ipv4Addr,
    pub remote: Ipv4Addr,
    pub key: String,
    pub version: u8,
    /// Proposals in strongSwan's keywords, the preferred first; none where the words make none, and
    /// then every peer is rejected.
    pub ike_proposals: Vec<String>,
    pub esp_proposals: Vec<String>,
    pub dials: bool,
    /// `restart` or `clear`.
    pub on_silence: &'static str,
    pub watches: bool,
    pub ike: Timer,
    pub child: Timer,
}

/// When an end renews keys of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    pub life_seconds: u32,
    /// How long before the end it starts, at the latest; None where it lets the keys expire.
    pub margin_seconds: Option<u32>,
    /// By how much it may start earlier, at random.
    pub random_seconds: u32,
}

impl Timer {
    /// A tenth of the lifetime before its end, or up to a tenth earlier.
    pub fn tenth(life_seconds: u32) -> Timer {
        Timer {
            life_seconds,
            margin_seconds: Some(life_seconds / 10),
            random_seconds: life_seconds / 10,
        }
    }

    /// Everything in a fraction of its time, so that a test sees the end of it.
    pub fn divided_by(self, divisor: u32) -> Timer {
        Timer {
            life_seconds: self.life_seconds.div_ceil(divisor),
            margin_seconds: self.margin_seconds.map(|it| it.div_ceil(divisor)),
            random_seconds: self.random_seconds / divisor,
        }
    }

    /// What strongSwan takes: 0 disables renewal.
    fn rekey_seconds(self) -> u32 {
        self.margin_seconds
            .map_or(0, |margin| self.life_seconds.saturating_sub(margin))
    }
}

/// The daemon's settings file, for a folder of its own.
pub(super) fn settings(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "charon-systemd {{
  load = random nonce openssl aes sha1 sha2 md5 hmac kdf gcm gmp kernel-libipsec kernel-netlink socket-default vici
  install_virtual_ip = no
  retransmit_tries = 3
  retransmit_timeout = 2.0
  journal {{
    default = -1
  }}
  filelog {{
    log {{
      path = {folder}/charon.log
      time_format = %H:%M:%S
      default = 1
      flush_line = yes
    }}
  }}
  plugins {{
    vici {{
      socket = unix://{folder}/vici
    }}
    kernel-libipsec {{
      allow_peer_ts = yes
    }}
  }}
}}
"
    )
}

/// Puts key and connection into the daemon, which dials at once where its end is to.
pub(super) fn load(vici: &mut Vici, setup: &Setup) -> Result<(), (&'static str, io::Error)> {
    let owners = [setup.local.to_string(), setup.remote.to_string()];
    let key = Section::new()
        .text("type", "IKE")
        .text("data", &setup.key)
        .list("owners", &owners);
    vici.call("load-shared", &key)
        .map_err(|error| ("load-shared", error))?;
    if setup.ike_proposals.is_empty() || setup.esp_proposals.is_empty() {
        return Ok(());
    }
    let everything = ["0.0.0.0/0".to_owned()];
    let child = Section::new()
        .list("local_ts", &everything)
        .list("remote_ts", &everything)
        .list("esp_proposals", &setup.esp_proposals)
        .text("start_action", if setup.dials { "start" } else { "none" })
        .text("dpd_action", setup.on_silence)
        .text("life_time", setup.child.life_seconds)
        .text("rekey_time", setup.child.rekey_seconds())
        .text("rand_time", setup.child.random_seconds);
    let end = |ip: &Ipv4Addr| Section::new().text("auth", "psk").text("id", ip);
    let connection = Section::new()
        .text("version", setup.version)
        .list("local_addrs", &[setup.local.to_string()])
        .list("remote_addrs", &[setup.remote.to_string()])
        .list("proposals", &setup.ike_proposals)
        .text("encap", "yes")
        .text("unique", "replace")
        .text("keyingtries", 0)
        .text("dpd_delay", if setup.watches { PROBE_SECONDS } else { 0 })
        .text("rekey_time", setup.ike.rekey_seconds())
        .text("rand_time", setup.ike.random_seconds)
        .text("over_time", setup.ike.margin_seconds.unwrap_or_default())
        .section("local", end(&setup.local))
        .section("remote", end(&setup.remote))
        .section("children", Section::new().section(CHILD, child));
    let all = Section::new().section(CONNECTION, connection);
    vici.call("load-conn", &all)
        .map(drop)
        .map_err(|error| ("load-conn", error))
}

/// The IKE security association that is established, and its installed child.
#[derive(Clone, Debug, Default)]
pub(super) struct Established {
    pub ike: Option<Section>,
    pub child: Option<Section>,
    /// Another is on its way.
    pub negotiating: bool,
}

impl Established {
    /// Numbers by which this association and this child are distinguished from their successors.
    pub fn ids(&self) -> (Option<String>, Option<String>) {
        let id = |section: &Option<Section>, name| {
            section
                .as_ref()
                .and_then(|sa| sa.get(name))
                .map(str::to_owned)
        };
        (id(&self.ike, "uniqueid"), id(&self.child, "spi-in"))
    }
}

pub(super) fn established(vici: &mut Vici) -> io::Result<Established> {
    let mut found = Established::default();
    for event in vici.stream("list-sas", "list-sa")? {
        for (_, ike) in event.sections() {
            if ike.get("state") != Some("ESTABLISHED") {
                found.negotiating |= ike.get("state") == Some("CONNECTING");
                continue;
            }
            let children = ike
                .sections()
                .filter(|(name, _)| *name == "child-sas")
                .flat_map(|(_, all)| all.sections());
            // One that is being renewed still carries packets.
            let carries =
                |child: &&Section| matches!(child.get("state"), Some("INSTALLED" | "REKEYING"));
            let installed = children.map(|(_, child)| child).filter(carries).last();
            if installed.is_some() || found.ike.is_none() {
                (found.ike, found.child) = (Some(ike.clone()), installed.cloned());
            }
        }
    }
    Ok(found)
}

/// Has the daemon dial, and does not wait for what comes of it.
pub(super) fn dial(vici: &mut Vici) -> io::Result<()> {
    let what = Section::new()
        .text("child", CHILD)
        .text("ike", CONNECTION)
        .text("timeout", -1);
    vici.call("initiate", &what).map(drop)
}

/// Has the daemon renew the child, or the IKE association; how that ends is seen in the ids.
pub(super) fn rekey(vici: &mut Vici, child: bool) -> io::Result<()> {
    let what = if child {
        Section::new().text("child", CHILD)
    } else {
        Section::new().text("ike", CONNECTION)
    };
    vici.call("rekey", &what).map(drop)
}

/// How many renewals the daemon has started itself, of the IKE association and of the child, by its
/// log.
pub(super) fn started_renewals(log: &str) -> (usize, usize) {
    let count = |part: &str| {
        let started = log.lines().filter(|line| {
            line.contains("generating CREATE_CHILD_SA request") && line.contains(part)
        });
        started.count()
    };
    let child = count("N(REKEY_SA)");
    (count("CREATE_CHILD_SA") - child, child)
}

/// Why the daemon has no tunnel: the last refusal in its log, in the names of IKE's notifications.
/// None where nothing has gone wrong since the peer was last authenticated.
pub(super) fn last_refusal(log: &str) -> Option<&'static str> {
    let meanings = [
        (" established between ", None),
        ("AUTHENTICATION_FAILED", Some("AUTHENTICATION_FAILED")),
        ("N(AUTH_FAILED)", Some("AUTHENTICATION_FAILED")),
        ("NO_PROPOSAL_CHOSEN", Some("NO_PROPOSAL_CHOSEN")),
        ("N(NO_PROP)", Some("NO_PROPOSAL_CHOSEN")),
        ("retransmit ", Some("no answer")),
    ];
    let mut known = log
        .lines()
        .rev()
        .filter_map(|line| meanings.iter().find(|(part, _)| line.contains(part)));
    known.next().and_then(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_last_error_of_charon_log() {
        let refused = "10:00:01 07[IKE] received NO_PROPOSAL_CHOSEN notify error\n10:00:04 [KNL] something else\n";
        let silence = "10:01:00 09[IKE] retransmit 1 of request with message ID 0\n";
        let up = "10:02:00 11[IKE] IKE_SA link[3] established between 198.51.100.11[a]...203.0.113.10[b]\n";
        assert_eq!(last_refusal(refused), Some("NO_PROPOSAL_CHOSEN"));
        assert_eq!(
            last_refusal(&format!("{refused}{silence}")),
            Some("no answer")
        );
        assert_eq!(last_refusal(&format!("{refused}{silence}{up}")), None);
        assert_eq!(
            last_refusal("10:00:01 [IKE] generating IKE_AUTH response 1 [ N(AUTH_FAILED) ]"),
            Some("AUTHENTICATION_FAILED")
        );
    }
}
