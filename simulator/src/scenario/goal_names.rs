//! The names of goals: things that have to happen at least once, or a green run has shown nothing.

/// A goal's name, as scenarios list it, and what has happened when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalName {
    /// The word scenarios, reports and campaigns use.
    pub name: &'static str,
    /// What has happened, in one line.
    pub meaning: &'static str,
}

const fn goal(name: &'static str, meaning: &'static str) -> GoalName {
    GoalName { name, meaning }
}

/// Every goal there is.
pub const GOAL_NAMES: &[GoalName] = &[
    goal(
        "temporary_failure_retried",
        "a submission or render failed by the provider's fault and was retried",
    ),
    goal("retries_exhausted_refunded", "every retry failed and the credit came back"),
    goal("user_violation_refunded", "a photo or clip was refused and the credit came back at once"),
    goal(
        "rate_limit_waited",
        "a submission was refused as too fast and the job waited without using up a retry",
    ),
    goal("billing_switched_key", "an account could not pay and the job went on with another key"),
    goal("no_key_left_refunded", "no key could pay or was accepted and the credit came back"),
    goal(
        "lost_answer_resubmitted",
        "a createTask answer was lost and the job was submitted again after its grace",
    ),
    goal("lost_answer_refunded", "createTask answers were lost once too often and the credit came back"),
    goal("lease_expired_and_rescued", "a silent worker's lease ran out and its job was freed"),
    goal("killed_mid_step", "a worker process was killed within a call"),
    goal("late_write_refused", "a worker came back with a lost lease and its write changed nothing"),
    goal("dead_link_exchanged", "a result's address was dead and a fresh one worked"),
    goal("unknown_task_waited", "the lookup did not know a task and the job waited instead of failing"),
    goal("render_gave_up", "a render that never ended was given up"),
    goal("double_tap_deduplicated", "a confirmation was sent twice and ordered once"),
    goal("order_refused_no_credits", "an order beyond the balance was refused"),
    goal("cancelled_before_submission", "a job was cancelled before the provider had it"),
    goal("cancel_refused_too_late", "a cancellation was refused because the provider had the job"),
    goal("recipient_gone_refunded", "the user had blocked the bot and the credit came back"),
    goal("message_retried", "a message was not sent at first and went out later"),
    goal("message_given_up", "a message was given up"),
    goal("prompt_fell_back", "the language model failed and the template's own words were used"),
    goal("commit_answer_lost_survived", "a commit's answer was lost and the step was still stored once"),
    goal("write_lost_retried", "a write was lost before its commit and was tried again"),
    goal("model_unavailable_refunded", "the model was paused and the credit came back"),
    goal("outage_survived", "jobs that met an outage were delivered after it"),
    goal(
        "gateway_page_survived",
        "a call was answered with a gateway's page and its job was still delivered",
    ),
    goal("strange_state_survived", "a task was in an undocumented state and its job was still delivered"),
];

/// Whether there is a goal of this name.
#[must_use]
pub fn is_goal_name(name: &str) -> bool {
    GOAL_NAMES.iter().any(|goal| goal.name == name)
}
