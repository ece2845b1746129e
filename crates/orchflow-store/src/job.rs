//! A closure on its way to the writer, and the receipt its owner waits on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::{Error, Tx};

/// The answer to a submitted write: a future of its result.
///
/// It is ready once the batch is committed (or failed). Dropping it does not take the
/// write back.
#[derive(Debug)]
#[must_use = "the result of a write says whether it happened"]
pub struct Receipt<T>(oneshot::Receiver<Result<T, Error>>);

impl<T> Receipt<T> {
    /// Waits on this thread, which must not be one of the async runtime.
    ///
    /// # Errors
    /// What the work or the commit failed with; [`Error::Closed`] when the store was closed.
    pub fn wait_blocking(self) -> Result<T, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl<T> Future for Receipt<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

/// One closure as the writer sees it.
pub(crate) trait Job: Send {
    /// Does the work; `false` when it failed and must be taken back.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Makes `error` its result, unless the work itself has failed.
    fn fail(&mut self, error: &Error);
    /// What its work failed with.
    fn error(&self) -> Option<&Error>;
    /// Sends the result.
    fn answer(self: Box<Self>);
}

/// A job of `work` and the receipt for it.
pub(crate) fn job<T, F>(work: F) -> (Box<dyn Job>, Receipt<T>)
where
    T: Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    (Box::new(Work { work: Some(work), result: None, reply }), Receipt(receiver))
}

struct Work<T, F> {
    work: Option<F>,
    result: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        // What the closure captured is dropped with it, and what it wrote is taken back.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)))
            .unwrap_or_else(|panic| Err(Error::Panicked(text_of(&*panic))));
        let kept = result.is_ok();
        self.result = Some(result);
        kept
    }

    fn fail(&mut self, error: &Error) {
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(error.clone()));
        }
    }

    fn error(&self) -> Option<&Error> {
        self.result.as_ref().and_then(|result| result.as_ref().err())
    }

    fn answer(self: Box<Self>) {
        // Nobody need be waiting: a receipt may be dropped.
        let _ = self.reply.send(self.result.unwrap_or(Err(Error::Closed)));
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it gave no reason").to_owned()
}
