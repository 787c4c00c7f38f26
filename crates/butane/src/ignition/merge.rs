//! Ignition's merge: scalars of the child win, lists merge by key, and what the child does not say stays.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::keys::Keyed;
use super::shape::{Shape, Value, items, unique};
use super::{Config, KernelArguments, Storage};
use crate::path::{Path, Segment};
use crate::report::Report;

/// Merges `child` onto `parent`: what the child says wins, entries of lists merge by their keys, new ones follow the
/// parent's. Both must have the same version; the result has the child's.
///
/// Two valid configs can merge into an invalid one: [`validate`](super::validate()) the result.
pub fn merge(parent: &Config, child: &Config) -> Config {
    Config::merge(parent, child, &mut Merging::new(false))
}

/// Like [`merge`], and says where each part of the result came from.
pub(crate) fn merge_transcribed(parent: &Config, child: &Config) -> (Config, Vec<Origin>) {
    let mut merging = Merging::new(true);
    let config = Config::merge(parent, child, &mut merging);
    (config, merging.origins)
}

/// One of the two configs being merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Parent,
    Child,
}

/// A part of the result, `to`, came from the part `from` of one side.
pub(crate) struct Origin {
    pub(crate) side: Side,
    pub(crate) from: Path,
    pub(crate) to: Path,
}

/// Where a merge stands.
pub(super) struct Merging {
    transcribe: bool,
    parent: Path,
    child: Path,
    result: Path,
    origins: Vec<Origin>,
}

impl Merging {
    fn new(transcribe: bool) -> Self {
        Self {
            transcribe,
            parent: Path::root(),
            child: Path::root(),
            result: Path::root(),
            origins: Vec::new(),
        }
    }

    /// Goes one step down on both sides and in the result.
    pub(super) fn at<T>(&mut self, segment: impl Into<Segment>, inside: impl FnOnce(&mut Self) -> T) -> T {
        let segment = segment.into();
        self.at_each(segment.clone(), segment.clone(), segment, inside)
    }

    fn at_each<T>(
        &mut self,
        parent: impl Into<Segment>,
        child: impl Into<Segment>,
        result: impl Into<Segment>,
        inside: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if !self.transcribe {
            return inside(self);
        }
        self.parent.push(parent);
        self.child.push(child);
        self.result.push(result);
        let value = inside(self);
        self.parent.pop();
        self.child.pop();
        self.result.pop();
        value
    }

    pub(super) fn note(&mut self, side: Side) {
        if self.transcribe {
            let from = if side == Side::Parent {
                self.parent.clone()
            } else {
                self.child.clone()
            };
            self.origins.push(Origin {
                side,
                from,
                to: self.result.clone(),
            });
        }
    }

    /// Merges two lists by key. `elsewhere` says which keys the child has moved to another list.
    pub(super) fn list<T: Value + Keyed>(
        &mut self,
        parent: &[T],
        child: &[T],
        elsewhere: &dyn Fn(&str) -> bool,
    ) -> Vec<T> {
        // Of several items with one key the last one is merged.
        let by_key: HashMap<_, _> = child
            .iter()
            .enumerate()
            .map(|(index, item)| (item.key(), index))
            .collect();
        let mut result = Vec::with_capacity(parent.len() + child.len());
        for (index, item) in parent.iter().enumerate() {
            let to = result.len();
            let key = item.key();
            if elsewhere(&key) {
                continue;
            }
            let found = by_key.get(&key).and_then(|at| Some((*at, child.get(*at)?)));
            match found {
                Some((_, theirs)) if theirs.removes_parent() => {}
                Some((at, theirs)) => {
                    result.push(self.at_each(index, at, to, |merging| T::merge(item, theirs, merging)));
                }
                None => {
                    self.at_each(index, index, to, |merging| item.trace(Side::Parent, merging));
                    result.push(item.clone());
                }
            }
        }
        let ours: HashSet<_> = parent.iter().map(Keyed::key).collect();
        for (index, item) in child.iter().enumerate() {
            if !ours.contains(&item.key()) {
                self.at_each(index, index, result.len(), |merging| item.trace(Side::Child, merging));
                result.push(item.clone());
            }
        }
        result
    }
}

/// Puts the child's items behind the parent's.
pub(super) fn append<T: Value>(parent: &[T], child: &[T], merging: &mut Merging) -> Vec<T> {
    for (index, item) in parent.iter().enumerate() {
        merging.at_each(index, index, index, |merging| item.trace(Side::Parent, merging));
    }
    for (index, item) in child.iter().enumerate() {
        merging.at_each(index, index, parent.len() + index, |merging| {
            item.trace(Side::Child, merging)
        });
    }
    parent.iter().chain(child).cloned().collect()
}

/// For lists that share their keys: in which list the child has each of them.
fn places(lists: [Vec<Cow<'_, str>>; 3]) -> HashMap<Cow<'_, str>, usize> {
    lists
        .into_iter()
        .enumerate()
        .flat_map(|(list, keys)| keys.into_iter().map(move |key| (key, list)))
        .collect()
}

fn keys<T: Keyed>(list: &[T]) -> Vec<Cow<'_, str>> {
    list.iter().map(Keyed::key).collect()
}

impl Value for Storage {
    super::shape::record!(@shape
        Vec<super::Directory> = "directories", Vec<super::Disk> = "disks", Vec<super::File> = "files",
        Vec<super::Filesystem> = "filesystems", Vec<super::Link> = "links", Vec<super::Luks> = "luks",
        Vec<super::Raid> = "raid",
    );

    fn merge(parent: &Self, child: &Self, merging: &mut Merging) -> Self {
        let places = places([keys(&child.directories), keys(&child.files), keys(&child.links)]);
        let not_in = |list: usize| {
            let places = &places;
            move |key: &str| places.get(key).is_some_and(|place| *place != list)
        };
        Self {
            directories: merging.at("directories", |merging| {
                merging.list(&parent.directories, &child.directories, &not_in(0))
            }),
            disks: merging.at("disks", |merging| Value::merge(&parent.disks, &child.disks, merging)),
            files: merging.at("files", |merging| merging.list(&parent.files, &child.files, &not_in(1))),
            filesystems: merging.at("filesystems", |merging| {
                Value::merge(&parent.filesystems, &child.filesystems, merging)
            }),
            links: merging.at("links", |merging| merging.list(&parent.links, &child.links, &not_in(2))),
            luks: merging.at("luks", |merging| Value::merge(&parent.luks, &child.luks, merging)),
            raid: merging.at("raid", |merging| Value::merge(&parent.raid, &child.raid, merging)),
        }
    }

    super::shape::record!(@trace
        directories = "directories", disks = "disks", files = "files", filesystems = "filesystems", links = "links",
        luks = "luks", raid = "raid",
    );

    fn duplicates(&self, path: &mut Path, report: &mut Report) {
        let mut seen = HashSet::new();
        path.push("directories");
        unique(&self.directories, path, report, &mut seen);
        path.pop();
        path.push("files");
        unique(&self.files, path, report, &mut seen);
        items(&self.files, path, report);
        path.pop();
        path.push("links");
        unique(&self.links, path, report, &mut seen);
        path.pop();
        path.push("disks");
        self.disks.duplicates(path, report);
        path.pop();
        path.push("filesystems");
        self.filesystems.duplicates(path, report);
        path.pop();
        path.push("luks");
        self.luks.duplicates(path, report);
        path.pop();
        path.push("raid");
        self.raid.duplicates(path, report);
        path.pop();
    }
}

impl Value for KernelArguments {
    super::shape::record!(@shape Vec<String> = "shouldExist", Vec<String> = "shouldNotExist",);

    fn merge(parent: &Self, child: &Self, merging: &mut Merging) -> Self {
        let places = places([keys(&child.should_exist), keys(&child.should_not_exist), Vec::new()]);
        let not_in = |list: usize| {
            let places = &places;
            move |key: &str| places.get(key).is_some_and(|place| *place != list)
        };
        Self {
            should_exist: merging.at("shouldExist", |merging| {
                merging.list(&parent.should_exist, &child.should_exist, &not_in(0))
            }),
            should_not_exist: merging.at("shouldNotExist", |merging| {
                merging.list(&parent.should_not_exist, &child.should_not_exist, &not_in(1))
            }),
        }
    }

    super::shape::record!(@trace should_exist = "shouldExist", should_not_exist = "shouldNotExist",);

    fn duplicates(&self, path: &mut Path, report: &mut Report) {
        let mut seen = HashSet::new();
        path.push("shouldExist");
        unique(&self.should_exist, path, report, &mut seen);
        path.pop();
        path.push("shouldNotExist");
        unique(&self.should_not_exist, path, report, &mut seen);
        path.pop();
    }
}

/// All items that are defined twice.
pub(super) fn duplicates(config: &Config) -> Report {
    let mut report = Report::new();
    config.duplicates(&mut Path::root(), &mut report);
    report
}

/// The shape of a whole config.
pub(super) fn config_shape() -> Shape {
    Config::shape()
}
