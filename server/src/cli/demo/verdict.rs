//! Whether a host came to the end that was meant for it.

use std::fmt;

use serde_json::{Value, json};
use thirdboot_api::StageName;
use thirdboot_api::control::HostView;
use thirdboot_simulator::Meant;

use super::cast::Part;
use super::scene::Scene;
use crate::cli::table::{table, text};

/// Where a host is, as far as an end is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached<'a> {
    /// Ready.
    Ready,
    /// Its run failed, with this cause.
    Failed(&'a str),
    /// It stalls, with this cause.
    Stalled(&'a str),
    /// On its way, at this stage.
    UnderWay(&'a str),
}

impl<'a> Reached<'a> {
    pub(super) fn of(host: &'a HostView) -> Self {
        let cause = host
            .diagnosis
            .as_ref()
            .map_or("no cause", |diagnosis| diagnosis.cause.as_str());
        match &host.run {
            None => Self::UnderWay("not armed"),
            Some(run) => match &run.stage {
                StageName::Ready => Self::Ready,
                StageName::Failed => Self::Failed(cause),
                _ if run.stalled => Self::Stalled(cause),
                stage => Self::UnderWay(stage.as_str()),
            },
        }
    }
}

impl fmt::Display for Reached<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Failed(cause) => write!(f, "failed ({cause})"),
            Self::Stalled(cause) => write!(f, "stalled ({cause})"),
            Self::UnderWay(stage) => f.write_str(stage),
        }
    }
}

/// A stuck host stalls first, and fails past its second deadline: with the cause that was meant, both are right.
pub(super) fn is_as_meant(meant: Meant, reached: Reached<'_>) -> bool {
    match (meant, reached) {
        (Meant::Ready, Reached::Ready) => true,
        (Meant::Failed(meant) | Meant::Stuck(meant), Reached::Failed(cause))
        | (Meant::Stuck(meant), Reached::Stalled(cause)) => meant == cause,
        _ => false,
    }
}

/// Hosts that are stuck for the right reason in another stage than was meant, or with other advice: a sentence each.
pub(super) fn astray(scene: &Scene) -> Vec<String> {
    let of = |part: &Part| {
        let (stage, advice) = part.fault.and_then(|fault| fault.stage().zip(fault.advice()))?;
        let view = scene.view(part)?;
        let run = view.run.as_ref()?;
        let reached = run.failed.as_ref().map_or(&run.stage, |failed| &failed.stage);
        let told = view
            .diagnosis
            .as_ref()
            .map_or("", |diagnosis| diagnosis.advice.as_str());
        let is_so = reached.as_str() == stage && told.contains(advice);
        (!is_so).then(|| {
            format!(
                "MISSED {}: meant to be stuck while {stage} and told of {advice:?}; it is {reached}, and told {told:?}",
                part.name
            )
        })
    };
    scene.parts.iter().filter_map(of).collect()
}

/// A line a host, and one for the machine that nobody described.
pub(super) fn lines(scene: &Scene) -> String {
    let mut table = table(&["", "HOST", "WHAT HAPPENS TO IT", "MEANT", "REACHED", ""], None);
    for part in &scene.parts {
        table.add_row(line(scene, part));
    }
    let held = if is_stranger_held(scene) {
        "held, listed"
    } else {
        "not listed"
    };
    table.add_row([
        word(is_stranger_held(scene)),
        "stranger",
        "nobody described it",
        "held, listed",
        held,
    ]);
    text(&table)
}

/// The same for programs.
pub(super) fn answer(scene: &Scene, astray: &[String], clusters: usize) -> Value {
    let host = |part: &Part| {
        let [_, name, happens, meant, reached, note] = line(scene, part);
        json!({"name": name, "happens": happens, "meant": meant, "reached": reached, "note": note,
            "as_meant": scene.is_as_meant(part)})
    };
    json!({
        "hosts": scene.parts.iter().map(host).collect::<Vec<_>>(), "stranger_held": is_stranger_held(scene),
        "astray": astray, "clusters": clusters, "seconds": scene.elapsed.as_secs(),
    })
}

fn word(is_as_meant: bool) -> &'static str {
    if is_as_meant { "ok" } else { "MISSED" }
}

/// Whether the machine that nobody described is where it should be.
pub(super) fn is_stranger_held(scene: &Scene) -> bool {
    scene.unknown == 1
}

fn line(scene: &Scene, part: &Part) -> [String; 6] {
    let is_as_meant = scene.is_as_meant(part);
    let view = scene.view(part);
    let reached = view.map_or_else(|| "nothing".to_owned(), |view| Reached::of(view).to_string());
    let told = if is_as_meant {
        view.map_or_else(String::new, recovered)
    } else {
        scene
            .step(part)
            .map_or_else(String::new, |step| format!("its machine: {step}"))
    };
    [
        word(is_as_meant).to_owned(),
        part.name.clone(),
        part.says().to_owned(),
        part.meant().to_string(),
        reached,
        told,
    ]
}

/// What a host went through on its way.
fn recovered(view: &HostView) -> String {
    let Some(run) = &view.run else {
        return String::new();
    };
    let attempts = (run.attempt > 1).then(|| format!("installed at attempt {}", run.attempt));
    let rollbacks = match run.rollbacks {
        0 => None,
        1 => Some("staged twice".to_owned()),
        lost => Some(format!("staging lost {lost} times")),
    };
    attempts.into_iter().chain(rollbacks).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stuck_host_may_stall_or_be_given_up_but_for_the_right_reason() {
        let meant = Meant::Stuck("no-claim");
        assert!(is_as_meant(meant, Reached::Stalled("no-claim")));
        assert!(is_as_meant(meant, Reached::Failed("no-claim")));
        assert!(!is_as_meant(meant, Reached::Stalled("install-stuck")));
        assert!(!is_as_meant(meant, Reached::Ready));
        assert!(!is_as_meant(Meant::Ready, Reached::UnderWay("joining")));
        assert!(!is_as_meant(
            Meant::Failed("host-failed"),
            Reached::Stalled("host-failed")
        ));
    }
}
