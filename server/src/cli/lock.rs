//! `thirdboot lock …`: who may be disrupted, who waits, and how groups update.

use clap::{ArgGroup, Args, Subcommand};
use jiff::Timestamp;
use thirdboot_api::control::{
    LockGroupSpec, LockGroupView, LockPlaceView, RebootWindow, ReleaseLockBody, UpdatePolicy,
};

use super::ttl::Ttl;
use super::{Connection, EXIT_CODES, Failure, now, table};

/// Reboot locks, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct LockCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List who holds a lock and who waits, in the order of their turns.
    List,
    /// Give a host's lock back, or take it out of those that wait. Look at the machine first: others may reboot then.
    Release {
        /// The host's name.
        host: String,
        /// Why, for the log.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Show and set what a group may do.
    #[command(subcommand)]
    Group(Group),
}

#[derive(Debug, Subcommand)]
enum Group {
    /// Show a group.
    Show {
        /// Its name: `<cluster>.<role>`, or the role of hosts in no cluster.
        name: String,
    },
    /// Change a group's settings; what is left out stays. Needs the role admin.
    Set(Set),
    /// Go back to a group's built-in settings. Needs the role admin.
    Reset {
        /// Its name.
        name: String,
    },
}

#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true)
    .args(["slots", "policy", "window", "no_window", "monthly", "no_monthly", "drain", "limit", "no_limit"]))]
struct Set {
    /// Its name: `<cluster>.<role>`, or the role of hosts in no cluster.
    name: String,
    /// Hosts that may be disrupted at once.
    #[arg(long)]
    slots: Option<u16>,
    /// How its hosts update: off, locked (whenever there is an update, under the lock) or window (in the window, without
    /// a lock). They get it when they are armed the next time; until then what it does not allow is refused.
    #[arg(long, value_parser = policy)]
    policy: Option<UpdatePolicy>,
    /// Days, start in UTC and length in minutes, for the policy window and the monthly reboot, such as
    /// `sat,sun 03:30 120`.
    #[arg(long, value_name = "WINDOW", value_parser = window)]
    window: Option<RebootWindow>,
    /// No window.
    #[arg(long, conflicts_with = "window")]
    no_window: bool,
    /// Reboot its hosts once a month, in the window and under the lock.
    #[arg(long)]
    monthly: bool,
    /// No monthly reboot.
    #[arg(long, conflicts_with = "monthly")]
    no_monthly: bool,
    /// How long a drain may take.
    #[arg(long, value_name = "TIME")]
    drain: Option<Ttl>,
    /// After how long a held lock is an alert.
    #[arg(long, value_name = "TIME")]
    limit: Option<Ttl>,
    /// The fleet's limit (`thirdboot settings deadlines`).
    #[arg(long, conflicts_with = "limit")]
    no_limit: bool,
}

/// What is said when a change does not reach the hosts that are there.
const INSTALLED: &str = "\nHosts that are installed keep their policy, window and monthly timer until they are armed again. What they ask for \
    and this group no longer allows is refused from now on; what it newly allows they do not ask for.\n";

/// Whether a change is about what stands in installed systems.
fn is_installed_otherwise(before: &LockGroupSpec, now: &LockGroupSpec) -> bool {
    (before.policy, &before.window, before.monthly) != (now.policy, &now.window, now.monthly)
}

impl LockCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (client, output) = (self.connection.client()?, &self.connection.output);
        let (before, group) = match self.action {
            Action::List => {
                let groups = client.locks().await?.items;
                return output.print(&groups, || listed(&groups, output.columns(), now()));
            }
            Action::Release { host, reason } => {
                let place = client.release_lock(&host, &ReleaseLockBody { reason }).await?;
                return output.print(&place, || format!("{host}: its reboot lock is released\n"));
            }
            Action::Group(Group::Show { name }) => {
                let group = client.lock_group(&name).await?;
                return output.print(&group, || shown(&group, output.columns(), now()));
            }
            Action::Group(Group::Reset { name }) => {
                let before = client.lock_group(&name).await?;
                let group = client.reset_lock_group(&name, &before.etag).await?;
                (before, group)
            }
            Action::Group(Group::Set(set)) => {
                let before = client.lock_group(&set.name).await?;
                let spec = set.change(before.settings.clone())?;
                let group = client.put_lock_group(&set.name, &spec, &before.etag).await?;
                (before, group)
            }
        };
        let note = if is_installed_otherwise(&before.settings, &group.settings) {
            INSTALLED
        } else {
            ""
        };
        output.print(&group, || shown(&group, output.columns(), now()) + note)
    }
}

impl Set {
    fn change(&self, mut spec: LockGroupSpec) -> Result<LockGroupSpec, Failure> {
        let seconds = |time: Ttl| {
            u32::try_from(time.seconds).map_err(|_| Failure::Usage(format!("{} s is too long", time.seconds)))
        };
        spec.slots = self.slots.unwrap_or(spec.slots);
        spec.policy = self.policy.unwrap_or(spec.policy);
        if self.window.is_some() || self.no_window {
            spec.window.clone_from(&self.window);
        }
        if self.monthly || self.no_monthly {
            spec.monthly = self.monthly;
        }
        if let Some(drain) = self.drain {
            spec.drain_s = seconds(drain)?;
        }
        if self.limit.is_some() || self.no_limit {
            spec.limit_s = self.limit.map(seconds).transpose()?;
        }
        Ok(spec)
    }
}

fn policy(text: &str) -> Result<UpdatePolicy, String> {
    [UpdatePolicy::Off, UpdatePolicy::Locked, UpdatePolicy::Window]
        .into_iter()
        .find(|policy| policy.as_str() == text)
        .ok_or_else(|| format!("{text:?} is no policy: expected off, locked or window"))
}

/// Whether days and start make sense, the server says.
fn window(text: &str) -> Result<RebootWindow, String> {
    let expected =
        || format!("{text:?} is no window: expected days, start (UTC) and minutes, such as `sat,sun 03:30 120`");
    let [days, start, length] = text.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(expected());
    };
    Ok(RebootWindow {
        days: days.split(',').map(str::to_lowercase).collect(),
        start: start.to_owned(),
        length_minutes: length.parse().map_err(|_| expected())?,
    })
}

fn listed(groups: &[LockGroupView], columns: Option<u16>, now: Timestamp) -> String {
    if groups
        .iter()
        .all(|group| group.holders.is_empty() && group.waiting.is_empty())
    {
        return "nobody holds a reboot lock, and nobody waits for one\n".to_owned();
    }
    let mut shown = table::table(
        &["GROUP", "SLOTS", "HOST", "STATE", "SINCE", "ASKED", "FOR", "NOTE"],
        columns,
    );
    for group in groups {
        for (place, turn) in places(group) {
            let slots = format!("{}/{}", group.holders.len(), group.settings.slots);
            let [host, state, since, asked, reason, note] = row(place, turn, now);
            shown.add_row([group.name.clone(), slots, host, state, since, asked, reason, note]);
        }
    }
    table::text(&shown)
}

/// Who holds a slot, then who waits, with the number of its turn.
fn places(group: &LockGroupView) -> impl Iterator<Item = (&LockPlaceView, Option<usize>)> {
    let holders = group.holders.iter().map(|place| (place, None));
    holders.chain(group.waiting.iter().zip(1..).map(|(place, turn)| (place, Some(turn))))
}

fn row(place: &LockPlaceView, turn: Option<usize>, now: Timestamp) -> [String; 6] {
    let state = match turn {
        None => place.state.clone(),
        Some(1) => format!("{}, next", place.state),
        Some(turn) => format!("{}, {turn}.", place.state),
    };
    [
        place.host.clone(),
        state,
        table::age(place.since, now),
        table::age(place.asked_at, now),
        place.reason.clone(),
        place.note.clone().unwrap_or_default(),
    ]
}

fn shown(group: &LockGroupView, columns: Option<u16>, now: Timestamp) -> String {
    let settings = &group.settings;
    let window = settings.window.as_ref().map_or_else(
        || "none".to_owned(),
        |window| {
            format!(
                "{} {} UTC, {} min",
                window.days.join(","),
                window.start,
                window.length_minutes
            )
        },
    );
    let limit = settings
        .limit_s
        .map_or_else(|| "the fleet's".to_owned(), |limit_s| format!("{limit_s} s"));
    let mut text = format!(
        "group    {}\nslots    {} of {} held\npolicy   {}\nwindow   {window}\nmonthly  {}\ndrain    {} s at most\nlimit    {limit}\n",
        group.name,
        group.holders.len(),
        settings.slots,
        settings.policy.as_str(),
        if settings.monthly { "yes" } else { "no" },
        settings.drain_s,
    );
    if !(group.holders.is_empty() && group.waiting.is_empty()) {
        let mut table = table::table(&["HOST", "STATE", "SINCE", "ASKED", "FOR", "NOTE"], columns);
        for (place, turn) in places(group) {
            table.add_row(row(place, turn, now));
        }
        text.push('\n');
        text.push_str(&table::text(&table));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn holders_and_those_who_wait_are_told_in_order() {
        let at = "2026-11-25T12:00:00Z";
        let place = |host: &str, state: &str, note: Option<&str>| json!({"host": host, "state": state, "since": at, "asked_at": at, "reason": "an update", "note": note});
        let group: LockGroupView = serde_json::from_value(json!({"name": "prod.agent", "version": 1,
            "settings": {"slots": 2, "window": {"days": ["sat"], "start": "03:30", "length_minutes": 60}, "monthly": true},
            "holders": [place("a1", "granted", None), place("a2", "reserved", Some("3 pods left to leave its node"))],
            "waiting": [place("a3", "waiting", Some("all 2 slots of prod.agent are held, by a1, a2")),
                place("a4", "waiting", Some("all 2 slots of prod.agent are held, by a1, a2; 1 host waits before it"))]}))
        .unwrap();
        let now = "2026-11-25T12:05:00Z".parse().unwrap();
        insta::assert_snapshot!("list", listed(std::slice::from_ref(&group), None, now));
        insta::assert_snapshot!("group", shown(&group, None, now));
        assert_eq!(
            listed(&[], None, now),
            "nobody holds a reboot lock, and nobody waits for one\n"
        );
    }

    #[test]
    fn a_change_of_slots_needs_no_new_install_and_one_of_the_policy_does() {
        let before = LockGroupSpec::default();
        let slots = LockGroupSpec {
            slots: 3,
            ..before.clone()
        };
        assert!(!is_installed_otherwise(&before, &slots));
        let off = LockGroupSpec {
            policy: UpdatePolicy::Off,
            ..before.clone()
        };
        assert!(is_installed_otherwise(&before, &off));
    }

    #[test]
    fn a_window_is_days_a_start_and_a_length() {
        let read = window("Sat,Sun 03:30 120").unwrap();
        assert_eq!(
            (read.days, read.start.as_str(), read.length_minutes),
            (vec!["sat".into(), "sun".into()], "03:30", 120)
        );
        for bad in ["", "sat", "sat 03:30", "sat 03:30 long", "sat 03:30 1 2"] {
            assert!(
                window(bad).unwrap_err().contains("such as `sat,sun 03:30 120`"),
                "{bad}"
            );
        }
    }
}
