//! The link as a network engineer knows it. No I/O, no async, no Terraform: from what is wanted and what is there, this
//! room says which steps lead from one to the other.
//!
//! | file | holds |
//! |---|---|
//! | `tunnel` | the four tunnels and the two gateway instances, by name |
//! | `address` | the APIPA address plan: slots, inside CIDRs, the two BGP addresses of each |
//! | `placement` | objects of the link in another Azure region than configured |
//! | `advertised` | what the Azure gateway advertises to AWS |
//! | `policy` | one IPsec policy, compiled into both clouds' words |
//! | `spec` | what is wanted |
//! | `need`, `differ`, `decide`, `demolish` | what needs what; where an object differs; the steps to a whole link, or to none |
//! | `vpn_connection` | how a VPN connection differs as one object, and is repaired in place |
//! | `blockers` | what of others keeps a teardown from starting |
//! | `exchange` | the order in which tunnels take over inside CIDRs from each other |
//! | `outdated` | what changed since a plan was made |
//! | `lost_tags` | ownership tags that were deleted |
//! | `interruptions` | which tunnels the steps interrupt |
//! | `turns` | which of those steps must not overlap |
//! | `search`, `assemble` | which link is meant; which object is which part of it |
//! | `known`, `observed` | where to look; what both clouds have |
//! | `managed` | what destroy may delete |
//! | `logs` | where tunnels may write their logs |
//! | `ranges` | address ranges that a cloud rejects |
//! | `rotation` | which tunnels have had their new key |
//! | `route_tables` | which route tables get the AWS gateway's routes |
//! | `step` | one thing to do to one object |
//! | `wish`, `rules`, `fault` | what a user wrote, what can be refused without asking, and how that is put |
//! | `inside_addresses` | whether planned addresses are free on both gateways |
//! | `adoption` | which objects without a state a run may take over |
//! | `claim` | what a planned link takes that no other link may take |
//! | `survey`, `finding` | the surroundings of a link to be made, and what of them is in its way |
//! | `search` | which link is meant: where to look, what to take down, import ids |
//! | `names`, `ownership` | what objects are called, and the tags by which a link knows its own |

pub mod address;
pub mod adoption;
mod advertised;
pub mod assemble;
pub mod blockers;
pub mod claim;
pub mod decide;
pub mod demolish;
pub mod differ;
pub mod exchange;
pub mod fault;
pub mod finding;
pub mod inside_addresses;
pub mod interruptions;
pub mod known;
pub mod logs;
pub mod lost_tags;
pub mod managed;
pub mod names;
pub mod need;
pub mod observed;
pub mod outdated;
pub mod ownership;
pub mod placement;
pub mod policy;
pub mod ranges;
pub mod rotation;
pub mod route_tables;
pub mod rules;
pub mod search;
pub mod spec;
pub mod step;
pub mod survey;
mod surveyed_tables;
pub mod tunnel;
mod turns;
pub mod vpn_connection;
pub mod wish;
