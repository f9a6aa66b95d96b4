//! What goes wrong by chance.

use super::Checks;
use crate::scenario::schema::Scenario;

pub(super) fn check(scenario: &Scenario, checks: &mut Checks) {
    let errors = &scenario.errors;
    // A task has one fate, a createTask call one answer, and a photo is refused once.
    checks.shares(
        "errors",
        "tasks",
        &[
            ("temporary", errors.temporary),
            ("unknown", errors.unknown),
            ("user_violation_late", errors.user_violation_late),
            ("never_ends", errors.never_ends),
            ("no_result", errors.no_result),
            ("dead_link", errors.dead_link),
            ("unseen", errors.unseen),
            ("strange_state", errors.strange_state),
        ],
    );
    checks.shares(
        "errors",
        "createTask calls",
        &[
            ("rate_limited", errors.rate_limited),
            ("billing", errors.billing),
            ("answer_lost", errors.answer_lost),
            ("answer_cut", errors.answer_cut),
            ("gateway_page", errors.gateway_page),
        ],
    );
    checks.shares(
        "errors",
        "photos",
        &[
            ("user_violation", errors.user_violation),
            ("user_violation_at_once", errors.user_violation_at_once),
        ],
    );
    let callbacks = &scenario.callbacks;
    checks.shares("callbacks", "callbacks", &[("lost", callbacks.lost), ("early", callbacks.early)]);
    checks.share("callbacks.duplicate", callbacks.duplicate);
    checks.share("callbacks.forged", callbacks.forged);
    checks.time("callbacks.late_s", callbacks.late_s);
    let shares = callbacks.lost + callbacks.early + callbacks.duplicate + callbacks.forged;
    if !callbacks.heard && shares > 0.0 {
        checks.wrong(
            "callbacks.heard",
            "something goes wrong with callbacks, and this says there are none: write true",
        );
    }
    let database = &scenario.database;
    checks.shares(
        "database",
        "calls",
        &[
            ("lost_before_commit", database.lost_before_commit),
            ("lost_after_commit", database.lost_after_commit),
            ("slow", database.slow),
        ],
    );
    slow("database.slow_s", database.slow, database.slow_s, checks);
    let llm = &scenario.llm;
    checks.shares(
        "llm",
        "calls",
        &[("fails", llm.fails), ("empty", llm.empty), ("refuses", llm.refuses), ("slow", llm.slow)],
    );
    slow("llm.slow_s", llm.slow, llm.slow_s, checks);
    let messenger = &scenario.messenger;
    checks.shares(
        "messenger",
        "messages",
        &[("fails", messenger.fails), ("answer_lost", messenger.answer_lost)],
    );
    checks.share("messenger.blocked", messenger.blocked);
}

fn slow(key: &str, share: f64, seconds: f64, checks: &mut Checks) {
    checks.time(key, seconds);
    if share > 0.0 && seconds == 0.0 {
        checks.wrong(key, "some calls are slow, and this says they take no time: write seconds");
    }
}
