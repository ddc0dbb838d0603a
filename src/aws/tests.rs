//! The calls through the real SDK, against answers held in memory, under a paused clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod hostile;

use super::model::{
    CustomerGatewayId, KeyStorage, LogGroup, Logs, TargetGateway, TunnelOptions, VpnConnectionId,
    VpnGatewayId,
};
use super::settings::AssumeRole;
use super::{
    Aws, CallContext, ClientOverrides, Ec2, Error, Filter, IdempotencyKey, NewConnection, Settings,
    TokioTimeSource, VpnConnectionOptions,
};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

const KEY: &str = "Secret.Key_of_tunnel_one";

enum Reply {
    Xml(u16, String),
    Lost,
    Hang,
}

type Script = Box<dyn Fn(&str, usize) -> Reply + Send + Sync>;

/// Answers by action and by how many calls of that action came before; keeps all bodies.
#[derive(Clone)]
struct Cloud {
    script: Arc<Script>,
    calls: Arc<Mutex<Vec<(String, String)>>>,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let action = body
            .split("Action=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        let before = self.count(&action);
        self.calls.lock().unwrap().push((action.clone(), body));
        let reply = (self.script)(&action, before);
        HttpConnectorFuture::new(async move {
            match reply {
                Reply::Xml(status, body) => Ok(HttpResponse::new(
                    status.try_into().unwrap(),
                    SdkBody::from(body),
                )),
                Reply::Lost => Err(ConnectorError::io("connection reset by peer".into())),
                Reply::Hang => std::future::pending().await,
            }
        })
    }
}

impl Cloud {
    fn new(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        Cloud {
            script: Arc::new(Box::new(script)),
            calls: Arc::default(),
        }
    }

    fn count(&self, action: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|(one, _)| one == action)
            .count()
    }

    async fn ec2(&self) -> Ec2 {
        let settings = Settings {
            access_key: Some("AKIATEST".to_owned()),
            secret_key: Some("secret".to_owned()),
            region: Some("eu-west-1".to_owned()),
            ..Settings::default()
        };
        self.ec2_with(settings).await.unwrap()
    }

    async fn ec2_with(&self, settings: Settings) -> Result<Ec2, Error> {
        let connector = self.clone();
        let http: SharedHttpClient =
            http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
        let time = SharedTimeSource::new(TokioTimeSource::starting(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30),
        ));
        let aws = Aws::with(
            settings,
            ClientOverrides {
                http: Some(http),
                sleep: None,
                time: Some(time),
                seed: Some(1),
            },
        );
        aws.region(&an_hour(), None).await
    }
}

fn an_hour() -> CallContext {
    CallContext::with_timeout(Duration::from_secs(3600))
}

fn ok(action: &str, inner: &str) -> Reply {
    let ns = "http://ec2.amazonaws.com/doc/2016-11-15/";
    Reply::Xml(
        200,
        format!(
            r#"<{action}Response xmlns="{ns}"><requestId>r-1</requestId>{inner}</{action}Response>"#
        ),
    )
}

fn fault(status: u16, code: &str, message: &str) -> Reply {
    Reply::Xml(
        status,
        format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>req-77</RequestID></Response>"
        ),
    )
}

fn vgw(state: &str) -> String {
    format!(
        "<vpnGatewayId>vgw-1</vpnGatewayId><state>{state}</state><amazonSideAsn>64512</amazonSideAsn>"
    )
}

fn described_vgw(state: &str) -> Reply {
    ok(
        "DescribeVpnGateways",
        &format!("<vpnGatewaySet><item>{}</item></vpnGatewaySet>", vgw(state)),
    )
}

fn made_vgw() -> Reply {
    ok(
        "CreateVpnGateway",
        &format!("<vpnGateway>{}</vpnGateway>", vgw("pending")),
    )
}

fn link() -> Tags {
    Tags::from([("awsazure:link".to_owned(), "abc".to_owned())])
}

async fn create_vgw(cloud: &Cloud) -> Result<super::model::VpnGateway, Error> {
    let tags = link();
    cloud
        .ec2()
        .await
        .create_vpn_gateway(&an_hour(), Asn(64512), &tags, IdempotencyKey::new(&tags))
        .await
}

/// A create whose response was lost is looked up and not sent again.
#[tokio::test(start_paused = true)]
async fn find_created_object_after_lost_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => Reply::Lost,
        // Eventual consistency: unknown at first.
        ("DescribeVpnGateways", 0 | 1) => ok(action, "<vpnGatewaySet/>"),
        ("DescribeVpnGateways", _) => described_vgw("pending"),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        create_vgw(&cloud).await.unwrap().id,
        VpnGatewayId("vgw-1".to_owned())
    );
    assert_eq!(cloud.count("CreateVpnGateway"), 1);
    let calls = cloud.calls.lock().unwrap();
    assert!(
        calls[1].1.contains("Filter.1.Name=tag%3Aawsazure%3Alink"),
        "{}",
        calls[1].1
    );
}

/// A create without effect is sent again, after lookups during ten seconds found no object.
#[tokio::test(start_paused = true)]
async fn resend_create_after_ten_seconds_of_lookup() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => fault(500, "InternalError", "An internal error has occurred"),
        ("CreateVpnGateway", 1) => made_vgw(),
        ("DescribeVpnGateways", _) => ok(action, "<vpnGatewaySet/>"),
        other => panic!("{other:?}"),
    });
    let begun = Instant::now();
    create_vgw(&cloud).await.unwrap();
    assert_eq!(
        (
            cloud.count("CreateVpnGateway"),
            cloud.count("DescribeVpnGateways")
        ),
        (2, 5)
    );
    assert!(
        begun.elapsed() >= Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn ignore_older_object_with_same_tags() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0) => Reply::Lost,
        ("CreateVpnGateway", 1) => ok(
            action,
            "<vpnGateway><vpnGatewayId>vgw-2</vpnGatewayId></vpnGateway>",
        ),
        ("DescribeVpnGateways", _) => described_vgw("available"),
        other => panic!("{other:?}"),
    });
    let (tags, known) = (link(), ["vgw-1".to_owned()]);
    let own = IdempotencyKey {
        tags: &tags,
        known_ids: &known,
    };
    let made = cloud
        .ec2()
        .await
        .create_vpn_gateway(&an_hour(), Asn(64512), &tags, own)
        .await
        .unwrap();
    assert_eq!(made.id.0, "vgw-2");
}

/// A throttled create is retried without a lookup; a rejected one is not retried.
#[tokio::test(start_paused = true)]
async fn retry_throttled_create_without_lookup() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("CreateVpnGateway", 0..3) => fault(503, "RequestLimitExceeded", "Request limit exceeded."),
        ("CreateVpnGateway", 3) => made_vgw(),
        ("CreateVpnGateway", _) => fault(
            400,
            "VpnGatewayLimitExceeded",
            "The maximum number is reached",
        ),
        other => panic!("{other:?}"),
    });
    create_vgw(&cloud).await.unwrap();
    assert_eq!(cloud.count("CreateVpnGateway"), 4);
    let error = create_vgw(&cloud).await.unwrap_err();
    assert!(
        matches!(&error, Error::Quota(context) if context.request_id == "req-77"),
        "{error}"
    );
    assert_eq!(cloud.count("CreateVpnGateway"), 5);
}

#[tokio::test(start_paused = true)]
async fn recover_from_hang_and_malformed_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("DescribeVpnGateways", 0) => Reply::Hang,
        ("DescribeVpnGateways", 1) => {
            Reply::Xml(200, "<DescribeVpnGatewaysResponse><vpnGate".to_owned())
        }
        ("DescribeVpnGateways", 2) => Reply::Xml(502, "<html>bad gateway</html>".to_owned()),
        ("DescribeVpnGateways", _) => described_vgw("available"),
        other => panic!("{other:?}"),
    });
    let begun = Instant::now();
    let found = cloud
        .ec2()
        .await
        .describe_vpn_gateways(&an_hour(), &Filter::id("vgw-1"))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        (30..40).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn tolerate_not_found_of_new_object_for_limited_time() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("DescribeVpnGateways", 0..3) => ok(action, "<vpnGatewaySet/>"),
        ("DescribeVpnGateways", 3..6) => described_vgw("pending"),
        ("DescribeVpnGateways", 6) => described_vgw("a-new-word"),
        ("DescribeVpnGateways", 7) => described_vgw("available"),
        ("DescribeVpnGateways", _) => ok(action, "<vpnGatewaySet/>"),
        other => panic!("{other:?}"),
    });
    let (ec2, id) = (cloud.ec2().await, VpnGatewayId("vgw-1".to_owned()));
    ec2.wait_vpn_gateway_available(&an_hour(), &id)
        .await
        .unwrap();
    let begun = Instant::now();
    assert!(matches!(
        ec2.wait_vpn_gateway_available(&an_hour(), &id).await,
        Err(Error::NotFound(_))
    ));
    assert!(
        (30..40).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn cancellation_ends_wait_during_hanging_call() {
    let cloud = Cloud::new(|_, before| {
        if before < 5 {
            described_vgw("pending")
        } else {
            Reply::Hang
        }
    });
    let (ec2, ctx) = (cloud.ec2().await, an_hour());
    let cancel = ctx.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        cancel.cancel();
    });
    let begun = Instant::now();
    let id = VpnGatewayId("vgw-1".to_owned());
    assert!(matches!(
        ec2.wait_vpn_gateway_available(&ctx, &id).await,
        Err(Error::Cancelled(_))
    ));
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn timeout_reports_last_observed_state() {
    let cloud = Cloud::new(|_, _| described_vgw("pending"));
    let id = VpnGatewayId("vgw-1".to_owned());
    let ctx = CallContext::with_timeout(Duration::from_secs(90));
    let error = cloud
        .ec2()
        .await
        .wait_vpn_gateway_available(&ctx, &id)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)));
    assert!(error.to_string().contains("Pending"), "{error}");
}

/// Two tunnels, the telemetry in the opposite order.
fn connection(state: &str) -> Reply {
    let tunnel = |ip: &str, cidr: &str, key: &str| {
        format!(
            "<item><outsideIpAddress>{ip}</outsideIpAddress><tunnelInsideCidr>{cidr}</tunnelInsideCidr>\
             <preSharedKey>{key}</preSharedKey><startupAction>start</startupAction></item>"
        )
    };
    let seen = |ip: &str, status: &str, routes: u8| {
        format!(
            "<item><outsideIpAddress>{ip}</outsideIpAddress><status>{status}</status>\
             <acceptedRouteCount>{routes}</acceptedRouteCount><statusMessage>m</statusMessage></item>"
        )
    };
    let tunnels = tunnel("3.3.3.3", "169.254.22.0/30", "Other.Key_of_tunnel")
        + &tunnel("9.9.9.9", "169.254.21.0/30", KEY);
    let telemetry = seen("9.9.9.9", "UP", 2) + &seen("3.3.3.3", "DOWN", 0);
    ok(
        "DescribeVpnConnections",
        &format!(
            "<vpnConnectionSet><item><vpnConnectionId>vpn-1</vpnConnectionId><state>{state}</state>\
             <customerGatewayId>cgw-1</customerGatewayId><vpnGatewayId>vgw-1</vpnGatewayId><options>\
             <staticRoutesOnly>false</staticRoutesOnly><tunnelOptionSet>{tunnels}</tunnelOptionSet></options>\
             <vgwTelemetry>{telemetry}</vgwTelemetry></item></vpnConnectionSet>"
        ),
    )
}

/// No key is shown.
#[tokio::test(start_paused = true)]
async fn match_telemetry_by_address_in_any_order() {
    let cloud =
        Cloud::new(|_, before| connection(if before < 3 { "pending" } else { "available" }));
    let id = VpnConnectionId("vpn-1".to_owned());
    let found = cloud
        .ec2()
        .await
        .wait_vpn_connection_available(&an_hour(), &id, true)
        .await
        .unwrap();
    let first = found
        .tunnels
        .iter()
        .find(|one| one.inside_cidr == "169.254.21.0/30".parse().ok())
        .unwrap();
    assert_eq!(first.outside_ip.to_string(), "9.9.9.9");
    assert_eq!(first.key, Some(PreSharedKey::from_cloud(KEY)));
    let telemetry = first.telemetry.as_ref().unwrap();
    assert!(telemetry.up && telemetry.accepted_routes == 2);
    assert_eq!(first.options.dpd_timeout_seconds, None);
    assert!(!format!("{found:?}").contains(KEY));
}

/// Key storage is derived from what EC2 returns of the key, not from the secret alone.
#[tokio::test(start_paused = true)]
async fn detect_key_storage_by_visible_key() {
    let secret =
        "<preSharedKeyArn>arn:aws:secretsmanager:eu-west-1:1:secret:s</preSharedKeyArn><options>";
    let group = "<logGroupArn>arn:aws:logs:eu-west-1:1:log-group:vpn:*</logGroupArn>";
    let cloud = Cloud::new(move |_, _| {
        let Reply::Xml(status, body) = connection("available") else {
            unreachable!()
        };
        let logs = format!(
            "<logOptions><cloudWatchLogOptions><logEnabled>true</logEnabled>{group}<bgpLogEnabled>false</bgpLogEnabled>\
             <bgpLogGroupArn>x</bgpLogGroupArn></cloudWatchLogOptions></logOptions><startupAction>"
        );
        let body = body
            .replace("<options>", secret)
            .replace(KEY, "REDACTED")
            .replacen("<startupAction>", &logs, 1);
        Reply::Xml(status, body)
    });
    let id = VpnConnectionId("vpn-1".to_owned());
    let begun = Instant::now();
    let found = cloud
        .ec2()
        .await
        .wait_vpn_connection_available(&an_hour(), &id, true)
        .await
        .unwrap();
    assert_eq!(
        begun.elapsed(),
        Duration::ZERO,
        "a key that Secrets Manager has will never be shown"
    );
    let [other, first] = found.tunnels.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (first.key.as_ref(), first.key_storage),
        (None, Some(KeyStorage::SecretsManager))
    );
    assert_eq!(other.key_storage, Some(KeyStorage::Standard));
    let arn = "arn:aws:logs:eu-west-1:1:log-group:vpn".to_owned();
    let logs = Logs {
        tunnel: Some(LogGroup {
            arn,
            format: "json".to_owned(),
        }),
        bgp: None,
    };
    assert_eq!(
        (&other.options.logs, &first.options.logs),
        (&Some(logs), &None)
    );
}

#[tokio::test(start_paused = true)]
async fn resend_hidden_key_after_lost_response() {
    let cloud = Cloud::new(|action, before| match action {
        "ModifyVpnTunnelOptions" if before == 0 => Reply::Lost,
        "ModifyVpnTunnelOptions" => ok("ModifyVpnTunnelOptions", ""),
        _ => {
            let Reply::Xml(status, body) = connection("available") else {
                unreachable!()
            };
            Reply::Xml(status, body.replace(KEY, "REDACTED"))
        }
    });
    let (id, ip) = (
        VpnConnectionId("vpn-1".to_owned()),
        "9.9.9.9".parse().unwrap(),
    );
    let wanted = TunnelOptions {
        key: Some(PreSharedKey::from_cloud(KEY)),
        key_storage: Some(KeyStorage::SecretsManager),
        ..TunnelOptions::default()
    };
    let ec2 = cloud.ec2().await;
    ec2.modify_tunnel(&an_hour(), &id, ip, &wanted)
        .await
        .unwrap();
    let sent = |call: &&(String, String)| {
        call.0 == "ModifyVpnTunnelOptions" && call.1.contains("SecretsManager")
    };
    assert_eq!(cloud.calls.lock().unwrap().iter().filter(sent).count(), 2);
    let begun = Instant::now();
    ec2.wait_tunnel_modified(&an_hour(), &id, ip, &wanted)
        .await
        .unwrap();
    assert!(
        begun.elapsed() >= Duration::from_secs(5),
        "it may still be on its way"
    );
}

#[tokio::test(start_paused = true)]
async fn redact_key_quoted_in_error() {
    let cloud = Cloud::new(|_, _| {
        fault(
            400,
            "InvalidParameterValue",
            &format!("PreSharedKey {KEY} is not valid"),
        )
    });
    let with_key = TunnelOptions {
        key: Some(PreSharedKey::from_cloud(KEY)),
        ..TunnelOptions::default()
    };
    let (tags, target) = (
        link(),
        TargetGateway::VpnGateway(VpnGatewayId("vgw-1".to_owned())),
    );
    let cgw = CustomerGatewayId("cgw-1".to_owned());
    let tunnels = [with_key, TunnelOptions::default()];
    let (ec2, ctx, options) = (
        cloud.ec2().await,
        an_hour(),
        VpnConnectionOptions::default(),
    );
    let own = IdempotencyKey::new(&tags);
    let new = NewConnection {
        customer_gateway: &cgw,
        target: &target,
        tunnels: &tunnels,
        options: &options,
        tags: &tags,
        idempotency: own,
    };
    let error = ec2.create_vpn_connection(&ctx, &new).await.unwrap_err();
    assert!(
        cloud.calls.lock().unwrap()[0].1.contains(KEY),
        "the key must be sent"
    );
    assert!(matches!(error, Error::Rejected(_)));
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
}

#[tokio::test(start_paused = true)]
async fn do_not_repeat_tunnel_change_after_lost_response() {
    let cloud = Cloud::new(|action, before| match (action, before) {
        ("ModifyVpnTunnelOptions", 0) => Reply::Lost,
        ("DescribeVpnConnections", 0) => connection("available"),
        ("DescribeVpnConnections", 1) => connection("modifying"),
        other => panic!("{other:?}"),
    });
    let wanted = TunnelOptions {
        startup_action: Some("add".to_owned()),
        ..TunnelOptions::default()
    };
    let (ec2, id) = (cloud.ec2().await, VpnConnectionId("vpn-1".to_owned()));
    ec2.modify_tunnel(&an_hour(), &id, "9.9.9.9".parse().unwrap(), &wanted)
        .await
        .unwrap();
    assert_eq!(cloud.count("ModifyVpnTunnelOptions"), 1);
}

/// Deleting an absent object succeeds; one in use is reported after some retries.
#[tokio::test(start_paused = true)]
async fn delete_succeeds_if_absent_and_reports_in_use() {
    let cloud = Cloud::new(|action, _| match action {
        "DeleteVpnGateway" => fault(400, "InvalidVpnGatewayID.NotFound", "no such gateway"),
        _ => fault(400, "DependencyViolation", "has dependencies"),
    });
    let (ec2, ctx) = (cloud.ec2().await, an_hour());
    ec2.delete_vpn_gateway(&ctx, &VpnGatewayId("vgw-1".to_owned()))
        .await
        .unwrap();
    let begun = Instant::now();
    let kept = ec2
        .delete_vpc(&ctx, &super::model::VpcId("vpc-1".to_owned()))
        .await;
    assert!(matches!(kept, Err(Error::DependencyViolation(_))));
    assert!(
        (120..150).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn every_call_is_send() {
    let cloud = Cloud::new(|_, _| described_vgw("available"));
    let ec2 = cloud.ec2().await;
    let task = tokio::spawn(async move {
        let (ctx, id, tags) = (an_hour(), VpnGatewayId("vgw-1".to_owned()), link());
        if false {
            ec2.create_vpn_gateway(&ctx, Asn(1), &tags, IdempotencyKey::new(&tags))
                .await
                .map(drop)?;
            let connection = VpnConnectionId("vpn-1".to_owned());
            ec2.modify_tunnel(
                &ctx,
                &connection,
                [1, 1, 1, 1].into(),
                &TunnelOptions::default(),
            )
            .await?;
            ec2.wait_vpn_connection_available(&ctx, &connection, true)
                .await
                .map(drop)?;
        }
        ec2.wait_vpn_gateway_available(&ctx, &id).await.map(drop)
    });
    task.await.unwrap().unwrap();
}

fn in_two_roles() -> Settings {
    let role = |name: &str| AssumeRole {
        role_arn: format!("arn:aws:iam::1:role/{name}"),
        ..AssumeRole::default()
    };
    Settings {
        access_key: Some("AKIATEST".to_owned()),
        secret_key: Some("secret".to_owned()),
        region: Some("eu-west-1".to_owned()),
        assume_role: vec![role("hub"), role("spoke")],
        ..Settings::default()
    }
}

#[tokio::test(start_paused = true)]
async fn assume_roles_in_sequence_once() {
    let cloud = Cloud::new(|action, before| match action {
        "AssumeRole" => Reply::Xml(
            200,
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
                 <AccessKeyId>ASIA{before}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        ),
        _ => described_vgw("available"),
    });
    let ec2 = cloud.ec2_with(in_two_roles()).await.unwrap();
    for _ in 0..3 {
        ec2.describe_vpn_gateways(&an_hour(), &Filter::default())
            .await
            .unwrap();
    }
    assert_eq!(cloud.count("AssumeRole"), 2);
    let calls = cloud.calls.lock().unwrap();
    assert!(
        calls[0].1.contains("role%2Fhub") && calls[1].1.contains("role%2Fspoke"),
        "{calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn report_rejected_role_with_attempted_sources() {
    let cloud = Cloud::new(|_, _| {
        Reply::Xml(
            403,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>AccessDenied</Code><Message>not allowed to assume hub</Message></Error></ErrorResponse>"
                .to_owned(),
        )
    });
    let ec2 = cloud.ec2_with(in_two_roles()).await.unwrap();
    let error = ec2
        .describe_vpn_gateways(&an_hour(), &Filter::default())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    let words = error.to_string();
    assert!(
        words.contains("AccessDenied") && words.contains("AWS_PROFILE"),
        "{words}"
    );
    assert_eq!(cloud.count("DescribeVpnGateways"), 0);
}

#[tokio::test(start_paused = true)]
async fn reject_disallowed_account_first() {
    let cloud = Cloud::new(|action, _| {
        assert_eq!(action, "GetCallerIdentity");
        Reply::Xml(
            200,
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111111111111</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned(),
        )
    });
    let allowed_account_ids = vec!["222222222222".to_owned()];
    let settings = Settings {
        allowed_account_ids,
        assume_role: Vec::new(),
        ..in_two_roles()
    };
    let error = cloud.ec2_with(settings).await.err().unwrap();
    assert!(
        error.to_string().contains("aws.allowed_account_ids"),
        "{error}"
    );
}
