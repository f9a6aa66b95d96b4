//! `kadr classify`: the classifier on stdin.

use std::io::BufRead;

use domain::failure::{Classification, ProviderAnswer, classify};
use serde_json::{Map, Value};

use super::{Ended, args::ClassifyArgs, failure::Failure, output::Output};

/// Judges each line as it comes, so that what stands before a bad line is judged and shown.
pub(super) fn run(args: &ClassifyArgs, input: &mut dyn BufRead, out: &mut Output) -> Ended {
    let mut line = Vec::new();
    let mut number = 0_usize;
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|e| Failure::runtime("the input cannot be read", &e))? == 0 {
            return Ok(0);
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            continue;
        }
        if args.jsonl {
            let judged = judge_object(text).map_err(|why| Failure::usage(format!("line {number}: {why}")))?;
            out.value(&Value::Object(judged))?;
        } else {
            let Classification { failure, rule } =
                classify(&ProviderAnswer { message: text, ..ProviderAnswer::default() });
            let (class, reason) = (failure.report_class().as_str(), failure.report_reason());
            if out.is_json() {
                let mut object = Map::new();
                object.insert("message".to_owned(), text.into());
                judged_into(&mut object, Classification { failure, rule });
                out.value(&Value::Object(object))?;
            } else {
                out.line(&format!("{class} {reason}  {text}"))?;
            }
        }
    }
}

fn judge_object(text: &str) -> Result<Map<String, Value>, String> {
    const FORM: &str = "write an object a line, such as {\"http_status\": 500, \"message\": \"...\"}";
    let mut object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(format!("this is JSON but no object: {FORM}")),
        Err(error) => return Err(format!("this is no JSON, {error}: {FORM}")),
    };
    let fail_code = match object.get("failCode").or_else(|| object.get("fail_code")) {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) => Some(word.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err("failCode is neither a text nor a number".to_owned()),
    };
    let message = match object.get("message") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(message)) => message.clone(),
        Some(_) => return Err("message is no text".to_owned()),
    };
    let answer = ProviderAnswer {
        http_status: number(&object, "http_status")?.and_then(|status| u16::try_from(status).ok()),
        code: number(&object, "code")?,
        fail_code: fail_code.as_deref(),
        message: &message,
    };
    let judged = classify(&answer);
    judged_into(&mut object, judged);
    Ok(object)
}

fn judged_into(object: &mut Map<String, Value>, Classification { failure, rule }: Classification) {
    object.insert("class".to_owned(), failure.report_class().as_str().into());
    object.insert("reason".to_owned(), failure.report_reason().into());
    object.insert("detail".to_owned(), failure.reason.code().into());
    object.insert("rule".to_owned(), rule.into());
}

/// A whole number, written as one or as text; providers do both. Other text is a code we do not know, and says nothing.
fn number(object: &Map<String, Value>, field: &str) -> Result<Option<i64>, String> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_i64()),
        Some(Value::String(text)) => Ok(text.trim().parse().ok()),
        Some(_) => Err(format!("{field} is no number")),
    }
}
