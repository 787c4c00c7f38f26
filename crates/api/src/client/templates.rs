//! Templates and previews, for programs and the command line.

use reqwest::Method;

use super::{Client, ClientError};
use crate::control::{
    CheckedView, HostDiffView, Page, PreviewView, TemplateDiffView, TemplateSpec, TemplateView, TryTemplate,
};

/// A check over a large fleet takes its time; the server ends it itself.
const CHECK_LIMIT_S: u64 = 90;

impl Client {
    /// Every template, in the order in which they are merged, without their texts.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn templates(&self) -> Result<Page<TemplateView>, ClientError> {
        self.get(&["templates"], &[]).await
    }

    /// A template.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn template(&self, name: &str) -> Result<TemplateView, ClientError> {
        self.get(&["templates", name], &[]).await
    }

    /// A version of a template.
    ///
    /// # Errors
    /// When there is none, or nothing answers.
    pub async fn template_version(&self, name: &str, version: u64) -> Result<TemplateView, ClientError> {
        self.get(&["templates", name, "versions", &version.to_string()], &[])
            .await
    }

    /// The versions of a template, the newest first, without their texts.
    ///
    /// # Errors
    /// When there is none of this name, or nothing answers.
    pub async fn template_versions(&self, name: &str) -> Result<Page<TemplateView>, ClientError> {
        self.get(&["templates", name, "versions"], &[]).await
    }

    /// Saves a template on top of the version that was seen; none means that it is new.
    ///
    /// # Errors
    /// When it is not valid for every host, somebody else saved it meanwhile, or nothing answers.
    pub async fn save_template(
        &self,
        name: &str,
        spec: &TemplateSpec,
        seen: Option<u64>,
    ) -> Result<TemplateView, ClientError> {
        let url = self.url(&["templates", name], &[])?;
        let seen = seen.map(etag);
        self.ask_on_top(Method::PUT, &url, Some(spec), seen.as_deref(), CHECK_LIMIT_S)
            .await
    }

    /// Takes a template away.
    ///
    /// # Errors
    /// When there is none, somebody else saved it meanwhile, or nothing answers.
    pub async fn delete_template(&self, name: &str, seen: u64) -> Result<TemplateView, ClientError> {
        let url = self.url(&["templates", name], &[])?;
        let seen = etag(seen);
        self.ask_on_top(Method::DELETE, &url, None::<&TemplateSpec>, Some(&seen), CHECK_LIMIT_S)
            .await
    }

    /// Holds a template against the fleet without saving it.
    ///
    /// # Errors
    /// When the selection cannot be read, the check takes too long, or nothing answers.
    pub async fn validate_template(&self, name: &str, spec: &TemplateSpec) -> Result<CheckedView, ClientError> {
        let url = self.url(&["templates", name, "validate"], &[])?;
        self.ask_on_top(Method::POST, &url, Some(spec), None, CHECK_LIMIT_S)
            .await
    }

    /// What changed between two versions; the last one and the one before where none are named.
    ///
    /// # Errors
    /// When there are none such, or nothing answers.
    pub async fn template_diff(
        &self,
        name: &str,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<TemplateDiffView, ClientError> {
        let versions = [("from", from), ("to", to)];
        let named: Vec<(&str, String)> = versions
            .into_iter()
            .filter_map(|(key, version)| Some((key, version?.to_string())))
            .collect();
        let query: Vec<(&str, &str)> = named.iter().map(|(key, version)| (*key, version.as_str())).collect();
        self.get(&["templates", name, "diff"], &query).await
    }

    /// What arming a host now would have it served: `script`, `pointer`, `live` or `installed`.
    ///
    /// # Errors
    /// When it cannot be rendered, the token may not see secrets, or nothing answers.
    pub async fn preview(
        &self,
        host: &str,
        document: &str,
        part: Option<&str>,
        secrets: bool,
    ) -> Result<PreviewView, ClientError> {
        let mut query = Vec::new();
        query.extend(part.map(|part| ("part", part)));
        query.extend(secrets.then_some(("secrets", "true")));
        self.get(&["hosts", host, "preview", document], &query).await
    }

    /// The installed config of a host as it would be with a template that is not saved.
    ///
    /// # Errors
    /// When it cannot be rendered, or nothing answers.
    pub async fn preview_template(&self, host: &str, body: &TryTemplate) -> Result<PreviewView, ClientError> {
        self.post(&["hosts", host, "preview", "installed"], body).await
    }

    /// What a machine was installed with, and what it would get today.
    ///
    /// # Errors
    /// When it was never installed, cannot be rendered today, or nothing answers.
    pub async fn host_diff(&self, host: &str, secrets: bool) -> Result<HostDiffView, ClientError> {
        let query = if secrets { &[("secrets", "true")][..] } else { &[] };
        self.get(&["hosts", host, "diff"], query).await
    }
}

/// A version as `If-Match` has it.
fn etag(version: u64) -> String {
    format!("\"{version}\"")
}
