//! Where a sweep strikes: at which call of which run, and how. A point's text is how it is
//! replayed.

use std::fmt;
use std::str::FromStr;

/// What is run, on a link that is there already unless it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    Create,
    Read,
    /// Other inside addresses: every tunnel changes at both ends.
    Addresses,
    /// Another Amazon-side ASN: the AWS half is recreated.
    Asn,
    /// Another ASN of the Azure gateway: customer gateways and VPN connections are recreated.
    AzureAsn,
    /// Another user's VPN gateway in place of the VPC and its own.
    Gateway,
    /// A link that is made on another user's VPN gateway.
    Given,
    /// A transit gateway in place of the VPC and its VPN gateway.
    Transit,
    /// The tunnels of a link on a transit gateway become large, one connection after the other, and
    /// its connections accelerated.
    Bandwidth,
    Accelerated,
    /// Tags and timers, one object after the other.
    Settings,
    /// Another range of the VNet, with a subnet in it.
    Network,
    /// Fresh keys, one tunnel after the other.
    Rotate,
    /// Keys of the user's own.
    Keys,
    Import,
    Destroy,
    /// The keys move into a secret, and logs are switched on.
    Secret,
    /// The same as above, of a link whose keys AWS hides.
    HiddenCreate,
    HiddenAsn,
    HiddenRotate,
    HiddenKeys,
}

impl Scenario {
    pub const ALL: [(&'static str, Scenario); 21] = [
        ("create", Scenario::Create),
        ("read", Scenario::Read),
        ("addresses", Scenario::Addresses),
        ("asn", Scenario::Asn),
        ("azure-asn", Scenario::AzureAsn),
        ("gateway", Scenario::Gateway),
        ("given", Scenario::Given),
        ("transit", Scenario::Transit),
        ("bandwidth", Scenario::Bandwidth),
        ("accelerated", Scenario::Accelerated),
        ("settings", Scenario::Settings),
        ("network", Scenario::Network),
        ("rotate", Scenario::Rotate),
        ("keys", Scenario::Keys),
        ("import", Scenario::Import),
        ("destroy", Scenario::Destroy),
        ("secret", Scenario::Secret),
        ("hidden-create", Scenario::HiddenCreate),
        ("hidden-asn", Scenario::HiddenAsn),
        ("hidden-rotate", Scenario::HiddenRotate),
        ("hidden-keys", Scenario::HiddenKeys),
    ];

    /// Whether AWS hides the keys from the start.
    pub fn hides_keys(self) -> bool {
        use Scenario::{HiddenAsn, HiddenCreate, HiddenKeys, HiddenRotate};
        matches!(self, HiddenCreate | HiddenAsn | HiddenRotate | HiddenKeys)
    }
}

/// How far a fault goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultScope {
    /// This one call.
    Once,
    /// This call and all later ones of the same operation.
    Forever,
    /// This call and all later ones.
    Outage,
}

/// What happens at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultMode {
    /// A kind of `crates/sandbox/src/faults.rs`.
    Fault(FaultScope, &'static str),
    /// The process dies, before the call or after it had its effect. Saved: Terraform gets what was
    /// noted by then (a panic).
    Killed { after: bool, saved: bool },
    /// The user presses Ctrl-C.
    Stopped,
}

/// Kinds of fault that any call can have; `failed` and `expired` are of operations that Azure runs
/// by itself.
pub const KINDS: [&str; 15] = [
    "refused",
    "lost",
    "dropped",
    "429",
    "503",
    "409",
    "500",
    "malformed",
    "truncated",
    "hang",
    "hang-after",
    "401",
    "403",
    "failed",
    "expired",
];

const fn killed(after: bool, saved: bool) -> FaultMode {
    FaultMode::Killed { after, saved }
}

impl FaultMode {
    /// Every way there is.
    pub fn all() -> Vec<FaultMode> {
        let mut modes: Vec<FaultMode> = vec![
            killed(false, false),
            killed(true, false),
            killed(false, true),
            killed(true, true),
        ];
        modes.push(FaultMode::Stopped);
        modes.extend(KINDS.map(|kind| FaultMode::Fault(FaultScope::Once, kind)));
        modes.extend(KINDS.map(|kind| FaultMode::Fault(FaultScope::Forever, kind)));
        modes.extend(
            ["dropped", "hang", "403", "503"]
                .map(|kind| FaultMode::Fault(FaultScope::Outage, kind)),
        );
        modes
    }

    /// Those that differ most in their effect: reply lost, effect unknown, no effect, stopped,
    /// never allowed.
    pub fn representative() -> Vec<FaultMode> {
        use FaultScope::{Forever, Once};
        let faults = [
            FaultMode::Fault(Once, "lost"),
            FaultMode::Fault(Once, "refused"),
            FaultMode::Fault(Forever, "403"),
        ];
        [killed(true, false), FaultMode::Stopped]
            .into_iter()
            .chain(faults)
            .collect()
    }
}

impl fmt::Display for FaultMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultMode::Fault(FaultScope::Once, kind) => write!(f, "once {kind}"),
            FaultMode::Fault(FaultScope::Forever, kind) => write!(f, "forever {kind}"),
            FaultMode::Fault(FaultScope::Outage, kind) => write!(f, "outage {kind}"),
            FaultMode::Killed { after, saved } => {
                write!(
                    f,
                    "killed {} {}",
                    if *after { "after" } else { "before" },
                    if *saved { "saved" } else { "unsaved" }
                )
            }
            FaultMode::Stopped => f.write_str("stopped"),
        }
    }
}

/// One place of the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultPoint {
    pub operation: Scenario,
    /// The call of that run without faults, from 1.
    pub call: usize,
    pub mode: FaultMode,
}

impl FaultPoint {
    /// Whether the user runs terraform again with `-refresh=false`.
    pub fn is_blind(self) -> bool {
        self.call.is_multiple_of(3)
    }
}

impl fmt::Display for FaultPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Scenario::ALL
            .iter()
            .find(|(_, one)| *one == self.operation)
            .map_or("?", |(word, _)| word);
        write!(f, "{word} {} {}", self.call, self.mode)
    }
}

impl FromStr for FaultPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<FaultPoint, String> {
        let fault = || format!("{text:?} is no point: it reads `create 57 once lost`");
        let (operation, rest) = text.split_once(' ').ok_or_else(fault)?;
        let (call, mode) = rest.split_once(' ').ok_or_else(fault)?;
        let operation = Scenario::ALL
            .iter()
            .find(|(word, _)| *word == operation)
            .ok_or_else(fault)?
            .1;
        let mode = FaultMode::all()
            .into_iter()
            .find(|one| one.to_string() == mode.trim())
            .ok_or_else(fault)?;
        Ok(FaultPoint {
            operation,
            call: call.parse().map_err(|_| fault())?,
            mode,
        })
    }
}
