use std::sync::Arc;

use domain::{
    failure::Reason,
    id::{AttemptId, TaskId},
    job::{Event, OpenAttempt, State, Step, apply},
    time::Timestamp,
};
use ports::{AfterStep, ErrorKind, JobStore, MockJobStore, PortError};

use super::*;
use crate::fixtures::{self, START};

const ATTEMPT: AttemptId = AttemptId::new(5);

fn step(state: State, event: Event, at: Timestamp) -> Step {
    let policy = fixtures::policy();
    let rules = policy.rules(&policy.models.default_model().id);
    apply(&fixtures::leased(state).job, event, &rules, at).unwrap()
}

fn open() -> State {
    State::Submitting { open: Some(OpenAttempt { id: ATTEMPT, key: fixtures::key("k1"), sent_at: START }) }
}

fn rendering() -> State {
    let task = TaskId::new("t").unwrap();
    State::Rendering { attempt: ATTEMPT, key: fixtures::key("k1"), task, since: START }
}

fn late() -> Timestamp {
    START.after(std::time::Duration::from_secs(1_000))
}

#[test]
fn each_decision_is_counted_by_what_was_stored() {
    let metrics = Metrics::new();
    let task = TaskId::new("t").unwrap();
    let attempt = ATTEMPT;
    let refused = |reason: Reason| Event::Refused { attempt, failure: reason.into() };
    for (state, event, at) in [
        (open(), Event::Accepted { attempt, task: task.clone() }, START),
        (open(), Event::AnswerMissing { attempt }, START),
        (open(), Event::AnswerMissing { attempt }, late()),
        (open(), refused(Reason::Nudity), START),
        (open(), refused(Reason::ProviderFault), START),
        (open(), refused(Reason::AccountCredits), START),
        (rendering(), Event::NotReady { attempt }, START),
        (rendering(), Event::Rendered { attempt, url: "https://h/v.mp4".to_owned() }, START),
        (State::Queued, Event::CancelRequested, START),
    ] {
        metrics.stored(&step(state, event, at));
    }
    metrics.adopted(&step(open(), Event::Adopted { attempt, task }, late()));
    metrics.heard(Heard::Adopted);
    metrics.callback("forged");
    let page = metrics.page(Some(&Census { by_state: vec![(StateName::Rendering, 3)], due: 2 }));
    for line in [
        r#"kadr_attempts_total{status="running"} 2"#,
        r#"kadr_attempts_total{status="adopted"} 1"#,
        r#"kadr_attempts_total{status="lost"} 1"#,
        r#"kadr_attempts_total{status="unanswered"} 1"#,
        "kadr_double_submissions_total 1",
        r#"kadr_failures_total{class="USER_VIOLATION",reason="nudity"} 1"#,
        r#"kadr_refunds_total{cause="violation"} 1"#,
        "kadr_retries_total 1",
        r#"kadr_cooled_keys_total{cause="billing"} 1"#,
        "kadr_looks_total 2",
        "kadr_cancelled_total 1",
        r#"kadr_callbacks_total{result="adopted"} 1"#,
        r#"kadr_callbacks_total{result="forged"} 1"#,
        r#"kadr_jobs{state="rendering"} 3"#,
        "kadr_due_jobs 2",
    ] {
        assert!(page.lines().any(|found| found.eq_ignore_ascii_case(line)), "{line}\n{page}");
    }
}

#[tokio::test]
async fn what_was_not_stored_is_not_counted() {
    let mut jobs = MockJobStore::new();
    jobs.expect_store_step()
        .returning(|_, _, _, _, _| Err(PortError::new(ErrorKind::Conflict, "the lease is lost")));
    let metrics = Arc::new(Metrics::new());
    let counted = CountedJobs::new(Arc::new(jobs), Arc::clone(&metrics));
    let step = step(rendering(), Event::NotReady { attempt: ATTEMPT }, START);
    let lease = fixtures::leased(rendering()).lease;
    counted.store_step(lease, &step, AfterStep::Release, None, START).await.unwrap_err();
    assert!(metrics.page(None).contains("kadr_looks_total 0"));
}
