//! What reads bytes from outside, each as a function that panics where a promise is broken: by
//! `cargo fuzz run NAME`, and by `tests/replay.rs` on the stable toolchain.

use bgp_vpn::azure::documents::{
    self, bgp, connection, gateway, group, local_gateway, network, public_ip,
};
use bgp_vpn::lookup::ImportId;
use bgp_vpn::types::Asn;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::LazyLock;
use terraform_plugin::{Type, msgpack};

/// A target by name.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 3] = [("msgpack", msgpack), ("arm", arm), ("import_id", import_id)];

/// The type of an `awsazure_bgp_vpn`, written by `make docs`.
pub static RESOURCE_TYPE: LazyLock<Type> = LazyLock::new(|| {
    Type::from_json(include_bytes!("../resource_type.json")).expect("the notation of a type")
});

/// Values from Terraform: what is read is written and read again as the same value.
pub fn msgpack(data: &[u8]) {
    let ty = &*RESOURCE_TYPE;
    if let Ok(value) = msgpack::decode(ty, data) {
        let written = msgpack::encode(ty, &value).expect("a value that was read can be written");
        assert_eq!(
            msgpack::decode(ty, &written).as_ref(),
            Ok(&value),
            "what was written is read as the same value"
        );
    }
}

/// Documents from Azure: nothing in them breaks a reader, and an edit changes what it names and
/// nothing else.
pub fn arm(data: &[u8]) {
    let Ok(doc) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let _ = connection::parse(doc.clone());
    let _ = connection::parse_key(&doc);
    let _ = local_gateway::parse(doc.clone());
    let _ = network::parse(doc.clone());
    let _ = network::parse_subnet(&doc);
    let _ = public_ip::parse(doc.clone());
    let _ = group::parse(&doc);
    let _ = group::member(&doc);
    let _ = bgp::peers(&doc);
    let _ = bgp::learned_routes(&doc);
    let _ = documents::provisioning_state(&doc);
    let writable = documents::writable(&doc);
    assert_eq!(
        documents::writable(&writable),
        writable,
        "what can be written can be written"
    );

    let mut edited = doc.clone();
    if let Ok(there) = gateway::parse(doc.clone()) {
        let ip = Ipv4Addr::new(169, 254, 21, 2);
        for instance in &there.instances {
            gateway::add_custom_bgp_ip(&mut edited, &instance.ip_configuration_id, ip);
        }
        let listed = gateway::parse(edited.clone()).expect("an edited gateway is a gateway");
        assert_eq!(listed.instances.len(), there.instances.len());
        for (before, after) in there.instances.iter().zip(&listed.instances) {
            assert!(
                before
                    .custom_bgp_ips
                    .iter()
                    .all(|ip| after.custom_bgp_ips.contains(ip)),
                "an address was lost"
            );
        }
        gateway::set_asn(&mut edited, Asn(65_010));
        gateway::set_sku(&mut edited, "VpnGw3AZ");
    }
    documents::set_tag(&mut edited, "awsazure:link", "x");
    documents::remove_tag(&mut edited, "awsazure:link");
    if let (Some(before), Some(after)) = (doc.get("properties"), edited.get("properties")) {
        let kept = |name: &String| after.get(name).is_some();
        assert!(
            before.as_object().is_none_or(|all| all.keys().all(kept)),
            "a property was lost"
        );
    }
}

/// Import ids: what is read is written as a text that names the same link.
pub fn import_id(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(id) = ImportId::parse(text) {
        assert_eq!(ImportId::parse(&id.to_string()).as_ref(), Ok(&id));
    }
}
