//! What goes wrong, in words.

use super::page::{percent, short};
use crate::scenario::{
    schema::{OutageKind, Scenario},
    time_of_day::TimeOfDay,
};

/// Everything that goes wrong by chance and is switched on.
pub(super) fn chances(scenario: &Scenario) -> Vec<String> {
    let (users, errors, crashes) = (&scenario.users, &scenario.errors, &scenario.crashes);
    let callbacks = &scenario.callbacks;
    let (database, llm, messenger) = (&scenario.database, &scenario.llm, &scenario.messenger);
    let database_slow = format!("of database calls take {} s", short(database.slow_s));
    let llm_slow = format!("of the language model's answers take {} s", short(llm.slow_s));
    let cancel =
        format!("of jobs: the user asks to cancel, after {} s on average", short(users.cancel_after_s));
    let in_call = format!("of calls end their process, which comes back after {} s", short(crashes.down_s));
    let shares = [
        (users.double_tap, "of orders are confirmed twice within a second"),
        (users.repeated_order, "of orders are placed a second time out of impatience"),
        (users.no_credits, "of orders are tried without enough credits"),
        (users.cancel, &cancel),
        (errors.temporary, "of tasks fail by the provider's own fault"),
        (errors.unknown, "of tasks fail with words nobody has seen"),
        (errors.user_violation, "of orders: the photo is refused seconds after the task was taken"),
        (errors.user_violation_at_once, "of orders: the photo is refused by createTask"),
        (errors.user_violation_late, "of tasks: the finished clip resembles something protected"),
        (errors.rate_limited, "of submissions are refused as too fast"),
        (errors.billing, "of submissions are refused for want of credits, although there are some"),
        (errors.answer_lost, "of createTask answers never come, although the task exists"),
        (errors.answer_cut, "of createTask answers break off"),
        (errors.gateway_page, "of calls to the provider are answered with a gateway's page"),
        (errors.never_ends, "of tasks never end"),
        (errors.no_result, "of tasks succeed without a result"),
        (errors.dead_link, "of results have a dead address at first"),
        (errors.unseen, "of tasks are unknown to the lookup for up to 90 s"),
        (errors.strange_state, "of tasks are in a state nobody has documented"),
        (callbacks.lost, "of the provider's callbacks never come"),
        (callbacks.early, "of callbacks come half-way to the task's end, and not again"),
        (callbacks.duplicate, "of callbacks come twice"),
        (callbacks.forged, "of callbacks are preceded by a forged one"),
        (crashes.in_call, &in_call),
        (database.lost_before_commit, "of database calls lose their connection before the commit"),
        (database.lost_after_commit, "of database calls lose their connection after the commit"),
        (database.slow, &database_slow),
        (llm.fails, "of the language model's answers are errors"),
        (llm.empty, "of the language model's answers are empty"),
        (llm.refuses, "of the language model's answers are refusals"),
        (llm.slow, &llm_slow),
        (messenger.fails, "of messages are not sent at the first try"),
        (messenger.answer_lost, "of messages arrive without a confirmation"),
        (messenger.blocked, "of users have blocked the bot"),
    ];
    let mut told: Vec<_> = shares
        .into_iter()
        .filter(|(share, _)| *share > 0.0)
        .map(|(share, what)| format!("{} {what}", percent(share)))
        .collect();
    if crashes.per_hour > 0.0 {
        told.push(format!(
            "each process is killed {} times an hour and comes back after {} s",
            short(crashes.per_hour),
            short(crashes.down_s)
        ));
    }
    told
}

/// Everything that goes wrong at a time, in the order of the day.
pub(super) fn timeline(scenario: &Scenario) -> Vec<(TimeOfDay, String)> {
    let mut told: Vec<_> = scenario
        .outages
        .iter()
        .map(|outage| {
            let (what, of) = outage_in_words(outage.what);
            let share = if outage.share < 1.0 {
                format!(" ({} of {of})", percent(outage.share))
            } else {
                String::new()
            };
            let whose =
                outage.account.as_ref().map_or_else(String::new, |name| format!(", account {name} only"));
            let what = match &outage.model {
                Some(model) => format!("model {model} is paused"),
                None => what.to_owned(),
            };
            (outage.at, format!("for {} minutes: {what}{share}{whose}", short(outage.minutes)))
        })
        .collect();
    told.extend(scenario.kills.iter().map(|kill| {
        let which = kill.process.map_or_else(|| "every process is".to_owned(), |n| format!("process {n} is"));
        (kill.at, format!("{which} killed and comes back after {} s", short(kill.down_s)))
    }));
    told.sort_by_key(|(at, _)| *at);
    told
}

const fn outage_in_words(kind: OutageKind) -> (&'static str, &'static str) {
    match kind {
        OutageKind::Maintenance => ("createTask refuses, the provider is in maintenance", "calls"),
        OutageKind::Gateway => ("every call is answered by a gateway's page", "calls"),
        OutageKind::Silent => ("createTask makes tasks and never answers", "calls"),
        OutageKind::RendersFail => ("tasks created meanwhile fail", "renders"),
        OutageKind::NoCredits => ("accounts cannot pay", "calls"),
        OutageKind::KeysRefused => ("keys are not accepted", "calls"),
        OutageKind::TooFast => ("createTask refuses everything as too fast", "calls"),
        OutageKind::ModelPaused => ("every model is paused", "calls"),
    }
}
