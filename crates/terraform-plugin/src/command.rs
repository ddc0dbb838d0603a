//! Which Terraform command this process serves.
//!
//! Terraform plans a change twice: for the user, and again right before it applies the change. The
//! protocol does not say which plan it asks for (Terraform 1.11). An error in the second plan of a
//! replacement under create_before_destroy leaves the state without a current object
//! (hashicorp/terraform#31635), so the two have to be distinguished where an error can wait.
//!
//! A destroy plans the configuration too, for the refresh, and stops at errors of that plan, such
//! as those about an object of the configuration that someone deleted (Terraform 1.11,
//! `Context.destroyPlan`). Nothing of that plan is applied.

/// Whether plans of this process may be the ones that Terraform makes right before it applies them.
pub fn may_be_applying() -> bool {
    command_of_parent().is_some_and(|command| command == "apply")
}

/// Whether this process serves the plan of a destroy, of which a plan of the configuration is only
/// the refresh.
pub fn is_destroying() -> bool {
    destroys(command_line().iter().map(String::as_str))
}

/// Addresses that the command asks to replace (`-replace`). Which of them a plan is about is not
/// said by the protocol.
pub fn replaced_addresses() -> Vec<String> {
    replaces(command_line().iter().map(String::as_str))
}

fn replaces<'a>(arguments: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut found, mut follows) = (Vec::new(), false);
    for argument in arguments {
        let option = argument
            .strip_prefix("--")
            .or_else(|| argument.strip_prefix('-'))
            .unwrap_or_default();
        let value = option
            .strip_prefix("replace=")
            .or_else(|| follows.then_some(argument));
        found.extend(value.map(str::to_owned));
        follows = option == "replace";
    }
    found
}

/// The command line of Terraform, with the options that it takes from variables.
fn command_line() -> Vec<String> {
    let variables = ["TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply"].map(std::env::var);
    let more = variables
        .iter()
        .flatten()
        .flat_map(|options| options.split_whitespace())
        .map(str::to_owned);
    let arguments = arguments(std::os::unix::process::parent_id()).unwrap_or_default();
    arguments.into_iter().chain(more).collect()
}

/// `terraform destroy`, or `plan` and `apply` with `-destroy`.
fn destroys<'a>(arguments: impl Iterator<Item = &'a str> + Clone) -> bool {
    let is_option = |argument: &str| {
        let option = argument.trim_start_matches('-');
        argument.starts_with('-') && matches!(option, "destroy" | "destroy=true" | "destroy=1")
    };
    match subcommand(arguments.clone()) {
        Some("destroy") => true,
        Some("plan" | "apply") => arguments.skip(1).any(is_option),
        _ => false,
    }
}

/// The subcommand in the arguments of the process that started this one.
fn command_of_parent() -> Option<String> {
    let arguments = arguments(std::os::unix::process::parent_id())?;
    subcommand(arguments.iter().map(String::as_str)).map(str::to_owned)
}

/// The first argument that is no option: `terraform -chdir=x apply -auto-approve` gives `apply`.
fn subcommand<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    arguments
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
}

#[cfg(target_os = "linux")]
fn arguments(process: u32) -> Option<Vec<String>> {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    Some(
        line.split(|byte| *byte == 0)
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect(),
    )
}

#[cfg(not(target_os = "linux"))]
fn arguments(process: u32) -> Option<Vec<String>> {
    let listed = std::process::Command::new("ps")
        .args(["-o", "args=", "-p", &process.to_string()])
        .output()
        .ok()?;
    Some(
        String::from_utf8_lossy(&listed.stdout)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_subcommand_after_global_options() {
        let of = |line: &str| subcommand(line.split(' ')).map(str::to_owned);
        assert_eq!(
            of("terraform apply -auto-approve").as_deref(),
            Some("apply")
        );
        assert_eq!(
            of("/usr/bin/tofu -chdir=apply plan -out apply").as_deref(),
            Some("plan")
        );
        assert_eq!(of("terraform"), None);
    }

    #[test]
    fn destroy_is_found_as_subcommand_and_as_option() {
        let of = |line: &str| destroys(line.split(' '));
        for line in [
            "destroy",
            "-chdir=x destroy -auto-approve",
            "plan -out p -destroy",
            "apply --destroy=true",
        ] {
            assert!(of(&format!("terraform {line}")), "{line}");
        }
        for line in [
            "plan",
            "apply -auto-approve",
            "-chdir=destroy plan",
            "plan -destroy=false",
            "import destroy x",
        ] {
            assert!(!of(&format!("terraform {line}")), "{line}");
        }
    }

    #[test]
    fn replaced_addresses_are_found_in_either_form() {
        let of = |line: &str| replaces(line.split(' '));
        assert_eq!(
            of("terraform plan -replace=a.b -replace c.d[0] -out p"),
            ["a.b", "c.d[0]"]
        );
        assert!(of("terraform plan -out replace").is_empty());
    }

    #[test]
    fn parent_of_test_is_not_terraform_apply() {
        assert!(
            arguments(std::os::unix::process::parent_id()).is_some_and(|found| !found.is_empty())
        );
        assert!(!may_be_applying() && !is_destroying());
    }
}
