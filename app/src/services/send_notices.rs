//! Sending what was committed to be said.

use domain::notice::{Audience, Notice, NoticeKind};
use ports::{OrderText, OutboxMessage, PortError, TextRole, bot::ChatButton};

use super::{
    addressee,
    insist::insist,
    sending::{Sending, story, wait_after, within_claim},
};
use crate::{Policy, Ports, ids};

/// Renders one claimed message, sends it and writes down what came of it. Messages to the operator are logged as
/// well, so that an alert is seen even where nobody is reachable.
///
/// # Errors
/// The outbox's; the message is then claimed and sent again when its lease runs out.
pub async fn send_notice(
    ports: &Ports,
    policy: &Policy,
    message: &OutboxMessage,
) -> Result<Sending, PortError> {
    let notice = &message.notice;
    let (language, text) = addressee::text_of(ports, policy, notice).await;
    let keyboard = addressee::buttons_after(language, &notice.kind, notice.order);
    if notice.audience == Audience::Operator {
        tracing::warn!(order.id = %notice.order, alert = %text, "the operator is needed");
    }
    let told = order_text(notice, &text, message.is_followed, &keyboard);
    let sent = within_claim(ports, policy, ports.messenger.send_text(notice.audience, told)).await;
    let now = ports.clock.now();
    let (sending, written) = match sent {
        Ok(()) => (Sending::Sent, insist(&*ports.clock, || ports.outbox.sent(message, now)).await),
        Err(error) => {
            let failures = message.failures.saturating_add(1);
            let delay = wait_after(policy, &error, failures, now);
            let why = story(&error);
            tracing::warn!(
                order.id = %notice.order,
                notice.id = %message.id,
                failures,
                retry_in_s = delay.map(|d| d.as_secs()),
                error = %why,
                "a message was not sent"
            );
            match delay {
                Some(delay) => {
                    let at = now.after(delay);
                    let write = || ports.outbox.postpone(message, at, &why);
                    (Sending::Postponed { until: at }, insist(&*ports.clock, write).await)
                }
                None => {
                    let write = || ports.outbox.give_up(message, now, &why);
                    (Sending::GivenUp, insist(&*ports.clock, write).await)
                }
            }
        }
    };
    sending.written(written)
}

/// A notice as the messenger is given it, with its words and the buttons it may carry.
#[must_use]
pub fn order_text<'a>(
    notice: &Notice,
    text: &'a str,
    is_followed: bool,
    keyboard: &'a [Vec<ChatButton>],
) -> OrderText<'a> {
    let role = match (notice.audience, &notice.kind, notice.video) {
        (Audience::Operator, ..) => TextRole::Alert,
        (_, NoticeKind::Refunded { .. } | NoticeKind::Cancelled { .. }, Some(video)) => {
            TextRole::Ended { video }
        }
        _ => TextRole::Progress,
    };
    OrderText { order: notice.order, text, role, is_followed, keyboard }
}

/// Sends everything that is due, one message after the other, and returns how many it handled. For whoever stops
/// its loops and wants the last messages out.
///
/// # Errors
/// Those of the outbox.
pub async fn send_what_is_due(ports: &Ports, policy: &Policy) -> Result<usize, PortError> {
    const BATCH: u32 = 16;
    let worker = ids::worker(ports);
    let mut handled = 0;
    loop {
        let now = ports.clock.now();
        let claim = ports.outbox.claim_due(worker, BATCH, now.after(policy.lease.lease), now).await?;
        if claim.messages.is_empty() {
            return Ok(handled);
        }
        for message in &claim.messages {
            send_notice(ports, policy, message).await?;
            handled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        id::{NoticeId, OrderId, UserId},
        notice::{Notice, NoticeKind},
    };
    use ports::ErrorKind;

    use super::*;
    use crate::fixtures::{self, Mocks, START};

    fn message(failures: u32) -> OutboxMessage {
        let notice = Notice {
            audience: Audience::User(UserId::new(5)),
            order: OrderId::new(7),
            video: Some((1, 1)),
            kind: NoticeKind::WritingPrompt,
        };
        OutboxMessage { id: NoticeId::new(1), notice, failures, lease: 1, is_followed: false }
    }

    fn failing(kind: ErrorKind) -> Mocks {
        let mut mocks = Mocks::default();
        mocks
            .messenger
            .expect_send_text()
            .times(1)
            .returning(move |_, _| Err(PortError::new(kind, "not sent")));
        mocks
    }

    async fn send(mocks: Mocks, failures: u32) -> Sending {
        send_notice(&mocks.into_ports(), &fixtures::policy(), &message(failures)).await.unwrap()
    }

    #[tokio::test]
    async fn a_message_is_sent_in_words() {
        let mut mocks = Mocks::default();
        mocks.messenger.expect_send_text().times(1).returning(|_, told| {
            assert!(told.text.contains("Preparing the script"), "{}", told.text);
            assert_eq!((told.order, told.role), (OrderId::new(7), TextRole::Progress));
            Ok(())
        });
        mocks.outbox.expect_sent().times(1).returning(|_, _| Ok(()));
        assert_eq!(send(mocks, 0).await, Sending::Sent);
    }

    #[tokio::test]
    async fn a_message_that_failed_waits_ever_longer() {
        let mut mocks = failing(ErrorKind::AnswerLost);
        let third = fixtures::policy().sending.first_delay * 4;
        mocks.outbox.expect_postpone().times(1).returning(move |_, at, why| {
            assert_eq!((at, why), (START.after(third), "not sent"));
            Ok(())
        });
        assert_eq!(send(mocks, 2).await, Sending::Postponed { until: START.after(third) });
    }

    #[tokio::test]
    async fn a_message_waits_as_long_as_the_messenger_says() {
        let mut mocks = Mocks::default();
        let at = START.after(std::time::Duration::from_secs(245));
        mocks
            .messenger
            .expect_send_text()
            .times(1)
            .returning(move |_, _| Err(PortError::new(ErrorKind::Transient, "slow down").not_before(at)));
        mocks.outbox.expect_postpone().times(1).returning(move |_, until, _| {
            assert_eq!(until, at);
            Ok(())
        });
        assert_eq!(send(mocks, 0).await, Sending::Postponed { until: at });
    }

    #[test]
    fn a_notice_says_what_it_is_to_its_order() {
        let role = |kind, audience| {
            let notice = Notice { audience, order: OrderId::new(7), video: Some((2, 3)), kind };
            order_text(&notice, "", false, &[]).role
        };
        let user = Audience::User(UserId::new(5));
        let cancelled = NoticeKind::Cancelled { credits: domain::money::Credits::of(1) };
        assert_eq!(role(cancelled, user), TextRole::Ended { video: (2, 3) });
        assert_eq!(role(NoticeKind::WritingPrompt, user), TextRole::Progress);
        assert_eq!(role(NoticeKind::NoKeyLeft, Audience::Operator), TextRole::Alert);
    }

    #[tokio::test]
    async fn a_recipient_who_is_gone_and_a_message_tried_too_often_are_given_up() {
        for (kind, failures) in
            [(ErrorKind::Rejected, 0), (ErrorKind::Unreachable, 0), (ErrorKind::Transient, 11)]
        {
            let mut mocks = failing(kind);
            mocks.outbox.expect_give_up().times(1).returning(|_, _, _| Ok(()));
            assert_eq!(send(mocks, failures).await, Sending::GivenUp);
        }
    }

    #[tokio::test]
    async fn a_sent_message_is_not_sent_again_because_the_store_was_away() {
        let mut mocks = Mocks::default();
        mocks.messenger.expect_send_text().times(1).returning(|_, _| Ok(()));
        let mut tries = 0;
        mocks.outbox.expect_sent().times(2).returning(move |_, _| {
            tries += 1;
            if tries == 1 { Err(PortError::new(ErrorKind::Transient, "away")) } else { Ok(()) }
        });
        assert_eq!(send(mocks, 0).await, Sending::Sent);
    }
}
