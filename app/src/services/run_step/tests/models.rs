//! Models that are out, and those that stand in for them.

use super::*;

fn model(id: &str) -> ModelId {
    ModelId::new(id).unwrap()
}

/// The fixtures' policy, with `kling` to stand in for `sora-2`, at `price` hundredths where `sora-2` takes 3,000.
fn with_fallback(price: u64) -> Policy {
    let mut policy = fixtures::policy();
    let mut all = policy.models.all().to_vec();
    all[1].price_hundredths = price;
    all[1].timing.typical = Duration::from_secs(500);
    let default = all[0].id.clone();
    policy.models =
        crate::policy::Models::new(all, &default).unwrap().with_fallback(&[model("kling")]).unwrap();
    policy
}

/// A store in which the ordered model's circuit is open.
fn opens_attempts_while_sora_is_out(mocks: &mut Mocks) {
    mocks.jobs.expect_open_attempt().returning(|leased, attempt, roster, rules, now| {
        let mut circuits = Circuits::new();
        let until = now.after(Duration::from_secs(60));
        circuit::apply(&mut circuits, &CircuitChange::Refused { model: model("sora-2"), until }, now);
        let facts = fixtures::facts();
        Ok(job::open_attempt(&leased.job, attempt, &facts, &roster.limits, &circuits, rules, now).unwrap())
    });
}

#[tokio::test]
async fn a_model_that_is_out_is_not_called_and_its_stand_in_is_with_its_own_times() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts_while_sora_is_out(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, request| {
        assert_eq!(request.model.as_str(), "kling");
        Reply::Yes(TaskId::new("task-1").unwrap())
    });
    stores(&mut mocks, |step, _| {
        assert_eq!(step.job.model, Some(model("kling")));
        let expected = step.notices.iter().find_map(|notice| match notice.kind {
            domain::notice::NoticeKind::Rendering { expected } => Some(expected.as_secs()),
            _ => None,
        });
        assert_eq!(expected, Some(500));
    });
    run_under(mocks, &with_fallback(3_000), submitting()).await.unwrap();
}

#[tokio::test]
async fn a_dearer_stand_in_is_never_called() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts_while_sora_is_out(&mut mocks);
    mocks.video.expect_create().never();
    let ended = run_under(mocks, &with_fallback(3_001), submitting()).await.unwrap();
    assert_eq!(ended, StepEnd::Stored { state: StateName::Refunded, next_run_at: None });
}

#[tokio::test]
async fn a_paused_model_opens_its_circuit_and_ends_no_job() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    opens_attempts(&mut mocks);
    mocks.video.expect_create().times(1).returning(|_, _| Reply::No(refusal(Reason::ModelUnavailable)));
    stores(&mut mocks, |step, evidence| {
        let until = START.after(circuit::COOLING);
        assert_eq!(step.circuits, [CircuitChange::Refused { model: model("sora-2"), until }]);
        assert_eq!((step.job.retries, step.next_run_at, evidence), (0, Some(START), Some("their words")));
    });
    let ended = run(mocks, &submitting()).await.unwrap();
    assert_eq!(ended, StepEnd::Stored { state: StateName::Submitting, next_run_at: Some(START) });
}

#[tokio::test]
async fn looks_and_captions_name_the_model_that_renders() {
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.video.expect_status().times(1).returning(|_, asked, _| {
        assert_eq!(asked.as_str(), "kling");
        Reply::Yes(RenderStatus::Running)
    });
    stores(&mut mocks, |_, _| {});
    let mut leased = rendering();
    leased.job.model = Some(model("kling"));
    run(mocks, &leased).await.unwrap();

    let dir = tempfile::tempdir().unwrap();
    let mut mocks = Mocks::with_order(Template::AdVideo);
    mocks.video.expect_download().returning(|_, _, _| Reply::Yes(5));
    mocks.messenger.expect_send_video().times(1).returning(|_, video| {
        assert!(video.caption.contains("kling") && video.caption.contains("sora-2"), "{}", video.caption);
        Ok(())
    });
    stores(&mut mocks, |step, _| assert_eq!(step.job.state.name(), StateName::Done));
    let mut leased = delivering();
    leased.job.model = Some(model("kling"));
    run_under(mocks, &delivery_policy(dir.path()), leased).await.unwrap();
}

#[test]
fn a_fallback_that_cannot_work_is_refused_with_what_to_write() {
    let models = fixtures::policy().models;
    let refused = |ids: &[&str]| {
        let ids: Vec<_> = ids.iter().map(|id| model(id)).collect();
        models.clone().with_fallback(&ids).unwrap_err().to_string()
    };
    assert!(refused(&["klink"]).contains("choose one of sora-2, kling"));
    assert!(refused(&["kling", "kling"]).contains("listed twice"));
}
