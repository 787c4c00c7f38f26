//! What makes two items of a list the same thing.

use std::borrow::Cow;

use super::{
    Directory, Disk, Dropin, File, Filesystem, HttpHeader, Link, Luks, Partition, PasswdGroup, PasswdUser, Raid,
    Resource, Tang, Unit,
};

/// An item of a list that holds no two with the same key.
pub(super) trait Keyed {
    /// What it goes by.
    fn key(&self) -> Cow<'_, str>;

    /// Whether this item, in a child config, takes the parent's item away instead of merging with it.
    fn removes_parent(&self) -> bool {
        false
    }
}

macro_rules! keyed {
    ($($type:ty: $field:ident),* $(,)?) => {$(
        impl Keyed for $type {
            fn key(&self) -> Cow<'_, str> {
                Cow::Borrowed(&self.$field)
            }
        }
    )*};
}
keyed! {
    Directory: path, File: path, Link: path,
    Disk: device, Filesystem: device,
    Luks: name, Raid: name,
    PasswdGroup: name, PasswdUser: name,
    Unit: name, Dropin: name,
    Tang: url,
}

impl Keyed for String {
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Keyed for HttpHeader {
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }

    fn removes_parent(&self) -> bool {
        self.value.is_none()
    }
}

impl Keyed for Resource {
    fn key(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.source.as_deref().unwrap_or_default())
    }
}

impl Keyed for Partition {
    fn key(&self) -> Cow<'_, str> {
        match (self.number, &self.label) {
            (0, None) => Cow::Borrowed(""),
            (0, Some(label)) => Cow::Owned(format!("label {label}")),
            (number, _) => Cow::Owned(format!("number {number}")),
        }
    }
}
