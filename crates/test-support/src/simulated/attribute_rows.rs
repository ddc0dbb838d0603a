//! The table: each attribute of the schema with two values and the effect of a change in both
//! directions.

use super::REGION;
use super::attributes::{Base, Effect, Row, attributes};
use super::environment::{AZURE_ASN, Environment, OTHER_REGION};
use awsazure::provider::bgp_vpn::schema::{AWS_NAMES, AZURE_NAMES};
use bgp_vpn::tunnel::TunnelKey;
use serde_json::{Value as Json, json};

/// The table.
pub fn rows(environment: &Environment) -> Vec<Row> {
    let mut rows = azure_rows(environment);
    rows.extend(aws_rows(environment));
    rows.extend(link_rows());
    for (path, attribute) in attributes() {
        if attribute.computed && !attribute.optional && !attribute.required {
            let on_transit = path.ends_with("transit_gateway_attachment_id");
            rows.push(Row::new(
                &path,
                if on_transit {
                    Base::Transit
                } else {
                    Base::Networks
                },
                Json::Null,
                Json::Null,
                Effect::Computed,
            ));
        }
    }
    rows
}

fn azure_rows(environment: &Environment) -> Vec<Row> {
    use Base::{Existing, Gateways, Networks};
    use Effect::{InPlace, LocalOnly, NamesNewObjects, Rejected, Replaces};
    let row = Row::new;
    let network = "azure.virtual_network";
    let frontend = json!({"frontend": "10.1.0.0/24"});
    let both = json!({"frontend": "10.1.0.0/24", "backend": "10.1.8.0/24"});
    let mut rows = vec![
        row(
            "azure.resource_group_name",
            Networks,
            json!("prod-rg"),
            json!("other-rg"),
            Replaces,
        ),
        row(
            "azure.create_resource_group",
            Existing,
            json!(false),
            json!(true),
            LocalOnly,
        ),
        row(
            "azure.location",
            Networks,
            json!("westeurope"),
            json!("northeurope"),
            Replaces,
        ),
        row(
            "azure.zones",
            Networks,
            json!(["1", "2", "3"]),
            json!(["1"]),
            Rejected("azure.zones"),
        ),
        row(
            "azure.virtual_network_id",
            Existing,
            json!(environment.networks[0]),
            json!(environment.networks[1]),
            Replaces,
        ),
        row(
            &format!("{network}.name"),
            Networks,
            json!("vnet"),
            json!("other"),
            Replaces,
        ),
        row(
            &format!("{network}.address_space"),
            Networks,
            json!(["10.1.0.0/16"]),
            json!(["10.1.0.0/16", "10.5.0.0/16"]),
            InPlace,
        ),
        row(
            &format!("{network}.gateway_subnet_prefix"),
            Networks,
            json!("10.1.1.0/24"),
            json!("10.1.2.0/24"),
            Replaces,
        ),
        row(
            &format!("{network}.subnets"),
            Networks,
            Json::Null,
            frontend.clone(),
            InPlace,
        ),
        row(
            &format!("{network}.subnets"),
            Networks,
            frontend.clone(),
            both,
            InPlace,
        ),
        row(
            &format!("{network}.subnets"),
            Networks,
            frontend,
            json!({"frontend": "10.1.9.0/24"}),
            InPlace,
        ),
        row(
            "azure.gateway_subnet_prefix",
            Existing,
            json!("10.10.1.0/24"),
            json!("10.10.2.0/24"),
            Rejected("azure.gateway_subnet_prefix"),
        )
        .with("azure.virtual_network_id", json!(environment.bare_network)),
        row(
            "azure.gateway_id",
            Gateways,
            json!(environment.azure_gateways[0]),
            json!(environment.azure_gateways[1]),
            Replaces,
        ),
        row(
            "azure.sku",
            Networks,
            json!("VpnGw2AZ"),
            json!("VpnGw3AZ"),
            InPlace,
        ),
        row(
            "azure.sku",
            Gateways,
            json!("VpnGw2AZ"),
            json!("VpnGw3AZ"),
            Rejected("azure.sku"),
        ),
        row(
            "azure.generation",
            Networks,
            json!("Generation2"),
            json!("Generation1"),
            Replaces,
        ),
        row(
            "azure.generation",
            Gateways,
            json!("Generation2"),
            json!("Generation1"),
            Rejected("azure.generation"),
        ),
        row("azure.asn", Networks, json!(65000), json!(65010), InPlace),
        row(
            "azure.asn",
            Gateways,
            json!(AZURE_ASN),
            json!(65010),
            Rejected("azure.asn"),
        ),
        row(
            "azure.connection_mode",
            Networks,
            json!("ResponderOnly"),
            json!("Default"),
            InPlace,
        ),
        row(
            "azure.dpd_timeout_seconds",
            Networks,
            json!(45),
            json!(60),
            InPlace,
        ),
    ];
    for (name, _) in AZURE_NAMES {
        let path = format!("azure.names.{name}");
        let other = format!("other-{}", name.replace('_', "-"));
        rows.push(row(
            &path,
            Networks,
            json!(name.replace('_', "-")),
            json!(other),
            NamesNewObjects,
        ));
    }
    rows
}

fn aws_rows(environment: &Environment) -> Vec<Row> {
    use Base::{Existing, Gateways, Networks, Transit};
    use Effect::{InPlace, NamesNewObjects, Rejected};
    let row = Row::new;
    let vpc = &environment.vpcs[0];
    let log = |name: &str| {
        json!(format!(
            "arn:aws:logs:{REGION}:123456789012:log-group:{name}"
        ))
    };
    let subnet = "aws.vpc.public_subnet_cidr_block";
    let mut rows = vec![
        row(
            "aws.region",
            Networks,
            json!(REGION),
            json!(OTHER_REGION),
            InPlace,
        ),
        row(
            "aws.vpc_id",
            Existing,
            json!(vpc.id),
            json!(environment.vpcs[1].id),
            InPlace,
        ),
        row(
            "aws.vpc.cidr_block",
            Networks,
            json!("10.2.0.0/16"),
            json!("10.3.0.0/16"),
            InPlace,
        ),
        row(subnet, Networks, Json::Null, json!("10.2.0.0/24"), InPlace),
        row(
            subnet,
            Networks,
            json!("10.2.0.0/24"),
            json!("10.2.9.0/24"),
            InPlace,
        ),
        row(
            "aws.vpn_gateway_id",
            Gateways,
            json!(environment.vpn_gateways[0]),
            json!(environment.vpn_gateways[1]),
            InPlace,
        ),
        row(
            "aws.transit_gateway_id",
            Transit,
            json!(environment.transit_gateways[0]),
            json!(environment.transit_gateways[1]),
            InPlace,
        ),
        row(
            "aws.transit_gateway_association_route_table_id",
            Transit,
            json!(environment.transit_tables[0]),
            json!(environment.transit_tables[1]),
            InPlace,
        ),
        row(
            "aws.transit_gateway_propagation_route_table_ids",
            Transit,
            json!([environment.transit_tables[0]]),
            json!(environment.transit_tables),
            InPlace,
        ),
        row(
            "aws.transit_gateway_propagation_route_table_ids",
            Transit,
            Json::Null,
            json!([environment.transit_tables[1]]),
            InPlace,
        ),
        row(
            "aws.transit_gateway_association_route_table_id",
            Transit,
            json!(environment.transit_tables[0]),
            json!(environment.far_transit_table),
            Rejected("aws.transit_gateway_association_route_table_id"),
        ),
        row("aws.asn", Networks, json!(64512), json!(64600), InPlace),
        row(
            "aws.asn",
            Gateways,
            json!(64900),
            json!(64600),
            Rejected("aws.asn"),
        ),
        row(
            "aws.asn",
            Transit,
            json!(64700),
            json!(64600),
            Rejected("aws.asn"),
        ),
        row(
            "aws.route_table_ids",
            Existing,
            json!([vpc.main_table]),
            json!([vpc.main_table, vpc.other_table]),
            InPlace,
        ),
        row(
            "aws.startup_action",
            Networks,
            json!("start"),
            json!("add"),
            InPlace,
        )
        .with("azure.connection_mode", json!("Default")),
        row(
            "aws.dpd_timeout_action",
            Networks,
            json!("restart"),
            json!("clear"),
            InPlace,
        )
        .with("azure.connection_mode", json!("Default")),
        row(
            "aws.dpd_timeout_seconds",
            Networks,
            json!(30),
            json!(40),
            InPlace,
        ),
        row(
            "aws.preshared_key_storage",
            Networks,
            json!("Standard"),
            json!("SecretsManager"),
            InPlace,
        ),
        // Off is what a create leaves out.
        row(
            "aws.tunnel_lifecycle_control",
            Networks,
            json!(false),
            json!(true),
            InPlace,
        )
        .loose(".lifecycle_control = false"),
        row(
            "aws.enable_acceleration",
            Transit,
            json!(false),
            json!(true),
            InPlace,
        ),
        row(
            "aws.tunnel_bandwidth",
            Transit,
            json!("standard"),
            json!("large"),
            InPlace,
        ),
        row(
            "aws.logs.log_group_arn",
            Networks,
            log("one"),
            log("two"),
            InPlace,
        ),
        row(
            "aws.logs.format",
            Networks,
            json!("json"),
            json!("text"),
            InPlace,
        )
        .with("aws.logs.log_group_arn", log("one")),
        row(
            "aws.logs.bgp_log_group_arn",
            Networks,
            log("one"),
            log("two"),
            InPlace,
        ),
        row(
            "aws.logs.log_group_arn",
            Networks,
            Json::Null,
            log("one"),
            InPlace,
        )
        .with("aws.logs.bgp_log_group_arn", log("two"))
        .loose(".options.logs."),
        row(
            "aws.logs.bgp_log_group_arn",
            Networks,
            Json::Null,
            log("one"),
            InPlace,
        )
        .with("aws.logs.log_group_arn", log("two"))
        .loose(".options.logs."),
        row(
            "aws.logs.bgp_format",
            Networks,
            json!("json"),
            json!("text"),
            InPlace,
        )
        .with("aws.logs.bgp_log_group_arn", log("one")),
    ];
    for (name, _) in AWS_NAMES {
        let path = format!("aws.names.{name}");
        let (from, to) = (json!(name), json!(format!("other {name}")));
        rows.push(
            row(&path, Networks, from, to, NamesNewObjects).with(subnet, json!("10.2.0.0/24")),
        );
    }
    rows
}

fn link_rows() -> Vec<Row> {
    use Base::{Gateways, Networks};
    use Effect::{InPlace, Keys, LocalOnly, ManagedOnly, NamesNewObjects};
    let row = |path: &str, from: Json, to: Json, effect| Row::new(path, Networks, from, to, effect);
    let mut rows = vec![
        row("name", json!("prod"), json!("renamed"), NamesNewObjects),
        row("slot", json!(0), json!(5), InPlace),
        row("wait_for_bgp", json!(true), json!(false), LocalOnly),
        row("rotate_keys", json!("2026-10"), json!("2026-11"), Keys),
        row(
            "on_create_failure",
            json!("keep"),
            json!("rollback"),
            LocalOnly,
        ),
        Row::new(
            "manage_gateways",
            Gateways,
            json!(false),
            json!(true),
            ManagedOnly,
        ),
        row(
            "allow_overlapping_prefixes",
            json!(false),
            json!(true),
            LocalOnly,
        ),
        row("tags", Json::Null, json!({"team": "network"}), InPlace),
        row(
            "tags",
            json!({"team": "network"}),
            json!({"team": "cloud", "cost": "4711"}),
            InPlace,
        ),
        row("preshared_keys_wo_version", json!(1), json!(2), Keys).along(
            "preshared_keys_wo",
            own_keys("first"),
            own_keys("second"),
        ),
    ];
    for key in TunnelKey::ALL {
        let own = |text: &str| json!(format!("{text}.own.key.of_{key}"));
        let keys = row(
            &format!("preshared_keys_wo.{key}"),
            own("first"),
            own("second"),
            Keys,
        );
        rows.push(keys.along("preshared_keys_wo_version", json!(1), json!(2)));
        let index = key.index();
        let cidr = |start: usize| json!(format!("169.254.21.{}/30", start + 4 * index));
        rows.push(row(
            &format!("inside_cidrs.{key}"),
            cidr(160),
            cidr(200),
            InPlace,
        ));
    }
    for (name, from, to) in [
        ("preset", json!("strong"), json!("compatible")),
        ("ike_encryption", json!("AES256"), json!("AES128")),
        ("ike_integrity", json!("SHA2-384"), json!("SHA2-256")),
        ("dh_group", json!(20), json!(14)),
        (
            "ipsec_encryption",
            json!("AES256-GCM-16"),
            json!("AES128-GCM-16"),
        ),
        ("ipsec_integrity", json!("SHA1"), json!("SHA2-256")),
        ("pfs_group", json!(20), json!(14)),
        ("ike_lifetime_seconds", json!(28800), json!(7200)),
        ("ipsec_lifetime_seconds", json!(3600), json!(900)),
    ] {
        let row = row(&format!("ipsec_policy.{name}"), from, to, InPlace);
        rows.push(if name == "ipsec_integrity" {
            row.with("ipsec_policy.ipsec_encryption", json!("AES256"))
        } else {
            row
        });
    }
    // EC2 cannot unset what a tunnel offers: the provider lists every value instead.
    rows.push(
        row(
            "ipsec_policy.preset",
            json!("strong"),
            json!("cloud_default"),
            InPlace,
        )
        .loose(".Phase"),
    );
    rows.push(row("rotate_keys", Json::Null, json!("2026-10"), Keys).back(LocalOnly));
    for name in ["create", "update", "delete", "read"] {
        rows.push(row(
            &format!("timeouts.{name}"),
            json!("3h"),
            json!("4h"),
            LocalOnly,
        ));
    }
    rows
}

fn own_keys(text: &str) -> Json {
    TunnelKey::ALL
        .map(|key| (key.to_string(), json!(format!("{text}.own.key.of_{key}"))))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into()
}
