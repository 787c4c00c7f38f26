//! One transaction: what was queued. Whatever the database could refuse has a savepoint of its own.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{Deadlines, Host};
use thirdboot_store::{Clock, HostId, HostState, Limits, Move, StoreError, Timing};

use crate::error::unavailable;
use crate::job::{Held, Job};
use crate::meta::{self, Meta};
use crate::pending::{self, Pending};
use crate::reports::Answers;
use crate::rows::unsigned;
use crate::script::{self, Fault, Script};
use crate::{
    answers, clusters, deadlines, hosts, locks, packages, prune, put, read, reports, submit, templates, tokens,
    unknown, users, watching,
};

/// An open transaction and what it has read so far.
pub(crate) struct Batch<'c> {
    pub(crate) connection: &'c mut SqliteConnection,
    pub(crate) timing: Arc<Timing>,
    defaults: &'c Deadlines,
    pub(crate) limits: &'c Limits,
    pub(crate) now: Timestamp,
    pub(crate) meta: Meta,
    before: Meta,
    pub(crate) hosts: HashMap<HostId, HostState>,
    pub(crate) answers: Answers,
    pub(crate) pending: Pending,
    /// Runs that moved on.
    pub(crate) moves: Vec<Move>,
}

/// What came out of a batch.
pub(crate) struct Committed {
    /// What is in force from now on.
    pub(crate) timing: Arc<Timing>,
    pub(crate) meta: Meta,
    /// Whether the epoch file must follow.
    pub(crate) follows: bool,
    /// The hosts as they are now.
    pub(crate) hosts: HashMap<HostId, HostState>,
    pub(crate) moves: Vec<Move>,
}

impl<'c> Batch<'c> {
    /// Takes the write lock.
    pub(crate) async fn begin(
        connection: &'c mut SqliteConnection,
        clock: &Clock,
        timing: Arc<Timing>,
        defaults: &'c Deadlines,
        limits: &'c Limits,
    ) -> Result<Self, StoreError> {
        let before: Meta = meta::begin(connection)
            .await
            .map_err(|error| unavailable(&error))?
            .try_into()?;
        clock.not_before(before.last_time);
        let now = clock.now();
        Ok(Self {
            connection,
            timing,
            defaults,
            limits,
            now,
            meta: Meta {
                last_time: now,
                ..before.clone()
            },
            before,
            hosts: HashMap::new(),
            answers: Answers::new(),
            pending: Pending::default(),
            moves: Vec::new(),
        })
    }

    /// Reads what the jobs will ask for, in two round trips however many they are.
    pub(crate) async fn look_ahead(&mut self, jobs: &[Job]) -> Result<(), StoreError> {
        let mut ids = Vec::with_capacity(jobs.len());
        let mut keys = Vec::new();
        for job in jobs {
            if let Job::Submit(id, submission, _) = job {
                if !self.hosts.contains_key(id) {
                    ids.push(id.0);
                }
                keys.extend(submission.report_key(*id));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        if !ids.is_empty() {
            let rows = read::host_rows(&mut *self.connection, &ids)
                .await
                .map_err(|error| unavailable(&error))?;
            for row in rows {
                let id = HostId(unsigned("hosts", &row.id, row.id)?);
                // A row that cannot be read is met again, and named, by whoever asks for it.
                if let Ok(state) = row.try_into() {
                    self.hosts.insert(id, state);
                }
            }
        }
        if !keys.is_empty() {
            self.answers = reports::answers(&mut *self.connection, &keys).await?;
        }
        Ok(())
    }

    /// Does one job. An error is the whole transaction's; what befalls this job alone is in its answer.
    pub(crate) async fn work(&mut self, job: Job) -> Result<Held, (Job, StoreError)> {
        match job {
            Job::Submit(id, submission, reply) => match submit::submit(self, id, &submission).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::Submit(id, submission, reply), error)),
            },
            // Boxed: rare and large, while every job's future is as large as the largest.
            Job::AddHosts(list, by, answer, reply) => {
                match Box::pin(hosts::add(self, list, &by, answer.map(|pair| *pair))).await {
                    Ok(result) => Ok(Held::new(reply, result)),
                    Err(error) => Err((Job::AddHosts(Vec::new(), by, None, reply), error)),
                }
            }
            Job::NoteUnknown(machine, reply) => match unknown::note(self, &machine).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::NoteUnknown(machine, reply), error)),
            },
            Job::AddToken(token, by, answer, reply) => {
                match tokens::add(self, &token, by.as_deref(), answer.as_deref()).await {
                    Ok(result) => Ok(Held::new(reply, result)),
                    Err(error) => Err((Job::AddToken(token, by, answer, reply), error)),
                }
            }
            Job::RevokeToken(name, reply) => match tokens::revoke(self, &name).await {
                Ok(done) => Ok(Held::new(reply, Ok(done))),
                Err(error) => Err((Job::RevokeToken(name, reply), error)),
            },
            Job::Packages(change, reply) => match packages::write(self, &change).await {
                Ok(version) => Ok(Held::new(reply, Ok(version))),
                Err(error) => Err((Job::Packages(change, reply), error)),
            },
            Job::Users(change, reply) => match users::write(self, &change).await {
                Ok(touched) => Ok(Held::new(reply, Ok(touched))),
                Err(error) => Err((Job::Users(change, reply), error)),
            },
            job @ (Job::ChangeLock(..) | Job::PutLockGroup(..)) => locks::work(self, job).await,
            Job::AddCluster(state, reply) => match clusters::add(self, &state).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::AddCluster(state, reply), error)),
            },
            Job::SaveCluster(state, begins, reply) => match clusters::save(self, &state, begins).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::SaveCluster(state, begins, reply), error)),
            },
            Job::RemoveCluster(name, expected, reply) => match clusters::remove(self, &name, expected).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::RemoveCluster(name, expected, reply), error)),
            },
            Job::SaveTemplate(saving, reply) => match templates::save(self, &saving).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::SaveTemplate(saving, reply), error)),
            },
            Job::NoteTokenUse(name, at, reply) => match tokens::note_use(self, &name, at).await {
                Ok(()) => Ok(Held::new(reply, Ok(()))),
                Err(error) => Err((Job::NoteTokenUse(name, at, reply), error)),
            },
            Job::KeepAnswer(answer, reply) => match answers::keep(self, &answer).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::KeepAnswer(answer, reply), error)),
            },
            Job::Audit(deed, reply) => {
                self.pending.deed(&deed);
                Ok(Held::new(reply, Ok(())))
            }
            Job::Adopt(machine, host, by, reply) => match watching::adopt(self, machine, Host::clone(&host), &by).await
            {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::Adopt(machine, host, by, reply), error)),
            },
            Job::PutHosts(hosts, by, reply) => match put::put_hosts(self, &hosts, &by).await {
                Ok(result) => Ok(Held::new(reply, result)),
                Err(error) => Err((Job::PutHosts(hosts, by, reply), error)),
            },
            Job::Dismiss(machine, reply) => match watching::dismiss(self, machine).await {
                Ok(was_listed) => Ok(Held::new(reply, Ok(was_listed))),
                Err(error) => Err((Job::Dismiss(machine, reply), error)),
            },
            Job::ChangeTiming(change, by, reply) => match deadlines::change(self, self.defaults, &change, &by).await {
                Ok(timing) => Ok(Held::new(reply, Ok(timing))),
                Err(error) => Err((Job::ChangeTiming(change, by, reply), error)),
            },
            Job::Remove(excess, reply) => match prune::remove(self, &excess).await {
                Ok(removed) => Ok(Held::new(reply, Ok(removed))),
                Err(error) => Err((Job::Remove(excess, reply), error)),
            },
            // The commit is the answer.
            Job::Ping(reply) => Ok(Held::new(reply, Ok(()))),
            #[cfg(test)]
            Job::Pragma(statement, reply) => {
                let mut script = Script::new();
                script.add(statement);
                let result = script
                    .run(self.connection)
                    .await
                    .map(|_| ())
                    .map_err(|error| unavailable(&error));
                Ok(Held::new(reply, result))
            }
        }
    }

    /// Writes `scripts` as one. An inner error is this job's alone.
    pub(crate) async fn write(
        &mut self,
        scripts: impl IntoIterator<Item = Script>,
    ) -> Result<Result<(), sqlx::Error>, StoreError> {
        match script::run_as_one(scripts, self.connection).await {
            Ok(()) => Ok(Ok(())),
            Err(Fault::Own(error)) => Ok(Err(error)),
            Err(Fault::Batch(error)) => Err(unavailable(&error)),
        }
    }

    /// Makes it durable.
    pub(crate) async fn commit(mut self) -> Result<Committed, StoreError> {
        pending::flush(&mut self).await?;
        let mut script = Script::new();
        meta::store(&mut script, &self.meta);
        script.add("COMMIT");
        script.run(self.connection).await.map_err(|error| unavailable(&error))?;
        Ok(Committed {
            follows: self.meta.mark != self.before.mark,
            meta: self.meta,
            hosts: self.hosts,
            moves: self.moves,
            timing: self.timing,
        })
    }
}
