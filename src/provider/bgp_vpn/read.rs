//! Refreshes a state from both clouds.

use super::apply::{identity_of, timeout};
use super::engine::Engine;
use super::fixed::remember_arrived;
use super::follow::follow;
use super::plan::link_of;
use super::private::Private;
use super::recall::{Recall, is_unfinished};
use super::settle_options::inside_cidrs;
use super::spec::{Keys, Surroundings, search, spec};
use super::state::{complete, is_gone, managed, read_managed};
use super::unread::unread_keys;
use crate::link::interruptions::interruptions;
use crate::link::observed::Observed;
use crate::link::ownership::{Standing, placed, standing};
use crate::link::spec::Former;
use crate::link::tunnel::Instance;
use crate::plugin::{Diagnostic, ReadRequest, ReadResponse, Value};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Reads a link; null where nothing of it is left.
pub async fn read(engine: &dyn Engine, recall: &Recall, request: ReadRequest) -> ReadResponse {
    let mut private = Private::read(&request.private);
    let Some(search) = search(&request.state, &private, engine.subscription(), true) else {
        let warning = Diagnostic::warning("This link was not refreshed")
            .detail("Its state lacks the inside networks of the tunnels, by which they are told apart.");
        return request.unchanged(warning);
    };
    let limit = timeout(&request.state, "read", 10);
    let observed = match tokio::time::timeout(limit, engine.observe(&search, &request.cancel)).await {
        Ok(Ok(observed)) => observed,
        Ok(Err(diagnostics)) => return request.unchanged(diagnostics),
        Err(_) => {
            let error = Diagnostic::error("The clouds took too long").detail(format!(
                "This link was not read within {} seconds; timeouts.read sets the limit.",
                limit.as_secs()
            ));
            return request.unchanged(error);
        }
    };
    let managed = managed(&request.state, &observed, &read_managed(&request.state), &private, false);
    if is_gone(&request.state, &private, &managed, &observed) {
        return ReadResponse::default();
    }
    let mut state = request.state.clone();
    follow(&mut state, &observed);
    complete(&mut state, &observed, &managed);
    if private.origin.azure_gateway_given {
        private.former.extend(unknown_to(&state, &private, &observed));
    }
    let tag = link_of(&state, &private, engine.subscription());
    private.note_owned(tag.as_ref(), &observed, &managed);
    let former = Former { addresses: left_over(&mut private, &observed), ..Former::default() };
    let around = Surroundings {
        private: &private,
        subscription: engine.subscription(),
        default_tags: engine.default_tags(),
        keys: Keys::default(),
        former,
    };
    // An object that is missing shows as its id; a spec without one has no drift beside that.
    let spec = spec(&state, around);
    let drift = spec.as_ref().map(|spec| engine.drift(spec, &observed)).unwrap_or_default();
    private.note_static_routing(&observed);
    private.renews.clear();
    spec.iter().for_each(|spec| private.foresee(spec, &observed));
    let differing = spec.iter().filter(|_| !drift.is_empty());
    private.interrupts = differing.flat_map(|spec| interruptions(spec, &observed)).collect();
    let stuck = is_unfinished(&request.state) || standing(&observed) == Standing::Unfinished;
    if drift.is_empty() && !stuck && spec.is_ok() {
        remember_arrived(&mut private, &state);
    }
    state.set("drift", super::recall::drift(stuck, drift));
    let link = link_of(&state, &private, engine.subscription());
    if recall.is_outlived(&request.state, link.as_ref()) {
        // Terraform calls it deposed and would delete what the state of the finished link holds.
        return ReadResponse::default();
    }
    if let Some(link) = link.as_ref().filter(|_| stuck) {
        recall.unfinished(link);
    }
    link.iter().for_each(|link| recall.saw(link, &observed));
    recall.note(&state, link, Some(&private));
    let identity = identity_of(&state).or(request.identity);
    let diagnostics = unread_keys(&observed).into_iter().collect();
    ReadResponse { state, private: private.write(), identity, diagnostics, ..ReadResponse::default() }
}

/// What the marks say was put on somebody else's gateway and the state does not know: by a run that was killed.
fn unknown_to(state: &Value, private: &Private, observed: &Observed) -> BTreeSet<(usize, Ipv4Addr)> {
    let cidrs = inside_cidrs(state);
    let own: Vec<Ipv4Addr> = cidrs.iter().flat_map(|all| all.iter().map(|(_, cidr)| cidr.azure_ip())).collect();
    let customers = observed.aws.customer_gateways.iter().filter_map(|(at, customer)| Some((at, customer.as_ref()?)));
    let ours = customers.filter(|(_, customer)| private.link.as_ref().is_some_and(|link| link.is_on(&customer.tags)));
    let placed = ours.flat_map(|(at, customer)| placed(&customer.tags).map(move |ip| (at.index(), ip)));
    placed.filter(|(_, ip)| !own.contains(ip) && !private.origin.found.contains(ip)).collect()
}

/// Addresses that an update gave up and never took off the gateway: still to be done. Those that are off are forgotten.
fn left_over(private: &mut Private, observed: &Observed) -> BTreeSet<(Instance, Ipv4Addr)> {
    let mut left = BTreeSet::new();
    let Some(gateway) = &observed.azure.gateway else { return left };
    let settled = !gateway.resource.state.is_busy();
    private.former.retain(|(index, ip)| {
        let instance = Instance::ALL.into_iter().find(|instance| instance.index() == *index);
        let listed = gateway.instances.get(*index).is_some_and(|at| at.custom_bgp_ips.contains(ip));
        left.extend(instance.filter(|_| listed).map(|instance| (instance, *ip)));
        // While it is being changed a gateway shows no addresses at all.
        listed || !settled
    });
    left
}
