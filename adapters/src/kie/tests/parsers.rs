//! No bytes, however odd, make a parser panic, and every no carries a class.

use std::sync::LazyLock;

use proptest::prelude::{any, *};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::time::Timestamp;

use super::*;
use crate::{
    http::Answer,
    kie::{CallbackVerifier, Seal, callback::signature, catalogue::Endpoint, map},
};

/// JSON that looks somewhat like KIE's.
fn json_like() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("success".to_owned()),
        Just("fail".to_owned()),
        Just("{\"resultUrls\":[\"https://h/a.mp4\"]}".to_owned()),
        Just("https://h/a.mp4".to_owned()),
        Just("[\"".to_owned()),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(200_i64), Just(422), Just(501), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let field = prop::sample::select(vec![
        "code",
        "msg",
        "message",
        "error",
        "data",
        "taskId",
        "state",
        "successFlag",
        "resultJson",
        "resultUrls",
        "response",
        "failCode",
        "failMsg",
        "errorCode",
        "errorMessage",
        "downloadUrl",
    ]);
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

static ENDPOINTS: LazyLock<[Endpoint; 2]> = LazyLock::new(|| {
    let catalogue = Catalogue::builtin().unwrap();
    ["sora-2", "veo-3.1-lite"].map(|id| catalogue.model(&ModelId::new(id).unwrap()).unwrap().endpoint.clone())
});

fn check<T: std::fmt::Debug>(reply: &Reply<T>) {
    let evidence = match reply {
        Reply::Yes(_) => return,
        Reply::No(refusal) => {
            assert_eq!(refusal.failure.class, refusal.failure.reason.class());
            &refusal.evidence
        }
        Reply::Unknown(seen) => seen,
    };
    assert!(!evidence.is_empty() && evidence.chars().count() <= 500);
    assert!(!evidence.chars().any(char::is_control));
}

fn read_everywhere(answer: &Answer) {
    let created = map::created(answer);
    check(&created);
    if matches!(created, Reply::No(_)) {
        let may_exist = serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .is_some_and(|body| body.get("code").is_some_and(|code| *code == 200));
        assert!(!may_exist, "a task may exist and the adapter says no");
    }
    check(&map::uploaded(answer));
    check(&map::relinked(answer));
    check(&map::balance(answer));
    for endpoint in ENDPOINTS.iter() {
        check(&map::looked_up(answer, endpoint));
    }
    check::<u64>(&Reply::No(map::download_refused(answer.status)));
    let seal = Seal::read(Some("1790000000"), Some(&STANDARD.encode([7; 32])), NOW).unwrap();
    assert!(verifier().verify(&seal, &answer.body).is_err(), "nobody signed it");
}

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn verifier() -> CallbackVerifier {
    CallbackVerifier::new(vec!["the webhook key".to_owned().into()])
}

proptest! {
    // The classifier looks for every phrase of its tables in each text, which a debug build does slowly.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_get_an_answer(status in 100_u16..1000, body in prop::collection::vec(any::<u8>(), 0..120)) {
        read_everywhere(&Answer { status, body: body.into(), retry_after: None });
    }

    #[test]
    fn any_json_gets_an_answer(status in 100_u16..1000, body in json_like()) {
        read_everywhere(&Answer { status, body: body.to_string().into(), retry_after: None });
    }

    #[test]
    fn any_cut_of_an_answer_gets_an_answer(cut in 0_usize..200) {
        let whole = json!({ "code": 200, "msg": "успех", "data": { "taskId": TASK, "state": "success",
            "resultJson": "{\"resultUrls\":[\"https://h/a.mp4\"]}" } }).to_string();
        let body = whole.as_bytes()[..cut.min(whole.len() - 1)].to_vec();
        let answer = Answer { status: 200, body: body.into(), retry_after: None };
        read_everywhere(&answer);
        assert_unknown(&map::created(&answer), "cut");
    }

    #[test]
    fn any_headers_and_bytes_are_never_a_callback_of_ours(
        timestamp in prop_oneof!["\\PC{0,20}", "[0-9]{1,12}", Just("1790000000".to_owned())],
        signature in prop_oneof!["\\PC{0,90}", "[A-Za-z0-9+/]{43}=", Just(signature(&"another key".to_owned().into(), TASK, 1_790_000_000))],
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            json_like().prop_map(|body| body.to_string().into_bytes()),
            Just(json!({ "data": { "taskId": TASK } }).to_string().into_bytes()),
        ],
    ) {
        let accepted = Seal::read(Some(&timestamp), Some(&signature), NOW).and_then(|seal| verifier().verify(&seal, &body));
        prop_assert!(accepted.is_err());
    }

    #[test]
    fn a_callback_is_believed_whoever_wrote_its_body_around_the_task(around in json_like(), old_spelling: bool) {
        let name = if old_spelling { "task_id" } else { "taskId" };
        let key = "the webhook key".to_owned().into();
        let seal = Seal::read(Some("1790000000"), Some(&signature(&key, TASK, 1_790_000_000)), NOW).unwrap();
        let body = json!({ "code": around, "data": { name: TASK, "state": around } }).to_string();
        let verified = verifier().verify(&seal, body.as_bytes());
        prop_assert_eq!(verified, Ok(TaskId::new(TASK).unwrap()));
    }

    #[test]
    fn any_text_is_a_catalogue_or_one_line_why_not(text in "[a-z_= \\[\\]{}\"'\n0-9.#]{0,80}", cut in 0_usize..9000) {
        let builtin = include_str!("../../../models.toml");
        for text in [text.as_str(), builtin.get(..cut.min(builtin.len())).unwrap_or_default()] {
            if let Err(error) = Catalogue::parse(text) {
                prop_assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = "[".repeat(100_000);
    read_everywhere(&Answer { status: 200, body: deep.into(), retry_after: None });
    let inside =
        json!({ "code": 200, "data": { "state": "success", "resultJson": "{\"a\":".repeat(10_000) } });
    read_everywhere(&Answer { status: 200, body: inside.to_string().into(), retry_after: None });
}
