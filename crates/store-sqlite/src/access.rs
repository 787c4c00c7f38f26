//! The verbs for tokens, kept answers and the audit, each handed to the writer or a reader.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_lifecycle::Host;
use thirdboot_store::{
    Access, Actor, AnswerKey, AuditFilter, Audited, Deed, HostState, KeptAnswer, ListedToken, Page, RenderAnswer,
    Revocation, StoreError, Token,
};

use crate::job::Job;
use crate::{SqliteStore, answers, audit, tokens};

#[async_trait]
impl Access for SqliteStore {
    async fn create_token(&self, token: Token, by: String, answer: Option<KeptAnswer>) -> Result<(), StoreError> {
        self.ask(|reply| Job::AddToken(Box::new(token), Some(by), answer.map(Box::new), reply))
            .await
    }

    async fn tokens(&self) -> Result<Vec<ListedToken>, StoreError> {
        tokens::list(&self.readers).await
    }

    async fn revoke_token(&self, name: &str) -> Result<Revocation, StoreError> {
        self.ask(|reply| Job::RevokeToken(name.to_owned(), reply)).await
    }

    async fn note_token_use(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        self.ask(|reply| Job::NoteTokenUse(name.to_owned(), at, reply)).await
    }

    async fn add_hosts_once(
        &self,
        hosts: Vec<Host>,
        by: Actor,
        key: AnswerKey,
        render: RenderAnswer,
    ) -> Result<Vec<HostState>, StoreError> {
        self.ask(|reply| Job::AddHosts(hosts, by, Some(Box::new((key, render))), reply))
            .await
    }

    async fn keep_answer(&self, answer: KeptAnswer) -> Result<(), StoreError> {
        self.ask(|reply| Job::KeepAnswer(Box::new(answer), reply)).await
    }

    async fn kept_answer(&self, caller: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
        answers::find(&self.readers, caller, key).await
    }

    async fn audit(&self, deed: Deed) -> Result<(), StoreError> {
        self.ask(|reply| Job::Audit(Box::new(deed), reply)).await
    }

    async fn audited(&self, filter: &AuditFilter) -> Result<Page<Audited>, StoreError> {
        audit::list(&self.readers, filter).await
    }
}
