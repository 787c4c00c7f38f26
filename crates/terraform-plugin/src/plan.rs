//! What the schema alone makes of a configuration: defaults, what is known only after the apply, what is kept, and what
//! makes another resource.

use crate::{Attribute, Object, Path, Type, Value};

/// Fills in defaults and takes out what is write-only. `proposed` is Terraform's own merge of configuration and prior
/// state: computed values that the user did not set are the prior ones.
pub(crate) fn with_defaults(attributes: &[Attribute], config: &Object, mut proposed: Object) -> Object {
    for attribute in attributes {
        let said = config.get(attribute.name).unwrap_or(&Value::Null);
        let value = proposed.remove(attribute.name).unwrap_or_default();
        let value = match (&attribute.default, said) {
            _ if attribute.write_only => Value::Null,
            (Some(default), Value::Null) => default.clone(),
            _ => inside(&attribute.ty, said, value),
        };
        proposed.insert(attribute.name.to_owned(), value);
    }
    proposed
}

fn inside(ty: &Type, said: &Value, value: Value) -> Value {
    match (ty, said, value) {
        (Type::Object(attributes), Value::Object(config), Value::Object(proposed)) => {
            Value::Object(with_defaults(attributes, config, proposed))
        }
        (Type::List(of), Value::List(config), Value::List(proposed)) if config.len() == proposed.len() => {
            let items = config.iter().zip(proposed);
            Value::List(items.map(|(said, value)| inside(of, said, value)).collect())
        }
        // Nothing is computed inside a set: the user's elements are all there is to know.
        (Type::Set(of), Value::List(config), Value::List(_)) => {
            Value::List(config.iter().map(|said| inside(of, said, said.clone())).collect())
        }
        (Type::Map(of), Value::Object(config), Value::Object(proposed)) => {
            let fields = proposed.into_iter().map(|(key, value)| {
                let value = match config.get(&key) {
                    Some(said) => inside(of, said, value),
                    None => value,
                };
                (key, value)
            });
            Value::Object(fields.collect())
        }
        (_, _, value) => value,
    }
}

/// Marks what the provider will set as known after the apply: all of it when the resource is made, and what does not keep
/// when anything changes.
pub(crate) fn with_unknowns(
    attributes: &[Attribute],
    config: &Object,
    prior: Option<&Object>,
    mut planned: Object,
) -> Object {
    let is_changed = prior.is_none_or(|prior| {
        attributes
            .iter()
            .any(|attribute| prior.get(attribute.name) != planned.get(attribute.name))
    });
    mark(attributes, config, prior, is_changed, &mut planned);
    planned
}

fn mark(attributes: &[Attribute], config: &Object, prior: Option<&Object>, is_changed: bool, planned: &mut Object) {
    for attribute in attributes {
        let said = config.get(attribute.name).unwrap_or(&Value::Null);
        let before = prior.and_then(|prior| prior.get(attribute.name));
        let Some(value) = planned.get_mut(attribute.name) else {
            continue;
        };
        if said.is_null() {
            if attribute.is_computed() && (before.is_none() || (is_changed && !attribute.keeps)) {
                *value = Value::Unknown;
            }
        } else {
            mark_inside(&attribute.ty, said, before, is_changed, value);
        }
    }
}

fn mark_inside(ty: &Type, said: &Value, before: Option<&Value>, is_changed: bool, value: &mut Value) {
    match (ty, said, value) {
        (Type::Object(attributes), Value::Object(config), Value::Object(planned)) => {
            mark(
                attributes,
                config,
                before.and_then(Value::as_object),
                is_changed,
                planned,
            );
        }
        (Type::List(of), Value::List(config), Value::List(planned)) => {
            let before = before.and_then(Value::as_list).unwrap_or_default();
            for (at, (said, value)) in config.iter().zip(planned).enumerate() {
                mark_inside(of, said, before.get(at), is_changed, value);
            }
        }
        (Type::Map(of), Value::Object(config), Value::Object(planned)) => {
            let before = before.and_then(Value::as_object);
            for (key, value) in planned {
                if let Some(said) = config.get(key) {
                    mark_inside(of, said, before.and_then(|before| before.get(key)), is_changed, value);
                }
            }
        }
        _ => {}
    }
}

/// The changed attributes that make another resource.
pub(crate) fn replacing(attributes: &[Attribute], prior: &Object, planned: &Object) -> Vec<Path> {
    let mut paths = Vec::new();
    find_replacing(attributes, prior, planned, &Path::root(), &mut paths);
    paths
}

fn find_replacing(attributes: &[Attribute], prior: &Object, planned: &Object, path: &Path, paths: &mut Vec<Path>) {
    for attribute in attributes {
        let (before, after) = (prior.get(attribute.name), planned.get(attribute.name));
        if before == after {
            continue;
        }
        let path = path.at(attribute.name);
        if attribute.replaces {
            paths.push(path);
        } else if let (Type::Object(attributes), Some(Value::Object(before)), Some(Value::Object(after))) =
            (&attribute.ty, before, after)
        {
            find_replacing(attributes, before, after, &path, paths);
        }
    }
}
