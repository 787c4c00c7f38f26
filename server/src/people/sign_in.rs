//! A name and a password become a session.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use thirdboot_store::{AccessRole, Deed, Session, User};

use crate::App;
use crate::api::token_sha256;
use crate::problem::Failure;
use crate::secrets::random_text;

/// A session is over after this, however busy it is.
pub(crate) const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// What the browser is to keep.
pub(crate) struct NewSession {
    pub(crate) secret: String,
}

/// Why somebody is not signed in.
#[derive(Debug)]
pub(crate) enum NotSignedIn {
    /// Name or password are not right: which, nobody is told.
    Wrong,
    /// Guessed too often: once more after so many seconds.
    TooOften(u64),
    /// Something else.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for NotSignedIn {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Opens a session for who knows the password.
pub(crate) async fn sign_in(app: &App, name: &str, password: &str, source: IpAddr) -> Result<NewSession, NotSignedIn> {
    let user = with_password(app, name, password, source).await?;
    let secret = format!("tb_page_{}", random_text().map_err(Failure::internal)?);
    let now = app.store.now();
    let session = Session {
        sha256: token_sha256(&secret),
        user: user.name.clone(),
        opened_at: now,
        expires_at: now.saturating_add(SESSION).unwrap_or(Timestamp::MAX),
    };
    let hash = user.password_hash.as_deref().unwrap_or_default();
    if !app.store.open_session(session, hash).await? {
        return Err(NotSignedIn::Wrong);
    }
    noted(app, &user.name, user.role, source, 200).await?;
    tracing::info!(user = user.name, %source, "signed in");
    Ok(NewSession { secret })
}

/// The user of that name, if this is their password. Counts as a guess.
pub(crate) async fn with_password(app: &App, name: &str, password: &str, source: IpAddr) -> Result<User, NotSignedIn> {
    // What can be nobody's name counts as one, which nobody has: a guess is remembered, and must not be long.
    let name = if super::check_name(name).is_ok() { name } else { "" };
    let people = &app.people;
    people
        .attempts
        .take(name, source, app.store.now())
        .map_err(NotSignedIn::TooOften)?;
    let user = app.store.user(name).await?;
    let kept = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let fits = people.passwords.fits(password, kept).await?;
    let Some(user) = user else {
        // The name is not logged: people type their password into the wrong field.
        tracing::warn!(%source, "somebody unknown tried to sign in");
        // As after a wrong password, so that the time it takes tells nothing; nobody is called so.
        noted(app, "-", AccessRole::Viewer, source, 401).await?;
        return Err(NotSignedIn::Wrong);
    };
    if !fits {
        tracing::warn!(user = user.name, %source, "a wrong password");
        noted(app, &user.name, user.role, source, 401).await?;
        return Err(NotSignedIn::Wrong);
    }
    people.attempts.was_right(name, source);
    Ok(user)
}

async fn noted(app: &App, name: &str, role: AccessRole, source: IpAddr, status: u16) -> Result<(), Failure> {
    let deed = deed((name, role), source, ("sign_in", "sign-in"), status);
    Ok(app.store.audit(deed).await?)
}

/// Writes down what somebody did beside the API: an action, and what it was done to. It is done already: when it cannot
/// be written down, the log says so.
pub(crate) async fn did(app: &App, who: (&str, AccessRole), source: IpAddr, what: (&str, &str), status: u16) {
    let deed = deed(who, source, what, status);
    if let Err(error) = app.store.audit(deed.clone()).await {
        tracing::error!(%error, by = deed.caller, action = deed.action, target = deed.target, status, "not audited");
    }
}

fn deed((name, role): (&str, AccessRole), source: IpAddr, (action, target): (&str, &str), status: u16) -> Deed {
    Deed {
        caller: format!("user:{name}"),
        role,
        source: source.to_string(),
        action: action.to_owned(),
        target: target.to_owned(),
        status,
    }
}
