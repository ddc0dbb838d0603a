//! The attribute `status`: how the last run that created or changed a link ended.

use bgp_vpn::completeness::{Completeness, completeness};
use bgp_vpn::observed::Observed;
use terraform_plugin::Value;

/// Name of the attribute.
const ATTRIBUTE: &str = "status";

/// How the last run that created or changed a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// A run created all of it. What differs since is in `drift`.
    Complete,
    /// The create did not finish. The next apply finishes it.
    Incomplete,
    /// An update or a destroy did not finish, and the link was not read since: what the state names
    /// may be gone.
    Interrupted,
}

impl LinkStatus {
    /// All of them.
    pub const ALL: [LinkStatus; 3] = [
        LinkStatus::Complete,
        LinkStatus::Incomplete,
        LinkStatus::Interrupted,
    ];

    /// The attribute's value.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkStatus::Complete => "complete",
            LinkStatus::Incomplete => "incomplete",
            LinkStatus::Interrupted => "interrupted",
        }
    }

    /// The status of a state. Null, which only a state that is still being composed has, is
    /// complete.
    pub fn of(state: &Value) -> LinkStatus {
        let text = state.get(ATTRIBUTE).as_str();
        LinkStatus::ALL
            .into_iter()
            .find(|status| text == Some(status.as_str()))
            .unwrap_or(LinkStatus::Complete)
    }

    /// The status after a read. A create that did not finish stays incomplete until a run finishes
    /// it.
    pub fn refreshed(self, observed: &Observed) -> LinkStatus {
        let incomplete =
            self == LinkStatus::Incomplete || completeness(observed) == Completeness::Incomplete;
        if incomplete {
            LinkStatus::Incomplete
        } else {
            LinkStatus::Complete
        }
    }

    /// Sets the attribute, and `drift` to its sentence about the status, followed by the
    /// differences.
    pub fn store(self, state: &mut Value, differences: Vec<String>) {
        state.set(ATTRIBUTE, self.as_str());
        state.set(
            "drift",
            Value::list(
                self.sentence()
                    .map(str::to_owned)
                    .into_iter()
                    .chain(differences),
            ),
        );
    }

    /// What `drift` says first, for readers only.
    fn sentence(self) -> Option<&'static str> {
        match self {
            LinkStatus::Complete => None,
            LinkStatus::Incomplete => Some("the create of the link did not finish"),
            LinkStatus::Interrupted => {
                Some("the last run did not finish: some of its changes may be missing")
            }
        }
    }
}
