//! What a person reads who waits for a create at log level INFO.

use serde_json::json;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::log_recorder::{record_log, take_log};
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};

/// Every minute of a create has a line: what is awaited, since when, how long it usually takes and
/// what comes next.
#[test]
fn create_logs_what_it_waits_for() {
    simulated(|| async {
        let sim = Sim::new(93);
        let wanted = json!({
            "name": "prod",
            "azure": {
                "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope",
                "virtual_network": {"name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.255.0/27"},
            },
            "aws": {"vpc": {"cidr_block": "10.2.0.0/16"}},
        });
        let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
        let recording = record_log();
        core.run(&Run::Apply).await.unwrap();
        drop(recording);
        let log = take_log();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("message=waiting "))
            .collect();
        let of = |what: &str| -> Vec<&&str> {
            let operation = format!(" for {what} ");
            lines
                .iter()
                .filter(|line| line.contains(&operation))
                .collect()
        };
        let gateway = of("the creation of the Azure gateway");
        assert!((20..=50).contains(&gateway.len()), "{lines:#?}");
        for (minute, line) in gateway.iter().enumerate().skip(1).take(15) {
            let waited = [minute, minute + 1].map(|minutes| format!("waiting {minutes}m "));
            assert!(waited.iter().any(|words| line.contains(words)), "{line}");
            assert!(
                line.contains("prod-gateway, usually 25m to 45m; next: Azure connections"),
                "{line}"
            );
        }
        for what in [
            "the creation of the Azure connection",
            "the creation of the VPN connection",
        ] {
            let lines = of(what);
            assert!(!lines.is_empty(), "{what}");
            assert!(
                lines.iter().all(|line| line.contains(", usually ")),
                "{lines:#?}"
            );
        }
        assert!(lines.len() < 120, "{} lines", lines.len());
    });
}
