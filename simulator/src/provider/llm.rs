//! A language model over HTTP: OpenAI's chat completions, as far as a prompt writer needs them.

use std::{
    fmt,
    net::TcpListener,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::time::Timestamp;
use ports::Clock;
use serde_json::{Value, json};
use wiremock::Request;

use super::http::{Reply, RequestLog, Service, Skin, bearer};

/// What the language model does instead of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LlmTrouble {
    /// It writes.
    #[default]
    None,
    /// It answers HTTP 500.
    Down,
    /// It drops the connection.
    AnswerLost,
    /// It answers an empty text.
    Empty,
    /// It refuses in words.
    Refuses,
    /// It thinks for so long, in real time, and writes then.
    Slow(Duration),
    /// It answers something that is not JSON.
    Gibberish,
}

/// The simulated language model, listening.
pub struct LlmServer {
    service: Arc<LlmService>,
    skin: Skin,
}

impl fmt::Debug for LlmServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmServer").field("skin", &self.skin).finish_non_exhaustive()
    }
}

struct LlmService {
    trouble: Mutex<LlmTrouble>,
    written: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl LlmServer {
    /// Starts listening. `log` is told of every request.
    pub async fn start(
        trouble: LlmTrouble,
        clock: Arc<dyn Clock>,
        socket: TcpListener,
        log: Option<RequestLog>,
    ) -> Self {
        let service =
            Arc::new(LlmService { trouble: Mutex::new(trouble), written: AtomicU64::new(0), clock });
        let skin = Skin::start(socket, Arc::clone(&service) as Arc<dyn Service>, log).await;
        Self { service, skin }
    }

    /// The address under which `/chat/completions` lies.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}/v1", self.skin.address())
    }

    /// Changes what goes wrong, from the next request on.
    pub fn set_trouble(&self, trouble: LlmTrouble) {
        *self.service.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// How many prompts it wrote.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.service.written.load(Ordering::Relaxed)
    }

    /// Frees the memory of past requests when much of it has gathered. For servers that run for long.
    pub async fn forget_requests(&self) {
        self.skin.forget_requests().await;
    }
}

impl Service for LlmService {
    fn reply(&self, request: &Request) -> Reply {
        if request.method.as_str() != "POST" || request.url.path() != "/v1/chat/completions" {
            return failure(404, "Unknown request URL. Please check the URL for typos.");
        }
        if bearer(request).is_none_or(str::is_empty) {
            return failure(401, "You didn't provide an API key.");
        }
        let body: Value = request.body_json().unwrap_or_default();
        let asked = match Asked::read(&body) {
            Ok(asked) => asked,
            Err(missing) => return failure(400, &format!("Missing required parameter: '{missing}'.")),
        };
        let trouble = *self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            LlmTrouble::Down => {
                failure(500, "The server had an error while processing your request. Sorry about that!")
            }
            LlmTrouble::Empty => self.completion(&asked, ""),
            LlmTrouble::Refuses => self.completion(&asked, "I'm sorry, but I can't help with that."),
            LlmTrouble::Gibberish => {
                Reply::text(200, "application/json", "{\"choices\":[{\"message\":{\"conte")
            }
            LlmTrouble::AnswerLost => Reply { lost: true, ..self.completion(&asked, &asked.prompt()) },
            LlmTrouble::Slow(time) => Reply { delay: Some(time), ..self.completion(&asked, &asked.prompt()) },
            LlmTrouble::None => self.completion(&asked, &asked.prompt()),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn shown_key(&self, _request: &Request) -> Option<String> {
        None
    }
}

impl LlmService {
    fn completion(&self, asked: &Asked<'_>, text: &str) -> Reply {
        let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        let tokens = |text: &str| text.len().div_ceil(4);
        let (question, answer) = (tokens(asked.system) + tokens(asked.text), tokens(text));
        Reply::json(
            200,
            &json!({
                "id": format!("chatcmpl-simulated-{number}"),
                "object": "chat.completion",
                "created": self.clock.now().as_millis() / 1_000,
                "model": asked.model,
                "choices": [{
                    "index": 0,
                    "message": { "role": "assistant", "content": text, "refusal": null },
                    "finish_reason": "stop",
                }],
                "usage": {
                    "prompt_tokens": question,
                    "completion_tokens": answer,
                    "total_tokens": question + answer,
                },
            }),
        )
    }
}

/// An error in the shape OpenAI gives it (API reference, errors).
fn failure(status: u16, message: &str) -> Reply {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    Reply::json(
        status,
        &json!({ "error": { "message": message, "type": kind, "param": null, "code": null } }),
    )
}

/// What a request asks for.
struct Asked<'a> {
    model: &'a str,
    system: &'a str,
    text: &'a str,
}

impl<'a> Asked<'a> {
    /// A prompt writer must send a text and the photo itself as a data URL; instructions are its own affair.
    fn read(body: &'a Value) -> Result<Self, &'static str> {
        let model = body.get("model").and_then(Value::as_str).filter(|m| !m.is_empty()).ok_or("model")?;
        let messages = body.get("messages").and_then(Value::as_array).ok_or("messages")?;
        let content = |role: &str| {
            messages.iter().find(|m| m.get("role").and_then(Value::as_str) == Some(role))?.get("content")
        };
        let system = content("system").and_then(Value::as_str).unwrap_or_default();
        let parts = content("user").and_then(Value::as_array).ok_or("messages[user].content")?;
        let part = |kind: &str| parts.iter().find(|p| p.get("type").and_then(Value::as_str) == Some(kind));
        let text =
            part("text").and_then(|p| p.get("text")?.as_str()).ok_or("messages[user].content[text]")?;
        let picture = part("image_url").and_then(|p| p.pointer("/image_url/url")?.as_str());
        let is_inline = |url: &str| url.starts_with("data:image/") && url.contains(";base64,");
        picture.filter(|url| is_inline(url)).ok_or("messages[user].content[image_url]")?;
        Ok(Self { model, system, text })
    }

    fn prompt(&self) -> String {
        compose(self.system, self.text)
    }
}

/// A prompt a person could have written, with the seller's words in it.
pub(super) fn compose(system: &str, text: &str) -> String {
    const OPENINGS: [&str; 5] = [
        "Morning light through a kitchen window; the camera drifts in at table height.",
        "A slow quarter turn around the product on a plain wooden surface, shallow focus.",
        "Close on the surface first, then one smooth pull back until the whole product is in frame.",
        "A hand-held shot that settles on the product as if somebody had just put it down.",
        "Dusk, a warm lamp on the left; the product stands still while the light moves across it.",
    ];
    let brief = text.split_once("Product brief:").map_or(text, |(_, rest)| rest);
    let brief = brief.split("\n\n").next().unwrap_or(brief).trim();
    let opening = usize::try_from(text.bytes().map(u64::from).sum::<u64>() % OPENINGS.len() as u64);
    let opening = OPENINGS[opening.unwrap_or(0)];
    let people = if system.contains("blogger") {
        "One adult blogger, an invented person, lifts it, looks at it for a moment and talks about it in everyday \
         words, then sets it back beside the window."
    } else {
        "No people. One telling detail in close-up, one moment of use, and a calm last frame of the whole product."
    };
    format!("{opening} The product, in its seller's words: {brief}. {people} Natural sound, no music.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(parts: &Value) -> Value {
        json!({ "model": "m", "messages": [
            { "role": "system", "content": "One adult blogger." }, { "role": "user", "content": parts } ] })
    }

    #[test]
    fn a_request_needs_instructions_a_text_and_the_photo_inline() {
        let text = json!({ "type": "text", "text": "Product brief:\na mug\n\nWishes: none" });
        let picture = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
        let whole = body(&json!([text, picture("data:image/jpeg;base64,AAAA")]));
        let asked = Asked::read(&whole).map_err(str::to_owned).unwrap();
        assert!(asked.prompt().contains("words: a mug. One adult blogger"), "{}", asked.prompt());
        for (broken, missing) in [
            (body(&json!([text])), "messages[user].content[image_url]"),
            (body(&json!([text, picture("https://h/p.jpg")])), "messages[user].content[image_url]"),
            (body(&json!([picture("data:image/jpeg;base64,AAAA")])), "messages[user].content[text]"),
            (body(&json!("just a text")), "messages[user].content"),
            (json!({ "messages": [] }), "model"),
        ] {
            assert_eq!(Asked::read(&broken).err(), Some(missing));
        }
    }
}
