//! Counters of this process's requests, and the page of metrics.
//!
//! The page is in the OpenMetrics text format. What is counted about runs and
//! queues comes from the dispatcher; nothing here names a tenant or a hook.

mod levels;
mod page;
mod runs;
mod webhooks;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

pub(crate) use self::page::{Kind, MEDIA_TYPE, Page};
use crate::face::Face;

/// Upper bounds of the buckets of the request durations, in microseconds: the
/// durable calls are meant to stay under 20 ms, and a wait may last minutes.
const BUCKETS_US: [u64; 9] = [
    500, 1_000, 5_000, 20_000, 100_000, 500_000, 2_500_000, 10_000_000, 60_000_000,
];

/// Counters of requests. All of them only ever grow, save those in flight.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    in_flight: AtomicU64,
    faces: [PerFace; Face::ALL.len()],
}

#[derive(Debug, Default)]
struct PerFace {
    /// By the first digit of the status, 1 to 5.
    by_class: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS_US.len()],
    sum_us: AtomicU64,
}

/// Counts one request as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// A request has begun.
    pub(crate) fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// A request was answered.
    pub(crate) fn count_request(&self, face: Face, status: StatusCode, took: Duration) {
        let own = &self.faces[face as usize];
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        own.by_class[class].fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BUCKETS_US.iter().position(|bound| us <= *bound) {
            own.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        own.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// Adds what was counted to the page.
    pub(crate) fn write(&self, page: &mut Page) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        page.family(
            "tenterhook_http_requests_in_flight",
            Kind::Gauge,
            "Requests that are being answered.",
        );
        page.sample(&[], read(&self.in_flight));
        page.family(
            "tenterhook_http_requests_total",
            Kind::Counter,
            "Requests answered, by status class.",
        );
        for (face, own) in Face::ALL.iter().zip(&self.faces) {
            for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"]
                .iter()
                .zip(&own.by_class)
            {
                let labels = [("face", face.as_str()), ("status", class)];
                page.sample(&labels, read(count));
            }
        }
        let name = "tenterhook_http_request_duration_seconds";
        page.family(
            name,
            Kind::Histogram,
            "Time from a request's head to its answer's head.",
        );
        for (face, own) in Face::ALL.iter().zip(&self.faces) {
            let mut buckets: Vec<_> = BUCKETS_US
                .iter()
                .zip(&own.buckets)
                .map(|(bound, count)| (page::seconds(*bound), read(count)))
                .collect();
            let counted = buckets.iter().map(|(_, count)| count).sum();
            let all: u64 = own.by_class.iter().map(read).sum();
            buckets.push((f64::INFINITY, all.saturating_sub(counted)));
            let sum = page::seconds(read(&own.sum_us));
            page.sample(
                &[("face", face.as_str())],
                page::Value::Histogram { sum, buckets },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_face_and_class_and_in_buckets() {
        let metrics = Metrics::default();
        metrics.count_request(Face::Native, StatusCode::CREATED, Duration::from_millis(2));
        metrics.count_request(Face::Native, StatusCode::NOT_FOUND, Duration::from_secs(90));
        let in_flight = metrics.enter();
        let mut page = Page::default();
        metrics.write(&mut page);
        drop(in_flight);
        let page = page.write();
        for line in [
            "tenterhook_http_requests_in_flight 1",
            "tenterhook_http_requests_total{face=\"native\",status=\"2xx\"} 1",
            "tenterhook_http_request_duration_seconds_bucket{le=\"0.005\",face=\"native\"} 1",
            "tenterhook_http_request_duration_seconds_bucket{le=\"+Inf\",face=\"native\"} 2",
            "tenterhook_http_request_duration_seconds_sum{face=\"native\"} 90.002",
        ] {
            assert!(page.lines().any(|own| own == line), "{line}\n{page}");
        }
    }
}
