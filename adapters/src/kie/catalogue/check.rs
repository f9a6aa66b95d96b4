//! The catalogue's sense: everything that would otherwise fail in the middle of somebody's order.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    id::ModelId,
    model::{RenderTiming, VideoModel},
    photo::PhotoFormat,
};
use serde_json::{Map, Value};

use super::{
    Catalogue, CatalogueError, CatalogueModel, KieCredits,
    file::{
        ApiTable, CatalogueFile, DurationTable, ModelEntry, PhotoTable, PriceTable, StateWord, TimingTable,
    },
    shape::{Endpoint, RequestShape, StateWords},
};

/// Words an `aspect.map` may translate.
const ASPECTS: [&str; 3] = ["portrait", "landscape", "square"];

/// Where in the catalogue a check stands, for its message.
struct Place(String);

impl Place {
    fn wrong(&self, key: &str, problem: impl Into<String>) -> CatalogueError {
        CatalogueError::Content { place: self.0.clone(), key: key.to_owned(), problem: problem.into() }
    }

    fn not_empty(&self, key: &str, text: &str) -> Result<(), CatalogueError> {
        if text.trim().is_empty() { Err(self.wrong(key, "is empty: write a value")) } else { Ok(()) }
    }
}

pub(super) fn catalogue(file: CatalogueFile) -> Result<Catalogue, CatalogueError> {
    let top = Place("top level".to_owned());
    let mut endpoints = BTreeMap::new();
    for (name, table) in file.api {
        let endpoint = endpoint(&Place(format!("api `{name}`")), table)?;
        endpoints.insert(name, endpoint);
    }
    let mut models: Vec<CatalogueModel> = Vec::new();
    for entry in file.model {
        let model = model(entry, &endpoints)?;
        let id = &model.video.id;
        if models.iter().any(|earlier| earlier.video.id == *id) {
            return Err(
                Place(format!("model `{id}`")).wrong("id", "is used twice: give each entry its own id")
            );
        }
        models.push(model);
    }
    let known = || models.iter().map(|m| m.video.id.as_str()).collect::<Vec<_>>().join(", ");
    let Some(default) = models.iter().find(|model| model.video.id.as_str() == file.default_model) else {
        let problem = format!("`{}` is not in the catalogue: choose one of {}", file.default_model, known());
        return Err(top.wrong("default_model", problem));
    };
    if !default.video.enabled {
        let problem = format!("`{}` is switched off: enable it or choose another one", file.default_model);
        return Err(top.wrong("default_model", problem));
    }
    Ok(Catalogue { default_model: default.video.id.clone(), models })
}

fn endpoint(place: &Place, table: ApiTable) -> Result<Endpoint, CatalogueError> {
    for (key, path) in [("create", &table.create), ("poll", &table.poll)] {
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(
                place.wrong(key, format!("`{path}` is not a path: begin with `/`, without `?` or `#`"))
            );
        }
    }
    place.not_empty("state.field", &table.state.field)?;
    place.not_empty("failure.code", &table.failure.code)?;
    place.not_empty("failure.text", &table.failure.text)?;
    if table.fields_under == "model" {
        return Err(place.wrong("fields_under", "`model` is where the slug goes: use another name"));
    }
    let words = |words: Vec<StateWord>| {
        let text = |word| match word {
            StateWord::Number(number) => number.to_string(),
            StateWord::Word(word) => word,
        };
        words.into_iter().map(text).collect::<Vec<_>>()
    };
    let states = StateWords {
        running: words(table.state.running),
        done: words(table.state.done),
        failed: words(table.state.failed),
    };
    for (key, words) in [("state.done", &states.done), ("state.failed", &states.failed)] {
        if words.is_empty() {
            return Err(place.wrong(key, "is empty: no task would ever end that way, list its words"));
        }
    }
    let mut seen = BTreeSet::new();
    for word in states.running.iter().chain(&states.done).chain(&states.failed) {
        if !seen.insert(word.to_lowercase()) {
            return Err(place.wrong("state", format!("`{word}` is listed twice: let it mean one thing")));
        }
    }
    if table.urls.is_empty() {
        return Err(place.wrong("urls", "is empty: say where the result's address is"));
    }
    let mut url_paths = Vec::new();
    for path in &table.urls {
        let parts: Vec<String> = path.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(
                place.wrong("urls", format!("`{path}` is not a path: write field names joined by `.`"))
            );
        }
        url_paths.push(parts);
    }
    Ok(Endpoint {
        create: table.create,
        poll: table.poll,
        fields_under: table.fields_under,
        state_field: table.state.field,
        states,
        url_paths,
        failure_code: table.failure.code,
        failure_text: table.failure.text,
    })
}

fn model(
    entry: ModelEntry,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<CatalogueModel, CatalogueError> {
    let place = Place(format!("model `{}`", entry.id));
    let id = ModelId::new(entry.id.clone()).map_err(|error| place.wrong("id", error.to_string()))?;
    place.not_empty("slug", &entry.slug)?;
    let Some(endpoint) = endpoints.get(&entry.api) else {
        let known = endpoints.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(place
            .wrong("api", format!("`{}` has no [api.{}] table: use one of {known}", entry.api, entry.api)));
    };
    let photo_formats = photo_formats(&place, &entry.photo)?;
    if entry.prompt.min > entry.prompt.max || entry.prompt.max == 0 {
        let problem =
            format!("{} to {} characters fit nothing: min <= max", entry.prompt.min, entry.prompt.max);
        return Err(place.wrong("prompt", problem));
    }
    check_durations(&place, &entry.duration)?;
    let prices = prices(&place, &entry.price, &entry.duration.values)?;
    let price = prices.get(&entry.duration.default).copied().unwrap_or_default();
    let timing = timing(&place, &entry.timing)?;
    let checked = match (entry.checked.date, entry.checked.time) {
        (Some(date), None) => date.to_string(),
        _ => return Err(place.wrong("checked", "is not a day: write it as YYYY-MM-DD without quotes")),
    };
    let portrait = match entry.aspect {
        None => None,
        Some(aspect) => {
            if let Some(word) = aspect.map.keys().find(|word| !ASPECTS.contains(&word.as_str())) {
                let problem = format!("`{word}` is no aspect: use {}", ASPECTS.join(", "));
                return Err(place.wrong("aspect.map", problem));
            }
            let Some(portrait) = aspect.map.get("portrait") else {
                return Err(place
                    .wrong("aspect.map", "has no `portrait`, and clips are vertical: say how KIE calls it"));
            };
            Some((aspect.field, portrait.clone()))
        }
    };
    let shape = RequestShape {
        photo_field: entry.photo.field,
        photo: entry.photo.shape,
        prompt_field: entry.prompt.field,
        duration_field: entry.duration.field,
        duration: entry.duration.json,
        portrait,
        constants: constants(&place, entry.constants)?,
    };
    check_fields(&place, &shape, endpoint)?;
    let video = VideoModel {
        id,
        enabled: entry.enabled,
        off_reason: entry.off_reason.filter(|_| !entry.enabled),
        prompt_chars: (entry.prompt.min, entry.prompt.max),
        photo_formats,
        photo_bytes_max: entry.photo.max_bytes,
        clip_seconds: entry.duration.default,
        price_hundredths: price.hundredths(),
        timing,
    };
    Ok(CatalogueModel {
        video,
        slug: entry.slug,
        api: entry.api,
        checked,
        notice: entry.notice,
        prices,
        price,
        endpoint: endpoint.clone(),
        shape,
    })
}

fn photo_formats(place: &Place, photo: &PhotoTable) -> Result<Vec<PhotoFormat>, CatalogueError> {
    if photo.max_bytes == 0 {
        return Err(place.wrong("photo.max_bytes", "is 0: no photo would fit, write KIE's limit"));
    }
    let mut formats = Vec::new();
    for word in &photo.formats {
        let Some(format) = PhotoFormat::parse(word) else {
            let known = PhotoFormat::ALL.map(PhotoFormat::as_str).join(", ");
            return Err(
                place.wrong("photo.formats", format!("`{word}` is not a format Kadr reads: use {known}"))
            );
        };
        if formats.contains(&format) {
            return Err(place.wrong("photo.formats", format!("`{word}` is listed twice: once is enough")));
        }
        formats.push(format);
    }
    if formats.is_empty() {
        return Err(place.wrong("photo.formats", "is empty: list at least one format"));
    }
    Ok(formats)
}

fn check_durations(place: &Place, duration: &DurationTable) -> Result<(), CatalogueError> {
    let mut seen = BTreeSet::new();
    for seconds in &duration.values {
        if !(1..=600).contains(seconds) {
            return Err(place
                .wrong("duration.values", format!("{seconds} is no clip's length: use 1 to 600 seconds")));
        }
        if !seen.insert(seconds) {
            return Err(place.wrong("duration.values", format!("{seconds} is listed twice: once is enough")));
        }
    }
    if seen.contains(&duration.default) {
        return Ok(());
    }
    let values = duration.values.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let problem = format!("{} is not in duration.values ({values}): choose one of them", duration.default);
    Err(place.wrong("duration.default", problem))
}

fn prices(
    place: &Place,
    price: &PriceTable,
    values: &[u32],
) -> Result<BTreeMap<u32, KieCredits>, CatalogueError> {
    let parse = |key: &str, text: &str| {
        let problem = || format!("`{text}` is not a price: write credits as decimal text such as \"17.5\"");
        KieCredits::parse(text).ok_or_else(|| place.wrong(key, problem()))
    };
    match (&price.per_clip, &price.per_second) {
        (Some(table), None) => {
            if let Some(extra) =
                table.keys().find(|key| !values.iter().any(|value| value.to_string() == **key))
            {
                let problem = format!(
                    "prices a clip of {extra} s, which duration.values lacks: drop it or add it there"
                );
                return Err(place.wrong("price.per_clip", problem));
            }
            let priced = values.iter().map(|seconds| {
                let text = table.get(&seconds.to_string()).ok_or_else(|| {
                    place.wrong(
                        "price.per_clip",
                        format!("has no price for {seconds} s: add \"{seconds}\" = \"…\""),
                    )
                })?;
                Ok((*seconds, parse("price.per_clip", text)?))
            });
            priced.collect()
        }
        (None, Some(text)) => {
            let second = parse("price.per_second", text)?;
            Ok(values.iter().map(|seconds| (*seconds, second.times(*seconds))).collect())
        }
        _ => Err(place.wrong("price", "needs either per_clip or per_second: write one of them")),
    }
}

fn timing(place: &Place, timing: &TimingTable) -> Result<RenderTiming, CatalogueError> {
    /// A day: nobody waits longer for a clip, and sums of such times cannot overflow.
    const SECONDS_MAX: u64 = 86_400;
    for (key, seconds) in [
        ("timing.first_poll_s", timing.first_poll_s),
        ("timing.every_s", timing.every_s),
        ("timing.typical_s", timing.typical_s),
        ("timing.give_up_s", timing.give_up_s),
    ] {
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return Err(
                place.wrong(key, format!("{seconds} is out of range: use 1 to {SECONDS_MAX} seconds"))
            );
        }
    }
    if timing.give_up_s < timing.typical_s || timing.give_up_s < timing.first_poll_s {
        return Err(
            place.wrong("timing.give_up_s", "comes before the render can be ready: make it the longest time")
        );
    }
    Ok(RenderTiming {
        first_poll: Duration::from_secs(timing.first_poll_s),
        poll_every: Duration::from_secs(timing.every_s),
        typical: Duration::from_secs(timing.typical_s),
        give_up: Duration::from_secs(timing.give_up_s),
    })
}

fn constants(place: &Place, table: toml::Table) -> Result<Map<String, Value>, CatalogueError> {
    let convert = |(key, value)| match json(value) {
        Some(value) => Ok((key, value)),
        None => {
            Err(place.wrong(&format!("constants.{key}"), "has no JSON form: no dates, no infinite numbers"))
        }
    };
    table.into_iter().map(convert).collect()
}

fn json(value: toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::from(text)),
        toml::Value::Integer(number) => Some(Value::from(number)),
        toml::Value::Float(number) => serde_json::Number::from_f64(number).map(Value::Number),
        toml::Value::Boolean(flag) => Some(Value::from(flag)),
        toml::Value::Datetime(_) => None,
        toml::Value::Array(values) => {
            values.into_iter().map(json).collect::<Option<Vec<_>>>().map(Value::from)
        }
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(key, value)| json(value).map(|value| (key, value)));
            fields.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
    }
}

fn check_fields(place: &Place, shape: &RequestShape, endpoint: &Endpoint) -> Result<(), CatalogueError> {
    let mut seen = BTreeSet::new();
    for (key, field) in shape.bound_fields() {
        place.not_empty(key, field)?;
        if !seen.insert(field) {
            return Err(place.wrong(key, format!("`{field}` is bound twice: bind each field once")));
        }
    }
    if let Some(field) = shape.constants.keys().find(|field| seen.contains(field.as_str())) {
        let problem = "has the name of a bound field: remove the constant";
        return Err(place.wrong(&format!("constants.{field}"), problem));
    }
    let slug_clash = seen.contains("model") || shape.constants.contains_key("model");
    if endpoint.fields_under.is_empty() && slug_clash {
        let problem = "the field `model` holds the slug in this api: use another field";
        return Err(place.wrong("api", problem));
    }
    Ok(())
}
