//! Values to and from MessagePack, in cty's dialect. The type says what the bytes mean; errors say
//! where they do not fit.
//!
//! Dialect: unknown is extension 0 (one byte, ignored) or, refined, extension 12; numbers that fit
//! neither an integer nor a float are decimal strings; a value for a [`Type::Dynamic`] place is an
//! array of its type's notation and itself.

use crate::errors;
use std::collections::BTreeMap;

use rmp::{Marker, encode};

use super::diagnostics::Diagnostic;
use super::number::{Number, Repr};
use super::path::{AttributePath, Step};
use super::types::{DEEPEST, Type};
use super::value::{Refinement, Typed, Value};

/// Extension types of unknown values: without and with refinement.
const UNKNOWN: i8 = 0;
const REFINED: i8 = 12;

/// Most bytes of a refinement that are kept. Terraform itself writes fewer than 1,024.
const LONGEST_REFINEMENT: usize = 4096;

/// A value that does not fit its type, or bytes that are no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", location(.steps))]
pub struct MsgpackError {
    /// Innermost step first.
    steps: Vec<Step>,
    /// What is wrong there.
    pub problem: Problem,
}

fn location(steps: &[Step]) -> String {
    if steps.is_empty() {
        String::new()
    } else {
        format!("{}: ", AttributePath::from_reversed(steps.to_vec()))
    }
}

/// What is wrong with a value or its encoding. Never quotes the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Bytes end within a value.
    #[error("the encoding is truncated")]
    Truncated,
    /// Bytes follow the value.
    #[error("bytes follow the encoded value")]
    Trailing,
    /// A value of another type.
    #[error("{0} is required")]
    Needed(&'static str),
    /// Text that is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Not a number, or out of range.
    #[error("not a number, or out of range")]
    BadNumber,
    /// Not a type.
    #[error("not a valid type")]
    BadType,
    /// An unknown value with a refinement that is too long.
    #[error("the refinement of an unknown value is too long")]
    BadRefinement,
    /// An attribute that the type lacks.
    #[error("unknown attribute")]
    Unexpected,
    /// A missing attribute of the type.
    #[error("the attribute is missing")]
    Missing,
    /// A duplicate map key or attribute.
    #[error("duplicate")]
    Twice,
    /// A tuple with too few or too many elements.
    #[error("{needed} elements are required")]
    Count {
        /// As many as the type has.
        needed: usize,
    },
    /// Values nested too deeply.
    #[error("nested too deeply")]
    TooDeep,
    /// Text that is not JSON, or an unknown value, which JSON cannot represent.
    #[error("not JSON")]
    NotJson,
}

impl MsgpackError {
    /// Where it is.
    pub fn path(&self) -> AttributePath {
        AttributePath::from_reversed(self.steps.clone())
    }

    /// The error for the user. `what` names the value that was decoded ("the stored state").
    pub fn diagnostic(&self, what: &str) -> Diagnostic {
        errors::invalid_value(what, self, self.path())
    }

    pub(crate) fn at_step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<Problem> for MsgpackError {
    fn from(problem: Problem) -> Self {
        Self {
            steps: Vec::new(),
            problem,
        }
    }
}

fn attribute(name: &str) -> impl FnOnce(MsgpackError) -> MsgpackError {
    move |error| error.at_step(Step::Attribute(name.to_owned()))
}

fn key(key: &str) -> impl FnOnce(MsgpackError) -> MsgpackError {
    move |error| error.at_step(Step::Key(key.to_owned()))
}

fn index(index: usize) -> impl FnOnce(MsgpackError) -> MsgpackError {
    move |error| error.at_step(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
}

/// Reads a value of a type.
///
/// ```
/// use terraform_plugin::{Type, Value, msgpack};
///
/// let ty = Type::object([("name", Type::String)]);
/// let value = Value::object([("name", "a")]);
/// let bytes = msgpack::encode(&ty, &value).unwrap();
/// assert_eq!(msgpack::decode(&ty, &bytes).unwrap(), value);
///
/// let wrong = msgpack::encode(&ty, &Value::object([("name", true)])).unwrap_err();
/// assert_eq!(wrong.path().to_string(), "name");
/// ```
///
/// # Errors
/// When the bytes are not exactly one value of the type. Objects need all attributes and no others.
pub fn decode(ty: &Type, bytes: &[u8]) -> Result<Value, MsgpackError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(ty, 0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(Problem::Trailing.into())
    }
}

/// What is left to read. Collections grow as they are read, never by the length that the bytes
/// claim.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MsgpackError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Problem::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], MsgpackError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Problem::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A big-endian unsigned integer of N bytes, at most eight.
    fn uint<const N: usize>(&mut self) -> Result<u64, MsgpackError> {
        Ok(self
            .bytes::<N>()?
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    fn length<const N: usize>(&mut self) -> Result<usize, MsgpackError> {
        usize::try_from(self.uint::<N>()?).map_err(|_| Problem::Truncated.into())
    }

    fn marker(&mut self) -> Result<Marker, MsgpackError> {
        let [byte] = self.bytes::<1>()?;
        Ok(Marker::from_u8(byte))
    }

    fn value(&mut self, ty: &Type, depth: usize) -> Result<Value, MsgpackError> {
        if depth > DEEPEST {
            return Err(Problem::TooDeep.into());
        }
        let marker = self.marker()?;
        match marker {
            Marker::Null => return Ok(Value::Null),
            Marker::FixExt1 => return self.unknown(1),
            Marker::FixExt2 => return self.unknown(2),
            Marker::FixExt4 => return self.unknown(4),
            Marker::FixExt8 => return self.unknown(8),
            Marker::FixExt16 => return self.unknown(16),
            Marker::Ext8 => return self.length::<1>().and_then(|length| self.unknown(length)),
            Marker::Ext16 => return self.length::<2>().and_then(|length| self.unknown(length)),
            Marker::Ext32 => return self.length::<4>().and_then(|length| self.unknown(length)),
            _ => {}
        }
        match ty {
            Type::Bool => match marker {
                Marker::True => Ok(Value::Bool(true)),
                Marker::False => Ok(Value::Bool(false)),
                _ => Err(Problem::Needed(ty.noun()).into()),
            },
            Type::String => Ok(Value::String(self.text(marker, ty)?.to_owned())),
            Type::Number => self.number(marker).map(Value::Number),
            Type::List(element) => self.elements(marker, ty, element, depth).map(Value::List),
            Type::Set(element) => self.elements(marker, ty, element, depth).map(Value::Set),
            Type::Tuple(types) => self.tuple(marker, types, depth),
            Type::Map(element) => self.map(marker, element, depth),
            Type::Object(attributes) => self.object(marker, attributes, depth),
            Type::Dynamic => self.dynamic(marker, depth),
        }
    }

    fn unknown(&mut self, length: usize) -> Result<Value, MsgpackError> {
        let [kind] = self.bytes::<1>()?;
        let payload = self.take(length)?;
        if kind != REFINED.to_be_bytes()[0] {
            return Ok(Value::unknown());
        }
        if payload.len() > LONGEST_REFINEMENT {
            return Err(Problem::BadRefinement.into());
        }
        Ok(Value::Unknown(Refinement(payload.to_vec())))
    }

    fn text(&mut self, marker: Marker, ty: &Type) -> Result<&'a str, MsgpackError> {
        let bytes = match marker {
            Marker::FixStr(length) => self.take(usize::from(length))?,
            Marker::Str8 | Marker::Bin8 => {
                self.length::<1>().and_then(|length| self.take(length))?
            }
            Marker::Str16 | Marker::Bin16 => {
                self.length::<2>().and_then(|length| self.take(length))?
            }
            Marker::Str32 | Marker::Bin32 => {
                self.length::<4>().and_then(|length| self.take(length))?
            }
            _ => return Err(Problem::Needed(ty.noun()).into()),
        };
        std::str::from_utf8(bytes).map_err(|_| Problem::NotUtf8.into())
    }

    fn number(&mut self, marker: Marker) -> Result<Number, MsgpackError> {
        let signed = |int: i64| Ok(Number::from(int));
        let float = |float: f64| Number::from_f64(float).ok_or_else(|| Problem::BadNumber.into());
        match marker {
            Marker::FixPos(int) => signed(i64::from(int)),
            Marker::FixNeg(int) => signed(i64::from(int)),
            Marker::I8 => signed(i64::from(i8::from_be_bytes(self.bytes()?))),
            Marker::I16 => signed(i64::from(i16::from_be_bytes(self.bytes()?))),
            Marker::I32 => signed(i64::from(i32::from_be_bytes(self.bytes()?))),
            Marker::I64 => signed(i64::from_be_bytes(self.bytes()?)),
            Marker::U8 => self.uint::<1>().map(Number::from),
            Marker::U16 => self.uint::<2>().map(Number::from),
            Marker::U32 => self.uint::<4>().map(Number::from),
            Marker::U64 => self.uint::<8>().map(Number::from),
            Marker::F32 => float(f64::from(f32::from_be_bytes(self.bytes()?))),
            Marker::F64 => float(f64::from_be_bytes(self.bytes()?)),
            text => Number::parse(self.text(text, &Type::Number)?)
                .map_err(|_| Problem::BadNumber.into()),
        }
    }

    fn array_length(&mut self, marker: Marker, ty: &'static str) -> Result<usize, MsgpackError> {
        match marker {
            Marker::FixArray(length) => Ok(usize::from(length)),
            Marker::Array16 => self.length::<2>(),
            Marker::Array32 => self.length::<4>(),
            _ => Err(Problem::Needed(ty).into()),
        }
    }

    fn map_length(&mut self, marker: Marker, ty: &'static str) -> Result<usize, MsgpackError> {
        match marker {
            Marker::FixMap(length) => Ok(usize::from(length)),
            Marker::Map16 => self.length::<2>(),
            Marker::Map32 => self.length::<4>(),
            _ => Err(Problem::Needed(ty).into()),
        }
    }

    fn elements(
        &mut self,
        marker: Marker,
        ty: &Type,
        element: &Type,
        depth: usize,
    ) -> Result<Vec<Value>, MsgpackError> {
        let length = self.array_length(marker, ty.noun())?;
        let mut elements = Vec::new();
        for position in 0..length {
            elements.push(self.value(element, depth + 1).map_err(index(position))?);
        }
        Ok(elements)
    }

    fn tuple(
        &mut self,
        marker: Marker,
        types: &[Type],
        depth: usize,
    ) -> Result<Value, MsgpackError> {
        if self.array_length(marker, "a tuple")? != types.len() {
            return Err(Problem::Count {
                needed: types.len(),
            }
            .into());
        }
        let element = |(position, ty)| self.value(ty, depth + 1).map_err(index(position));
        Ok(Value::Tuple(
            types
                .iter()
                .enumerate()
                .map(element)
                .collect::<Result<_, _>>()?,
        ))
    }

    fn name(&mut self) -> Result<&'a str, MsgpackError> {
        let marker = self.marker()?;
        self.text(marker, &Type::String)
    }

    fn map(&mut self, marker: Marker, element: &Type, depth: usize) -> Result<Value, MsgpackError> {
        let length = self.map_length(marker, "a map")?;
        let mut elements = BTreeMap::new();
        for _ in 0..length {
            let name = self.name()?;
            let value = self.value(element, depth + 1).map_err(key(name))?;
            if elements.insert(name.to_owned(), value).is_some() {
                return Err(key(name)(Problem::Twice.into()));
            }
        }
        Ok(Value::Map(elements))
    }

    fn object(
        &mut self,
        marker: Marker,
        types: &BTreeMap<String, Type>,
        depth: usize,
    ) -> Result<Value, MsgpackError> {
        let length = self.map_length(marker, "an object")?;
        let mut attributes = BTreeMap::new();
        for _ in 0..length {
            let name = self.name()?;
            let ty = types
                .get(name)
                .ok_or_else(|| attribute(name)(Problem::Unexpected.into()))?;
            let value = self.value(ty, depth + 1).map_err(attribute(name))?;
            if attributes.insert(name.to_owned(), value).is_some() {
                return Err(attribute(name)(Problem::Twice.into()));
            }
        }
        match types.keys().find(|name| !attributes.contains_key(*name)) {
            None => Ok(Value::Object(attributes)),
            Some(missing) => Err(attribute(missing)(Problem::Missing.into())),
        }
    }

    fn dynamic(&mut self, marker: Marker, depth: usize) -> Result<Value, MsgpackError> {
        if self.array_length(marker, "a type and a value")? != 2 {
            return Err(Problem::Needed("a type and a value").into());
        }
        let marker = self.marker()?;
        let notation = self.text(marker, &Type::String)?;
        let ty = Type::from_json(notation.as_bytes()).map_err(|_| Problem::BadType)?;
        let value = self.value(&ty, depth + 1)?;
        Ok(Value::Dynamic(Box::new(Typed { ty, value })))
    }
}

/// Writes a value of a type. Attributes that the value lacks are written as null; a list will do
/// for a set, a map for an object, and the other way round.
///
/// # Errors
/// When the value does not fit the type.
pub fn encode(ty: &Type, value: &Value) -> Result<Vec<u8>, MsgpackError> {
    let mut out = Vec::new();
    write(&mut out, ty, value)?;
    Ok(out)
}

fn write(out: &mut Vec<u8>, ty: &Type, value: &Value) -> Result<(), MsgpackError> {
    match (ty, value) {
        (_, Value::Null) => out.push(Marker::Null.to_u8()),
        (_, Value::Unknown(Refinement(bytes))) if bytes.is_empty() => {
            out.extend([Marker::FixExt1.to_u8(), UNKNOWN.to_be_bytes()[0], 0]);
        }
        (_, Value::Unknown(Refinement(bytes))) => {
            let length = u32::try_from(bytes.len()).map_err(|_| Problem::BadRefinement)?;
            expect_infallible(encode::write_ext_meta(out, length, REFINED).map(drop));
            out.extend_from_slice(bytes);
        }
        (Type::Dynamic, Value::Dynamic(typed)) => {
            out.push(Marker::FixArray(2).to_u8());
            expect_infallible(encode::write_bin(out, &typed.ty.to_json()));
            write(out, &typed.ty, &typed.value)?;
        }
        (_, Value::Dynamic(typed)) if *ty == typed.ty => write(out, ty, &typed.value)?,
        (Type::Bool, Value::Bool(truth)) => expect_infallible(encode::write_bool(out, *truth)),
        (Type::String, Value::String(text)) => expect_infallible(encode::write_str(out, text)),
        (Type::Number, Value::Number(number)) => match number.repr() {
            Repr::Int(int) => expect_infallible(encode::write_sint(out, *int).map(drop)),
            Repr::Uint(uint) => expect_infallible(encode::write_uint(out, *uint).map(drop)),
            Repr::Float(float) => expect_infallible(encode::write_f64(out, *float)),
            Repr::Decimal(text) => expect_infallible(encode::write_str(out, text)),
        },
        (
            Type::List(element) | Type::Set(element),
            Value::List(items) | Value::Set(items) | Value::Tuple(items),
        ) => {
            array(out, items.len())?;
            for (position, item) in items.iter().enumerate() {
                write(out, element, item).map_err(index(position))?;
            }
        }
        (Type::Tuple(types), Value::List(items) | Value::Tuple(items)) => {
            if types.len() != items.len() {
                return Err(Problem::Count {
                    needed: types.len(),
                }
                .into());
            }
            array(out, items.len())?;
            for (position, (ty, item)) in types.iter().zip(items).enumerate() {
                write(out, ty, item).map_err(index(position))?;
            }
        }
        (Type::Map(element), Value::Map(items) | Value::Object(items)) => {
            map(out, items.len())?;
            for (name, item) in items {
                expect_infallible(encode::write_str(out, name));
                write(out, element, item).map_err(key(name))?;
            }
        }
        (Type::Object(types), Value::Map(items) | Value::Object(items)) => {
            if let Some(name) = items.keys().find(|name| !types.contains_key(*name)) {
                return Err(attribute(name)(Problem::Unexpected.into()));
            }
            map(out, types.len())?;
            for (name, ty) in types {
                expect_infallible(encode::write_str(out, name));
                write(out, ty, items.get(name).unwrap_or(&Value::Null)).map_err(attribute(name))?;
            }
        }
        (Type::Dynamic, _) => return Err(Problem::Needed("a value with its type").into()),
        (ty, _) => return Err(Problem::Needed(ty.noun()).into()),
    }
    Ok(())
}

fn array(out: &mut Vec<u8>, length: usize) -> Result<(), MsgpackError> {
    expect_infallible(
        encode::write_array_len(out, u32::try_from(length).map_err(|_| Problem::TooDeep)?)
            .map(drop),
    );
    Ok(())
}

fn map(out: &mut Vec<u8>, length: usize) -> Result<(), MsgpackError> {
    expect_infallible(
        encode::write_map_len(out, u32::try_from(length).map_err(|_| Problem::TooDeep)?).map(drop),
    );
    Ok(())
}

/// Writing to memory cannot fail, although the signature allows it.
fn expect_infallible<E>(written: Result<(), E>) {
    debug_assert!(written.is_ok());
}
