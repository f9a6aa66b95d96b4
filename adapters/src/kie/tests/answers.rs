//! The module table of `map`, row by row, over HTTP.

use super::*;

#[tokio::test]
async fn a_new_task_is_known_by_its_id() {
    for answer in [
        success(&json!({ "taskId": TASK, "recordId": TASK })),
        body(200, &json!({ "code": "200", "message": "create task success", "data": { "taskId": TASK } })),
        body(200, &json!({ "code": 200, "data": { "taskId": TASK }, "colour": { "new": [1] } })),
        body(500, &json!({ "code": 200, "msg": "success", "data": { "taskId": TASK } })),
        body(200, &json!({ "data": { "taskId": TASK } })),
    ] {
        let (_server, api) = answering(answer).await;
        assert_eq!(create(&api).await, Reply::Yes(task()));
    }
    let (_server, api) = answering(success(&json!({ "taskId": 12345 }))).await;
    assert_eq!(create(&api).await, Reply::Yes(TaskId::new("12345").unwrap()));
}

#[tokio::test]
async fn another_code_is_a_no_whatever_the_http_status() {
    for (answer, reason) in [
        (
            refused(
                402,
                "Credits insufficient : Your current balance isn’t enough to run this request. Please top up to continue.",
            ),
            Reason::AccountCredits,
        ),
        (
            refused(
                500,
                "Credits insufficient : Your current balance isn’t enough to run this request. Please top up to continue.",
            ),
            Reason::AccountCredits,
        ),
        (
            refused(
                401,
                "Unauthorized – Authentication failed. Please check that your Authorization and Content-Type headers are correctly set.",
            ),
            Reason::KeyRejected,
        ),
        (refused(429, "Your call frequency is too high. Please try again later."), Reason::RateLimit),
        (refused(433, "Sub-key Usage Exceeds Limit"), Reason::AccountCredits),
        (
            refused(455, "Service Unavailable - System is currently undergoing maintenance"),
            Reason::Maintenance,
        ),
        (
            refused(500, "The server is currently being maintained, please try again later~"),
            Reason::Maintenance,
        ),
        (refused(500, "This interface is temporarily paused"), Reason::ModelUnavailable),
        (refused(422, "The model name you specified is not supported"), Reason::ModelUnavailable),
        (refused(500, "aspect_ratio is required"), Reason::BadRequest),
        (refused(500, "internal error, please try again later."), Reason::ProviderFault),
        (refused(500, "image_urls file type not supported"), Reason::PhotoUnusable),
        (
            body(
                400,
                &json!({ "code": 400, "msg": "OpenAI currently do not support uploads of images containing photorealistic people." }),
            ),
            Reason::PeopleInPhoto,
        ),
        (
            body(429, &json!({ "code": 429, "message": "Rate limit exceeded", "data": null })),
            Reason::RateLimit,
        ),
        (body(200, &json!({ "code": "402", "msg": "Insufficient balance" })), Reason::AccountCredits),
        (body(502, &json!({ "code": 402, "msg": "Insufficient balance" })), Reason::AccountCredits),
        (body(401, &json!({ "code": 401, "msg": null, "data": null })), Reason::KeyRejected),
    ] {
        let (_server, api) = answering(answer).await;
        let reply = create(&api).await;
        assert_eq!(reason_of(&reply), reason, "{reply:?}");
    }
}

#[tokio::test]
async fn evidence_holds_the_numbers_and_the_words() {
    let (_server, api) = answering(refused(402, "Credits \u{0}insufficient\n now")).await;
    assert_eq!(refusal_of(&create(&api).await).evidence, "HTTP 200, code 402: Credits insufficient now");
    let (_server, api) = answering(refused(500, &"я".repeat(5_000))).await;
    assert_eq!(refusal_of(&create(&api).await).evidence.chars().count(), 500);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_may_have_created_a_task() {
    for (row, answer) in [
        ("no id", success(&json!({}))),
        ("null data", success(&Value::Null)),
        ("empty id", success(&json!({ "taskId": "" }))),
        ("an id no store would take", success(&json!({ "taskId": "x".repeat(500) }))),
        ("cut-off JSON", raw(200, r#"{"code":200,"msg":"success","data":{"taskId":"281e5b"#)),
        ("HTML at 200", raw(200, "<html><body>Just a moment...</body></html>")),
        ("nothing at 200", raw(200, "")),
        ("a list", body(200, &json!([1, 2]))),
        ("no code", body(200, &json!({ "msg": "success" }))),
        ("500 without JSON", raw(500, "Internal Server Error")),
        ("502", raw(502, "<html><head><title>502 Bad Gateway</title></head></html>")),
        ("504", raw(504, "<html>504 Gateway Time-out</html>")),
        ("520", raw(520, "error code: 520")),
        ("522", raw(522, "error code: 522")),
        ("524", raw(524, "error code: 524")),
        ("524 as JSON", body(524, &json!({ "title": "Error 524", "status": 524 }))),
    ] {
        let (_server, api) = answering(answer).await;
        assert_unknown(&create(&api).await, row);
    }
}

#[tokio::test]
async fn an_edge_that_refuses_has_created_nothing() {
    for (answer, reason) in [
        (raw(503, "<html><body>503 Service Temporarily Unavailable</body></html>"), Reason::ProviderFault),
        (raw(526, ""), Reason::ProviderFault),
        (raw(403, "error code: 1010"), Reason::KeyRejected),
        (raw(429, "Too many requests"), Reason::RateLimit),
        (raw(404, "<html>404 Not Found</html>"), Reason::Unrecognised),
        (raw(301, ""), Reason::Unrecognised),
        (
            body(401, &json!({ "error": { "message": "Authentication failed: Invalid API Key" } })),
            Reason::KeyRejected,
        ),
    ] {
        let (_server, api) = answering(answer).await;
        let reply = create(&api).await;
        assert_eq!(reason_of(&reply), reason, "{reply:?}");
    }
}

#[tokio::test]
async fn an_upload_gives_the_address_kie_serves() {
    let served = "https://tempfile.redpandaai.co/kieai/12345/kadr/7f3c.jpg";
    let data = json!({ "success": true, "fileName": "7f3c.jpg", "filePath": "kieai/12345/kadr/7f3c.jpg",
        "downloadUrl": served, "fileSize": 182_044, "mimeType": "image/jpeg",
        "uploadedAt": "2026-04-20T10:11:12.000Z" });
    for answer in [
        body(
            200,
            &json!({ "success": true, "code": 200, "msg": "File uploaded successfully", "data": data }),
        ),
        body(200, &json!({ "success": true, "msg": "File uploaded successfully", "data": data })),
    ] {
        let (_server, api) = answering(answer).await;
        assert_eq!(upload(&api).await, Reply::Yes(served.to_owned()));
    }
}

#[tokio::test]
async fn an_upload_without_a_web_address_is_unknown() {
    for data in
        [json!({}), json!({ "downloadUrl": "" }), json!({ "downloadUrl": "file:///etc/passwd" }), Value::Null]
    {
        let (_server, api) = answering(success(&data)).await;
        assert_unknown(&upload(&api).await, &data.to_string());
    }
}

#[tokio::test]
async fn a_refused_upload_is_classified() {
    for (status, msg, reason) in [
        (400, "Missing required parameter: uploadPath", Reason::BadRequest),
        (401, "Authentication failed: Invalid API Key", Reason::KeyRejected),
        (413, "", Reason::PhotoUnusable),
        (500, "Internal server error", Reason::ProviderFault),
    ] {
        let (_server, api) =
            answering(body(status, &json!({ "success": false, "code": status, "msg": msg }))).await;
        assert_eq!(reason_of(&upload(&api).await), reason, "{status} {msg}");
    }
}

#[tokio::test]
async fn a_balance_is_a_number_of_credits() {
    for (data, credits) in
        [(json!(5916.25), 5916.25), (json!(0), 0.0), (json!("12.5"), 12.5), (json!(-3), -3.0)]
    {
        let (_server, api) = answering(success(&data)).await;
        assert_eq!(api.balance(&key()).await, Reply::Yes(credits));
    }
    for data in [Value::Null, json!("much"), json!({}), json!("NaN"), json!("inf")] {
        let (_server, api) = answering(success(&data)).await;
        assert_unknown(&api.balance(&key()).await, &data.to_string());
    }
    let (_server, api) = answering(refused(401, "Unauthorized")).await;
    assert_eq!(reason_of(&api.balance(&key()).await), Reason::KeyRejected);
}

#[tokio::test]
async fn a_fresh_link_is_a_web_address() {
    let (_server, api) = answering(success(&json!("https://h/signed.mp4?sig=a%2Fb"))).await;
    let link = api.fresh_link(&key(), "https://h/old.mp4").await;
    assert_eq!(link, Reply::Yes("https://h/signed.mp4?sig=a%2Fb".to_owned()));
    let (_server, api) = answering(success(&json!("javascript:alert(1)"))).await;
    assert_unknown(&api.fresh_link(&key(), "https://h/old.mp4").await, "not a web address");
    let (_server, api) = answering(refused(422, "url is wrong")).await;
    let reply = api.fresh_link(&key(), "https://h/old.mp4").await;
    assert!(refusal_of(&reply).evidence.contains("url is wrong"), "{reply:?}");
}
