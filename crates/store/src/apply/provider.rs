//! What a provider says of a machine.

use jiff::Timestamp;
use thirdboot_lifecycle::{DeviceId, Observed, PowerStep, ProviderEvent, ProviderLook, RunNumber, Trouble, wanted};

use super::{Applied, Change, entry};
use crate::{Actor, Answer, HostState, LogEntry, SubmitError};

/// Observed, and told in the log: each event once, a run's power request, and trouble when it begins, changes and ends.
/// Requests that follow one that was declined are told of only where the trouble is another one.
pub(super) fn looked(state: &HostState, device: &DeviceId, look: &ProviderLook, now: Timestamp) -> Applied {
    if state
        .host
        .provider
        .as_ref()
        .is_none_or(|provider| provider.device != *device)
    {
        return Applied::refuse(SubmitError::NotNow(format!(
            "the host does not name the machine {device} any more"
        )));
    }
    let before = state.observed.as_ref();
    let known = before.and_then(|before| before.provider.as_ref());
    if let Some(PowerStep::Asks(run)) = look.power {
        // A hold, or the machine's own word, may have come since somebody meant to ask.
        let due = wanted(&state.host, state.run.as_ref(), now).power_due(known);
        if due.is_none_or(|(due, _)| due != run) {
            return Applied::refuse(SubmitError::NotNow(format!(
                "the power of run {run} is not to be asked for now"
            )));
        }
    }
    let (observed, events) = Observed::at_provider(before, look, now);
    let mut log: Vec<LogEntry> = events.iter().map(|event| line(state, &told(event))).collect();
    let trouble = |observed: &Observed| observed.provider.as_ref().and_then(|provider| provider.trouble.clone());
    let (was, is) = (before.and_then(trouble), trouble(&observed));
    let kind = |trouble: &Option<Trouble>| trouble.as_ref().map(|trouble| trouble.kind);
    let is_other = kind(&was) != kind(&is);
    let was_declined = |run: RunNumber| known.is_some_and(|known| known.declined == Some(run));
    if let Some(step) = look.power.filter(|step| match step {
        PowerStep::Took(_) => true,
        PowerStep::Asks(run) | PowerStep::Declined(run) => is_other || !was_declined(*run),
    }) {
        log.push(line(state, &power(step)));
    }
    if is_other {
        let says = is.map_or_else(
            || "all is well again at the provider".to_owned(),
            |trouble| format!("trouble at the provider ({}): {}", trouble.kind.as_str(), trouble.says),
        );
        log.push(line(state, &says));
    }
    let is_news = !log.is_empty() || before != Some(&observed);
    Applied {
        change: Change {
            observed: is_news.then_some(observed),
            log,
            ..Change::default()
        },
        answer: Ok(Answer::Done),
    }
}

fn power(step: PowerStep) -> String {
    match step {
        PowerStep::Asks(run) => format!("the provider is being asked for the power of run {run}"),
        PowerStep::Took(run) => format!("the provider took the power request of run {run}"),
        PowerStep::Declined(run) => format!("the provider did not take the power request of run {run}"),
    }
}

fn told(event: &ProviderEvent) -> String {
    format!("{} at {}", event.says, event.at)
}

fn line(state: &HostState, says: &str) -> LogEntry {
    LogEntry {
        message: Some(says.to_owned()),
        ..entry("provider", Actor::Server, state.run.as_ref())
    }
}
