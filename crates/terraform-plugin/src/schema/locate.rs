//! From a field as APIs name it (`network.vlans[0].id`, `labels.rack`) to the attribute.

use crate::{Path, Schema, Type};

impl Schema {
    /// The way to a field, as far as the schema has it: an element of a set, and what it does not know, ends it. None when
    /// not even the first word is an attribute.
    #[must_use]
    pub fn locate(&self, field: &str) -> Option<Path> {
        let mut path = Path::root();
        let mut ty = &self.ty;
        let mut rest = field;
        while !rest.is_empty() {
            let Some((step, next, left)) = step(ty, rest, &path) else {
                break;
            };
            (path, ty, rest) = (step, next, left);
        }
        (!path.is_root()).then_some(path)
    }
}

fn step<'t, 'f>(ty: &'t Type, rest: &'f str, path: &Path) -> Option<(Path, &'t Type, &'f str)> {
    match ty {
        Type::Object(attributes) => {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, left) = rest.split_at(end);
            let attribute = attributes.iter().find(|attribute| attribute.name == name)?;
            Some((path.at(name), &attribute.ty, left))
        }
        Type::List(of) => {
            let (index, left) = rest.strip_prefix('[')?.split_once(']')?;
            Some((path.index(index.parse().ok()?), of, left))
        }
        // A key may hold dots; whatever is in a map of simple values is all key.
        Type::Map(of) => {
            let rest = rest.strip_prefix('.')?;
            let end = match **of {
                Type::Object(_) => rest.find('.').unwrap_or(rest.len()),
                _ => rest.len(),
            };
            let (key, left) = rest.split_at(end);
            Some((path.key(key), of, left))
        }
        Type::Set(_) | Type::String | Type::Number | Type::Bool => None,
    }
}
