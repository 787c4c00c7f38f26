//! Templates are not remembered here: they are asked for rarely.

use async_trait::async_trait;
use thirdboot_lifecycle::RunNumber;
use thirdboot_store::{Document, HostId, StoreError, StoredTemplate, TemplateDraft, TemplateMoved, Templates};

use super::Recent;

#[async_trait]
impl Templates for Recent {
    async fn save_template(
        &self,
        draft: TemplateDraft,
        expected: Option<u64>,
    ) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError> {
        self.inner.save_template(draft, expected).await
    }

    async fn delete_template(
        &self,
        name: &str,
        expected: u64,
        by: &str,
    ) -> Result<Result<StoredTemplate, TemplateMoved>, StoreError> {
        self.inner.delete_template(name, expected, by).await
    }

    async fn templates(&self) -> Result<Vec<StoredTemplate>, StoreError> {
        self.inner.templates().await
    }

    async fn template(&self, name: &str, version: Option<u64>) -> Result<Option<StoredTemplate>, StoreError> {
        self.inner.template(name, version).await
    }

    async fn template_versions(&self, name: &str) -> Result<Vec<StoredTemplate>, StoreError> {
        self.inner.template_versions(name).await
    }

    async fn installed_document(&self, host: HostId, run: RunNumber) -> Result<Option<Document>, StoreError> {
        self.inner.installed_document(host, run).await
    }
}
