//! `GET /metrics`: a small set of counts in Prometheus' text format (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use orchflow_protocol::Error;

use super::{Desk, refusal};

/// One number the daemon gives, such as the panes in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// Its name, such as `orchflow_panes`.
    pub name: &'static str,
    /// What it counts, in one sentence.
    pub help: &'static str,
    /// What tells it from others of its name, such as `("state", "running")`.
    pub label: Option<(&'static str, String)>,
    /// The number now.
    pub value: u64,
}

/// Where the gauges come from; asked for each time somebody looks.
#[derive(Clone)]
pub struct Gauges(Arc<Read>);

type Read = dyn Fn() -> BoxFuture<'static, Result<Vec<Gauge>, Error>> + Send + Sync;

impl Gauges {
    /// Gauges that `read` gives.
    pub fn new<F>(read: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<Vec<Gauge>, Error>> + Send + Sync + 'static,
    {
        Self(Arc::new(read))
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauges")
    }
}

/// Shows everything that is counted.
pub(super) async fn show(State(desk): State<Desk>) -> Response {
    let gauges = match (desk.0.serves.gauges.0)().await {
        Ok(gauges) => gauges,
        Err(error) => return refusal(StatusCode::SERVICE_UNAVAILABLE, &error),
    };
    let mut page = Page::default();
    let build = [("version", env!("CARGO_PKG_VERSION")), ("protocol", orchflow_protocol::VERSION)];
    page.add("orchflow_build_info", "gauge", "What runs.", &build, 1);
    let uptime = desk.0.started.elapsed().as_secs();
    page.add("orchflow_uptime_seconds", "gauge", "Seconds since this door opened.", &[], uptime);
    for gauge in gauges {
        let label: Vec<_> =
            gauge.label.iter().map(|(name, value)| (*name, value.as_str())).collect();
        page.add(gauge.name, "gauge", gauge.help, &label, gauge.value);
    }
    for (method, outcome, count) in desk.0.serves.table.tally().counts() {
        let labels = [("method", method), ("outcome", outcome)];
        page.add("orchflow_requests_total", "counter", "Calls answered.", &labels, count);
    }
    let stats = desk.0.serves.store.stats();
    let (writes, syncs) = ("orchflow_store_transactions_total", "orchflow_store_fsyncs_total");
    page.add(writes, "counter", "Writes the database was given.", &[], stats.transactions);
    page.add(syncs, "counter", "Commits of the database, each one fsync.", &[], stats.commits);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.text()).into_response()
}

/// Samples by the metric they belong to: the format wants those of one metric together.
#[derive(Debug, Default)]
struct Page(BTreeMap<&'static str, Metric>);

#[derive(Debug)]
struct Metric {
    kind: &'static str,
    help: &'static str,
    samples: Vec<String>,
}

impl Page {
    fn add(
        &mut self,
        name: &'static str,
        kind: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        value: u64,
    ) {
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let metric =
            self.0.entry(name).or_insert_with(|| Metric { kind, help, samples: Vec::new() });
        metric.samples.push(format!("{name}{labels} {value}"));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, Metric { kind, help, samples }) in &self.0 {
            let samples = samples.join("\n");
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{samples}")
                .expect("a String takes everything");
        }
        text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
