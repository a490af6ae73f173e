//! HTTP requests for a file or the rest of it.

use super::Patience;
use anyhow::anyhow;
use std::io::Read;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body, Error};

/// Why an attempt failed.
#[derive(Debug)]
pub enum Trouble {
    /// Another attempt may succeed.
    Passing(anyhow::Error),
    /// No other attempt can succeed.
    Final(anyhow::Error),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Final(error)
    }
}

/// An error after which another attempt may succeed.
pub fn passing(message: &str) -> Trouble {
    Trouble::Passing(anyhow!("{message}"))
}

/// A file or the rest of it, as a server sends it.
pub struct Reply {
    /// The offset of the first byte in the whole file.
    pub start: u64,
    /// The length of the whole file, if the server says it.
    pub total: Option<u64>,
    /// The name of this version of the file, or its date.
    pub validator: Option<String>,
    pub body: Box<dyn Read>,
}

/// An HTTP client with these timeouts. It follows no redirection from `https` to `http`.
pub fn agent(url: &str, patience: &Patience) -> Agent {
    let mut config = Agent::config_builder()
        .https_only(url.starts_with("https://"))
        .http_status_as_error(false)
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.stall))
        .timeout_per_read(Some(patience.stall));
    if !patience.proxy {
        config = config.proxy(None);
    }
    config.build().into()
}

/// Requests the bytes of `url` from `start` on, provided that the file still is the version that `validator` names. A server
/// may send the whole file instead. `None` if `start` lies beyond the file, or the file is another version.
///
/// # Errors
/// If the server does not answer, or answers with anything but a file.
pub fn ask(
    agent: &Agent,
    url: &str,
    start: u64,
    validator: Option<&str>,
) -> Result<Option<Reply>, Trouble> {
    let mut request = agent.get(url).header("Accept-Encoding", "identity");
    if start > 0 {
        request = request.header("Range", format!("bytes={start}-"));
        if let Some(validator) = validator {
            request = request.header("If-Range", validator);
        }
    }
    let response = request.call().map_err(|error| trouble(url, error))?;
    match response.status().as_u16() {
        200 => Ok(Some(whole(response))),
        206 if start > 0 => Ok(rest(response, start, validator)),
        416 if start > 0 => Ok(None),
        status @ (408 | 429 | 500..=599) => Err(passing(&format!("the server answers {status}"))),
        status => {
            Err(Trouble::Final(anyhow!("{url}: expected a file, the server answers {status}")))
        }
    }
}

fn trouble(url: &str, error: Error) -> Trouble {
    let is_final = matches!(
        error,
        Error::BadUri(_)
            | Error::Http(_)
            | Error::RequireHttpsOnly(_)
            | Error::TooManyRedirects
            | Error::RedirectFailed
    );
    let error = anyhow::Error::from(error);
    if is_final { Trouble::Final(error.context(url.to_owned())) } else { Trouble::Passing(error) }
}

fn whole(response: Response<Body>) -> Reply {
    let total = header(response.headers(), "content-length").and_then(|text| text.parse().ok());
    let validator = validator(response.headers());
    Reply { start: 0, total, validator, body: Box::new(response.into_body().into_reader()) }
}

/// The rest from `start` on, unless the server sends another part or another version.
fn rest(response: Response<Body>, start: u64, expected: Option<&str>) -> Option<Reply> {
    let range = header(response.headers(), "content-range")?.strip_prefix("bytes ")?;
    let (range, total) = range.split_once('/')?;
    let first: u64 = range.split_once('-')?.0.trim().parse().ok()?;
    let total = total.trim().parse().ok();
    let validator = validator(response.headers());
    let is_other = validator.is_some() && expected.is_some() && validator.as_deref() != expected;
    if first != start || is_other {
        return None;
    }
    Some(Reply { start, total, validator, body: Box::new(response.into_body().into_reader()) })
}

/// The tag or date that names this version of the file byte for byte. Weak tags do not.
fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = header(headers, "etag").filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| header(headers, "last-modified")).map(str::to_owned)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
