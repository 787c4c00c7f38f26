//! Users' templates, and the installed configs that are kept.

use async_trait::async_trait;
use sqlx::SqliteExecutor;
use thirdboot_lifecycle::{Run, RunNumber, Stage};
use thirdboot_store::{
    Document, DocumentKind, HostId, MAX_TEMPLATE_VERSIONS, StoreError, StoredTemplate, TemplateDraft, TemplateMoved,
    Templates,
};

use crate::SqliteStore;
use crate::batch::Batch;
use crate::error::unavailable;
use crate::job::Job;
use crate::read::json;
use crate::rows::{DocumentRow, parse, signed, time, unsigned};
use crate::script::Script;

macro_rules! columns {
    ($text:literal, $rest:literal) => {
        concat!(
            "SELECT name, version, ",
            $text,
            ", selection, merge_order, note, saved_at, saved_by, is_deleted FROM templates ",
            $rest
        )
    };
}

const TABLE: &str = "templates";

#[derive(sqlx::FromRow)]
struct TemplateRow {
    name: String,
    version: i64,
    text: String,
    selection: String,
    merge_order: i32,
    note: Option<String>,
    saved_at: i64,
    saved_by: String,
    is_deleted: bool,
}

impl TryFrom<TemplateRow> for StoredTemplate {
    type Error = StoreError;

    fn try_from(row: TemplateRow) -> Result<Self, StoreError> {
        Ok(Self {
            version: unsigned(TABLE, &row.name, row.version)?,
            saved_at: time(TABLE, &row.name, row.saved_at)?,
            is_deleted: row.is_deleted,
            draft: TemplateDraft {
                selection: parse(TABLE, &row.name, &row.selection)?,
                name: row.name,
                text: row.text,
                order: row.merge_order,
                note: row.note,
                by: row.saved_by,
            },
        })
    }
}

/// A new version, or the end of a template.
pub(crate) struct Saving {
    draft: TemplateDraft,
    expected: Option<u64>,
    is_deleted: bool,
}

/// What came of it.
pub(crate) type Saved = Result<StoredTemplate, TemplateMoved>;

/// Writes a version on top of the expected one. The outer error is the whole transaction's.
pub(crate) async fn save(batch: &mut Batch<'_>, saving: &Saving) -> Result<Result<Saved, StoreError>, StoreError> {
    let last = match last(&mut *batch.connection, &saving.draft.name).await {
        Ok(last) => last,
        Err(error) => return Ok(Err(error)),
    };
    let current = last.as_ref().filter(|last| !last.is_deleted).map(|last| last.version);
    if current != saving.expected {
        return Ok(Ok(Err(TemplateMoved { current })));
    }
    let saved = StoredTemplate {
        draft: saving.draft.clone(),
        version: last.map_or(0, |last| last.version) + 1,
        saved_at: batch.now,
        is_deleted: saving.is_deleted,
    };
    let mut script = Script::new();
    script
        .add("INSERT INTO templates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(saved.draft.name.clone())
        .bind(signed(saved.version))
        .bind(saved.draft.text.clone())
        .bind(json(&saved.draft.selection))
        .bind(saved.draft.order)
        .bind(saved.draft.note.clone())
        .bind(saved.saved_at.as_millisecond())
        .bind(saved.draft.by.clone())
        .bind(saved.is_deleted);
    script
        .add("DELETE FROM templates WHERE name = ? AND version <= ?")
        .bind(saved.draft.name.clone())
        .bind(signed(saved.version) - i64::from(MAX_TEMPLATE_VERSIONS));
    let written = batch.write([script]).await?;
    Ok(written.map(|()| Ok(saved)).map_err(|error| unavailable(&error)))
}

async fn last(on: impl SqliteExecutor<'_>, name: &str) -> Result<Option<StoredTemplate>, StoreError> {
    one(
        sqlx::query_as(columns!("text", "WHERE name = ? ORDER BY version DESC LIMIT 1")).bind(name),
        on,
    )
    .await
}

type Query<'q> = sqlx::query::QueryAs<'q, sqlx::Sqlite, TemplateRow, sqlx::sqlite::SqliteArguments>;

async fn one(query: Query<'_>, on: impl SqliteExecutor<'_>) -> Result<Option<StoredTemplate>, StoreError> {
    let row = query.fetch_optional(on).await.map_err(|error| unavailable(&error))?;
    row.map(TryInto::try_into).transpose()
}

async fn all(query: Query<'_>, on: impl SqliteExecutor<'_>) -> Result<Vec<StoredTemplate>, StoreError> {
    let rows = query.fetch_all(on).await.map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Keeps a run's installed config beside that of the last installed run.
pub(crate) fn keep_installed(script: &mut Script, host: i64, run: u32, document: &Document) {
    script
        .add("INSERT OR REPLACE INTO installed_documents (host_id, run, sha512, sealed) VALUES (?, ?, ?, ?)")
        .bind(host)
        .bind(i64::from(run))
        .bind(document.sha512.clone())
        .bind(document.sealed.clone());
}

/// The run is served no more: either it was installed, and what was before is gone, or it was not, and wrote nothing
/// that is worth comparing.
pub(crate) fn settle_installed(script: &mut Script, host: i64, run: &Run) {
    let is_lost = !run.was_installed() && matches!(run.stage, Stage::Cancelled | Stage::Failed);
    let statement = if is_lost {
        "DELETE FROM installed_documents WHERE host_id = ? AND run = ?"
    } else {
        "DELETE FROM installed_documents WHERE host_id = ? AND run < ?"
    };
    script.add(statement).bind(host).bind(i64::from(run.number.0));
}

#[async_trait]
impl Templates for SqliteStore {
    async fn save_template(&self, draft: TemplateDraft, expected: Option<u64>) -> Result<Saved, StoreError> {
        let saving = Saving {
            draft,
            expected,
            is_deleted: false,
        };
        self.ask(|reply| Job::SaveTemplate(Box::new(saving), reply)).await
    }

    async fn delete_template(&self, name: &str, expected: u64, by: &str) -> Result<Saved, StoreError> {
        let Some(last) = last(&self.readers, name).await? else {
            return Ok(Err(TemplateMoved { current: None }));
        };
        let saving = Saving {
            draft: TemplateDraft {
                text: String::new(),
                note: None,
                by: by.to_owned(),
                ..last.draft
            },
            expected: Some(expected),
            is_deleted: true,
        };
        self.ask(|reply| Job::SaveTemplate(Box::new(saving), reply)).await
    }

    async fn templates(&self) -> Result<Vec<StoredTemplate>, StoreError> {
        let query = sqlx::query_as(columns!(
            "text",
            "AS t WHERE is_deleted = 0 AND version = (SELECT max(version) FROM templates WHERE name = t.name) \
             ORDER BY merge_order, name"
        ));
        all(query, &self.readers).await
    }

    async fn template(&self, name: &str, version: Option<u64>) -> Result<Option<StoredTemplate>, StoreError> {
        let Some(version) = version else {
            return last(&self.readers, name).await;
        };
        let query = sqlx::query_as(columns!("text", "WHERE name = ? AND version = ?"));
        one(query.bind(name).bind(signed(version)), &self.readers).await
    }

    async fn template_versions(&self, name: &str) -> Result<Vec<StoredTemplate>, StoreError> {
        let query = sqlx::query_as(columns!("'' AS text", "WHERE name = ? ORDER BY version DESC"));
        all(query.bind(name), &self.readers).await
    }

    async fn installed_document(&self, host: HostId, run: RunNumber) -> Result<Option<Document>, StoreError> {
        let row: Option<DocumentRow> =
            sqlx::query_as("SELECT sha512, sealed FROM installed_documents WHERE host_id = ? AND run = ?")
                .bind(signed(host.0))
                .bind(i64::from(run.0))
                .fetch_optional(&self.readers)
                .await
                .map_err(|error| unavailable(&error))?;
        Ok(row.map(|row| row.of(DocumentKind::Installed)))
    }
}
