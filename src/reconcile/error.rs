//! Why an action failed.

use crate::client::Interrupted;
use crate::{aws, azure};
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::blockers::{BlockReason, Blocker};
use bgp_vpn::conflict::Conflict;
use bgp_vpn::mismatches::Mismatch;
use bgp_vpn::tunnel::TunnelKey;

#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    #[error("{0}")]
    Aws(aws::Error),
    #[error("{0}")]
    Azure(azure::Error),
    /// A wait between calls was cancelled, or the deadline passed.
    #[error("{0}")]
    Interrupted(Interrupted),
    /// An object that this action needs does not exist, although no action failed: observe again.
    #[error("{0} does not exist")]
    MissingDependency(String),
    /// All API calls succeeded, but the tunnel is down.
    #[error(
        "the BGP session of {key} did not come up within {minutes} minutes. AWS reports {aws}. Azure reports {azure}. {} All objects of \
         the link exist{}", describe_cause(mismatches), if mismatches.is_empty() {
            ". Check the tunnel logs of both clouds, or set wait_for_bgp = false to apply without waiting"
        } else {
            ". Apply again to correct these settings"
        }
    )]
    BgpSessionTimeout {
        key: TunnelKey,
        minutes: u64,
        aws: String,
        azure: String,
        /// Where the settings of the two clouds differ, as read when the time was over.
        mismatches: Vec<Mismatch>,
    },
    /// An object of the link disappeared while this run waited for its tunnel.
    #[error(
        "{id} was deleted outside of Terraform while this run waited for {awaited}. If it belongs to this link, \
         the next apply creates it again"
    )]
    DeletedOutside { id: String, awaited: String },
    /// The session is up, but no routes are exchanged that are expected.
    #[error(
        "tunnels without routes {minutes} minutes after their BGP sessions started: {}. {fault} All objects of the link exist. Apply again \
         once the routes are advertised, or set wait_for_bgp = false to apply without waiting",
        list_tunnels(tunnels)
    )]
    NoRoutes {
        key: TunnelKey,
        /// All tunnels without routes, this one included.
        tunnels: Vec<TunnelKey>,
        minutes: u64,
        fault: &'static str,
    },
    /// Up again, but with fewer routes than before it was interrupted.
    #[error(
        "{minutes} minutes after tunnel {key} came up again, AWS has accepted only {has} of its previous {had} routes. The remaining \
         tunnels were not updated. Check which routes Azure advertises, then apply again"
    )]
    RouteCountDropped {
        key: TunnelKey,
        had: u32,
        has: u32,
        minutes: u64,
    },
    /// A rotation stops instead of interrupting more tunnels.
    #[error(
        "{spared} was not updated, because other tunnels are down: {}. An update would interrupt more of the link. Bring these tunnels \
         up, or wait until both clouds report them as up, then apply again", why.join("; ")
    )]
    PeersNotReady {
        spared: ActionTarget,
        why: Vec<String>,
    },
    /// EC2 modifies the bandwidth of existing connections in some regions only (announced 2026-05;
    /// not in us-west-2).
    #[error("EC2 does not change the bandwidth of the VPN connection {id} in the region {region}")]
    FixedBandwidth { id: String, region: String },
    #[error(
        "the remaining actions have a circular dependency. This is a bug in the provider. Report it with the plan"
    )]
    DependencyCycle,
    /// The action does not fit the run, its settings or what was decided about it.
    #[error(
        "{target} cannot be handled in this run ({verb:?}). This is a bug in the provider. Report it with the plan"
    )]
    Internal { target: ActionTarget, verb: Verb },
    #[error(
        "neither cloud returns the pre-shared key of {0}. Set preshared_keys_wo.{0} and preshared_keys_wo_version, then apply again"
    )]
    NoKey(TunnelKey),
    #[error("the operating system returned no random bytes for a pre-shared key")]
    NoRandomness,
    /// EC2 returns the existing customer gateway of this address; it is not changed.
    #[error(
        "EC2 created no customer gateway, because {id} already has the same address, ASN and device name. This link did not create {id} \
         and cannot use it. Delete {id} if nothing uses it. Otherwise, set another slot, which changes the device name"
    )]
    ForeignCustomerGateway { id: String },
    /// Another link or object is in the place of the link that is created.
    #[error("{0}")]
    Conflict(Conflict),
    /// Two runs on one link would undo each other's changes.
    #[error(
        "another run is still creating this link ({sign}). Wait for it to end, then apply again: the apply continues from the objects \
         that exist"
    )]
    ConcurrentApply { sign: String },
    /// Found before the first delete, so that nothing was changed.
    #[error(
        "nothing was deleted, because objects that this link did not create block the deletion:\n{}\n\nDelete or move these objects, \
         or remove the locks, then run the command again.{}",
        list_blockers(found),
        keep_gateway_advice(found)
    )]
    Blocked { found: Vec<Blocker> },
    /// AWS does not change the routing type of a VPN connection.
    #[error(
        "{} use static routing (StaticRoutesOnly is true), and AWS cannot enable BGP on an existing VPN connection. No tunnel was \
         changed. Delete these connections, then apply again: the apply recreates them with dynamic routing", ids.join(" and ")
    )]
    StaticRouting { ids: Vec<String> },
    #[error(
        "the new inside_cidrs swap CIDRs between tunnels of this link. A swap needs one unused CIDR temporarily, but every CIDR from \
         169.254.21.0/30 to 169.254.22.252/30 is in use on the two gateways. Set inside_cidrs that do not swap existing CIDRs"
    )]
    NoSpareCidr,
    #[error(
        "azure.zones is empty, but the gateway requires zonal public IPs in {location}, which has availability zones. Remove azure.zones, \
         or set zones"
    )]
    ZonesRequired { location: String },
    /// The state names it, but it does not belong to this link, or no longer does.
    #[error(
        "{id} was not deleted, because it does not have the tag awsazure:link = {tag} and nothing else shows that it belongs to this \
         link. If it does, restore the tag and run the command again. Otherwise, run terraform state rm ADDRESS, then import the link again"
    )]
    NotOwned { id: String, tag: String },
    #[error(
        "{kind} was not deleted, because {found} uses it and this link did not create {found}. Delete or move {found}, then run the command again"
    )]
    NotEmpty { kind: &'static str, found: String },
    #[error(
        "{0} was added to the Azure gateway, but the gateway no longer lists it. Another process may be changing the gateway. Wait until it has finished, then apply again"
    )]
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

impl From<Interrupted> for ActionError {
    fn from(interrupted: Interrupted) -> Self {
        ActionError::Interrupted(interrupted)
    }
}

impl ActionError {
    /// Whether an existing object conflicts with a create.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            ActionError::ForeignCustomerGateway { .. }
                | ActionError::Conflict(_)
                | ActionError::Azure(azure::Error::AlreadyExists(_))
        )
    }

    /// An action that nothing can have planned for this run.
    pub fn internal(target: ActionTarget, verb: Verb) -> Self {
        ActionError::Internal { target, verb }
    }

    /// The error of an update. The object existed when the update was planned, so one that is not
    /// found was deleted since.
    #[must_use]
    pub fn of_update(self, target: &ActionTarget) -> Self {
        let missing = match &self {
            ActionError::Aws(aws::Error::NotFound(context)) => &context.target,
            ActionError::Azure(error) if error.is_not_found() => &error.context().target,
            _ => return self,
        };
        ActionError::DeletedOutside {
            id: missing.clone(),
            awaited: format!("the update of {target}"),
        }
    }

    /// Whether the operation was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            ActionError::Aws(aws::Error::Cancelled(_))
                | ActionError::Azure(azure::Error::Cancelled(_))
                | ActionError::Interrupted(Interrupted::Cancelled(_))
        )
    }

    /// Whether the user's deadline passed.
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            ActionError::Aws(aws::Error::DeadlineExceeded(_))
                | ActionError::Azure(azure::Error::DeadlineExceeded(_))
                | ActionError::Interrupted(Interrupted::DeadlineExceeded(_))
        )
    }
}

fn list_tunnels(tunnels: &[TunnelKey]) -> String {
    let all: Vec<String> = tunnels.iter().map(ToString::to_string).collect();
    all.join(", ")
}

fn list_blockers(found: &[Blocker]) -> String {
    let all: Vec<String> = found.iter().map(|blocker| format!("- {blocker}")).collect();
    all.join("\n")
}

/// How to destroy the link that created a gateway while other links use it.
fn keep_gateway_advice(found: &[Blocker]) -> &'static str {
    let of_gateway = |blocker: &Blocker| {
        blocker.reason == BlockReason::UsedBy
            && (blocker.held.starts_with("vgw-")
                || blocker.held.contains("/virtualNetworkGateways/"))
    };
    if found.iter().any(of_gateway) {
        " To destroy this link while other links use its gateway, set manage_gateways = false and apply, then run destroy: it keeps \
         the gateways and their networks."
    } else {
        ""
    }
}

/// Why a session is down, as a sentence.
fn describe_cause(mismatches: &[Mismatch]) -> String {
    let clauses: Vec<String> = mismatches.iter().map(ToString::to_string).collect();
    if clauses.is_empty() {
        "Both clouds have matching settings for this tunnel.".to_owned()
    } else {
        format!(
            "The settings of the two clouds differ: {}.",
            clauses.join("; ")
        )
    }
}
