//! What several tests of the provider share.
//!
//! | module | holds |
//! |---|---|
//! | `terraform` | a folder, a sandbox process, the built provider and real Terraform between them |
//! | `simulated` | both clouds in memory behind the real SDKs, under tokio's paused clock |
//! | `random` | random configurations, and the rules that Terraform's core checks around a provider |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod random;
pub mod simulated;
pub mod terraform;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The folder of the running profile in the target directory, such as `target/debug`: test
/// executables are in its `deps`.
pub fn build_dir() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let test = std::env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().to_owned()
    });
    &FOLDER
}

/// The provider under test. Cargo builds it before the root package's tests.
pub fn provider_program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| build_dir().join("terraform-provider-awsazure"));
    &PROGRAM
}
