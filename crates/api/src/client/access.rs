//! Tokens and the audit, for programs and the command line.

use jiff::Timestamp;

use super::{Client, ClientError};
use crate::control::{AuditView, CallerView, Page, TokenCreated, TokenSpec, TokenView};

/// Rows asked for in one part of the audit.
const PAGE_ROWS: usize = 500;

/// Which part of the audit; what is left out narrows nothing down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this token only.
    pub by: Option<String>,
    /// Of this operation only, by its `operationId`.
    pub action: Option<String>,
    /// To this only, by its path below `/api/v1/`.
    pub target: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Older than this.
    pub until: Option<Timestamp>,
}

impl AuditQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        [
            ("by", self.by.clone()),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("since", time(self.since)),
            ("until", time(self.until)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Client {
    /// As whom the server sees the caller.
    ///
    /// # Errors
    /// When the token is unknown, or nothing answers.
    pub async fn whoami(&self) -> Result<CallerView, ClientError> {
        self.get(&["whoami"], &[]).await
    }

    /// Makes a token. The answer is the only time that it is shown.
    ///
    /// # Errors
    /// When the name is taken or none, the caller is no admin, or nothing answers.
    pub async fn create_token(&self, spec: &TokenSpec) -> Result<TokenCreated, ClientError> {
        self.post(&["tokens"], spec).await
    }

    /// Every token, by name; the tokens themselves are not kept.
    ///
    /// # Errors
    /// When the caller is no admin, or nothing answers.
    pub async fn tokens(&self) -> Result<Page<TokenView>, ClientError> {
        self.get(&["tokens"], &[]).await
    }

    /// Takes a token away: whoever has it is a stranger from now on.
    ///
    /// # Errors
    /// When there is none, it is the last admin's, the caller is no admin, or nothing answers.
    pub async fn revoke_token(&self, name: &str) -> Result<(), ClientError> {
        self.remove(&["tokens", name], None).await
    }

    /// The latest lines of the audit that are asked for, the latest first; at most so many.
    ///
    /// # Errors
    /// When a filter cannot be, the caller is no admin, or nothing answers.
    pub async fn audit(&self, query: &AuditQuery, most: usize) -> Result<Vec<AuditView>, ClientError> {
        let (mut lines, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut pairs = query.pairs();
            pairs.push(("limit", PAGE_ROWS.min(most - lines.len()).to_string()));
            pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page: Page<AuditView> = self.get(&["audit"], &pairs).await?;
            lines.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() || lines.len() >= most {
                return Ok(lines);
            }
        }
    }
}
