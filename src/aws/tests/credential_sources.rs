//! Every source of the documented order, through the real transport and with real files. The
//! environment cannot be changed in this process: `probe` runs in another one.

use super::fake_endpoint::FakeEndpoint;
use super::*;
use crate::aws::credentials::{AssumeRoleWithWebIdentity, ORDER, Source};
use std::process::Command;

const PROBE: &str = "aws::tests::credential_sources::probe";

/// Settings from the variables of a test, and one call to EC2.
#[tokio::test]
async fn probe() {
    if std::env::var_os("PROBE").is_none() {
        return;
    }
    let text = |name: &str| std::env::var(name).ok();
    let identity = text("PROBE_TOKEN_FILE").map(|file| AssumeRoleWithWebIdentity {
        role_arn: Some("arn:aws:iam::1:role/block".to_owned()),
        web_identity_token_file: Some(file),
        ..AssumeRoleWithWebIdentity::default()
    });
    let settings = Settings {
        access_key: text("PROBE_KEY"),
        secret_key: text("PROBE_KEY"),
        profile: text("PROBE_PROFILE"),
        region: Some("eu-west-1".to_owned()),
        assume_role_with_web_identity: identity,
        ec2_metadata_service_endpoint: text("PROBE_METADATA"),
        ..Settings::default()
    };
    let overrides = ClientOverrides {
        http: text("PROBE_HOST").map(|_| http_client_fn(|_, _| SharedHttpConnector::new(Hosts))),
        ..ClientOverrides::default()
    };
    let settings = Settings {
        use_fips_endpoint: text("PROBE_FIPS").map(|on| on == "true"),
        use_dualstack_endpoint: text("PROBE_DUAL").map(|on| on == "true"),
        ..settings
    };
    let called = async {
        let ec2 = Aws::with(settings, overrides)
            .region(&an_hour(), None)
            .await?;
        ec2.describe_vpn_gateways(&an_hour(), &Filter::default())
            .await
    };
    if let Err(error) = called.await {
        println!("PROBE ERROR {error}");
    }
}

/// Prints the host that is called.
#[derive(Debug)]
struct Hosts;

impl HttpConnector for Hosts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        println!("PROBE HOST {}", request.uri());
        let xml = "<Response><Errors><Error><Code>X</Code><Message>m</Message></Error></Errors></Response>";
        let refused = HttpResponse::new(400.try_into().unwrap(), SdkBody::from(xml));
        HttpConnectorFuture::ready(Ok(refused))
    }
}

struct World {
    endpoint: FakeEndpoint,
    folder: tempfile::TempDir,
}

const PROFILES: &str = "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=s\n\
    [profile keys]\naws_access_key_id=PROFILE\naws_secret_access_key=s\n\
    [profile empty]\nregion=eu-west-1\n\
    [profile process]\ncredential_process=HOME/process\n\
    [profile chain]\nrole_arn=arn:aws:iam::1:role/b\nsource_profile=first\n\
    [profile first]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=keys\n\
    [profile sso]\nsso_session=corp\nsso_account_id=111111111111\nsso_role_name=net\n\
    [sso-session corp]\nsso_region=eu-west-1\nsso_start_url=https://corp.example/start\n\
    [profile gov]\nuse_fips_endpoint=true\nuse_dualstack_endpoint=true\n\
    aws_access_key_id=PROFILE\naws_secret_access_key=s\n\
    [profile login]\nlogin_session=arn:aws:iam::0123456789012:user/Admin\n";

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let write = |path: &str, text: &str| {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let home_text = home.display().to_string();
        write("config", &PROFILES.replace("HOME", &home_text));
        write(
            "process",
            "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"PROCESS\",\"SecretAccessKey\":\"s\"}'\n",
        );
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(home.join("process"), mode).unwrap();
        write("token", "jwt-of-pod\n");
        write("pod-token", "pod-token");
        // Named by the SHA-1 of "corp" and the SHA-256 of the session's ARN.
        write(
            ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
            SSO_TOKEN,
        );
        write(
            ".aws/login/cache/36db1d138ff460920374e4c3d8e01f53f9f73537e89c88d639f68393df0e2726.json",
            LOGIN_TOKEN,
        );
        World {
            endpoint: FakeEndpoint::start(),
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The access key that EC2 was called with, or the error.
    fn key(&self, variables: &[(&str, &str)]) -> String {
        self.endpoint.keys.lock().unwrap().clear();
        let run = Command::new(std::env::current_exe().unwrap())
            .args([PROBE, "--exact", "--nocapture"])
            .env_clear()
            .env("PROBE", "1")
            .env("HOME", self.folder.path())
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_CONFIG_FILE", self.path("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("none"))
            .env("AWS_ENDPOINT_URL", &self.endpoint.url)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        match self.endpoint.keys.lock().unwrap().last() {
            Some(key) => key.clone(),
            None => said,
        }
    }

    /// What completes a source.
    fn complete(&self, source: Source) -> Vec<(&'static str, String)> {
        let text = str::to_owned;
        match source {
            Source::Keys => vec![("PROBE_KEY", text("BLOCK"))],
            Source::WebIdentity => vec![("PROBE_TOKEN_FILE", self.path("token"))],
            Source::NamedProfile => vec![("PROBE_PROFILE", text("keys"))],
            Source::EnvironmentKeys => vec![
                ("AWS_ACCESS_KEY_ID", text("ENVIRONMENT")),
                ("AWS_SECRET_ACCESS_KEY", text("s")),
            ],
            Source::EnvironmentWebIdentity => vec![
                ("AWS_WEB_IDENTITY_TOKEN_FILE", self.path("token")),
                ("AWS_ROLE_ARN", text("arn:aws:iam::1:role/pod")),
            ],
            Source::Profile => vec![],
            Source::Container => vec![
                (
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    format!("{}/container", self.endpoint.url),
                ),
                (
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                    self.path("pod-token"),
                ),
            ],
            Source::Instance => vec![
                ("AWS_EC2_METADATA_DISABLED", text("false")),
                ("PROBE_METADATA", self.endpoint.url.clone()),
            ],
        }
    }
}

const SSO_TOKEN: &str = r#"{"accessToken":"sso","expiresAt":"2099-01-01T00:00:00Z","region":"eu-west-1",
    "startUrl":"https://corp.example/start"}"#;
const LOGIN_TOKEN: &str = r#"{"accessToken":{"accessKeyId":"LOGIN","secretAccessKey":"s","sessionToken":"t",
    "accountId":"012345678901","expiresAt":"2099-01-01T00:00:00Z"},"tokenType":"aws_sigv4","refreshToken":"r",
    "idToken":"i","clientId":"arn:aws:signin:::devtools/same-device",
    "dpopKey":"-----BEGIN EC PRIVATE KEY-----\ntest\n-----END EC PRIVATE KEY-----\n"}"#;

/// Each row is complete, and all rows after it are too.
#[test]
fn use_first_complete_source_in_documented_order() {
    let world = World::new();
    let keys = [
        "BLOCK",
        "WEBIDENTITY",
        "PROFILE",
        "ENVIRONMENT",
        "WEBIDENTITY",
        "DEFAULT",
        "CONTAINER",
        "INSTANCE",
    ];
    for (row, key) in keys.into_iter().enumerate() {
        let complete = ORDER[row..].iter();
        let mut variables: Vec<_> = complete.flat_map(|(it, _)| world.complete(*it)).collect();
        if row > 5 {
            variables.push(("AWS_CONFIG_FILE", world.path("none")));
        }
        let variables: Vec<_> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(world.key(&variables), key, "{}", ORDER[row].1.name);
    }
}

#[test]
fn profile_uses_every_kind_of_credentials() {
    let world = World::new();
    let kinds = [
        ("keys", "PROFILE"),
        ("process", "PROCESS"),
        ("chain", "ROLEOFROLEOFPROFILE"),
        ("sso", "SSO"),
        ("login", "LOGIN"),
    ];
    for (profile, key) in kinds {
        assert_eq!(world.key(&[("AWS_PROFILE", profile)]), key, "{profile}");
        assert_eq!(world.key(&[("PROBE_PROFILE", profile)]), key, "{profile}");
    }
    assert_eq!(world.key(&[("AWS_DEFAULT_PROFILE", "keys")]), "PROFILE");
}

#[test]
fn web_identity_sends_role_and_token_of_file() {
    let world = World::new();
    let of = |source| {
        let variables = world.complete(source);
        let variables: Vec<_> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
        world.key(&variables);
        world.endpoint.sts.lock().unwrap().pop().unwrap()
    };
    let (block, pod) = (of(Source::WebIdentity), of(Source::EnvironmentWebIdentity));
    assert!(block.contains("role%2Fblock"), "{block}");
    assert!(pod.contains("role%2Fpod"), "{pod}");
    assert!(
        pod.contains("WebIdentityToken=jwt-of-pod&") || pod.ends_with("jwt-of-pod"),
        "{pod}"
    );
}

/// The attribute `profile` wins over the environment even without credentials in the profile.
#[test]
fn named_profile_without_credentials_uses_container() {
    let world = World::new();
    let mut variables = world.complete(Source::Container);
    variables.extend(world.complete(Source::EnvironmentKeys));
    variables.push(("PROBE_PROFILE", "empty".to_owned()));
    let variables: Vec<_> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    assert_eq!(world.key(&variables), "CONTAINER");
}

#[test]
fn reject_profile_that_does_not_exist() {
    let world = World::new();
    let mut variables = world.complete(Source::Container);
    variables.push(("AWS_PROFILE", "gone".to_owned()));
    let variables: Vec<_> = variables.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let said = world.key(&variables);
    assert!(
        said.contains("AWS_PROFILE: the shared files contain no profile \"gone\""),
        "{said}"
    );
    let said = world.key(&[("PROBE_PROFILE", "gone")]);
    assert!(
        said.contains("aws.profile: the shared files contain no profile"),
        "{said}"
    );
}

#[test]
fn report_incomplete_web_identity_of_environment() {
    let world = World::new();
    let token = world.path("token");
    let said = world.key(&[("AWS_WEB_IDENTITY_TOKEN_FILE", &token)]);
    assert!(said.contains("AWS_ROLE_ARN"), "{said}");
}

/// The attribute precedes the variable, and the variable the profile.
#[test]
fn use_fips_and_dual_stack_endpoints() {
    let world = World::new();
    let host = |variables: &[(&str, &str)]| {
        let own = [
            ("PROBE_HOST", "1"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ];
        let said = world.key(&[&own, variables].concat());
        let (_, uri) = said.split_once("PROBE HOST https://").expect(&said);
        uri.split_once('/').unwrap().0.to_owned()
    };
    assert_eq!(host(&[]), "ec2.eu-west-1.amazonaws.com");
    let fips = [("AWS_USE_FIPS_ENDPOINT", "true")];
    let dual = [("AWS_USE_DUALSTACK_ENDPOINT", "true")];
    assert_eq!(host(&fips), "ec2-fips.eu-west-1.amazonaws.com");
    assert_eq!(
        host(&[("PROBE_FIPS", "true")]),
        "ec2-fips.eu-west-1.amazonaws.com"
    );
    assert_eq!(host(&dual), "ec2.eu-west-1.api.aws");
    assert_eq!(host(&[("PROBE_DUAL", "true")]), "ec2.eu-west-1.api.aws");
    assert_eq!(host(&[fips, dual].concat()), "ec2-fips.eu-west-1.api.aws");
    let gov = [("AWS_PROFILE", "gov")];
    assert_eq!(host(&gov), "ec2-fips.eu-west-1.api.aws");
    let off = [("AWS_USE_FIPS_ENDPOINT", "false")];
    assert_eq!(host(&[gov, off].concat()), "ec2.eu-west-1.api.aws");
    assert_eq!(
        host(&[&fips[..], &[("PROBE_FIPS", "false")]].concat()),
        "ec2.eu-west-1.amazonaws.com"
    );
}
