//! Every folder under `examples/` that is a complete configuration is applied, planned again, and
//! destroyed.

use std::collections::BTreeSet;
use std::path::Path;
use test_support::terraform::TestEnv;

/// Folders with snippets for the registry's pages and with policies: no configurations by
/// themselves.
const SNIPPETS: [&str; 5] = [
    "provider",
    "resources",
    "data-sources",
    "functions",
    "policy-as-code",
];

/// Folders that other tests apply: `hcp-terraform` in remote_run.rs, `modules` in modules.rs,
/// `quickstart` and `status` in quickstart.rs, the other in transit_gateway.rs.
const ELSEWHERE: [&str; 5] = [
    "hcp-terraform",
    "modules",
    "quickstart",
    "status",
    "transit-gateway",
];

const KEYS: &str = r#"{"instance0_tunnel1": "Kz0.example_of_a_key_1", "instance1_tunnel2": "Kz0.example_of_a_key_2"}"#;

fn applies_plans_empty_and_leaves_nothing(
    example: &str,
    variables: &[(&str, &str)],
) -> Option<TestEnv> {
    let mut env = TestEnv::new()?;
    variables
        .iter()
        .for_each(|(name, value)| env.set(name, value));
    env.write_example(example);
    env.apply();
    let state = env.state().to_string();
    for (_, secret) in variables {
        for word in secret.split('"').filter(|word| word.starts_with("Kz0.")) {
            assert!(!state.contains(word), "a key is in the state of {example}");
        }
    }
    // Terraform reads the data source of a check at every apply, and counts that as a change.
    let checks = example == "health-check";
    assert!(
        if checks {
            env.plan().is_empty()
        } else {
            env.plan_is_empty()
        },
        "{example}"
    );
    env.destroy();
    let left = env.world();
    assert!(left.is_empty(), "{example} left {left:#?}");
    Some(env)
}

macro_rules! examples {
    ($($test:ident: $folder:literal $variables:expr;)*) => {
        $(
            #[test]
            fn $test() {
                applies_plans_empty_and_leaves_nothing($folder, &$variables);
            }
        )*

        const APPLIED: &[&str] = &[$($folder),*];
    };
}

examples! {
    shared_gateway: "shared-gateway" [];
    own_keys: "own-keys" [("TF_VAR_preshared_keys", KEYS)];
    custom_policy: "custom-policy" [];
    health_check: "health-check" [];
}

#[test]
fn apply_every_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let known: BTreeSet<&str> = SNIPPETS
        .iter()
        .chain(&ELSEWHERE)
        .chain(APPLIED)
        .copied()
        .collect();
    assert_eq!(
        entries.collect::<BTreeSet<_>>(),
        known.into_iter().map(str::to_owned).collect()
    );
}
