//! The classifier against every wording that was ever seen, and the laws that hold for wordings nobody has seen.

use domain::failure::{Classification, FailureClass, ProviderAnswer, Reason, ReportClass, classify};
use proptest::prelude::*;
use serde::Deserialize;

/// One line of a fixture: an answer, and how people judged it.
#[derive(Clone, Debug, Deserialize)]
struct Row {
    http_status: Option<u16>,
    code: Option<i64>,
    #[serde(rename = "failCode")]
    fail_code: Option<String>,
    message: String,
    class: String,
    reason: String,
}

impl Row {
    fn answer(&self) -> ProviderAnswer<'_> {
        ProviderAnswer {
            http_status: self.http_status,
            code: self.code,
            fail_code: self.fail_code.as_deref(),
            message: &self.message,
        }
    }
}

#[expect(clippy::panic, reason = "a fixture line that cannot be read is a broken test, and must name itself")]
fn rows(fixture: &str) -> Vec<Row> {
    fixture
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn given() -> Vec<Row> {
    rows(include_str!("fixtures/kie-errors.jsonl"))
}

fn collected() -> Vec<Row> {
    rows(include_str!("fixtures/more-wordings.jsonl"))
}

/// Every row judged otherwise than people did, one readable line each.
fn misjudged(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .filter_map(|row| {
            let Classification { failure, rule } = classify(&row.answer());
            let (class, reason) = (failure.report_class().as_str(), failure.report_reason());
            (class != row.class || reason != row.reason).then(|| {
                format!(
                    "want {}/{}, got {class}/{reason} by {rule}: {:?} {:?} {:?} {}",
                    row.class, row.reason, row.http_status, row.code, row.fail_code, row.message
                )
            })
        })
        .collect()
}

#[test]
fn every_given_message_is_judged_as_people_judged_it() {
    let rows = given();
    let wrong = misjudged(&rows);
    assert_eq!(rows.len(), 97);
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_collected_wording_is_judged_as_people_judged_it() {
    let rows = collected();
    let wrong = misjudged(&rows);
    assert!(wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn no_refusal_is_ever_retried() {
    for row in
        given().iter().chain(&collected()).filter(|row| row.class == ReportClass::UserViolation.as_str())
    {
        let judged = classify(&row.answer());
        assert_eq!(judged.failure.class, FailureClass::UserViolation, "{judged:?}: {}", row.message);
    }
}

#[test]
fn a_refusal_names_what_the_user_can_change() {
    let told = [
        (
            "We currently do not support uploads of images containing photorealistic people.",
            Reason::PeopleInPhoto,
        ),
        ("The request failed because the input image may contain real person.", Reason::PeopleInPhoto),
        ("Possible reasons: people-in-user-uploads.", Reason::PeopleInPhoto),
        ("Content may violate third-party content similarity policies", Reason::ThirdPartyLikeness),
        ("celebrity detected in image", Reason::ThirdPartyLikeness),
        (
            "This content may violate our guardrails around nudity, sexuality, or erotic content.",
            Reason::Nudity,
        ),
        ("This content may violate our guardrails around violence or graphic content.", Reason::Violence),
        ("This content may violate our guardrails around hate speech or discrimination.", Reason::Hate),
        ("This content may violate our guardrails around self-harm.", Reason::SelfHarm),
        ("This content may violate our guardrails around illegal activity.", Reason::IllegalActivity),
        ("Image filtered by moderation", Reason::PhotoRefused),
        ("Your prompt was flagged by Website as violating content policies.", Reason::PromptRefused),
        ("Your request was blocked by our moderation system.", Reason::Moderation),
        (
            "Forbidden content: nudity, violence, hate and self-harm are against our policies",
            Reason::Moderation,
        ),
    ];
    let wrong: Vec<String> = told
        .into_iter()
        .filter_map(|(message, wanted)| {
            let judged = classify(&ProviderAnswer { message, ..ProviderAnswer::default() });
            (judged.failure.reason != wanted).then(|| format!("want {wanted}, got {judged:?}: {message}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_reason_buried_at_the_end_of_a_long_page_is_found() {
    let body = format!("<p>{SAYS_NOTHING}.</p>\n").repeat(200);
    for (reason, told) in [
        (Reason::AccountCredits, "Insufficient credits"),
        (Reason::PeopleInPhoto, "real people are not allowed"),
    ] {
        let message = format!("<!DOCTYPE html><html><body>{body}<h2>{told}</h2></body></html>");
        let judged = classify(&ProviderAnswer { message: &message, ..ProviderAnswer::default() });
        assert_eq!(judged.failure.reason, reason, "{judged:?}");
    }
}

#[test]
fn stored_names_are_read_back() {
    for class in FailureClass::ALL {
        assert_eq!(class.as_str().parse(), Ok(class));
    }
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(reason));
    }
    assert!("USER_VIOLATION".parse::<FailureClass>().is_err());
    assert_eq!(Reason::from_code("people"), None);
}

/// A neutral sentence: it matches no text rule, so that numbers decide alone.
const SAYS_NOTHING: &str = "the lantern drifts over a quiet harbour";

/// Messages of every class, for the laws about disguise.
fn any_row() -> impl Strategy<Value = Row> {
    let rows: Vec<Row> =
        given().into_iter().chain(collected()).filter(|row| !row.message.is_empty()).collect();
    proptest::sample::select(rows)
}

fn class_of(row: &Row, message: &str) -> FailureClass {
    classify(&ProviderAnswer { message, ..row.answer() }).failure.class
}

/// Whether capitals separate words in `text`, as in `InputTextSensitiveContentDetected`.
fn has_humps(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

proptest! {
    #[test]
    fn no_answer_makes_the_classifier_panic(
        message in "\\PC{0,200}",
        fail_code in proptest::option::of("\\PC{0,40}"),
        code in any::<Option<i64>>(),
        http_status in any::<Option<u16>>(),
    ) {
        let answer = ProviderAnswer { http_status, code, fail_code: fail_code.as_deref(), message: &message };
        let judged = classify(&answer);
        prop_assert_eq!(judged.failure.class, judged.failure.reason.class());
    }

    #[test]
    fn markup_and_quotes_never_make_the_classifier_panic(message in "[<>&\"'/!a-z\u{2019}\u{201c}\u{e9}\u{4e2d}:;. \\[\\]#0-9-]{0,120}") {
        let _ = classify(&ProviderAnswer { message: &message, ..ProviderAnswer::default() });
    }

    #[test]
    fn capitals_do_not_change_the_class(row in any_row()) {
        prop_assume!(!has_humps(&row.message));
        prop_assert_eq!(class_of(&row, &row.message.to_uppercase()), class_of(&row, &row.message));
    }

    #[test]
    fn apostrophes_blanks_and_a_final_stop_do_not_change_the_class(row in any_row()) {
        let message = row.message.trim_end_matches('.');
        let usual = class_of(&row, message);
        prop_assert_eq!(class_of(&row, &message.replace('\'', "\u{2019}")), usual);
        prop_assert_eq!(class_of(&row, &message.replace('\u{2019}', "'")), usual);
        prop_assert_eq!(class_of(&row, &message.replace(' ', " \t\n ")), usual);
        prop_assert_eq!(class_of(&row, &format!("  {message}.")), usual);
    }

    #[test]
    fn what_a_relay_writes_in_front_does_not_change_the_class(
        row in any_row(),
        prefix in proptest::sample::select(vec!["500: ", "Error: ", "[422] ", "HTTP 400: ", "Error code: 402 - ", "failMsg: ", "500: Error: "]),
    ) {
        prop_assert_eq!(class_of(&row, &format!("{prefix}{}", row.message)), class_of(&row, &row.message));
    }

    #[test]
    fn ids_and_numbers_inside_do_not_change_the_class(
        row in any_row(),
        id in prop_oneof!["[0-9a-f]{31}[0-9]", "[1-9][0-9]{1,12}", "4(02|29|51|01)", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11}7"],
        place in any::<proptest::sample::Index>(),
    ) {
        prop_assume!(!row.message.contains(['<', '"', '[', ':', '-']));
        let mut words: Vec<&str> = row.message.split(' ').collect();
        words.insert(place.index(words.len() + 1), &id);
        prop_assert_eq!(class_of(&row, &words.join(" ")), class_of(&row, &row.message));
    }

    #[test]
    fn a_text_that_says_nothing_leaves_the_numbers_to_decide(
        fail_number in proptest::option::of(100_i64..600),
        code in proptest::option::of(100_i64..600),
        http_status in proptest::option::of(100_u16..600),
    ) {
        let fail_code = fail_number.map(|number| number.to_string());
        let silent = ProviderAnswer { http_status, code, fail_code: fail_code.as_deref(), message: "" };
        let judged = classify(&silent);
        prop_assert_eq!(classify(&ProviderAnswer { message: SAYS_NOTHING, ..silent }), judged);
        prop_assert_ne!(judged.failure.class, FailureClass::UserViolation);
    }
}
