//! `kadr migrate`.

use serde_json::json;

use super::{Ended, output::Output};
use crate::{compose, config::Config};

pub(super) async fn run(config: &Config, out: &mut Output) -> Ended {
    let version = compose::migrate(config, &mut out.noting()).await?;
    out.show(
        &json!({ "schema_version": version }),
        &[format!("the schema is up to date: version {version}")],
    )?;
    Ok(0)
}
