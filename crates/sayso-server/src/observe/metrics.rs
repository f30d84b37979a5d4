//! The metrics, each with a fixed name, and the page that shows them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use sayso_core::decision::{Reason, Reasons};
use sayso_store::store::{Health, Outcome};

use super::{answer_word, outcome_word};

const METADATA: Metadata<'static> = Metadata::new("sayso", Level::INFO, None);
const SECONDS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];
const OUTCOMES: [Outcome; 4] =
    [Outcome::Appended, Outcome::Retried, Outcome::Repeated, Outcome::KeyReused];

/// The metrics of one server. Not global: several servers in one process do not mix.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    answers: Vec<(&'static str, Counter)>,
    waived: Counter,
    consents: Vec<(Outcome, Counter)>,
    refusal_seconds: Histogram,
}

impl Metrics {
    /// Fresh metrics, all at nothing.
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets(&SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let counter = |name: &'static str, label: Option<(&'static str, &'static str)>| {
            let labels: Vec<Label> =
                label.map(|(name, value)| Label::new(name, value)).into_iter().collect();
            recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
        };
        let words =
            std::iter::once("allow").chain(Reason::ALL.iter().map(|reason| reason.as_str()));
        let answers = words
            .chain(std::iter::once("invalid"))
            .map(|word| (word, counter("sayso_check_answers_total", Some(("answer", word)))))
            .collect();
        let consents = OUTCOMES
            .into_iter()
            .map(|outcome| {
                let label = ("outcome", outcome_word(outcome));
                (outcome, counter("sayso_consents_total", Some(label)))
            })
            .collect();
        let waived = counter("sayso_check_waived_total", None);
        let refusal_seconds =
            recorder.register_histogram(&Key::from_name("sayso_refusal_seconds"), &METADATA);
        Self { handle: recorder.handle(), recorder, answers, waived, consents, refusal_seconds }
    }

    /// Counts an answered request.
    pub(crate) fn count_request(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let labels = vec![
            Label::new("method", method_word(method)),
            Label::new("route", route.to_owned()),
            Label::new("status", status_word(status)),
        ];
        self.recorder
            .register_counter(&Key::from_parts("sayso_http_requests_total", labels), &METADATA)
            .increment(1);
        let labels = vec![Label::new("route", route.to_owned())];
        self.recorder
            .register_histogram(&Key::from_parts("sayso_http_request_seconds", labels), &METADATA)
            .record(took);
    }

    /// Counts answers of the gate.
    pub(crate) fn count_answers(&self, word: &str, times: u64) {
        if let Some((_, counter)) = self.answers.iter().find(|(known, _)| *known == word) {
            counter.increment(times);
        }
    }

    /// Counts one decision.
    pub(crate) fn count_decision(&self, reasons: Reasons, waived: Reasons) {
        self.count_answers(answer_word(reasons), 1);
        if !waived.is_empty() {
            self.waived.increment(1);
        }
    }

    /// Counts what became of a recorded event.
    pub(crate) fn count_consent(&self, outcome: Outcome) {
        if let Some((_, counter)) = self.consents.iter().find(|(known, _)| *known == outcome) {
            counter.increment(1);
        }
    }

    /// How long a refusal took from its receipt until the gate knew it.
    pub(crate) fn time_refusal(&self, took: Duration) {
        self.refusal_seconds.record(took);
    }

    /// The page of metrics, in the text format of Prometheus.
    pub(crate) fn render(&self, health: &Health) -> String {
        let gauge = |name: &'static str, value: u64| {
            let gauge: Gauge = self.recorder.register_gauge(&Key::from_name(name), &METADATA);
            gauge.set(f64_of(value));
        };
        gauge("sayso_store_events", health.events);
        gauge("sayso_store_watermark_lag_events", health.watermark_lag);
        gauge("sayso_store_tail_bytes", health.tail_bytes);
        gauge("sayso_store_writer_queue_requests", health.queue);
        gauge("sayso_store_clock_held_back_us", health.clock_held_back_us);
        gauge("sayso_gate_asks", health.index_asks);
        gauge("sayso_gate_answers", health.index_answers);
        self.handle.render()
    }

    /// Tidies histograms; to be called now and then.
    pub(crate) fn keep_tidy(&self) {
        self.handle.run_upkeep();
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and nothing here comes near 2^53"
)]
const fn f64_of(value: u64) -> f64 {
    value as f64
}

fn method_word(method: &Method) -> &'static str {
    [
        ("GET", &Method::GET),
        ("POST", &Method::POST),
        ("PUT", &Method::PUT),
        ("DELETE", &Method::DELETE),
    ]
    .into_iter()
    .find(|(_, known)| *known == method)
    .map_or("other", |(word, _)| word)
}

/// The class of a status, so that the number of series stays small.
const fn status_word(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500.. => "5xx",
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics(..)")
    }
}
