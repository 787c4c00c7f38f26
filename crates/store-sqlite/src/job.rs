//! What the writer is asked to do, and answers that wait for the commit.

use std::sync::Arc;

use jiff::Timestamp;
use thirdboot_lifecycle::{ClusterName, Host};
use thirdboot_store::{
    Actor, Answer, AnswerKey, ClusterError, ClusterState, Deed, HostId, HostState, KeptAnswer, LockChange, LockOutcome,
    PutError, PutHost, RenderAnswer, Revocation, StoreError, Submission, SubmitError, Timing, TimingChange, Token,
    UnknownMachine,
};
use tokio::sync::oneshot;

use crate::lock_groups::PutGroup;
use crate::packages;
use crate::prune::Excess;
use crate::templates::{Saved, Saving};
use crate::users;

/// Where an answer goes.
pub(crate) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// What the writer hears.
pub(crate) enum Message {
    /// A change.
    Work(Job),
    /// Nothing comes after this; answered when everything is written and closed.
    Close(oneshot::Sender<()>),
}

/// A change for the writer.
pub(crate) enum Job {
    Submit(HostId, Box<Submission>, Reply<Answer, SubmitError>),
    AddHosts(
        Vec<Host>,
        Actor,
        Option<Box<(AnswerKey, RenderAnswer)>>,
        Reply<Vec<HostState>, StoreError>,
    ),
    NoteUnknown(Box<UnknownMachine>, Reply<(), StoreError>),
    AddToken(
        Box<Token>,
        Option<String>,
        Option<Box<KeptAnswer>>,
        Reply<(), StoreError>,
    ),
    RevokeToken(String, Reply<Revocation, StoreError>),
    NoteTokenUse(String, Timestamp, Reply<(), StoreError>),
    KeepAnswer(Box<KeptAnswer>, Reply<(), StoreError>),
    Audit(Box<Deed>, Reply<(), StoreError>),
    Packages(packages::Change, Reply<u64, StoreError>),
    Users(users::Change, Reply<u64, StoreError>),
    AddCluster(Box<ClusterState>, Reply<ClusterState, StoreError>),
    SaveCluster(Box<ClusterState>, bool, Reply<ClusterState, ClusterError>),
    RemoveCluster(ClusterName, u64, Reply<(), ClusterError>),
    ChangeLock(Box<LockChange>, Reply<LockOutcome, StoreError>),
    PutLockGroup(Box<PutGroup>, Reply<Option<u64>, StoreError>),
    SaveTemplate(Box<Saving>, Reply<Saved, StoreError>),
    Adopt(u64, Box<Host>, Actor, Reply<Option<HostState>, StoreError>),
    PutHosts(Vec<PutHost>, Actor, Reply<(), PutError>),
    Dismiss(u64, Reply<bool, StoreError>),
    ChangeTiming(TimingChange, Actor, Reply<Arc<Timing>, StoreError>),
    Remove(Excess, Reply<u64, StoreError>),
    Ping(Reply<(), StoreError>),
    #[cfg(test)]
    Pragma(&'static str, Reply<(), StoreError>),
}

/// An answer that must not be given before the commit. Told why when there was none.
pub(crate) struct Held(Answering);

type Answering = Box<dyn FnOnce(Option<&str>) + Send>;

impl Held {
    pub(crate) fn new<T, E>(reply: Reply<T, E>, result: Result<T, E>) -> Self
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        Self(Box::new(move |failure| {
            let result = match failure {
                None => result,
                Some(why) => Err(StoreError::Unavailable(why.to_owned()).into()),
            };
            // Whoever asked may be gone; what they asked for is done all the same.
            drop(reply.send(result));
        }))
    }

    /// Gives the answer.
    pub(crate) fn give(self) {
        (self.0)(None);
    }

    /// Says why nothing was done.
    pub(crate) fn fail(self, why: &str) {
        (self.0)(Some(why));
    }
}

impl Job {
    /// Says why nothing was done.
    pub(crate) fn fail(self, why: &str) {
        let error = StoreError::Unavailable(why.to_owned());
        match self {
            Self::Submit(_, _, reply) => drop(reply.send(Err(error.into()))),
            Self::SaveTemplate(_, reply) => drop(reply.send(Err(error))),
            Self::AddHosts(_, _, _, reply) => drop(reply.send(Err(error))),
            Self::RevokeToken(_, reply) => drop(reply.send(Err(error))),
            Self::ChangeLock(_, reply) => drop(reply.send(Err(error))),
            Self::PutLockGroup(_, reply) => drop(reply.send(Err(error))),
            Self::Remove(_, reply) | Self::Packages(_, reply) | Self::Users(_, reply) => drop(reply.send(Err(error))),
            Self::AddCluster(_, reply) => drop(reply.send(Err(error))),
            Self::SaveCluster(_, _, reply) => drop(reply.send(Err(error.into()))),
            Self::RemoveCluster(_, _, reply) => drop(reply.send(Err(error.into()))),
            Self::Adopt(_, _, _, reply) => drop(reply.send(Err(error))),
            Self::PutHosts(_, _, reply) => drop(reply.send(Err(error.into()))),
            Self::Dismiss(_, reply) => drop(reply.send(Err(error))),
            Self::ChangeTiming(_, _, reply) => drop(reply.send(Err(error))),
            Self::NoteUnknown(_, reply)
            | Self::AddToken(_, _, _, reply)
            | Self::NoteTokenUse(_, _, reply)
            | Self::KeepAnswer(_, reply)
            | Self::Audit(_, reply)
            | Self::Ping(reply) => {
                drop(reply.send(Err(error)));
            }
            #[cfg(test)]
            Self::Pragma(_, reply) => drop(reply.send(Err(error))),
        }
    }
}
