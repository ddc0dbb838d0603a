//! Why a step failed.

use crate::link::action::{ActionTarget, Verb};
use crate::link::blockers::{BlockReason, Blocker};
use crate::link::tunnel::TunnelKey;
use crate::{aws, azure};

#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("{0}")]
    Aws(aws::Error),
    #[error("{0}")]
    Azure(azure::Error),
    /// Something that this step builds on is not there, although nothing said that it failed: look again.
    #[error("{0} is not there")]
    MissingDependency(String),
    /// The clouds did what they were asked, and still the tunnel is down.
    #[error(
        "the BGP session of {key} did not come up within {minutes} minutes: AWS says {aws}; Azure says {azure}. The link \
         itself is built. Look at both ends' tunnel logs, or set wait_for_bgp = false to finish without waiting"
    )]
    BgpSessionTimeout { key: TunnelKey, minutes: u64, aws: String, azure: String },
    /// Up again, but with fewer routes than before it was interrupted.
    #[error(
        "{key} is up again, but AWS accepts {has} routes over it instead of {had}, {minutes} minutes later. The tunnels after it \
         were not touched. Look at what Azure advertises, and apply again"
    )]
    RouteCountDropped { key: TunnelKey, had: u32, has: u32, minutes: u64 },
    /// A roll stops rather than taking down more.
    #[error(
        "{spared} was not touched: {}. With more interrupted beside it too little of the link would be left. Mend that first, \
         or wait until both clouds say that all are up, and apply again", why.join("; ")
    )]
    PeersNotReady { spared: ActionTarget, why: Vec<String> },
    #[error(
        "the steps that are left wait for each other. This is a bug in this provider: please report it with the plan"
    )]
    DependencyCycle,
    /// The action does not fit the run, its settings or what was decided about it.
    #[error(
        "{target} cannot be handled here ({verb:?}). This is a bug in this provider: please report it with the plan"
    )]
    Internal { target: ActionTarget, verb: Verb },
    #[error("no key for {0} can be read from either cloud: give one in preshared_keys_wo")]
    NoKey(TunnelKey),
    #[error("the operating system gave no random bytes for a key")]
    NoRandomness,
    /// EC2 hands back the gateway that it has for this address; it is left alone.
    #[error(
        "EC2 returned {id}, a customer gateway of the same address that this link did not create. It is not shared: set \
         another slot or gateway, or delete it if nothing uses it"
    )]
    ForeignCustomerGateway { id: String },
    /// The link is complete and in no state that Terraform showed: another state may hold it.
    #[error(
        "this link exists already, complete ({found}), and not in this state. If another state manages it, set another slot \
         (free slots: {free}) or another gateway. Only if no state manages it, import it: terraform import ADDRESS '{id}'"
    )]
    AlreadyExists { id: String, found: String, free: String },
    /// Another AWS side has this link's addresses on the same Azure gateway.
    #[error(
        "another link uses these inside CIDRs on the same Azure gateway: its AWS side is {endpoint} ({found}). Set another \
         slot. Free slots: {free}"
    )]
    SlotInUse { endpoint: String, found: String, free: String },
    /// The same, of a create that did not finish. No state names its objects.
    #[error(
        "a create with the AWS side {endpoint} did not finish on the same Azure gateway and inside CIDRs, and left {found}. If it \
         was a create of this link, restore its settings in the configuration and apply: that finishes it, and later applies can \
         change it. Or delete these objects. If it is another link, set another slot. Free slots: {free}"
    )]
    IncompleteCreate { endpoint: String, found: String, free: String },
    #[error(
        "the inside CIDR {cidr} is used by {found} on the same Azure gateway. Set another slot. Free slots: {free}"
    )]
    AddressInUse { cidr: String, found: String, free: String },
    #[error(
        "{id} exists and does not match this link. Set another name in azure.names or azure.virtual_network, or delete the \
         object. If an interrupted create with other settings left it, restore those settings and apply: that finishes the link"
    )]
    NameInUse { id: String },
    /// Two runs on one link would undo each other's work.
    #[error(
        "this link is half built, and somebody is still at it: {sign} while it was watched. Wait until that run has ended, \
         then apply again: it goes on from what is there"
    )]
    ConcurrentApply { sign: String },
    /// Found before the first delete, so that nothing was touched.
    #[error(
        "nothing was deleted, because objects that this link did not create are in the way:\n{}\n\nDelete or move these objects, \
         or remove the locks, and run the command again.{}",
        list_blockers(found),
        keep_gateway_advice(found)
    )]
    Blocked { found: Vec<Blocker> },
    /// AWS fixes the kind of routing for a connection's life.
    #[error(
        "{} use static routing (StaticRoutesOnly is true), and AWS cannot enable BGP on an existing VPN connection. No tunnel was \
         changed. Delete these connections and apply again: they are then created with dynamic routing", ids.join(" and ")
    )]
    StaticRouting { ids: Vec<String> },
    #[error(
        "the inside CIDRs of this link's tunnels are exchanged in a ring, which takes one spare CIDR for the time being, and every \
         CIDR from 169.254.21.0/30 to 169.254.22.252/30 is in use on the two gateways. Choose other inside_cidrs"
    )]
    NoSpareCidr,
    #[error(
        "azure.zones is empty, but {location} has availability zones, and the gateway requires public IPs in zones there. Remove \
         azure.zones, or name zones"
    )]
    ZonesRequired { location: String },
    /// The state names it, but it is not this link's, or not any more.
    #[error(
        "{id} was not deleted: it does not carry the tag awsazure:link = {tag} and does not belong to this link otherwise. If it \
         is this link's, restore the tag and apply again; if not, remove its id from the state or delete it by other means"
    )]
    NotOwned { id: String, tag: String },
    #[error("{kind} still holds {found}, which this link did not make")]
    NotEmpty { kind: &'static str, found: String },
    #[error("after a write the Azure gateway does not list {0}: somebody else is changing it")]
    AddressLost(String),
}

impl From<aws::Error> for ActionError {
    fn from(error: aws::Error) -> Self {
        ActionError::Aws(error)
    }
}

impl From<azure::Error> for ActionError {
    fn from(error: azure::Error) -> Self {
        ActionError::Azure(error)
    }
}

impl ActionError {
    /// Whether an object that exists already is in the way of a create.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            ActionError::ForeignCustomerGateway { .. }
                | ActionError::AlreadyExists { .. }
                | ActionError::SlotInUse { .. }
                | ActionError::IncompleteCreate { .. }
                | ActionError::AddressInUse { .. }
                | ActionError::NameInUse { .. }
                | ActionError::Azure(azure::Error::AlreadyExists(_))
        )
    }

    /// An action that nothing can have planned for this run.
    pub fn internal(target: ActionTarget, verb: Verb) -> Self {
        ActionError::Internal { target, verb }
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, ActionError::Aws(aws::Error::Cancelled(_)) | ActionError::Azure(azure::Error::Cancelled(_)))
    }

    /// Whether the user's deadline passed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, ActionError::Aws(aws::Error::TimedOut(_)) | ActionError::Azure(azure::Error::TimedOut(_)))
    }
}

fn list_blockers(found: &[Blocker]) -> String {
    let all: Vec<String> = found.iter().map(|blocker| format!("- {blocker}")).collect();
    all.join("\n")
}

/// How the creator of a gateway goes while other links use it.
fn keep_gateway_advice(found: &[Blocker]) -> &'static str {
    let of_gateway = |blocker: &Blocker| {
        blocker.reason == BlockReason::UsedBy
            && (blocker.held.starts_with("vgw-") || blocker.held.contains("/virtualNetworkGateways/"))
    };
    if found.iter().any(of_gateway) {
        " To remove this link while others use its gateway, set manage_gateways = false, apply, and destroy it then: the gateways \
         stay, and the networks around them."
    } else {
        ""
    }
}
