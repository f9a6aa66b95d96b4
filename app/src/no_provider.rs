//! The video provider of a process that has no key: every call is a no that never left.

use std::path::Path;

use async_trait::async_trait;
use domain::{
    failure::Reason,
    id::{AttemptId, KeyId, ModelId, TaskId},
};
use ports::{Photo, ProviderRefusal, RenderStatus, Reply, VideoApi, VideoRequest};

/// Stands where commands that never call the provider need one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoProvider;

fn no<T>() -> Reply<T> {
    let evidence = "no key is configured: set KADR_KIE__KEYS".to_owned();
    Reply::No(ProviderRefusal { failure: Reason::KeyRejected.into(), evidence, retry_after: None })
}

#[async_trait]
impl VideoApi for NoProvider {
    async fn upload(&self, _key: &KeyId, _name: AttemptId, _photo: &Photo) -> Reply<String> {
        no()
    }

    async fn create<'a>(&self, _key: &KeyId, _request: VideoRequest<'a>) -> Reply<TaskId> {
        no()
    }

    async fn status(&self, _key: &KeyId, _model: &ModelId, _task: &TaskId) -> Reply<RenderStatus> {
        no()
    }

    async fn fresh_link(&self, _key: &KeyId, _url: &str) -> Reply<String> {
        no()
    }

    async fn download(&self, _url: &str, _file: &Path, _bytes_max: u64) -> Reply<u64> {
        no()
    }

    async fn balance(&self, _key: &KeyId) -> Reply<f64> {
        no()
    }
}
