//! What tells one remote object from all others of its type, apart from its state (Terraform 1.12
//! and newer).

use std::collections::BTreeMap;

use super::protocol::tfplugin6 as wire;
use super::types::Type;

/// Attributes of an identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IdentitySchema {
    /// Version of the stored form.
    pub version: i64,
    /// Attributes by name.
    pub attributes: BTreeMap<String, IdentityAttribute>,
}

/// One attribute of an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityAttribute {
    /// String, bool, number or a list of one of these.
    pub ty: Type,
    /// Must be given in an import block; otherwise it may be.
    pub required_for_import: bool,
    /// Plain text.
    pub description: String,
}

impl IdentitySchema {
    /// An identity without attributes.
    pub fn new(version: i64) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// Adds an attribute that an import block must give.
    #[must_use]
    pub fn required(
        self,
        name: impl Into<String>,
        ty: Type,
        description: impl Into<String>,
    ) -> Self {
        self.attribute(
            name,
            IdentityAttribute {
                ty,
                required_for_import: true,
                description: description.into(),
            },
        )
    }

    /// Adds an attribute that an import block may give.
    #[must_use]
    pub fn optional(
        self,
        name: impl Into<String>,
        ty: Type,
        description: impl Into<String>,
    ) -> Self {
        self.attribute(
            name,
            IdentityAttribute {
                ty,
                required_for_import: false,
                description: description.into(),
            },
        )
    }

    fn attribute(mut self, name: impl Into<String>, attribute: IdentityAttribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// The type of a complete identity.
    pub fn type_(&self) -> Type {
        Type::object(
            self.attributes
                .iter()
                .map(|(name, attribute)| (name.as_str(), attribute.ty.clone())),
        )
    }

    pub(crate) fn to_wire(&self) -> wire::ResourceIdentitySchema {
        let convert = |(name, attribute): (&String, &IdentityAttribute)| {
            wire::resource_identity_schema::IdentityAttribute {
                name: name.clone(),
                r#type: attribute.ty.to_json(),
                required_for_import: attribute.required_for_import,
                optional_for_import: !attribute.required_for_import,
                description: attribute.description.clone(),
            }
        };
        wire::ResourceIdentitySchema {
            version: self.version,
            identity_attributes: self.attributes.iter().map(convert).collect(),
        }
    }
}
