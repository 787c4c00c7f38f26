//! The verbs for tokens, kept answers and the audit: nothing of them is remembered.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_lifecycle::Host;
use thirdboot_store::{
    Access, Actor, AnswerKey, AuditFilter, Audited, Deed, HostState, KeptAnswer, ListedToken, Page, RenderAnswer,
    Revocation, StoreError, Token,
};

use super::Recent;

#[async_trait]
impl Access for Recent {
    async fn create_token(&self, token: Token, by: String, answer: Option<KeptAnswer>) -> Result<(), StoreError> {
        self.inner.create_token(token, by, answer).await
    }

    async fn tokens(&self) -> Result<Vec<ListedToken>, StoreError> {
        self.inner.tokens().await
    }

    async fn revoke_token(&self, name: &str) -> Result<Revocation, StoreError> {
        self.inner.revoke_token(name).await
    }

    async fn note_token_use(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        self.inner.note_token_use(name, at).await
    }

    async fn add_hosts_once(
        &self,
        hosts: Vec<Host>,
        by: Actor,
        key: AnswerKey,
        render: RenderAnswer,
    ) -> Result<Vec<HostState>, StoreError> {
        self.adding(|inner| async move { inner.add_hosts_once(hosts, by, key, render).await })
            .await
    }

    async fn keep_answer(&self, answer: KeptAnswer) -> Result<(), StoreError> {
        self.inner.keep_answer(answer).await
    }

    async fn kept_answer(&self, caller: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
        self.inner.kept_answer(caller, key).await
    }

    async fn audit(&self, deed: Deed) -> Result<(), StoreError> {
        self.inner.audit(deed).await
    }

    async fn audited(&self, filter: &AuditFilter) -> Result<Page<Audited>, StoreError> {
        self.inner.audited(filter).await
    }
}
