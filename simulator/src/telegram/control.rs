//! The users, over HTTP.

use std::time::Duration;

use bytes::Bytes;
use domain::time::Timestamp;
use hyper::{Method, Request, body::Incoming};
use serde_json::{Value, json};

use super::{
    body::{BodyFault, RawBody},
    http::{Reply, json_reply, reply},
    model::{Deed, Fault, Outcome, Params, PaymentEnd, Plan, TelegramModel, User},
    office::Office,
};

/// The longest wait for a change, in seconds.
const WAIT_MAX: u64 = 60;

/// What there is.
pub const HELP: &str = "\
POST /control/people                    id, name, username, language   a user comes into being
POST /control/people/ID/text            text                           writes
POST /control/people/ID/photo           ?caption=, the picture         sends it as a photo
POST /control/people/ID/album           caption, pictures as a form    sends photos at once
POST /control/people/ID/file            ?name=&mime=&caption=, bytes   sends them as a file
POST /control/people/ID/tap             message, button or data        taps a button (its label or data), or forges a tap
POST /control/people/ID/pay             message                        pays an invoice
POST /control/people/ID/block           and unblock                    stops the bot, starts it again
GET  /control/people/ID/messages                                       what stands in the chat
GET  /control/people/ID/changes         ?after=N&timeout=S             what the bot did, from the Nth deed on; waits for one
GET  /control/taps/TAP                                                 the answer to a tap
GET  /control/payments/QUERY                                           how a try to pay ended
POST /control/faults                    fault, method, chat, times     too_many (seconds), blocked, server (status),
                                                                       request_lost, answer_lost
POST /control/updates/hold              and release, reverse, repeat   keeps updates back, lets them go, in the wrong
                                        (?count=N)                     order, sends the last N once more
GET  /control/calls                                                    what the bot asked for
GET  /control/violations                                               what it should not have done
";

/// Why a request came to nothing.
enum Wrong {
    /// No such thing.
    Unknown,
    /// What to send instead.
    Request(String),
}

impl From<BodyFault> for Wrong {
    fn from(_: BodyFault) -> Self {
        Self::Request("send a JSON object or a form".to_owned())
    }
}

type Said = Result<Value, Wrong>;

pub(super) async fn answer(office: &Office, path: &str, request: Request<Incoming>) -> Reply {
    let method = request.method().clone();
    let steps: Vec<&str> = path.split('/').skip(2).filter(|step| !step.is_empty()).collect();
    if steps.is_empty() {
        return reply(200, "text/plain; charset=utf-8", HELP);
    }
    let said = match RawBody::read(request).await {
        Ok(body) if method == Method::POST => post(office, &steps, &body),
        Ok(body) => get(office, &steps, &body).await,
        Err(fault) => Err(fault.into()),
    };
    match said {
        Ok(value) => json_reply(200, &value),
        Err(Wrong::Unknown) => {
            json_reply(404, &json!({ "error": "no such thing; GET /control says what there is" }))
        }
        Err(Wrong::Request(what)) => json_reply(400, &json!({ "error": what })),
    }
}

fn post(office: &Office, steps: &[&str], body: &RawBody) -> Said {
    match steps {
        ["people"] => add_person(office, &body.params()?),
        ["people", id, deed] => {
            let id = id.parse().map_err(|_| Wrong::Unknown)?;
            office.look(|model, _| model.user(id).map(|_| ())).ok_or(Wrong::Unknown)?;
            person_does(office, id, deed, body)
        }
        ["faults"] => {
            let plan = read_plan(&body.params()?)?;
            office.act(|model, _| model.plan(plan));
            Ok(json!({}))
        }
        ["updates", deed] => {
            let count = body.params()?.integer("count").and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
            office.act(|model, now| {
                match *deed {
                    "hold" => model.hold_updates(),
                    "release" => model.release_updates(),
                    "reverse" => model.reverse_updates(),
                    "repeat" => model.repeat_updates(count, now),
                    _ => return Err(Wrong::Unknown),
                }
                Ok(())
            })?;
            Ok(json!({}))
        }
        _ => Err(Wrong::Unknown),
    }
}

fn add_person(office: &Office, params: &Params) -> Said {
    let id = params.integer("id").filter(|id| *id > 0);
    let id = id.ok_or_else(|| Wrong::Request("id: a whole number above 0".to_owned()))?;
    let text = |name| params.text(name).map(str::to_owned);
    let user = User {
        id,
        first_name: text("name").unwrap_or_else(|| format!("User {id}")),
        username: text("username"),
        language: text("language").or_else(|| Some("ru".to_owned())),
    };
    office.act(|model, _| model.add_user(user));
    Ok(json!({ "id": id }))
}

fn person_does(office: &Office, id: i64, deed: &str, body: &RawBody) -> Said {
    let wrong = |what: &str| Wrong::Request(what.to_owned());
    let no_photo = |error: super::model::NoPhoto| Wrong::Request(error.to_string());
    match deed {
        "text" => {
            let params = body.params()?;
            let text = params.text("text").ok_or_else(|| wrong("text: what to write"))?;
            Ok(json!({ "message": office.act(|model, now| model.write(id, text, now)) }))
        }
        "photo" => {
            let (bytes, params) = one_file(body)?;
            let caption = params.text("caption").unwrap_or_default();
            let sent = office.act(|model, now| model.send_user_photo(id, &bytes, caption, None, now));
            Ok(json!({ "message": sent.map_err(no_photo)? }))
        }
        "album" => {
            let params = body.params()?;
            let photos: Vec<Bytes> = params.files().map(|file| file.bytes.clone()).collect();
            if photos.is_empty() {
                return Err(wrong("the photos, as files of a form"));
            }
            let caption = params.text("caption").unwrap_or_default();
            let sent = office.act(|model, now| model.send_user_album(id, &photos, caption, now));
            Ok(json!({ "messages": sent.map_err(no_photo)? }))
        }
        "file" => {
            let (bytes, params) = one_file(body)?;
            let text = |name, default| params.text(name).unwrap_or(default);
            let (name, mime) = (text("name", "file"), text("mime", "application/octet-stream"));
            let caption = text("caption", "");
            let sent = office.act(|model, now| model.send_user_file(id, name, mime, bytes, caption, now));
            Ok(json!({ "message": sent }))
        }
        "tap" => {
            let params = body.params()?;
            let message = params.integer("message").ok_or_else(|| wrong("message: its number"))?;
            if let Some(data) = params.text("data") {
                return Ok(json!({ "tap": office.act(|model, now| model.tap_data(id, message, data, now)) }));
            }
            let button = params.text("button").ok_or_else(|| wrong("button: its label or data"))?;
            let tap = office.act(|model, now| model.tap(id, message, button, now));
            Ok(json!({ "tap": tap.map_err(|error| Wrong::Request(error.to_string()))? }))
        }
        "pay" => {
            let message = body.params()?.integer("message").ok_or_else(|| wrong("message: its number"))?;
            let query = office.act(|model, now| model.pay(id, message, now));
            Ok(json!({ "payment": query.map_err(|error| Wrong::Request(error.to_string()))? }))
        }
        "block" | "unblock" => {
            office.act(|model, now| model.set_blocked(id, deed == "block", now));
            Ok(json!({}))
        }
        _ => Err(Wrong::Unknown),
    }
}

/// The file of a form, or the whole body, whatever it is said to be: curl calls everything a form.
fn one_file(body: &RawBody) -> Result<(Bytes, Params), Wrong> {
    if !body.is_form_with_files() {
        return Ok((body.bytes.clone(), body.query()));
    }
    let params = body.params()?;
    let file = params.files().next().map(|file| file.bytes.clone());
    Ok((file.ok_or_else(|| Wrong::Request("a file".to_owned()))?, params))
}

fn read_plan(params: &Params) -> Result<Plan, Wrong> {
    let number = |name, default| params.integer(name).map_or(Some(default), |n| u32::try_from(n).ok());
    let wrong = |what: &str| Wrong::Request(what.to_owned());
    let fault = match params.text("fault") {
        Some("too_many") => {
            let seconds = number("seconds", 5).filter(|seconds| (1..=3_600).contains(seconds));
            Fault::TooMany(seconds.ok_or_else(|| wrong("seconds: 1 to 3600"))?.into())
        }
        Some("blocked") => Fault::Blocked,
        Some("server") => {
            let status = number("status", 502).and_then(|status| u16::try_from(status).ok());
            let status = status.filter(|status| (500..600).contains(status));
            Fault::Server(status.ok_or_else(|| wrong("status: 500 to 599"))?)
        }
        Some("request_lost") => Fault::RequestLost,
        Some("answer_lost") => Fault::AnswerLost,
        _ => return Err(wrong("fault: too_many, blocked, server, request_lost or answer_lost")),
    };
    let times = number("times", 1).filter(|times| *times > 0).ok_or_else(|| wrong("times: above 0"))?;
    let method = params.text("method").map(str::to_owned);
    Ok(Plan { method, chat: params.integer("chat"), times, fault })
}

async fn get(office: &Office, steps: &[&str], body: &RawBody) -> Said {
    match steps {
        ["people", id, what @ ("messages" | "changes")] => {
            let id: i64 = id.parse().map_err(|_| Wrong::Unknown)?;
            office.look(|model, _| model.user(id).map(|_| ())).ok_or(Wrong::Unknown)?;
            if *what == "messages" {
                return Ok(office.look(|model, _| model.shown_messages(id)));
            }
            let query = body.query();
            let number = |name| query.integer(name).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            let after = usize::try_from(number("after")).unwrap_or(usize::MAX);
            let until = office.now().after(Duration::from_secs(number("timeout").min(WAIT_MAX)));
            Ok(office.wait(|model, now| changes(model, id, after, now < until).ok_or(Some(until))).await)
        }
        ["taps", tap] => Ok(office.look(|model, now| match model.tap_answer(tap, now) {
            Err(_) => json!({ "state": "open" }),
            Ok(None) => json!({ "state": "too late" }),
            Ok(Some(answer)) => {
                json!({ "state": "answered", "text": answer.text, "alert": answer.is_alert })
            }
        })),
        ["payments", query] => Ok(office.look(|model, now| match model.payment_end(query, now) {
            Err(_) => json!({ "state": "open" }),
            Ok(PaymentEnd::Expired) => json!({ "state": "too late" }),
            Ok(PaymentEnd::Refused(why)) => json!({ "state": "refused", "why": why }),
            Ok(PaymentEnd::Paid(payment)) => {
                json!({ "state": "paid", "charge": payment.charge, "stars": payment.stars })
            }
        })),
        ["calls"] => Ok(office.look(|model, _| model.calls().iter().map(call_json).collect())),
        ["violations"] => Ok(office.look(|model, now| {
            let violations = model.violations(now);
            let shown = violations.iter().map(|broken| {
                let rule = format!("{:?}", broken.rule);
                json!({ "at": millis(broken.at), "chat": broken.chat, "rule": rule, "what": broken.what })
            });
            shown.collect()
        })),
        _ => Err(Wrong::Unknown),
    }
}

/// Nothing while there is none and it is worth waiting.
fn changes(model: &TelegramModel, id: i64, after: usize, may_wait: bool) -> Option<Value> {
    let found = model.changes(id, after);
    if found.is_empty() && may_wait {
        return None;
    }
    let shown = found.iter().enumerate().map(|(number, change)| {
        let deed = match change.deed {
            Deed::Sent => "sent",
            Deed::Edited => "edited",
            Deed::Deleted => "deleted",
        };
        json!({ "number": after + number, "deed": deed, "message": model.shown(id, &change.message) })
    });
    Some(shown.collect())
}

fn call_json(call: &super::model::CallLine) -> Value {
    let outcome = match &call.outcome {
        Outcome::Done => json!("done"),
        Outcome::Refused(status, text) => json!({ "status": status, "text": text }),
        Outcome::AnswerLost => json!("answer lost"),
        Outcome::RequestLost => json!("request lost"),
    };
    json!({ "at": millis(call.at), "method": call.method, "chat": call.chat, "outcome": outcome })
}

const fn millis(at: Timestamp) -> i64 {
    at.as_millis()
}
