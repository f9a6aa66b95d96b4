//! What a look at a task may find.

use domain::failure::FailureClass;
use ports::RenderStatus;

use super::*;

const VIDEO: &str = "https://tempfile.aiquickdraw.com/f/281e5b0d/0c1f.mp4";

fn record(state: &str, more: &Value) -> Value {
    let mut record = json!({
        "taskId": TASK, "model": "sora-2-image-to-video", "state": state,
        "param": "{\"input\":\"{\\\"prompt\\\":\\\"...\\\"}\",\"model\":\"sora-2-image-to-video\"}",
        "resultJson": "", "failCode": null, "failMsg": null, "costTime": null, "completeTime": null,
        "createTime": 1_767_900_000_123_i64,
    });
    for (field, value) in more.as_object().unwrap() {
        record[field] = value.clone();
    }
    record
}

async fn look_at(model: &str, answer: ResponseTemplate) -> Reply<RenderStatus> {
    let (_server, api) = answering(answer).await;
    api.status(&key(), &ModelId::new(model).unwrap(), &task()).await
}

async fn look(answer: ResponseTemplate) -> Reply<RenderStatus> {
    look_at("sora-2", answer).await
}

fn failure_of(reply: Reply<RenderStatus>) -> ProviderRefusal {
    match reply {
        Reply::Yes(RenderStatus::Failed(refusal)) => refusal,
        other => panic!("expected a failed render, got {other:?}"),
    }
}

#[tokio::test]
async fn an_unfinished_task_is_running_in_whatever_words() {
    for state in ["waiting", "queuing", "generating", "GENERATING", "dreaming", "7"] {
        assert_eq!(
            look(success(&record(state, &json!({})))).await,
            Reply::Yes(RenderStatus::Running),
            "{state}"
        );
    }
    for data in [json!({}), json!({ "state": null }), json!({ "state": {} })] {
        assert_eq!(look(success(&data)).await, Reply::Yes(RenderStatus::Running), "{data}");
    }
}

#[tokio::test]
async fn a_result_is_found_wherever_kie_puts_it() {
    let list = json!({ "resultUrls": [VIDEO] });
    for more in [
        json!({ "resultJson": list.to_string(), "costTime": 143, "completeTime": 1_767_900_143_456_i64 }),
        json!({ "resultJson": list }),
        json!({ "resultJson": json!({ "resultUrls": VIDEO }).to_string() }),
        json!({ "resultJson": json!({ "resultUrls": json!([VIDEO]).to_string() }).to_string() }),
        json!({ "resultJson": json!({ "data": { "result_urls": [VIDEO] } }).to_string() }),
        json!({ "resultJson": json!({ "resultUrls": ["", VIDEO], "resultWaterMarkUrls": ["https://h/w.mp4"] }).to_string() }),
        json!({ "response": { "resultUrls": [VIDEO] }, "successFlag": 1, "creditsConsumed": 30.0 }),
        json!({ "response": null, "resultJson": list.to_string() }),
        json!({ "response": { "resultUrls": [] }, "resultJson": list.to_string() }),
    ] {
        let reply = look(success(&record("success", &more))).await;
        assert_eq!(reply, Reply::Yes(RenderStatus::Finished { url: VIDEO.to_owned() }), "{more}");
    }
}

#[tokio::test]
async fn a_success_without_a_usable_address_is_a_temporary_failure() {
    for result in [
        "",
        "{}",
        "not json",
        "{\"resultUrls\":[]}",
        "{\"resultUrls\":null}",
        "{\"resultUrls\":[\"ftp://h/a\", 3]}",
        "\"{}\"",
        "[]",
    ] {
        let refusal = failure_of(look(success(&record("success", &json!({ "resultJson": result })))).await);
        assert_eq!(refusal.failure.class, FailureClass::Temporary, "{result}");
    }
    failure_of(look(success(&record("success", &json!({ "resultJson": null })))).await);
}

#[tokio::test]
async fn a_failed_task_is_classified_by_its_own_words() {
    for (fail_code, fail_msg, reason) in [
        (json!("500"), json!("Internal Error, Please try again later."), Reason::ProviderFault),
        (json!(500), json!("Internal Error, Please try again later."), Reason::ProviderFault),
        (
            json!("422"),
            json!("This content may violate our guardrails around nudity, sexuality, or erotic content."),
            Reason::Nudity,
        ),
        (
            json!("400"),
            json!("We currently do not support uploads of images containing photorealistic people."),
            Reason::PeopleInPhoto,
        ),
        (json!("402"), json!("Insufficient balance"), Reason::AccountCredits),
        (json!("sora_content_violation"), json!(null), Reason::Moderation),
        (json!("GENERATION_FAILED"), json!("The generation task failed."), Reason::Unrecognised),
        (json!(null), json!("nsfw"), Reason::Nudity),
        (json!(""), json!(""), Reason::Unrecognised),
        (json!("500"), json!(null), Reason::ProviderFault),
        (json!({}), json!([]), Reason::Unrecognised),
    ] {
        let data = record("fail", &json!({ "failCode": fail_code, "failMsg": fail_msg, "resultJson": null }));
        let refusal = failure_of(look(success(&data)).await);
        assert_eq!(refusal.failure.reason, reason, "{fail_code} {fail_msg}");
    }
    let data = record("fail", &json!({ "failCode": "500", "failMsg": "Internal server error" }));
    let refusal = failure_of(look(success(&data)).await);
    assert_eq!(refusal.evidence, "HTTP 200, code 200: failed, failCode 500: Internal server error");
}

#[tokio::test]
async fn a_record_counts_even_in_the_envelope_of_a_failure() {
    let data = record("fail", &json!({ "failCode": null, "failMsg": null }));
    let envelope = json!({ "code": 501, "msg": "Content moderation failed", "data": data });
    assert_eq!(failure_of(look(body(200, &envelope)).await).failure.class, FailureClass::UserViolation);
    failure_of(look(refused(501, "Playground task failed.")).await);
}

#[tokio::test]
async fn a_task_nobody_knows_is_no_failure() {
    for answer in [
        refused(422, "recordInfo is null"),
        refused(422, ""),
        refused(404, "Task not found"),
        body(404, &json!({ "code": 404, "msg": "Task not found" })),
        success(&Value::Null),
        body(200, &json!({ "code": 200, "msg": "success" })),
    ] {
        assert_eq!(look(answer).await, Reply::Yes(RenderStatus::UnknownTask));
    }
}

#[tokio::test]
async fn a_refused_look_says_nothing_about_the_task() {
    for (answer, reason) in [
        (refused(429, "Your call frequency is too high. Please try again later."), Reason::RateLimit),
        (refused(401, "Unauthorized"), Reason::KeyRejected),
        (refused(500, "Internal Error, Please try again later."), Reason::ProviderFault),
        (raw(404, "<html>404 Not Found</html>"), Reason::Unrecognised),
        (raw(503, "upstream connect error"), Reason::ProviderFault),
    ] {
        assert_eq!(reason_of(&look(answer).await), reason);
    }
    for (row, answer) in [
        ("gateway", raw(502, "<html>502 Bad Gateway</html>")),
        ("cut-off JSON", raw(200, r#"{"code":200,"data":{"state":"suc"#)),
        ("a record that is a word", success(&json!("soon"))),
    ] {
        assert_unknown(&look(answer).await, row);
    }
}

#[tokio::test]
async fn veo_speaks_in_flags() {
    let veo = |data: Value| look_at("veo-3.1-lite", success(&data));
    let running = json!({ "taskId": TASK, "successFlag": 0, "response": null, "errorCode": null, "errorMessage": null });
    assert_eq!(veo(running).await, Reply::Yes(RenderStatus::Running));
    let done = json!({ "taskId": TASK, "successFlag": 1,
        "response": { "resultUrls": [VIDEO], "originUrls": ["https://h/o.mp4"], "resolution": "720p" } });
    assert_eq!(veo(done).await, Reply::Yes(RenderStatus::Finished { url: VIDEO.to_owned() }));
    let word = json!({ "successFlag": "1", "response": { "resultUrls": json!([VIDEO]).to_string() } });
    assert_eq!(veo(word).await, Reply::Yes(RenderStatus::Finished { url: VIDEO.to_owned() }));
    for flag in [2, 3] {
        let failed = json!({ "successFlag": flag, "errorCode": 400, "errorMessage": "public error unsafe image upload." });
        assert_eq!(failure_of(veo(failed).await).failure.class, FailureClass::UserViolation);
    }
    let unknown = look_at("veo-3.1-lite", refused(422, "Record not found or expired")).await;
    assert_eq!(unknown, Reply::Yes(RenderStatus::UnknownTask));
    let flagged = refused(
        422,
        "Your request was rejected by Flow(Your prompt was flagged by Website as violating content policies).",
    );
    assert_eq!(failure_of(look_at("veo-3.1-lite", flagged).await).failure.class, FailureClass::UserViolation);
}
