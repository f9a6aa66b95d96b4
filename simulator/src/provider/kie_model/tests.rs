//! The provider's laws.

use std::time::Duration;

use serde_json::json;

use super::*;

const KEYS: [&str; 2] = ["key-of-a", "key-of-b"];

fn settings() -> KieSettings {
    KieSettings::healthy(7, KEYS.map(AccountPlan::with_key).into())
}

fn model(plan: FailPlan) -> KieModel {
    KieModel::new(KieSettings { plan, ..settings() })
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_900_000_000 + seconds * 1_000)
}

fn request() -> Value {
    json!({
        "model": "sora-2-image-to-video",
        "input": {
            "prompt": "The mug turns slowly.",
            "image_urls": ["https://files.example.org/mug.jpg"],
            "aspect_ratio": "portrait",
            "n_frames": "10",
            "remove_watermark": true,
            "upload_method": "s3",
        },
    })
}

fn with_input(field: &str, value: Value) -> Value {
    let mut request = request();
    request["input"][field] = value;
    request
}

fn create(model: &mut KieModel, now: Timestamp) -> String {
    model.create(Api::Market, Some(KEYS[0]), request(), now).said.unwrap()
}

fn refusal(model: &mut KieModel, key: &str, request: &Value) -> (i64, String) {
    let no = model.create(Api::Market, Some(key), request.clone(), at(0)).said.unwrap_err();
    assert_eq!(no.http, 200);
    (no.code, no.msg)
}

fn progress(model: &mut KieModel, task: &str, now: Timestamp) -> Progress {
    model.look(Api::Market, Some(KEYS[0]), task, now).said.unwrap().progress
}

/// Looks every second until the task is over.
fn over(model: &mut KieModel, task: &str) -> (Progress, Vec<&'static str>) {
    let mut states = Vec::new();
    for second in 0..4_000 {
        let word = match progress(model, task, at(second)) {
            Progress::Waiting => "waiting",
            Progress::Generating => "generating",
            Progress::Strange(_) => "strange",
            ended @ (Progress::Succeeded { .. } | Progress::Failed { .. }) => return (ended, states),
        };
        if states.last() != Some(&word) {
            states.push(word);
        }
    }
    panic!("the task never ended");
}

#[test]
fn a_task_waits_is_made_and_is_charged_only_then() {
    let mut model = model(FailPlan::default());
    let task = create(&mut model, at(0));
    assert_eq!(task.len(), 32);
    assert!(task.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{task}");
    assert_eq!(model.balance(Some(KEYS[0]), at(1)).said, Ok(KieCredits::whole(10_000)));
    let (ended, states) = over(&mut model, &task);
    assert_eq!(states, ["waiting", "generating"]);
    let Progress::Succeeded { results, .. } = ended else { panic!("{ended:?}") };
    assert_eq!(results, [format!("f/{task}/0.mp4")]);
    assert_eq!(model.balance(Some(KEYS[0]), at(4_000)).said, Ok(KieCredits::whole(9_970)));
    assert_eq!(model.balance(Some(KEYS[1]), at(4_000)).said, Ok(KieCredits::whole(10_000)));
    assert_eq!(model.bill(at(4_000)), Bill { tasks: 1, charged_tasks: 1, charged: KieCredits::whole(30) });
}

#[test]
fn a_failed_task_costs_nothing() {
    let fate =
        Fate::Fails { after: Some(Duration::from_secs(8)), code: "400".into(), msg: words::PEOPLE.into() };
    let mut model = model(FailPlan::default().with_fate(When::Always, fate));
    let task = create(&mut model, at(0));
    assert_eq!(progress(&mut model, &task, at(7)), Progress::Waiting);
    let Progress::Failed { at: when, msg, .. } = progress(&mut model, &task, at(9)) else { panic!() };
    assert_eq!((when, msg.as_str()), (at(8), words::PEOPLE));
    assert_eq!(model.bill(at(4_000)), Bill { tasks: 1, ..Bill::default() });
}

#[test]
fn refusals_come_in_the_order_key_model_pause_fields_money_rate() {
    let mut broke = settings();
    broke.accounts[0].balance = KieCredits::whole(29);
    broke.accounts[0].creates_per_window = 0;
    broke.paused.insert("kling-2.6/image-to-video".into());
    let mut model = KieModel::new(broke.clone());
    let unknown = json!({ "model": "sora-3", "input": {} });
    assert_eq!(refusal(&mut model, "stranger", &unknown).0, 401);
    assert_eq!(refusal(&mut model, KEYS[0], &unknown).0, 422);
    let paused = json!({ "model": "kling-2.6/image-to-video", "input": {} });
    assert_eq!(refusal(&mut model, KEYS[0], &paused), (500, words::PAUSED.into()));
    let empty = json!({ "model": "sora-2-image-to-video", "input": {} });
    assert_eq!(refusal(&mut model, KEYS[0], &empty), (500, "prompt is required".into()));
    assert_eq!(refusal(&mut model, KEYS[0], &request()), (402, words::NO_CREDITS.into()));
    broke.accounts[0].balance = KieCredits::whole(30);
    let mut model = KieModel::new(broke);
    assert_eq!(refusal(&mut model, KEYS[0], &request()), (429, words::TOO_FAST.into()));
    assert_eq!(model.bill(at(0)), Bill::default());
}

#[test]
fn fields_are_checked_by_presence_type_and_value() {
    let mut model = model(FailPlan::default());
    let out_of_range = |field: &str| (500, format!("{field} is not within the range of allowed options"));
    let cases = [
        (with_input("n_frames", json!(10)), out_of_range("n_frames")),
        (with_input("n_frames", json!("12")), out_of_range("n_frames")),
        (with_input("aspect_ratio", json!("9:16")), out_of_range("aspect_ratio")),
        (with_input("remove_watermark", json!("true")), out_of_range("remove_watermark")),
        (with_input("image_urls", json!([])), (500, "image_urls is required".into())),
        (
            with_input("image_urls", json!(["data:image/jpeg;base64,AAAA"])),
            (500, "image_urls file type not supported".into()),
        ),
        (
            with_input("image_urls", json!(["https://h/mug.heic"])),
            (500, "image_urls file type not supported".into()),
        ),
        (with_input("prompt", json!("  ")), (500, "prompt is required".into())),
        (with_input("prompt", json!("x".repeat(10_001))), (500, words::prompt_too_long(10_000).msg)),
    ];
    for (request, expected) in cases {
        assert_eq!(refusal(&mut model, KEYS[0], &request), expected, "{request}");
    }
    let hailuo = |duration: Value| {
        json!({ "model": "hailuo/2-3-image-to-video-standard", "input":
            { "prompt": "x", "image_url": "https://h/p.jpg", "duration": duration, "resolution": "768P" } })
    };
    assert!(model.create(Api::Market, Some(KEYS[0]), hailuo(json!("6")), at(0)).said.is_ok());
    assert_eq!(refusal(&mut model, KEYS[0], &hailuo(json!(6))).0, 500);
    let mut refused = hailuo(json!("6"));
    refused["input"]["aspect_ratio"] = json!("9:16");
    assert_eq!(refusal(&mut model, KEYS[0], &refused), out_of_range("aspect_ratio"));
}

#[test]
fn running_tasks_reserve_their_price() {
    let mut settings = settings();
    settings.accounts[0].balance = KieCredits::whole(75);
    let mut model = KieModel::new(settings);
    create(&mut model, at(0));
    create(&mut model, at(0));
    assert_eq!(refusal(&mut model, KEYS[0], &request()).0, 402);
}

#[test]
fn an_account_creates_twenty_tasks_in_ten_seconds_and_its_keys_share_them() {
    let mut settings = settings();
    settings.accounts[0].keys.push("second-key-of-a".into());
    let mut model = KieModel::new(settings);
    for _ in 0..20 {
        create(&mut model, at(0));
    }
    for key in ["second-key-of-a", KEYS[0]] {
        let no = model.create(Api::Market, Some(key), request(), at(9)).said.unwrap_err();
        assert_eq!((no.code, no.msg.as_str()), (429, words::TOO_FAST));
    }
    assert!(model.create(Api::Market, Some(KEYS[1]), request(), at(9)).said.is_ok(), "another account");
    assert!(
        model.create(Api::Market, Some(KEYS[0]), request(), at(10)).said.is_ok(),
        "the window has passed"
    );
}

#[test]
fn a_task_is_seen_only_by_its_account_and_its_endpoint() {
    let mut model = model(FailPlan::default());
    let task = create(&mut model, at(0));
    for (api, key) in [(Api::Market, KEYS[1]), (Api::Veo, KEYS[0])] {
        let no = model.look(api, Some(key), &task, at(1)).said.unwrap_err();
        assert_eq!(no.code, 422);
    }
    let no = model.look(Api::Market, Some(KEYS[0]), "0123", at(1)).said.unwrap_err();
    assert_eq!(no.msg, words::UNKNOWN_TASK);
}

#[test]
fn veo_speaks_through_its_own_endpoint() {
    let mut model = model(FailPlan::default());
    let request = json!({ "model": "veo3_lite", "prompt": "x", "imageUrls": ["https://h/p.jpg"],
        "generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO", "aspect_ratio": "9:16", "duration": 4, "resolution": "720p" });
    let task = model.create(Api::Veo, Some(KEYS[0]), request.clone(), at(0)).said.unwrap();
    let view = model.look(Api::Veo, Some(KEYS[0]), &task, at(0)).said.unwrap();
    assert_eq!((view.progress, view.price), (Progress::Waiting, KieCredits::whole(30)));
    assert_eq!(refusal(&mut model, KEYS[0], &request).0, 422, "not a model of the jobs API");
}

#[test]
fn render_times_scatter_around_their_median_and_repeat_themselves() {
    let mut times: Vec<_> =
        (0..2_000).map(|n| RenderTime::AsObserved.of(&format!("task {n}"), 10, 7).as_secs_f64()).collect();
    assert_eq!(times[0], RenderTime::AsObserved.of("task 0", 10, 7).as_secs_f64());
    times.sort_by(f64::total_cmp);
    let (p16, p50, p84) = (times[320], times[1_000], times[1_680]);
    assert!((140.0..160.0).contains(&p50), "{p50}");
    assert!((0.35..0.45).contains(&((p84 / p16).ln() / 2.0)), "{p16} {p84}");
    let long = RenderTime::AsObserved.of("task 0", 15, 7).as_secs_f64();
    assert!((long / RenderTime::AsObserved.of("task 0", 10, 7).as_secs_f64() - 1.8).abs() < 0.01);
}

#[test]
fn an_upload_is_kept_for_a_day_and_a_missing_one_fails_the_task() {
    let mut model = model(FailPlan::default());
    let upload = |name: &str, bytes: &'static [u8]| Upload {
        folder: Some("/kadr/".into()),
        name: Some(name.into()),
        bytes: Some(Bytes::from_static(bytes)),
    };
    let jpeg = b"\xff\xd8\xff\xe0 picture";
    let file = model.upload(Some(KEYS[0]), upload("mug.jpg", jpeg), at(0)).said.unwrap();
    assert_eq!((file.path.as_str(), file.mime), ("kieai/10000/kadr/mug.jpg", "image/jpeg"));
    let lie = model.upload(Some(KEYS[0]), upload("mug.png", jpeg), at(0)).said.unwrap();
    let day = 24 * 60 * 60;
    assert!(model.file(&file.path, at(day - 1)).is_some());
    assert!(model.file(&file.path, at(day)).is_none());
    let render = |model: &mut KieModel, path: &str, now| {
        let request = with_input("image_urls", json!([format!("http://127.0.0.1:1/{path}")]));
        let task = model.create(Api::Market, Some(KEYS[0]), request.clone(), now).said.unwrap();
        progress(model, &task, now.after(Duration::from_secs(7)))
    };
    assert_eq!(render(&mut model, &file.path, at(1)), Progress::Waiting);
    assert!(
        matches!(render(&mut model, &lie.path, at(20)), Progress::Failed { msg, .. } if msg.contains("file type"))
    );
    let gone = render(&mut model, &file.path, at(day + 1));
    assert!(matches!(gone, Progress::Failed { msg, .. } if msg == words::PHOTO_UNREACHABLE));
}

#[test]
fn uploads_name_what_they_miss() {
    let mut model = model(FailPlan::default());
    let whole = Upload {
        folder: Some("x".into()),
        name: Some("a.jpg".into()),
        bytes: Some(Bytes::from_static(b"x")),
    };
    let mut said =
        |key, upload| model.upload(key, upload, at(0)).said.map(|_| ()).map_err(|no| (no.http, no.msg));
    assert_eq!(said(Some("stranger"), whole.clone()), Err((401, words::UPLOAD_UNAUTHORIZED.into())));
    assert_eq!(
        said(Some(KEYS[0]), Upload { folder: None, ..whole.clone() }),
        Err((400, words::NO_UPLOAD_PATH.into()))
    );
    assert_eq!(
        said(Some(KEYS[0]), Upload { bytes: Some(Bytes::new()), ..whole.clone() }),
        Err((400, words::NO_FILE.into()))
    );
    assert_eq!(said(Some(KEYS[0]), whole), Ok(()));
}

#[test]
fn results_are_different_files_and_their_links_expire() {
    let mut model = model(FailPlan::default().with_fate(When::Nth(2), Fate::DeadLink));
    let (good, dead) = (create(&mut model, at(0)), create(&mut model, at(0)));
    assert_eq!(model.download(&good, None, at(1)).said.unwrap_err().http, 404, "not finished");
    let later = at(2_000);
    let clip = model.download(&good, None, later).said.unwrap().bytes();
    assert_eq!(&clip[4..8], b"ftyp");
    assert!(clip.ends_with(good.as_bytes()));
    assert_eq!(model.download(&dead, None, later).said.unwrap_err().http, 404);
    let until = model.fresh_link(Some(KEYS[0]), Some(&dead), later).said.unwrap();
    assert_eq!(until, later.after(Duration::from_secs(1_200)));
    assert!(model.download(&dead, Some(until), later).said.unwrap().bytes().ends_with(dead.as_bytes()));
    assert!(model.download(&dead, Some(until), until).said.is_err());
    for foreign in [None, Some("abc")] {
        assert_eq!(model.fresh_link(Some(KEYS[0]), foreign, later).said.unwrap_err().code, 422);
    }
    assert_eq!(
        model.fresh_link(Some(KEYS[1]), Some(&dead), later).said.unwrap_err().code,
        422,
        "another account"
    );
}

#[test]
fn a_lost_answer_leaves_a_paid_task_behind_and_a_gateway_page_does_not() {
    let plan = FailPlan::default()
        .with(Call::Create, When::Nth(1), Trouble::AnswerLost)
        .with(Call::Create, When::Nth(2), Trouble::GatewayPage)
        .with(Call::Create, When::Nth(3), Trouble::Refuse(No::new(455, words::MAINTENANCE)))
        .with(Call::Create, When::Nth(4), Trouble::AnswerCut);
    let mut model = model(plan);
    let arrivals: Vec<_> = (0..5)
        .map(|_| {
            let answer = model.create(Api::Market, Some(KEYS[0]), request(), at(0));
            (answer.arrives, answer.said.is_ok())
        })
        .collect();
    assert_eq!(
        arrivals,
        [
            (Arrival::Never, true),
            (Arrival::GatewayPage, false),
            (Arrival::Whole, false),
            (Arrival::Cut, true),
            (Arrival::Whole, true)
        ]
    );
    assert_eq!(model.bill(at(4_000)).charged_tasks, 3);
    let creations: Vec<_> =
        model.creations().iter().map(|c| c.came_of_it.as_ref().map(|_| ()).map_err(|c| *c)).collect();
    assert_eq!(creations, [Ok(()), Err(455), Ok(()), Ok(())]);
}

#[test]
fn fates_keep_tasks_unfinished_unseen_strange_or_empty() {
    let plan = FailPlan::default()
        .with_fate(When::Nth(1), Fate::NeverEnds)
        .with_fate(When::Nth(2), Fate::UnseenFor(Duration::from_secs(20)))
        .with_fate(When::Nth(3), Fate::StrangeState("archiving".into()))
        .with_fate(When::Holding("robot".into()), Fate::NoResult);
    let mut model = model(plan);
    let never = create(&mut model, at(0));
    assert_eq!(progress(&mut model, &never, at(1_000_000)), Progress::Generating);
    let unseen = create(&mut model, at(0));
    assert!(model.look(Api::Market, Some(KEYS[0]), &unseen, at(19)).said.is_err());
    assert_eq!(progress(&mut model, &unseen, at(20)), Progress::Waiting);
    let strange = create(&mut model, at(0));
    assert_eq!(progress(&mut model, &strange, at(1)), Progress::Strange("archiving".into()));
    let request = with_input("prompt", json!("a robot"));
    let empty = model.create(Api::Market, Some(KEYS[0]), request.clone(), at(0)).said.unwrap();
    let ended = progress(&mut model, &empty, at(2_000));
    assert!(matches!(ended, Progress::Succeeded { results, .. } if results.is_empty()));
}

#[test]
fn plans_pick_calls_by_number_and_by_chance() {
    let refused = |when: When| {
        let trouble = Trouble::Refuse(No::new(500, words::INTERNAL));
        let mut settings = settings();
        settings.accounts[0].creates_per_window = 1_000;
        settings.accounts[0].running_max = 1_000;
        settings.accounts[0].balance = KieCredits::whole(100_000);
        settings.plan = FailPlan::default().with(Call::Create, when, trouble);
        let mut model = KieModel::new(settings);
        (1..=400_u64)
            .filter(|_| model.create(Api::Market, Some(KEYS[0]), request(), at(0)).said.is_err())
            .count()
    };
    assert_eq!(refused(When::Always), 400);
    assert_eq!(refused(When::First(3)), 3);
    assert_eq!(refused(When::Every(2)), 200);
    assert_eq!(refused(When::Every(0)), 0);
    assert!((20..60).contains(&refused(When::Chance(0.1))));
}

#[test]
fn every_model_has_a_price_and_a_length() {
    for spec in specs::MARKET.iter().chain(specs::VEO) {
        assert!(spec.fields.iter().any(|field| field.name == spec.seconds), "{}", spec.slug);
        assert!(spec.price.of(&json!({}), 5) > KieCredits::default(), "{}", spec.slug);
        assert!(
            spec.fields.iter().any(|f| matches!(f.kind, spec::Kind::Photo | spec::Kind::Photos(_))),
            "{}",
            spec.slug
        );
    }
}
