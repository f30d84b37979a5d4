//! The metrics, each with a fixed name, and the page that shows them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::sender_health::HealthLevel;
use sayso_store::store::{Health, Outcome};

use super::ends::{DoubleOptInEnd, FormEnd};
use super::{answer_word, outcome_word};

const METADATA: Metadata<'static> = Metadata::new("sayso", Level::INFO, None);
/// The upper bounds of the buckets of every histogram, in seconds.
const BUCKETS_SECONDS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];
const OUTCOMES: [Outcome; 5] =
    [Outcome::Appended, Outcome::Retried, Outcome::Repeated, Outcome::KeyReused, Outcome::Withheld];

/// Where messages end here; what providers report later is not counted.
const MESSAGE_ENDS: [MessageState; 4] =
    [MessageState::HandedOver, MessageState::Failed, MessageState::Unknown, MessageState::Refused];

/// The words of methods; the last is for all others.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "other"];
/// The classes of statuses, so that the number of series stays small.
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// The metrics of one server. Not global: several servers in one process do not mix.
///
/// A series is registered when it first counts something, and kept: registering hashes its labels
/// and takes locks, which would cost a request more than its decision.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
    answers: Vec<(&'static str, Counter)>,
    waived: Counter,
    unverified_hooks: Counter,
    unknown_events: Counter,
    outgoing_refused: Counter,
    messages: Vec<(MessageState, Counter)>,
    messages_refused: Vec<(Reason, Counter)>,
    messages_exempt: Counter,
    held_groups: Counter,
    consents: Vec<(Outcome, Counter)>,
    form_submissions: Vec<(FormEnd, Counter)>,
    double_opt_ins: Vec<(DoubleOptInEnd, Counter)>,
    turned_away: [(TurnedAway, Counter); TurnedAway::ALL.len()],
    refusal_seconds: Histogram,
}

/// Why somebody who connected was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// Their network has its share of connections, and all of them are busy.
    NetworkFull,
    /// The seats that are left are kept for hooks and leaving.
    SeatKept,
}

impl TurnedAway {
    const ALL: [Self; 2] = [Self::NetworkFull, Self::SeatKept];

    const fn as_str(self) -> &'static str {
        match self {
            Self::NetworkFull => "network_full",
            Self::SeatKept => "seat_kept",
        }
    }
}

/// The series of one route.
struct Route {
    seconds: Histogram,
    /// By [`METHODS`] and [`CLASSES`].
    requests: [[OnceLock<Counter>; CLASSES.len()]; METHODS.len()],
}

impl Metrics {
    /// Fresh metrics, all at nothing.
    pub fn new() -> Self {
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets(&BUCKETS_SECONDS) {
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
        let form_submissions = FormEnd::ALL
            .into_iter()
            .map(|end| (end, counter("sayso_form_submissions_total", Some(("end", end.as_str())))))
            .collect();
        let double_opt_ins = DoubleOptInEnd::ALL
            .into_iter()
            .map(|end| (end, counter("sayso_double_opt_in_total", Some(("end", end.as_str())))))
            .collect();
        let messages = MESSAGE_ENDS
            .into_iter()
            .map(|end| (end, counter("sayso_messages_total", Some(("end", end.as_str())))))
            .collect();
        let messages_refused = Reason::ALL
            .iter()
            .map(|reason| {
                let label = ("reason", reason.as_str());
                (*reason, counter("sayso_messages_refused_total", Some(label)))
            })
            .collect();
        let name = "sayso_connections_turned_away_total";
        let turned_away =
            TurnedAway::ALL.map(|why| (why, counter(name, Some(("why", why.as_str())))));
        let refusal_seconds =
            recorder.register_histogram(&Key::from_name("sayso_refusal_seconds"), &METADATA);
        Self {
            routes: RwLock::default(),
            answers,
            waived: counter("sayso_check_waived_total", None),
            unverified_hooks: counter("sayso_hook_unverified_total", None),
            unknown_events: counter("sayso_hook_unknown_events_total", None),
            outgoing_refused: counter("sayso_outgoing_refused_total", None),
            messages,
            messages_refused,
            messages_exempt: counter("sayso_messages_exempt_total", None),
            held_groups: counter("sayso_held_refusal_groups_total", None),
            consents,
            form_submissions,
            double_opt_ins,
            turned_away,
            refusal_seconds,
            handle: recorder.handle(),
            recorder,
        }
    }

    /// Counts an answered request.
    pub(crate) fn count_request(
        &self,
        method: &Method,
        route: &str,
        status: StatusCode,
        took: Duration,
    ) {
        let series = self.route(route);
        series.seconds.record(took);
        let (method, class) = (place_of_method(method), place_of_class(status));
        if let Some(counter) = series.requests.get(method).and_then(|row| row.get(class)) {
            counter.get_or_init(|| self.request_counter(route, method, class)).increment(1);
        }
    }

    /// The series of a route. Routes are templates, so there are few.
    fn route(&self, route: &str) -> Arc<Route> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = routes.get(route) {
            return Arc::clone(series);
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let series = routes.entry(route.into()).or_insert_with(|| {
            let labels = vec![Label::new("route", route.to_owned())];
            let key = Key::from_parts("sayso_http_request_seconds", labels);
            let seconds = self.recorder.register_histogram(&key, &METADATA);
            Arc::new(Route { seconds, requests: Default::default() })
        });
        Arc::clone(series)
    }

    fn request_counter(&self, route: &str, method: usize, class: usize) -> Counter {
        let word = |words: &[&'static str], at: usize| words.get(at).copied().unwrap_or_default();
        let labels = vec![
            Label::new("method", word(&METHODS, method)),
            Label::new("route", route.to_owned()),
            Label::new("status", word(&CLASSES, class)),
        ];
        self.recorder
            .register_counter(&Key::from_parts("sayso_http_requests_total", labels), &METADATA)
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

    /// Counts a call to a hook that is not known to be its provider's.
    pub(crate) fn count_unverified_hook(&self) {
        self.unverified_hooks.increment(1);
    }

    /// Counts an event of a provider that is of no kind we know.
    pub(crate) fn count_unknown_event(&self) {
        self.unknown_events.increment(1);
    }

    /// Counts messages that came to this end here.
    pub(crate) fn count_messages(&self, end: MessageState, times: usize) {
        if let Some((_, counter)) = self.messages.iter().find(|(known, _)| *known == end) {
            counter.increment(u64::try_from(times).unwrap_or(u64::MAX));
        }
    }

    /// Counts a message that the gate refused, under the first of its reasons.
    pub(crate) fn count_refused_message(&self, reasons: Reasons) {
        self.count_messages(MessageState::Refused, 1);
        let first = reasons.iter().next();
        let series = self.messages_refused.iter().find(|(known, _)| Some(*known) == first);
        if let Some((_, counter)) = series {
            counter.increment(1);
        }
    }

    /// Counts a message that was handed over because its opt-in was waived.
    pub(crate) fn count_exempt_message(&self) {
        self.messages_exempt.increment(1);
    }

    /// Counts a call to a provider that the guard did not let out.
    pub(crate) fn count_outgoing_refused(&self) {
        self.outgoing_refused.increment(1);
    }

    /// Counts somebody who connected and was turned away.
    pub(crate) fn count_turned_away(&self, why: TurnedAway) {
        if let Some((_, counter)) = self.turned_away.iter().find(|(known, _)| *known == why) {
            counter.increment(1);
        }
    }

    /// Counts what became of a recorded event.
    pub(crate) fn count_consent(&self, outcome: Outcome) {
        if let Some((_, counter)) = self.consents.iter().find(|(known, _)| *known == outcome) {
            counter.increment(1);
        }
    }

    /// Counts refusals that begin to be held together: somebody has to look at them.
    pub(crate) fn count_held_group(&self) {
        self.held_groups.increment(1);
    }

    /// Counts a submission of a form by how it ended.
    pub(crate) fn count_form_submission(&self, end: FormEnd) {
        if let Some((_, counter)) = self.form_submissions.iter().find(|(known, _)| *known == end) {
            counter.increment(1);
        }
    }

    /// Counts a double opt-in question, or an answer, by how it ended.
    pub(crate) fn count_double_opt_in(&self, end: DoubleOptInEnd) {
        if let Some((_, counter)) = self.double_opt_ins.iter().find(|(known, _)| *known == end) {
            counter.increment(1);
        }
    }

    /// How long a refusal took from its receipt until the gate knew it.
    pub(crate) fn time_refusal(&self, took: Duration) {
        self.refusal_seconds.record(took);
    }

    /// The page of metrics, in the text format of Prometheus.
    pub(crate) fn render(&self, health: &Health, senders: &BTreeMap<HealthLevel, u64>) -> String {
        let gauge = |name: &'static str, value: u64| {
            let gauge: Gauge = self.recorder.register_gauge(&Key::from_name(name), &METADATA);
            gauge.set(f64_of(value));
        };
        // What only grows is a counter. The names without `_total` stay for one release.
        for (name, before, value) in [
            ("sayso_store_events_total", "sayso_store_events", health.events),
            ("sayso_gate_asks_total", "sayso_gate_asks", health.index_asks),
            ("sayso_gate_answers_total", "sayso_gate_answers", health.index_answers),
        ] {
            let counter = self.recorder.register_counter(&Key::from_name(name), &METADATA);
            counter.absolute(value);
            gauge(before, value);
        }
        gauge("sayso_store_watermark_lag_events", health.watermark_lag);
        gauge("sayso_store_tail_bytes", health.tail_bytes);
        gauge("sayso_store_writer_queue_requests", health.queue);
        gauge("sayso_store_commit_p99_us", health.commit_p99_us);
        if let Some(bytes) = health.disk_left_bytes {
            gauge("sayso_store_disk_left_bytes", bytes);
        }
        gauge("sayso_store_clock_held_back_us", health.clock_held_back_us);
        for level in HealthLevel::ALL {
            let labels = vec![Label::new("level", level.as_str())];
            let key = Key::from_parts("sayso_senders", labels);
            let count = senders.get(level).copied().unwrap_or(0);
            self.recorder.register_gauge(&key, &METADATA).set(f64_of(count));
        }
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

/// The place of a method in [`METHODS`].
fn place_of_method(method: &Method) -> usize {
    METHODS.iter().position(|word| *word == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// The place of a status in [`CLASSES`].
const fn place_of_class(status: StatusCode) -> usize {
    match status.as_u16() {
        ..=299 => 0,
        300..=399 => 1,
        400..=499 => 2,
        500.. => 3,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_in_the_series_of_its_route_method_and_class() {
        let metrics = Metrics::new();
        let count = |method: &Method, status, micros| {
            let took = Duration::from_micros(micros);
            metrics.count_request(method, "/v1/check", status, took);
        };
        count(&Method::POST, StatusCode::OK, 70);
        count(&Method::POST, StatusCode::CREATED, 70);
        count(&Method::POST, StatusCode::NOT_FOUND, 3_000);
        count(&Method::PATCH, StatusCode::METHOD_NOT_ALLOWED, 70);
        let page = metrics.handle.render();
        let lines: Vec<&str> = page.lines().filter(|line| line.contains("/v1/check")).collect();
        let has = |wanted: &str| assert!(lines.contains(&wanted), "{wanted}: {page}");
        let of = |method: &str, class: &str, times: u8| {
            has(&format!(
                "sayso_http_requests_total{{method=\"{method}\",route=\"/v1/check\",status=\"{class}\"}} {times}"
            ));
        };
        of("POST", "2xx", 2);
        of("POST", "4xx", 1);
        of("other", "4xx", 1);
        assert!(!page.contains("5xx"), "nothing failed: {page}");
        has("sayso_http_request_seconds_count{route=\"/v1/check\"} 4");
        has("sayso_http_request_seconds_bucket{route=\"/v1/check\",le=\"0.0001\"} 3");
        has("sayso_http_request_seconds_bucket{route=\"/v1/check\",le=\"0.005\"} 4");
    }
}
