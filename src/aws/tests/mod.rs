//! The calls through the real SDK, against answers held in memory, under a paused clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod credential_sources;
mod credentials;
mod fake_endpoint;
mod hostile;
mod lost_response;
mod waits;

use super::credentials::AssumeRole;
use super::model::{
    CustomerGatewayId, KeyStorage, LogGroup, Logs, TargetGateway, TunnelOptions, VpnConnectionId,
    VpnGatewayId,
};
use super::{
    Aws, ClientOverrides, Ec2, Error, Filter, IdempotencyKey, NewConnection, Settings,
    TokioTimeSource, VpnConnectionOptions,
};
use crate::client::CallContext;
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
