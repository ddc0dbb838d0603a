//! Rolling the shared keys: which tunnels have had their new key. Each finished one is marked by a
//! tag on its VPN connection that holds a hash of what triggered the roll, so that an apply that
//! was interrupted continues where it stopped.

use super::ownership_tags::LinkId;
use super::tunnel::TunnelKey;
use crate::types::Tags;

/// Start of the tags' names; the tunnel's number follows.
const TAG_ROTATED_PREFIX: &str = "awsazure:rolled-";

/// One roll of all four keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation(String);

impl KeyRotation {
    /// Of a link, by the text whose change asks for it.
    pub fn new(link: &LinkId, trigger: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            format!("{link}|{trigger}").as_bytes(),
        );
        KeyRotation(
            digest
                .as_ref()
                .iter()
                .take(8)
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// The mark of a tunnel that has its new key, for its VPN connection.
    pub fn tag(&self, key: TunnelKey) -> Tags {
        Tags::from([(
            format!("{TAG_ROTATED_PREFIX}{}", key.number),
            self.0.clone(),
        )])
    }

    /// Whether a VPN connection says that a tunnel of it has its new key.
    pub fn is_done(&self, key: TunnelKey, tags: &Tags) -> bool {
        self.tag(key)
            .iter()
            .all(|(name, value)| tags.get(name) == Some(value))
    }
}
