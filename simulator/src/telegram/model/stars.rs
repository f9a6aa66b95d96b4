//! Payments in Telegram Stars.

use std::{collections::BTreeMap, time::Duration};

use domain::time::Timestamp;
use serde_json::{Value, json};

use super::{
    TelegramModel,
    chats::{Content, Message, seconds},
    keyboard::{Button, Keyboard, Press},
    log::Rule,
    params::Params,
    words::{self, Refusal},
};
use crate::time::bits_of;

/// How long a pre-checkout query may stay open (Bot API, PreCheckoutQuery).
const CHECKED_WITHIN: Duration = Duration::from_secs(10);
/// The dearest invoice. A guess: Telegram tells bots no bound.
const STARS_MAX: u64 = 10_000;
const TITLE_MAX: usize = 32;
const DESCRIPTION_MAX: usize = 255;
const PAYLOAD_BYTES_MAX: usize = 128;
/// What has no place on a bill in Stars (Bot API, sendInvoice).
const NOT_FOR_STARS: [&str; 9] = [
    "max_tip_amount",
    "suggested_tip_amounts",
    "provider_data",
    "need_name",
    "need_phone_number",
    "need_email",
    "need_shipping_address",
    "send_phone_number_to_provider",
    "is_flexible",
];

/// A bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// What comes back with the payment.
    pub payload: String,
    /// The price.
    pub stars: u32,
}

impl Invoice {
    pub(super) fn json(&self) -> Value {
        json!({
            "title": self.title,
            "description": self.description,
            "start_parameter": "",
            "currency": "XTR",
            "total_amount": self.stars,
        })
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `telegram_payment_charge_id`.
    pub charge: String,
    /// The invoice's payload.
    pub payload: String,
    /// How much.
    pub stars: u32,
    /// Who paid.
    pub user: i64,
    /// When.
    pub at: Timestamp,
}

impl Payment {
    pub(super) fn json(&self) -> Value {
        json!({
            "currency": "XTR",
            "total_amount": self.stars,
            "invoice_payload": self.payload,
            "telegram_payment_charge_id": self.charge,
            "provider_payment_charge_id": "",
        })
    }
}

/// How a user's try to pay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEnd {
    /// The money was taken.
    Paid(Payment),
    /// The bot refused, with these words.
    Refused(String),
    /// The bot did not answer in time, or was not asked since it had not subscribed.
    Expired,
}

/// A try to pay.
#[derive(Debug)]
struct Try {
    user: i64,
    invoice: Invoice,
    update: Option<i64>,
    until: Timestamp,
    end: Option<PaymentEnd>,
}

/// A movement of Stars.
#[derive(Debug)]
struct Movement {
    payment: Payment,
    at: Timestamp,
    is_refund: bool,
}

/// All payments.
#[derive(Debug, Default)]
pub(super) struct Till {
    tries: BTreeMap<String, Try>,
    movements: Vec<Movement>,
    /// Tries that are open, by their deadlines.
    open: Vec<String>,
}

/// Nothing to pay there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this message is no invoice that could be paid")]
pub struct NoInvoice;

impl TelegramModel {
    /// sendInvoice.
    pub(super) fn send_invoice(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let (invoice, keyboard) = read_invoice(params)?;
        let chat = self.chat_for(params, now)?;
        keyboard.check(true)?;
        let content = Content::Invoice(invoice);
        self.deliver(chat, content, keyboard, now)
    }

    /// answerPreCheckoutQuery.
    pub(super) fn answer_pre_checkout(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let id = params.needed("pre_checkout_query_id")?.to_owned();
        params.needed("ok")?;
        let refused = if params.flag("ok") { None } else { Some(params.needed("error_message")?.to_owned()) };
        let too_old = || Refusal::bad(words::TOO_OLD_QUERY);
        let open = self.till.tries.get_mut(&id).filter(|one| one.end.is_none()).ok_or_else(too_old)?;
        if let Some(update) = open.update {
            self.queue.given_out.remove(&update);
        }
        let Some(why) = refused else {
            let (user, invoice) = (open.user, open.invoice.clone());
            self.till.open.retain(|open| *open != id);
            self.take_money(&id, user, invoice, now);
            return Ok(json!(true));
        };
        open.end = Some(PaymentEnd::Refused(why));
        self.till.open.retain(|open| *open != id);
        Ok(json!(true))
    }

    fn take_money(&mut self, id: &str, user: i64, invoice: Invoice, now: Timestamp) {
        let nth = self.till.movements.len();
        let charge = format!("stx{:032x}", bits_of(self.settings.seed, &format!("charge {nth}")));
        let payment = Payment { charge, payload: invoice.payload, stars: invoice.stars, user, at: now };
        self.till.movements.push(Movement { payment: payment.clone(), at: now, is_refund: false });
        if let Some(paid) = self.till.tries.get_mut(id) {
            paid.end = Some(PaymentEnd::Paid(payment.clone()));
        }
        self.say(user, Content::Paid(payment), now);
    }

    /// refundStarPayment.
    pub(super) fn refund(&mut self, params: &Params, now: Timestamp) -> Result<Value, Refusal> {
        let user = params.integer("user_id").ok_or_else(|| Refusal::bad(words::USER_ID))?;
        let charge = params.needed("telegram_payment_charge_id")?;
        let of_charge = |one: &&Movement| one.payment.charge == charge && one.payment.user == user;
        let mut movements = self.till.movements.iter().filter(of_charge);
        let payment = movements.next().ok_or_else(|| Refusal::bad(words::NO_CHARGE))?.payment.clone();
        if movements.next().is_some() {
            return Err(Refusal::bad(words::ALREADY_REFUNDED));
        }
        self.till.movements.push(Movement { payment: payment.clone(), at: now, is_refund: true });
        self.say(user, Content::PaidBack(payment), now);
        Ok(json!(true))
    }

    /// getStarTransactions.
    pub(super) fn star_transactions(&self, params: &Params) -> Value {
        let number = |name| params.integer(name).and_then(|n| usize::try_from(n).ok());
        let limit = number("limit").filter(|limit| (1..=100).contains(limit)).unwrap_or(100);
        let movements = self.till.movements.iter().skip(number("offset").unwrap_or(0)).take(limit);
        let shown = movements.map(|movement| {
            let payment = &movement.payment;
            let user = self.chats.get(&payment.user).map(|chat| chat.user.json());
            let partner = json!({
                "type": "user",
                "transaction_type": "invoice_payment",
                "user": user,
                "invoice_payload": payment.payload,
            });
            let mut shown =
                json!({ "id": payment.charge, "amount": payment.stars, "date": seconds(movement.at) });
            shown[if movement.is_refund { "receiver" } else { "source" }] = partner;
            shown
        });
        json!({ "transactions": shown.collect::<Vec<_>>() })
    }

    /// The user presses the button of an invoice. Returns the id of the query the bot has to answer.
    ///
    /// # Errors
    /// [`NoInvoice`].
    pub fn pay(&mut self, user: i64, message: i64, now: Timestamp) -> Result<String, NoInvoice> {
        let chat = self.chats.get(&user).ok_or(NoInvoice)?;
        let Some(Message { content: Content::Invoice(invoice), .. }) = chat.messages.get(&message) else {
            return Err(NoInvoice);
        };
        let (invoice, from) = (invoice.clone(), chat.user.json());
        let id = self.query_id("pre-checkout");
        let query = json!({
            "id": id,
            "from": from,
            "currency": "XTR",
            "total_amount": invoice.stars,
            "invoice_payload": invoice.payload,
        });
        let update = self.queue.push("pre_checkout_query", user, query, now);
        if update.is_none() {
            let what = "a payment without pre_checkout_query among the allowed_updates";
            self.log.broken(Rule::Subscribed, Some(user), now, what);
        }
        let until = now.after(CHECKED_WITHIN);
        self.till.tries.insert(id.clone(), Try { user, invoice, update, until, end: None });
        self.till.open.push(id.clone());
        Ok(id)
    }

    /// How a try to pay ended; `Err` holds until when it is open.
    ///
    /// # Errors
    /// Until when it is open.
    pub fn payment_end(&mut self, query: &str, now: Timestamp) -> Result<PaymentEnd, Timestamp> {
        self.settle(now);
        match self.till.tries.get(query) {
            None => Ok(PaymentEnd::Expired),
            Some(one) => one.end.clone().ok_or(one.until),
        }
    }

    /// All payments that were not given back.
    #[must_use]
    pub fn payments(&self) -> Vec<Payment> {
        let refunded = |payment: &Payment| {
            self.till.movements.iter().any(|one| one.is_refund && one.payment.charge == payment.charge)
        };
        let paid = self.till.movements.iter().filter(|one| !one.is_refund).map(|one| &one.payment);
        paid.filter(|payment| !refunded(payment)).cloned().collect()
    }

    /// Ends tries that are too old.
    pub(super) fn settle_payments(&mut self, now: Timestamp) {
        let Self { till, queue, log, .. } = self;
        till.open.retain(|id| {
            let Some(open) = till.tries.get_mut(id) else { return false };
            if now < open.until {
                return true;
            }
            open.end = Some(PaymentEnd::Expired);
            if open.update.is_some_and(|update| queue.given_out.remove(&update)) {
                let what = "a pre-checkout query was not answered within 10 s";
                log.broken(Rule::PreCheckoutAnswered, Some(open.user), open.until, what);
            }
            false
        });
    }
}

fn read_invoice(params: &Params) -> Result<(Invoice, Keyboard), Refusal> {
    let (title, description) = (params.needed("title")?, params.needed("description")?);
    let (payload, currency) = (params.needed("payload")?, params.needed("currency")?);
    params.needed("prices")?;
    let mut keyboard = Keyboard::read(params.json("reply_markup"))?;
    let wrong = || Refusal::bad(words::PRICES);
    let prices = params.json("prices").ok_or_else(wrong)?.map_err(|_| wrong())?;
    let prices = prices.as_array().ok_or_else(wrong)?;
    let amounts: Option<Vec<u64>> = prices.iter().map(|price| price.get("amount")?.as_u64()).collect();
    let amounts = amounts.ok_or_else(wrong)?;
    if title.chars().count() > TITLE_MAX {
        return Err(Refusal::bad(words::INVOICE_TITLE));
    }
    if description.chars().count() > DESCRIPTION_MAX {
        return Err(Refusal::bad(words::INVOICE_DESCRIPTION));
    }
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Refusal::bad(words::INVOICE_PAYLOAD));
    }
    if currency != "XTR" {
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        let text = if is_code { words::PAYMENT_PROVIDER } else { words::CURRENCY };
        return Err(Refusal::bad(text));
    }
    let is_plain = params.text("provider_token").is_none()
        && NOT_FOR_STARS.iter().all(|name| params.text(name).is_none_or(|text| text == "false"));
    let stars = match amounts[..] {
        [stars] if is_plain && (1..=STARS_MAX).contains(&stars) => u32::try_from(stars).ok(),
        _ => None,
    };
    let stars = stars.ok_or_else(|| Refusal::bad(words::STARS_INVOICE))?;
    if keyboard.is_empty() {
        let pay = Button { label: format!("Pay \u{2b50}\u{fe0f}{stars}"), press: Press::Pay };
        keyboard = Keyboard(vec![vec![pay]]);
    }
    let [title, description, payload] = [title, description, payload].map(str::to_owned);
    Ok((Invoice { title, description, payload, stars }, keyboard))
}
