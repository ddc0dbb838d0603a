//! Tags as both clouds have them: text to text.

use std::collections::BTreeMap;

/// Keys and values of an object's tags. Foreign tags are carried along, never dropped.
pub type Tags = BTreeMap<String, String>;

/// Both clouds accept 50 tags on an object. Up to 10 of them are this provider's own.
pub const MAX_TAGS: usize = 40;
/// AWS: 128 characters of a key. Azure accepts 512.
const MAX_KEY_LENGTH: usize = 128;
const MAX_VALUE_LENGTH: usize = 256;
/// Azure rejects these in tag names.
const NOT_IN_AZURE: &str = "<>%&\\?/";

/// Start of every tag key that this provider sets for itself.
pub const OWN_PREFIX: &str = "awsazure:";

/// Why one of the clouds would reject tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("the tag key {0:?} is empty")]
    EmptyKey(String),
    #[error("the tag key {0:?} starts with aws:, which AWS reserves for itself")]
    AwsPrefix(String),
    #[error(
        "the tag key {0:?} starts with awsazure:, by which this provider identifies its own objects"
    )]
    OwnPrefix(String),
    #[error("the tag key {key:?} has {length} characters, and AWS accepts {MAX_KEY_LENGTH}")]
    LongKey { key: String, length: usize },
    #[error("the tag key {key:?} contains {bad:?}, which Azure rejects")]
    KeyCharacter { key: String, bad: char },
    #[error(
        "the value of tag {key:?} has {length} characters, and both clouds accept {MAX_VALUE_LENGTH}"
    )]
    LongValue { key: String, length: usize },
    #[error("the value of tag {key:?} contains the control character {bad:?}")]
    ValueCharacter { key: String, bad: char },
    #[error("the tag keys {0:?} and {1:?} differ in letter case only, and are one key for Azure")]
    SameForAzure(String, String),
    #[error(
        "there are {0} tags, but at most {MAX_TAGS} are allowed in addition to this provider's own"
    )]
    TooMany(usize),
}

/// The first rule of either cloud that a tag breaks.
pub fn check_tag(key: &str, value: &str) -> Option<TagError> {
    let own = || key.to_owned();
    let length = key.chars().count();
    if key.trim().is_empty() {
        return Some(TagError::EmptyKey(own()));
    }
    if key.to_lowercase().starts_with("aws:") {
        return Some(TagError::AwsPrefix(own()));
    }
    if key.to_lowercase().starts_with(OWN_PREFIX) {
        return Some(TagError::OwnPrefix(own()));
    }
    if length > MAX_KEY_LENGTH {
        return Some(TagError::LongKey { key: own(), length });
    }
    if let Some(bad) = key
        .chars()
        .find(|c| c.is_control() || NOT_IN_AZURE.contains(*c))
    {
        return Some(TagError::KeyCharacter { key: own(), bad });
    }
    let length = value.chars().count();
    if length > MAX_VALUE_LENGTH {
        return Some(TagError::LongValue { key: own(), length });
    }
    value
        .chars()
        .find(|c| c.is_control())
        .map(|bad| TagError::ValueCharacter { key: own(), bad })
}

/// The first rule that all keys of an object together break.
pub fn check_keys<'a>(keys: impl IntoIterator<Item = &'a String>) -> Option<TagError> {
    let mut folded = BTreeMap::<String, &String>::new();
    for key in keys {
        if let Some(other) = folded
            .insert(key.to_lowercase(), key)
            .filter(|other| *other != key)
        {
            return Some(TagError::SameForAzure(other.clone(), key.clone()));
        }
    }
    (folded.len() > MAX_TAGS).then_some(TagError::TooMany(folded.len()))
}

/// Tags of an Azure object in the spelling of `wanted` keys: Azure compares tag names without
/// regard to case, and policies change their spelling.
pub fn with_canonical_keys<'a>(have: &Tags, wanted: impl IntoIterator<Item = &'a String>) -> Tags {
    let wanted: BTreeMap<String, &String> = wanted
        .into_iter()
        .map(|key| (key.to_lowercase(), key))
        .collect();
    let spell = |key: &String| {
        wanted
            .get(&key.to_lowercase())
            .map_or_else(|| key.clone(), |wanted| (*wanted).clone())
    };
    have.iter()
        .map(|(key, value)| (spell(key), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_tags_that_a_cloud_rejects() {
        let long = "k".repeat(129);
        for key in [
            "",
            " ",
            "aws:team",
            "AWS:x",
            long.as_str(),
            "a<b",
            "a/b",
            "a\u{7}",
        ] {
            assert!(check_tag(key, "v").is_some(), "{key:?}");
        }
        for value in ["v".repeat(257).as_str(), "a\nb"] {
            assert!(check_tag("team", value).is_some(), "{value:?}");
        }
        let longest = "k".repeat(128);
        for (key, value) in [
            ("team", ""),
            ("awsome", "a/b?"),
            (longest.as_str(), "v"),
            ("cost center", "\u{e9}"),
        ] {
            assert_eq!(check_tag(key, value), None, "{key:?}");
        }
    }

    #[test]
    fn check_tag_keys_together() {
        let keys = |count: usize| (0..count).map(|n| format!("k{n}")).collect::<Vec<_>>();
        assert_eq!(check_keys(&keys(40)), None);
        assert_eq!(check_keys(&keys(41)), Some(TagError::TooMany(41)));
        let twice = ["Team".to_owned(), "team".to_owned()];
        assert!(matches!(
            check_keys(&twice),
            Some(TagError::SameForAzure(..))
        ));
        let same = ["team".to_owned(), "team".to_owned()];
        assert_eq!(
            check_keys(&same),
            None,
            "a resource's tag replaces a default tag of the same key"
        );
    }

    #[test]
    fn keep_foreign_keys_of_respelled_tags() {
        let have = Tags::from([
            ("TEAM".to_owned(), "net".to_owned()),
            ("Other".to_owned(), "x".to_owned()),
        ]);
        let wanted = ["Team".to_owned()];
        let expected = Tags::from([
            ("Team".to_owned(), "net".to_owned()),
            ("Other".to_owned(), "x".to_owned()),
        ]);
        assert_eq!(with_canonical_keys(&have, &wanted), expected);
    }
}
