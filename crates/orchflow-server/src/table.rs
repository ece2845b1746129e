//! The one dispatch table: a row for each method, the same for every door.
//!
//! A handler is erased once, when its row is made; the row then takes params as their
//! own type or as JSON. What a call needs in order to keep its place (the access check,
//! reading the params, taking the turn) happens in [`Table::start`], before it returns.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use orchflow_client::Payload;
use orchflow_protocol::discover::Discover;
use orchflow_protocol::method::Empty;
use orchflow_protocol::{Access, Error, Method, rpc, table};
use orchflow_types::ErrorKind;
use serde_json::Value;

use crate::Caller;
use crate::follow::Follower;
use crate::tally::Tally;
use crate::turns::{Turn, Turns};

/// The rows of all methods a daemon serves. Cheap to clone; clones share turns and counts.
#[derive(Clone)]
pub struct Table {
    rows: Arc<HashMap<&'static str, Row>>,
    turns: Turns,
    tally: Tally,
}

/// A call that has its place and its turn; awaiting it runs the handler.
pub type Started = BoxFuture<'static, Result<Payload, Error>>;

impl Table {
    /// Begins a table. `rpc.discover` needs no row: the table answers it.
    #[must_use]
    pub fn builder() -> Rows<()> {
        let rows = Rows {
            state: (),
            rows: HashMap::new(),
            turns: Turns::default(),
            tally: Tally::default(),
        };
        rows.on::<Discover>(|(), _: Empty| async {
            Ok::<Value, Error>(orchflow_protocol::discover::document())
        })
    }

    /// Begins a table with all rows of this one. Both share turns: a key has one line,
    /// whichever table a call came by.
    #[must_use]
    pub fn extend(&self) -> Rows<()> {
        let rows = (*self.rows).clone();
        Rows { state: (), rows, turns: self.turns.clone(), tally: self.tally.clone() }
    }

    /// Methods of the protocol that have no row.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let all = table::TABLE.iter().map(|entry| entry.name);
        all.filter(|name| !self.rows.contains_key(name)).collect()
    }

    /// Gives a call its place. Looks the method up, checks the caller's access, then reads
    /// the params and takes a turn. The call runs when what this answers is awaited; a
    /// panic in the handler is an `internal` error of this call.
    #[must_use]
    pub fn start(&self, caller: &Caller, method: &str, params: Payload) -> Started {
        self.start_with(caller, method, params, None)
    }

    /// As [`Table::start`], for calls that may open a subscription or a stream.
    pub(crate) fn start_with(
        &self,
        caller: &Caller,
        method: &str,
        params: Payload,
        follower: Option<Follower>,
    ) -> Started {
        let Some((name, row)) = self.rows.get_key_value(method) else {
            let result = Err(unknown(method));
            self.tally.count("unknown", &result);
            return std::future::ready(result).boxed();
        };
        let (name, tally) = (*name, self.tally.clone());
        // Reading params runs code of the protocol's types: a panic there, too, is this
        // call's alone.
        let prepare = || self.prepare(row, caller, name, params, follower);
        let prepared = std::panic::catch_unwind(AssertUnwindSafe(prepare));
        match prepared.unwrap_or_else(|_| Err(panicked(name))) {
            Ok((turn, work)) => async move {
                let result = run(name, turn, work).await;
                tally.count(name, &result);
                result
            }
            .boxed(),
            Err(error) => {
                let result = Err(error);
                tally.count(name, &result);
                std::future::ready(result).boxed()
            }
        }
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    fn prepare(
        &self,
        row: &Row,
        caller: &Caller,
        name: &'static str,
        params: Payload,
        follower: Option<Follower>,
    ) -> Result<(Option<Turn>, Started), Error> {
        // Before the params are read: who may not call at all learns nothing of them.
        allowed(caller, &format!("`{name}`"), row.access)?;
        let Prepared { access, order_key, work } = (row.serve)(params, follower)?;
        allowed(caller, &format!("`{name}` with these params"), access)?;
        Ok((order_key.map(|key| self.turns.take(key)), work))
    }
}

async fn run(name: &'static str, turn: Option<Turn>, work: Started) -> Result<Payload, Error> {
    let mut turn = turn;
    if let Some(turn) = turn.as_mut() {
        turn.come().await;
    }
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    drop(turn);
    outcome.unwrap_or_else(|_| Err(panicked(name)))
}

fn panicked(name: &str) -> Error {
    tracing::error!(method = name, "a handler panicked");
    let text = format!("`{name}` met a fault in orchflow; nothing else was harmed");
    Error::new(ErrorKind::Internal, text).hint("`orchflow logs` shows where it happened")
}

fn unknown(method: &str) -> Error {
    let shown: String = method.chars().take(80).collect();
    Error::new(ErrorKind::MethodNotFound, format!("there is no method `{shown}`"))
        .hint("`orchflow rpc rpc.discover` lists the methods")
}

fn allowed(caller: &Caller, what: &str, needs: Access) -> Result<(), Error> {
    let has = caller.access;
    if has >= needs {
        return Ok(());
    }
    let text = format!("{what} needs {needs} access; {} has {has} access", caller.name);
    Err(Error::new(ErrorKind::PermissionDenied, text)
        .hint(format!("use the socket or a token with {needs} access")))
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// A table in the making; `S` is what the rows to come hand to their handlers.
pub struct Rows<S> {
    state: S,
    rows: HashMap<&'static str, Row>,
    turns: Turns,
    tally: Tally,
}

impl<S> fmt::Debug for Rows<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl<S: Clone + Send + Sync + 'static> Rows<S> {
    /// The rows that follow hand a clone of `state` to their handlers.
    #[must_use]
    pub fn with<T: Clone + Send + Sync + 'static>(self, state: &T) -> Rows<T> {
        Rows { state: state.clone(), rows: self.rows, turns: self.turns, tally: self.tally }
    }

    /// Adds the row of `M`.
    ///
    /// # Panics
    /// When `M` has a row already: two handlers for one method are a mistake of the build.
    #[must_use]
    pub fn on<M: Method>(self, handler: impl Handler<S, M>) -> Self {
        let state = self.state.clone();
        self.row::<M>(move |params, _| handler.call(state.clone(), params))
    }

    /// Adds a row whose handler gets the connection's follower, when there is one.
    pub(crate) fn row<M: Method>(
        mut self,
        handler: impl Fn(M::Params, Option<Follower>) -> Answer<M> + Send + Sync + 'static,
    ) -> Self {
        let serve = erase::<M>(handler);
        let before = self.rows.insert(M::NAME, Row { access: M::ACCESS, serve });
        assert!(before.is_none(), "`{}` has two rows", M::NAME);
        self
    }

    /// Ends the making.
    #[must_use]
    pub fn build(self) -> Table {
        Table { rows: Arc::new(self.rows), turns: self.turns, tally: self.tally }
    }
}

/// What answers a method: any `async fn(S, M::Params) -> Result<M::Result, E>`.
pub trait Handler<S, M: Method>: Send + Sync + 'static {
    /// Answers one call.
    fn call(&self, state: S, params: M::Params) -> BoxFuture<'static, Result<M::Result, Error>>;
}

impl<S, M, F, Fut, E> Handler<S, M> for F
where
    M: Method,
    F: Fn(S, M::Params) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<M::Result, E>> + Send + 'static,
    E: Into<Error>,
{
    fn call(&self, state: S, params: M::Params) -> BoxFuture<'static, Result<M::Result, Error>> {
        let work = self(state, params);
        async move { work.await.map_err(Into::into) }.boxed()
    }
}

#[derive(Clone)]
struct Row {
    access: Access,
    serve: Arc<Serve>,
}

type Answer<M> = BoxFuture<'static, Result<<M as Method>::Result, Error>>;

/// A call whose params are read.
struct Prepared {
    /// What these params need.
    access: Access,
    order_key: Option<String>,
    /// The work, which answers in the shape (typed or JSON) the params had.
    work: Started,
}

/// A row with its types forgotten: reads the params.
type Serve = dyn Fn(Payload, Option<Follower>) -> Result<Prepared, Error> + Send + Sync;

fn erase<M: Method>(
    handler: impl Fn(M::Params, Option<Follower>) -> Answer<M> + Send + Sync + 'static,
) -> Arc<Serve> {
    let handler = Arc::new(handler);
    Arc::new(move |payload, follower| {
        let is_json = matches!(payload, Payload::Json(_));
        let params: M::Params = match payload {
            Payload::Json(value) => rpc::params(M::NAME, value)?,
            typed @ Payload::Typed(_) => typed.typed(M::NAME)?,
        };
        let (access, order_key) = (M::access(&params), M::order_key(&params));
        let handler = handler.clone();
        // The handler is called within the future, so that a panic anywhere in it is caught.
        let work = async move {
            let result = handler(params, follower).await?;
            if is_json { to_json::<M>(&result) } else { Ok(Payload::Typed(Box::new(result))) }
        };
        Ok(Prepared { access, order_key, work: work.boxed() })
    })
}

fn to_json<M: Method>(result: &M::Result) -> Result<Payload, Error> {
    serde_json::to_value(result).map(Payload::Json).map_err(|error| {
        let text = format!("the answer of `{}` is no JSON: {error}", M::NAME);
        Error::new(ErrorKind::Internal, text)
    })
}
