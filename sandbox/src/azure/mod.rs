//! Azure's half: the resource groups and Microsoft.Network resources that a VPN link needs, the long-running operations that
//! change them, and the identity endpoints, over Azure Resource Manager's wire protocol.
//!
//! | file | holds |
//! |---|---|
//! | `call`, `ids` | which operation a request means, and resource ids |
//! | `cloud` | the state, the way of every call through it, and what happens by itself |
//! | `resource`, `operations` | a stored resource; a long-running operation's record and its polls |
//! | `writes`, `guards` | what PUT, PATCH and DELETE have in common; what stops them |
//! | `neighbours`, `management_locks` | what other teams put into networks; delete and write locks |
//! | `groups`, `network`, `public_ip`, `gateway`, `bgp`, `local_gateway`, `connection`, `policy`, `shared_key` | one kind each |
//! | `peers` | questions to a running gateway |
//! | `identity` | discovery documents, tokens |
//! | `errors`, `throttle` | refusals |

mod bgp;
mod call;
mod cloud;
mod connection;
mod errors;
mod gateway;
mod groups;
mod guards;
mod identity;
mod ids;
mod local_gateway;
mod locations;
mod management_locks;
mod neighbours;
mod network;
mod operations;
mod peers;
mod policy;
mod public_ip;
mod resource;
mod shared_key;
mod tags;
mod throttle;
mod writes;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use cloud::Cloud;
