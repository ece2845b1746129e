//! Measuring: paired rounds, medians, and the table they are told in.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

/// One line of a bench's result.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: &'static str,
    /// The unit of all numbers but the ratio: `ms`, `MB`, `switches`.
    pub(crate) unit: &'static str,
    /// The median of ours.
    pub(crate) ours: f64,
    /// The peer's name, when there is one.
    pub(crate) peer_name: Option<&'static str>,
    /// The median of the peer's.
    pub(crate) peer: Option<f64>,
    /// The median over the rounds of ours divided by the peer's; under 1 is better than the peer.
    pub(crate) ratio: Option<f64>,
    /// What is aimed at, in words.
    pub(crate) goal: &'static str,
    /// Every round of ours, in the order they were run.
    pub(crate) ours_samples: Vec<f64>,
    /// Every round of the peer's, in the same order.
    pub(crate) peer_samples: Vec<f64>,
}

/// What a row is about, before it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    /// What is measured.
    pub(crate) what: &'static str,
    /// The unit of the samples.
    pub(crate) unit: &'static str,
    /// The peer's name.
    pub(crate) peer: &'static str,
    /// What is aimed at, in words.
    pub(crate) goal: &'static str,
}

impl Subject {
    /// The row of these samples; the N-th of ours was taken beside the N-th of the peer's.
    pub(crate) fn row(self, ours: Vec<f64>, peer: Vec<f64>) -> Row {
        let ratios: Vec<f64> =
            ours.iter().zip(&peer).filter(|(_, b)| **b > 0.0).map(|(a, b)| a / b).collect();
        Row {
            what: self.what,
            unit: self.unit,
            ours: median(&ours),
            peer_name: (!peer.is_empty()).then_some(self.peer),
            peer: (!peer.is_empty()).then(|| median(&peer)),
            ratio: (!ratios.is_empty()).then(|| median(&ratios)),
            goal: self.goal,
            ours_samples: ours,
            peer_samples: peer,
        }
    }
}

/// Takes `rounds` pairs of samples. Who goes first changes every round, so that neither
/// always finds the caches the other one warmed.
pub(crate) fn paired(
    rounds: u32,
    mut ours: impl FnMut() -> anyhow::Result<f64>,
    mut peer: impl FnMut() -> anyhow::Result<f64>,
) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut of_ours, mut of_peer) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if round % 2 == 0 {
            of_ours.push(ours()?);
            of_peer.push(peer()?);
        } else {
            of_peer.push(peer()?);
            of_ours.push(ours()?);
        }
    }
    Ok((of_ours, of_peer))
}

/// Milliseconds `work` took.
pub(crate) fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(millis(start.elapsed()))
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The middle of the samples; between the two middle ones when their number is even; 0 of none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// The rows as a Markdown table, for people and for pages.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| what | ours | peer | ratio | goal | rounds |\n|---|---|---|---|---|---|\n");
    for row in rows {
        let peer = match (row.peer, row.peer_name) {
            (Some(value), Some(name)) => format!("{} {} ({name})", number(value), row.unit),
            _ => "–".to_owned(),
        };
        let ratio = row.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let (what, ours, unit, goal) = (row.what, number(row.ours), row.unit, row.goal);
        let rounds = row.ours_samples.len();
        writeln!(text, "| {what} | {ours} {unit} | {peer} | {ratio} | {goal} | {rounds} |")
            .expect("writing to a string cannot fail");
    }
    text
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Subject = Subject { what: "start", unit: "ms", peer: "tmux", goal: "< 50 ms" };

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn the_ratio_is_the_median_of_pairs_and_not_of_medians() {
        let row = START.row(vec![1.0, 10.0, 100.0], vec![2.0, 40.0, 100.0]);
        assert!((row.ratio.unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn who_goes_first_changes_every_round() {
        let order = std::cell::RefCell::new(String::new());
        let note = |who: char| {
            order.borrow_mut().push(who);
            Ok(1.0)
        };
        let (ours, peer) = paired(3, || note('a'), || note('b')).unwrap();
        assert_eq!((ours.len(), peer.len()), (3, 3));
        assert_eq!(*order.borrow(), "abbaab");
    }

    #[test]
    fn the_table_has_a_line_a_row_and_says_when_there_is_no_peer() {
        let rows = [START.row(vec![4.0], vec![8.0]), START.row(vec![123.4], vec![])];
        let table = table(&rows);
        assert!(
            table.contains("| start | 4.0 ms | 8.0 ms (tmux) | 0.50 | < 50 ms | 1 |"),
            "{table}"
        );
        assert!(table.contains("| start | 123 ms | – | – | < 50 ms | 1 |"), "{table}");
    }
}
