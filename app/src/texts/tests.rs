use std::time::Duration;

use domain::{
    failure::{Failure, FailureClass},
    id::{KeyId, ModelId, OrderId, UserId},
    money::Credits,
    notice::Audience,
    order::Quantity,
};

use super::*;

fn causes() -> Vec<RefundCause> {
    let mut causes = RefundCause::WITHOUT_REASON.to_vec();
    causes.extend(Reason::ALL.into_iter().map(RefundCause::Violation));
    causes.extend(Reason::ALL.into_iter().map(RefundCause::Input));
    causes
}

fn kinds() -> Vec<NoticeKind> {
    let mut kinds = vec![
        NoticeKind::WritingPrompt,
        NoticeKind::Rendering { expected: Duration::from_secs(180) },
        NoticeKind::Retrying { retry: 1, of: 3, delay: Duration::from_secs(10) },
        NoticeKind::Cancelled { credits: Credits::of(1) },
        NoticeKind::KeyOut {
            key: KeyId::new("kie-1f2e").unwrap(),
            failure: Failure { class: FailureClass::Billing, reason: Reason::AccountCredits },
        },
        NoticeKind::NoKeyLeft,
        NoticeKind::ProviderDown,
        NoticeKind::OutageBegan,
        NoticeKind::OutageEnded,
        NoticeKind::ModelOut { model: ModelId::new("sora-2").unwrap() },
        NoticeKind::RequestRefused,
        NoticeKind::JobAbandoned,
    ];
    kinds
        .extend(Quantity::ALL.map(|quantity| NoticeKind::OrderAccepted { quantity, held: quantity.price() }));
    kinds.extend(causes().into_iter().map(|cause| NoticeKind::Refunded { cause, credits: Credits::of(1) }));
    kinds
}

fn told(language: Language, kind: NoticeKind, video: Option<(u8, u8)>) -> String {
    let audience = Audience::User(UserId::new(7));
    notice(language, &Notice { audience, order: OrderId::new(1), video, kind })
}

#[test]
fn both_languages_parse_and_have_the_same_texts() {
    let keys = Language::ALL.map(|language| {
        let resource =
            FluentResource::try_new(language.source().to_owned()).map_err(|(_, errors)| errors).unwrap();
        let mut keys: Vec<String> = language
            .source()
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .filter(|(key, _)| !key.starts_with([' ', '#']))
            .map(|(key, _)| key.to_owned())
            .collect();
        assert_eq!(resource.entries().count(), keys.len(), "{language:?}");
        keys.sort();
        keys
    });
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn every_notice_has_a_text_in_every_language() {
    for language in Language::ALL {
        for kind in kinds() {
            let text = told(language, kind.clone(), Some((2, 3)));
            assert!(text.chars().count() > 15, "{language:?} {kind:?}: {text}");
            assert!(!text.contains(['{', '}', '$', '\u{2068}', '\u{2069}']), "{language:?} {kind:?}: {text}");
            // A missing text shows its key, and keys have no spaces.
            assert!(text.lines().all(|line| line.contains(' ')), "{language:?} {kind:?}: {text}");
        }
    }
}

#[test]
fn every_refund_says_that_the_credit_is_back() {
    for cause in causes() {
        let kind = NoticeKind::Refunded { cause, credits: Credits::of(1) };
        assert!(told(Language::Ru, kind.clone(), None).contains("Вернули вам 1 кредит."), "{cause:?}");
        assert!(told(Language::En, kind, None).contains("1 credit is back"), "{cause:?}");
    }
}

#[test]
fn every_refusal_says_what_to_do_next() {
    for reason in Reason::ALL {
        let kind = NoticeKind::Refunded { cause: RefundCause::Violation(reason), credits: Credits::of(1) };
        let ru = told(Language::Ru, kind.clone(), None);
        assert!(["закажите", "попробуйте", "Попробуйте"].iter().any(|word| ru.contains(word)), "{ru}");
        let en = told(Language::En, kind, None);
        assert!(["order again", "try ", "Try "].iter().any(|word| en.contains(word)), "{en}");
    }
}

#[test]
fn refusals_of_different_reasons_read_differently() {
    let of_user: Vec<_> =
        Reason::ALL.into_iter().filter(|r| r.class() == FailureClass::UserViolation).collect();
    let mut texts: Vec<_> =
        of_user.iter().map(|reason| say(Language::Ru, reason_key(*reason), &[])).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), of_user.len());
}

#[test]
fn numbers_are_declined() {
    let accepted = |quantity: Quantity| {
        told(Language::Ru, NoticeKind::OrderAccepted { quantity, held: quantity.price() }, None)
    };
    assert!(accepted(Quantity::One).contains("Отложен 1 кредит:"));
    assert!(accepted(Quantity::Three).contains("Отложено 3 кредита:"));
    assert!(accepted(Quantity::Five).contains("Отложено 5 кредитов:"));
    let retrying = |seconds| {
        let delay = Duration::from_secs(seconds);
        told(Language::Ru, NoticeKind::Retrying { retry: 1, of: 3, delay }, None)
    };
    assert!(retrying(21).contains("21 секунду "));
    assert!(retrying(22).contains("22 секунды "));
    assert!(retrying(40).contains("40 секунд "));
}

#[test]
fn only_one_of_several_videos_is_named() {
    let one = told(Language::Ru, NoticeKind::WritingPrompt, Some((1, 1)));
    let second = told(Language::Ru, NoticeKind::WritingPrompt, Some((2, 3)));
    assert_eq!(second, format!("Видео 2 из 3\n{one}"));
    assert_eq!(caption(Language::En, (1, 1), None), "Done! Here is your video ✨");
    assert_eq!(caption(Language::En, (2, 3), None), "Done! Video 2 of 3 ✨");
}

#[test]
fn whoever_gets_a_video_of_another_model_is_told_which() {
    let model = |id| ModelId::new(id).unwrap();
    for language in Language::ALL {
        let stand_in = (&model("sora-2"), &model("hailuo-2.3"));
        let text = caption(language, (2, 3), Some(stand_in));
        assert!(text.contains("sora-2") && text.contains("hailuo-2.3"), "{text}");
        assert!(text.starts_with(&caption(language, (2, 3), None)), "{text}");
    }
}

#[test]
fn an_accepted_order_reads_well() {
    let kind = NoticeKind::OrderAccepted { quantity: Quantity::Three, held: Credits::of(3) };
    assert_eq!(
        told(Language::Ru, kind, None),
        "🎬 Проект взят в работу: 3 видео. Отложено 3 кредита: если видео не получится, кредит вернётся сам."
    );
}
