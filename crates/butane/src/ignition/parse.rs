//! JSON in and out.

use serde_json::{Map, Value};

use super::Config;
use super::merge::config_shape;
use super::shape::Shape;
use crate::path::{Path, Segment};
use crate::report::{Kind, Report, Stage};

/// Reads a config. Unknown keys are warnings; JSON that is none, or of another shape, is an error.
///
/// # Errors
/// The report says what is wrong with the JSON.
pub fn from_slice(json: &[u8]) -> Result<(Config, Report), Report> {
    read_config(json).map_err(|message| Report::error(Path::root(), message).at_stage(Stage::Read))
}

/// Reads a config; the error is a message.
pub(crate) fn read_config(json: &[u8]) -> Result<(Config, Report), String> {
    let mut value: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    let mut report = Report::new();
    tidy(&mut value, &config_shape(), &mut Path::root(), &mut report)?;
    let config = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok((config, report.at_stage(Stage::Result)))
}

/// Writes a config as Ignition wants it.
///
/// # Errors
/// Never for a config; the signature is that of the JSON library.
pub fn to_vec(config: &Config, pretty: bool) -> Result<Vec<u8>, serde_json::Error> {
    if config.ignition.version != "3.0.0" {
        return if pretty {
            serde_json::to_vec_pretty(config)
        } else {
            serde_json::to_vec(config)
        };
    }
    // Version 3.0 writes the source of a further config even if there is none.
    let mut value = serde_json::to_value(config)?;
    if let Some(further) = value.pointer_mut("/ignition/config") {
        for item in further
            .get_mut("merge")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            name_source(item);
        }
        further.get_mut("replace").map(name_source);
    }
    if pretty {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    }
}

fn name_source(reference: &mut Value) {
    if let Some(reference) = reference.as_object_mut() {
        reference.entry("source").or_insert(Value::Null);
    }
}

/// Makes keys canonical (Ignition reads them in any case), drops nulls, and notes and drops unknown keys.
fn tidy(value: &mut Value, shape: &Shape, path: &mut Path, report: &mut Report) -> Result<(), String> {
    match (value, shape) {
        (Value::Object(object), Shape::Record(fields)) => {
            let mut kept = Map::new();
            for (key, mut value) in std::mem::take(object) {
                let exact = fields.iter().find(|(name, _)| *name == key);
                let Some((name, shape)) =
                    exact.or_else(|| fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key)))
                else {
                    let mut path = path.clone();
                    let message = format!("nothing uses the key {key:?}");
                    path.push(Segment::Name(key));
                    report.push(Kind::Warning, path, message);
                    continue;
                };
                if *name != key {
                    let mut path = path.clone();
                    let message = format!("the key {key:?} is written {name:?}");
                    path.push(Segment::Name(key));
                    report.push(Kind::Warning, path, message);
                }
                if !value.is_null() {
                    path.push(*name);
                    tidy(&mut value, &shape(), path, report)?;
                    path.pop();
                    kept.insert((*name).to_owned(), value);
                }
            }
            *object = kept;
        }
        (Value::Array(items), Shape::List(shape)) => {
            let shape = shape();
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index);
                if item.is_null() && matches!(shape, Shape::Record(_)) {
                    *item = Value::Object(Map::new());
                }
                tidy(item, &shape, path, report)?;
                path.pop();
            }
        }
        (_, Shape::Leaf) => {}
        (_, Shape::Record(_)) => return Err(format!("{path}: an object is wanted here")),
        (_, Shape::List(_)) => return Err(format!("{path}: an array is wanted here")),
    }
    Ok(())
}
