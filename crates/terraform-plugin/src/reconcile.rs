//! Between what a user wrote and what an API answers: the same thing in other words is no change.

use crate::{Attribute, Object, Schema, Type, Value};

/// The state after a look at what an API shows: everything that differs from `prior` is taken over, and what only says the
/// same in other words (another notation, nothing instead of the default) stays as the user wrote it.
#[must_use]
pub fn reconcile(schema: &Schema, prior: &Object, seen: Object) -> Object {
    object(schema.attributes(), prior, seen)
}

/// The state after an apply: the plan, with what was unknown in it as the API shows it.
#[must_use]
pub fn settle(planned: &Object, seen: &Object) -> Object {
    let fields = planned
        .iter()
        .map(|(name, value)| (name.clone(), settled(value, seen.get(name).unwrap_or(&Value::Null))));
    fields.collect()
}

fn settled(planned: &Value, seen: &Value) -> Value {
    match planned {
        Value::Unknown => seen.clone(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), settled(value, seen.get(name))))
                .collect(),
        ),
        Value::List(items) => {
            let seen = seen.as_list().unwrap_or_default();
            let items = items.iter().enumerate();
            let settle = |(at, item)| settled(item, seen.get(at).unwrap_or(&Value::Null));
            Value::List(items.map(settle).collect())
        }
        known => known.clone(),
    }
}

fn object(attributes: &[Attribute], prior: &Object, mut seen: Object) -> Object {
    let fields = attributes.iter().map(|attribute| {
        let before = prior.get(attribute.name).unwrap_or(&Value::Null);
        let now = seen.remove(attribute.name).unwrap_or_default();
        let is_users = !attribute.is_computed() && attribute.default.is_none();
        let is_nothing = is_users && before.is_null() && says_nothing(&attribute.ty, &now);
        let value = if attribute.write_only || is_nothing {
            Value::Null
        } else if now.is_null() && says_nothing(&attribute.ty, before) {
            before.clone()
        } else {
            value(attribute, &attribute.ty, before, now)
        };
        (attribute.name.to_owned(), value)
    });
    fields.collect()
}

fn value(attribute: &Attribute, ty: &Type, before: &Value, now: Value) -> Value {
    match (ty, before, now) {
        (Type::Object(attributes), Value::Object(before), Value::Object(now)) => {
            Value::Object(object(attributes, before, now))
        }
        // An object that was not there is taken over whole, its empty parts as nulls.
        (Type::Object(attributes), _, Value::Object(now)) => Value::Object(object(attributes, &Object::new(), now)),
        (Type::List(of), before, Value::List(now)) => {
            let before = before.as_list().unwrap_or_default();
            let items = now.into_iter().enumerate();
            let reconciled = |(at, now)| value(attribute, of, before.get(at).unwrap_or(&Value::Null), now);
            Value::List(items.map(reconciled).collect())
        }
        (Type::Set(of), before, Value::List(now)) => {
            let before = before.as_list().unwrap_or_default();
            let items = now.into_iter().map(|now| {
                let same = before.iter().find(|before| is_same(attribute, of, before, &now));
                same.cloned().unwrap_or(now)
            });
            Value::List(items.collect()).normalised(ty)
        }
        (Type::Map(of), before, Value::Object(now)) => {
            let fields = now.into_iter().map(|(key, now)| {
                let now = value(attribute, of, before.get(&key), now);
                (key, now)
            });
            Value::Object(fields.collect())
        }
        (_, before, now) if is_same(attribute, ty, before, &now) => before.clone(),
        (_, _, now) => now,
    }
}

fn is_same(attribute: &Attribute, ty: &Type, before: &Value, now: &Value) -> bool {
    match (ty, before, now, attribute.same) {
        (Type::String, Value::String(before), Value::String(now), Some(same)) => same(before, now),
        _ => before == now,
    }
}

/// Whether a value is what it would be if nobody had said anything.
fn says_nothing(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null) => true,
        (_, Value::List(items)) => items.is_empty(),
        (Type::Object(attributes), Value::Object(fields)) => attributes.iter().all(|attribute| {
            let value = fields.get(attribute.name).unwrap_or(&Value::Null);
            // What the provider sets by itself is nobody's word.
            attribute.is_computed() || attribute.default.as_ref() == Some(value) || says_nothing(&attribute.ty, value)
        }),
        (Type::Map(_), Value::Object(fields)) => fields.is_empty(),
        _ => false,
    }
}
