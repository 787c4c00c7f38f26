//! What a provision looks like.

use thirdboot_api::StageName;
use thirdboot_terraform_plugin::{Attribute, Object, Schema, Type, Value};

use crate::checks;

/// Fails at once, since there is a cause to look at.
pub(super) const FAIL: &str = "fail";
/// Waits on: a late report takes the mark off.
pub(super) const WAIT: &str = "wait";

pub(super) fn schema() -> Schema {
    let stages = StageName::KNOWN
        .into_iter()
        .filter(|stage| !matches!(stage, StageName::Failed | StageName::Cancelled));
    Schema::new(
        "Arms a host, which allows its disk to be wiped once, and waits until its run is where it is to be: by default \
         `ready`, proven by reports of three boots. A run that fails or stalls ends the apply with stage, cause and advice. \
         The machine itself must boot from the network: this resource switches nothing on. Destroying it never touches the \
         machine, nor a run that is under way. An interrupted apply is continued by the next one.",
        vec![
            Attribute::required("host", Type::String, "The host's name.")
                .checked(checks::name)
                .replaces(),
            Attribute::optional(
                "triggers",
                Type::String.map(),
                "A change of any of these provisions the host again, and wipes it.",
            ),
            Attribute::optional_computed(
                "run",
                Type::Number,
                "The run. When it is set, nothing is armed here: this resource waits for a run that another \
                 `thirdboot_provision` with `wait_for = \"armed\"` began, so that a machine can be made in between.",
            )
            .keeps(),
            Attribute::optional("wait_for", Type::String, "The stage that is waited for.")
                .default(StageName::Ready.as_str())
                .one_of(stages),
            Attribute::optional("timeout", Type::String, "For how long, such as `45m`.")
                .default("60m")
                .checked(checks::duration),
            Attribute::optional(
                "on_stall",
                Type::String,
                "What a stall does, a stage past its deadline: `fail` ends the wait with the cause, `wait` waits on, for a late \
                 report may still come.",
            )
            .default(FAIL)
            .one_of([FAIL, WAIT]),
            Attribute::optional_computed(
                "disk",
                Type::String,
                "The only disk that may be written, by path, serial or WWN. When left out, that of the host's description.",
            )
            .keeps(),
            Attribute::optional(
                "wipe",
                Type::String.list(),
                "Disks whose contents may be destroyed although something is recognisable on them.",
            ),
            Attribute::optional("permit_ttl", Type::String, "For how long the machine may begin: a minute to a week.")
                .default("24h")
                .checked(checks::duration),
            Attribute::computed("id", Type::String, "The host's name.").keeps(),
            Attribute::computed("stage", Type::String, "Where the run stands.").keeps(),
            Attribute::computed("wipes", Type::String, "What this allows to be wiped, as far as the plan knows.").keeps(),
        ],
    )
}

/// What is in force when nothing is said.
pub(super) fn defaults() -> Object {
    let schema = schema();
    let defaults = schema.attributes().iter();
    defaults
        .map(|attribute| {
            let value = attribute.default.clone().unwrap_or(Value::Null);
            (attribute.name.to_owned(), value)
        })
        .collect()
}
