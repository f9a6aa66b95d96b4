//! What is sent.

use wiremock::matchers::{body_json, header, method, path, query_param};

use super::*;

fn bearer() -> String {
    format!("Bearer {SECRET}")
}

#[tokio::test]
async fn a_task_is_asked_for_in_its_models_shape() {
    let server = MockServer::start().await;
    let expected = json!({
        "model": "sora-2-image-to-video",
        "input": { "prompt": "Slow orbit", "image_urls": ["https://h/p.jpg"], "aspect_ratio": "portrait",
                   "n_frames": "10", "remove_watermark": true, "upload_method": "s3" },
    });
    Mock::given(method("POST"))
        .and(path("/prefix/api/v1/jobs/createTask"))
        .and(header("authorization", bearer()))
        .and(header("content-type", "application/json"))
        .and(body_json(expected))
        .respond_with(success(&json!({ "taskId": TASK })))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(create(&api(&format!("{}/prefix/", server.uri()))).await, Reply::Yes(task()));
}

#[tokio::test]
async fn each_api_has_its_own_paths() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/v1/veo/generate"))
        .respond_with(success(&json!({ "taskId": "veo1" })))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/api/v1/veo/record-info"))
        .and(query_param("taskId", "veo1"))
        .and(header("authorization", bearer()))
        .respond_with(success(&json!({ "successFlag": 0 })))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/api/v1/jobs/recordInfo"))
        .and(query_param("taskId", "odd/id &?"))
        .respond_with(success(&json!({ "state": "waiting" })))
        .expect(1)
        .mount(&server)
        .await;
    let api = api(&server.uri());
    let veo = ModelId::new("veo-3.1-lite").unwrap();
    let request = VideoRequest { model: &veo, prompt: "p", photo_url: "https://h/p.jpg", callback_url: None };
    let created = api.create(&key(), request).await;
    assert_eq!(created, Reply::Yes(TaskId::new("veo1").unwrap()));
    let running = Reply::Yes(ports::RenderStatus::Running);
    assert_eq!(api.status(&key(), &veo, &TaskId::new("veo1").unwrap()).await, running);
    assert_eq!(api.status(&key(), &sora(), &TaskId::new("odd/id &?").unwrap()).await, running);
}

#[tokio::test]
async fn where_to_call_back_stands_beside_the_model_in_every_api() {
    let (server, api) = answering(success(&json!({ "taskId": TASK }))).await;
    let url = "https://kadr.example/kie/callback/7";
    for model in [sora(), ModelId::new("veo-3.1-lite").unwrap()] {
        let request = VideoRequest {
            model: &model,
            prompt: "p",
            photo_url: "https://h/p.jpg",
            callback_url: Some(url),
        };
        assert_eq!(api.create(&key(), request).await, Reply::Yes(task()));
    }
    for request in server.received_requests().await.unwrap() {
        assert_eq!(request.body_json::<Value>().unwrap()["callBackUrl"], url);
    }
}

#[tokio::test]
async fn an_upload_carries_the_bytes_under_a_name_of_their_own() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/file-stream-upload"))
        .and(header("authorization", bearer()))
        .respond_with(success(&json!({ "downloadUrl": "https://h/p.jpg" })))
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(upload(&api(&server.uri())).await, Reply::Yes("https://h/p.jpg".to_owned()));
    let sent = server.received_requests().await.unwrap().remove(0);
    let form = String::from_utf8_lossy(&sent.body).into_owned();
    let name = "00000000-0000-0000-0000-000000007f3c.jpg";
    for part in [
        "name=\"uploadPath\"\r\n\r\nkadr\r\n".to_owned(),
        format!("name=\"fileName\"\r\n\r\n{name}\r\n"),
        format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/jpeg"),
    ] {
        assert!(form.contains(&part), "{part:?} in {form:?}");
    }
    let bytes = photo().bytes;
    assert!(sent.body.windows(bytes.len()).any(|window| window == bytes));
}

#[tokio::test]
async fn balance_and_fresh_links_have_their_own_calls() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/chat/credit"))
        .and(header("authorization", bearer()))
        .respond_with(success(&json!(1.5)))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/api/v1/common/download-url"))
        .and(header("authorization", bearer()))
        .and(body_json(json!({ "url": "https://h/old.mp4" })))
        .respond_with(success(&json!("https://h/new.mp4")))
        .expect(1)
        .mount(&server)
        .await;
    let api = api(&server.uri());
    assert_eq!(api.balance(&key()).await, Reply::Yes(1.5));
    assert_eq!(api.fresh_link(&key(), "https://h/old.mp4").await, Reply::Yes("https://h/new.mp4".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_asked_is_never_sent() {
    let (server, api) = answering(success(&json!({ "taskId": TASK }))).await;
    let stranger = KeyId::new("kie-00000000").unwrap();
    let sora = sora();
    let (off, gone) = (ModelId::new("sora-2-pro").unwrap(), ModelId::new("gone").unwrap());
    let request =
        |model| VideoRequest { model, prompt: "p", photo_url: "https://h/p.jpg", callback_url: None };
    assert_eq!(reason_of(&api.create(&stranger, request(&sora)).await), Reason::KeyRejected);
    assert_eq!(reason_of(&api.upload(&stranger, AttemptId::new(1), &photo()).await), Reason::KeyRejected);
    assert_eq!(reason_of(&api.balance(&stranger).await), Reason::KeyRejected);
    for model in [&off, &gone] {
        assert_eq!(reason_of(&api.create(&key(), request(model)).await), Reason::ModelUnavailable);
    }
    assert_eq!(reason_of(&api.status(&key(), &gone, &task()).await), Reason::ModelUnavailable);
    assert!(server.received_requests().await.unwrap().is_empty());
    // Tasks of a model that was switched off meanwhile are still looked at.
    let _ = api.status(&key(), &off, &task()).await;
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_our_key() {
    let elsewhere = MockServer::start().await;
    let away = ResponseTemplate::new(307).insert_header("location", elsewhere.uri());
    let (_server, api) = answering(away).await;
    assert_eq!(reason_of(&create(&api).await), Reason::Unrecognised);
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}
