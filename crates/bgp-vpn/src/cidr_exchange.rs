//! Inside CIDRs that tunnels of one link take over from each other. EC2 rejects a CIDR that another
//! tunnel on the same gateway has, and Azure lists a BGP address on one gateway instance only, so
//! such a change goes in stages: each moves the tunnels whose new CIDR is free by then. Tunnels
//! that wait for each other in a ring take a spare CIDR first.

use super::inside_cidr::{InsideCidr, Slot};
use super::observed::Observed;
use super::spec::{AzureGateway, Spec};
use super::tunnel::{Instance, PerTunnel, TunnelKey};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What the tunnels have now; None for one that does not exist, or whose CIDR Azure would not
/// accept.
pub fn current(observed: &Observed) -> PerTunnel<Option<InsideCidr>> {
    PerTunnel::from_fn(|key| InsideCidr::check(observed.tunnel(key)?.inside_cidr?).ok())
}

/// What to look for a spare CIDR in.
#[derive(Clone, Copy, Debug)]
pub struct SpareAddresses<'a> {
    /// Those of the connections on the same AWS gateway.
    pub taken: &'a BTreeSet<InsideCidr>,
    /// BGP addresses that the Azure gateway lists or its connections name.
    pub listed: &'a BTreeSet<Ipv4Addr>,
}

/// The next stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All that is left can be done at once.
    Last,
    Next(PerTunnel<InsideCidr>),
    /// A ring, and no CIDR is free.
    NoSpare,
}

/// Whether a change of inside CIDRs has to go in stages.
pub fn is_needed(current: &PerTunnel<Option<InsideCidr>>, wanted: &PerTunnel<InsideCidr>) -> bool {
    TunnelKey::ALL
        .into_iter()
        .any(|key| is_blocked(current, wanted, key))
}

/// Whether another tunnel still has what this one is to get.
fn is_blocked(
    current: &PerTunnel<Option<InsideCidr>>,
    wanted: &PerTunnel<InsideCidr>,
    key: TunnelKey,
) -> bool {
    current
        .iter()
        .any(|(other, has)| other != key && *has == Some(*wanted.get(key)))
}

/// The CIDRs of the next stage on the way to what is wanted.
pub fn next(
    current: &PerTunnel<Option<InsideCidr>>,
    wanted: &PerTunnel<InsideCidr>,
    spares: SpareAddresses<'_>,
) -> Stage {
    if !is_needed(current, wanted) {
        return Stage::Last;
    }
    let mut free = free(current, wanted, spares);
    let moves = |key: TunnelKey| {
        *current.get(key) != Some(*wanted.get(key)) && !is_blocked(current, wanted, key)
    };
    // In a ring one tunnel steps aside.
    let aside = match TunnelKey::ALL.into_iter().any(moves) {
        true => None,
        false => TunnelKey::ALL
            .into_iter()
            .find(|key| is_blocked(current, wanted, *key)),
    };
    let mut stage = wanted.clone();
    for key in TunnelKey::ALL
        .into_iter()
        .filter(|key| is_blocked(current, wanted, *key))
    {
        let kept = (*current.get(key)).filter(|_| aside != Some(key));
        let Some(cidr) = kept.or_else(|| free.next()) else {
            return Stage::NoSpare;
        };
        *stage.get_mut(key) = cidr;
    }
    Stage::Next(stage)
}

/// CIDRs that nothing uses, from the last slot down, since new links take the first ones.
fn free<'a>(
    current: &'a PerTunnel<Option<InsideCidr>>,
    wanted: &'a PerTunnel<InsideCidr>,
    spares: SpareAddresses<'a>,
) -> impl Iterator<Item = InsideCidr> + 'a {
    let slots = (0..u64::from(Slot::COUNT)).rev().filter_map(Slot::new);
    let all = slots.flat_map(|slot| {
        slot.inside_cidrs()
            .iter()
            .map(|(_, cidr)| *cidr)
            .collect::<Vec<_>>()
    });
    all.filter(move |cidr| {
        !spares.taken.contains(cidr)
            && !spares.listed.contains(&cidr.azure_ip())
            && !current.iter().any(|(_, has)| has.as_ref() == Some(cidr))
            && !wanted.iter().any(|(_, has)| has == cidr)
    })
}

/// The spec of one stage, or of the last one. `spares`: addresses that earlier stages of this run
/// took for the time being.
pub fn staged(
    spec: &Spec,
    observed: &Observed,
    stage: PerTunnel<InsideCidr>,
    spares: &BTreeSet<(Instance, Ipv4Addr)>,
) -> Spec {
    let at = |cidrs: &PerTunnel<InsideCidr>| -> BTreeSet<(Instance, Ipv4Addr)> {
        cidrs
            .iter()
            .map(|(key, cidr)| (key.instance, cidr.azure_ip()))
            .collect()
    };
    let (now, wanted) = (at(&stage), at(&spec.inside_cidrs));
    let mut staged = spec.clone();
    let former = &mut staged.removals.addresses;
    former.extend(spares.iter().copied());
    former.extend(addresses_of_own_connections(spec, observed));
    former.retain(|place| {
        !now.contains(place)
            && !wanted.contains(place)
            && !spec.preexisting_addresses.contains(&place.1)
    });
    staged.inside_cidrs = stage;
    staged
}

/// On a gateway of this link: the addresses that its connections use for the tunnels as they are
/// now.
fn addresses_of_own_connections(
    spec: &Spec,
    observed: &Observed,
) -> BTreeSet<(Instance, Ipv4Addr)> {
    if matches!(spec.azure.gateway, AzureGateway::Existing(_)) {
        return BTreeSet::new();
    }
    let named = |key: TunnelKey| {
        let ip = InsideCidr::check(observed.tunnel(key)?.inside_cidr?)
            .ok()?
            .azure_ip();
        let at = &observed
            .azure
            .gateway_instance(key.instance)?
            .ip_configuration_id;
        let connection = observed.azure.connections.get(key).as_ref()?;
        connection
            .custom_bgp_ips
            .iter()
            .any(|(id, own)| id == at && *own == ip)
            .then_some((key.instance, ip))
    };
    TunnelKey::ALL.into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    /// Every way in which four tunnels can have any of their own CIDRs, some other one, or none.
    #[test]
    fn every_exchange_ends_without_duplicate_cidr() {
        let wanted = Slot::default().inside_cidrs();
        let foreign = Slot::new(31).unwrap().inside_cidrs();
        let taken: BTreeSet<InsideCidr> = foreign.iter().map(|(_, cidr)| *cidr).collect();
        let listed = BTreeSet::from([Slot::new(30)
            .unwrap()
            .inside_cidrs()
            .get(TunnelKey::ALL[0])
            .azure_ip()]);
        let mut choices: Vec<Option<InsideCidr>> =
            wanted.iter().map(|(_, cidr)| Some(*cidr)).collect();
        choices.extend([
            None,
            Some(*Slot::new(5).unwrap().inside_cidrs().get(TunnelKey::ALL[0])),
        ]);
        let (mut exchanges, mut longest) = (0, 0);
        for mix in 0..choices.len().pow(4) {
            let pick = |at: usize| {
                choices
                    .get(mix / choices.len().pow(u32::try_from(at).unwrap()) % choices.len())
                    .unwrap()
            };
            let mut has = PerTunnel::from_fn(|key| *pick(key.index()));
            let given: Vec<InsideCidr> = has.iter().filter_map(|(_, cidr)| *cidr).collect();
            if given.iter().collect::<BTreeSet<_>>().len() < given.len() {
                continue;
            }
            let mut stages = 0;
            while let Stage::Next(stage) = next(
                &has,
                &wanted,
                SpareAddresses {
                    taken: &taken,
                    listed: &listed,
                },
            ) {
                stages += 1;
                assert!(stages < 8, "{has:?}");
                for (key, cidr) in stage.iter() {
                    let used = has
                        .iter()
                        .any(|(other, has)| other != key && *has == Some(*cidr));
                    assert!(
                        !used && !taken.contains(cidr) && !listed.contains(&cidr.azure_ip()),
                        "{key} {cidr}"
                    );
                }
                let all: BTreeSet<_> = stage.iter().map(|(_, cidr)| *cidr).collect();
                assert_eq!(all.len(), 4);
                has = stage.map(|_, cidr| Some(*cidr));
            }
            assert!(!is_needed(&has, &wanted));
            exchanges += usize::from(stages > 0);
            longest = longest.max(stages);
        }
        assert!(exchanges > 200 && longest >= 4, "{exchanges} {longest}");
    }

    #[test]
    fn report_cyclic_exchange_without_spare_cidr() {
        let wanted = Slot::default().inside_cidrs();
        let [one, two, ..] = TunnelKey::ALL;
        let mut has = wanted.map(|_, cidr| Some(*cidr));
        (*has.get_mut(one), *has.get_mut(two)) = (Some(*wanted.get(two)), Some(*wanted.get(one)));
        let all = (0..32).filter_map(Slot::new).flat_map(|slot| {
            slot.inside_cidrs()
                .iter()
                .map(|(_, c)| *c)
                .collect::<Vec<_>>()
        });
        let (taken, listed) = (all.collect(), BTreeSet::new());
        assert_eq!(
            next(
                &has,
                &wanted,
                SpareAddresses {
                    taken: &taken,
                    listed: &listed
                }
            ),
            Stage::NoSpare
        );
    }
}
