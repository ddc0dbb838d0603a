//! The modules under `examples/modules`, as a user of the registry gets them: `init` from a mirror,
//! `validate`, `fmt`, and their own tests without a cloud and against the sandbox.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;
use test_support::terraform::{TestEnv, mirror_folder, sandbox_program, terraform_program};
use test_support::{provider_program, repository};

const TESTED: [&str; 2] = ["hub", "standard-link"];

/// A copy of a module, with a mirror that holds the provider, and no variable of any cloud.
struct Module {
    terraform: PathBuf,
    root: TempDir,
}

impl Module {
    /// None, noted as skipped, where there is no terraform.
    fn new(name: &str) -> Option<Self> {
        let terraform = terraform_program()?;
        let root = tempfile::tempdir().unwrap();
        copy(&folder().join(name), &root.path().join("module"));
        let mirror = root.path().join("mirror");
        let place = mirror.join(mirror_folder());
        fs::create_dir_all(&place).unwrap();
        let program = format!("terraform-provider-awsazure_v{}", env!("CARGO_PKG_VERSION"));
        fs::copy(provider_program(), place.join(program)).unwrap();
        let config = format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
        );
        fs::write(root.path().join("cli.tfrc"), config).unwrap();
        let module = Module { terraform, root };
        module.ok(&["init", "-no-color", "-input=false"]);
        Some(module)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.root.path().join("module").join(name)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .current_dir(self.root.path().join("module"))
            .env_clear()
            .envs(
                ["PATH", "TMPDIR"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("HOME", self.root.path())
            .env("TF_CLI_CONFIG_FILE", self.root.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs terraform. A call to a cloud would fail: no credentials are set.
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(&self.terraform);
        command.args(args);
        self.prepared(command).output().unwrap()
    }

    fn ok(&self, args: &[&str]) {
        check(args, &self.run(args));
    }

    /// Runs one of the module's test files against a sandbox of its own.
    fn test_in_sandbox(&self, file: &str) -> Output {
        let mut command = Command::new(sandbox_program());
        command
            .args(["run", "--time-scale", "1200", "--"])
            .arg(&self.terraform)
            .args(["test", "-no-color", &format!("-filter=tests/{file}")]);
        self.prepared(command).output().unwrap()
    }
}

fn folder() -> PathBuf {
    repository().join("examples/modules")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if !entry.file_type().unwrap().is_dir() {
            fs::copy(entry.path(), target).unwrap();
        } else if entry.file_name() != ".terraform" {
            copy(&entry.path(), &target);
        }
    }
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn check(args: &[&str], output: &Output) {
    assert!(output.status.success(), "{args:?}:\n{}", text(output));
}

fn passes_without_a_cloud(name: &str) {
    let Some(module) = Module::new(name) else {
        return;
    };
    module.ok(&["validate", "-no-color"]);
    module.ok(&["fmt", "-check", "-recursive", "-diff", "-no-color"]);
    module.ok(&["test", "-no-color", "-filter=tests/mocked.tftest.hcl"]);
}

fn passes_in_sandbox(name: &str) {
    let Some(module) = Module::new(name) else {
        return;
    };
    check(&[name], &module.test_in_sandbox("sandbox.tftest.hcl"));
}

#[test]
fn hub_passes_its_mocked_tests() {
    passes_without_a_cloud("hub");
}

#[test]
fn hub_passes_its_tests_in_sandbox() {
    passes_in_sandbox("hub");
}

#[test]
fn standard_link_passes_its_mocked_tests() {
    passes_without_a_cloud("standard-link");
}

#[test]
fn standard_link_passes_its_tests_in_sandbox() {
    passes_in_sandbox("standard-link");
}

/// The identifiers of networks and gateways come from resources of the same configuration, and the
/// outputs are the keys of alarms, as the README of the module shows it.
#[test]
fn hub_takes_ids_that_are_known_after_apply() {
    let Some(env) = TestEnv::new() else { return };
    let transit = env
        .cloud_admin()
        .make_transit_gateway("Options.AmazonSideAsn=64600");
    let source = folder().join("hub");
    env.write(&format!(
        r#"
resource "terraform_data" "transit" {{ input = {transit:?} }}

module "hub" {{
  source = {source:?}
  name   = "hub"
  azure = {{
    resource_group_name   = "hub"
    create_resource_group = true
    location              = "westeurope"
    virtual_network       = {{ name = "hub", address_space = ["10.1.0.0/16"], gateway_subnet_prefix = "10.1.255.0/27" }}
  }}
  links = {{
    core = {{ slot = 0, transit_gateway_id = terraform_data.transit.output, cidr_blocks = ["10.64.0.0/12"] }}
    shop = {{ slot = 4, vpc = {{ cidr_block = "10.3.0.0/16" }} }}
  }}
}}

locals {{
  tunnels = merge([
    for link, tunnels in module.hub.monitoring : {{ for name, tunnel in tunnels : "${{link}}-${{name}}" => tunnel }}
  ]...)
}}

resource "terraform_data" "alarm" {{
  for_each = local.tunnels
  input    = [each.value.aws_vpn_connection_id, each.value.azure_connection_name]
}}

output "links" {{ value = module.hub.links }}
output "alarms" {{ value = keys(terraform_data.alarm) }}
"#
    ));
    env.ok(&["get", "-no-color"]);
    env.apply();
    assert!(env.plan_is_empty());
    let links = env.output("links");
    assert_eq!(
        (
            &links["core"]["transit_gateway_id"],
            &links["core"]["status"]
        ),
        (&transit.into(), &"complete".into())
    );
    assert_eq!(env.output("alarms").as_array().unwrap().len(), 8);
    env.destroy();
    assert!(env.has_none_of(&["vpn-connection", "virtualNetworkGateways"]));
}

/// A mocked test that names a tunnel or an attribute that does not exist must not pass: it would
/// prove nothing.
#[test]
fn wrong_name_in_mocked_test_fails() {
    let Some(module) = Module::new("standard-link") else {
        return;
    };
    let file = module.file("tests/mocked.tftest.hcl");
    let good = fs::read_to_string(&file).unwrap();
    for (right, wrong) in [
        (
            "output.tunnels[\"instance0_tunnel1\"]",
            "output.tunnels[\"instance0_tunnel3\"]",
        ),
        (".aws_outside_ip ==", ".outside_ip =="),
        ("instance1_tunnel2 = {", "instance1_tunnel3 = {"),
    ] {
        assert!(good.contains(right), "{right}");
        fs::write(&file, good.replace(right, wrong)).unwrap();
        let output = module.run(&["test", "-no-color", "-filter=tests/mocked.tftest.hcl"]);
        assert!(!output.status.success(), "{wrong}:\n{}", text(&output));
    }
}

#[test]
fn every_module_has_the_registry_layout() {
    let names: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, TESTED.map(str::to_owned).into());
    for name in TESTED {
        for file in [
            "main.tf",
            "variables.tf",
            "outputs.tf",
            "versions.tf",
            "README.md",
            "tests/mocked.tftest.hcl",
            "tests/sandbox.tftest.hcl",
        ] {
            assert!(folder().join(name).join(file).is_file(), "{name}/{file}");
        }
    }
}

/// The tables of a README list the variables and outputs of its module, and no others.
#[test]
fn module_readmes_list_all_variables_and_outputs() {
    for name in TESTED {
        let read = |file: &str| fs::read_to_string(folder().join(name).join(file)).unwrap();
        let readme = read("README.md");
        for (file, block, heading) in [
            ("variables.tf", "variable", "## Inputs"),
            ("outputs.tf", "output", "## Outputs"),
        ] {
            let prefix = format!("{block} \"");
            let declared: BTreeSet<String> = read(file)
                .lines()
                .filter_map(|line| Some(line.strip_prefix(&prefix)?.split('"').next()?.to_owned()))
                .collect();
            let section = readme.split(heading).nth(1).unwrap();
            let listed: BTreeSet<String> = section
                .split("\n## ")
                .next()
                .unwrap()
                .lines()
                .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
                .collect();
            assert_eq!(listed, declared, "{name}: {heading}");
        }
    }
}
