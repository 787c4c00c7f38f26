//! The three boots of a run, drawn.

use thirdboot_api::StageName;
use thirdboot_api::control::RunView;

/// The stages of each boot.
const BOOTS: [&[StageName]; 3] = [
    &[
        StageName::Netbooting,
        StageName::Live,
        StageName::Installing,
        StageName::Installed,
    ],
    &[StageName::FirstBoot, StageName::Layering, StageName::Layered],
    &[
        StageName::LayeredBoot,
        StageName::Networked,
        StageName::Joining,
        StageName::Ready,
    ],
];

const DONE: char = '■';
const HERE: char = '▶';
const STALLED: char = '!';
const FAILED: char = '✗';
const AHEAD: char = '·';

/// The three boots: a mark a stage. `■` is behind, `▶` is where it stands, `!` where it stalls, `✗` where it ended.
pub(in crate::cli) fn boots(run: &RunView) -> String {
    let ended_in = run.failed.as_ref().map(|failed| &failed.stage);
    let at = position(ended_in.unwrap_or(&run.stage));
    let here = match &run.stage {
        StageName::Ready => DONE,
        StageName::Failed | StageName::Cancelled => FAILED,
        _ if run.stalled => STALLED,
        _ => HERE,
    };
    let mut drawn = String::new();
    let mut number = 0;
    for boot in BOOTS {
        if !drawn.is_empty() {
            drawn.push(' ');
        }
        for _ in boot {
            number += 1;
            drawn.push(match number.cmp(&at) {
                std::cmp::Ordering::Less => DONE,
                std::cmp::Ordering::Equal => here,
                std::cmp::Ordering::Greater => AHEAD,
            });
        }
    }
    drawn
}

/// Counted from 1 over all boots; 0 before the first, and for a stage that this client does not know.
fn position(stage: &StageName) -> usize {
    let mut stages = BOOTS.iter().copied().flatten();
    stages.position(|known| known == stage).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use thirdboot_api::control::FailedView;

    use super::*;

    fn run(stage: &str) -> RunView {
        serde_json::from_value(serde_json::json!({"number": 1, "stage": stage, "entered_at": "2026-09-01T12:00:00Z"}))
            .unwrap()
    }

    #[test]
    fn a_run_is_drawn_from_armed_to_ready() {
        for (stage, drawn) in [
            ("armed", "···· ··· ····"),
            ("netbooting", "▶··· ··· ····"),
            ("installed", "■■■▶ ··· ····"),
            ("layering", "■■■■ ■▶· ····"),
            ("joining", "■■■■ ■■■ ■■▶·"),
            ("ready", "■■■■ ■■■ ■■■■"),
            ("defrosting", "···· ··· ····"),
        ] {
            assert_eq!(boots(&run(stage)), drawn, "{stage}");
        }
    }

    #[test]
    fn a_stall_and_an_end_show_where() {
        let stalled = RunView {
            stalled: true,
            ..run("live")
        };
        assert_eq!(boots(&stalled), "■!·· ··· ····");
        let ended = FailedView {
            stage: StageName::Layering,
            cause: String::new(),
        };
        let failed = RunView {
            failed: Some(ended),
            ..run("failed")
        };
        assert_eq!(boots(&failed), "■■■■ ■✗· ····");
    }
}
