//! The shared configuration and credentials files.

use super::Settings;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

/// The shared files that the block names, or those of the environment and the home folder.
pub(in crate::aws) fn files(settings: &Settings) -> Option<EnvConfigFiles> {
    if settings.shared_config_files.is_empty() && settings.shared_credentials_files.is_empty() {
        return None;
    }
    let mut files = EnvConfigFiles::builder()
        .include_default_config_file(settings.shared_config_files.is_empty())
        .include_default_credentials_file(settings.shared_credentials_files.is_empty());
    for path in &settings.shared_config_files {
        files = files.with_file(EnvConfigFileKind::Config, path);
    }
    for path in &settings.shared_credentials_files {
        files = files.with_file(EnvConfigFileKind::Credentials, path);
    }
    Some(files.build())
}

/// All profiles. None where the files cannot be read; the SDK reports that when it reads them.
pub(super) async fn profiles(settings: &Settings) -> Option<EnvConfigSections> {
    let files = files(settings).unwrap_or_default();
    let source = source::load(&Env::real(), &Fs::real(), &files).await.ok()?;
    EnvConfigSections::parse(source).ok()
}
