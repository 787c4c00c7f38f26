//! Values as msgpack: what Terraform and its providers send each other (its `object-wire-format`).

use rmpv::Value as Raw;

use super::{Malformed, Number, Object, Value};
use crate::{Path, Type};

/// What an unknown value is written as: an extension of type 0 with one byte of nothing.
const UNKNOWN: (i8, [u8; 1]) = (0, [0]);
/// A body nested deeper than any schema is none of ours.
const MAX_DEPTH: usize = 64;

impl Value {
    /// Reads a value of this type.
    ///
    /// # Errors
    /// When it is of another type, or no msgpack.
    pub fn from_msgpack(bytes: &[u8], ty: &Type) -> Result<Self, Malformed> {
        let root = Path::root();
        let mut rest = bytes;
        let raw = rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH)
            .map_err(|error| Malformed::at(&root, format!("no msgpack: {error}")))?;
        if !rest.is_empty() {
            return Err(Malformed::at(&root, "more than one msgpack value"));
        }
        Ok(read(raw, ty, &root)?.normalised(ty))
    }

    /// Writes it as a value of this type.
    #[must_use]
    pub fn to_msgpack(self, ty: &Type) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing into memory cannot fail.
        let _ = rmpv::encode::write_value(&mut bytes, &raw(self.normalised(ty)));
        bytes
    }
}

fn read(raw: Raw, ty: &Type, path: &Path) -> Result<Value, Malformed> {
    Ok(match (raw, ty) {
        (Raw::Nil, _) => Value::Null,
        // Whatever extension: a value that is not known yet, perhaps with a hint of what it will be.
        (Raw::Ext(..), _) => Value::Unknown,
        (Raw::Boolean(is_true), Type::Bool) => Value::Bool(is_true),
        (Raw::String(text), Type::String) => Value::String(
            text.into_str()
                .ok_or_else(|| Malformed::at(path, "the text is no UTF-8"))?,
        ),
        (raw, Type::Number) => Value::Number(number(&raw).ok_or_else(|| Malformed::expected(path, ty))?),
        (Raw::Array(items), Type::List(of) | Type::Set(of)) => {
            let items = items.into_iter().enumerate();
            let items = items.map(|(at, item)| read(item, of, &path.index(at)));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        (Raw::Map(fields), Type::Map(of)) => {
            let mut read_fields = Object::new();
            for (key, value) in fields {
                let key = key.as_str().ok_or_else(|| Malformed::at(path, "a key is no text"))?;
                read_fields.insert(key.to_owned(), read(value, of, &path.key(key))?);
            }
            Value::Object(read_fields)
        }
        (Raw::Map(fields), Type::Object(attributes)) => {
            let mut read_fields = Object::new();
            for (key, value) in fields {
                let key = key.as_str().ok_or_else(|| Malformed::at(path, "a key is no text"))?;
                let attribute = attributes.iter().find(|attribute| attribute.name == key);
                let attribute = attribute.ok_or_else(|| Malformed::at(&path.at(key), "no such attribute"))?;
                read_fields.insert(key.to_owned(), read(value, &attribute.ty, &path.at(key))?);
            }
            Value::Object(read_fields)
        }
        _ => return Err(Malformed::expected(path, ty)),
    })
}

/// Whole numbers come as integers, others as floats where that is exact, and as text where it is not.
fn number(raw: &Raw) -> Option<Number> {
    match raw {
        Raw::Integer(integer) => integer
            .as_i64()
            .map(Number::from)
            .or_else(|| integer.as_u64().map(Number::from)),
        Raw::F32(float) => Number::from_f64(f64::from(*float)),
        Raw::F64(float) => Number::from_f64(*float),
        Raw::String(text) => Number::parse(text.as_str()?),
        _ => None,
    }
}

fn raw(value: Value) -> Raw {
    match value {
        Value::Null => Raw::Nil,
        Value::Unknown => Raw::Ext(UNKNOWN.0, UNKNOWN.1.to_vec()),
        Value::Bool(is_true) => Raw::Boolean(is_true),
        Value::Number(number) => raw_number(&number),
        Value::String(text) => Raw::from(text),
        Value::List(items) => Raw::Array(items.into_iter().map(raw).collect()),
        Value::Object(fields) => Raw::Map(
            fields
                .into_iter()
                .map(|(key, value)| (Raw::from(key), raw(value)))
                .collect(),
        ),
    }
}

fn raw_number(number: &Number) -> Raw {
    let text = number.as_str();
    if let Ok(integer) = text.parse::<i64>() {
        return Raw::from(integer);
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Raw::from(integer);
    }
    number.as_exact_f64().map_or_else(|| Raw::from(text), Raw::F64)
}
