//! Turns: calls with the same order key run one after another, in the order they came.
//!
//! A turn is taken when a call arrives and given up when it is dropped, whatever became
//! of the call: done, panicked, or dropped while it still waited. No lock is held while
//! a call runs, and a key nobody uses takes no room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The lines of all keys. Cheap to clone; clones share the lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    by_key: HashMap<String, Line>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Line {
    /// The ticket whose turn it is.
    holder: u64,
    /// Those behind it, in the order they came.
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// A place in the line of one key.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    key: String,
    ticket: u64,
    come: Option<oneshot::Receiver<()>>,
}

impl Turns {
    /// Takes the last place in the line of `key`.
    pub(crate) fn take(&self, key: String) -> Turn {
        let mut lines = self.lines();
        lines.next_ticket += 1;
        let ticket = lines.next_ticket;
        let mut come = None;
        if let Some(line) = lines.by_key.get_mut(&key) {
            let (sender, receiver) = oneshot::channel();
            line.waiting.push_back((ticket, sender));
            come = Some(receiver);
        } else {
            lines.by_key.insert(key.clone(), Line { holder: ticket, waiting: VecDeque::new() });
        }
        drop(lines);
        Turn { turns: self.clone(), key, ticket, come }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until everyone ahead is done.
    pub(crate) async fn come(&mut self) {
        if let Some(receiver) = self.come.as_mut() {
            // The sender stays in the line until this turn comes or is given up.
            let _ = receiver.await;
            self.come = None;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        let Some(line) = lines.by_key.get_mut(&self.key) else { return };
        if line.holder != self.ticket {
            // It never had its turn; those behind it still wait for those ahead of it.
            line.waiting.retain(|(ticket, _)| *ticket != self.ticket);
        } else if let Some((ticket, sender)) = line.waiting.pop_front() {
            line.holder = ticket;
            let _ = sender.send(()); // a turn dropped at this instant passes itself on
        } else {
            lines.by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn has_come(turn: &mut Turn) -> bool {
        turn.come().now_or_never().is_some()
    }

    #[test]
    fn turns_of_one_key_come_in_order_and_other_keys_do_not_wait() {
        let turns = Turns::default();
        let (mut a, mut b, mut c) =
            (turns.take("k".into()), turns.take("k".into()), turns.take("k".into()));
        let mut other = turns.take("other".into());
        assert!(has_come(&mut a) && has_come(&mut other));
        assert!(!has_come(&mut b) && !has_come(&mut c));
        drop(a);
        assert!(has_come(&mut b) && !has_come(&mut c));
        drop(b);
        assert!(has_come(&mut c));
    }

    #[test]
    fn a_turn_given_up_while_it_waits_does_not_let_the_next_one_overtake() {
        let turns = Turns::default();
        let (a, b, mut c) =
            (turns.take("k".into()), turns.take("k".into()), turns.take("k".into()));
        drop(b);
        assert!(!has_come(&mut c));
        drop(a);
        assert!(has_come(&mut c));
    }

    #[test]
    fn a_turn_that_came_unseen_and_was_dropped_is_passed_on() {
        let turns = Turns::default();
        let (a, b, mut c) =
            (turns.take("k".into()), turns.take("k".into()), turns.take("k".into()));
        drop(a);
        drop(b);
        assert!(has_come(&mut c));
    }

    #[test]
    fn a_key_nobody_uses_takes_no_room() {
        let turns = Turns::default();
        let held: Vec<_> = (0..50).map(|n| turns.take(format!("k{}", n % 7))).collect();
        drop(held);
        assert!(turns.lines().by_key.is_empty());
    }
}
