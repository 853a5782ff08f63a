//! Uploads a program as raw bytes, with a progress bar on a terminal.

use std::io::{self, Read};
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tenterhook_wire::{Source, Upload, UploadState, UploadedSource};
use ureq::SendBody;
use ureq::http::{Method, StatusCode, header};

use super::{Client, is_refused_with, with_query};
use crate::spinner::Spinner;

/// Timeout for an upload and its compilation: a large component takes many seconds of
/// processor time, and others may be ahead of it.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Seconds that the server waits for its compiler before it responds: less than the
/// timeout of any usual proxy between it and this client.
const WAIT: &str = "20";

/// Larger bodies are announced with `Expect: 100-continue` before they are sent.
const ASK_FIRST_BYTES: usize = 64 * 1024;

/// Time between two frames of the spinner.
const SPINNER_INTERVAL: Duration = Duration::from_millis(120);

impl Client {
    /// Creates a source with these bytes.
    pub(crate) fn create_source(&self, name: &str, bytes: &[u8]) -> anyhow::Result<Source> {
        let path = with_query("/api/v1/sources", &[("name", name), ("wait", WAIT)]);
        let answer = self.upload(&Method::POST, &path, None, bytes)?;
        self.compiled(answer)
    }

    /// Replaces the bytes of a source, if they still have this digest.
    pub(crate) fn replace_source(
        &self,
        id: &str,
        digest: &str,
        bytes: &[u8],
    ) -> anyhow::Result<Source> {
        let path = with_query(&format!("/api/v1/sources/{id}"), &[("wait", WAIT)]);
        let tag = format!("\"{digest}\"");
        let answer = self.upload(&Method::PUT, &path, Some(&tag), bytes)?;
        self.compiled(answer)
    }

    /// Waits until the server has compiled the upload, and returns the source.
    fn compiled(&self, answer: Answer) -> anyhow::Result<Source> {
        let _spinner = Spinner::start("the server compiles it");
        let mut upload = match answer {
            Answer::Done(uploaded) => return Ok(uploaded.source),
            Answer::Accepted(upload) => upload,
        };
        while upload.state == UploadState::Compiling {
            let path = format!("/api/v1/uploads/{}", upload.id);
            *upload = match self.get(&path, &[("wait", WAIT)]) {
                Err(error) if is_refused_with(&error, StatusCode::NOT_FOUND) => {
                    bail!(
                        "the server no longer knows the upload, perhaps because it restarted; push again"
                    )
                }
                polled => polled?,
            };
        }
        match upload.source {
            Some(source) => Ok(source),
            None => Err(self.refusal(&upload.problem.unwrap_or_default())),
        }
    }

    fn upload(
        &self,
        method: &Method,
        path: &str,
        if_match: Option<&str>,
        bytes: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, bytes.len());
        if bytes.len() > ASK_FIRST_BYTES {
            // A refusal that does not depend on the body arrives before it is sent.
            request = request.header(header::EXPECT, "100-continue");
        }
        if let Some(tag) = if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let mut reader = ProgressReader {
            rest: bytes,
            bar: bar(bytes.len() as u64),
        };
        let bar = reader.bar.clone();
        let request = request.body(SendBody::from_reader(&mut reader))?;
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(Some(UPLOAD_TIMEOUT)).build();
        let answer = self.answer(self.agent.run(request));
        bar.finish_and_clear();
        answer
    }
}

/// The response to an upload.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    /// It is compiled later. No source has the member `state`.
    Accepted(Box<Upload>),
    /// It is stored.
    Done(Box<UploadedSource>),
}

/// Creates a progress bar, shown on standard error if that is a terminal.
fn bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes}")
        .expect("the template is right");
    ProgressBar::new(bytes)
        .with_style(style)
        .with_message("uploading")
}

/// Reads from the bytes and advances the progress bar.
struct ProgressReader<'a> {
    rest: &'a [u8],
    bar: ProgressBar,
}

impl Read for ProgressReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        self.bar.inc(count as u64);
        if self.rest.is_empty() {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .expect("the template is right");
            self.bar.set_style(style);
            self.bar.set_message("the server compiles it");
            self.bar.enable_steady_tick(SPINNER_INTERVAL);
        }
        Ok(count)
    }
}
