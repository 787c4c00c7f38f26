//! Whatever a story asks of the API, the answer is one that the OpenAPI document tells of: its status, its kind of
//! problem, its shape. An answer's field that is not documented is a fault, too: the document says all there is.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::Value;

use super::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(crate::api::document);

/// Holds an answer against the document. What is no operation of the API is none of its business.
pub(super) fn holds(method: &Method, path: &str, reply: &Reply) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let at = format!("{method} {path}: {}", reply.status);
    let answer = resolved(&operation["responses"][reply.status.as_str()]);
    assert!(answer.is_object(), "{at} is not documented: {}", reply.text());
    let media = reply
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if reply.body.is_empty() {
        assert!(answer["content"].is_null(), "{at} has no body");
        return;
    }
    let content = &answer["content"][media];
    assert!(content.is_object(), "{at}: no {media:?} is documented");
    if !media.ends_with("json") {
        return;
    }
    if let Err(why) = fits(&reply.json(), &content["schema"]) {
        panic!("{at} is not as documented: {why}: {}", reply.text());
    }
    if media == thirdboot_api::PROBLEM_MEDIA_TYPE {
        let (_, kind, _) = reply.problem();
        let named = &content["examples"][&kind];
        assert!(
            named.is_object(),
            "{at}: the problem {kind} is not documented: name it in x-problems"
        );
    }
}

/// The operation that a path belongs to; of several the one with the fewest parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let method = method.as_str().to_lowercase();
    let matches = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let is_met = |(part, given): (&&str, &&str)| part.starts_with('{') || part == given;
        template.len() == path.len() && template.iter().zip(&path).all(is_met)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let (_, item) = paths
        .iter()
        .filter(|(template, _)| template.starts_with("/api/v1/") && matches(template))
        .min_by_key(|(template, _)| template.matches('{').count())?;
    item.get(&method)
}

/// What a reference stands for.
fn resolved(value: &Value) -> &Value {
    let pointer = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    let to = |pointer: &str| {
        DOCUMENT
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} leads nowhere"))
    };
    pointer.map_or(value, to)
}

/// Whether a value has the shape that a schema says; else where it has not.
pub(crate) fn fits(value: &Value, schema: &Value) -> Result<(), String> {
    at(value, schema, "")
}

fn at(value: &Value, schema: &Value, path: &str) -> Result<(), String> {
    let schema = resolved(schema);
    for choices in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choices].as_array() {
            let why: Vec<String> = choices.iter().filter_map(|one| at(value, one, path).err()).collect();
            if why.len() == choices.len() {
                return Err(why.join(" and "));
            }
        }
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        kinds => kinds
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        return Err(format!("{path}: {value} is none of {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{path}: {value} is none of {words:?}"));
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        at(item, &schema["items"], &format!("{path}[{n}]"))?;
    }
    match value.as_object() {
        Some(fields) => object(fields, schema, path),
        None => Ok(()),
    }
}

fn object(fields: &serde_json::Map<String, Value>, schema: &Value, path: &str) -> Result<(), String> {
    let parts: Vec<&Value> = match schema["allOf"].as_array() {
        Some(parts) => parts.iter().map(resolved).collect(),
        None => vec![schema],
    };
    let required = parts.iter().filter_map(|part| part["required"].as_array()).flatten();
    for needed in required.filter_map(Value::as_str) {
        if !fields.contains_key(needed) {
            return Err(format!("{path}: {needed} is missing"));
        }
    }
    // An object of which nothing is said may hold anything.
    let is_open = |part: &&Value| part["properties"].is_null() && part["additionalProperties"].is_null();
    for (name, field) in fields {
        let below = format!("{path}.{name}");
        let known = parts.iter().find_map(|part| part["properties"].get(name));
        let others = || {
            parts
                .iter()
                .map(|part| &part["additionalProperties"])
                .find(|others| others.is_object())
        };
        match known.or_else(others) {
            Some(schema) => at(field, schema, &below)?,
            None if parts.iter().all(is_open) => {}
            None => return Err(format!("{below} is not documented")),
        }
    }
    Ok(())
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
