//! `events.*`: the committed log, read again and again from each subscriber's own place.
//!
//! Nothing passes through a channel that could drop it: a commit rings the store's bell,
//! and a subscriber reads the log after its cursor. A slow one reads later, that is all.

use std::time::Duration;

use futures::FutureExt;
use orchflow_client::Notification;
use orchflow_protocol::Error;
use orchflow_protocol::events::{
    Batch, Filter, List, ListParams, ListResult, Subscribe, SubscribeParams, SubscribeResult,
    Unsubscribe, UnsubscribeParams,
};
use orchflow_protocol::method::Empty;
use orchflow_store::{Store, events};
use orchflow_types::{Cursor, ErrorKind, Event};
use tokio::sync::watch;

use crate::Rows;
use crate::follow::{Feed, Follower, Gone, required};

/// Events a batch holds at most.
const BATCH: u32 = 100;
/// The longest time events are gathered, whatever a subscriber asks for.
const LONGEST_GATHERING: Duration = Duration::from_secs(10);
/// How long a subscriber waits before it reads a log again that could not be read.
const RETRY: Duration = Duration::from_secs(1);

impl<S: Clone + Send + Sync + 'static> Rows<S> {
    /// Adds the rows of `events.*`, over the log of `store`.
    #[must_use]
    pub fn events(self, store: &Store) -> Self {
        let (listed, followed) = (store.clone(), store.clone());
        self.row::<List>(move |params, _| list(listed.clone(), params).boxed())
            .row::<Subscribe>(move |params, follower| {
                subscribe(followed.clone(), params, follower).boxed()
            })
            .row::<Unsubscribe>(|params: UnsubscribeParams, follower| {
                let closed = required(follower)
                    .and_then(|own| own.close("subscription", params.subscription_id));
                std::future::ready(closed.map(|()| Empty {})).boxed()
            })
    }
}

async fn list(store: Store, params: ListParams) -> Result<ListResult, Error> {
    let limit = params.limit.unwrap_or(100).clamp(1, 1000);
    let filter = filter(params.filter);
    let read = store.read(move |reader| events::after(reader, params.after, &filter, limit));
    let page = read.await?;
    Ok(ListResult { events: page.events, next_cursor: page.next })
}

async fn subscribe(
    store: Store,
    params: SubscribeParams,
    follower: Option<Follower>,
) -> Result<SubscribeResult, Error> {
    let follower = required(follower)?;
    let gather = Duration::from_millis(params.batch_ms.into()).min(LONGEST_GATHERING);
    let follow = Follow::open(store, params.after, params.filter).await?;
    let after = follow.cursor;
    let name = follower.start("subscription", |feed| send_all(follow, gather, feed))?;
    Ok(SubscribeResult { subscription_id: name, after })
}

async fn send_all(mut follow: Follow, gather: Duration, feed: Feed) -> Result<(), Gone> {
    while let Some(events) = follow.next(gather).await {
        let batch = Batch { subscription_id: feed.name, events };
        feed.send(Notification::Events(batch)).await?;
    }
    Ok(())
}

fn filter(filter: Filter) -> events::Filter {
    events::Filter { types: filter.types, about: filter.about }
}

/// A place in the log that moves on.
#[derive(Debug)]
pub(crate) struct Follow {
    store: Store,
    bell: watch::Receiver<Cursor>,
    filter: events::Filter,
    cursor: Cursor,
    /// Whether the last page was full, so that there is more without waiting.
    behind: bool,
}

impl Follow {
    /// Begins after a cursor, or at the end. A cursor beyond the end (one of another
    /// database) is taken as the end.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn open(
        store: Store,
        after: Option<Cursor>,
        wanted: Filter,
    ) -> Result<Self, Error> {
        let bell = store.bell();
        let last = store.read(events::last).await?;
        let cursor = after.map_or(last, |after| after.min(last));
        Ok(Self { store, bell, filter: filter(wanted), cursor, behind: false })
    }

    /// The next events, oldest first, never none of them: waits until there are any, then
    /// `gather` longer. `None` when the log is closed.
    pub(crate) async fn next(&mut self, gather: Duration) -> Option<Vec<Event>> {
        loop {
            if !self.behind {
                self.bell.wait_for(|newest| *newest > self.cursor).await.ok()?;
                if !gather.is_zero() {
                    tokio::time::sleep(gather).await;
                }
            }
            let (filter, after) = (self.filter.clone(), self.cursor);
            let read = self.store.read(move |log| events::after(log, after, &filter, BATCH)).await;
            match read.map_err(Error::from) {
                Ok(page) => {
                    self.behind = page.events.len() >= BATCH as usize;
                    self.cursor = page.next;
                    if !page.events.is_empty() {
                        return Some(page.events);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Unavailable => return None,
                Err(error) => {
                    tracing::warn!(%error, "the event log could not be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}
