//! Whether a host came to the end that was meant for it.

use std::fmt;

use thirdboot_api::StageName;
use thirdboot_api::control::HostView;
use thirdboot_simulator::Meant;

use super::cast::Part;
use super::scene::Scene;

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
        let cause = host.diagnosis.as_ref().map_or("no cause", |diagnosis| diagnosis.cause.as_str());
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
        (Meant::Failed(meant), Reached::Failed(cause)) => meant == cause,
        (Meant::Stuck(meant), Reached::Stalled(cause) | Reached::Failed(cause)) => meant == cause,
        _ => false,
    }
}

/// A line a host, and one for the machine that nobody described.
pub(super) fn lines(scene: &Scene) -> String {
    let mut lines = String::new();
    for part in &scene.parts {
        lines.push_str(&line(scene, part));
        lines.push('\n');
    }
    let word = if is_stranger_held(scene) { "ok" } else { "MISSED" };
    lines.push_str(&format!("{word:<7} {:<10} nobody described it: held, and listed for adoption\n", "stranger"));
    lines
}

/// Whether the machine that nobody described is where it should be.
pub(super) fn is_stranger_held(scene: &Scene) -> bool {
    scene.unknown == 1
}

fn line(scene: &Scene, part: &Part) -> String {
    let word = if scene.is_as_meant(part) { "ok" } else { "MISSED" };
    let meant = part.meant().to_string();
    let head = format!("{word:<7} {:<10} {:<41} meant {meant:<28}", part.name, part.says());
    let Some(view) = scene.view(part) else {
        return format!("{head} reached nothing");
    };
    let reached = Reached::of(view).to_string();
    let told = view.run.as_ref().map(|run| {
        let attempts = (run.attempt > 1).then(|| format!("{} attempts", run.attempt));
        let rollbacks = (run.rollbacks > 0).then(|| format!("staging lost {} times", run.rollbacks));
        [attempts, rollbacks].into_iter().flatten().collect::<Vec<_>>().join(", ")
    });
    let step = match scene.step(part) {
        Some(step) if word == "MISSED" => format!("its machine: {step}"),
        _ => String::new(),
    };
    format!("{head} reached {reached:<28} {} {step}", told.unwrap_or_default()).trim_end().to_owned()
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
        assert!(!is_as_meant(Meant::Failed("host-failed"), Reached::Stalled("host-failed")));
    }
}
