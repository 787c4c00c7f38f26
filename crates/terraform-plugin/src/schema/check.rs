//! Checks of single values, with the path of whatever is wrong.

use crate::{Attribute, Diagnostics, Object, Path, Schema, Type, Value};

/// One of these words.
pub(super) fn one_of(words: Vec<String>) -> impl Fn(&Value) -> Result<(), String> + Send + Sync {
    move |value| match value.as_str() {
        Some(text) if !words.iter().any(|word| word == text) => Err(format!("expected one of {}", words.join(", "))),
        _ => Ok(()),
    }
}

/// A whole number in this range.
pub fn between(first: u64, last: u64) -> impl Fn(&Value) -> Result<(), String> + Send + Sync {
    move |value| match value {
        Value::Number(number) => match number.as_str().parse::<u64>() {
            Ok(number) if (first..=last).contains(&number) => Ok(()),
            _ => Err(format!("expected a whole number from {first} to {last}")),
        },
        _ => Ok(()),
    }
}

impl Schema {
    /// What is wrong with a configuration, as far as single values go.
    pub(crate) fn check(&self, config: &Object) -> Diagnostics {
        let mut found = Diagnostics::default();
        check_all(self.attributes(), config, &Path::root(), &mut found);
        found
    }
}

fn check_all(attributes: &[Attribute], config: &Object, path: &Path, found: &mut Diagnostics) {
    for attribute in attributes {
        if let Some(value) = config.get(attribute.name) {
            check(attribute, &attribute.ty, value, &path.at(attribute.name), found);
        }
    }
}

fn check(attribute: &Attribute, ty: &Type, value: &Value, path: &Path, found: &mut Diagnostics) {
    match (ty, value) {
        (_, Value::Null | Value::Unknown) => {}
        (Type::Object(attributes), Value::Object(fields)) => check_all(attributes, fields, path, found),
        (Type::List(of), Value::List(items)) => {
            for (at, item) in items.iter().enumerate() {
                check(attribute, of, item, &path.index(at), found);
            }
        }
        // An element of a set has no path of its own.
        (Type::Set(of), Value::List(items)) => items.iter().for_each(|item| check(attribute, of, item, path, found)),
        (Type::Map(of), Value::Object(fields)) => {
            for (key, item) in fields {
                check(attribute, of, item, &path.key(key), found);
            }
        }
        _ => {
            for refuses in &attribute.checks {
                if let Err(why) = refuses(value) {
                    let detail = if attribute.sensitive || attribute.write_only {
                        why
                    } else {
                        format!("{}: {why}", shown(value))
                    };
                    found.add_error(path.clone(), format!("{path} cannot be this"), detail);
                }
            }
        }
    }
}

fn shown(value: &Value) -> String {
    const MOST_CHARS: usize = 80;
    match value {
        Value::String(text) if text.chars().count() > MOST_CHARS => {
            format!("{:?}…", text.chars().take(MOST_CHARS).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Number(number) => number.as_str().to_owned(),
        Value::Bool(is_true) => is_true.to_string(),
        _ => "this".to_owned(),
    }
}
