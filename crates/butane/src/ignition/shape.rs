//! One declaration for each struct gives its JSON, its shape, how it merges and how its lists are checked.

use crate::path::Path;
use crate::report::{Kind, Report};

use super::keys::Keyed;
use super::merge::{Merging, Side};

/// What JSON a value is written as.
pub(super) enum Shape {
    Leaf,
    List(fn() -> Shape),
    Record(&'static [Field]),
}

/// A key and the shape of its value.
pub(super) type Field = (&'static str, fn() -> Shape);

/// A part of a config.
pub(super) trait Value: Clone + Default + PartialEq {
    /// What JSON it is.
    fn shape() -> Shape;

    /// Merges two by Ignition's rules.
    fn merge(parent: &Self, child: &Self, merging: &mut Merging) -> Self;

    /// Notes where each leaf came from; says whether there was any.
    fn trace(&self, side: Side, merging: &mut Merging) -> bool;

    /// Looks for items defined twice.
    fn duplicates(&self, _path: &mut Path, _report: &mut Report) {}
}

macro_rules! leaf {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn shape() -> Shape {
                Shape::Leaf
            }

            fn merge(_parent: &Self, child: &Self, merging: &mut Merging) -> Self {
                child.trace(Side::Child, merging);
                child.clone()
            }

            fn trace(&self, side: Side, merging: &mut Merging) -> bool {
                let present = *self != Self::default();
                if present {
                    merging.note(side);
                }
                present
            }
        }
    )*};
}
leaf!(String, bool, i64);

impl<T: Value> Value for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }

    fn merge(parent: &Self, child: &Self, merging: &mut Merging) -> Self {
        match (parent, child) {
            (Some(parent), Some(child)) => {
                merging.note(Side::Child);
                Some(T::merge(parent, child, merging))
            }
            (None, Some(_)) => {
                child.trace(Side::Child, merging);
                child.clone()
            }
            (_, None) => {
                parent.trace(Side::Parent, merging);
                parent.clone()
            }
        }
    }

    fn trace(&self, side: Side, merging: &mut Merging) -> bool {
        if let Some(value) = self
            && !value.trace(side, merging)
        {
            merging.note(side);
        }
        self.is_some()
    }

    fn duplicates(&self, path: &mut Path, report: &mut Report) {
        if let Some(value) = self {
            value.duplicates(path, report);
        }
    }
}

impl<T: Value + Keyed> Value for Vec<T> {
    fn shape() -> Shape {
        Shape::List(T::shape)
    }

    fn merge(parent: &Self, child: &Self, merging: &mut Merging) -> Self {
        merging.list(parent, child, &|_| false)
    }

    fn trace(&self, side: Side, merging: &mut Merging) -> bool {
        let mut any = false;
        for (index, item) in self.iter().enumerate() {
            any |= merging.at(index, |merging| item.trace(side, merging));
        }
        any
    }

    fn duplicates(&self, path: &mut Path, report: &mut Report) {
        unique(self, path, report, &mut std::collections::HashSet::new());
        items(self, path, report);
    }
}

/// Looks for items that `seen` already holds, and adds them to it.
pub(super) fn unique<T: Keyed>(
    list: &[T],
    path: &mut Path,
    report: &mut Report,
    seen: &mut std::collections::HashSet<String>,
) {
    for (index, item) in list.iter().enumerate() {
        let key = item.key().into_owned();
        let message = format!("{key:?} is defined twice");
        if !seen.insert(key) {
            report.push(Kind::Error, path.join(index), message);
        }
    }
}

/// Looks for duplicates inside each item.
pub(super) fn items<T: Value>(list: &[T], path: &mut Path, report: &mut Report) {
    for (index, item) in list.iter().enumerate() {
        path.push(index);
        item.duplicates(path, report);
        path.pop();
    }
}

/// Declares a struct: `field: Type = "jsonName"`, with `always` if it is written even when empty, and with
/// `append` if merging puts the child's items behind the parent's, whatever they are.
macro_rules! record {
    (
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty = $json:literal $($how:ident)?, )*
        }
    ) => {
        record! {
            @data $(#[$meta])*
            $name { $( $(#[$field_meta])* $field: $type = $json $($how)?, )* }
        }

        impl $crate::ignition::shape::Value for $name {
            record!(@shape $( $type = $json, )*);

            fn merge(parent: &Self, child: &Self, merging: &mut $crate::ignition::merge::Merging) -> Self {
                Self {
                    $( $field: merging.at($json, |merging| {
                        record!(@merge $($how)?)(&parent.$field, &child.$field, merging)
                    }), )*
                }
            }

            record!(@trace $( $field = $json, )*);

            fn duplicates(&self, path: &mut $crate::path::Path, report: &mut $crate::report::Report) {
                let _ = (&path, &report);
                $(
                    path.push($json);
                    record!(@duplicates $($how)?)(&self.$field, path, report);
                    path.pop();
                )*
            }
        }
    };
    (
        @data $(#[$meta:meta])*
        $name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty = $json:literal $($how:ident)?, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        pub struct $name {
            $( $(#[$field_meta])* #[serde(rename = $json)] pub $field: $type, )*
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(
                    if record!(@always $($how)?) || self.$field != <$type>::default() {
                        map.serialize_entry($json, &self.$field)?;
                    }
                )*
                map.end()
            }
        }
    };
    (@shape $( $type:ty = $json:literal, )*) => {
        fn shape() -> $crate::ignition::shape::Shape {
            $crate::ignition::shape::Shape::Record(&[
                $( ($json, <$type as $crate::ignition::shape::Value>::shape), )*
            ])
        }
    };
    (@trace $( $field:ident = $json:literal, )*) => {
        fn trace(&self, side: $crate::ignition::Side, merging: &mut $crate::ignition::merge::Merging) -> bool {
            let mut any = false;
            $( any |= merging.at($json, |merging| self.$field.trace(side, merging)); )*
            if any {
                merging.note(side);
            }
            any
        }
    };
    (@always always) => { true };
    (@always $($how:ident)?) => { false };
    (@merge append) => { $crate::ignition::merge::append };
    (@merge $($how:ident)?) => { $crate::ignition::shape::Value::merge };
    (@duplicates append) => { $crate::ignition::shape::items };
    (@duplicates $($how:ident)?) => { $crate::ignition::shape::Value::duplicates };
}
pub(super) use record;
