//! Values as JSON: how a state stands in its file, and what most APIs speak.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Malformed, Number, Object, Value};
use crate::{Path, Type};

impl Value {
    /// Reads a stored state of this type. Attributes that the type does not have are left out, those that are missing
    /// are null: so a state that another version of the provider wrote is read. Numbers are read exactly.
    ///
    /// # Errors
    /// When an attribute is of another type, or it is no JSON.
    pub fn from_stored_json(text: &[u8], ty: &Type) -> Result<Self, Malformed> {
        let raw: Box<RawValue> = parse(text, &Path::root())?;
        Ok(read(&raw, ty, &Path::root())?.normalised(ty))
    }

    /// A value of this type that an API answered with. Attributes that the type does not have are left out.
    ///
    /// # Errors
    /// When an attribute is of another type.
    pub fn from_json(json: &serde_json::Value, ty: &Type) -> Result<Self, Malformed> {
        Self::from_stored_json(json.to_string().as_bytes(), ty)
    }

    /// As an API takes it: nulls and unknowns are left out of objects.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null | Self::Unknown => serde_json::Value::Null,
            Self::Bool(is_true) => (*is_true).into(),
            Self::Number(number) => json_number(number),
            Self::String(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(fields) => {
                let known = fields
                    .iter()
                    .filter(|(_, value)| !matches!(value, Self::Null | Self::Unknown));
                known.map(|(key, value)| (key.clone(), value.to_json())).collect()
            }
        }
    }
}

/// APIs have no numbers beyond those of their languages: what is larger goes as the float next to it.
fn json_number(number: &Number) -> serde_json::Value {
    let text = number.as_str();
    text.parse::<i64>()
        .map(Into::into)
        .or_else(|_| text.parse::<u64>().map(Into::into))
        .or_else(|_| text.parse::<f64>().map(Into::into))
        .unwrap_or(serde_json::Value::Null)
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a [u8], path: &Path) -> Result<T, Malformed> {
    serde_json::from_slice(text).map_err(|error| Malformed::at(path, error.to_string()))
}

fn read(raw: &RawValue, ty: &Type, path: &Path) -> Result<Value, Malformed> {
    let text = raw.get().as_bytes();
    let expected = |_: Malformed| Malformed::expected(path, ty);
    if raw.get() == "null" {
        return Ok(Value::Null);
    }
    Ok(match ty {
        Type::Bool => Value::Bool(parse(text, path).map_err(expected)?),
        Type::String => Value::String(parse(text, path).map_err(expected)?),
        Type::Number => Value::Number(number(raw.get()).ok_or_else(|| Malformed::expected(path, ty))?),
        Type::List(of) | Type::Set(of) => {
            let items: Vec<&RawValue> = parse(text, path).map_err(expected)?;
            let items = items.into_iter().enumerate();
            let items = items.map(|(at, item)| read(item, of, &path.index(at)));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Type::Map(of) => {
            let fields: BTreeMap<String, &RawValue> = parse(text, path).map_err(expected)?;
            let fields = fields.into_iter().map(|(key, value)| {
                let value = read(value, of, &path.key(&key))?;
                Ok((key, value))
            });
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
        Type::Object(attributes) => {
            let fields: BTreeMap<String, &RawValue> = parse(text, path).map_err(expected)?;
            let mut read_fields = Object::new();
            for attribute in attributes {
                let value = match fields.get(attribute.name) {
                    Some(value) => read(value, &attribute.ty, &path.at(attribute.name))?,
                    None => Value::Null,
                };
                read_fields.insert(attribute.name.to_owned(), value);
            }
            Value::Object(read_fields)
        }
    })
}

fn number(text: &str) -> Option<Number> {
    // An exponent is not what Terraform writes; a float is near enough to what does.
    Number::parse(text).or_else(|| Number::from_f64(text.parse().ok()?))
}
