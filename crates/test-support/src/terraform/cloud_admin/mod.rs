//! Manual changes to the clouds, outside Terraform: through the clients of the product, one call at
//! a time.

mod aws;
mod azure;

use crate::terraform::Sandbox;
use awsazure::aws::credentials::Endpoints;
use awsazure::aws::model::Region;
use awsazure::aws::{Aws, Ec2};
use awsazure::azure::credentials::CredentialSettings;
use awsazure::azure::{Azure, AzureSettings, ResourceId};
use awsazure::client::CallContext;
use bgp_vpn::types::Tags;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

pub struct CloudAdmin {
    pub(in crate::terraform) runtime: Runtime,
    pub(in crate::terraform) azure: Azure,
    pub(in crate::terraform) ec2: Ec2,
    http: reqwest::Client,
    ec2_url: String,
    /// Client id, client secret and tenant.
    login: [String; 3],
}

const PATIENCE: Duration = Duration::from_secs(120);

pub(in crate::terraform) fn waits() -> CallContext {
    CallContext::with_timeout(PATIENCE)
}

impl CloudAdmin {
    /// With the credentials that the sandbox hands out, in its default region.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self::in_region(sandbox, None)
    }

    /// The same in a region of AWS.
    pub fn in_region(sandbox: &Sandbox, region: Option<&str>) -> Self {
        let runtime = Runtime::new().unwrap();
        let of = |name: &str| sandbox.environment().get(name).cloned();
        let ca = PathBuf::from(of("AWSAZURE_SANDBOX_CA").unwrap());
        let url = of("AWSAZURE_SANDBOX_URL");
        let ec2_url = url.clone().unwrap();
        let roots = reqwest::Certificate::from_pem_bundle(&std::fs::read(&ca).unwrap()).unwrap();
        let aws = Aws::new(awsazure::aws::Settings {
            access_key: of("AWS_ACCESS_KEY_ID"),
            secret_key: of("AWS_SECRET_ACCESS_KEY"),
            region: of("AWS_REGION"),
            endpoints: Endpoints {
                ec2: url.clone(),
                sts: url,
            },
            custom_ca_bundle: Some(ca.display().to_string()),
            ..awsazure::aws::Settings::default()
        });
        let ec2 = runtime
            .block_on(aws.region(
                &waits(),
                region.map(|name| Region(name.to_owned())).as_ref(),
            ))
            .unwrap();
        let credentials = CredentialSettings::default().filled_from(&of);
        let settings = AzureSettings {
            credentials,
            extra_roots: vec![ca],
            ..AzureSettings::default()
        };
        let azure = runtime.block_on(async { Azure::new(settings) }).unwrap();
        // The clients above have installed what does the cryptography.
        let http = reqwest::Client::builder()
            .tls_certs_only(roots)
            .build()
            .unwrap();
        let login =
            ["ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID"].map(|name| of(name).unwrap());
        CloudAdmin {
            runtime,
            azure,
            ec2,
            http,
            ec2_url,
            login,
        }
    }

    /// Takes all tags off an object of AWS or Azure.
    pub fn untag(&self, id: &str, keys: &[&str]) {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        self.runtime.block_on(async {
            match ResourceId::parse(id) {
                Ok(id) => self
                    .azure
                    .set_tags(&id, &Tags::new(), &waits())
                    .await
                    .unwrap(),
                Err(_) => self
                    .ec2
                    .delete_tags(&waits(), &[id.to_owned()], &keys)
                    .await
                    .unwrap(),
            }
        });
    }
}
