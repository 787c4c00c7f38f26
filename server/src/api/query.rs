//! The parameters of lists.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Failure;

/// Rows of a page when none are asked for.
const DEFAULT_LIMIT: u32 = 100;
/// Rows of a page at most.
const MAX_LIMIT: u32 = 1000;

/// The parameters of a request. An unknown one is refused: it is a misspelt one.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        ))
    }
}

impl Query {
    /// Refuses parameters that are none of these.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Failure> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => {
                let name: String = name.chars().take(80).collect();
                let detail = format!("unknown parameter: expected {}", known.join(", "));
                Err(Failure::field(name, detail))
            }
            None => Ok(self),
        }
    }

    /// A parameter, if given and not empty.
    pub(super) fn get<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Failure> {
        let given = self.0.iter().find(|(given, value)| given == name && !value.is_empty());
        given
            .map(|(_, value)| {
                value
                    .parse()
                    .map_err(|error: T::Err| Failure::field(name, error.to_string()))
            })
            .transpose()
    }

    /// A parameter that is one of the domain's words.
    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Failure> {
        let word = self.get::<String>(name)?;
        let read = word.map(|word| serde_json::from_value(serde_json::Value::String(word)));
        read.transpose()
            .map_err(|error| Failure::field(name, error.to_string()))
    }

    /// Every value of a parameter that may be given more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let given = self
            .0
            .iter()
            .filter(move |(given, value)| given == name && !value.is_empty());
        given.map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is given, and not empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, value)| given == name && !value.is_empty())
    }

    /// How many rows.
    pub(super) fn limit(&self) -> Result<u32, Failure> {
        match self.get("limit")? {
            None => Ok(DEFAULT_LIMIT),
            Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
            Some(_) => Err(Failure::field("limit", format!("expected 1 to {MAX_LIMIT}"))),
        }
    }
}
