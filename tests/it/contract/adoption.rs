//! Tasks that show themselves from outside a lease, and looks that are hastened.

use domain::{
    id::{AttemptId, TaskId},
    job::{AttemptStatus, Event, State, StateName, Step, apply},
    order::Quantity,
    time::Timestamp,
};
use ports::{Adoption, AfterStep, ErrorKind, Hastening, LeasedJob, Topic};

use super::laws;
use crate::{
    make::{at, roster, rules, s},
    stores::Stores,
};

laws![
    an_open_attempt_adopts_its_task_and_is_looked_at_at_once,
    a_task_is_adopted_once_however_often_it_shows_itself,
    an_adoption_beats_the_worker_that_waits_for_the_answer,
    an_answer_that_was_stored_first_leaves_nothing_to_adopt,
    an_adoption_and_the_answer_at_the_same_moment_leave_one_task,
    a_late_workers_task_is_adopted_after_its_rescue,
    a_written_off_attempt_adopts_nothing,
    a_task_of_another_attempt_is_not_adopted,
    a_stranger_changes_nothing,
    a_hastened_look_is_due_now_and_never_later,
    a_job_in_a_workers_hands_is_not_hastened,
    only_the_task_that_renders_is_hastened,
    an_adoption_and_a_hastened_look_ring_the_bell,
    unfinished_jobs_are_counted_by_state,
];

const ATTEMPT: AttemptId = AttemptId::new(7);

fn task(name: &str) -> TaskId {
    TaskId::new(name).unwrap()
}

async fn adopt(stores: &Stores, attempt: AttemptId, name: &str, now: Timestamp) -> Adoption {
    stores.jobs.adopt(attempt, &task(name), &rules(), now).await.unwrap()
}

async fn hasten(stores: &Stores, name: &str, now: Timestamp) -> Hastening {
    stores.jobs.hasten(ATTEMPT, &task(name), now).await.unwrap()
}

/// A job whose attempt is open, in the hands of the worker that sent it.
async fn sent(stores: &Stores, order: u8, attempt: AttemptId) -> LeasedJob {
    stores.order(order, Quantity::One, at(0)).await;
    let leased = stores.until_submitting(at(0)).await;
    let step = stores.jobs.open_attempt(&leased, attempt, &roster(), &rules(), at(0)).await.unwrap();
    LeasedJob { job: step.job, lease: leased.lease }
}

/// The same, after the answer was missed and the lease let go.
async fn unanswered(stores: &Stores) -> LeasedJob {
    let sent = sent(stores, 1, ATTEMPT).await;
    stores.step(&sent, Event::AnswerMissing { attempt: ATTEMPT }, at(1)).await.unwrap();
    sent
}

async fn state_of(stores: &Stores, leased: &LeasedJob) -> State {
    stores.jobs.job(leased.job.id).await.unwrap().unwrap().job.state
}

fn renders(state: &State, name: &str) -> bool {
    matches!(state, State::Rendering { .. }) && state.has_task(ATTEMPT, &task(name))
}

async fn an_open_attempt_adopts_its_task_and_is_looked_at_at_once(stores: Stores) {
    let sent = unanswered(&stores).await;
    assert!(stores.claim(1, at(60)).await.is_empty(), "the answer is waited for");
    let Adoption::Adopted(step) = adopt(&stores, ATTEMPT, "t1", at(60)).await else { panic!("not adopted") };
    assert!(renders(&step.job.state, "t1"));
    let claimed = stores.claim_one(at(60)).await;
    assert_eq!(claimed.job, step.job);
    let State::Rendering { since, .. } = claimed.job.state else { panic!("{:?}", claimed.job.state) };
    assert_eq!(since, at(0), "it runs since it was sent");
    let attempt = stores.jobs.attempts(sent.job.id).await.unwrap().remove(0);
    assert_eq!((attempt.status, attempt.task), (AttemptStatus::Running, Some(task("t1"))));
    assert_eq!(claimed.job.lost_answers, 0);
    stores.assert_audit_is_clean().await;
}

async fn a_task_is_adopted_once_however_often_it_shows_itself(stores: Stores) {
    let sent = unanswered(&stores).await;
    assert!(matches!(adopt(&stores, ATTEMPT, "t1", at(60)).await, Adoption::Adopted(_)));
    assert_eq!(adopt(&stores, ATTEMPT, "t1", at(61)).await, Adoption::Already);
    assert_eq!(adopt(&stores, ATTEMPT, "t2", at(61)).await, Adoption::Refused);
    assert!(renders(&state_of(&stores, &sent).await, "t1"));
}

/// The step that the worker would store.
fn answer(sent: &LeasedJob, event: Event) -> Step {
    apply(&sent.job, event, &rules(), at(2)).unwrap()
}

async fn an_adoption_beats_the_worker_that_waits_for_the_answer(stores: Stores) {
    for (order, event) in [
        (1, Event::Accepted { attempt: ATTEMPT, task: task("t1") }),
        (2, Event::AnswerMissing { attempt: AttemptId::new(8) }),
    ] {
        let attempt = AttemptId::new(u128::from(order) + 6);
        let sent = sent(&stores, order, attempt).await;
        let name = format!("t{order}");
        assert!(matches!(adopt(&stores, attempt, &name, at(1)).await, Adoption::Adopted(_)));
        let step = answer(&sent, event);
        let late = stores.jobs.store_step(sent.lease, &step, AfterStep::Release, None, at(2)).await;
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(adopt(&stores, attempt, &name, at(2)).await, Adoption::Already, "which is no news");
        assert_eq!(stores.jobs.attempts(sent.job.id).await.unwrap().len(), 1);
        // Out of the next one's way.
        stores.claim_one(at(2)).await;
    }
}

async fn an_answer_that_was_stored_first_leaves_nothing_to_adopt(stores: Stores) {
    let sent = sent(&stores, 1, ATTEMPT).await;
    stores.step(&sent, Event::Accepted { attempt: ATTEMPT, task: task("t1") }, at(1)).await.unwrap();
    let before = state_of(&stores, &sent).await;
    assert_eq!(adopt(&stores, ATTEMPT, "t1", at(2)).await, Adoption::Already);
    assert_eq!(state_of(&stores, &sent).await, before);
}

async fn an_adoption_and_the_answer_at_the_same_moment_leave_one_task(stores: Stores) {
    let sent = sent(&stores, 1, ATTEMPT).await;
    let step = answer(&sent, Event::Accepted { attempt: ATTEMPT, task: task("t1") });
    let (adopted, stored) = tokio::join!(
        adopt(&stores, ATTEMPT, "t1", at(2)),
        stores.jobs.store_step(sent.lease, &step, AfterStep::Release, None, at(2)),
    );
    match stored {
        Ok(()) => assert_eq!(adopted, Adoption::Already),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(matches!(adopted, Adoption::Adopted(_)), "{adopted:?}");
        }
    }
    assert!(renders(&state_of(&stores, &sent).await, "t1"));
    assert_eq!(stores.jobs.attempts(sent.job.id).await.unwrap().len(), 1);
    stores.assert_audit_is_clean().await;
}

async fn a_late_workers_task_is_adopted_after_its_rescue(stores: Stores) {
    let sent = sent(&stores, 1, ATTEMPT).await;
    assert_eq!(stores.jobs.rescue_dead(at(46)).await.unwrap(), [sent.job.id]);
    let other = stores.claim_one(at(120)).await;
    let step = answer(&sent, Event::Accepted { attempt: ATTEMPT, task: task("t1") });
    let late = stores.jobs.store_step(sent.lease, &step, AfterStep::Release, None, at(121)).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(matches!(adopt(&stores, ATTEMPT, "t1", at(121)).await, Adoption::Adopted(_)));
    let lost = stores.step(&other, Event::AnswerMissing { attempt: ATTEMPT }, at(122)).await;
    assert_eq!(
        lost.unwrap_err().kind(),
        ErrorKind::Conflict,
        "whoever was about to give it up comes too late"
    );
    assert!(renders(&state_of(&stores, &sent).await, "t1"));
}

async fn a_written_off_attempt_adopts_nothing(stores: Stores) {
    let sent = unanswered(&stores).await;
    let grace = at(0).after(rules().retry.lost_answer_grace);
    let again = stores.claim_one(grace).await;
    stores.step(&again, Event::AnswerMissing { attempt: ATTEMPT }, grace).await.unwrap();
    assert_eq!(adopt(&stores, ATTEMPT, "t1", grace).await, Adoption::Refused);
    assert_eq!(state_of(&stores, &sent).await, State::Submitting { open: None });
    assert_eq!(stores.jobs.attempts(sent.job.id).await.unwrap()[0].task, None);
}

async fn a_task_of_another_attempt_is_not_adopted(stores: Stores) {
    stores.order(9, Quantity::One, at(0)).await;
    stores.until_rendering(90, at(0)).await;
    let sent = unanswered(&stores).await;
    assert_eq!(adopt(&stores, ATTEMPT, "t1", at(2)).await, Adoption::Refused, "it is somebody else's video");
    assert!(matches!(state_of(&stores, &sent).await, State::Submitting { open: Some(_) }));
}

async fn a_stranger_changes_nothing(stores: Stores) {
    let sent = unanswered(&stores).await;
    let before = stores.jobs.job(sent.job.id).await.unwrap();
    let nobody = AttemptId::new(99);
    assert_eq!(adopt(&stores, nobody, "t1", at(2)).await, Adoption::Refused);
    assert_eq!(stores.jobs.hasten(nobody, &task("t1"), at(2)).await.unwrap(), Hastening::NotRendering);
    assert_eq!(stores.jobs.job_of_attempt(nobody).await.unwrap(), None);
    assert_eq!(stores.jobs.job_of_attempt(ATTEMPT).await.unwrap().unwrap().id, sent.job.id);
    assert_eq!(stores.jobs.job(sent.job.id).await.unwrap(), before);
}

async fn a_hastened_look_is_due_now_and_never_later(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.until_rendering(ATTEMPT.value(), at(0)).await;
    assert!(stores.claim(1, at(10)).await.is_empty());
    assert_eq!(hasten(&stores, "t1", at(10)).await, Hastening::Hastened);
    assert_eq!(hasten(&stores, "t1", at(20)).await, Hastening::AlreadyDue);
    assert_eq!(stores.claim(1, at(10)).await.len(), 1, "due since the first callback");
}

async fn a_job_in_a_workers_hands_is_not_hastened(stores: Stores) {
    stores.order(1, Quantity::One, at(0)).await;
    stores.until_rendering(ATTEMPT.value(), at(0)).await;
    let looking = stores.claim_one(at(30)).await;
    assert_eq!(hasten(&stores, "t1", at(30)).await, Hastening::AlreadyDue);
    stores.step(&looking, Event::NotReady { attempt: ATTEMPT }, at(31)).await.unwrap();
}

async fn only_the_task_that_renders_is_hastened(stores: Stores) {
    let sent = unanswered(&stores).await;
    assert_eq!(hasten(&stores, "t1", at(2)).await, Hastening::NotRendering, "nothing renders yet");
    adopt(&stores, ATTEMPT, "t1", at(3)).await;
    assert_eq!(hasten(&stores, "t2", at(3)).await, Hastening::NotRendering);
    let leased = stores.claim_one(at(3)).await;
    let url = "https://h/v.mp4".to_owned();
    stores.step(&leased, Event::Rendered { attempt: ATTEMPT, url }, at(4)).await.unwrap();
    assert_eq!(hasten(&stores, "t1", at(4)).await, Hastening::NotRendering, "it is being delivered");
    let leased = stores.claim_one(at(4)).await;
    stores.step(&leased, Event::Delivered { attempt: ATTEMPT }, at(5)).await.unwrap();
    assert_eq!(hasten(&stores, "t1", at(5)).await, Hastening::NotRendering, "it is over");
    assert_eq!(adopt(&stores, ATTEMPT, "t1", at(5)).await, Adoption::Refused);
    assert_eq!(state_of(&stores, &sent).await, State::Done { at: at(5) });
    stores.assert_audit_is_clean().await;
}

async fn an_adoption_and_a_hastened_look_ring_the_bell(stores: Stores) {
    unanswered(&stores).await;
    stores.jobs.give_back(&[], at(1)).await.unwrap();
    stores.signal.notified(Topic::Jobs).await;
    adopt(&stores, ATTEMPT, "t1", at(3)).await;
    stores.signal.notified(Topic::Jobs).await;
    let leased = stores.claim_one(at(3)).await;
    stores.step(&leased, Event::NotReady { attempt: ATTEMPT }, at(3)).await.unwrap();
    assert_eq!(hasten(&stores, "t1", at(4)).await, Hastening::Hastened);
    stores.signal.notified(Topic::Jobs).await;
}

async fn unfinished_jobs_are_counted_by_state(stores: Stores) {
    stores.order(9, Quantity::One, at(0)).await;
    stores.until_rendering(90, at(0)).await;
    let placed = stores.order(1, Quantity::Five, at(1)).await;
    stores.jobs.cancel(placed.jobs[4].id, &rules(), at(1)).await.unwrap();
    stores.claim(1, at(1)).await;
    let census = stores.jobs.census(at(1)).await.unwrap();
    assert_eq!(census.by_state, [(StateName::Queued, 4), (StateName::Rendering, 1)]);
    assert_eq!(census.due, 3, "one is in a worker's hands, one is looked at later");
    assert_eq!(stores.jobs.census(at(1).after(s(60))).await.unwrap().due, 4);
}
