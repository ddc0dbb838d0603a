//! The RBAC actions of the calls to Resource Manager.
//!
//! Sources: Microsoft's "Azure permissions for Networking" and "Azure permissions for Management and
//! governance" for the names of actions (stored copies, read 2026-11-28), and "About roles and
//! permissions for VPN" for `join/action` of subnets and public IPs (stored copy of 2024-12). That the
//! shared key needs `sharedKey/action` besides `sharedKey/read` is in
//! hashicorp/terraform-provider-azurerm issue 29903 (comment of 2026-08-05); that writing it needs
//! `sharedKey/action` is a quotation of Microsoft's page there.

use super::calls::Calls;
use crate::account::actions;
use std::collections::BTreeSet;

/// One row for each call.
type Row = (&'static str, &'static [&'static str]);

const TABLE: &[Row] = &[
    (
        "read group",
        &["Microsoft.Resources/subscriptions/resourceGroups/read"],
    ),
    (
        "write group",
        &["Microsoft.Resources/subscriptions/resourceGroups/write"],
    ),
    (
        "delete group",
        &[
            "Microsoft.Resources/subscriptions/resourceGroups/delete",
            "Microsoft.Resources/subscriptions/operationresults/read",
        ],
    ),
    (
        "list resources of group",
        &["Microsoft.Resources/subscriptions/resourceGroups/resources/read"],
    ),
    (
        "list resources of subscription",
        &["Microsoft.Resources/subscriptions/resources/read"],
    ),
    (
        "list locations",
        &["Microsoft.Resources/subscriptions/locations/read"],
    ),
    ("read provider", &[actions::READ_PROVIDER]),
    ("list usages", &[actions::READ_USAGES]),
    ("check policies", &[actions::CHECK_POLICIES]),
    ("list locks", &[actions::READ_LOCKS]),
    ("list permissions", &[actions::READ_PERMISSIONS]),
    ("read network", &["Microsoft.Network/virtualNetworks/read"]),
    (
        "write network",
        &["Microsoft.Network/virtualNetworks/write"],
    ),
    // A document of the network repeats what others have put on its subnets.
    (
        "write network with users",
        &[
            "Microsoft.Network/networkSecurityGroups/join/action",
            "Microsoft.Network/routeTables/join/action",
            "Microsoft.Network/natGateways/join/action",
        ],
    ),
    (
        "delete network",
        &["Microsoft.Network/virtualNetworks/delete"],
    ),
    (
        "read subnet",
        &["Microsoft.Network/virtualNetworks/subnets/read"],
    ),
    (
        "write subnet",
        &["Microsoft.Network/virtualNetworks/subnets/write"],
    ),
    (
        "delete subnet",
        &["Microsoft.Network/virtualNetworks/subnets/delete"],
    ),
    (
        "read public IP",
        &["Microsoft.Network/publicIPAddresses/read"],
    ),
    (
        "write public IP",
        &["Microsoft.Network/publicIPAddresses/write"],
    ),
    (
        "delete public IP",
        &["Microsoft.Network/publicIPAddresses/delete"],
    ),
    (
        "read gateway",
        &["Microsoft.Network/virtualNetworkGateways/read"],
    ),
    (
        "write gateway",
        &[
            "Microsoft.Network/virtualNetworkGateways/write",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "Microsoft.Network/publicIPAddresses/join/action",
        ],
    ),
    (
        "delete gateway",
        &["Microsoft.Network/virtualNetworkGateways/delete"],
    ),
    (
        "list gateway connections",
        &["Microsoft.Network/virtualNetworkGateways/connections/read"],
    ),
    (
        "read BGP peers",
        &["Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action"],
    ),
    (
        "list local gateways",
        &["Microsoft.Network/localNetworkGateways/read"],
    ),
    (
        "write local gateway",
        &["Microsoft.Network/localNetworkGateways/write"],
    ),
    (
        "delete local gateway",
        &["Microsoft.Network/localNetworkGateways/delete"],
    ),
    ("list connections", &["Microsoft.Network/connections/read"]),
    ("write connection", &["Microsoft.Network/connections/write"]),
    (
        "delete connection",
        &["Microsoft.Network/connections/delete"],
    ),
    (
        "read shared key",
        &[
            "Microsoft.Network/connections/sharedKey/read",
            "Microsoft.Network/connections/sharedKey/action",
        ],
    ),
    (
        "write shared key",
        &[
            "Microsoft.Network/connections/sharedKey/write",
            "Microsoft.Network/connections/sharedKey/action",
        ],
    ),
    (
        "read operation",
        &[
            "Microsoft.Network/locations/operations/read",
            "Microsoft.Network/locations/operationResults/read",
        ],
    ),
];

/// Whether the table has a row for a call.
pub fn knows(call: &str) -> bool {
    TABLE.iter().any(|(name, _)| *name == call)
}

/// The actions of calls.
pub fn actions(calls: &Calls) -> BTreeSet<&'static str> {
    TABLE
        .iter()
        .filter(|(name, _)| calls.contains(name))
        .flat_map(|(_, actions)| actions.iter().copied())
        .collect()
}
