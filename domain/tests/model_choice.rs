//! The laws of choosing a video model: what stands in for the ordered one, and how a circuit opens and closes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    breaker::{Answers, ProviderFacts},
    circuit::{self, CircuitChange, Circuits},
    decision::RetryPolicy,
    failure::Reason,
    id::{AccountId, AttemptId, JobId, KeyId, ModelId, OrderId, TaskId, UserId},
    job::{Event, Job, Rules, State, Step, apply, open_attempt},
    key::{AccountLimits, KeyFacts},
    model::{RenderTiming, VideoModel, allowed},
    notice::{NoticeKind, RefundCause},
    photo::PhotoFormat,
    prompt::Prompt,
    time::Timestamp,
};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["ordered", "second", "third"];

fn id(name: &str) -> ModelId {
    ModelId::new(name).unwrap()
}

fn timing() -> RenderTiming {
    let s = Duration::from_secs;
    RenderTiming { first_poll: s(30), poll_every: s(10), typical: s(180), give_up: s(1_800) }
}

fn any_model(name: &'static str) -> impl Strategy<Value = VideoModel> {
    let formats = prop::sample::subsequence(PhotoFormat::ALL.to_vec(), 1..=PhotoFormat::ALL.len());
    (any::<bool>(), 0_u64..5, 1_usize..4, 4_usize..40, formats, 1_u64..4).prop_map(
        move |(enabled, price, shortest, longest, photo_formats, bytes)| VideoModel {
            id: id(name),
            enabled,
            off_reason: None,
            prompt_chars: (shortest, longest),
            photo_formats,
            photo_bytes_max: bytes,
            clip_seconds: 10,
            price_hundredths: price,
            timing: timing(),
        },
    )
}

proptest! {
    #[test]
    fn never_a_dearer_model_and_none_the_photo_or_prompt_does_not_fit(
        ordered in any_model("ordered"),
        others in (any_model("second"), any_model("third")),
        format in prop::sample::select(PhotoFormat::ALL.to_vec()),
        prompt in prop::option::of("[a-z]{1,45}"),
    ) {
        let prompt = prompt.map(Prompt::stored);
        let fallback = [others.0, others.1, ordered.clone()];
        let models = allowed(&ordered, &fallback, format, prompt.as_ref());
        prop_assert_eq!(&models[0], &ordered.id, "what was ordered comes first");
        prop_assert_eq!(models.iter().collect::<BTreeSet<_>>().len(), models.len(), "nothing is tried twice");
        for model in &fallback[..2] {
            let chars = prompt.as_ref().map(|prompt| prompt.as_str().chars().count());
            let fits = model.enabled
                && model.price_hundredths <= ordered.price_hundredths
                && model.photo_formats.contains(&format)
                && model.photo_bytes_max >= ordered.photo_bytes_max
                && chars.is_none_or(|chars| model.prompt_chars.0 <= chars && chars <= model.prompt_chars.1);
            prop_assert_eq!(models.contains(&model.id), fits, "{:?}", model);
        }
    }
}

/// What happens next in a story of many jobs and one provider.
#[derive(Debug, Clone)]
enum Act {
    Wait(u64),
    /// A job asks for a model; whatever follows happens to it.
    Submit,
    Pause(usize),
    Resume(usize),
    /// A waiting submission is answered: as its model is, refused for another cause, or never.
    Answer(usize, Answer),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Honest,
    Busy,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u64..2_400).prop_map(Act::Wait),
        Just(Act::Submit),
        (0..NAMES.len()).prop_map(Act::Pause),
        (0..NAMES.len()).prop_map(Act::Resume),
        (0_usize..8, prop_oneof![4 => Just(Answer::Honest), 1 => Just(Answer::Busy)])
            .prop_map(|(which, answer)| Act::Answer(which, answer)),
    ]
}

struct Story {
    now: Timestamp,
    circuits: Circuits,
    paused: BTreeSet<ModelId>,
    /// Jobs whose submission has no answer yet.
    waiting: Vec<(Job, AttemptId)>,
    attempts: u128,
    /// Openings and alerts, by model.
    openings: BTreeMap<ModelId, (u32, u32)>,
}

impl Story {
    fn new() -> Self {
        Self {
            now: Timestamp::from_millis(0),
            circuits: Circuits::new(),
            paused: BTreeSet::new(),
            waiting: Vec::new(),
            attempts: 0,
            openings: BTreeMap::new(),
        }
    }

    fn rules() -> Rules {
        Rules { retry: RetryPolicy::default().into(), models: NAMES.map(id).to_vec(), timing: timing() }
    }

    fn facts() -> ProviderFacts {
        let key = KeyFacts {
            key: KeyId::new("k").unwrap(),
            account: AccountId::new("a").unwrap(),
            cooling: None,
            account_running: 0,
            account_created: 0,
            window_frees_at: None,
            key_running: 0,
            answers: Answers::default(),
        };
        ProviderFacts { keys: vec![key], ..ProviderFacts::default() }
    }

    fn store(&mut self, step: &Step) {
        for change in &step.circuits {
            if let CircuitChange::Refused { model, .. } = change
                && !self.circuits.contains_key(model)
            {
                self.openings.entry(model.clone()).or_default().0 += 1;
            }
            circuit::apply(&mut self.circuits, change, self.now);
        }
        for notice in &step.notices {
            if let NoticeKind::ModelOut { model } = &notice.kind {
                self.openings.entry(model.clone()).or_default().1 += 1;
            }
        }
    }

    fn submit(&mut self, job: &Job) {
        self.attempts += 1;
        let attempt = AttemptId::new(self.attempts);
        let before = self.circuits.clone();
        let (rules, limits) = (Self::rules(), AccountLimits::default());
        let step = open_attempt(job, attempt, &Self::facts(), &limits, &before, &rules, self.now).unwrap();
        self.store(&step);
        for circuit in self.circuits.values() {
            assert!(circuit.alerted, "whoever meets an open circuit tells of it: {circuit:?}");
        }
        match (&step.job.state, &step.job.model) {
            (State::Submitting { open: Some(_) }, Some(model)) => {
                if let Some(circuit) = before.get(model) {
                    assert!(circuit.open_until <= self.now, "an open circuit was used before its time");
                    assert!(
                        circuit.probe.is_none_or(|probe| probe.until <= self.now),
                        "two probes at a time"
                    );
                    let probe = self.circuits[model].probe.unwrap();
                    assert_eq!(probe.attempt, attempt, "a probe that nobody knows of");
                }
                let passed_over = rules.models.iter().take_while(|other| *other != model);
                for other in passed_over {
                    assert!(!before[other].may_be_probed(self.now), "{other} was usable and passed over");
                }
                self.waiting.push((step.job, attempt));
            }
            (State::Refunded { cause, .. }, _) => {
                assert_eq!(*cause, RefundCause::ModelUnavailable);
                let usable = |model| before.get(model).is_none_or(|c| c.may_be_probed(self.now));
                assert!(!rules.models.iter().any(usable), "released although a model was left");
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn answer(&mut self, which: usize, answer: Answer) {
        if self.waiting.is_empty() {
            return;
        }
        let (job, attempt) = self.waiting.remove(which % self.waiting.len());
        let paused = job.model.as_ref().is_some_and(|model| self.paused.contains(model));
        let event = match answer {
            Answer::Honest if paused => Event::Refused { attempt, failure: Reason::ModelUnavailable.into() },
            Answer::Honest => Event::Accepted { attempt, task: TaskId::new("t").unwrap() },
            Answer::Busy => Event::Refused { attempt, failure: Reason::RateLimit.into() },
        };
        // Patience is another law's matter.
        let job = Job { created_at: self.now, ..job };
        let step = apply(&job, event, &Self::rules(), self.now).unwrap();
        assert_eq!(step.job.retries, 0, "another model is no retry");
        self.store(&step);
        if matches!(step.job.state, State::Submitting { open: None }) {
            self.submit(&step.job);
        }
    }

    fn submit_new(&mut self) {
        let job = self.new_job();
        self.submit(&job);
    }

    fn new_job(&self) -> Job {
        let mut job = Job::queued(JobId::new(1), OrderId::new(2), UserId::new(3), (1, 1), self.now);
        job.state = State::Submitting { open: None };
        job
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn an_open_circuit_is_met_by_one_probe_at_a_time_and_told_of_once(
        acts in prop::collection::vec(any_act(), 1..80),
    ) {
        let mut story = Story::new();
        for act in acts {
            match act {
                Act::Wait(seconds) => story.now = story.now.after(Duration::from_secs(seconds)),
                Act::Submit => story.submit_new(),
                Act::Pause(which) => drop(story.paused.insert(id(NAMES[which]))),
                Act::Resume(which) => drop(story.paused.remove(&id(NAMES[which]))),
                Act::Answer(which, answer) => story.answer(which, answer),
            }
        }
        // Whatever is open and untold is told of by the next job.
        story.submit_new();
        for (model, (opened, alerted)) in &story.openings {
            prop_assert_eq!(opened, alerted, "{}", model);
        }
    }
}

#[test]
fn a_model_that_comes_back_is_used_again_after_its_cool_down() {
    let mut story = Story::new();
    story.paused.insert(id("ordered"));
    story.submit_new();
    story.answer(0, Answer::Honest);
    let model_of = |story: &Story| story.waiting.last().unwrap().0.model.clone().unwrap();
    assert_eq!(model_of(&story), id("second"), "the job goes on with the fallback at once");
    story.submit_new();
    assert_eq!(model_of(&story), id("second"), "no call is burnt while the circuit is open");
    story.paused.clear();
    story.now = story.now.after(circuit::COOLING);
    story.submit_new();
    assert_eq!(model_of(&story), id("ordered"), "one job tries");
    story.submit_new();
    assert_eq!(model_of(&story), id("second"), "and one alone");
    story.answer(2, Answer::Honest);
    story.submit_new();
    assert_eq!(model_of(&story), id("ordered"), "an accepted probe closes the circuit");
    assert_eq!(story.openings[&id("ordered")], (1, 1));
}
