//! The panes this process holds: handles by id, and whose turn it is to make one under a key.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orchflow_terminal::{Pane, PaneEnd};
use orchflow_types::PaneId;
use tokio::sync::{Mutex as Turn, watch};

/// A pane whose process, or whose output, has not ended.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) pane: Pane,
    /// Where it ended, once that is written down; its sender is gone when it never will be.
    pub(crate) end: watch::Receiver<Option<PaneEnd>>,
}

impl Live {
    /// Waits until its end is written down, or never will be.
    pub(crate) fn written(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut end = self.end.clone();
        async move {
            let _ = end.wait_for(Option::is_some).await;
        }
    }
}

/// Handles of live panes. Its locks are held for a look-up and never across a wait.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    panes: Mutex<HashMap<PaneId, Live>>,
    turns: Mutex<HashMap<String, Arc<Turn<()>>>>,
    closing: AtomicBool,
}

impl Registry {
    pub(crate) fn get(&self, pane_id: PaneId) -> Option<Live> {
        locked(&self.panes).get(&pane_id).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Live> {
        locked(&self.panes).values().cloned().collect()
    }

    pub(crate) fn running(&self) -> u64 {
        locked(&self.panes).values().filter(|live| live.pane.ended().is_none()).count() as u64
    }

    pub(crate) fn insert(&self, live: Live) {
        locked(&self.panes).insert(live.pane.id(), live);
    }

    pub(crate) fn remove(&self, pane_id: PaneId) {
        locked(&self.panes).remove(&pane_id);
    }

    /// Makes every later [`Registry::is_closing`] true.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Whose turn it is to make a pane under a key; give it back with [`Registry::took`].
    pub(crate) fn turn(&self, key: &str) -> Arc<Turn<()>> {
        locked(&self.turns).entry(key.to_owned()).or_default().clone()
    }

    /// Forgets the turns of a key when nobody waits for one.
    pub(crate) fn took(&self, key: &str, turn: Arc<Turn<()>>) {
        let mut turns = locked(&self.turns);
        drop(turn);
        if turns.get(key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(key);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
