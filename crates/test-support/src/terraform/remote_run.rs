//! Runs of HCP Terraform's agent, imitated: plan and apply in directories and processes of their
//! own, no terminal, no home directory, the state behind a backend with locks, and dynamic
//! credentials only.
//!
//! The agent passes the credentials of a workspace in variables, and those of a tag in files that a
//! variable of the configuration names.

use super::http_state::HttpState;
use super::{Clouds, Run, Sandbox, mirror_folder, secrets, terraform_program};
use crate::provider_program;
use awsazure_sandbox::world::{Settings, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A path that no process can create, root included.
const READ_ONLY_HOME: &str = "/dev/null/home";

/// Variables of the sandbox that are no credentials.
const PLACES: [&str; 8] = [
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "SSL_CERT_FILE",
    "ARM_METADATA_HOSTNAME",
    "ARM_TENANT_ID",
    "ARM_SUBSCRIPTION_ID",
];

/// Account of the role that a workspace assumes without a tag.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// The organization: clouds, states and a mirror with the provider.
pub struct RemoteRuns {
    sandbox: Sandbox,
    pub states: HttpState,
    terraform: PathBuf,
    client_id: String,
    /// Keys of the clouds and tokens that no output may contain.
    secrets: Mutex<BTreeSet<String>>,
    root: TempDir,
}

/// A workspace with its configuration.
pub struct Workspace<'a> {
    runs: &'a RemoteRuns,
    pub name: String,
    configuration: String,
    /// Tag and AWS account of each configuration of dynamic credentials beyond the default.
    tags: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

/// A plan that waits for its apply.
pub struct Planned {
    pub run: Run,
    folder: PathBuf,
}

impl RemoteRuns {
    /// None, noted as skipped, where there is no terraform.
    pub fn start(clouds: Clouds, settings: Settings) -> Option<Self> {
        let terraform = terraform_program()?;
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("mirror").join(mirror_folder());
        fs::create_dir_all(&place).unwrap();
        let program = format!("terraform-provider-awsazure_v{}", env!("CARGO_PKG_VERSION"));
        super::link(provider_program(), &place.join(program));
        let config = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
            root.path().join("mirror")
        );
        fs::write(root.path().join("cli.tfrc"), config).unwrap();
        let clouds_folder = root.path().join("clouds");
        fs::create_dir_all(&clouds_folder).unwrap();
        let settings = Settings {
            epoch_unix_seconds: unix_seconds(),
            ..settings
        };
        let client_id = settings.client_id.clone();
        let world = serde_json::to_vec(&World::new(clouds.seed, settings)).unwrap();
        fs::write(clouds_folder.join("world.json"), world).unwrap();
        Some(RemoteRuns {
            sandbox: Sandbox::start(&clouds_folder, clouds),
            states: HttpState::start(),
            terraform,
            client_id,
            secrets: Mutex::default(),
            root,
        })
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A workspace whose configuration gets the backend, and the provider's source if it has none.
    pub fn workspace(&self, name: &str, main_tf: &str) -> Workspace<'_> {
        let source = "terraform {\n  required_providers {\n    awsazure = { source = \"awsazure/awsazure\" }\n  }\n}\n\n";
        let source = if main_tf.contains("required_providers") {
            ""
        } else {
            source
        };
        Workspace {
            runs: self,
            name: name.to_owned(),
            configuration: format!("{source}{main_tf}"),
            tags: BTreeMap::new(),
            variables: BTreeMap::new(),
        }
    }

    /// A token of the identity provider that is valid for so long.
    pub fn token(&self, valid: Duration) -> String {
        self.token_until(unix_seconds() + i64::try_from(valid.as_secs()).unwrap())
    }

    /// A token that expired a minute ago.
    pub fn expired_token(&self) -> String {
        self.token_until(unix_seconds() - 60)
    }

    fn token_until(&self, end: i64) -> String {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let token = format!(
            "{}.{}.{}",
            encode(json!({"alg": "RS256", "typ": "JWT"})),
            encode(json!({"iss": "https://app.terraform.io", "exp": end, "jti": secrets.len()})),
            URL_SAFE_NO_PAD.encode(format!("signature-{}", secrets.len()))
        );
        secrets.insert(token.clone());
        token
    }
}

fn unix_seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

impl Workspace<'_> {
    /// Adds dynamic credentials under a tag, for the role of another account.
    #[must_use]
    pub fn with_tag(mut self, tag: &str, account: &str) -> Self {
        self.tags.insert(tag.to_owned(), account.to_owned());
        self
    }

    /// Sets an environment variable of the workspace.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn home(&self) -> PathBuf {
        self.runs.root.path().join(&self.name)
    }

    /// Where the agent puts a credential file.
    pub fn credential(&self, name: &str) -> PathBuf {
        self.home().join("credentials").join(name)
    }

    /// Writes a credential file, so that a reader finds the former or the new text.
    pub fn put_credential(&self, name: &str, text: &str) {
        let path = self.credential(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    /// What the agent does before a phase: new tokens, in variables and files.
    fn issue_credentials(&self, folder: &Path, valid: Duration) -> Vec<(String, String)> {
        let token = || self.runs.token(valid);
        let role = |account: &str| format!("arn:aws:iam::{account}:role/terraform");
        if self.tags.is_empty() {
            self.put_credential("aws_token", &token());
            let variables = [
                ("AWS_ROLE_ARN", role(DEFAULT_ACCOUNT)),
                (
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                    self.credential("aws_token").display().to_string(),
                ),
                ("ARM_USE_OIDC", "true".to_owned()),
                ("ARM_CLIENT_ID", self.runs.client_id.clone()),
                ("ARM_OIDC_TOKEN", token()),
            ];
            return variables
                .map(|(name, value)| (name.to_owned(), value))
                .into();
        }
        let (mut aws, mut azure) = (json!({}), json!({}));
        for (tag, account) in &self.tags {
            let [aws_token, config, azure_token, client] = [
                "aws_token",
                "aws_config.ini",
                "azure_token",
                "azure_client_id",
            ]
            .map(|name| format!("{tag}_{name}"));
            self.put_credential(&aws_token, &token());
            self.put_credential(&azure_token, &token());
            self.put_credential(&client, &self.runs.client_id);
            let profile = format!(
                "[default]\nweb_identity_token_file = {}\nrole_arn = {}\n",
                self.credential(&aws_token).display(),
                role(account)
            );
            self.put_credential(&config, &profile);
            aws[tag] = json!({"shared_config_file": self.credential(&config)});
            azure[tag] = json!({
                "client_id_file_path": self.credential(&client),
                "oidc_token_file_path": self.credential(&azure_token),
            });
        }
        for (cloud, aliases) in [("aws", aws), ("azure", azure)] {
            let name = format!("tfc_{cloud}_dynamic_credentials");
            let file = folder.join(format!("{cloud}.auto.tfvars.json"));
            let value = json!({ name: {"default": null, "aliases": aliases} });
            fs::write(file, value.to_string()).unwrap();
        }
        Vec::new()
    }

    /// A new directory with the configuration.
    fn directory(&self, phase: &str) -> PathBuf {
        let count = fs::read_dir(self.home()).map_or(0, Iterator::count);
        let folder = self.home().join(format!("{count}-{phase}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("main.tf"), &self.configuration).unwrap();
        let backend = "terraform {\n  backend \"http\" {}\n}\n";
        fs::write(folder.join("backend.tf"), backend).unwrap();
        folder
    }

    /// Runs `init` and a command in a directory, with the environment of a phase.
    fn run(&self, folder: &Path, args: &[&str], home: Option<&str>, valid: Duration) -> Run {
        let credentials = self.issue_credentials(folder, valid);
        let sandbox = self.runs.sandbox.environment();
        let log = folder.join("terraform.log");
        let command = |args: &[&str]| {
            let mut command = Command::new(&self.runs.terraform);
            command
                .args(args)
                .current_dir(folder)
                .env_clear()
                .envs(
                    ["PATH", "TMPDIR"]
                        .into_iter()
                        .filter_map(|name| Some((name, std::env::var_os(name)?))),
                )
                .env("TF_CLI_CONFIG_FILE", self.runs.root.path().join("cli.tfrc"))
                .env("TF_IN_AUTOMATION", "1")
                .env("TF_INPUT", "0")
                .env("CHECKPOINT_DISABLE", "1")
                .env("TF_LOG_CORE", "warn")
                .env("TF_LOG_PROVIDER", "trace")
                .env("TF_LOG_PATH", &log)
                .env("TFC_WORKSPACE_NAME", &self.name)
                .env("TFC_RUN_ID", "run-0123456789abcdef")
                .envs(PLACES.map(|name| (name, sandbox.get(name).map_or("", String::as_str))))
                .envs(self.runs.states.variables(&self.name))
                .envs(credentials.iter().cloned())
                .envs(&self.variables)
                .envs(home.map(|home| ("HOME", home)))
                .stdin(Stdio::null());
            command.output().unwrap()
        };
        let init = command(&["init", "-no-color"]);
        assert!(
            init.status.success(),
            "init: {}",
            String::from_utf8_lossy(&init.stderr)
        );
        let output = command(args);
        let run = Run {
            args: args.join(" "),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            log: fs::read_to_string(&log).unwrap_or_default(),
        };
        self.check_secrets(&run);
        assert!(
            !folder.join("terraform.tfstate").exists(),
            "the state is on disk"
        );
        run.check()
    }

    /// No shared key and no token is in anything that a run leaves behind.
    fn check_secrets(&self, run: &Run) {
        let mut secrets = self
            .runs
            .secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        secrets.extend(secrets::keys_of_world(self.runs.sandbox.dir()));
        let state = self.runs.states.text(&self.name);
        secrets::assert_none(
            &secrets,
            &[
                ("output", &run.stdout),
                ("errors", &run.stderr),
                ("log", &run.log),
                ("state", &secrets::readable(&state)),
            ],
        );
    }

    /// Plans without a home directory, and keeps the plan.
    pub fn plan(&self, args: &[&str]) -> Planned {
        let folder = self.directory("plan");
        let args = [&["plan", "-no-color", "-out=planned"], args].concat();
        let run = self.run(&folder, &args, None, Duration::from_secs(60));
        Planned { run, folder }
    }

    /// Applies a saved plan in another directory, which gets the configuration, the lock file of
    /// the providers and the plan only. The tokens are new and valid for that long.
    pub fn apply(&self, planned: &Planned, valid: Duration) -> Run {
        let folder = self.directory("apply");
        for file in [".terraform.lock.hcl", "planned"] {
            fs::copy(planned.folder.join(file), folder.join(file)).unwrap();
        }
        let args = ["apply", "-no-color", "-auto-approve", "planned"];
        self.run(&folder, &args, Some(READ_ONLY_HOME), valid)
    }

    /// Plans and applies, both of which must succeed.
    pub fn deploy(&self, args: &[&str]) -> Run {
        let planned = self.plan(args);
        assert!(planned.run.succeeded(), "{}", planned.run.text());
        let run = self.apply(&planned, Duration::from_secs(60));
        assert!(run.succeeded(), "{}", run.text());
        run
    }

    /// Whether a plan has nothing to do.
    pub fn plan_is_empty(&self) -> bool {
        let run = self.plan(&["-detailed-exitcode"]).run;
        if run.code != Some(0) {
            eprintln!("{}", run.text());
        }
        run.code == Some(0)
    }

    /// Attributes of a link in the stored state.
    pub fn link(&self, label: &str) -> Value {
        let state = self.runs.states.state(&self.name);
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.into_iter().find(|r| r["name"] == label);
        found.map_or(Value::Null, |r| r["instances"][0]["attributes"].clone())
    }
}
