//! Reading requests: the query, a JSON object, a form, or a form with files (Bot API, Making requests).

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{Request, body::Incoming, header::CONTENT_TYPE};
use serde_json::Value;

use super::model::{Params, Upload};
use crate::provider::wire::multipart;

/// The largest body: a file of 50 MB and what stands around it. Above, Telegram's gateway refuses.
const BODY_BYTES_MAX: usize = (50 << 20) + (1 << 20);

/// A request that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// Too large.
    TooLarge,
    /// It broke off.
    Broken,
    /// Its JSON or form makes no sense.
    Unreadable,
}

/// A request as it came.
pub(super) struct RawBody {
    pub(super) query: String,
    pub(super) kind: String,
    pub(super) bytes: Bytes,
}

impl RawBody {
    pub(super) async fn read(request: Request<Incoming>) -> Result<Self, BodyFault> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { BodyFault::TooLarge } else { BodyFault::Broken }
        })?;
        Ok(Self { query, kind, bytes: body.to_bytes() })
    }

    fn is(&self, kind: &str) -> bool {
        self.kind.split(';').next().is_some_and(|is| is.trim().eq_ignore_ascii_case(kind))
    }

    pub(super) fn is_form_with_files(&self) -> bool {
        self.is("multipart/form-data")
    }

    /// The query alone.
    pub(super) fn query(&self) -> Params {
        let mut params = Params::default();
        for (name, value) in url::form_urlencoded::parse(self.query.as_bytes()) {
            params.set(&name, &value);
        }
        params
    }

    /// The query, and over it what the body holds.
    pub(super) fn params(&self) -> Result<Params, BodyFault> {
        let mut params = self.query();
        if self.bytes.is_empty() {
            return Ok(params);
        }
        if self.is("application/json") {
            let object: Value = serde_json::from_slice(&self.bytes).map_err(|_| BodyFault::Unreadable)?;
            params.merge(Params::of_json(&object));
        } else if self.is_form_with_files() {
            let parts = multipart::parts(&self.kind, &self.bytes).ok_or(BodyFault::Unreadable)?;
            for part in parts {
                if part.file_name.is_some() {
                    let bytes = self.bytes.slice_ref(part.content);
                    params.attach(&part.name, Upload { name: part.file_name, bytes });
                } else {
                    params.set(&part.name, &String::from_utf8_lossy(part.content));
                }
            }
        } else {
            for (name, value) in url::form_urlencoded::parse(&self.bytes) {
                params.set(&name, &value);
            }
        }
        Ok(params)
    }
}
