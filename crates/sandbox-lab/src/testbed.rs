//! The lab itself: the daemons follow the configuration of the two clouds, end by end, and report
//! their status.

use crate::LabError;
use crate::charon::Established;
use crate::ike_endpoint::{INTERNET, IkeEndpoint, RoutedBy};
use crate::namespace::Namespaces;
use crate::site::{
    AwsSite, AzureSite, FABRIC_ROUTER, HostSetup, Router, fabric_address, router_id,
};
use crate::topology::{EndpointConfig, EndpointId, is_stopped, running};
use crate::{aws_config, azure_config, bird};
use awsazure_sandbox::dataplane::{
    AwsEndpoint, AwsReport, AzureEndpoint, AzureReport, Host, LabFault, LabReport, Sa,
};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A socket's path has 107 characters; the lab's own part of it needs some of them.
const MAX_FOLDER_LENGTH: usize = 85;
/// Rules of the internet that lose packets stand before all others.
const LOSS: u32 = 100;
/// How long a renewal may take.
const REKEY: Duration = Duration::from_secs(4);

/// One of the two ends of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Aws,
    Azure,
}

/// What of a tunnel is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rekey {
    Ike,
    Child,
}

/// An end that runs.
#[derive(Debug)]
struct RunningEndpoint {
    config: EndpointConfig,
    ike: IkeEndpoint,
}

/// Everything that a lab has started. Dropping it ends that, and nothing else.
#[derive(Debug)]
pub struct Lab {
    // Daemons first: dropped first, while their namespaces are still there.
    endpoints: BTreeMap<EndpointId, RunningEndpoint>,
    vpn_gateways: BTreeMap<String, AwsSite>,
    gateways: BTreeMap<String, AzureSite>,
    net: Namespaces,
    folder: PathBuf,
    count: u32,
    lost: BTreeSet<Ipv4Addr>,
    faults: Vec<LabFault>,
    /// Lifetimes of keys are divided by it.
    time_divisor: u32,
}

impl Lab {
    /// An empty lab: the internet. The folder is made; daemons keep their configurations and logs
    /// there.
    pub fn start(folder: &Path) -> Result<Lab, LabError> {
        if folder.as_os_str().len() > MAX_FOLDER_LENGTH {
            return Err(LabError::Missing(format!(
                "a path shorter than {}",
                folder.display()
            )));
        }
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder);
        made.map_err(|error| LabError::Io(folder.to_owned(), error))?;
        let mut net = Namespaces::new();
        net.add(INTERNET, true)?;
        net.ip(INTERNET, "addr add 192.0.2.1/32 dev lo\n")?;
        Ok(Lab {
            endpoints: BTreeMap::new(),
            vpn_gateways: BTreeMap::new(),
            gateways: BTreeMap::new(),
            net,
            folder: folder.to_owned(),
            count: 0,
            lost: BTreeSet::new(),
            faults: Vec::new(),
            time_divisor: 1,
        })
    }

    /// Keys of endpoints that start from now on live that much shorter.
    pub fn divide_lifetimes_by(&mut self, divisor: u32) {
        self.time_divisor = divisor.max(1);
    }

    /// What the names of all its namespaces begin with.
    pub fn prefix(&self) -> &str {
        self.net.prefix()
    }

    /// Makes the daemons match the configuration of the clouds: ends that are new, changed, gone or
    /// dead are started, started again or ended; the others are not touched. Faults are injected or
    /// repaired. After an error, the next call continues from there.
    pub fn reconcile(
        &mut self,
        aws: &[AwsEndpoint],
        azure: &[AzureEndpoint],
        faults: &[LabFault],
    ) -> Result<(), LabError> {
        let wanted = running(aws, azure);
        let stale = self.endpoints.extract_if(.., |key, own| {
            let same = wanted
                .get(key)
                .is_some_and(|config| config.tunnel() == own.config.tunnel());
            !same || is_stopped(&own.config, faults) || !own.ike.runs()
        });
        for (_, own) in stale {
            own.ike.end(&mut self.net);
        }
        self.update_sites(&wanted)?;
        self.start_endpoints(&wanted, faults)?;
        self.endpoints.values_mut().for_each(|own| own.ike.redial());
        self.configure(&wanted, faults)?;
        self.drop_packets(aws, faults)
    }

    /// The gateways of the wanted ends stand, others do not.
    fn update_sites(
        &mut self,
        wanted: &BTreeMap<EndpointId, EndpointConfig>,
    ) -> Result<(), LabError> {
        let mut vpcs: BTreeMap<&str, &[Ipv4Net]> = BTreeMap::new();
        let mut vnets: BTreeMap<String, (Vec<usize>, &[Ipv4Net])> = BTreeMap::new();
        for config in wanted.values() {
            match config {
                EndpointConfig::Aws(end) => drop(vpcs.insert(&end.gateway_id, &end.announces)),
                EndpointConfig::Azure(end) => {
                    let vnet = vnets
                        .entry(end.gateway_id.to_lowercase())
                        .or_insert((Vec::new(), &end.announces));
                    vnet.0.push(end.instance);
                }
            }
        }
        for (_, site) in self
            .vpn_gateways
            .extract_if(.., |id, _| !vpcs.contains_key(id.as_str()))
        {
            site.remove(&mut self.net);
        }
        for (_, site) in self
            .gateways
            .extract_if(.., |id, _| !vnets.contains_key(id))
        {
            site.remove(&mut self.net);
        }
        for (id, ranges) in vpcs {
            if !self.vpn_gateways.contains_key(id) {
                self.count += 1;
                let site = AwsSite::add(&mut self.net, &self.folder, self.count)?;
                self.vpn_gateways.insert(id.to_owned(), site);
            }
            if let Some(site) = self.vpn_gateways.get_mut(id) {
                site.set_hosts(&mut self.net, ranges)?;
            }
        }
        for (id, (instances, ranges)) in vnets {
            let count = &mut self.count;
            let site = self.gateways.entry(id).or_insert_with(|| {
                *count += 1;
                AzureSite::add(*count)
            });
            site.set_hosts(&mut self.net, &self.folder, &instances, ranges)?;
        }
        Ok(())
    }

    fn start_endpoints(
        &mut self,
        wanted: &BTreeMap<EndpointId, EndpointConfig>,
        faults: &[LabFault],
    ) -> Result<(), LabError> {
        let (mut started, mut trouble) = (Vec::new(), None);
        // Azure's first: a peer that is there when it is dialled is not dialled twice.
        for (key, config) in wanted
            .iter()
            .rev()
            .filter(|(_, config)| !is_stopped(config, faults))
        {
            if let Some(own) = self.endpoints.get_mut(key) {
                own.config = config.clone();
                continue;
            }
            let (mut setup, routed_by) = match config {
                EndpointConfig::Aws(end) => (aws_config::setup(end), RoutedBy::ByAddress),
                EndpointConfig::Azure(end) => (azure_config::setup(end), RoutedBy::ByPeer),
            };
            setup.ike = setup.ike.divided_by(self.time_divisor);
            setup.child = setup.child.divided_by(self.time_divisor);
            self.count += 1;
            match IkeEndpoint::start(&mut self.net, &self.folder, self.count, setup, routed_by) {
                Ok(ike) => started.push((key, config, ike)),
                Err(error) => {
                    IkeEndpoint::forget(&mut self.net, self.count);
                    trouble = Some(error);
                    break;
                }
            }
        }
        for (key, config, mut ike) in started {
            let socket = self.device_of(config).filter(|_| trouble.is_none());
            match socket.map(|(router, address)| ike.attach_device(&self.net, &router, address)) {
                Some(Ok(())) => drop(self.endpoints.insert(
                    key.clone(),
                    RunningEndpoint {
                        config: config.clone(),
                        ike,
                    },
                )),
                failed => {
                    ike.end(&mut self.net);
                    trouble = trouble.or(failed.and_then(Result::err));
                }
            }
        }
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        // The first daemon at the address of an instance receives the packets of unknown peers.
        let unknown_peers: BTreeMap<Ipv4Addr, String> = self
            .endpoints
            .values()
            .rev()
            .filter_map(|own| match &own.config {
                EndpointConfig::Azure(end) => {
                    Some((end.public_ip, own.ike.route_for_unknown_peers()?))
                }
                EndpointConfig::Aws(_) => None,
            })
            .collect();
        self.net
            .ip(INTERNET, &unknown_peers.into_values().collect::<String>())
    }

    /// The router that an end's tunnel ends in, and the address of the tunnel there.
    fn device_of(&self, config: &EndpointConfig) -> Option<(String, Option<String>)> {
        match config {
            EndpointConfig::Aws(end) => {
                let own = end.inside_cidr.hosts().next();
                let address = own.map(|own| format!("{own}/{}", end.inside_cidr.prefix_len()));
                Some((
                    self.vpn_gateways.get(&end.gateway_id)?.router.name.clone(),
                    address,
                ))
            }
            EndpointConfig::Azure(end) => {
                let site = self.gateways.get(&end.gateway_id.to_lowercase())?;
                let address = end
                    .bgp_ip
                    .zip(end.peer_bgp_ip)
                    .map(|(own, peer)| format!("{own} peer {peer}"));
                Some((site.instances.get(&end.instance)?.name.clone(), address))
            }
        }
    }

    fn configure(
        &mut self,
        wanted: &BTreeMap<EndpointId, EndpointConfig>,
        faults: &[LabFault],
    ) -> Result<(), LabError> {
        let devices: Vec<(String, &EndpointConfig)> = self
            .endpoints
            .values()
            .map(|own| (own.ike.device(), &own.config))
            .collect();
        for (id, site) in &mut self.vpn_gateways {
            let endpoints: Vec<(&str, &AwsEndpoint)> = (devices.iter())
                .filter_map(|(device, config)| match config {
                    EndpointConfig::Aws(end) if end.gateway_id == *id => {
                        Some((device.as_str(), end))
                    }
                    _ => None,
                })
                .collect();
            site.router.configure(
                &self.net,
                bird::vpn_gateway(router_id(site.number, 0), &endpoints),
            )?;
        }
        for (id, site) in &mut self.gateways {
            let own = |config: &EndpointConfig, instance: usize| match config {
                EndpointConfig::Azure(end) => {
                    end.instance == instance && end.gateway_id.eq_ignore_ascii_case(id)
                }
                EndpointConfig::Aws(_) => false,
            };
            for (instance, router) in &mut site.instances {
                if wanted
                    .values()
                    .any(|config| own(config, *instance) && is_stopped(config, faults))
                {
                    router.kill();
                    continue;
                }
                let endpoints: Vec<(&str, &AzureEndpoint)> = (devices.iter())
                    .filter(|(_, config)| own(config, *instance))
                    .filter_map(|(device, config)| match config {
                        EndpointConfig::Azure(end) => Some((device.as_str(), end)),
                        EndpointConfig::Aws(_) => None,
                    })
                    .collect();
                let fabric = site
                    .network
                    .as_ref()
                    .map(|_| (fabric_address(*instance), FABRIC_ROUTER));
                let text = bird::instance(router_id(site.number, *instance), &endpoints, fabric);
                router.configure(&self.net, text)?;
            }
            let asn = wanted.values().find_map(|config| match config {
                EndpointConfig::Azure(end) if end.gateway_id.eq_ignore_ascii_case(id) => {
                    Some(end.asn)
                }
                _ => None,
            });
            if let (Some(network), Some(asn)) = (&mut site.network, asn) {
                let instances: Vec<Ipv4Addr> = site
                    .instances
                    .keys()
                    .map(|instance| fabric_address(*instance))
                    .collect();
                network.configure(&self.net, bird::network(FABRIC_ROUTER, asn, &instances))?;
            }
        }
        Ok(())
    }

    /// The internet loses the packets of the damaged tunnels, and of no others.
    fn drop_packets(&mut self, aws: &[AwsEndpoint], faults: &[LabFault]) -> Result<(), LabError> {
        let hit = aws
            .iter()
            .filter(|end| faults.iter().any(|fault| fault.affects_aws(end)));
        let lost: BTreeSet<Ipv4Addr> = hit.map(|end| end.outside_ip).collect();
        let rules = |verb: &str, ip: &Ipv4Addr| {
            format!(
                "rule {verb} from {ip} blackhole pref {LOSS}\nrule {verb} to {ip} blackhole pref {LOSS}\n"
            )
        };
        let gone = self.lost.difference(&lost).map(|ip| rules("del", ip));
        let lines: String = gone
            .chain(lost.difference(&self.lost).map(|ip| rules("add", ip)))
            .collect();
        if !lines.is_empty() {
            self.net.ip(INTERNET, &lines)?;
        }
        self.lost = lost;
        self.faults = faults.to_vec();
        Ok(())
    }

    /// What all daemons say now. One that does not answer has nothing to say.
    pub fn observe(&self) -> LabReport {
        let mut report = LabReport {
            lab: self.prefix().to_owned(),
            faults: self.faults.iter().map(ToString::to_string).collect(),
            ..LabReport::default()
        };
        let hosts = self.vpn_gateways.iter().map(|(id, site)| (id, &site.host));
        for (id, host) in hosts.chain(self.gateways.iter().map(|(id, site)| (id, &site.host))) {
            let Some(HostSetup {
                namespace, address, ..
            }) = host
            else {
                continue;
            };
            report.hosts.push(Host {
                gateway: id.clone(),
                namespace: self.net.full(namespace),
                address: *address,
            });
        }
        let mut answered: BTreeMap<&str, (BTreeMap<String, _>, Vec<bird::Learned>)> =
            BTreeMap::new();
        for router in self.routers().filter(|router| router.is_running()) {
            let sessions = router
                .ask("show protocols all")
                .map(|said| bird::sessions(&said))
                .unwrap_or_default();
            let routes = router
                .ask("show route all")
                .map(|said| bird::routes(&said))
                .unwrap_or_default();
            answered.insert(&router.name, (sessions, routes));
        }
        for own in self.endpoints.values() {
            let device = own.ike.device();
            let Some((router, _)) = self.device_of(&own.config) else {
                continue;
            };
            let (sessions, routes) = answered.get(router.as_str()).cloned().unwrap_or_default();
            let session = sessions.get(&device).cloned().unwrap_or_default();
            let routes: Vec<bird::Learned> = routes
                .into_iter()
                .filter(|route| route.protocol == device)
                .collect();
            let established = own.ike.established().unwrap_or_default();
            let trouble = if established.child.is_none() {
                own.ike.last_refusal()
            } else {
                None
            }
            .map(str::to_owned);
            let agreed = matches!(own.config, EndpointConfig::Aws(_))
                .then(|| agreed(&established))
                .flatten();
            let sa = established.child.as_ref().map(|child| {
                let bytes = |name| {
                    child
                        .get(name)
                        .and_then(|text| text.parse().ok())
                        .unwrap_or_default()
                };
                Sa {
                    agreed,
                    bytes_in: bytes("bytes-in"),
                    bytes_out: bytes("bytes-out"),
                }
            });
            match &own.config {
                EndpointConfig::Aws(end) => report.aws.push(AwsReport {
                    outside_ip: end.outside_ip,
                    inside_cidr: end.inside_cidr,
                    ike: established.ike.is_some(),
                    trouble,
                    sa,
                    session,
                    best: routes
                        .iter()
                        .filter(|route| route.primary)
                        .map(|route| route.route.network)
                        .collect(),
                    next_hop: routes.first().and_then(|route| route.route.next_hop),
                    routes: routes
                        .into_iter()
                        .map(|route| route.route.network)
                        .collect(),
                }),
                EndpointConfig::Azure(end) => report.azure.push(AzureReport {
                    connection_id: end.connection_id.clone(),
                    instance: end.instance,
                    public_ip: end.public_ip,
                    peer_ip: end.peer_ip,
                    trouble,
                    sa,
                    session,
                    routes: routes.into_iter().map(|route| route.route).collect(),
                }),
            }
        }
        report
    }

    /// Those to whom a link's tunnels lead.
    fn routers(&self) -> impl Iterator<Item = &Router> {
        let instances = self
            .gateways
            .values()
            .flat_map(|site| site.instances.values());
        self.vpn_gateways
            .values()
            .map(|site| &site.router)
            .chain(instances)
    }

    /// Has one side of these tunnels, named by AWS's outside address, renew them all at once.
    /// Gives, for each, whether that side has another security association afterwards.
    pub fn rekey(
        &self,
        tunnels: &[Ipv4Addr],
        side: Side,
        what: Rekey,
    ) -> Result<BTreeMap<Ipv4Addr, bool>, LabError> {
        let ids = |own: &RunningEndpoint| {
            let (ike, child) = own.ike.established().unwrap_or_default().ids();
            if what == Rekey::Ike { ike } else { child }
        };
        let endpoints: Vec<(Ipv4Addr, &RunningEndpoint)> = tunnels
            .iter()
            .filter_map(|tunnel| Some((*tunnel, self.end(*tunnel, side)?)))
            .collect();
        let before: Vec<Option<String>> = endpoints.iter().map(|(_, own)| ids(own)).collect();
        for (_, own) in &endpoints {
            own.ike.rekey(what == Rekey::Child)?;
        }
        let began = Instant::now();
        loop {
            let renewed: BTreeMap<Ipv4Addr, bool> = (endpoints.iter().zip(&before))
                .map(|((tunnel, own), before)| {
                    (
                        *tunnel,
                        ids(own).is_some_and(|now| Some(&now) != before.as_ref()),
                    )
                })
                .collect();
            if began.elapsed() > REKEY || renewed.values().all(|renewed| *renewed) {
                return Ok(renewed);
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// Renewals of a tunnel's IKE association and of its child that one side has started.
    pub fn started_renewals(&self, tunnel: Ipv4Addr, side: Side) -> Option<(usize, usize)> {
        Some(self.end(tunnel, side)?.ike.started_renewals())
    }

    fn end(&self, tunnel: Ipv4Addr, side: Side) -> Option<&RunningEndpoint> {
        let own = self.endpoints.get(&EndpointId::Aws(tunnel))?;
        let EndpointConfig::Aws(aws) = &own.config else {
            return None;
        };
        match side {
            Side::Aws => Some(own),
            Side::Azure => self.endpoints.values().find(|other| {
                matches!(&other.config, EndpointConfig::Azure(end) if end.public_ip == aws.peer_ip && end.peer_ip == tunnel)
            }),
        }
    }
}

fn agreed(established: &Established) -> Option<awsazure_sandbox::dataplane::Agreed> {
    aws_config::agreed(established.ike.as_ref()?, established.child.as_ref()?)
}
