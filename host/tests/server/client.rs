//! Requests, and a reader of the metrics.

use ureq::http::Response;
use ureq::{Agent, Body};

use crate::running::PATIENCE;

/// A client with a connection of its own.
pub struct Client {
    agent: Agent,
    base: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub tag: Option<String>,
    pub content: Vec<u8>,
}

impl Answer {
    /// None: the server has gone in the middle of it.
    fn try_of(mut response: Response<Body>) -> Option<Self> {
        let tag = response.headers().get("etag");
        Some(Self {
            status: response.status().as_u16(),
            tag: tag.map(|tag| tag.to_str().unwrap().to_owned()),
            content: response.body_mut().read_to_vec().ok()?,
        })
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.content);
        assert_eq!(self.status, status, "{text}");
        self
    }

    /// The entity tag, which must be there.
    #[track_caller]
    pub fn tag(&self) -> &str {
        self.tag.as_deref().unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.content.clone()).unwrap()
    }
}

impl Client {
    pub fn of(address: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build();
        Self {
            agent: config.into(),
            base: format!("http://{address}/"),
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_if(path, &[])
    }

    pub fn get_if(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_get_if(path, headers).unwrap()
    }

    /// None: the server has gone.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_get_if(path, &[])
    }

    fn try_get_if(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::try_of(request.call().ok()?)
    }

    pub fn head(&self, path: &str) -> Response<Body> {
        self.agent
            .head(format!("{}{path}", self.base))
            .call()
            .unwrap()
    }

    pub fn put(&self, path: &str, content: &[u8]) -> Answer {
        self.put_if(path, content, &[])
    }

    pub fn put_if(&self, path: &str, content: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.try_put_if(path, content, headers).unwrap()
    }

    /// None: the server has gone, and nobody knows whether it was written.
    pub fn try_put_if(
        &self,
        path: &str,
        content: &[u8],
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let request = self.agent.put(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::try_of(request.send(content).ok()?)
    }

    pub fn delete_if(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_delete_if(path, headers).unwrap()
    }

    /// None: the server has gone, and nobody knows whether it was deleted.
    pub fn try_delete_if(&self, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
        let request = self.agent.delete(format!("{}{path}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Answer::try_of(request.call().ok()?)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.delete_if(path, &[])
    }

    /// What the server counts.
    pub fn metrics(&self) -> Metrics {
        Metrics(self.get("metrics").with(200).text())
    }
}

/// Metrics in Prometheus' text format.
pub struct Metrics(String);

impl Metrics {
    /// The sum of all samples of this name that have all of these labels, each written as
    /// `name="value"`.
    pub fn sum(&self, name: &str, labels: &[&str]) -> u64 {
        let samples = self.0.lines().filter_map(|line| {
            let (sample, value) = line.rsplit_once(' ')?;
            let (found, rest) = sample.split_once('{').unwrap_or((sample, ""));
            let wanted = found == name && labels.iter().all(|label| rest.contains(label));
            wanted.then(|| value.parse::<f64>().unwrap() as u64)
        });
        samples.sum()
    }
}
