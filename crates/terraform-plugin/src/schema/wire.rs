//! A schema as Terraform reads it.

use serde_json::{Value as Json, json};

use crate::wire::{self, Nesting};
use crate::{Attribute, Presence, Schema, Type};

impl Schema {
    pub(crate) fn to_wire(&self) -> wire::Schema {
        wire::Schema {
            version: self.version,
            block: Some(wire::Block {
                version: self.version,
                attributes: self.attributes().iter().map(Attribute::to_wire).collect(),
                description: self.description.to_owned(),
                description_kind: wire::StringKind::Markdown.into(),
            }),
        }
    }
}

impl Attribute {
    fn to_wire(&self) -> wire::Attribute {
        let (simple, nested) = match &self.ty {
            Type::Object(attributes) => (Vec::new(), Some(nested(attributes, Nesting::Single))),
            Type::List(of) | Type::Set(of) | Type::Map(of) => match (&self.ty, &**of) {
                (Type::List(_), Type::Object(attributes)) => (Vec::new(), Some(nested(attributes, Nesting::List))),
                (Type::Set(_), Type::Object(attributes)) => (Vec::new(), Some(nested(attributes, Nesting::Set))),
                (Type::Map(_), Type::Object(attributes)) => (Vec::new(), Some(nested(attributes, Nesting::Map))),
                (ty, _) => (constraint(ty).to_string().into_bytes(), None),
            },
            ty => (constraint(ty).to_string().into_bytes(), None),
        };
        wire::Attribute {
            name: self.name.to_owned(),
            r#type: simple,
            nested_type: nested,
            description: self.description.to_owned(),
            description_kind: wire::StringKind::Markdown.into(),
            required: self.presence == Presence::Required,
            optional: matches!(self.presence, Presence::Optional | Presence::OptionalComputed),
            computed: matches!(self.presence, Presence::Computed | Presence::OptionalComputed),
            sensitive: self.sensitive,
            write_only: self.write_only,
        }
    }
}

fn nested(attributes: &[Attribute], nesting: Nesting) -> wire::NestedObject {
    wire::NestedObject {
        attributes: attributes.iter().map(Attribute::to_wire).collect(),
        nesting: nesting.into(),
    }
}

/// A type in Terraform's JSON form.
fn constraint(ty: &Type) -> Json {
    match ty {
        Type::String => json!("string"),
        Type::Number => json!("number"),
        Type::Bool => json!("bool"),
        Type::List(of) => json!(["list", constraint(of)]),
        Type::Set(of) => json!(["set", constraint(of)]),
        Type::Map(of) => json!(["map", constraint(of)]),
        Type::Object(attributes) => {
            let fields: serde_json::Map<String, Json> = attributes
                .iter()
                .map(|attribute| (attribute.name.to_owned(), constraint(&attribute.ty)))
                .collect();
            json!(["object", fields])
        }
    }
}
