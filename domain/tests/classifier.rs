//! The classifier against every wording that was ever seen, and the laws that hold for wordings nobody has seen.

use domain::failure::{Classification, FailureClass, ProviderAnswer, ReportClass, classify};
use serde::Deserialize;

/// One line of a fixture: an answer, and how people judged it.
#[derive(Debug, Deserialize)]
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
