//! What is wrong with a schema itself: Terraform would refuse the whole provider, or planning would go astray.

use crate::{Attribute, Path, Presence, Schema, Type};

impl Schema {
    /// What is wrong with it, a line each. A provider's own test asks every schema.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for attribute in self.attributes() {
            of(attribute, &Path::attribute(attribute.name), false, &mut faults);
        }
        faults
    }
}

fn of(attribute: &Attribute, path: &Path, is_in_set: bool, faults: &mut Vec<String>) {
    let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    let mut rule = |is_broken: bool, why: &str| {
        if is_broken {
            faults.push(format!("{path}: {why}"));
        }
    };
    rule(
        attribute.name.is_empty() || !attribute.name.bytes().all(is_name),
        "a name has a-z, 0-9 and _",
    );
    rule(attribute.description.is_empty(), "it is not described");
    rule(
        attribute.write_only && attribute.presence != Presence::Optional && attribute.presence != Presence::Required,
        "what is write-only is set by the user",
    );
    rule(
        attribute.default.is_some() && attribute.presence != Presence::OptionalComputed,
        "a default is for what the user may leave out",
    );
    rule(
        attribute.replaces && !attribute.is_configurable(),
        "what the provider sets replaces nothing",
    );
    rule(
        is_in_set && attribute.is_computed(),
        "in a set nothing can be computed: elements are known by all that is in them",
    );
    rule(
        matches!(&attribute.ty, Type::List(of) | Type::Set(of) | Type::Map(of) if !matches!(**of, Type::Object(_)) && of.objects().is_some()),
        "objects stand in one list, set or map at most",
    );
    let is_in_set = is_in_set || matches!(attribute.ty, Type::Set(_));
    for inner in attribute.ty.objects().into_iter().flatten() {
        of(inner, &path.at(inner.name), is_in_set, faults);
    }
}
