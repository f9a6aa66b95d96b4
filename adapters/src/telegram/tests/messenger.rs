use std::{collections::BTreeMap, path::Path, sync::Mutex, time::Duration};

use domain::{
    id::{JobId, OrderId},
    notice::Audience,
};
use ports::{
    ErrorKind, Messenger, OrderText, PortError, TextRole, VideoMessage,
    bot::{ChatButton, MockChatStore, OrderMessages, SentVideo, StatusMessage},
};
use wiremock::ResponseTemplate;

use super::{super::TelegramMessenger, *};

const ORDER: OrderId = OrderId::new(7);
const JOB: JobId = JobId::new(8);
const TO: Audience = Audience::User(USER);

/// What was sent about one order of three videos.
#[derive(Default)]
struct Notes {
    status: Mutex<Option<StatusMessage>>,
    videos: Mutex<BTreeMap<JobId, SentVideo>>,
    ended: Mutex<Vec<u8>>,
    fails: Mutex<u32>,
}

impl Notes {
    fn keep(&self) -> Result<(), PortError> {
        let mut fails = self.fails.lock().unwrap();
        if *fails == 0 {
            return Ok(());
        }
        *fails -= 1;
        Err(PortError::new(ErrorKind::Transient, "the database is away"))
    }
}

#[async_trait]
impl OrderMessages for Notes {
    async fn status(&self, order: OrderId) -> Result<Option<StatusMessage>, PortError> {
        assert_eq!(order, ORDER);
        Ok(self.status.lock().unwrap().clone())
    }

    async fn keep_status(&self, _: OrderId, chat: UserId, status: &StatusMessage) -> Result<(), PortError> {
        assert_eq!(chat, USER);
        self.keep()?;
        *self.status.lock().unwrap() = Some(status.clone());
        Ok(())
    }

    async fn video(&self, job: JobId) -> Result<Option<SentVideo>, PortError> {
        Ok(self.videos.lock().unwrap().get(&job).cloned())
    }

    async fn keep_video(&self, job: JobId, video: &SentVideo, _: Timestamp) -> Result<(), PortError> {
        self.keep()?;
        self.videos.lock().unwrap().entry(job).or_insert_with(|| video.clone());
        Ok(())
    }

    async fn ends(&self, _: OrderId, _: UserId, number: u8, of: u8) -> Result<bool, PortError> {
        let mut ended = self.ended.lock().unwrap();
        if !ended.contains(&number) {
            ended.push(number);
        }
        Ok(ended.iter().position(|n| *n == number) == Some(usize::from(of) - 1))
    }
}

struct House {
    stub: Stub,
    clock: Arc<Hand>,
    notes: Arc<Notes>,
    messenger: TelegramMessenger,
    keyboard: Vec<Vec<ChatButton>>,
}

impl House {
    async fn answering(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        Self::with(answers, Vec::new(), MockChatStore::new()).await
    }

    async fn with(
        answers: impl IntoIterator<Item = ResponseTemplate>,
        admins: Vec<UserId>,
        chats: MockChatStore,
    ) -> Self {
        let (stub, clock) = (Stub::answering(answers).await, Hand::new());
        let notes = Arc::new(Notes::default());
        let client = Arc::new(stub.client(&clock));
        let messenger = TelegramMessenger::new(client, Arc::clone(&notes) as _, Arc::new(chats), admins);
        let keyboard = vec![vec![ChatButton { label: "Again".to_owned(), data: "again:7".to_owned() }]];
        Self { stub, clock, notes, messenger, keyboard }
    }

    async fn text(
        &self,
        to: Audience,
        text: &str,
        role: TextRole,
        is_followed: bool,
    ) -> Result<(), PortError> {
        let told = OrderText { order: ORDER, text, role, is_followed, keyboard: &self.keyboard };
        self.messenger.send_text(to, told).await
    }

    async fn progress(&self, text: &str) -> Result<(), PortError> {
        self.text(TO, text, TextRole::Progress, false).await
    }

    async fn video(&self, job: u128, number: u8, file: &Path, link: Option<&str>) -> Result<(), PortError> {
        let video = VideoMessage {
            order: ORDER,
            job: JobId::new(job),
            video: (number, 3),
            file,
            caption: "Done!",
            link,
            keyboard: &self.keyboard,
        };
        self.messenger.send_video(TO, video).await
    }

    fn kept(&self) -> Option<SentVideo> {
        self.notes.videos.lock().unwrap().get(&JOB).cloned()
    }
}

fn clip(dir: &tempfile::TempDir, bytes: u64) -> std::path::PathBuf {
    let path = dir.path().join("clip.mp4");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(bytes).unwrap();
    path
}

fn sent_video(id: i64) -> ResponseTemplate {
    yes(json!({
        "message_id": id,
        "chat": { "id": 77, "type": "private" },
        "date": 1_790_000_000,
        "video": { "file_id": "the-video", "file_unique_id": "v", "a_field_of_tomorrow": [] },
    }))
}

#[tokio::test]
async fn an_order_has_one_message_that_is_edited_at_most_every_ten_seconds() {
    let house = House::answering([sent(5)]).await;
    house.progress("accepted").await.unwrap();
    house.progress("accepted").await.unwrap();
    house.clock.advance(3_000);
    let error = house.progress("rendering").await.unwrap_err();
    let free_at = NOW.after(Duration::from_secs(10));
    assert_eq!((error.kind(), error.retry_at()), (ErrorKind::Transient, Some(free_at)));
    house.clock.advance(7_000);
    house.progress("rendering").await.unwrap();
    let asked = house.stub.asked().await;
    assert_eq!(asked[0], ("sendmessage".to_owned(), json!({ "chat_id": 77, "text": "accepted" })));
    let edit = json!({ "chat_id": 77, "message_id": 5, "text": "rendering" });
    assert_eq!(asked[1..], [("editmessagetext".to_owned(), edit)]);
}

#[tokio::test]
async fn a_text_that_would_have_to_wait_is_left_out_when_another_follows() {
    let house = House::answering([sent(5)]).await;
    house.progress("accepted").await.unwrap();
    house.text(TO, "writing", TextRole::Progress, true).await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendmessage"]);
    house.clock.advance(10_000);
    house.text(TO, "rendering", TextRole::Progress, true).await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendmessage", "editmessagetext"]);
}

#[tokio::test]
async fn a_status_message_the_user_deleted_is_not_sent_again() {
    let house = House::answering([sent(5), no(400, "Bad Request: message to edit not found")]).await;
    house.progress("accepted").await.unwrap();
    house.clock.advance(10_000);
    house.progress("rendering").await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendmessage", "editmessagetext"]);
}

#[tokio::test]
async fn a_long_text_is_kept_as_it_was_sent() {
    let house = House::answering([sent(5)]).await;
    let text = "я".repeat(5_000);
    house.progress(&text).await.unwrap();
    house.clock.advance(10_000);
    house.progress(&text).await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendmessage"]);
}

#[tokio::test]
async fn only_the_last_end_of_an_order_has_the_buttons() {
    let house = House::answering([sent(5)]).await;
    for number in [2, 1, 3, 3] {
        house.text(TO, "refunded", TextRole::Ended { video: (number, 3) }, false).await.unwrap();
        house.clock.advance(1_000);
    }
    let asked = house.stub.asked().await;
    let with_buttons: Vec<_> = asked.iter().map(|(_, body)| body.get("reply_markup").is_some()).collect();
    assert_eq!(with_buttons, [false, false, true, true], "the last, at each try");
    assert!(asked.iter().all(|(method, _)| method == "sendmessage"));
}

#[tokio::test]
async fn alerts_go_to_whoever_is_configured_and_fail_only_when_nobody_heard() {
    let nobody = House::answering([sent(5)]).await;
    nobody.text(Audience::Operator, "help", TextRole::Alert, false).await.unwrap();
    assert!(nobody.stub.methods().await.is_empty());

    let admins = vec![UserId::new(1), UserId::new(2)];
    let blocked = || no(403, "Forbidden: bot was blocked by the user");
    let one = House::with([blocked(), sent(5)], admins.clone(), MockChatStore::new()).await;
    one.text(Audience::Operator, "help", TextRole::Alert, false).await.unwrap();
    let asked: Vec<_> = one.stub.asked().await.iter().map(|(_, body)| body["chat_id"].clone()).collect();
    assert_eq!(asked, [1, 2]);

    let none = House::with([no(500, "Internal Server Error")], admins, MockChatStore::new()).await;
    let error = none.text(Audience::Operator, "help", TextRole::Alert, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn a_user_who_stopped_the_bot_is_noted() {
    let mut chats = MockChatStore::new();
    chats.expect_set_blocked().times(2).returning(|user, since| {
        assert_eq!((user, since), (USER, Some(NOW)));
        Err(PortError::new(ErrorKind::Transient, "away"))
    });
    let blocked = no(403, "Forbidden: bot was blocked by the user");
    let house = House::with([blocked], Vec::new(), chats).await;
    assert_eq!(house.progress("accepted").await.unwrap_err().kind(), ErrorKind::Unreachable);
    let dir = tempfile::tempdir().unwrap();
    let error = house.video(8, 1, &clip(&dir, 9), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_video_is_uploaded_once_and_remembered() {
    let house = House::answering([sent_video(9)]).await;
    let dir = tempfile::tempdir().unwrap();
    let file = clip(&dir, 0);
    std::fs::write(&file, tall_video()).unwrap();
    for number in [2, 3] {
        house.text(TO, "refunded", TextRole::Ended { video: (number, 3) }, false).await.unwrap();
    }
    house.video(8, 1, &file, None).await.unwrap();
    house.video(8, 1, &file, None).await.unwrap();
    assert_eq!(house.kept(), Some(SentVideo { message: 9, file: Some("the-video".to_owned()) }));
    let requests = house.stub.server.received_requests().await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendmessage", "sendmessage", "sendvideo"]);
    let body = String::from_utf8_lossy(&requests[2].body).into_owned();
    for part in [
        "name=\"chat_id\"\r\n\r\n77\r\n",
        "name=\"caption\"\r\n\r\nDone!\r\n",
        "name=\"supports_streaming\"\r\n\r\ntrue\r\n",
        "name=\"width\"\r\n\r\n720\r\n",
        "name=\"height\"\r\n\r\n1280\r\n",
        "{\"inline_keyboard\":[[{\"text\":\"Again\",\"callback_data\":\"again:7\"}]]}",
        "name=\"video\"; filename=\"video.mp4\"\r\nContent-Type: video/mp4\r\n\r\n",
    ] {
        assert!(body.contains(&part.to_lowercase()) || body.contains(part), "{part} in {body}");
    }
    assert!(requests[2].headers.contains_key("content-length"));
}

/// As much of an MP4 as says that it is 720 by 1280.
fn tall_video() -> Vec<u8> {
    let boxed = |kind: &[u8; 4], body: &[u8]| {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, body].concat()
    };
    let mut header = vec![0; 76];
    header.extend([2, 208, 0, 0, 5, 0, 0, 0]);
    let track = boxed(b"trak", &boxed(b"tkhd", &header));
    [boxed(b"ftyp", b"isom"), boxed(b"moov", &track)].concat()
}

#[tokio::test]
async fn each_answer_to_an_upload_says_what_is_known() {
    for (answer, kind) in [
        (no(400, "Bad Request: wrong file"), ErrorKind::Rejected),
        (no(413, "Request Entity Too Large"), ErrorKind::Rejected),
        (ResponseTemplate::new(413).set_body_string("<html>"), ErrorKind::Rejected),
        (no(502, "Bad Gateway"), ErrorKind::Transient),
        (slow_down(9), ErrorKind::Transient),
        (ResponseTemplate::new(200).set_body_string("{"), ErrorKind::AnswerLost),
    ] {
        let told = format!("{answer:?}");
        let house = House::answering([answer]).await;
        let dir = tempfile::tempdir().unwrap();
        let error = house.video(8, 1, &clip(&dir, 9), None).await.unwrap_err();
        assert_eq!((error.kind(), house.kept()), (kind, None), "{told}");
    }
}

#[tokio::test]
async fn an_upload_without_an_answer_may_have_arrived() {
    let clock = Hand::new();
    let silent = yes(json!({})).set_delay(Duration::from_secs(600));
    let stub = Stub::answering([silent]).await;
    let config = TelegramConfig {
        base_url: stub.server.uri().parse().unwrap(),
        transfer_timeout: Duration::from_millis(300),
        ..TelegramConfig::new(TOKEN.to_owned().into())
    };
    let client = Arc::new(TelegramClient::new(config, Arc::clone(&clock) as _).unwrap());
    let notes = Arc::new(Notes::default());
    let messenger = TelegramMessenger::new(client, notes, Arc::new(MockChatStore::new()), Vec::new());
    let dir = tempfile::tempdir().unwrap();
    let file = clip(&dir, 9);
    let video = VideoMessage {
        order: ORDER,
        job: JOB,
        video: (1, 1),
        file: &file,
        caption: "",
        link: None,
        keyboard: &[],
    };
    assert_eq!(messenger.send_video(TO, video).await.unwrap_err().kind(), ErrorKind::AnswerLost);
}

#[tokio::test]
async fn a_video_that_is_too_large_goes_out_as_a_link_or_is_refused_with_the_reason() {
    let house = House::answering([sent(9)]).await;
    let dir = tempfile::tempdir().unwrap();
    let file = clip(&dir, (50 << 20) + 1);
    let error = house.video(8, 1, &file, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.to_string().contains("50 MB"), "{error}");
    house.video(8, 1, &file, Some("https://files.example/a.mp4")).await.unwrap();
    let asked = house.stub.asked().await;
    assert_eq!(asked[0].1["text"], "Done!\nhttps://files.example/a.mp4");
    assert_eq!(house.kept(), Some(SentVideo { message: 9, file: None }));
}

#[tokio::test]
async fn what_is_out_is_not_sent_again_because_the_store_was_away() {
    let house = House::answering([sent_video(9)]).await;
    let dir = tempfile::tempdir().unwrap();
    let file = clip(&dir, 9);
    *house.notes.fails.lock().unwrap() = 2;
    house.video(8, 1, &file, None).await.unwrap();
    assert!(house.kept().is_some(), "the third try wrote it down");
    *house.notes.fails.lock().unwrap() = 100;
    house.video(9, 2, &file, None).await.unwrap();
    assert_eq!(house.stub.methods().await, ["sendvideo", "sendvideo"]);
}

#[tokio::test]
async fn a_missing_file_is_no_message() {
    let house = House::answering([sent_video(9)]).await;
    let error = house.video(8, 1, Path::new("/nonexistent/clip.mp4"), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(house.stub.methods().await.is_empty());
}
