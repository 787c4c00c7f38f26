//! Pulls under way and lately ended: one downloads at a time, everybody may watch.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thirdboot_api::control::{PullFileView, PullState, PullView};
use tokio::task::AbortHandle;

use super::download::Progress;
use super::extra::NewFile;
use super::pull::PullRequest;

/// Ended ones that are remembered.
const MAX_REMEMBERED: usize = 32;

/// What is downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// The latest version of a stream.
    Stream(PullRequest),
    /// A file with a hash.
    File(NewFile, reqwest::Url),
}

/// Every pull that is remembered.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    last: AtomicU64,
    known: Mutex<VecDeque<Arc<Job>>>,
    /// Held by the one that downloads.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

/// A pull.
#[derive(Debug)]
pub(crate) struct Job {
    id: u64,
    what: What,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: PullState,
    version: Option<String>,
    failed: Option<String>,
    files: Vec<FileJob>,
    pruned: Vec<String>,
    task: Option<AbortHandle>,
}

#[derive(Debug)]
struct FileJob {
    name: String,
    progress: Arc<Progress>,
    is_done: bool,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pull of the same that has not ended; else a new one, which the caller starts.
    pub(super) fn join_or_add(&self, what: &What) -> (Arc<Job>, bool) {
        let mut jobs = self.lock();
        let same = jobs.iter().find(|job| job.what == *what && !job.has_ended());
        if let Some(job) = same {
            return (Arc::clone(job), false);
        }
        let job = Arc::new(Job {
            id: self.last.fetch_add(1, Ordering::Relaxed) + 1,
            what: what.clone(),
            inner: Mutex::new(Inner {
                state: PullState::Waiting,
                version: None,
                failed: None,
                files: Vec::new(),
                pruned: Vec::new(),
                task: None,
            }),
        });
        if jobs.len() >= MAX_REMEMBERED
            && let Some(at) = jobs.iter().position(|job| job.has_ended())
        {
            jobs.remove(at);
        }
        jobs.push_back(Arc::clone(&job));
        (job, true)
    }

    /// Held by the one that downloads.
    #[cfg(test)]
    pub(crate) fn turn(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.turn)
    }

    /// The pull of that number.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Job>> {
        self.lock().iter().find(|job| job.id == id).cloned()
    }

    /// All that are remembered, the latest first.
    pub(crate) fn all(&self) -> Vec<Arc<Job>> {
        self.lock().iter().rev().cloned().collect()
    }

    /// Ends all that are under way: what is there of their files stays for the next time.
    pub(crate) fn stop(&self) {
        for job in self.all() {
            job.cancel("the server was stopped");
        }
    }
}

impl Job {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        !matches!(self.lock().state, PullState::Waiting | PullState::Running)
    }

    /// Names the task that works on it. Whoever has cancelled it before that meant this task.
    pub(super) fn runs_as(&self, task: AbortHandle) {
        let mut inner = self.lock();
        if inner.state == PullState::Cancelled {
            task.abort();
        } else {
            inner.task = Some(task);
        }
    }

    /// Its turn has come; false when it has ended meanwhile.
    #[must_use]
    pub(super) fn starts(&self) -> bool {
        let mut inner = self.lock();
        let is_waiting = inner.state == PullState::Waiting;
        if is_waiting {
            inner.state = PullState::Running;
        }
        is_waiting
    }

    pub(super) fn found<'a>(&self, version: &str, files: impl Iterator<Item = &'a str>) {
        let mut inner = self.lock();
        inner.version = Some(version.to_owned()).filter(|version| !version.is_empty());
        inner.files = files
            .map(|name| FileJob {
                name: name.to_owned(),
                progress: Arc::default(),
                is_done: false,
            })
            .collect();
    }

    pub(super) fn begins(&self, name: &str) -> Arc<Progress> {
        let inner = self.lock();
        let file = inner.files.iter().find(|file| file.name == name);
        file.map_or_else(Arc::default, |file| Arc::clone(&file.progress))
    }

    pub(super) fn is_done(&self, name: &str) {
        let mut inner = self.lock();
        if let Some(file) = inner.files.iter_mut().find(|file| file.name == name) {
            file.is_done = true;
        }
    }

    /// Bytes that came over the wire.
    pub(super) fn received(&self) -> u64 {
        let inner = self.lock();
        let received = inner
            .files
            .iter()
            .map(|file| file.progress.received.load(Ordering::Relaxed));
        received.sum()
    }

    pub(super) fn ends(&self, result: Result<Vec<String>, String>) {
        let mut inner = self.lock();
        // Cancelled in its last moment: that was answered, and stays.
        if inner.state != PullState::Running {
            return;
        }
        match result {
            Ok(pruned) => {
                inner.state = PullState::Done;
                inner.pruned = pruned;
            }
            Err(why) => {
                inner.state = PullState::Failed;
                inner.failed = Some(why);
            }
        }
    }

    /// Ends it, unless it has. What is there of its files stays for the next time.
    pub(crate) fn cancel(&self, why: &str) {
        let mut inner = self.lock();
        if matches!(inner.state, PullState::Waiting | PullState::Running) {
            inner.state = PullState::Cancelled;
            inner.failed = Some(why.to_owned());
            if let Some(task) = inner.task.take() {
                task.abort();
            }
        }
    }

    /// As the API shows it.
    pub(crate) fn view(&self) -> PullView {
        let inner = self.lock();
        let stream = match &self.what {
            What::Stream(request) => Some(request),
            What::File(..) => None,
        };
        PullView {
            id: self.id,
            stream: stream.map(|request| request.stream.clone()),
            arch: stream.map(|request| request.arch.as_str().to_owned()),
            version: inner.version.clone(),
            state: inner.state,
            failed: inner.failed.clone(),
            files: inner.files.iter().map(FileJob::view).collect(),
            pruned: inner.pruned.clone(),
        }
    }
}

impl FileJob {
    fn view(&self) -> PullFileView {
        let total = self.progress.total.load(Ordering::Relaxed);
        PullFileView {
            name: self.name.clone(),
            done_bytes: self.progress.done.load(Ordering::Relaxed),
            total_bytes: (total > 0).then_some(total),
            done: self.is_done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(jobs: &Jobs) -> (Arc<Job>, bool) {
        let file = NewFile::new("k3s", &"ab".repeat(32)).unwrap();
        jobs.join_or_add(&What::File(file, "http://x.example/k3s".parse().unwrap()))
    }

    #[tokio::test]
    async fn a_pull_that_is_cancelled_as_it_begins_stays_so_and_stands_in_nobodys_way() {
        let jobs = Jobs::default();
        // Before its task is known, between its turn and its start, and as it ends.
        for moment in 0..3 {
            let (job, is_new) = added(&jobs);
            assert!(is_new, "{moment}: the one before it has not ended");
            let task = tokio::spawn(std::future::pending::<()>());
            if moment == 0 {
                job.cancel("enough");
            }
            job.runs_as(task.abort_handle());
            if moment == 1 {
                job.cancel("enough");
            }
            assert_eq!(job.starts(), moment == 2);
            if moment == 2 {
                job.cancel("enough");
                job.ends(Ok(Vec::new()));
            }
            assert_eq!(job.view().state, PullState::Cancelled, "{moment}");
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }
}
