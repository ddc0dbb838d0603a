//! AWS as a VPN sees it: the EC2 Query API (2016-11-15), STS (2011-06-15) and Service Quotas (2019-06-24), region by
//! region.
//!
//! | room | holds |
//! |---|---|
//! | `call`, `query`, `xml`, `errors`, `filters` | the wire: parameters in, elements or refusals out |
//! | `service`, `region` | who is asked: authentication, throttling, the region's objects and its operations |
//! | `lifecycle`, `tags` | what all objects have in common |
//! | `vpc`, `subnets`, `internet_gateway`, `routes`, `account` | the network that a VPN serves |
//! | `dependents` | what other teams put into a VPC |
//! | `gateways`, `customer_gateway`, `transit` | the three kinds of gateway that a VPN connection joins |
//! | `transit_routes` | the route tables of transit gateways |
//! | `connection`, `describe_vpn`, `modify`, `tunnel_options`, `device_config` | the VPN connection itself |
//! | `service_quotas` | the limits of a region |
//! | `sts`, `throttle`, `authorization` | who calls, how often, and what they may do |
//!
//! Everything that takes time takes simulated time; element names are those of the service model.

mod account;
mod authorization;
mod call;
mod connection;
mod customer_gateway;
mod dependents;
mod describe_vpn;
mod device_config;
mod errors;
mod filters;
mod gateways;
mod internet_gateway;
mod lifecycle;
mod modify;
mod query;
mod region;
mod routes;
mod service;
mod service_quotas;
mod sts;
mod subnets;
mod tags;
mod throttle;
mod transit;
mod transit_routes;
mod tunnel_options;
mod vpc;
mod xml;

#[cfg(test)]
mod tests;

pub use call::{Call, Service};
pub use region::Quotas;
pub use service::AwsService;

/// The one account of this world.
pub const ACCOUNT: &str = "123456789012";
