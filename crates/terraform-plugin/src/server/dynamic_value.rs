//! Values between messages and handlers.

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::identity::IdentitySchema;
use crate::json;
use crate::msgpack;
use crate::protocol::tfplugin6 as wire;
use crate::types::Type;
use crate::value::Value;

/// Reads a value, about `what`; nothing at all is null.
pub(super) fn decode(
    ty: &Type,
    value: Option<wire::DynamicValue>,
    what: &str,
) -> Result<Value, Diagnostic> {
    let Some(value) = value else {
        return Ok(Value::Null);
    };
    let decoded = if !value.msgpack.is_empty() {
        msgpack::decode(ty, &value.msgpack)
    } else if !value.json.is_empty() {
        json::decode(ty, &value.json)
    } else {
        return Ok(Value::Null);
    };
    decoded.map_err(|error| error.diagnostic(what))
}

/// Writes a value, about `what`.
pub(super) fn encode(
    ty: &Type,
    value: &Value,
    what: &str,
) -> Result<wire::DynamicValue, Diagnostic> {
    let msgpack = msgpack::encode(ty, value).map_err(|error| error.diagnostic(what))?;
    Ok(wire::DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

/// Writes a value; one that does not fit becomes an error and nothing.
pub(super) fn encode_or_diagnose(
    ty: &Type,
    value: &Value,
    what: &str,
    diagnostics: &mut Diagnostics,
) -> Option<wire::DynamicValue> {
    encode(ty, value, what)
        .map_err(|error| diagnostics.push(error))
        .ok()
}

type Identity = Option<(IdentitySchema, Type)>;

/// Reads an identity, for resources that have one.
pub(super) fn decode_identity(
    identity: &Identity,
    data: Option<wire::ResourceIdentityData>,
) -> Result<Option<Value>, Diagnostic> {
    let (Some((_, ty)), Some(data)) = (identity, data) else {
        return Ok(None);
    };
    let value = decode(ty, data.identity_data, "the resource's identity")?;
    Ok((!value.is_null()).then_some(value))
}

/// Writes an identity, for resources that have one.
pub(super) fn encode_identity(
    identity: &Identity,
    value: Option<&Value>,
    diagnostics: &mut Diagnostics,
) -> Option<wire::ResourceIdentityData> {
    let (Some((_, ty)), Some(value)) = (identity, value) else {
        return None;
    };
    let encoded = encode_or_diagnose(ty, value, "the resource's identity", diagnostics)?;
    Some(wire::ResourceIdentityData {
        identity_data: Some(encoded),
    })
}
