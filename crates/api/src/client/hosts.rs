//! Hosts as a program finds, changes and removes them.

use reqwest::Method;

use super::{ANSWER_LIMIT_S, Client, ClientError};
use crate::control::{AlertKind, Empty, HostCountsView, HostPatch, HostSpec, HostView, Page, Platform, Role};

/// Rows asked for in one part of a list.
const PAGE_ROWS: u32 = 500;

/// Which hosts; what is left out narrows nothing down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostQuery {
    /// Words, each of which is a part of the name, a MAC, the serial, the UUID, an address or a label.
    pub search: Option<String>,
    /// Where the last run stands; `none` for hosts without any.
    pub stage: Option<String>,
    /// What they become.
    pub role: Option<Role>,
    /// Which cluster they join.
    pub cluster: Option<String>,
    /// Where they stand.
    pub platform: Option<Platform>,
    /// Labels they have, each `key` or `key=value`.
    pub labels: Vec<String>,
    /// Whether the last run is past its stage's deadline.
    pub stalled: Option<bool>,
    /// Whether the last run failed.
    pub failed: Option<bool>,
    /// Whether the brake is on.
    pub held: Option<bool>,
    /// Whether they were adopted and not yet armed or released.
    pub adopted: Option<bool>,
    /// Whether they are out of service.
    pub retired: Option<bool>,
    /// What is wrong with them beside their runs: one of these.
    pub alerts: Vec<AlertKind>,
}

impl HostQuery {
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        let truth = |value: Option<bool>| value.map(|value| value.to_string());
        add("q", self.search.clone());
        add("stage", self.stage.clone());
        add("role", self.role.map(|role| role.to_string()));
        add("cluster", self.cluster.clone());
        add("platform", self.platform.map(|platform| platform.to_string()));
        for label in &self.labels {
            add("label", Some(label.clone()));
        }
        add("stalled", truth(self.stalled));
        add("failed", truth(self.failed));
        add("held", truth(self.held));
        add("adopted", truth(self.adopted));
        add("retired", truth(self.retired));
        for alert in &self.alerts {
            add("alert", Some(alert.to_string()));
        }
        pairs
    }
}

impl Client {
    /// A part of the list of hosts, by name.
    ///
    /// # Errors
    /// When a filter cannot be, or nothing answers.
    pub async fn hosts(
        &self,
        query: &HostQuery,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<HostView>, ClientError> {
        let mut pairs = query.pairs();
        pairs.push(("limit", limit.to_string()));
        pairs.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.get(&["hosts"], &pairs).await
    }

    /// Every host that is asked for, by name; at most so many.
    ///
    /// # Errors
    /// When a filter cannot be, or nothing answers.
    pub async fn all_hosts(&self, query: &HostQuery, most: Option<u32>) -> Result<Vec<HostView>, ClientError> {
        let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let (mut hosts, mut cursor) = (Vec::new(), None);
        loop {
            let missing = u32::try_from(most - hosts.len()).unwrap_or(PAGE_ROWS);
            let page = self.hosts(query, missing.min(PAGE_ROWS), cursor.as_deref()).await?;
            hosts.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() || hosts.len() >= most {
                return Ok(hosts);
            }
        }
    }

    /// How many hosts there are of each kind.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn host_counts(&self) -> Result<HostCountsView, ClientError> {
        self.get(&["host-counts"], &[]).await
    }

    /// Changes a part of a host's description, on top of the version (its `etag`, or `*` for any) that was seen.
    ///
    /// # Errors
    /// When it is malformed, the host was changed meanwhile, an identifier is taken, or nothing answers.
    pub async fn update_host(&self, name: &str, patch: &HostPatch, seen: &str) -> Result<HostView, ClientError> {
        let url = self.url(&["hosts", name], &[])?;
        self.ask_on_top(Method::PATCH, &url, Some(patch), Some(seen), ANSWER_LIMIT_S)
            .await
    }

    /// Replaces a host's description, on top of the version (its `etag`, or `*` for any) that was seen. What is left
    /// out gets its default, but for the console password.
    ///
    /// # Errors
    /// When it is malformed, the host was changed meanwhile, an identifier is taken, or nothing answers.
    pub async fn replace_host(&self, name: &str, host: &HostSpec, seen: &str) -> Result<HostView, ClientError> {
        let url = self.url(&["hosts", name], &[])?;
        self.ask_on_top(Method::PUT, &url, Some(host), Some(seen), ANSWER_LIMIT_S)
            .await
    }

    /// Takes a host out of service: it boots its disk, and cannot be armed.
    ///
    /// # Errors
    /// When a run is under way, it is retired already, or nothing answers.
    pub async fn retire(&self, name: &str) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "retire"], &Empty {}).await
    }

    /// Takes a retired host into service again.
    ///
    /// # Errors
    /// When it is not retired, or nothing answers.
    pub async fn unretire(&self, name: &str) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "unretire"], &Empty {}).await
    }

    /// Removes a retired host with its runs and its log, on top of the version that was seen, if one was.
    ///
    /// # Errors
    /// When it is not retired, was changed meanwhile, or nothing answers.
    pub async fn remove_host(&self, name: &str, seen: Option<&str>) -> Result<(), ClientError> {
        self.remove(&["hosts", name], seen).await
    }

    /// Makes a host's boot and lock secrets new: the old boot URL is unknown from now on.
    ///
    /// # Errors
    /// When there is no such host, or nothing answers.
    pub async fn rotate_host_key(&self, name: &str) -> Result<HostView, ClientError> {
        self.post(&["hosts", name, "rotate-key"], &Empty {}).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_what_was_asked_and_nothing_else() {
        assert_eq!(HostQuery::default().pairs(), []);
        let query = HostQuery {
            search: Some("rack7 SER".into()),
            labels: vec!["rack=7".into(), "row".into()],
            held: Some(false),
            alerts: vec![AlertKind::NotBack],
            ..HostQuery::default()
        };
        let text: Vec<String> = query
            .pairs()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            text.join("&"),
            "q=rack7 SER&label=rack=7&label=row&held=false&alert=not-back"
        );
    }
}
