//! Payments.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Lab, OLGA};
use crate::telegram::model::{PaymentEnd, Rule};

fn invoice(changes: &[(&str, Value)]) -> Value {
    let mut invoice = json!({
        "chat_id": OLGA, "title": "5 videos", "description": "Credits for 5 videos", "payload": "order:7",
        "currency": "XTR", "prices": [{ "label": "5 videos", "amount": 250 }],
    });
    for (name, value) in changes {
        invoice[*name] = value.clone();
    }
    invoice
}

/// An invoice is shown and its button pressed: the query.
fn try_to_pay(lab: &mut Lab) -> String {
    lab.wait(Duration::from_secs(1));
    let message = lab.call("sendInvoice", &invoice(&[]))["message_id"].as_i64().unwrap();
    lab.model.pay(OLGA, message, lab.now).unwrap()
}

#[test]
fn a_bill_in_stars_has_one_whole_price_and_no_provider() {
    let mut lab = Lab::new();
    let price = |amount: Value| json!([{ "label": "x", "amount": amount }]);
    for (name, value, refused) in [
        ("title", json!("x".repeat(33)), "INVOICE_TITLE_INVALID"),
        ("description", json!("x".repeat(256)), "INVOICE_DESCRIPTION_INVALID"),
        ("payload", json!("ы".repeat(65)), "INVOICE_PAYLOAD_INVALID"),
        ("title", json!(""), "parameter \"title\" is required"),
        ("currency", json!("XTS"), "PAYMENT_PROVIDER_INVALID"),
        ("currency", json!("Stars"), "CURRENCY_INVALID"),
        ("provider_token", json!("381764678:TEST:1"), "STARS_INVOICE_INVALID"),
        ("need_email", json!(true), "STARS_INVOICE_INVALID"),
        ("prices", price(json!(0)), "STARS_INVOICE_INVALID"),
        (
            "prices",
            json!([{ "label": "a", "amount": 1 }, { "label": "b", "amount": 1 }]),
            "STARS_INVOICE_INVALID",
        ),
        ("prices", price(json!(2.5)), "can't parse prices JSON array"),
        ("prices", json!("{"), "can't parse prices JSON array"),
        ("reply_markup", super::one_button("go"), "BUTTON_TYPE_INVALID"),
    ] {
        assert_eq!(lab.bad("sendInvoice", &invoice(&[(name, value)])), refused, "{name}");
    }
    let sent = lab.call("sendInvoice", &invoice(&[("provider_token", json!(""))]));
    assert_eq!(sent["invoice"]["total_amount"], 250);
    assert_eq!(sent["reply_markup"]["inline_keyboard"][0][0]["pay"], true);
}

#[test]
fn a_payment_asks_first_and_is_told_with_its_charge() {
    let mut lab = Lab::new();
    let query = try_to_pay(&mut lab);
    let asked = lab.updates(0)[0]["pre_checkout_query"].clone();
    assert_eq!((&asked["id"], &asked["invoice_payload"]), (&json!(query), &json!("order:7")));
    assert_eq!((&asked["currency"], &asked["total_amount"]), (&json!("XTR"), &json!(250)));
    let yes = json!({ "pre_checkout_query_id": query, "ok": true });
    assert_eq!(lab.call("answerPreCheckoutQuery", &yes), true);
    let Ok(PaymentEnd::Paid(payment)) = lab.model.payment_end(&query, lab.now) else { panic!() };
    let told = lab.updates(0)[1]["message"]["successful_payment"].clone();
    assert_eq!(told["telegram_payment_charge_id"], payment.charge);
    assert_eq!((&told["invoice_payload"], &told["total_amount"]), (&json!("order:7"), &json!(250)));
    assert!(lab.bad("answerPreCheckoutQuery", &yes).starts_with("query is too old"));
    lab.wait(Duration::from_secs(60));
    assert_eq!(lab.broken(), []);
}

#[test]
fn a_refusal_has_a_reason_and_takes_no_money() {
    let mut lab = Lab::new();
    let query = try_to_pay(&mut lab);
    let no = json!({ "pre_checkout_query_id": query, "ok": false });
    assert_eq!(lab.bad("answerPreCheckoutQuery", &no), "parameter \"error_message\" is required");
    let no = json!({ "pre_checkout_query_id": query, "ok": false, "error_message": "sold out" });
    assert_eq!(lab.call("answerPreCheckoutQuery", &no), true);
    assert_eq!(lab.model.payment_end(&query, lab.now), Ok(PaymentEnd::Refused("sold out".to_owned())));
    assert_eq!(lab.model.payments(), []);
}

#[test]
fn a_query_not_answered_within_10_seconds_takes_no_money() {
    let mut lab = Lab::new();
    let query = try_to_pay(&mut lab);
    lab.updates(0);
    assert_eq!(lab.model.payment_end(&query, lab.now), Err(lab.now.after(Duration::from_secs(10))));
    lab.wait(Duration::from_secs(10));
    let yes = json!({ "pre_checkout_query_id": query, "ok": true });
    assert!(lab.bad("answerPreCheckoutQuery", &yes).starts_with("query is too old"));
    assert_eq!(lab.model.payment_end(&query, lab.now), Ok(PaymentEnd::Expired));
    assert_eq!(lab.model.payments(), []);
    assert_eq!(lab.broken(), [Rule::PreCheckoutAnswered]);
}

#[test]
fn whoever_sells_subscribes_to_the_question_before_the_payment() {
    let mut lab = Lab::new();
    lab.call("getUpdates", &json!({ "allowed_updates": ["message"] }));
    try_to_pay(&mut lab);
    assert_eq!(lab.broken(), [Rule::Subscribed]);
}

#[test]
fn a_payment_is_given_back_once_to_whoever_paid() {
    let mut lab = Lab::new();
    let query = try_to_pay(&mut lab);
    lab.call("answerPreCheckoutQuery", &json!({ "pre_checkout_query_id": query, "ok": true }));
    let charge = lab.model.payments()[0].charge.clone();
    let back = |user: i64| json!({ "user_id": user, "telegram_payment_charge_id": charge });
    assert_eq!(lab.bad("refundStarPayment", &back(OLGA + 1)), "CHARGE_NOT_FOUND");
    assert_eq!(lab.call("refundStarPayment", &back(OLGA)), true);
    assert_eq!(lab.bad("refundStarPayment", &back(OLGA)), "CHARGE_ALREADY_REFUNDED");
    assert_eq!(lab.model.payments(), []);
    let told = lab.updates(0).last().unwrap()["message"]["refunded_payment"].clone();
    assert_eq!(told["telegram_payment_charge_id"], charge);
    let all = lab.call("getStarTransactions", &json!({}))["transactions"].as_array().unwrap().clone();
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["id"], &all[1]["id"]), (&json!(charge), &json!(charge)));
    assert_eq!(all[0]["source"]["invoice_payload"], "order:7");
    assert_eq!(all[1]["receiver"]["user"]["id"], OLGA);
    let later = lab.call("getStarTransactions", &json!({ "offset": 1, "limit": 1 }));
    assert_eq!(later["transactions"], json!([all[1]]));
}

#[test]
fn only_an_invoice_can_be_paid() {
    let mut lab = Lab::new();
    let message = lab.say("not a bill");
    assert!(lab.model.pay(OLGA, message, lab.now).is_err());
}
