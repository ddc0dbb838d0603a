//! What the documentation says of a source of credentials.

/// One row of a table in `docs/guides/credentials.md`. The order of the rows is the order in which
/// the sources are tried.
#[derive(Clone, Copy, Debug)]
pub struct CredentialSource {
    pub name: &'static str,
    /// Attributes of the `aws` or `azure` block.
    pub attributes: &'static [&'static str],
    pub variables: &'static [&'static str],
    /// How the credentials stay valid while a create runs.
    pub renewal: &'static str,
}
