//! Watching a fleet: runs, events, waits, alerts, strangers, deadlines, inventories.

use reqwest::Method;
use serde::de::DeserializeOwned;

use super::{ANSWER_LIMIT_S, Client, ClientError};
use crate::control::{
    AdoptBody, AlertKind, BootDetail, DeadlinesPatch, DeadlinesView, Empty, EventsPage, HostAlerts, HostView,
    ImportAnswer, ImportBody, ObservedView, Page, RunDetail, RunView, WaitAnswer,
};

/// Which part of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this host only.
    pub host: Option<String>,
    /// Of this run of each host only.
    pub run: Option<u32>,
    /// With one of these names; empty means any.
    pub kinds: Vec<String>,
    /// Only what was refused, or only what was not.
    pub refused: Option<bool>,
    /// With greater numbers only.
    pub after: Option<u64>,
    /// Not older than this.
    pub since: Option<jiff::Timestamp>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Waits so many seconds for the first, from now on when there is neither `after` nor `since`.
    pub wait_s: u64,
}

impl EventQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        add("host", self.host.clone());
        add("run", self.run.map(|run| run.to_string()));
        add("kind", (!self.kinds.is_empty()).then(|| self.kinds.join(",")));
        add("refused", self.refused.map(|refused| refused.to_string()));
        add("after", self.after.map(|after| after.to_string()));
        add("since", self.since.map(|since| since.to_string()));
        add("limit", self.limit.map(|limit| limit.to_string()));
        add("wait", (self.wait_s > 0).then(|| self.wait_s.to_string()));
        pairs
    }
}

impl Client {
    /// A host's runs, the latest first.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn runs(&self, name: &str) -> Result<Page<RunView>, ClientError> {
        self.get(&["hosts", name, "runs"], &[]).await
    }

    /// A run with all it has shown.
    ///
    /// # Errors
    /// When there is no such host or run, or nothing answers.
    pub async fn run(&self, name: &str, number: u32) -> Result<RunDetail, ClientError> {
        self.get(&["hosts", name, "runs", &number.to_string()], &[]).await
    }

    /// The boots of a run (none: of the last one), each with its evidence.
    ///
    /// # Errors
    /// When there is no such host or run, or nothing answers.
    pub async fn boots(&self, name: &str, run: Option<u32>) -> Result<Page<BootDetail>, ClientError> {
        let run = run.map(|run| run.to_string());
        let query: Vec<(&str, &str)> = run.iter().map(|run| ("run", run.as_str())).collect();
        self.get(&["hosts", name, "boots"], &query).await
    }

    /// What a machine last was.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn observed(&self, name: &str) -> Result<ObservedView, ClientError> {
        self.get(&["hosts", name, "observed"], &[]).await
    }

    /// Every host with alerts, or with alerts of one kind.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn alerts(&self, kind: Option<AlertKind>) -> Result<Vec<HostAlerts>, ClientError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = Vec::new();
            query.extend(kind.map(|kind| ("kind", kind.as_str())));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: Page<HostAlerts> = self.get(&["alerts"], &query).await?;
            found.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// A part of the log. Waits as long as the query says.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn search_events(&self, query: &EventQuery) -> Result<EventsPage, ClientError> {
        self.long_get(&["events"], &query.pairs(), query.wait_s).await
    }

    /// Waits until a host's run is in this stage or beyond, or will never be, for at most so many seconds.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn wait(
        &self,
        name: &str,
        stage: &str,
        run: Option<u32>,
        timeout_s: u64,
    ) -> Result<WaitAnswer, ClientError> {
        let mut query = vec![("for", stage.to_owned()), ("timeout", timeout_s.to_string())];
        query.extend(run.map(|run| ("run", run.to_string())));
        self.long_get(&["hosts", name, "wait"], &query, timeout_s).await
    }

    /// Makes a host of an unknown machine.
    ///
    /// # Errors
    /// When it is not listed, the description is malformed, the name is taken, or nothing answers.
    pub async fn adopt(&self, machine: u64, body: &AdoptBody) -> Result<HostView, ClientError> {
        self.post(&["unknown-machines", &machine.to_string(), "adopt"], body)
            .await
    }

    /// Takes an unknown machine off the list.
    ///
    /// # Errors
    /// When it is not listed, or nothing answers.
    pub async fn dismiss(&self, machine: u64) -> Result<(), ClientError> {
        self.remove(&["unknown-machines", &machine.to_string()], None).await
    }

    /// When silence is too long.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn deadlines(&self) -> Result<DeadlinesView, ClientError> {
        self.get(&["settings", "deadlines"], &[]).await
    }

    /// Changes when silence is too long.
    ///
    /// # Errors
    /// When it is malformed, the token is no admin's, or nothing answers.
    pub async fn change_deadlines(&self, patch: &DeadlinesPatch) -> Result<DeadlinesView, ClientError> {
        let url = self.url(&["settings", "deadlines"], &[])?;
        self.ask(Method::PATCH, &url, Some(patch)).await
    }

    /// Adds and updates hosts, all or none.
    ///
    /// # Errors
    /// When one of them cannot be taken: the problem names every field at fault.
    pub async fn import(&self, body: &ImportBody) -> Result<ImportAnswer, ClientError> {
        self.post(&["import"], body).await
    }

    /// Asks once, and has patience for as long as the server was asked to wait.
    async fn long_get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&'static str, String)],
        wait_s: u64,
    ) -> Result<T, ClientError> {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = self.url(segments, &query)?;
        let limit_s = ANSWER_LIMIT_S.saturating_add(wait_s);
        self.ask_on_top(Method::GET, &url, None::<&Empty>, None, limit_s).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_what_was_asked_and_nothing_else() {
        assert_eq!(EventQuery::default().pairs(), []);
        let query = EventQuery {
            host: Some("a1".into()),
            kinds: vec!["armed".into(), "stall".into()],
            refused: Some(false),
            wait_s: 20,
            ..EventQuery::default()
        };
        let text: Vec<String> = query
            .pairs()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(text.join("&"), "host=a1&kind=armed,stall&refused=false&wait=20");
    }
}
