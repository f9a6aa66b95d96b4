//! Comparing catalogue entries with what KIE offers today, without creating a task.
//!
//! Two catalogue calls, which share one request a second and account, and a createTask call with an empty `input`:
//! KIE checks the model, then its pause, then the fields, and bills only afterwards (clients' reports; KIE docs,
//! ai-agent/install-kie-models). A model that requires no field would accept the empty request, so it is not asked.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    failure::{FailureClass, Reason},
    id::ModelId,
};
use ports::{Clock, ProviderRefusal, Reply};
use serde_json::{Map, Value};

use super::{
    catalogue::{CatalogueModel, KieCredits},
    client::KieVideoApi,
    config::KieKey,
    map,
};

/// Between two catalogue calls: KIE allows one a second and account.
const CATALOGUE_PACE: Duration = Duration::from_millis(1_100);

/// What KIE says of a model today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelState {
    /// It takes orders.
    Offered,
    /// It is known and takes none at present.
    Paused,
    /// KIE does not know the name.
    Unknown,
    /// KIE did not say; with what was seen instead.
    Unclear(String),
}

/// An entry beside what KIE says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReport {
    /// Whether KIE offers it.
    pub state: ModelState,
    /// Where the request we send does not fit, in words. Empty is what it should be.
    pub fields: Vec<String>,
    /// KIE's own words about the price, when they do not name the entry's.
    pub price: Option<String>,
    /// Whether KIE described the model's fields.
    pub is_described: bool,
}

impl KieVideoApi {
    /// Compares one entry with what KIE says, with the first key. Takes two seconds and more, because of KIE's limit.
    pub async fn inspect(&self, model: &ModelId, clock: &dyn Clock) -> ModelReport {
        let unclear = |why: &str| ModelReport {
            state: ModelState::Unclear(why.to_owned()),
            fields: Vec::new(),
            price: None,
            is_described: false,
        };
        let Some(key) = self.first_key() else { return unclear("no key is configured") };
        let Some(entry) = self.entry(model) else { return unclear("it is not in the catalogue") };
        let schema = self.catalogue_call(key, &entry.slug, "schema", clock).await;
        let price = self.catalogue_call(key, &entry.slug, "price", clock).await;
        let described = match &schema {
            Reply::Yes(data) => request_schema(data, entry),
            Reply::No(_) | Reply::Unknown(_) => None,
        };
        let state = match (&schema, &described) {
            (Reply::No(refusal), _) if refusal.failure.class == FailureClass::RateLimited => {
                ModelState::Unclear(refusal.evidence.clone())
            }
            // Listed, and an empty request might be a valid one: being listed has to do.
            (Reply::Yes(_), Some(described)) if described.required.is_empty() => ModelState::Offered,
            (Reply::Yes(_), None) => {
                ModelState::Unclear("KIE lists it and does not say what it needs".to_owned())
            }
            _ => self.probe(key, entry).await,
        };
        let fields = described.as_ref().map_or_else(Vec::new, |described| described.compare(entry));
        let price = match price {
            Reply::Yes(data) => data
                .get("pricingDesc")
                .and_then(Value::as_str)
                .and_then(|said| (!names_price(said, entry)).then(|| said.chars().take(200).collect())),
            Reply::No(_) | Reply::Unknown(_) => None,
        };
        ModelReport { state, fields, price, is_described: described.is_some() }
    }

    async fn catalogue_call(&self, key: &KieKey, slug: &str, what: &str, clock: &dyn Clock) -> Reply<Value> {
        clock.sleep_until(clock.now().after(CATALOGUE_PACE)).await;
        // A slash in the name stays one: KIE takes it as part of the path.
        let request = self.get(&format!("/api/v1/models/{slug}/{what}"));
        match self.call("catalogue", key, request, self.poll_timeout()).await {
            Ok(answer) => map::described(&answer),
            Err(error) => map::unanswered(&error),
        }
    }

    /// Asks for a task without saying what it should show.
    async fn probe(&self, key: &KieKey, entry: &CatalogueModel) -> ModelState {
        let request = self.post(&entry.endpoint.create, &entry.empty_request_body());
        let reply = match self.call("probe", key, request, self.poll_timeout()).await {
            Ok(answer) => map::created(&answer),
            Err(error) => map::unanswered(&error),
        };
        match reply {
            Reply::Yes(task) => {
                ModelState::Unclear(format!("it took an empty request as task {task}, which may be charged"))
            }
            Reply::No(refusal) => judged(&refusal),
            Reply::Unknown(seen) => ModelState::Unclear(seen),
        }
    }
}

/// What the refusal of an empty request says about its model.
fn judged(refusal: &ProviderRefusal) -> ModelState {
    let failure = refusal.failure;
    match (failure.class, failure.reason) {
        (_, Reason::ModelUnavailable) if refusal.evidence.to_lowercase().contains("not supported") => {
            ModelState::Unknown
        }
        (_, Reason::ModelUnavailable) => ModelState::Paused,
        // The fields are checked after the model, and money after the fields.
        (_, Reason::BadRequest) | (FailureClass::InvalidInput | FailureClass::Billing, _) => {
            ModelState::Offered
        }
        _ => ModelState::Unclear(refusal.evidence.clone()),
    }
}

/// The fields of a model's request, as KIE describes them.
struct Described {
    properties: BTreeMap<String, Value>,
    required: Vec<String>,
}

/// Reads the description of createTask's fields out of a model's OpenAPI document. Some of KIE's names end in a blank.
fn request_schema(data: &Value, entry: &CatalogueModel) -> Option<Described> {
    let openapi = data.get("openapi").filter(|document| document.is_object())?;
    let paths = openapi.get("paths")?.as_object()?;
    let path = paths.get(&entry.endpoint.create).or_else(|| paths.values().next())?;
    let body = path.pointer("/post/requestBody/content/application~1json/schema")?;
    let fields = match entry.endpoint.fields_under() {
        "" => body,
        under => body.get("properties")?.get(under)?,
    };
    let name = |name: &str| name.trim().to_owned();
    let properties = fields.get("properties")?.as_object()?;
    let required = fields.get("required").and_then(Value::as_array);
    Some(Described {
        properties: properties.iter().map(|(key, value)| (name(key), value.clone())).collect(),
        required: required.into_iter().flatten().filter_map(Value::as_str).map(name).collect(),
    })
}

impl Described {
    /// Where the request an entry makes does not fit, in words.
    fn compare(&self, entry: &CatalogueModel) -> Vec<String> {
        let body = entry.request_body("A mug", "https://example.org/mug.jpg");
        let sent: Map<String, Value> = match entry.endpoint.fields_under() {
            "" => body.as_object().cloned().unwrap_or_default(),
            under => body.get(under).and_then(Value::as_object).cloned().unwrap_or_default(),
        };
        let missing = self.required.iter().filter(|name| !sent.contains_key(*name));
        let mut found: Vec<_> = missing.map(|name| format!("`{name}` is required and not sent")).collect();
        for (name, value) in &sent {
            match self.properties.get(name) {
                None => found.push(format!("`{name}` is sent and not known")),
                Some(described) => found.extend(mismatch(name, value, described)),
            }
        }
        found
    }
}

/// How a value differs from what KIE says about its field.
fn mismatch(name: &str, value: &Value, described: &Value) -> Option<String> {
    let wanted = described.get("type").and_then(Value::as_str);
    let fits = match wanted {
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => true,
    };
    if !fits {
        return Some(format!(
            "`{name}` has to be of type {}, and {value} is sent",
            wanted.unwrap_or_default()
        ));
    }
    let allowed = described.get("enum").and_then(Value::as_array)?;
    (!allowed.contains(value)).then(|| format!("`{name}` does not take {value}"))
}

/// Whether KIE's prose names the entry's price, by the clip or by the second. Prose without numbers says nothing.
fn names_price(said: &str, entry: &CatalogueModel) -> bool {
    let words = said.split(|c: char| !c.is_ascii_digit() && c != '.');
    let mut numbers = words.filter_map(|word| KieCredits::parse(word.trim_matches('.'))).peekable();
    if numbers.peek().is_none() {
        return true;
    }
    let seconds = entry.video.clip_seconds;
    numbers.any(|number| number == entry.price || number.times(seconds) == entry.price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kie::Catalogue;

    fn entry(id: &str) -> CatalogueModel {
        Catalogue::builtin().unwrap().model(&ModelId::new(id).unwrap()).unwrap().clone()
    }

    #[test]
    fn a_price_is_found_by_the_clip_or_by_the_second() {
        let kling = entry("kling-2.6");
        assert!(names_price("A 5-second video costs 55 credits ($0.275), 10 seconds 110.", &kling));
        assert!(!names_price("A 5-second video costs 60 credits.", &kling));
        assert!(names_price("from 18 credits a second", &entry("kling-v3-turbo")));
        assert!(names_price("ask us", &kling), "prose without a number says nothing");
    }

    #[test]
    fn differences_are_told_by_field() {
        let field = |of: &str| serde_json::json!({ "type": of });
        let described = Described {
            properties: BTreeMap::from([
                ("prompt".to_owned(), field("string")),
                ("image_urls".to_owned(), field("array")),
                ("duration".to_owned(), field("integer")),
            ]),
            required: vec!["prompt".to_owned(), "seed".to_owned()],
        };
        let told = described.compare(&entry("kling-2.6"));
        assert_eq!(
            told,
            [
                "`seed` is required and not sent",
                "`duration` has to be of type integer, and \"5\" is sent",
                "`sound` is sent and not known",
            ]
        );
    }

    #[test]
    fn a_field_that_is_missed_shows_that_the_model_is_there() {
        let refusal = |reason: Reason, said: &str| ProviderRefusal {
            failure: reason.into(),
            evidence: said.to_owned(),
            retry_after: None,
        };
        let state = |reason, said: &str| judged(&refusal(reason, said));
        assert_eq!(state(Reason::BadRequest, "prompt is required"), ModelState::Offered);
        assert_eq!(state(Reason::ModelUnavailable, "temporarily paused"), ModelState::Paused);
        assert_eq!(state(Reason::ModelUnavailable, "is not supported"), ModelState::Unknown);
        assert_eq!(state(Reason::KeyRejected, "who"), ModelState::Unclear("who".to_owned()));
    }
}
