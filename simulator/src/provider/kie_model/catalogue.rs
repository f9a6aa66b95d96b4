//! What the provider tells about its models: an OpenAPI document each, and a price in prose.
//!
//! The shapes are those of KIE's guide (docs.kie.ai, ai-agent/install-kie-models): one request a second and account for
//! all calls about the catalogue, `data.openapi` whole and without references, `data.pricingDesc` in words. A paused
//! model is not listed, as Sora was not in October 2026. What an unknown name is answered with is not documented.

use std::time::Duration;

use domain::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Answer, Api, Arrival, KieModel,
    credit::{KieCredits, Per, Price},
    spec::{Field, Kind, Spec},
    spec_of,
    words::{self, No},
};

/// KIE's limit on these calls.
const PACE: Duration = Duration::from_secs(1);

impl KieModel {
    /// A model's OpenAPI document.
    pub fn schema(&mut self, key: Option<&str>, slug: &str, now: Timestamp) -> Answer<Value> {
        self.about(key, slug, now, |api, spec| json!({ "model": spec.slug, "openapi": document(api, spec) }))
    }

    /// A model's price in words.
    pub fn price(&mut self, key: Option<&str>, slug: &str, now: Timestamp) -> Answer<Value> {
        self.about(
            key,
            slug,
            now,
            |_, spec| json!({ "model": spec.slug, "pricingDesc": spec.price.in_words() }),
        )
    }

    fn about(
        &mut self,
        key: Option<&str>,
        slug: &str,
        now: Timestamp,
        say: impl FnOnce(Api, &Spec) -> Value,
    ) -> Answer<Value> {
        let said = self.listed(key, slug, now).map(|(api, spec)| say(api, spec));
        Answer { said, arrives: Arrival::Whole }
    }

    fn listed(&mut self, key: Option<&str>, slug: &str, now: Timestamp) -> Result<(Api, &'static Spec), No> {
        let account = self.account_of(key)?;
        let last = self.catalogue_asked.insert(account, now);
        if last.is_some_and(|at| now < at.after(PACE)) {
            return Err(No::new(429, words::TOO_FAST));
        }
        let unknown = || No::new(422, words::UNKNOWN_MODEL);
        if self.settings.all_paused || self.settings.paused.contains(slug) {
            return Err(unknown());
        }
        let found = [Api::Market, Api::Veo].into_iter().find_map(|api| Some((api, spec_of(api, slug)?)));
        found.ok_or_else(unknown)
    }
}

fn document(api: Api, spec: &Spec) -> Value {
    let properties: Map<String, Value> =
        spec.fields.iter().map(|field| (field.name.to_owned(), described(field))).collect();
    let required: Vec<_> =
        spec.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let input = json!({ "type": "object", "properties": properties, "required": required });
    let (path, schema) = match api {
        Api::Market => {
            let model = json!({ "type": "string", "enum": [spec.slug] });
            let fields = json!({ "model": model, "input": input });
            ("/api/v1/jobs/createTask", json!({ "type": "object", "properties": fields }))
        }
        Api::Veo => {
            let mut input = input;
            input["properties"]["model"] = json!({ "type": "string" });
            ("/api/v1/veo/generate", input)
        }
    };
    let body = json!({ "content": { "application/json": { "schema": schema } } });
    json!({ "openapi": "3.1.0", "paths": { path: { "post": { "requestBody": body } } } })
}

fn described(field: &Field) -> Value {
    match field.kind {
        Kind::Text(max) => json!({ "type": "string", "maxLength": max }),
        Kind::Photo => json!({ "type": "string", "format": "uri" }),
        Kind::Photos(max) => json!({ "type": "array", "items": { "type": "string" }, "maxItems": max }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::NumberWord(..) => json!({ "type": "string" }),
        Kind::Int(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Bool => json!({ "type": "boolean" }),
    }
}

impl Price {
    fn in_words(&self) -> String {
        let rate = |rate: &super::credit::Rate| {
            let what = match rate.per {
                Per::Second(price) => format!("{} credits per second", KieCredits::of_hundredths(price)),
                Per::Clip(price) => format!("{} credits per video", KieCredits::of_hundredths(price)),
                Per::ClipUpTo(steps) => {
                    let step = |(seconds, price): &(u32, i64)| {
                        format!(
                            "a {seconds}-second video costs {} credits",
                            KieCredits::of_hundredths(*price)
                        )
                    };
                    steps.iter().map(step).collect::<Vec<_>>().join(", ")
                }
            };
            rate.when.map_or_else(|| what.clone(), |(field, value)| format!("{field} {value}: {what}"))
        };
        self.0.iter().map(rate).collect::<Vec<_>>().join("; ")
    }
}
