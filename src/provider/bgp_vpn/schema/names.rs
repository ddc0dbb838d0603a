//! Attributes for the names of single objects.

use crate::plugin::{Attribute, Nesting};

/// Attributes of `azure.names`, with what each names.
pub const AZURE_NAMES: [(&str, &str); 11] = [
    ("gateway", "the VPN gateway"),
    ("public_ip_instance0", "the public IP of instance 0"),
    ("public_ip_instance1", "the public IP of instance 1"),
    ("local_gateway_instance0_tunnel1", "the local network gateway of instance 0, tunnel 1"),
    ("local_gateway_instance0_tunnel2", "the local network gateway of instance 0, tunnel 2"),
    ("local_gateway_instance1_tunnel1", "the local network gateway of instance 1, tunnel 1"),
    ("local_gateway_instance1_tunnel2", "the local network gateway of instance 1, tunnel 2"),
    ("connection_instance0_tunnel1", "the connection of instance 0, tunnel 1"),
    ("connection_instance0_tunnel2", "the connection of instance 0, tunnel 2"),
    ("connection_instance1_tunnel1", "the connection of instance 1, tunnel 1"),
    ("connection_instance1_tunnel2", "the connection of instance 1, tunnel 2"),
];

/// Attributes of `aws.names`, with what each names.
pub const AWS_NAMES: [(&str, &str); 9] = [
    ("vpn_gateway", "the virtual private gateway"),
    ("customer_gateway_instance0", "the customer gateway for instance 0"),
    ("customer_gateway_instance1", "the customer gateway for instance 1"),
    ("vpn_connection_instance0", "the VPN connection to instance 0"),
    ("vpn_connection_instance1", "the VPN connection to instance 1"),
    ("vpc", "the VPC, where this link makes it"),
    ("internet_gateway", "the internet gateway, where this link makes it"),
    ("public_subnet", "the public subnet, where this link makes it"),
    ("public_route_table", "the public subnet's route table, where this link makes it"),
];

pub(super) fn names(table: &[(&'static str, &'static str)], what: &str) -> Attribute {
    let attributes = table.iter().map(|(name, noun)| {
        (*name, Attribute::string().optional().computed().description(format!("{what} of {noun}.")))
    });
    Attribute::nested(Nesting::Single, attributes).optional().computed().description(format!(
        "{what}s of single objects, for companies with naming standards. What is left out is made from `name`. A change names \
         what is made from then on."
    ))
}
