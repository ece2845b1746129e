//! Measuring: paired rounds, medians, and the table they are told in.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

/// One line of a bench's result.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// The unit of all numbers but the ratio: `ms`, `MB`, `switches`.
    pub(crate) unit: &'static str,
    /// The median of ours.
    pub(crate) ours: f64,
    /// The peer's name, when there is one.
    pub(crate) peer_name: Option<&'static str>,
    /// The median of the peer's.
    pub(crate) peer: Option<f64>,
    /// The median over the rounds of ours divided by the peer's.
    pub(crate) ratio: Option<f64>,
    /// What is aimed at, in words.
    pub(crate) goal: String,
    /// Whether that is reached; none when nothing is aimed at.
    pub(crate) ok: Option<bool>,
    /// Every round of ours, in the order they were run.
    pub(crate) ours_samples: Vec<f64>,
    /// Every round of the peer's, in the same order.
    pub(crate) peer_samples: Vec<f64>,
}

/// What is aimed at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// Ours is at most so many times the peer's.
    RatioAtMost(f64),
    /// Ours is at least so many times the peer's.
    RatioAtLeast(f64),
    /// Ours is at most this.
    AtMost(f64),
    /// Ours is at least this.
    AtLeast(f64),
    /// Ours is at most so much more than the peer's.
    BeyondAtMost(f64),
    /// Nothing: the number is only told.
    Told,
}

impl Goal {
    fn words(self, unit: &str) -> String {
        match self {
            Self::RatioAtMost(most) => format!("≤ {most:.1}×"),
            Self::RatioAtLeast(least) => format!("≥ {least:.1}×"),
            Self::AtMost(most) => format!("≤ {most} {unit}"),
            Self::AtLeast(least) => format!("≥ {least} {unit}"),
            Self::BeyondAtMost(most) => format!("≤ peer + {most} {unit}"),
            Self::Told => "–".to_owned(),
        }
    }

    /// Whether it is reached; a comparison without a peer is not.
    fn reached(self, ours: f64, ratio: Option<f64>, beyond: Option<f64>) -> Option<bool> {
        match self {
            Self::RatioAtMost(most) => Some(ratio.is_some_and(|ratio| ratio <= most)),
            Self::RatioAtLeast(least) => Some(ratio.is_some_and(|ratio| ratio >= least)),
            Self::AtMost(most) => Some(ours <= most),
            Self::AtLeast(least) => Some(ours >= least),
            Self::BeyondAtMost(most) => Some(beyond.is_some_and(|beyond| beyond <= most)),
            Self::Told => None,
        }
    }
}

/// What a row is about, before it is measured.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// What is measured.
    pub(crate) what: String,
    /// The unit of the samples.
    pub(crate) unit: &'static str,
    /// The peer's name; empty is none.
    pub(crate) peer: &'static str,
    /// What is aimed at.
    pub(crate) goal: Goal,
}

impl Subject {
    /// A subject with a peer.
    pub(crate) fn new(what: &str, unit: &'static str, peer: &'static str, goal: Goal) -> Self {
        Self { what: what.to_owned(), unit, peer, goal }
    }

    /// A subject that nothing is compared with.
    pub(crate) fn alone(what: &str, unit: &'static str, goal: Goal) -> Self {
        Self::new(what, unit, "", goal)
    }

    /// The row of these samples; the N-th of ours was taken beside the N-th of the peer's.
    pub(crate) fn row(self, ours: Vec<f64>, peer: Vec<f64>) -> Row {
        let pairs = || ours.iter().zip(&peer);
        let ratios: Vec<f64> = pairs().filter(|(_, b)| **b > 0.0).map(|(a, b)| a / b).collect();
        let beyond: Vec<f64> = pairs().map(|(a, b)| a - b).collect();
        let some = |samples: &[f64]| (!samples.is_empty()).then(|| median(samples));
        let (middle, ratio) = (median(&ours), some(&ratios));
        Row {
            what: self.what,
            unit: self.unit,
            ours: middle,
            peer_name: (!peer.is_empty()).then_some(self.peer),
            peer: some(&peer),
            ratio,
            goal: self.goal.words(self.unit),
            ok: self.goal.reached(middle, ratio, some(&beyond)),
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
    let mut text = String::from(
        "| what | ours | peer | ratio | goal | | rounds |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let peer = match (row.peer, row.peer_name) {
            (Some(value), Some(name)) => format!("{} {} ({name})", number(value), row.unit),
            _ => "–".to_owned(),
        };
        let ratio = row.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let verdict = row.ok.map_or("told", |ok| if ok { "ok" } else { "short" });
        let (what, ours, unit, goal) = (&row.what, number(row.ours), row.unit, &row.goal);
        let rounds = row.ours_samples.len();
        writeln!(
            text,
            "| {what} | {ours} {unit} | {peer} | {ratio} | {goal} | {verdict} | {rounds} |"
        )
        .expect("writing to a string cannot fail");
    }
    text
}

fn number(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Subject {
        Subject::new("start", "ms", "tmux", Goal::RatioAtMost(1.0))
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn the_ratio_is_the_median_of_pairs_and_not_of_medians() {
        let row = start().row(vec![1.0, 10.0, 100.0], vec![2.0, 40.0, 100.0]);
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
        let rows = [start().row(vec![4.0], vec![8.0]), start().row(vec![123.4], vec![])];
        let table = table(&rows);
        assert!(
            table.contains("| start | 4.00 ms | 8.00 ms (tmux) | 0.50 | ≤ 1.0× | ok | 1 |"),
            "{table}"
        );
        assert!(table.contains("| start | 123 ms | – | – | ≤ 1.0× | short | 1 |"), "{table}");
    }

    #[test]
    fn a_goal_is_held_against_the_number_it_names() {
        let ok = |goal, ours, peer: &[f64]| {
            Subject::new("x", "ms", "peer", goal).row(vec![ours], peer.to_vec()).ok
        };
        assert_eq!(ok(Goal::RatioAtMost(1.5), 3.0, &[2.0]), Some(true));
        assert_eq!(ok(Goal::RatioAtLeast(0.5), 3.0, &[7.0]), Some(false));
        assert_eq!(ok(Goal::AtMost(3.0), 3.0, &[]), Some(true));
        assert_eq!(ok(Goal::AtLeast(3.0), 2.0, &[]), Some(false));
        assert_eq!(ok(Goal::BeyondAtMost(1.0), 3.0, &[2.0]), Some(true));
        assert_eq!(ok(Goal::BeyondAtMost(1.0), 3.0, &[1.0]), Some(false));
        assert_eq!(ok(Goal::Told, 3.0, &[1.0]), None);
    }
}
