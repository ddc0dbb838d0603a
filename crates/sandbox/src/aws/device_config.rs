//! `customerGatewayConfiguration`: the XML text from which people and programs set up the other
//! end.

use super::connection::{Connection, Tunnel};
use super::customer_gateway::CustomerGateway;
use super::tunnel_options::{PHASE1_LIFETIME, PHASE2_LIFETIME};
use super::xml::Xml;
use std::net::Ipv4Addr;

const BGP_HOLD_SECONDS: u32 = 30;
const TCP_MSS: u32 = 1_379;

/// The document as the text of an element, escaped.
pub fn write(connection: &Connection, customer: Option<&CustomerGateway>, asn: u32) -> String {
    let mut xml = Xml::carried();
    xml.text("customer_gateway_id", &connection.customer_gateway_id);
    let (vgw, tgw) = connection.target_ids();
    xml.maybe("vpn_gateway_id", vgw);
    xml.maybe("transit_gateway_id", tgw);
    xml.text("vpn_connection_type", "ipsec.1");
    let peer_asn = customer.map(|customer| customer.asn).unwrap_or_default();
    let peer_ip = customer
        .and_then(|customer| customer.ip_address)
        .unwrap_or(Ipv4Addr::UNSPECIFIED);
    for tunnel in &connection.tunnels {
        let mut hosts = tunnel.inside_cidr.hosts();
        let (inside, peer_inside) = (hosts.next(), hosts.next());
        xml.nest("ipsec_tunnel", |xml| {
            xml.nest("customer_gateway", |xml| {
                end(xml, peer_ip, peer_inside, peer_asn)
            });
            xml.nest("vpn_gateway", |xml| {
                end(xml, tunnel.outside_ip, inside, asn)
            });
            security(xml, tunnel, tunnel.visible_key());
        });
    }
    format!(
        "&lt;?xml version=&quot;1.0&quot; encoding=&quot;UTF-8&quot;?&gt;\n\
         &lt;vpn_connection id=&quot;{}&quot;&gt;{}&lt;/vpn_connection&gt;",
        connection.id,
        xml.as_str()
    )
}

fn end(xml: &mut Xml, outside: Ipv4Addr, inside: Option<Ipv4Addr>, asn: u32) {
    xml.nest("tunnel_outside_address", |xml| {
        xml.text("ip_address", outside)
    });
    xml.nest("tunnel_inside_address", |xml| {
        xml.maybe("ip_address", inside);
        xml.text("network_mask", "255.255.255.252");
        xml.text("network_cidr", 30);
    });
    xml.nest("bgp", |xml| {
        xml.text("asn", asn);
        xml.text("hold_time", BGP_HOLD_SECONDS);
    });
}

fn security(xml: &mut Xml, tunnel: &Tunnel, key: &str) {
    let options = &tunnel.options;
    let encryption = |list: &str| match options.list(list).first().map(String::as_str) {
        Some("AES256") => "aes-256-cbc",
        Some("AES128-GCM-16") => "aes-128-gcm",
        Some("AES256-GCM-16") => "aes-256-gcm",
        _ => "aes-128-cbc",
    };
    let integrity = |list: &str| match options.list(list).first().map(String::as_str) {
        Some("SHA2-256") => "sha2-256",
        Some("SHA2-384") => "sha2-384",
        Some("SHA2-512") => "sha2-512",
        _ => "sha1",
    };
    let group = |list: &str| options.groups(list).first().copied().unwrap_or(2);
    xml.nest("ike", |xml| {
        xml.text(
            "authentication_protocol",
            integrity("Phase1IntegrityAlgorithm"),
        );
        xml.text(
            "encryption_protocol",
            encryption("Phase1EncryptionAlgorithm"),
        );
        xml.text(
            "lifetime",
            options
                .number("Phase1LifetimeSeconds")
                .unwrap_or(PHASE1_LIFETIME),
        );
        xml.text(
            "perfect_forward_secrecy",
            format!("group{}", group("Phase1DHGroupNumber")),
        );
        xml.text("mode", "main");
        xml.text("pre_shared_key", key);
    });
    xml.nest("ipsec", |xml| {
        xml.text("protocol", "esp");
        xml.text(
            "authentication_protocol",
            format!("hmac-{}-96", integrity("Phase2IntegrityAlgorithm")),
        );
        xml.text(
            "encryption_protocol",
            encryption("Phase2EncryptionAlgorithm"),
        );
        xml.text(
            "lifetime",
            options
                .number("Phase2LifetimeSeconds")
                .unwrap_or(PHASE2_LIFETIME),
        );
        xml.text(
            "perfect_forward_secrecy",
            format!("group{}", group("Phase2DHGroupNumber")),
        );
        xml.text("mode", "tunnel");
        xml.text("clear_df_bit", true);
        xml.text("fragmentation_before_encryption", true);
        xml.text("tcp_mss_adjustment", TCP_MSS);
        xml.nest("dead_peer_detection", |xml| {
            xml.text("interval", 10);
            xml.text("retries", 3);
        });
    });
}
