//! Which Terraform command this process serves.
//!
//! Terraform plans a change twice: for the user, and again right before it applies the change. The protocol does not say which
//! plan it asks for (Terraform 1.11). An error in the second plan of a replacement under create_before_destroy leaves the state
//! without a current object (hashicorp/terraform#31635), so the two have to be told apart where an error can wait.

/// Whether plans of this process may be the ones that Terraform makes right before it applies them.
pub fn may_be_applying() -> bool {
    command_of_parent().is_some_and(|command| command == "apply")
}

/// The subcommand in the arguments of the process that started this one.
fn command_of_parent() -> Option<String> {
    let arguments = arguments(std::os::unix::process::parent_id())?;
    subcommand(arguments.iter().map(String::as_str)).map(str::to_owned)
}

/// The first argument that is no option: `terraform -chdir=x apply -auto-approve` gives `apply`.
fn subcommand<'a>(arguments: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    arguments.skip(1).find(|argument| !argument.starts_with('-'))
}

#[cfg(target_os = "linux")]
fn arguments(process: u32) -> Option<Vec<String>> {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    Some(line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

#[cfg(not(target_os = "linux"))]
fn arguments(process: u32) -> Option<Vec<String>> {
    let listed = std::process::Command::new("ps").args(["-o", "args=", "-p", &process.to_string()]).output().ok()?;
    Some(String::from_utf8_lossy(&listed.stdout).split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommand_is_found_after_global_options() {
        let of = |line: &str| subcommand(line.split(' ')).map(str::to_owned);
        assert_eq!(of("terraform apply -auto-approve").as_deref(), Some("apply"));
        assert_eq!(of("/usr/bin/tofu -chdir=apply plan -out apply").as_deref(), Some("plan"));
        assert_eq!(of("terraform"), None);
    }

    #[test]
    fn parent_of_a_test_is_not_applying() {
        assert!(arguments(std::os::unix::process::parent_id()).is_some_and(|found| !found.is_empty()));
        assert!(!may_be_applying());
    }
}
