//! The provider's answers as JSON, in the shapes seen in recorded traffic.

use chrono::{DateTime, SecondsFormat};
use domain::time::Timestamp;
use serde_json::{Value, json};

use crate::provider::{
    http::Reply,
    kie_model::{Answer, Api, Arrival, KieCredits, Progress, ResultFile, StoredFile, TaskView, words::No},
};

/// The page a gateway answers with when what is behind it is down.
const GATEWAY_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
    <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";

/// What the edge answers to a client that does not say who it is (a client's report).
pub(super) const NO_USER_AGENT: &str = "error code: 1010";

/// Wraps an answer of the jobs API: HTTP 200 whatever it says, the number in `code`.
pub(super) fn enveloped<T>(answer: Answer<T>, data: impl FnOnce(T) -> Value) -> Reply {
    let body = |code: i64, msg: &str, data: Value| json!({ "code": code, "msg": msg, "data": data });
    let reply = match answer.said {
        Ok(said) => Reply::json(200, &body(200, "success", data(said))),
        Err(No { http, code, msg }) => Reply::json(http, &body(code, &msg, Value::Null)),
    };
    arriving(reply, answer.arrives)
}

/// Wraps an answer of the file host, which has a flag more and uses real HTTP statuses.
pub(super) fn uploaded(answer: Answer<StoredFile>, upload_base: &str) -> Reply {
    let reply = match answer.said {
        Ok(file) => {
            let data = json!({
                "success": true,
                "fileName": file.name,
                "filePath": file.path,
                "downloadUrl": format!("{upload_base}/{}", file.path),
                "fileSize": file.size(),
                "mimeType": file.mime,
                "uploadedAt": iso(file.at),
            });
            let msg = "File uploaded successfully";
            Reply::json(200, &json!({ "success": true, "code": 200, "msg": msg, "data": data }))
        }
        Err(no) => upload_refused(&no),
    };
    arriving(reply, answer.arrives)
}

fn upload_refused(no: &No) -> Reply {
    Reply::json(no.http, &json!({ "success": false, "code": no.code, "msg": no.msg, "data": null }))
}

/// What the file host answers to another method (KIE docs, file upload, HTTP 405).
pub(super) fn upload_not_by_post() -> Reply {
    upload_refused(&No::at_status(405, "Method Not Allowed"))
}

/// A file's bytes, or a plain HTTP error.
pub(super) fn file(answer: Answer<ResultFile>, mime: &'static str) -> Reply {
    let reply = match answer.said {
        Ok(file) => Reply::bytes(mime, file.bytes().into()),
        Err(no) => Reply::text(no.http, "text/plain", &no.msg),
    };
    arriving(reply, answer.arrives)
}

fn arriving(reply: Reply, arrives: Arrival) -> Reply {
    match arrives {
        Arrival::Whole => reply,
        Arrival::Never => Reply { lost: true, ..reply },
        Arrival::Cut => {
            let half = reply.body.len() / 2;
            Reply { body: reply.body[..half].to_vec(), ..reply }
        }
        Arrival::GatewayPage => Reply::text(502, "text/html", GATEWAY_PAGE),
    }
}

/// createTask's data: `recordId` repeats the task's name on the jobs API and is absent on Veo's.
pub(super) fn created(api: Api, task: &str) -> Value {
    match api {
        Api::Market => json!({ "taskId": task, "recordId": task }),
        Api::Veo => json!({ "taskId": task }),
    }
}

/// The balance: a bare number, with a fraction.
pub(super) fn balance(credits: KieCredits) -> Value {
    credits.as_json()
}

/// recordInfo's data.
pub(super) fn record(api: Api, view: &TaskView, result_base: &str) -> Value {
    match api {
        Api::Market => market_record(view, result_base),
        Api::Veo => veo_record(view, result_base),
    }
}

fn urls(results: &[String], result_base: &str) -> Vec<String> {
    results.iter().map(|path| format!("{result_base}/{path}")).collect()
}

fn market_record(view: &TaskView, result_base: &str) -> Value {
    // Encoded twice, as of 2026.
    let param = json!({ "input": view.input.to_string(), "model": view.model }).to_string();
    let mut record = json!({
        "taskId": view.id,
        "model": view.model,
        "state": "waiting",
        "param": param,
        "resultJson": "",
        "failCode": null,
        "failMsg": null,
        "costTime": null,
        "completeTime": null,
        "createTime": view.created.as_millis(),
        "creditsConsumed": 0.0,
        "successFlag": 0,
        "response": null,
    });
    match &view.progress {
        Progress::Waiting => {}
        Progress::Generating => record["state"] = json!("generating"),
        Progress::Strange(name) => record["state"] = json!(name),
        Progress::Succeeded { at, results } => {
            record["state"] = json!("success");
            let urls = urls(results, result_base);
            record["successFlag"] = json!(1);
            record["response"] = json!({ "resultUrls": urls });
            record["resultJson"] = json!(if urls.is_empty() {
                String::new()
            } else {
                json!({ "resultUrls": urls }).to_string()
            });
            // Seconds, although the documentation says milliseconds: so in 24 of 24 recordings.
            record["costTime"] = json!(at.since(view.created).as_secs());
            record["completeTime"] = json!(at.as_millis());
            record["creditsConsumed"] = view.price.as_json();
        }
        Progress::Failed { at, code, msg } => {
            record["state"] = json!("fail");
            record["successFlag"] = json!(3);
            record["failCode"] = json!(code);
            record["failMsg"] = json!(msg);
            record["completeTime"] = json!(at.as_millis());
        }
    }
    record
}

fn veo_record(view: &TaskView, result_base: &str) -> Value {
    let mut record = json!({
        "taskId": view.id,
        "paramJson": view.input.to_string(),
        "successFlag": 0,
        "response": null,
        "errorCode": null,
        "errorMessage": null,
        "createTime": view.created.as_millis(),
        "completeTime": null,
        "fallbackFlag": false,
    });
    match &view.progress {
        Progress::Waiting | Progress::Generating | Progress::Strange(_) => {}
        Progress::Succeeded { at, results } => {
            record["successFlag"] = json!(1);
            let mut response = veo_results(view, results, result_base);
            response["taskId"] = json!(view.id);
            record["response"] = response;
            record["completeTime"] = json!(at.as_millis());
        }
        Progress::Failed { at, code, msg } => {
            record["successFlag"] = json!(3);
            record["errorCode"] = code.parse::<i64>().map_or_else(|_| json!(code), |number| json!(number));
            record["errorMessage"] = json!(msg);
            record["completeTime"] = json!(at.as_millis());
        }
    }
    record
}

/// A finished Veo clip. The clip as it was before it was cut is there only where it was cut: the model renders 16:9.
pub(super) fn veo_results(view: &TaskView, results: &[String], result_base: &str) -> Value {
    let urls = urls(results, result_base);
    let word = |name: &str| view.input.get(name).and_then(Value::as_str);
    let origins = (word("aspect_ratio") != Some("16:9")).then_some(&urls);
    json!({
        "resultUrls": urls,
        "originUrls": origins,
        "resolution": word("resolution").unwrap_or("720p"),
    })
}

fn iso(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}
