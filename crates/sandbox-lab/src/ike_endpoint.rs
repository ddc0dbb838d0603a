//! One tunnel end: an IKE daemon in a namespace of its own on the internet, and its tunnel device
//! in the router that it serves.

use crate::LabError;
use crate::charon::{self, Established, Setup};
use crate::daemon::Daemon;
use crate::namespace::Namespaces;
use crate::vici::Vici;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The namespace through which all ends reach each other.
pub(super) const INTERNET: &str = "internet";
/// An address of the internet's own, as everybody's next hop.
const NEXT_HOP: &str = "192.0.2.1";
/// How long a daemon may take until it answers and has its device.
const START: Duration = Duration::from_secs(15);
/// From one attempt of an end that dials to its next.
const REDIAL: Duration = Duration::from_secs(3);
/// Tables and rules of the internet begin here, one for each end.
const RULES: u32 = 1_000;
/// What fits into a tunnelled packet.
const MTU: u32 = 1_400;

/// How the internet finds an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoutedBy {
    /// It has its address for itself.
    ByAddress,
    /// It shares a gateway instance's address; packets from its own peer are for it.
    ByPeer,
}

#[derive(Debug)]
pub(super) struct IkeEndpoint {
    pub number: u32,
    setup: Setup,
    routed_by: RoutedBy,
    folder: PathBuf,
    namespace: String,
    daemon: Daemon,
    dialled: Instant,
    /// It has had a tunnel at one time.
    was_up: bool,
}

impl IkeEndpoint {
    /// Starts the daemon, which has nothing to do until it is [plugged](IkeEnd::plug).
    pub fn start(
        net: &mut Namespaces,
        folder: &Path,
        number: u32,
        setup: Setup,
        routed_by: RoutedBy,
    ) -> Result<IkeEndpoint, LabError> {
        let (folder, namespace) = (folder.join(format!("ike{number}")), format!("ike{number}"));
        let io = |error| LabError::Io(folder.clone(), error);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .map_err(io)?;
        let settings = folder.join("strongswan.conf");
        fs::write(&settings, charon::settings(&folder)).map_err(io)?;
        net.add(&namespace, false)?;
        let local = setup.local;
        let cable = format!("i{number}");
        net.ip(
            &namespace,
            &format!(
                "link add name eth0 type veth peer name {cable} netns {}\naddr add {local}/32 dev eth0\n\
                 link set eth0 up\nroute add default via {NEXT_HOP} dev eth0 onlink\n",
                net.full(INTERNET)
            ),
        )?;
        let own = RULES + number;
        let route = match routed_by {
            RoutedBy::ByAddress => format!("route add {local}/32 dev {cable}\n"),
            RoutedBy::ByPeer => format!(
                "route add {local}/32 dev {cable} table {own}\nrule add from {} to {local} lookup {own} pref {own}\n",
                setup.remote
            ),
        };
        net.ip(INTERNET, &format!("link set {cable} up\n{route}"))?;
        let mut command = net.command(&namespace, "charon-systemd");
        command.env("STRONGSWAN_CONF", &settings);
        let daemon = Daemon::start(command, &folder.join("output"))?;
        Ok(IkeEndpoint {
            number,
            setup,
            routed_by,
            folder,
            namespace,
            daemon,
            dialled: Instant::now(),
            was_up: false,
        })
    }

    /// The tunnel's device in the router.
    pub fn device(&self) -> String {
        format!("t{}", self.number)
    }

    /// The route by which unknown peers reach the address of this end.
    pub fn route_for_unknown_peers(&self) -> Option<String> {
        (self.routed_by == RoutedBy::ByPeer).then(|| {
            format!(
                "route replace {}/32 dev i{}\n",
                self.setup.local, self.number
            )
        })
    }

    /// Moves the tunnel device into the router, with the `address` that `ip addr add` takes, and
    /// lets the daemon begin.
    pub fn attach_device(
        &mut self,
        net: &Namespaces,
        router: &str,
        address: Option<String>,
    ) -> Result<(), LabError> {
        let began = Instant::now();
        while !(self.folder.join("vici").exists() && net.has_device(&self.namespace, "ipsec0")) {
            if began.elapsed() > START || !self.daemon.runs() {
                let output = fs::read_to_string(self.folder.join("output")).unwrap_or_default();
                return Err(
                    self.trouble("start", format!("it does not come up: {}", output.trim()))
                );
            }
            sleep(Duration::from_millis(20));
        }
        let device = self.device();
        net.ip(
            &self.namespace,
            &format!("link set ipsec0 netns {} name {device}\n", net.full(router)),
        )?;
        let address = address.map_or_else(String::new, |address| {
            format!("addr add {address} dev {device}\n")
        });
        net.ip(
            router,
            &format!("{address}link set {device} mtu {MTU} up\n"),
        )?;
        // The daemon routes what it protects into a device of that name, and would look there for
        // its own packets too.
        net.ip(
            &self.namespace,
            "tuntap add dev ipsec0 mode tun\nlink set ipsec0 up\n",
        )?;
        net.ip_try(&self.namespace, "rule del pref 220\nrule del pref 220\n");
        let mut vici = self.vici("connect")?;
        charon::load(&mut vici, &self.setup)
            .map_err(|(command, error)| self.trouble(command, error.to_string()))
    }

    fn trouble(&self, command: &str, message: String) -> LabError {
        let end = format!("{} towards {}", self.setup.local, self.setup.remote);
        LabError::Ike {
            end,
            command: command.to_owned(),
            message,
        }
    }

    fn vici(&self, command: &str) -> Result<Vici, LabError> {
        Vici::connect(&self.folder.join("vici"))
            .map_err(|error| self.trouble(command, error.to_string()))
    }

    pub fn runs(&mut self) -> bool {
        self.daemon.runs()
    }

    pub fn established(&self) -> Result<Established, LabError> {
        let mut vici = self.vici("list-sas")?;
        charon::established(&mut vici).map_err(|error| self.trouble("list-sas", error.to_string()))
    }

    /// Initiates again after a rejected attempt. Both clouds retry until the peer accepts; strongSwan
    /// retries only while the peer does not respond. An endpoint whose DPD action is "clear" does
    /// not initiate again after it has lost an established tunnel.
    pub fn redial(&mut self) {
        if !self.setup.dials
            || self.setup.ike_proposals.is_empty()
            || self.dialled.elapsed() < REDIAL
        {
            return;
        }
        self.dialled = Instant::now();
        let (Ok(seen), Ok(mut vici)) = (self.established(), self.vici("initiate")) else {
            return;
        };
        self.was_up |= seen.child.is_some();
        let gave_up = self.was_up && self.setup.on_silence == "clear";
        if seen.child.is_none() && !seen.negotiating && !gave_up {
            // A refusal is in the daemon's log.
            let _ = charon::dial(&mut vici);
        }
    }

    pub fn rekey(&self, child: bool) -> Result<(), LabError> {
        let mut vici = self.vici("rekey")?;
        charon::rekey(&mut vici, child).map_err(|error| self.trouble("rekey", error.to_string()))
    }

    /// Renewals of the IKE association and of the child that this end has started.
    pub fn started_renewals(&self) -> (usize, usize) {
        let log = fs::read_to_string(self.folder.join("charon.log"));
        charon::started_renewals(&log.unwrap_or_default())
    }

    pub fn last_refusal(&self) -> Option<&'static str> {
        charon::last_refusal(
            &fs::read_to_string(self.folder.join("charon.log")).unwrap_or_default(),
        )
    }

    /// Takes away what an end that did not start has left in the namespaces.
    pub fn forget(net: &mut Namespaces, number: u32) {
        net.ip_try(INTERNET, &format!("rule del pref {}\n", RULES + number));
        net.remove(&format!("ike{number}"));
    }

    /// Ends the daemon, with which its device goes, and takes the end off the internet.
    pub fn end(self, net: &mut Namespaces) {
        drop(self.daemon);
        IkeEndpoint::forget(net, self.number);
        // Files that are no longer read.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
