//! Where a sweep strikes: at which call of which run, and how. A point's text is how it is replayed.

use std::fmt;
use std::str::FromStr;

/// What is run, on a link that is there already unless it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Create,
    Read,
    /// Other inside addresses: every tunnel changes at both ends.
    Addresses,
    /// Another Amazon-side ASN: the AWS half is built anew.
    Asn,
    /// Another ASN of the Azure gateway: customer gateways and VPN connections are made anew.
    AzureAsn,
    /// Somebody's VPN gateway in place of the VPC and its own.
    Gateway,
    /// A link that is made on somebody's VPN gateway.
    Given,
    /// A transit gateway in place of the VPC and its VPN gateway.
    Transit,
    /// The tunnels of a link on a transit gateway become large, one connection after the other, and its connections accelerated.
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

impl Operation {
    pub const ALL: [(&'static str, Operation); 21] = [
        ("create", Operation::Create),
        ("read", Operation::Read),
        ("addresses", Operation::Addresses),
        ("asn", Operation::Asn),
        ("azure-asn", Operation::AzureAsn),
        ("gateway", Operation::Gateway),
        ("given", Operation::Given),
        ("transit", Operation::Transit),
        ("bandwidth", Operation::Bandwidth),
        ("accelerated", Operation::Accelerated),
        ("settings", Operation::Settings),
        ("network", Operation::Network),
        ("rotate", Operation::Rotate),
        ("keys", Operation::Keys),
        ("import", Operation::Import),
        ("destroy", Operation::Destroy),
        ("secret", Operation::Secret),
        ("hidden-create", Operation::HiddenCreate),
        ("hidden-asn", Operation::HiddenAsn),
        ("hidden-rotate", Operation::HiddenRotate),
        ("hidden-keys", Operation::HiddenKeys),
    ];

    /// Whether AWS hides the keys from the start.
    pub fn hides_keys(self) -> bool {
        use Operation::{HiddenAsn, HiddenCreate, HiddenKeys, HiddenRotate};
        matches!(self, HiddenCreate | HiddenAsn | HiddenRotate | HiddenKeys)
    }
}

/// How far a fault goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This one call.
    Once,
    /// This call and all later ones of the same operation.
    Forever,
    /// This call and all later ones, whatever they are.
    Outage,
}

/// What happens at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A kind of `sandbox/src/faults.rs`.
    Fault(Reach, &'static str),
    /// The process dies, before the call or after it had its effect. Saved: Terraform gets what was noted by then (a panic).
    Killed { after: bool, saved: bool },
    /// Somebody presses Ctrl-C.
    Stopped,
}

/// Kinds of fault that any call can have; `failed` and `expired` are of operations that Azure runs by itself.
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

const fn killed(after: bool, saved: bool) -> Way {
    Way::Killed { after, saved }
}

impl Way {
    /// Every way there is.
    pub fn all() -> Vec<Way> {
        let mut ways: Vec<Way> =
            vec![killed(false, false), killed(true, false), killed(false, true), killed(true, true)];
        ways.push(Way::Stopped);
        ways.extend(KINDS.map(|kind| Way::Fault(Reach::Once, kind)));
        ways.extend(KINDS.map(|kind| Way::Fault(Reach::Forever, kind)));
        ways.extend(["dropped", "hang", "403", "503"].map(|kind| Way::Fault(Reach::Outage, kind)));
        ways
    }

    /// Those that differ most in what they leave behind: nobody told, the effect unknown, none, stopped, never allowed.
    pub fn telling() -> Vec<Way> {
        use Reach::{Forever, Once};
        let faults = [Way::Fault(Once, "lost"), Way::Fault(Once, "refused"), Way::Fault(Forever, "403")];
        [killed(true, false), Way::Stopped].into_iter().chain(faults).collect()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Fault(Reach::Once, kind) => write!(f, "once {kind}"),
            Way::Fault(Reach::Forever, kind) => write!(f, "forever {kind}"),
            Way::Fault(Reach::Outage, kind) => write!(f, "outage {kind}"),
            Way::Killed { after, saved } => {
                write!(
                    f,
                    "killed {} {}",
                    if *after { "after" } else { "before" },
                    if *saved { "saved" } else { "unsaved" }
                )
            }
            Way::Stopped => f.write_str("stopped"),
        }
    }
}

/// One place of the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub operation: Operation,
    /// The call of that run without faults, from 1.
    pub call: usize,
    pub way: Way,
}

impl Point {
    /// Whether whoever runs terraform again does so with `-refresh=false`.
    pub fn is_blind(self) -> bool {
        self.call.is_multiple_of(3)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Operation::ALL.iter().find(|(_, one)| *one == self.operation).map_or("?", |(word, _)| word);
        write!(f, "{word} {} {}", self.call, self.way)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Point, String> {
        let fault = || format!("{text:?} is no point: it reads `create 57 once lost`");
        let (operation, rest) = text.split_once(' ').ok_or_else(fault)?;
        let (call, way) = rest.split_once(' ').ok_or_else(fault)?;
        let operation = Operation::ALL.iter().find(|(word, _)| *word == operation).ok_or_else(fault)?.1;
        let way = Way::all().into_iter().find(|one| one.to_string() == way.trim()).ok_or_else(fault)?;
        Ok(Point { operation, call: call.parse().map_err(|_| fault())?, way })
    }
}
