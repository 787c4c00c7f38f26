//! Values as Terraform has them.

mod json;
mod msgpack;
mod number;

use std::collections::BTreeMap;

pub use number::Number;

use crate::{Path, Type};

/// The attributes of an object, by name; one that is not there counts as null.
pub type Object = BTreeMap<String, Value>;

/// A value of any type. Sets are lists in one order, maps and objects are both [`Value::Object`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// Known after the apply.
    Unknown,
    /// A truth.
    Bool(bool),
    /// A number of any size.
    Number(Number),
    /// Text.
    String(String),
    /// A list, or a set in the order of its elements, each once.
    List(Vec<Value>),
    /// An object or a map.
    Object(Object),
}

/// A value that is not of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct Malformed {
    /// Where.
    pub path: Path,
    /// What is wrong.
    pub why: String,
}

impl Malformed {
    fn at(path: &Path, why: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            why: why.into(),
        }
    }

    fn expected(path: &Path, ty: &Type) -> Self {
        Self::at(path, format!("expected {}", ty.name()))
    }
}

impl Value {
    /// Whether it is not set.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is known after the apply only; not whether something inside is.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether nothing in it is unknown.
    #[must_use]
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(items) => items.iter().all(Self::is_wholly_known),
            Self::Object(fields) => fields.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    /// The text, if it is a known one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a known whole one that fits.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The elements, if it is a known list or set.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The attributes or elements, if it is a known object or map.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// An attribute or element; null where there is none, unknown inside the unknown.
    #[must_use]
    pub fn get(&self, name: &str) -> &Self {
        match self {
            Self::Unknown => &Self::Unknown,
            Self::Object(fields) => fields.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// In the form of its type: sets in order, missing attributes as nulls, and no others.
    pub(crate) fn normalised(self, ty: &Type) -> Self {
        match (self, ty) {
            (Self::List(items), Type::List(of) | Type::Set(of)) => {
                let mut items: Vec<Self> = items.into_iter().map(|item| item.normalised(of)).collect();
                if matches!(ty, Type::Set(_)) {
                    items.sort();
                    // Two unknowns may turn out to be different.
                    items.dedup_by(|a, b| a == b && a.is_wholly_known());
                }
                Self::List(items)
            }
            (Self::Object(fields), Type::Map(of)) => {
                let fields = fields.into_iter().map(|(key, value)| (key, value.normalised(of)));
                Self::Object(fields.collect())
            }
            (Self::Object(mut fields), Type::Object(attributes)) => {
                let fields = attributes.iter().map(|attribute| {
                    let value = fields.remove(attribute.name).unwrap_or_default();
                    (attribute.name.to_owned(), value.normalised(&attribute.ty))
                });
                Self::Object(fields.collect())
            }
            (value, _) => value,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(is_true: bool) -> Self {
        Self::Bool(is_true)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl From<Object> for Value {
    fn from(fields: Object) -> Self {
        Self::Object(fields)
    }
}
