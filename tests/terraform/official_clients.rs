//! Clients and clouds of other vendors: boto3, the Azure SDK for Python and both clouds' command
//! lines against the sandbox, and our own AWS client against moto. Then the link that the SDKs
//! built is imported.

use awsazure::aws::credentials::Endpoints;
use awsazure::aws::{self, Aws, Error, Filter, IdempotencyKey};
use awsazure::client::CallContext;
use bgp_vpn::types::{Asn, Tags};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use test_support::repository;
use test_support::terraform::python::{self, Ended};
use test_support::terraform::{Clouds, Sandbox, TestEnv, skip};

pub const SDKS: [&str; 4] = [
    "boto3==1.44.5",
    "azure-identity==1.27.0",
    "azure-mgmt-network==33.1.0",
    "azure-mgmt-resource==26.0.0",
];
/// Python that succeeds once they are all there.
pub const SDKS_READY: &str =
    "import boto3, azure.identity, azure.mgmt.network, azure.mgmt.resource.resources";
const AWS: [&str; 1] = ["awscli==1.46.3"];
const AZ: [&str; 1] = ["azure-cli==2.91.0"];
const MOTO: [&str; 1] = ["moto[server,ec2]==5.2.5"];

pub fn script(name: &str) -> PathBuf {
    repository()
        .join("tests/terraform/official_clients")
        .join(name)
}

/// Runs a client against a sandbox; it must end well. Gives what it said.
fn run(mut client: Command, sandbox: &Sandbox) -> String {
    let done = client
        .envs(sandbox.environment())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success(), "{words}");
    words
}

fn walk(env: &TestEnv, home: &Path, keep: bool) {
    let mut walk = Command::new(home.join("bin/python"));
    walk.arg(script("walk.py")).args(keep.then_some("--keep"));
    println!("{}", run(walk, env.sandbox()));
}

#[test]
fn link_built_by_official_sdks_imports_to_empty_plan() {
    let Some(home) = python::environment("strangers", &SDKS, SDKS_READY) else {
        return skip("the SDK walk (python3 with venv, or the package index, is not there)");
    };
    // Boto3's waiters ask every fifteen real seconds, and EC2 lists what is deleted for an hour.
    let Some(slow) = TestEnv::with(Clouds {
        time_scale: 150,
        ..Clouds::default()
    }) else {
        return;
    };
    walk(&slow, &home, false);
    assert!(slow.world().is_empty(), "the walk left something behind");

    let Some(env) = TestEnv::new() else { return };
    walk(&env, &home, true);
    let id_of = |kind: &str| env.world().of_kind(kind).first().unwrap().id.clone();
    let (gateway, vgw) = (id_of("virtualNetworkGateways"), id_of("vpn-gateway"));
    env.write(&format!(
        r#"
        resource "awsazure_bgp_vpn" "link" {{
          name = "VNet1GW"
          azure = {{
            resource_group_name = "TestRG1"
            virtual_network_id  = "{}"
          }}
          aws = {{ vpc_id = "{}" }}
        }}
        "#,
        id_of("virtualNetworks"),
        id_of("vpc"),
    ));
    env.import("awsazure_bgp_vpn.link", &format!("{gateway},{vgw}"));
    assert!(
        env.plan_is_empty(),
        "{}",
        env.run(&["plan", "-no-color"]).text()
    );
}

#[test]
fn aws_cli_works_against_sandbox() {
    let Some(home) = python::environment("aws-command-line", &AWS, "import awscli") else {
        return skip(
            "the aws command line (python3 with venv, or the package index, is not there)",
        );
    };
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(&folder.path().join("clouds"), Clouds::default());
    let mut client = Command::new("sh");
    client
        .arg(script("aws.sh"))
        .arg(home.join("bin/aws"))
        .env("HOME", folder.path())
        .env_remove("AWS_PROFILE");
    run(client, &sandbox);
    assert!(sandbox.world().is_empty());
}

#[test]
#[ignore = "installs 700 MB; run it with make soak"]
fn az_cli_works_against_sandbox() {
    let Some(home) = python::environment("az-command-line", &AZ, "import azure.cli.core") else {
        return skip("the az command line (python3 with venv, or the package index, is not there)");
    };
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(&folder.path().join("clouds"), Clouds::default());
    let mut client = Command::new("sh");
    client
        .arg(script("az.sh"))
        .arg(home.join("bin/az"))
        .env("HOME", folder.path());
    client
        .env("AZURE_CONFIG_DIR", folder.path().join("az"))
        .env("AZURE_CORE_COLLECT_TELEMETRY", "false");
    run(client, &sandbox);
    assert!(sandbox.world().is_empty());
}

/// A moto server on a free port, and its address.
fn moto(home: &Path) -> (Ended, String) {
    let mut server = Command::new(home.join("bin/moto_server"));
    server
        .args(["-H", "127.0.0.1", "-p", "0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut server = Ended(server.spawn().unwrap());
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let url = lines
        .find_map(|line| Some(line.ok()?.split_once("Running on ")?.1.trim().to_owned()))
        .unwrap();
    // Its further output must not block it.
    std::thread::spawn(move || lines.for_each(drop));
    (server, url)
}

/// moto keeps VPCs, gateways, customer gateways and their tags honestly; it knows nothing of
/// tunnels.
#[tokio::test]
async fn own_aws_client_works_against_moto() {
    let Some(home) = python::environment("moto", &MOTO, "import moto.server, moto.ec2, flask")
    else {
        return skip("moto (python3 with venv, or the package index, is not there)");
    };
    let (_server, url) = moto(&home);
    let settings = aws::Settings {
        access_key: Some("AKIAEXAMPLE".to_owned()),
        secret_key: Some("secret".to_owned()),
        region: Some("eu-west-1".to_owned()),
        endpoints: Endpoints {
            ec2: Some(url.clone()),
            sts: Some(url),
        },
        ..aws::Settings::default()
    };
    let ctx = CallContext::with_timeout(Duration::from_secs(60));
    let ec2 = Aws::new(settings).region(&ctx, None).await.unwrap();
    let tags = |name: &str| {
        Tags::from([
            ("Name".to_owned(), name.to_owned()),
            ("odd".to_owned(), "a=b&c d/é+,".to_owned()),
        ])
    };

    let own = tags("network");
    let vpc = ec2
        .create_vpc(
            &ctx,
            "10.2.0.0/16".parse().unwrap(),
            &own,
            IdempotencyKey::new(&own),
        )
        .await
        .unwrap();
    assert_eq!(
        (vpc.cidr.to_string(), &vpc.tags),
        ("10.2.0.0/16".to_owned(), &own)
    );
    let found = ec2.describe_vpcs(&ctx, &Filter::tags(&own)).await.unwrap();
    assert_eq!(
        found.iter().map(|vpc| &vpc.id).collect::<Vec<_>>(),
        [&vpc.id]
    );

    let own = tags("gateway");
    let gateway = ec2
        .create_vpn_gateway(&ctx, Asn(4_200_000_001), &own, IdempotencyKey::new(&own))
        .await
        .unwrap();
    assert_eq!((gateway.asn, &gateway.tags), (Asn(4_200_000_001), &own));
    ec2.attach_vpn_gateway(&ctx, &gateway.id, &vpc.id)
        .await
        .unwrap();
    ec2.wait_vpn_gateway_attached(&ctx, &gateway.id, &vpc.id)
        .await
        .unwrap();

    let own = tags("customer");
    let ip = "20.0.0.4".parse().unwrap();
    let customer = ec2
        .create_customer_gateway(&ctx, ip, Asn(65_000), "azure-0", &own)
        .await
        .unwrap();
    assert_eq!(
        (customer.ip, customer.asn, &customer.tags),
        (ip, Asn(65_000), &own)
    );

    let (id, more) = (
        customer.id.to_string(),
        Tags::from([("team".to_owned(), "network".to_owned())]),
    );
    ec2.create_tags(&ctx, std::slice::from_ref(&id), &more)
        .await
        .unwrap();
    ec2.delete_tags(&ctx, &[id], &["odd".to_owned()])
        .await
        .unwrap();
    let found = ec2
        .describe_customer_gateways(&ctx, &Filter::id(&customer.id))
        .await
        .unwrap();
    let expected = Tags::from([
        ("Name".to_owned(), "customer".to_owned()),
        ("team".to_owned(), "network".to_owned()),
    ]);
    assert_eq!(found.first().map(|gateway| &gateway.tags), Some(&expected));

    ec2.delete_customer_gateway(&ctx, &customer.id)
        .await
        .unwrap();
    ec2.detach_vpn_gateway(&ctx, &gateway.id, &vpc.id)
        .await
        .unwrap();
    ec2.delete_vpn_gateway(&ctx, &gateway.id).await.unwrap();
    ec2.delete_vpc(&ctx, &vpc.id).await.unwrap();
    assert!(
        ec2.describe_vpcs(&ctx, &Filter::id(&vpc.id))
            .await
            .unwrap()
            .is_empty()
    );
    let again = ec2.attach_vpn_gateway(&ctx, &gateway.id, &vpc.id).await;
    assert!(matches!(again, Err(Error::NotFound(_))), "{again:?}");
}
