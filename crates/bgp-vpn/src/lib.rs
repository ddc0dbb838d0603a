//! A BGP VPN between Azure and AWS as a network engineer knows it. No I/O, no async, no SDK, no
//! Terraform: from what is wanted ([`spec`]) and what is there ([`observed`]), [`plan`] says which
//! actions lead from one to the other.
//!
//! | module | holds |
//! |---|---|
//! | `tunnel` | the four tunnels and the two gateway instances, by name |
//! | `inside_cidr` | the APIPA address plan: slots, inside CIDRs, the two BGP addresses of each |
//! | `placement` | objects of the link in another Azure region than configured |
//! | `ipsec` | one IPsec policy, compiled into both clouds' words |
//! | `missing_routes` | the routes that a session lacks |
//! | `rekeying` | which end renews the keys, in seconds |
//! | `spec` | what is wanted |
//! | `dependencies`, `compare`, `plan`, `teardown` | what needs what; where an object differs; the actions that complete or delete a link |
//! | `vpn_connection` | how a VPN connection differs as one object, and is repaired in place |
//! | `blockers` | what of others keeps a teardown from starting |
//! | `cidr_exchange` | the order in which tunnels take over inside CIDRs from each other |
//! | `stale_plan` | what changed since a plan was made |
//! | `lost_tags` | ownership tags that were deleted |
//! | `interruptions` | which tunnels the steps interrupt |
//! | `rollout` | which of those steps must not overlap |
//! | `lookup`, `resolve` | which link is meant; which object is which part of it |
//! | `known_ids`, `observed` | where to look; what both clouds have |
//! | `managed` | what destroy may delete |
//! | `tunnel_logs` | where tunnels may write their logs |
//! | `mismatches` | where the two clouds contradict each other about a tunnel |
//! | `reserved_ranges` | address ranges that a cloud rejects |
//! | `key_rotation` | which tunnels have had their new key |
//! | `keys` | what a run does about the pre-shared key of each tunnel |
//! | `replacement` | which VPN connections and customer gateways are replaced |
//! | `route_tables` | which route tables get the AWS gateway's routes |
//! | `action` | one thing to do to one object |
//! | `config`, `validation`, `ipsec_validation`, `violation` | the configured values, and what is invalid without reading the clouds |
//! | `summaries` | the summaries of violations |
//! | `adoption`, `ownership` | what an object must be for a run to take it over; which objects without a state those are |
//! | `completeness` | how far the create of a link came |
//! | `customer_gateway` | whether a customer gateway can stand for an Azure instance |
//! | `claim` | what a planned link takes that no other link may take |
//! | `preflight`, `preflight_issue` | the surroundings of a link to be made, and what of them is in its way; whether planned addresses are free |
//! | `permissions` | the IAM and RBAC actions that a configuration needs |
//! | `aws`, `azure` | one cloud each: its objects as plain data; Azure's documents |
//! | `types` | ASN, pre-shared key, tags, duration |
//! | `names`, `ownership_tags` | what objects are called, and the tags by which a link knows its own |

pub mod account;
pub mod action;
pub mod adoption;
pub mod aws;
pub mod azure;
pub mod blockers;
mod cidr;
pub mod cidr_exchange;
pub mod claim;
pub mod compare;
pub mod completeness;
pub mod config;
pub mod conflict;
pub mod customer_gateway;
pub mod dependencies;
pub mod inside_cidr;
pub mod interruptions;
pub mod ipsec;
pub mod ipsec_validation;
pub mod key_rotation;
pub mod keys;
pub mod known_ids;
pub mod lookup;
pub mod lost_tags;
pub mod managed;
pub mod mismatches;
pub mod missing_routes;
pub mod names;
pub mod observed;
pub mod ownership;
pub mod ownership_tags;
pub mod permissions;
pub mod placement;
pub mod plan;
pub mod preflight;
pub mod preflight_issue;
pub mod rekeying;
mod replacement;
pub mod reserved_ranges;
pub mod resolve;
mod rollout;
pub mod route_tables;
pub mod spec;
pub mod stale_plan;
pub mod summaries;
pub mod teardown;
pub mod transit_routing;
pub mod tunnel;
pub mod tunnel_logs;
pub mod types;
pub mod validation;
pub mod violation;
pub mod vpn_connection;
