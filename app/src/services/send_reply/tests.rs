use std::{sync::Arc, time::Duration};

use domain::id::UserId;
use ports::bot::{
    ChatAction, ChatMessage, MockChatClient, MockChatStore, MockInbox, MockOrderMessages, MockPrivacy,
    MockPurchases, MockReplyQueue, MockUpdateReader,
};

use super::*;
use crate::fixtures::{self, Mocks, START};

fn reply(failures: u32) -> Reply {
    let action = ChatAction::Send(ChatMessage { text: "Hello".to_owned(), keyboard: Vec::new() });
    Reply { id: 3, chat: UserId::new(7), action, failures, lease: 1 }
}

#[derive(Default)]
struct Bot {
    client: MockChatClient,
    chats: MockChatStore,
    replies: MockReplyQueue,
}

impl Bot {
    fn answering(answer: impl Fn() -> Result<(), PortError> + Send + 'static) -> Self {
        let mut bot = Self::default();
        bot.client.expect_act().times(1).returning(move |_, _| answer());
        bot
    }

    async fn send(self, failures: u32) -> Sending {
        let bot = BotPorts {
            inbox: Arc::new(MockInbox::new()),
            chats: Arc::new(self.chats),
            replies: Arc::new(self.replies),
            order_messages: Arc::new(MockOrderMessages::new()),
            purchases: Arc::new(MockPurchases::new()),
            privacy: Arc::new(MockPrivacy::new()),
            client: Arc::new(self.client),
            reader: Arc::new(MockUpdateReader::new()),
        };
        let ports = Mocks::default().into_ports();
        send_reply(&ports, &bot, &fixtures::policy(), &reply(failures)).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_confirmed_is_written_down_as_sent() {
    let mut bot = Bot::answering(|| Ok(()));
    bot.replies.expect_sent().times(1).returning(|_, _| Ok(()));
    assert_eq!(bot.send(0).await, Sending::Sent);
}

#[tokio::test]
async fn a_chat_that_has_to_wait_waits_as_long_as_it_is_told_however_often() {
    let at = START.after(Duration::from_secs(77));
    let mut bot = Bot::answering(move || Err(PortError::new(ErrorKind::Transient, "slow").not_before(at)));
    bot.replies.expect_postpone().times(1).returning(move |_, until, _| {
        assert_eq!(until, at);
        Ok(())
    });
    assert_eq!(bot.send(100).await, Sending::Postponed { until: at });
}

#[tokio::test]
async fn an_unknown_outcome_is_tried_again_and_at_last_given_up() {
    let lost = || Err(PortError::new(ErrorKind::AnswerLost, "silence"));
    let mut bot = Bot::answering(lost);
    bot.replies.expect_postpone().times(1).returning(|_, _, _| Ok(()));
    assert!(matches!(bot.send(0).await, Sending::Postponed { .. }));
    let mut bot = Bot::answering(lost);
    bot.replies.expect_give_up().times(1).returning(|_, _, _| Ok(()));
    assert_eq!(bot.send(11).await, Sending::GivenUp);
}

#[tokio::test]
async fn a_user_who_stopped_the_bot_is_noted_and_left_alone() {
    let mut bot = Bot::answering(|| Err(PortError::new(ErrorKind::Unreachable, "blocked")));
    bot.chats.expect_set_blocked().times(1).returning(|user, since| {
        assert_eq!((user, since.is_some()), (UserId::new(7), true));
        Ok(())
    });
    bot.replies.expect_give_up().times(1).returning(|_, _, _| Ok(()));
    assert_eq!(bot.send(0).await, Sending::GivenUp);
}
