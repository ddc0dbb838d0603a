//! The picture of a link in the README: names and addresses are those that the code computes.

use super::root;
use awsazure::provider::bgp_vpn::default_of_created_gateway;
use bgp_vpn::config::AttributeId;
use bgp_vpn::inside_cidr::Slot;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use std::fmt::Write;
use std::fs;

const PICTURE: &str = "docs/link.svg";
const WIDTH: u32 = 900;
const HEIGHT: u32 = 330;
const AZURE: &str = "#0078d4";
const AWS: &str = "#d97706";
const TEXT: &str = "#1f2937";
/// Left edges and width of the boxes inside the two clouds.
const LEFT: u32 = 40;
const RIGHT: u32 = 670;
const INNER: u32 = 190;

/// A rectangle with a title and lines of text below.
fn frame(svg: &mut String, at: (u32, u32), size: (u32, u32), color: &str, lines: &[&str]) {
    let ((x, y), (width, height)) = (at, size);
    let _ = writeln!(
        svg,
        r##"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{color}" fill-opacity="0.08" stroke="{color}" stroke-width="1.5"/>"##
    );
    for (line, text) in (0..).zip(lines) {
        let weight = if line == 0 { "bold" } else { "normal" };
        let below = y + 22 + line * 18;
        let _ = writeln!(
            svg,
            r#"<text x="{}" y="{below}" text-anchor="middle" font-weight="{weight}" fill="{TEXT}">{text}</text>"#,
            x + width / 2
        );
    }
}

fn asn(attribute: &AttributeId) -> String {
    let asn = default_of_created_gateway(attribute);
    format!("ASN {}", asn.as_u64().expect("a default ASN"))
}

fn picture() -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Helvetica, Arial, sans-serif" font-size="13">
<title>One awsazure_bgp_vpn: two Azure gateway instances, two AWS VPN connections, four tunnels</title>
<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#ffffff"/>
"##
    );
    let azure = asn(&AttributeId::AzureAsn);
    let aws = asn(&AttributeId::AwsAsn);
    let cloud = |x| ((x, 15), (INNER + 40, 250));
    let (at, size) = cloud(LEFT - 20);
    frame(
        &mut svg,
        at,
        size,
        AZURE,
        &["Azure VNet", &format!("VPN gateway, {azure}")],
    );
    let (at, size) = cloud(RIGHT - 20);
    frame(
        &mut svg,
        at,
        size,
        AWS,
        &["AWS VPC", &format!("VPN gateway, {aws}")],
    );
    for instance in Instance::ALL {
        let number = u32::from(instance == Instance::One);
        let y = 72 + number * 98;
        let (gateway, connection) = (
            format!("instance {number}"),
            format!("VPN connection {number}"),
        );
        frame(
            &mut svg,
            (LEFT, y),
            (INNER, 80),
            AZURE,
            &[&gateway, "public IP", "2 local network gateways"],
        );
        frame(
            &mut svg,
            (RIGHT, y),
            (INNER, 80),
            AWS,
            &[&connection, "customer gateway", "2 endpoints"],
        );
    }
    let cidrs = Slot::new(0).expect("slot 0").inside_cidrs();
    for (index, key) in (0..).zip(TunnelKey::ALL) {
        let cidr = cidrs.get(key);
        let y = 94 + index * 38 + if key.instance == Instance::One { 22 } else { 0 };
        let (from, to) = (LEFT + INNER, RIGHT);
        let _ = writeln!(
            svg,
            r##"<line x1="{from}" y1="{y}" x2="{to}" y2="{y}" stroke="#6b7280" stroke-width="2"/>"##
        );
        let label = |x: u32, anchor: &str, text: &str| {
            format!(
                r#"<text x="{x}" y="{}" text-anchor="{anchor}" fill="{TEXT}" font-size="12">{text}</text>"#,
                y - 6
            )
        };
        let ends = [
            label(from + 30, "start", &cidr.azure_ip().to_string()),
            label((from + to) / 2, "middle", &key.to_string()),
            label(to - 30, "end", &cidr.aws_ip().to_string()),
        ];
        svg.extend(ends.map(|text| text + "\n"));
    }
    let _ = writeln!(
        svg,
        r#"<text x="{}" y="300" text-anchor="middle" fill="{TEXT}">4 IPsec tunnels, each with its own key and BGP session. Every address is computed.</text>
</svg>"#,
        WIDTH / 2
    );
    svg
}

#[test]
fn picture_shows_computed_addresses() {
    let path = root().join(PICTURE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, picture()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == picture(),
        "{PICTURE} does not show what the code computes; run make docs"
    );
}
