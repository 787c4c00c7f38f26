//! `thirdboot_token`: a token of the API.

use thirdboot_api::control::{AccessRole, Page, TokenSpec, TokenView};
use thirdboot_terraform_plugin::{
    Attribute, Call, Change, Diagnostics, Object, Path, Resource, Schema, Type, Value, async_trait, settle,
};

use crate::site::Site;
use crate::told::{missing, told, with_import_advice};

/// The resource.
#[derive(Debug)]
pub(crate) struct TokenResource(pub(crate) Site);

#[async_trait]
impl Resource for TokenResource {
    fn schema(&self) -> Schema {
        Schema::new(
            "A token of the API. The server shows it once and keeps only its hash: it stands in Terraform's state, as a \
             sensitive value. Destroying it revokes it.",
            vec![
                Attribute::required(
                    "name",
                    Type::String,
                    "Unique, for people: 1 to 64 of A-Z, a-z, 0-9, `.`, `_`, `@`, `-`, beginning with a letter or digit.",
                )
                .checked(check_name)
                .replaces(),
                Attribute::required(
                    "role",
                    Type::String,
                    "What it may do: `viewer` sees state, `operator` arms and holds, `admin` writes templates, tokens and \
                     clusters.",
                )
                .one_of(AccessRole::ALL)
                .replaces(),
                Attribute::optional(
                    "triggers",
                    Type::String.map(),
                    "A change of any of these revokes the token and makes another one of the same name.",
                )
                .replaces(),
                Attribute::computed("id", Type::String, "Its name.").keeps(),
                Attribute::computed("token", Type::String, "The token; null when it was imported.")
                    .sensitive()
                    .keeps(),
                Attribute::computed("created_at", Type::String, "When it was made, by RFC 3339.").keeps(),
            ],
        )
    }

    async fn plan(&self, _: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        change.planned.insert("id".to_owned(), change.planned["name"].clone());
        Ok(())
    }

    async fn create(&self, _: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let name = name_of(&change.planned);
        let role = change.planned["role"].as_str().unwrap_or_default().parse();
        let role = role.map_err(|error: thirdboot_api::UnknownName| {
            Diagnostics::error(Path::attribute("role"), "No such role", error.to_string())
        })?;
        let spec = TokenSpec {
            name: name.to_owned(),
            role,
        };
        let key = uuid::Uuid::new_v4().to_string();
        let made = self.0.client()?.create_token_once(&spec, &key).await.map_err(|error| {
            let found = told(
                &error,
                Some(&self.schema()),
                &format!("The token {name} cannot be made"),
            );
            with_import_advice(found, &error, "thirdboot_token", name)
        })?;
        let seen = Object::from([
            ("id".to_owned(), made.name.as_str().into()),
            ("token".to_owned(), made.token.into()),
            ("created_at".to_owned(), made.created_at.to_string().into()),
        ]);
        Ok(settle(&change.planned, &seen))
    }

    async fn read(&self, _: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        let name = name_of(state);
        let found = self.find(name).await?;
        Ok(found.map(|token| {
            let mut state = state.clone();
            let created_at = token.created_at.to_string();
            // Another one of the same name is not the one whose text stands in the state.
            if !matches!(&state["created_at"], Value::Null) && state["created_at"] != created_at.as_str().into() {
                state.insert("token".to_owned(), Value::Null);
            }
            state.insert("id".to_owned(), token.name.into());
            state.insert("role".to_owned(), token.role.as_str().into());
            state.insert("created_at".to_owned(), created_at.into());
            state
        }))
    }

    async fn update(&self, _: &mut Call, _: &Object, change: &Change) -> Result<Object, Diagnostics> {
        // Whatever can change makes another one.
        Ok(change.planned.clone())
    }

    async fn delete(&self, _: &mut Call, state: &Object) -> Result<(), Diagnostics> {
        let name = name_of(state);
        let revoked = self.0.client()?.revoke_token(name).await;
        self.0
            .found(revoked, &format!("The token {name} cannot be revoked"))
            .await
            .map(drop)
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        if self.find(id).await?.is_some() {
            Ok(Object::from([("name".to_owned(), id.into())]))
        } else {
            Err(missing(Path::root(), "token", id))
        }
    }
}

impl TokenResource {
    /// The token of this name; none when it is certain that there is none.
    async fn find(&self, name: &str) -> Result<Option<TokenView>, Diagnostics> {
        let tokens = self.0.client()?.tokens().await;
        let tokens = tokens.map_err(|error| told(&error, None, &cannot(name)))?;
        among(tokens, name)
    }
}

/// A list that is not the whole one proves nothing of a token that is not in it.
fn among(tokens: Page<TokenView>, name: &str) -> Result<Option<TokenView>, Diagnostics> {
    let is_all = tokens.next_cursor.is_none();
    let found = tokens.items.into_iter().find(|token| token.name == name);
    if found.is_none() && !is_all {
        return Err(Diagnostics::error(
            Path::root(),
            cannot(name),
            "The server gave a part of its tokens only: use the provider of the server's version.",
        ));
    }
    Ok(found)
}

fn cannot(name: &str) -> String {
    format!("The token {name} cannot be looked at")
}

fn name_of(state: &Object) -> &str {
    state.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn check_name(value: &Value) -> Result<(), String> {
    const MAX_CHARS: usize = 64;
    let Some(text) = value.as_str() else { return Ok(()) };
    let is_fit = |c: u8| c.is_ascii_alphanumeric() || b"._@-".contains(&c);
    let begins_well = text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if begins_well && text.len() <= MAX_CHARS && text.bytes().all(is_fit) {
        Ok(())
    } else {
        Err(format!(
            "expected 1 to {MAX_CHARS} of A-Z, a-z, 0-9, ., _, @ and -, the first a letter or digit"
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(next_cursor: Option<&str>) -> Page<TokenView> {
        let token = json!({"name": "ci", "role": "viewer", "created_at": "2026-11-25T12:00:00Z"});
        Page {
            items: vec![serde_json::from_value(token).unwrap()],
            next_cursor: next_cursor.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_is_gone_only_where_the_whole_list_has_none() {
        for next in [None, Some("ci")] {
            let found = among(page(next), "ci").unwrap();
            assert_eq!(found.unwrap().name, "ci");
        }
        assert_eq!(among(page(None), "deploy").unwrap(), None);
        let unsure = among(page(Some("ci")), "deploy").unwrap_err();
        assert_eq!(unsure.0[0].summary, "The token deploy cannot be looked at");
        assert!(unsure.0[0].detail.contains("a part of its tokens only"));
    }
}
