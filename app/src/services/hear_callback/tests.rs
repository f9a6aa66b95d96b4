use domain::{
    job::{Event, OpenAttempt, State, apply},
    prompt::Template,
};
use ports::ErrorKind;

use super::*;
use crate::fixtures::{self, Mocks, START};

const ATTEMPT: AttemptId = AttemptId::new(5);

fn task() -> TaskId {
    TaskId::new("task-1").unwrap()
}

fn open() -> State {
    State::Submitting { open: Some(OpenAttempt { id: ATTEMPT, key: fixtures::key("k1"), sent_at: START }) }
}

fn rendering() -> State {
    State::Rendering { attempt: ATTEMPT, key: fixtures::key("k1"), task: task(), since: START }
}

fn mocks(state: Option<State>) -> Mocks {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    let job = state.map(|state| fixtures::leased(state).job);
    mocks.jobs.expect_job_of_attempt().returning(move |_| Ok(job.clone()));
    mocks
}

async fn heard(mocks: Mocks) -> Heard {
    hear_callback(&mocks.into_ports(), &fixtures::policy(), ATTEMPT, &task()).await.unwrap()
}

#[tokio::test]
async fn a_lost_answers_task_is_adopted() {
    let mut mocks = mocks(Some(open()));
    mocks.jobs.expect_adopt().times(1).returning(|attempt, task, rules, now| {
        let event = Event::Adopted { attempt, task: task.clone() };
        Ok(Adoption::Adopted(Box::new(apply(&fixtures::leased(open()).job, event, rules, now).unwrap())))
    });
    mocks.jobs.expect_hasten().never();
    assert_eq!(heard(mocks).await, Heard::Adopted);
}

#[tokio::test]
async fn what_is_not_adopted_is_hastened_or_changes_nothing() {
    for (hastening, said) in [
        (Hastening::Hastened, Heard::Hastened),
        (Hastening::AlreadyDue, Heard::AlreadyDue),
        (Hastening::NotRendering, Heard::Unmatched),
    ] {
        for adoption in [Adoption::Already, Adoption::Refused] {
            // What was read may be older than what the store decides on: only the store's word counts.
            for state in [open(), rendering()] {
                let mut mocks = mocks(Some(state));
                let adoption = adoption.clone();
                mocks.jobs.expect_adopt().returning(move |_, _, _, _| Ok(adoption.clone()));
                mocks.jobs.expect_hasten().times(1).returning(move |_, _, _| Ok(hastening));
                assert_eq!(heard(mocks).await, said);
            }
        }
    }
}

#[tokio::test]
async fn a_callback_for_nobody_or_for_a_finished_job_asks_the_store_for_nothing_more() {
    for state in [None, Some(State::Done { at: START })] {
        let mut mocks = mocks(state);
        mocks.jobs.expect_adopt().never();
        mocks.jobs.expect_hasten().never();
        assert_eq!(heard(mocks).await, Heard::Unmatched);
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_to_the_caller() {
    let mut mocks = mocks(Some(open()));
    mocks
        .jobs
        .expect_adopt()
        .returning(|_, _, _, _| Err(PortError::new(ErrorKind::AnswerLost, "the connection broke")));
    let ports = mocks.into_ports();
    let error = hear_callback(&ports, &fixtures::policy(), ATTEMPT, &task()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AnswerLost);
}
