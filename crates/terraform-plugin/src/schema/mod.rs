//! What a resource looks like, and what planning may do with it.

mod check;
mod faults;
mod locate;
mod wire;

use std::fmt;
use std::sync::Arc;

pub use check::between;

use crate::Value;

/// What a resource, a data source or the provider's own block looks like.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Counts changes that make older states unreadable.
    pub version: i64,
    /// For people, in Markdown.
    pub description: &'static str,
    /// Its attributes, as an object type.
    pub ty: Type,
}

/// The type of a value. A list, set or map of objects is what Terraform calls nested attributes.
#[derive(Debug, Clone)]
pub enum Type {
    /// Text.
    String,
    /// A number.
    Number,
    /// A truth.
    Bool,
    /// A list.
    List(Box<Type>),
    /// A set: no order, and each element once.
    Set(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// An object with these attributes.
    Object(Vec<Attribute>),
}

/// Who sets an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The user must.
    Required,
    /// The user may.
    Optional,
    /// The provider does.
    Computed,
    /// The user may; if not, the provider does.
    OptionalComputed,
}

/// Whether a known value may stand there; if not, what was expected. Asked of texts, numbers and truths, also of those
/// in a list, set or map.
pub type Check = Arc<dyn Fn(&Value) -> Result<(), String> + Send + Sync>;

/// An attribute.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of Terraform's own")]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// For people, in Markdown.
    pub description: &'static str,
    /// Who sets it.
    pub presence: Presence,
    /// Not shown in plans and outputs.
    pub sensitive: bool,
    /// Given to the provider, and kept in no plan and no state.
    pub write_only: bool,
    /// A change of it makes another resource.
    pub replaces: bool,
    /// A change of something else leaves what the provider has set.
    pub keeps: bool,
    /// What it is when the user says nothing.
    pub default: Option<Value>,
    /// The words that it may be; none means any.
    pub words: Vec<String>,
    pub(crate) checks: Vec<Check>,
    pub(crate) same: Option<fn(&str, &str) -> bool>,
}

impl Schema {
    /// A schema in its first version.
    #[must_use]
    pub fn new(description: &'static str, attributes: Vec<Attribute>) -> Self {
        Self {
            version: 0,
            description,
            ty: Type::Object(attributes),
        }
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        match &self.ty {
            Type::Object(attributes) => attributes,
            _ => &[],
        }
    }
}

impl Type {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::String => "string".to_owned(),
            Self::Number => "number".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::List(of) => format!("list of {}", of.name()),
            Self::Set(of) => format!("set of {}", of.name()),
            Self::Map(of) => format!("map of {}", of.name()),
            Self::Object(_) => "object".to_owned(),
        }
    }

    /// The attributes of its objects, however deep in a list, set or map they stand.
    #[must_use]
    pub fn objects(&self) -> Option<&[Attribute]> {
        match self {
            Self::Object(attributes) => Some(attributes),
            Self::List(of) | Self::Set(of) | Self::Map(of) => of.objects(),
            Self::String | Self::Number | Self::Bool => None,
        }
    }

    /// A list of it.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// A set of it.
    #[must_use]
    pub fn set(self) -> Self {
        Self::Set(Box::new(self))
    }

    /// A map of it.
    #[must_use]
    pub fn map(self) -> Self {
        Self::Map(Box::new(self))
    }
}

impl Attribute {
    fn new(name: &'static str, ty: Type, presence: Presence, description: &'static str) -> Self {
        Self {
            name,
            ty,
            description,
            presence,
            sensitive: false,
            write_only: false,
            replaces: false,
            keeps: false,
            default: None,
            words: Vec::new(),
            checks: Vec::new(),
            same: None,
        }
    }

    /// The user must set it.
    #[must_use]
    pub fn required(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Presence::Required, description)
    }

    /// The user may set it.
    #[must_use]
    pub fn optional(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Presence::Optional, description)
    }

    /// The provider sets it.
    #[must_use]
    pub fn computed(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Presence::Computed, description)
    }

    /// The user may set it, or else the provider does.
    #[must_use]
    pub fn optional_computed(name: &'static str, ty: Type, description: &'static str) -> Self {
        Self::new(name, ty, Presence::OptionalComputed, description)
    }

    /// Is not shown.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Is kept nowhere.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Identifies the resource: a change of it makes another one.
    #[must_use]
    pub fn replaces(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Stays what the provider has set when something else changes.
    #[must_use]
    pub fn keeps(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// Is this when the user says nothing.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self.presence = Presence::OptionalComputed;
        self
    }

    /// Is checked when the configuration is.
    #[must_use]
    pub fn checked(mut self, check: impl Fn(&Value) -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// Is one of these words.
    #[must_use]
    pub fn one_of<T: fmt::Display>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.words = words.into_iter().map(|word| word.to_string()).collect();
        let check = check::one_of(self.words.clone());
        self.checked(check)
    }

    /// Two texts that say the same: the user's stays in the state when the API answers in other words.
    #[must_use]
    pub fn same(mut self, same: fn(&str, &str) -> bool) -> Self {
        self.same = Some(same);
        self
    }

    /// Whether the user may set it.
    #[must_use]
    pub fn is_configurable(&self) -> bool {
        self.presence != Presence::Computed
    }

    /// Whether the provider sets it when the user does not, and it is known only then.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed) && self.default.is_none()
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attribute")
            .field("name", &self.name)
            .field("ty", &self.ty)
            .field("presence", &self.presence)
            .finish_non_exhaustive()
    }
}
