//! The OpenAPI document: generated from the handlers' annotations, with what holds for every operation added here.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use thirdboot_api::{PROBLEM_MEDIA_TYPE, Problem, ProblemType};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use super::routes;

/// What the annotations cannot say.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Thirdboot",
        description = "Everything a person or a program can do on the control plane. Errors are problem documents \
            (RFC 9457) that name the field at fault. Requests refuse unknown fields and parameters; answers may grow."
    ),
    components(schemas(Problem)),
    tags(
        (name = "packages", description = "Where packages come from, and what every host of a role has"),
        (name = "hosts", description = "Machines: described, armed, held, watched"),
        (name = "previews", description = "What a host would be served, and how that differs from what it has"),
        (name = "templates", description = "Users' own Butane documents on top of the installed config"),
        (name = "access", description = "Who may do what, and who did"),
        (name = "watching", description = "What happens, what is observed, what is wrong"),
        (name = "locks", description = "Reboot locks: who may be disrupted, who waits, and how groups of hosts update"),
        (name = "settings", description = "What holds for every host"),
        (name = "assets", description = "The mirror: versions of the operating system, and files with a hash"),
        (name = "clusters", description = "k3s clusters: what they are, who begins them, who joins when"),
        (name = "service", description = "The service itself"),
    ),
    modifiers(&Bearer),
)]
struct Frame;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut OpenApi) {
        use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some(
            "An API token. Its role is viewer, operator or admin, each of which may do what the one before may; \
             the role that an operation needs stands in its security requirement."
                .to_owned(),
        );
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// What the annotations are collected in.
pub(super) fn frame() -> OpenApi {
    Frame::openapi()
}

static TEXT: LazyLock<String> = LazyLock::new(text);

static OPERATIONS: LazyLock<HashMap<(Method, String), String>> = LazyLock::new(|| {
    let (_, openapi) = routes().split_for_parts();
    let mut document = serde_json::to_value(openapi).unwrap_or_default();
    let mut operations = HashMap::new();
    for (path, item) in objects(&mut document["paths"]) {
        for (method, operation) in item {
            if let (Ok(method), Some(name)) = (method.to_uppercase().parse(), operation["operationId"].as_str()) {
                operations.insert((method, path.clone()), name.to_owned());
            }
        }
    }
    operations
});

/// The name of the operation at this route; its method and route where it has none.
pub(super) fn operation(method: &Method, route: &str) -> String {
    let key = (method.clone(), route.to_owned());
    let named = OPERATIONS.get(&key).cloned();
    named.unwrap_or_else(|| format!("{method} {route}"))
}

/// The document as it is served and kept in docs/openapi.json.
pub(super) fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The whole document.
pub(crate) fn document() -> Value {
    let (_, openapi) = routes().split_for_parts();
    let mut document = serde_json::to_value(openapi).unwrap_or_default();
    for item in objects(&mut document["paths"]) {
        let path_takes_parameters = item.1.contains_key("parameters") || item.0.contains('{');
        for operation in objects_of(item.1) {
            complete(operation, path_takes_parameters);
        }
    }
    document["components"]["responses"] = ProblemType::ALL
        .iter()
        .map(|problem| (name_of(*problem).to_owned(), response(*problem)))
        .collect();
    for (name, page) in objects(&mut document["components"]["schemas"]) {
        if let Some(item) = name.strip_prefix("Page_") {
            page["properties"]["items"]["items"] = json!({"$ref": format!("#/components/schemas/{item}")});
        }
    }
    document
}

fn objects(value: &mut Value) -> impl Iterator<Item = (&String, &mut Map<String, Value>)> {
    let entries = value.as_object_mut().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key, value.as_object_mut()?)))
}

fn objects_of(item: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    item.values_mut().filter_map(Value::as_object_mut)
}

/// Adds the problems that follow from what an operation takes to those that its handler names in `x-problems`.
fn complete(operation: &mut Map<String, Value>, path_takes_parameters: bool) {
    let named = operation.remove("x-problems").unwrap_or_default();
    let mut problems: BTreeSet<ProblemType> = named.as_array().into_iter().flatten().filter_map(named_type).collect();
    if operation.remove("x-idempotent").is_some() {
        problems.insert(ProblemType::KeyReused);
        takes_key(operation);
    }
    let has_body = operation.contains_key("requestBody");
    let takes_query = takes_query(operation);
    if let Some(role) = role_of(operation) {
        use ProblemType::{Forbidden, Internal, Unauthorized, Unavailable};
        problems.extend([Unauthorized, Unavailable, Internal]);
        // There is no role below it.
        problems.extend((role != "viewer").then_some(Forbidden));
    }
    if path_takes_parameters {
        problems.insert(ProblemType::NotFound);
    }
    if has_body {
        problems.insert(ProblemType::TooLarge);
    }
    if has_body || takes_query {
        problems.insert(ProblemType::Malformed);
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for problem in problems {
        let response = match responses.remove(&problem.status().to_string()) {
            None => json!({"$ref": format!("#/components/responses/{}", name_of(problem))}),
            Some(other) => also(&other, problem),
        };
        responses.insert(problem.status().to_string(), response);
    }
}

/// What every operation that makes something takes.
fn takes_key(operation: &mut Map<String, Value>) {
    let parameter = json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Any text that is new for every new request, such as a UUID. The same request with the same key \
            is answered as the first time, for a day; another request with it is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "6f1c1b1e-6c1f-4b7e-9a53-2f8a1d0f4f6e",
    });
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    parameters
        .as_array_mut()
        .into_iter()
        .for_each(|list| list.push(parameter.clone()));
}

/// Whether anything but the path is asked for. A parameter that may be left out is no parameter that may be `null`.
fn takes_query(operation: &mut Map<String, Value>) -> bool {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    let mut takes_query = false;
    for parameter in parameters.into_iter().flatten() {
        takes_query |= parameter["in"] != "path";
        if let Some(schema) = parameter.get_mut("schema") {
            without_null(schema);
        }
    }
    takes_query
}

fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|one| one != "null");
        if let [one] = types.as_slice() {
            schema["type"] = one.clone();
        }
    }
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.retain(|one| one["type"] != "null");
        if let [one] = choices.as_slice() {
            *schema = one.clone();
        }
    }
}

/// The role in `security: [{token: [role]}]`.
fn role_of(operation: &Map<String, Value>) -> Option<&str> {
    operation.get("security")?[0]["token"][0].as_str()
}

/// `x-problems` has the last part of a problem's type.
fn named_type(name: &Value) -> Option<ProblemType> {
    format!("/problems/{}", name.as_str()?).parse().ok()
}

/// The last part of a problem's type.
fn name_of(problem: ProblemType) -> &'static str {
    problem.as_str().trim_start_matches("/problems/")
}

/// The answer with such a problem.
fn response(problem: ProblemType) -> Value {
    let content = json!({
        "schema": {"$ref": "#/components/schemas/Problem"},
        "examples": {name_of(problem): {"value": example(problem)}},
    });
    json!({"description": problem.title(), "content": {PROBLEM_MEDIA_TYPE: content}})
}

/// An answer that may be either problem.
fn also(other: &Value, problem: ProblemType) -> Value {
    let referred = other["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let mut both = referred
        .and_then(|name| named_type(&name.into()))
        .map_or_else(|| other.clone(), response);
    let says = both["description"].as_str().unwrap_or_default();
    both["description"] = format!("{says}; or: {}", problem.title()).into();
    both["content"][PROBLEM_MEDIA_TYPE]["examples"][name_of(problem)] = json!({"value": example(problem)});
    both
}

/// What such a problem may say.
fn example(problem: ProblemType) -> Problem {
    let detail = match problem {
        ProblemType::Malformed => {
            return Problem::new(problem, "\"zz\" is not a MAC address: expected six bytes in hex").at("macs[1]");
        }
        ProblemType::Unauthorized => "expected `Authorization: Bearer` with an API token",
        ProblemType::Forbidden => "this needs the role operator, yours is viewer",
        ProblemType::NotFound => "there is no host \"node-9\"",
        ProblemType::TooLarge => "a body has at most 1048576 bytes",
        ProblemType::AlreadyTaken => {
            return Problem::new(problem, "52:54:00:aa:bb:01 belongs to node-1 already").at("macs");
        }
        ProblemType::Refused => "run 3 is installing: cancel it first, or wait until it has ended",
        ProblemType::Unavailable => {
            return Problem::new(problem, "the store cannot answer now").retry_after(5);
        }
        ProblemType::Internal => "the server's log says more",
        ProblemType::PreconditionFailed => "the host's description is \"9d2f6c01b3a4e578\" by now: get it again",
        ProblemType::PreconditionRequired => "send `If-Match` with the ETag of the host that was read",
        ProblemType::KeyReused => "this Idempotency-Key was used for another request: take a new one",
        ProblemType::Changed => "the host was changed meanwhile: get it again",
        ProblemType::RunOver => "run 3 is over: it was cancelled",
        other => other.title(),
    };
    Problem::new(problem, detail)
}

/// This document: every operation, every status, every problem.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "service", operation_id = "openapi", security(()),
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Object)),
)]
pub(super) async fn show() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The name of every operation.
#[cfg(test)]
pub(crate) fn operation_ids() -> Vec<String> {
    OPERATIONS.values().cloned().collect()
}

/// Method and path of every operation, and the operation.
#[cfg(test)]
pub(super) fn operations(document: &Value) -> std::collections::BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let of_path = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let methods = item.as_object().cloned().unwrap_or_default();
        methods
            .into_iter()
            .map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    };
    paths.flat_map(of_path).collect()
}

#[cfg(test)]
mod tests;
