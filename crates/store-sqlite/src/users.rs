//! People who sign in to the pages, and their sessions.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use thirdboot_store::{AccessRole, FIRST_USER, Session, Store as _, StoreError, User, Users};

use crate::SqliteStore;
use crate::batch::Batch;
use crate::error::unavailable;
use crate::job::Job;
use crate::rows::{role, time};

/// What is to be written.
pub(crate) enum Change {
    Add(Box<User>),
    /// If nobody has a password.
    AddFirst(Box<User>),
    Role(String, AccessRole),
    Link(String, String, Timestamp),
    /// By the hash of a link that is not over.
    Follow(String, String),
    Password(String, String),
    Remove(String),
    /// If the password is still the one of this hash.
    Open(Session, String),
    Close(String),
}

/// Unless a name (`?1`) is the last admin who can sign in. That is looked at in the write itself: of two who take the right
/// from each other at once, one keeps it.
macro_rules! unless_last_admin {
    ($write:literal) => {
        concat!(
            $write,
            " AND (role <> 'admin' OR password_hash = '' OR EXISTS (SELECT 1 FROM users AS other \
              WHERE other.name <> ?1 AND other.role = 'admin' AND other.password_hash <> ''))"
        )
    };
}

const REMOVE: &str = unless_last_admin!("DELETE FROM users WHERE name = ?1");
const LOWER: &str = unless_last_admin!("UPDATE users SET role = ?2 WHERE name = ?1");
const RAISE: &str = "UPDATE users SET role = ?2 WHERE name = ?1";

/// Writes it. How many rows that touched.
pub(crate) async fn write(batch: &mut Batch<'_>, change: &Change) -> Result<u64, StoreError> {
    let now_ms = batch.now.as_millisecond();
    let query = match change {
        Change::Add(user) => of(
            user,
            sqlx::query(
                "INSERT INTO users (name, role, password_hash, created_at, created_by, password_set_at) \
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            ),
        ),
        Change::AddFirst(user) => of(
            user,
            sqlx::query(
                "INSERT INTO users (name, role, password_hash, created_at, created_by, password_set_at) \
                 SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM users WHERE password_hash <> '') \
                 ON CONFLICT DO NOTHING",
            ),
        ),
        Change::Role(name, role) => sqlx::query(if *role == AccessRole::Admin { RAISE } else { LOWER })
            .bind(name)
            .bind(role.as_str()),
        Change::Link(name, sha256, expires_at) => {
            sqlx::query("UPDATE users SET link_sha256 = ?, link_expires_at = ? WHERE name = ?")
                .bind(sha256)
                .bind(expires_at.as_millisecond())
                .bind(name)
        }
        Change::Follow(sha256, hash) => {
            let of_link: Option<String> =
                sqlx::query_scalar("SELECT name FROM users WHERE link_sha256 = ? AND link_expires_at > ?")
                    .bind(sha256)
                    .bind(now_ms)
                    .fetch_optional(&mut *batch.connection)
                    .await
                    .map_err(|error| unavailable(&error))?;
            return match of_link {
                Some(name) => set_password(batch, &name, hash, now_ms).await,
                None => Ok(0),
            };
        }
        Change::Password(name, hash) => return set_password(batch, name, hash, now_ms).await,
        Change::Remove(name) => sqlx::query(REMOVE).bind(name),
        Change::Open(session, hash) => {
            forget_over(batch, now_ms).await?;
            sqlx::query("INSERT INTO sessions SELECT ?, name, ?, ? FROM users WHERE name = ? AND password_hash = ?")
                .bind(&session.sha256)
                .bind(session.opened_at.as_millisecond())
                .bind(session.expires_at.as_millisecond())
                .bind(&session.user)
                .bind(hash)
        }
        Change::Close(sha256) => sqlx::query("DELETE FROM sessions WHERE sha256 = ?").bind(sha256),
    };
    let done = query
        .execute(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(done.rows_affected())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn of<'q>(user: &'q User, query: Query<'q>) -> Query<'q> {
    query
        .bind(&user.name)
        .bind(user.role.as_str())
        .bind(user.password_hash.as_deref().unwrap_or_default())
        .bind(user.created_at.as_millisecond())
        .bind(&user.created_by)
        .bind(user.password_set_at.unwrap_or(user.created_at).as_millisecond())
}

/// A password ends all that the one before it opened, and the link to choose one.
async fn set_password(batch: &mut Batch<'_>, name: &str, hash: &str, now_ms: i64) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM sessions WHERE user_name = ?")
        .bind(name)
        .execute(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    let set = sqlx::query(
        "UPDATE users SET password_hash = ?, password_set_at = ?, link_sha256 = NULL, link_expires_at = NULL WHERE name = ?",
    );
    let done = set
        .bind(hash)
        .bind(now_ms)
        .bind(name)
        .execute(&mut *batch.connection)
        .await;
    Ok(done.map_err(|error| unavailable(&error))?.rows_affected())
}

async fn forget_over(batch: &mut Batch<'_>, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
        .bind(now_ms)
        .execute(&mut *batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}

#[derive(sqlx::FromRow)]
struct UserRow {
    name: String,
    role: String,
    password_hash: String,
    created_at: i64,
    created_by: Option<String>,
    password_set_at: i64,
    link_expires_at: Option<i64>,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        Ok(Self {
            role: role("users", &row.name, &row.role)?,
            created_at: time("users", &row.name, row.created_at)?,
            password_set_at: if row.password_hash.is_empty() {
                None
            } else {
                Some(time("users", &row.name, row.password_set_at)?)
            },
            link_expires_at: row.link_expires_at.map(|at| time("users", &row.name, at)).transpose()?,
            name: row.name,
            password_hash: Some(row.password_hash).filter(|hash| !hash.is_empty()),
            created_by: row.created_by,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    sha256: String,
    user_name: String,
    opened_at: i64,
    expires_at: i64,
    role: String,
}

impl TryFrom<SessionRow> for (Session, AccessRole) {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let role = role("users", &row.user_name, &row.role)?;
        let session = Session {
            opened_at: time("sessions", &row.user_name, row.opened_at)?,
            expires_at: time("sessions", &row.user_name, row.expires_at)?,
            sha256: row.sha256,
            user: row.user_name,
        };
        Ok((session, role))
    }
}

fn taken(field: &'static str, user: &User) -> StoreError {
    StoreError::Taken {
        field,
        value: user.name.clone(),
        owner: "another user".to_owned(),
    }
}

impl SqliteStore {
    async fn change_users(&self, change: Change) -> Result<u64, StoreError> {
        self.ask(|reply| Job::Users(change, reply)).await
    }

    /// Why nothing was touched: there is nobody of that name, or they are the last admin.
    async fn or_last_admin(&self, touched: u64, name: &str) -> Result<bool, StoreError> {
        if touched == 0 && self.user(name).await?.is_some() {
            let name = name.to_owned();
            return Err(StoreError::LastAdmin { name });
        }
        Ok(touched > 0)
    }
}

#[async_trait]
impl Users for SqliteStore {
    async fn add_user(&self, user: User) -> Result<(), StoreError> {
        let added = self.change_users(Change::Add(Box::new(user.clone()))).await?;
        if added == 0 { Err(taken("name", &user)) } else { Ok(()) }
    }

    async fn add_first_user(&self, user: User) -> Result<(), StoreError> {
        let added = self.change_users(Change::AddFirst(Box::new(user.clone()))).await?;
        if added > 0 {
            return Ok(());
        }
        let can_anybody = self.users().await?.iter().any(|user| user.password_hash.is_some());
        Err(taken(if can_anybody { FIRST_USER } else { "name" }, &user))
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows: Vec<UserRow> = sqlx::query_as("SELECT * FROM users ORDER BY name")
            .fetch_all(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        let row: Option<UserRow> = sqlx::query_as("SELECT * FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        row.map(TryInto::try_into).transpose()
    }

    async fn set_role(&self, name: &str, role: AccessRole) -> Result<bool, StoreError> {
        let set = self.change_users(Change::Role(name.to_owned(), role)).await?;
        self.or_last_admin(set, name).await
    }

    async fn set_link(&self, name: &str, sha256: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let change = Change::Link(name.to_owned(), sha256.to_owned(), expires_at);
        Ok(self.change_users(change).await? > 0)
    }

    async fn user_of_link(&self, sha256: &str) -> Result<Option<User>, StoreError> {
        let row: Option<UserRow> = sqlx::query_as("SELECT * FROM users WHERE link_sha256 = ? AND link_expires_at > ?")
            .bind(sha256)
            .bind(self.now().as_millisecond())
            .fetch_optional(&self.readers)
            .await
            .map_err(|error| unavailable(&error))?;
        row.map(TryInto::try_into).transpose()
    }

    async fn follow_link(&self, sha256: &str, password_hash: String) -> Result<bool, StoreError> {
        let change = Change::Follow(sha256.to_owned(), password_hash);
        Ok(self.change_users(change).await? > 0)
    }

    async fn set_password(&self, name: &str, password_hash: String) -> Result<bool, StoreError> {
        let change = Change::Password(name.to_owned(), password_hash);
        Ok(self.change_users(change).await? > 0)
    }

    async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let removed = self.change_users(Change::Remove(name.to_owned())).await?;
        self.or_last_admin(removed, name).await
    }

    async fn open_session(&self, session: Session, password_hash: &str) -> Result<bool, StoreError> {
        let change = Change::Open(session, password_hash.to_owned());
        Ok(self.change_users(change).await? > 0)
    }

    async fn session(&self, sha256: &str) -> Result<Option<(Session, AccessRole)>, StoreError> {
        let row: Option<SessionRow> = sqlx::query_as(
            "SELECT s.sha256, s.user_name, s.opened_at, s.expires_at, u.role FROM sessions AS s \
             JOIN users AS u ON u.name = s.user_name WHERE s.sha256 = ? AND s.expires_at > ?",
        )
        .bind(sha256)
        .bind(self.now().as_millisecond())
        .fetch_optional(&self.readers)
        .await
        .map_err(|error| unavailable(&error))?;
        row.map(TryInto::try_into).transpose()
    }

    async fn close_session(&self, sha256: &str) -> Result<(), StoreError> {
        self.change_users(Change::Close(sha256.to_owned())).await.map(|_| ())
    }
}

/// An older copy remembers links that were followed since and sessions that were ended since: none of them lets anybody
/// in.
pub(crate) async fn after_restore(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for forgets in [
        "DELETE FROM sessions",
        "UPDATE users SET link_sha256 = NULL, link_expires_at = NULL",
    ] {
        sqlx::query(forgets)
            .execute(&mut *connection)
            .await
            .map_err(|error| unavailable(&error))?;
    }
    Ok(())
}
