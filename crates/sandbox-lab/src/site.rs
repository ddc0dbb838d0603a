//! What stands behind the tunnels of one gateway: its BGP speakers, its network, a host.
//!
//! | gateway | namespaces |
//! |---|---|
//! | AWS | the gateway; a host in the VPC |
//! | Azure | an instance each; the VNet's router; a host in the VNet |

use crate::LabError;
use crate::bird;
use crate::daemon::Daemon;
use crate::namespace::Namespaces;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a speaker may take until it answers.
const START: Duration = Duration::from_secs(10);
/// Within an Azure gateway: instances at .4 and .5, the network's router at .254. No other network
/// of a lab is near.
pub(super) const FABRIC_ROUTER: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 254);

pub(super) fn fabric_address(instance: usize) -> Ipv4Addr {
    Ipv4Addr::new(
        100,
        64,
        0,
        u8::try_from(instance).unwrap_or_default().saturating_add(4),
    )
}

/// A router id that no other speaker has.
pub(super) fn router_id(site: u32, instance: usize) -> Ipv4Addr {
    let base = u32::from(Ipv4Addr::new(100, 65, 0, 1));
    Ipv4Addr::from(
        base.wrapping_add(site * 8)
            .wrapping_add(u32::try_from(instance).unwrap_or_default()),
    )
}

/// A namespace that forwards, with a BGP speaker in it.
#[derive(Debug)]
pub(super) struct Router {
    pub name: String,
    folder: PathBuf,
    speaker: Option<Daemon>,
    configured: String,
}

impl Router {
    fn add(net: &mut Namespaces, folder: &Path, name: String) -> Result<Router, LabError> {
        net.add(&name, true)?;
        Ok(Router {
            folder: folder.to_owned(),
            name,
            speaker: None,
            configured: String::new(),
        })
    }

    fn socket(&self) -> PathBuf {
        self.folder.join(format!("{}.ctl", self.name))
    }

    /// Starts the speaker with that configuration, or has it take it over.
    pub fn configure(&mut self, net: &Namespaces, text: String) -> Result<(), LabError> {
        let running = self.speaker.as_mut().is_some_and(Daemon::runs);
        if running && self.configured == text {
            return Ok(());
        }
        let file = self.folder.join(format!("{}.conf", self.name));
        fs::write(&file, &text).map_err(|error| LabError::Io(file.clone(), error))?;
        if running {
            bird::reconfigure(&self.socket(), &self.name)?;
        } else {
            let _ = fs::remove_file(self.socket());
            let mut command = net.command(&self.name, "bird");
            command
                .arg("-f")
                .arg("-c")
                .arg(&file)
                .arg("-s")
                .arg(self.socket());
            let output = self.folder.join(format!("{}.log", self.name));
            self.speaker = Some(Daemon::start(command, &output)?);
            let began = Instant::now();
            while self.ask("show status").is_err() {
                if began.elapsed() > START || !self.speaker.as_mut().is_some_and(Daemon::runs) {
                    self.speaker = None;
                    let said = fs::read_to_string(&output).unwrap_or_default();
                    return Err(LabError::Bgp {
                        speaker: self.name.clone(),
                        message: said.trim().to_owned(),
                    });
                }
                sleep(Duration::from_millis(20));
            }
        }
        self.configured = text;
        Ok(())
    }

    /// Kills the speaker. What it put into the kernel stays there.
    pub fn kill(&mut self) {
        self.speaker = None;
    }

    pub fn ask(&self, question: &str) -> Result<String, LabError> {
        let trouble = |error: std::io::Error| LabError::Bgp {
            speaker: self.name.clone(),
            message: error.to_string(),
        };
        bird::ask(&self.socket(), question).map_err(trouble)
    }

    pub fn is_running(&self) -> bool {
        self.speaker.is_some()
    }
}

/// A host in a namespace of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostSetup {
    pub namespace: String,
    pub range: Ipv4Net,
    pub address: Ipv4Addr,
}

/// Puts a host into the range, behind the router, or another in its place.
fn place_host(
    net: &mut Namespaces,
    router: &str,
    now: Option<HostSetup>,
    range: Option<Ipv4Net>,
) -> Result<Option<HostSetup>, LabError> {
    if now.as_ref().map(|host| host.range) == range {
        return Ok(now);
    }
    if let Some(old) = now {
        net.remove(&old.namespace);
    }
    let Some(range) = range else { return Ok(None) };
    let (Some(gateway), Some(address)) = (range.hosts().next(), range.hosts().nth(9)) else {
        return Ok(None);
    };
    let (namespace, length) = (format!("{router}host"), range.prefix_len());
    net.add(&namespace, false)?;
    net.ip(
        router,
        &format!(
            "link add name lan type veth peer name eth0 netns {}\naddr add {gateway}/{length} dev lan\nlink set lan up\n",
            net.full(&namespace)
        ),
    )?;
    net.ip(
        &namespace,
        &format!("addr add {address}/{length} dev eth0\nlink set eth0 up\nroute add default via {gateway}\n"),
    )?;
    Ok(Some(HostSetup {
        namespace,
        range,
        address,
    }))
}

/// A virtual private or transit gateway.
#[derive(Debug)]
pub(super) struct AwsSite {
    pub number: u32,
    pub router: Router,
    pub host: Option<HostSetup>,
}

impl AwsSite {
    pub fn add(net: &mut Namespaces, folder: &Path, number: u32) -> Result<AwsSite, LabError> {
        Ok(AwsSite {
            number,
            router: Router::add(net, folder, format!("vgw{number}"))?,
            host: None,
        })
    }

    /// The VPC's ranges are these.
    pub fn set_hosts(&mut self, net: &mut Namespaces, ranges: &[Ipv4Net]) -> Result<(), LabError> {
        self.host = place_host(
            net,
            &self.router.name,
            self.host.take(),
            ranges.first().copied(),
        )?;
        Ok(())
    }

    pub fn remove(mut self, net: &mut Namespaces) {
        self.router.kill();
        if let Some(host) = &self.host {
            net.remove(&host.namespace);
        }
        net.remove(&self.router.name);
    }
}

/// A virtual network gateway.
#[derive(Debug)]
pub(super) struct AzureSite {
    pub number: u32,
    pub instances: BTreeMap<usize, Router>,
    /// Only where the VNet has a range.
    pub network: Option<Router>,
    pub host: Option<HostSetup>,
    ranges: Vec<Ipv4Net>,
}

impl AzureSite {
    pub fn add(number: u32) -> AzureSite {
        AzureSite {
            number,
            instances: BTreeMap::new(),
            network: None,
            host: None,
            ranges: Vec::new(),
        }
    }

    /// These instances are there, and the VNet's ranges are these.
    pub fn set_hosts(
        &mut self,
        net: &mut Namespaces,
        folder: &Path,
        instances: &[usize],
        ranges: &[Ipv4Net],
    ) -> Result<(), LabError> {
        let number = self.number;
        if self.network.is_none() && !ranges.is_empty() {
            let router = Router::add(net, folder, format!("vnet{number}"))?;
            net.ip(
                &router.name,
                &format!("link add br0 type bridge\naddr add {FABRIC_ROUTER}/24 dev br0\nlink set br0 up\n"),
            )?;
            for (instance, own) in &self.instances {
                connect(net, &own.name, &router.name, *instance)?;
            }
            self.network = Some(router);
        }
        for instance in instances {
            if !self.instances.contains_key(instance) {
                let own = Router::add(net, folder, format!("gw{number}i{instance}"))?;
                if let Some(network) = &self.network {
                    connect(net, &own.name, &network.name, *instance)?;
                }
                let routes: String = self
                    .ranges
                    .iter()
                    .map(|range| inward("replace", range))
                    .collect();
                net.ip(&own.name, &routes)?;
                self.instances.insert(*instance, own);
            }
        }
        if let Some(network) = &self.network {
            let gone = self
                .ranges
                .iter()
                .filter(|range| !ranges.contains(range))
                .map(|range| inward("del", range));
            let lines: String = gone
                .chain(ranges.iter().map(|range| inward("replace", range)))
                .collect();
            if self.ranges != ranges {
                for own in self.instances.values() {
                    net.ip_try(&own.name, &lines);
                }
                self.ranges = ranges.to_vec();
            }
            self.host = place_host(
                net,
                &network.name,
                self.host.take(),
                ranges.first().copied(),
            )?;
        }
        Ok(())
    }

    pub fn remove(self, net: &mut Namespaces) {
        if let Some(host) = &self.host {
            net.remove(&host.namespace);
        }
        for mut router in self.instances.into_values().chain(self.network) {
            router.kill();
            net.remove(&router.name);
        }
    }
}

/// From an instance into the VNet.
fn inward(verb: &str, range: &Ipv4Net) -> String {
    format!("route {verb} {range} via {FABRIC_ROUTER}\n")
}

fn connect(net: &Namespaces, instance: &str, network: &str, number: usize) -> Result<(), LabError> {
    let cable = format!("p{number}");
    net.ip(
        instance,
        &format!(
            "link add name fabric type veth peer name {cable} netns {}\naddr add {}/24 dev fabric\nlink set fabric up\n",
            net.full(network),
            fabric_address(number)
        ),
    )?;
    net.ip(network, &format!("link set {cable} master br0 up\n"))
}
