//! The environment variables that lead every client to one sandbox, and those that could lead it
//! anywhere else.

use crate::world::Settings;
use std::path::Path;

/// Prefixes of the variables with which clients of either cloud find credentials and endpoints.
const PREFIXES: [&str; 4] = ["AWS_", "ARM_", "AZURE_", "AWSAZURE_SANDBOX_"];

/// Variables without such a prefix that lead Azure clients to a token: managed identities and
/// federated pipelines.
const NAMES: [&str; 8] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "SYSTEM_ACCESSTOKEN",
    "SYSTEM_OIDCREQUESTURI",
];

/// Hosts that no proxy may serve.
const LOOPBACK: &str = "127.0.0.1,localhost";

/// The variables of one running sandbox.
#[derive(Clone, Debug)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    /// Variables for the sandbox at that address (`host:port`) with that directory. Some settings
    /// have two names because clients differ in which one they read.
    ///
    /// The profiles of the user's home directory and the sessions of `az` are out of reach: a
    /// client that ignores the variables finds no credentials.
    pub fn new(authority: &str, directory: &Path, settings: &Settings) -> Environment {
        let url = format!("https://{authority}");
        let path = |name: &str| directory.join(name).display().to_string();
        let ca = path("ca.pem");
        let one = |name: &'static str, value: &str| (name, value.to_owned());
        let mut pairs = vec![
            one("AWS_ENDPOINT_URL", &url),
            one("AWS_CA_BUNDLE", &ca),
            one("AWS_REGION", "us-east-1"),
            one("AWS_DEFAULT_REGION", "us-east-1"),
            one("AWS_ACCESS_KEY_ID", "AKIASANDBOXSANDBOX00"),
            one("AWS_SECRET_ACCESS_KEY", "sandbox-secret-access-key"),
            one("AWS_EC2_METADATA_DISABLED", "true"),
            one("AWS_CONFIG_FILE", "/dev/null"),
            one("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        pairs.extend(
            [
                "SSL_CERT_FILE",
                "REQUESTS_CA_BUNDLE",
                "CURL_CA_BUNDLE",
                "NODE_EXTRA_CA_CERTS",
            ]
            .map(|name| one(name, &ca)),
        );
        pairs.extend(
            ["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"].map(|name| one(name, authority)),
        );
        pairs.extend([
            one("ARM_TENANT_ID", &settings.tenant_id),
            one("ARM_CLIENT_ID", &settings.client_id),
            one("ARM_CLIENT_SECRET", &settings.client_secret),
            one("ARM_SUBSCRIPTION_ID", &settings.subscription_id),
            one("ARM_RESOURCE_PROVIDER_REGISTRATIONS", "none"),
            one("AZURE_TENANT_ID", &settings.tenant_id),
            one("AZURE_CLIENT_ID", &settings.client_id),
            one("AZURE_CLIENT_SECRET", &settings.client_secret),
            one("AZURE_SUBSCRIPTION_ID", &settings.subscription_id),
            one("AZURE_AUTHORITY_HOST", &url),
            one("AZURE_RESOURCE_MANAGER_URL", &url),
            one("AZURE_CORE_INSTANCE_DISCOVERY", "false"),
            ("AZURE_CONFIG_DIR", path("az")),
            one("AWSAZURE_SANDBOX_URL", &url),
            one("AWSAZURE_SANDBOX_CA", &ca),
            ("AWSAZURE_SANDBOX_DIR", directory.display().to_string()),
        ]);
        Environment(pairs)
    }

    /// Name and value of each variable.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Whether a variable could lead a client to a real cloud, or to another sandbox.
    pub fn replaces(name: &str) -> bool {
        PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
    }

    /// The value of `NO_PROXY` that adds the loopback hosts to an earlier value.
    pub fn no_proxy(before: Option<&str>) -> String {
        match before.filter(|hosts| !hosts.is_empty()) {
            Some(hosts) => format!("{LOOPBACK},{hosts}"),
            None => LOOPBACK.to_owned(),
        }
    }

    /// Shell commands that set the variables and unset those that they replace.
    pub fn shell(&self) -> String {
        let patterns = PREFIXES
            .iter()
            .map(|prefix| format!("{prefix}[A-Za-z0-9_]*"))
            .chain(NAMES.map(str::to_owned));
        let names: Vec<String> = patterns
            .map(|names| format!("-e 's/^\\({names}\\)=.*/\\1/p'"))
            .collect();
        let mut text = String::from("# Read by a shell: . env\n");
        text.push_str(&format!(
            "for name in $(env | sed -n {}); do unset \"$name\"; done\n",
            names.join(" ")
        ));
        for (name, value) in self.pairs() {
            text.push_str(&format!(
                "export {name}='{}'\n",
                value.replace('\'', "'\\''")
            ));
        }
        let no_proxy = |name: &str| format!("{name}=\"{LOOPBACK}${{{name}:+,${name}}}\"");
        text.push_str(&format!(
            "export {} {}\n",
            no_proxy("NO_PROXY"),
            no_proxy("no_proxy")
        ));
        text
    }
}
