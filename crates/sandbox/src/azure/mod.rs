//! Azure's half: the resource groups and Microsoft.Network resources that a VPN link needs, the
//! long-running operations that change them, and the identity endpoints, over Azure Resource
//! Manager's wire protocol.
//!
//! | file | holds |
//! |---|---|
//! | `call`, `ids` | which operation a request means, and resource ids |
//! | `service` | the state, the way of every call through it, and what happens by itself |
//! | `resource`, `operations` | a stored resource; a long-running operation's record and its polls |
//! | `resource_ops`, `preconditions` | what PUT, PATCH and DELETE have in common; what stops them |
//! | `subnet_users`, `management_locks` | what other teams put into networks; delete and write locks |
//! | `groups`, `network`, `public_ip`, `gateway`, `bgp`, `local_gateway`, `connection`, `policy`, `shared_key` | one kind each |
//! | `subscription`, `policy_assignments` | what the subscription allows: registration, quotas, policies |
//! | `peers` | questions to a running gateway |
//! | `cloud` | which Azure it is: audiences, regions, versions of the API |
//! | `identity` | discovery documents, tokens |
//! | `errors`, `throttle` | refusals |

mod authorization;
mod bgp;
mod call;
mod cloud;
mod connection;
mod errors;
mod gateway;
mod groups;
mod identity;
mod ids;
mod local_gateway;
mod locations;
mod management_locks;
mod network;
mod operations;
mod peers;
mod policy;
mod policy_assignments;
mod preconditions;
mod public_ip;
mod resource;
mod resource_ops;
mod service;
mod shared_key;
mod subnet_users;
mod subscription;
mod tags;
mod throttle;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use cloud::AzureCloud;
pub use service::AzureService;
