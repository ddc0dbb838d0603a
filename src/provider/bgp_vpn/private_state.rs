//! What is stored in addition to the state: what was last applied or imported, so that an outside
//! edit can be distinguished from a setting that is not configured. Never a key.

use super::attribute_paths::value_path;
use super::attributes::remembered_paths;
use super::kept::Kept;
use bgp_vpn::config::AttributeId;
use bgp_vpn::lookup::InterruptedMove;
use bgp_vpn::lost_tags::{taggable_objects, tagged_objects};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::plan::{changed_kinds, recreated_objects};
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::Instance;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use terraform_plugin::{AttributePath, Value, json};

/// Where the two gateways come from, and what the preflight found that this link must never treat as
/// its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The Azure gateway was named by id, not made.
    #[serde(rename = "azure_gateway_given")]
    pub azure_gateway_is_existing: bool,
    /// The VPN gateway was named by id, not made.
    #[serde(rename = "uses_existing_vpn_gateway")]
    pub vpn_gateway_is_existing: bool,
    /// The gateway subnet of an existing VNet was made by this link.
    #[serde(rename = "makes_gateway_subnet")]
    pub creates_gateway_subnet: bool,
    /// Route tables that received routes from the existing VPN gateway before.
    #[serde(rename = "propagated_before")]
    pub preexisting_propagation: Vec<String>,
    /// Of this link's addresses, those that the existing Azure gateway listed before.
    #[serde(rename = "found")]
    pub preexisting_addresses: BTreeSet<Ipv4Addr>,
}

/// An AWS side that neither the state nor, after the move is taken back, the configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoredMove {
    /// As the ownership tag has it.
    pub endpoint: String,
    /// Ids by kind, as in `managed`.
    objects: BTreeMap<String, BTreeSet<String>>,
}

impl StoredMove {
    pub fn of(found: &InterruptedMove) -> Self {
        let objects = found.objects.0.iter();
        StoredMove {
            endpoint: found.endpoint.to_string(),
            objects: objects
                .map(|(kind, ids)| (kind.to_string(), ids.clone()))
                .collect(),
        }
    }

    pub fn objects(&self) -> Managed {
        read_kinds(&self.objects)
    }

    /// The entry in `drift`.
    pub fn drift(&self) -> String {
        let ids: Vec<&str> = self
            .objects
            .values()
            .flatten()
            .map(String::as_str)
            .collect();
        format!(
            "a move to {} did not finish and left {}",
            self.endpoint,
            ids.join(", ")
        )
    }
}

/// The private bytes, read.
#[derive(Clone, Debug, Default)]
pub struct PrivateState {
    /// Settings as last applied or imported; null where nothing is remembered.
    pub applied: Value,
    pub provenance: Provenance,
    /// Value of the ownership tag.
    pub link: Option<LinkId>,
    /// Ids of what the link had that this plan replaces: gone by the time of the create.
    pub replaced_ids: Vec<String>,
    /// Of a plan: what the replacement deletes, if Terraform makes it one.
    pub removes: Managed,
    /// Of the plan of a create: the Azure gateway of the link that is replaced or finished, where
    /// the configuration names it.
    pub own_gateway: Option<String>,
    /// Of a plan: the attribute for which the delete half of a replacement must not begin.
    pub unrepeatable: Option<String>,
    /// Whether plan has seen all surroundings that matter.
    pub preflight_complete: bool,
    /// Addresses on the Azure gateway, by instance, that an update gave up and has not taken off
    /// yet.
    pub pending_removals: BTreeSet<(usize, Ipv4Addr)>,
    /// Customer gateways and VPN connections that the next apply recreates by what was last read,
    /// by instance and kind.
    pub recreates: BTreeSet<(usize, String)>,
    /// Kinds of objects of which the next apply creates or deletes some by what was last read; None
    /// where that is not known.
    pub changed_kinds: Option<BTreeSet<Kind>>,
    /// Of a plan: what looks like a replacement finishes a link whose create never ended.
    pub resumes_incomplete: bool,
    /// Imported and not applied since: naming what only configuration knows is no change yet.
    pub imported: bool,
    /// The route tables were configured when last applied: one of them that is deleted is missed,
    /// not replaced.
    pub names_route_tables: bool,
    /// VPN connections that route statically, as last read.
    pub static_routed: BTreeSet<String>,
    /// Objects that carried the ownership tags when they were last seen (`lost_tags`).
    pub owned: BTreeSet<String>,
    /// What the repair of that which was last read to differ interrupts, in words.
    pub interrupts: Vec<String>,
    /// What moves to other AWS sides left behind that did not finish, as last read.
    pub interrupted_moves: Vec<StoredMove>,
    /// Of a plan: what it deletes was announced, and the plan of the create half need not say it
    /// again.
    pub announced: bool,
    /// Of a plan: the ownership tag's value of the link that it replaces.
    pub replaced: Option<LinkId>,
    /// Of a plan: what the replacement keeps.
    pub keeps: Option<Kept>,
    /// Of a plan: the identity under which this process holds what the link takes.
    pub holder: Option<String>,
    /// Of a plan: the bytes that belong to the state before it. A run that fails early leaves that
    /// state, and the delete half of a replacement takes down what it names, while the rest of this
    /// is about the link that is planned.
    pub before: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct PrivateStateJson {
    version: u32,
    applied: Json,
    #[serde(rename = "origin")]
    provenance: Provenance,
    link: Option<String>,
    #[serde(rename = "replaces")]
    replaced_ids: Vec<String>,
    removes: BTreeMap<String, BTreeSet<String>>,
    own_gateway: Option<String>,
    unrepeatable: Option<String>,
    #[serde(rename = "surveyed")]
    preflight_complete: bool,
    #[serde(rename = "former")]
    pending_removals: BTreeSet<(usize, Ipv4Addr)>,
    #[serde(rename = "renews")]
    recreates: BTreeSet<(usize, String)>,
    changed_kinds: Option<BTreeSet<String>>,
    #[serde(rename = "finishes")]
    resumes_incomplete: bool,
    imported: bool,
    names_route_tables: bool,
    static_routed: BTreeSet<String>,
    owned: BTreeSet<String>,
    interrupts: Vec<String>,
    interrupted_moves: Vec<StoredMove>,
    announced: bool,
    replaced: Option<String>,
    keeps: Option<Kept>,
    holder: Option<String>,
    before: Option<String>,
}

impl Default for PrivateStateJson {
    fn default() -> Self {
        PrivateStateJson {
            version: 1,
            applied: Json::Null,
            provenance: Provenance::default(),
            link: None,
            replaced_ids: Vec::new(),
            removes: BTreeMap::new(),
            own_gateway: None,
            unrepeatable: None,
            preflight_complete: false,
            pending_removals: BTreeSet::new(),
            recreates: BTreeSet::new(),
            changed_kinds: None,
            resumes_incomplete: false,
            imported: false,
            names_route_tables: false,
            static_routed: BTreeSet::new(),
            owned: BTreeSet::new(),
            interrupts: Vec::new(),
            interrupted_moves: Vec::new(),
            announced: false,
            replaced: None,
            keeps: None,
            holder: None,
            before: None,
        }
    }
}

impl PrivateState {
    /// What belongs to the state before a plan.
    pub fn of_state(&self) -> PrivateState {
        self.before.as_ref().map_or_else(
            || self.clone(),
            |bytes| PrivateState::read(bytes.as_bytes()),
        )
    }

    /// Remembers what belongs to the state before this plan.
    pub fn remember_before(&mut self, before: &PrivateState) {
        let before = PrivateState {
            before: None,
            ..before.clone()
        };
        self.before = String::from_utf8(before.write()).ok();
    }

    /// Reads private bytes. What cannot be read counts as nothing remembered: the state then says
    /// what was applied.
    pub fn read(bytes: &[u8]) -> Self {
        let stored: PrivateStateJson = serde_json::from_slice(bytes).unwrap_or_default();
        let ty = super::schema::value_type();
        let applied = serde_json::to_vec(&stored.applied)
            .ok()
            .and_then(|text| json::decode(ty, &text).ok());
        PrivateState {
            applied: applied.unwrap_or_default(),
            provenance: stored.provenance,
            link: stored.link.as_deref().map(LinkId::from_tag),
            replaced_ids: stored.replaced_ids,
            removes: read_kinds(&stored.removes),
            own_gateway: stored.own_gateway,
            unrepeatable: stored.unrepeatable,
            preflight_complete: stored.preflight_complete,
            pending_removals: stored.pending_removals,
            recreates: stored.recreates,
            changed_kinds: stored.changed_kinds.as_ref().map(|kinds| {
                Kind::ALL
                    .into_iter()
                    .filter(|kind| kinds.contains(kind.as_str()))
                    .collect()
            }),
            resumes_incomplete: stored.resumes_incomplete,
            imported: stored.imported,
            names_route_tables: stored.names_route_tables,
            static_routed: stored.static_routed,
            owned: stored.owned,
            interrupts: stored.interrupts,
            interrupted_moves: stored.interrupted_moves,
            announced: stored.announced,
            replaced: stored.replaced.as_deref().map(LinkId::from_tag),
            keeps: stored.keeps,
            holder: stored.holder,
            before: stored.before,
        }
    }

    pub fn write(&self) -> Vec<u8> {
        let stored = PrivateStateJson {
            version: 1,
            applied: to_json(&self.applied),
            provenance: self.provenance.clone(),
            link: self.link.as_ref().map(ToString::to_string),
            replaced_ids: self.replaced_ids.clone(),
            removes: self
                .removes
                .0
                .iter()
                .map(|(kind, ids)| (kind.to_string(), ids.clone()))
                .collect(),
            own_gateway: self.own_gateway.clone(),
            unrepeatable: self.unrepeatable.clone(),
            preflight_complete: self.preflight_complete,
            pending_removals: self.pending_removals.clone(),
            recreates: self.recreates.clone(),
            changed_kinds: self
                .changed_kinds
                .as_ref()
                .map(|kinds| kinds.iter().map(ToString::to_string).collect()),
            resumes_incomplete: self.resumes_incomplete,
            imported: self.imported,
            names_route_tables: self.names_route_tables,
            static_routed: self.static_routed.clone(),
            owned: self.owned.clone(),
            interrupts: self.interrupts.clone(),
            interrupted_moves: self.interrupted_moves.clone(),
            announced: self.announced,
            replaced: self.replaced.as_ref().map(ToString::to_string),
            keeps: self.keeps.clone(),
            holder: self.holder.clone(),
            before: self.before.clone(),
        };
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// Remembers what the next apply recreates, creates and deletes, by the last read.
    pub fn record_repair(&mut self, spec: &Spec, observed: &Observed) {
        self.recreates = recreated_objects(spec, observed)
            .map(|(instance, kind)| (instance.index(), kind.to_string()))
            .collect();
        self.changed_kinds = changed_kinds(spec, observed);
    }

    /// Remembers which objects carry the ownership tags. One that lost them is remembered as long
    /// as it is `managed`.
    pub fn record_owned(&mut self, link: Option<&LinkId>, observed: &Observed, managed: &Managed) {
        let there: BTreeSet<String> = taggable_objects(observed)
            .iter()
            .map(|object| object.place.key())
            .collect();
        let is_managed = |key: &String| {
            there.contains(key)
                || managed
                    .0
                    .values()
                    .flatten()
                    .any(|id| id.eq_ignore_ascii_case(key))
        };
        self.owned.retain(is_managed);
        self.owned.extend(
            link.into_iter()
                .flat_map(|link| tagged_objects(observed, link)),
        );
    }

    /// Whether an apply recreates that part of an instance, by what was last read.
    pub fn will_recreate(&self, instance: Instance, kind: Kind) -> bool {
        self.recreates
            .contains(&(instance.index(), kind.to_string()))
    }

    /// Remembers the settings of a state or plan.
    pub fn record_applied(&mut self, state: &Value) {
        for path in remembered_paths().map(AttributePath::from) {
            let value = state.at(&path).clone();
            if value.is_wholly_known() {
                self.applied.set_at(&path, value);
            }
        }
    }

    /// Forgets the settings that a state leaves unknown: what was applied before belongs to objects
    /// that are gone.
    pub fn forget_unknown(&mut self, state: &Value) {
        for path in remembered_paths().map(AttributePath::from) {
            if !state.at(&path).is_wholly_known() {
                self.applied.set_at(&path, Value::Null);
            }
        }
    }

    /// Forgets what only a plan needs.
    pub fn forget_plan(&mut self) {
        self.replaced_ids.clear();
        self.interrupted_moves.clear();
        self.removes = Managed::default();
        (self.own_gateway, self.unrepeatable, self.holder) = (None, None, None);
        (self.replaced, self.keeps, self.before) = (None, None, None);
        (
            self.preflight_complete,
            self.resumes_incomplete,
            self.announced,
        ) = (false, false, false);
    }

    /// Whether an id is that of the gateway of the link which is replaced or finished.
    pub fn is_own_gateway(&self, id: &str) -> bool {
        let own = self.own_gateway.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(id))
    }

    /// The setting that counts where nothing is configured: as last applied, else as the state has
    /// it.
    pub fn last_applied<'a>(&'a self, state: &'a Value, path: &AttributePath) -> &'a Value {
        let applied = self.applied.at(path);
        // A policy counts as one value: the fields of cloud_default are null.
        let policy = value_path(&AttributeId::IpsecPolicy);
        let is_policy =
            path.steps().first() == policy.steps().first() && self.applied.at(&policy).is_set();
        if applied.is_set() || is_policy {
            applied
        } else {
            state.at(path)
        }
    }
}

fn read_kinds(stored: &BTreeMap<String, BTreeSet<String>>) -> Managed {
    let ids = |kind: Kind| Some((kind, stored.get(kind.as_str())?.clone()));
    Managed(Kind::ALL.into_iter().filter_map(ids).collect())
}

/// JSON of a wholly known value; what is unknown becomes null.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown(_) => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => serde_json::from_str(&number.to_string()).unwrap_or(Json::Null),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(to_json).collect())
        }
        Value::Map(items) | Value::Object(items) => Json::Object(
            items
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)))
                .collect(),
        ),
        Value::Dynamic(typed) => to_json(&typed.value),
    }
}
