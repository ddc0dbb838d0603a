//! What destroy will delete, by kind and id. Nothing else is ever deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A kind of object that a link can make. Its text is a key of the `managed` attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    AzureResourceGroup,
    AzureVirtualNetwork,
    AzureSubnet,
    AzurePublicIp,
    AzureGateway,
    AzureLocalGateway,
    AzureConnection,
    AwsVpc,
    AwsInternetGateway,
    AwsSubnet,
    AwsRouteTable,
    AwsVpnGateway,
    /// `rtb-.../vgw-...`
    AwsRoutePropagation,
    AwsCustomerGateway,
    AwsVpnConnection,
}

impl Kind {
    pub const ALL: [Kind; 15] = [
        Kind::AzureResourceGroup,
        Kind::AzureVirtualNetwork,
        Kind::AzureSubnet,
        Kind::AzurePublicIp,
        Kind::AzureGateway,
        Kind::AzureLocalGateway,
        Kind::AzureConnection,
        Kind::AwsVpc,
        Kind::AwsInternetGateway,
        Kind::AwsSubnet,
        Kind::AwsRouteTable,
        Kind::AwsVpnGateway,
        Kind::AwsRoutePropagation,
        Kind::AwsCustomerGateway,
        Kind::AwsVpnConnection,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::AzureResourceGroup => "azure_resource_group",
            Kind::AzureVirtualNetwork => "azure_virtual_network",
            Kind::AzureSubnet => "azure_subnet",
            Kind::AzurePublicIp => "azure_public_ip",
            Kind::AzureGateway => "azure_virtual_network_gateway",
            Kind::AzureLocalGateway => "azure_local_network_gateway",
            Kind::AzureConnection => "azure_connection",
            Kind::AwsVpc => "aws_vpc",
            Kind::AwsInternetGateway => "aws_internet_gateway",
            Kind::AwsSubnet => "aws_subnet",
            Kind::AwsRouteTable => "aws_route_table",
            Kind::AwsVpnGateway => "aws_vpn_gateway",
            Kind::AwsRoutePropagation => "aws_route_propagation",
            Kind::AwsCustomerGateway => "aws_customer_gateway",
            Kind::AwsVpnConnection => "aws_vpn_connection",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Ids by kind. Azure ids are kept as Azure spelled them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed(pub BTreeMap<Kind, BTreeSet<String>>);

impl Managed {
    /// An id that is there in another letter case stays as it is.
    pub fn add(&mut self, kind: Kind, id: impl fmt::Display) {
        let id = id.to_string();
        if !self.has(kind, &id) {
            self.0.entry(kind).or_default().insert(id);
        }
    }

    /// Adds all objects of another set.
    pub fn extend(&mut self, other: &Managed) {
        for (kind, ids) in &other.0 {
            ids.iter().for_each(|id| self.add(*kind, id));
        }
    }

    /// The same objects, in the letter case in which another set has them.
    #[must_use]
    pub fn spelled_as(&self, before: &Managed) -> Managed {
        let mut spelled = Managed::default();
        for (kind, ids) in &self.0 {
            for id in ids {
                let known = before
                    .ids(*kind)
                    .find(|known| known.eq_ignore_ascii_case(id));
                spelled.add(*kind, known.unwrap_or(id));
            }
        }
        spelled
    }

    /// Azure ids compare without regard to case; AWS ids have one.
    pub fn has(&self, kind: Kind, id: &str) -> bool {
        self.0
            .get(&kind)
            .is_some_and(|ids| ids.iter().any(|have| have.eq_ignore_ascii_case(id)))
    }

    /// Whether an id is that of any of these objects.
    pub fn contains(&self, id: &str) -> bool {
        self.0.keys().any(|kind| self.has(*kind, id))
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeSet::is_empty)
    }

    pub fn ids(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.0.get(&kind).into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_their_spelling() {
        let mut before = Managed::default();
        before.add(Kind::AzureConnection, "/Subscriptions/S/One");
        before.add(Kind::AzureConnection, "/subscriptions/s/one");
        assert_eq!(before.ids(Kind::AzureConnection).count(), 1);
        let mut now = Managed::default();
        for id in ["/subscriptions/s/ONE", "/subscriptions/s/two"] {
            now.add(Kind::AzureConnection, id);
        }
        let spelled = now.spelled_as(&before);
        let ids: Vec<&str> = spelled.ids(Kind::AzureConnection).collect();
        assert_eq!(ids, ["/Subscriptions/S/One", "/subscriptions/s/two"]);
    }
}
