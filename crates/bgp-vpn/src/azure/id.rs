//! ARM resource ids: compared without regard to case, shown as they came.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// `/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Network/{type}/{name}[/{child
/// type}/{child}]`.
///
/// ARM may answer with another casing than was sent, so two ids that differ only in case are equal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceId(String);

/// A text that is no resource id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an Azure resource id: expected /subscriptions/.../resourceGroups/.../providers/.../TYPE/NAME"
)]
pub struct ParseResourceIdError(pub String);

impl ResourceId {
    /// # Errors
    /// Where the text has not the shape of a resource id below a resource group.
    pub fn parse(text: &str) -> Result<Self, ParseResourceIdError> {
        let id = ResourceId(text.trim_end_matches('/').to_owned());
        let parts: Vec<&str> = id.0.split('/').collect();
        let fixed =
            |at: usize, word: &str| parts.get(at).is_some_and(|p| p.eq_ignore_ascii_case(word));
        let complete = parts.len() >= 9
            && parts.len() % 2 == 1
            && parts.first() == Some(&"")
            && parts.iter().skip(1).all(|part| is_name(part))
            && fixed(1, "subscriptions")
            && fixed(3, "resourceGroups")
            && fixed(5, "providers");
        if complete {
            Ok(id)
        } else {
            Err(ParseResourceIdError(text.to_owned()))
        }
    }

    /// An id that this program composes itself, in `Microsoft.Network`.
    pub fn network(subscription: &str, group: &str, kind: &str, name: &str) -> Self {
        ResourceId(format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/{kind}/{name}"
        ))
    }

    /// The id of a child: `{self}/{kind}/{name}`.
    #[must_use]
    pub fn child(&self, kind: &str, name: &str) -> Self {
        ResourceId(format!("{}/{kind}/{name}", self.0))
    }

    /// The id without its last type and name; None at the top.
    pub fn parent(&self) -> Option<ResourceId> {
        let mut parts = self.0.rsplitn(3, '/');
        let _ = (parts.next()?, parts.next()?);
        ResourceId::parse(parts.next()?).ok()
    }

    /// The resource of `Microsoft.Network` that an id names or a part of which it names: the
    /// gateway of an ipConfiguration.
    pub fn network_owner(text: &str) -> Option<ResourceId> {
        let parts: Vec<&str> = text.split('/').take(9).collect();
        let in_network = parts
            .get(6)
            .is_some_and(|provider| provider.eq_ignore_ascii_case("Microsoft.Network"));
        ResourceId::parse(&parts.join("/"))
            .ok()
            .filter(|_| in_network)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn subscription(&self) -> &str {
        self.part(2)
    }

    pub fn resource_group(&self) -> &str {
        self.part(4)
    }

    /// Last type, such as `virtualNetworkGateways`.
    pub fn kind(&self) -> &str {
        self.0.rsplit('/').nth(1).unwrap_or_default()
    }

    /// Last name.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    fn part(&self, at: usize) -> &str {
        self.0.split('/').nth(at).unwrap_or_default()
    }
}

/// No name in Azure has what would end or change the path of a request.
fn is_name(part: &str) -> bool {
    let strange = |c: char| c.is_control() || matches!(c, '?' | '#' | '%' | '\\');
    !part.is_empty()
        && part.trim() == part
        && part != "."
        && !part.contains("..")
        && !part.contains(strange)
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |s: &str| {
            s.bytes()
                .map(|b| b.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        lower(&self.0).cmp(&lower(&other.0))
    }
}

impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GATEWAY: &str = "/subscriptions/s1/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/VNet1GW";

    #[test]
    fn compare_resource_ids_ignoring_case() {
        let other = GATEWAY.to_lowercase();
        assert_eq!(
            ResourceId::parse(GATEWAY).unwrap(),
            ResourceId::parse(&other).unwrap()
        );
    }

    #[test]
    fn child_id_has_parent() {
        let gateway = ResourceId::parse(GATEWAY).unwrap();
        assert_eq!(
            gateway.child("ipConfigurations", "a").parent().unwrap(),
            gateway
        );
        assert_eq!(
            (gateway.kind(), gateway.name()),
            ("virtualNetworkGateways", "VNet1GW")
        );
        assert_eq!(
            (gateway.subscription(), gateway.resource_group()),
            ("s1", "TestRG1")
        );
    }

    #[test]
    fn reject_invalid_resource_id() {
        for text in [
            "",
            "vnet1",
            "/subscriptions/s/resourceGroups/g",
            "/a/b/c/d/e/f/g/h",
            "/subscriptions//resourceGroups/g/providers/M/t/n",
            "/subscriptions/s/resourceGroups/g/providers/M/t/n /",
            "/subscriptions/s/resourceGroups/g/providers/M/t/n?api-version=1",
            "/subscriptions/s/resourceGroups/g\n/providers/M/t/n",
            "/subscriptions/s/resourceGroups/../providers/M/t/n",
            "/subscriptions/s/resourceGroups/g/providers/M/t/.",
        ] {
            assert!(ResourceId::parse(text).is_err(), "{text}");
        }
    }
}
