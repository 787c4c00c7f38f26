//! `thirdboot settings deadlines`: when silence is too long.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use thirdboot_api::control::{AlertLimitsPatch, Change, DeadlinesPatch, DeadlinesView, StageDeadline};

use super::ttl::Ttl;
use super::{Connection, EXIT_CODES, Failure, table};

/// What holds for every host.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct SettingsCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: SettingsAction,
}

#[derive(Debug, Subcommand)]
enum SettingsAction {
    /// When silence is too long, by stage.
    #[command(subcommand)]
    Deadlines(Deadlines),
}

#[derive(Debug, Subcommand)]
enum Deadlines {
    /// Show what is in force.
    Show,
    /// Set a stage's deadlines, at once and for runs under way. Needs the role admin.
    Set {
        /// The stage, such as installing.
        stage: String,
        /// Without a sign of life for this long the run is marked as stalled.
        #[arg(long, value_name = "TIME")]
        stall: Ttl,
        /// After this long in the stage a stalled run fails; without it never.
        #[arg(long, value_name = "TIME")]
        give_up: Option<Ttl>,
    },
    /// Bring the default of a stage back.
    Reset {
        /// The stage; `alerts` is the limits of alerts.
        stage: String,
    },
    /// Set after how long silence and waiting become an alert.
    Alerts {
        /// Between a reboot and the report of the booted system.
        #[arg(long, value_name = "TIME")]
        not_back: Option<Ttl>,
        /// Of a reboot lock.
        #[arg(long, value_name = "TIME")]
        lock_held: Option<Ttl>,
        /// How long after its last sign a conflict of identifiers is still told.
        #[arg(long, value_name = "TIME")]
        conflict: Option<Ttl>,
    },
}

impl SettingsCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (client, output) = (self.connection.client()?, &self.connection.output);
        let SettingsAction::Deadlines(action) = self.action;
        let deadlines = match patch(action)? {
            None => client.deadlines().await?,
            Some(patch) => client.change_deadlines(&patch).await?,
        };
        output.print(&deadlines, || shown(&deadlines, output.columns()))
    }
}

fn patch(action: Deadlines) -> Result<Option<DeadlinesPatch>, Failure> {
    let seconds =
        |time: Ttl| u32::try_from(time.seconds).map_err(|_| Failure::Usage(format!("{} s is too long", time.seconds)));
    let of_stage = |stage: String, deadline| DeadlinesPatch {
        stages: BTreeMap::from([(stage, deadline)]),
        alerts: Change::None,
    };
    Ok(Some(match action {
        Deadlines::Show => return Ok(None),
        Deadlines::Set { stage, stall, give_up } => {
            let deadline = StageDeadline {
                stall_s: seconds(stall)?,
                give_up_s: give_up.map(seconds).transpose()?,
            };
            of_stage(stage, Some(deadline))
        }
        Deadlines::Reset { stage } if stage == "alerts" => DeadlinesPatch {
            alerts: Change::Reset,
            ..DeadlinesPatch::default()
        },
        Deadlines::Reset { stage } => of_stage(stage, None),
        Deadlines::Alerts {
            not_back,
            lock_held,
            conflict,
        } => DeadlinesPatch {
            alerts: Change::To(AlertLimitsPatch {
                not_back_s: not_back.map(seconds).transpose()?,
                lock_held_s: lock_held.map(seconds).transpose()?,
                conflict_s: conflict.map(seconds).transpose()?,
            }),
            ..DeadlinesPatch::default()
        },
    }))
}

fn shown(deadlines: &DeadlinesView, columns: Option<u16>) -> String {
    let mut shown = table::table(&["STAGE", "STALLS AFTER", "GIVES UP AFTER", "SET"], columns);
    let mark = |is_set: bool| if is_set { "yes" } else { "" };
    // In the order of the three boots, which the answer's map has not.
    let ordered = thirdboot_api::StageName::KNOWN.iter().filter_map(|stage| {
        let name = stage.as_str();
        Some((name, deadlines.stages.get(name)?))
    });
    for (name, deadline) in ordered {
        let give_up = deadline.give_up_s.map_or_else(|| "never".to_owned(), time);
        let is_set = deadlines.set.iter().any(|set| set == name);
        shown.add_row([name, &time(deadline.stall_s), &give_up, mark(is_set)]);
    }
    let alerts = &deadlines.alerts;
    for (name, seconds) in [
        ("alert: not back", alerts.not_back_s),
        ("alert: lock held", alerts.lock_held_s),
        ("alert: conflict, told for", alerts.conflict_s),
    ] {
        shown.add_row([name, &time(seconds), "", mark(deadlines.alerts_set)]);
    }
    table::text(&shown)
}

/// In the largest unit that tells all of it.
fn time(seconds: u32) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_in_force_is_told_in_the_order_of_the_boots() {
        let deadlines = serde_json::from_value(json!({
            "stages": {"armed": {"stall_s": 1800, "give_up_s": null}, "live": {"stall_s": 90, "give_up_s": 7200},
                "first-boot": {"stall_s": 600, "give_up_s": 172_800}},
            "alerts": {"not_back_s": 900, "lock_held_s": 3600, "conflict_s": 86400}, "set": ["live"]
        }))
        .unwrap();
        insta::assert_snapshot!(shown(&deadlines, None));
    }
}
