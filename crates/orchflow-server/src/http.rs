//! The HTTP door: `POST /rpc`, events as SSE, frames over a WebSocket, metrics.
//!
//! It listens on this machine only, and a guard stands before every route, those that
//! do not exist included: it looks at Host, Origin and token before a body is read. There
//! are no CORS headers, and GET changes nothing.

mod guard;
mod listener;
mod metrics;
mod query;
mod rpc;
mod sse;
mod websocket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use orchflow_protocol::rpc::MAX_FRAME;
use orchflow_protocol::{Error as Told, discover};
use orchflow_runtime::CancellationToken;
use orchflow_store::Store;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::ending::{Ending, GRACE};
use crate::{Error, Table, Tokens};

pub use metrics::{Gauge, Gauges};

use listener::Bounded;

/// Where the door is and what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file with the tokens, see [`Tokens`].
    pub token_file: PathBuf,
}

/// What the door serves.
#[derive(Debug, Clone)]
pub struct Serves {
    /// The methods.
    pub table: Table,
    /// The event log, and what is counted of the database.
    pub store: Store,
    /// What the daemon counts of its nouns, for `/metrics`.
    pub gauges: Gauges,
}

/// The door, listening. Nobody is served before [`Door::run`].
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    tokens: Tokens,
    serves: Serves,
}

impl Options {
    /// Reads or writes the token file and listens.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address other machines reach, [`Error::Listen`], and
    /// what [`Tokens::open`] says.
    pub async fn bind(self, serves: Serves) -> Result<Door, Error> {
        let address = self.listen;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        let tokens = Tokens::open(&self.token_file)?;
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Door { listener, address, tokens, serves })
    }
}

impl Door {
    /// Where it listens, with the port it got.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its tokens, to rotate them while it runs.
    #[must_use]
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Serves until `shutdown`: then nobody new is let in, and calls under way have five
    /// seconds.
    ///
    /// # Errors
    /// [`Error::Listen`] when the listener fails for good.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let (address, ending) = (self.address, Ending::new(&shutdown));
        let desk = Desk(Arc::new(Shared {
            serves: self.serves,
            tokens: self.tokens,
            port: address.port(),
            ending: ending.clone(),
            started: orchflow_runtime::clock::Stopwatch::start(),
        }));
        let listener = Bounded::new(self.listener);
        let stop = ending.stop.clone();
        let serve =
            axum::serve(listener, router(desk)).with_graceful_shutdown(stop.cancelled_owned());
        let patience = async {
            shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let serve = async {
            tokio::select! {
                served = serve => served,
                () = patience => Ok(()),
            }
        };
        let end = async {
            shutdown.cancelled().await;
            ending.finish().await;
        };
        let (served, ()) = tokio::join!(serve, end);
        served.map_err(|source| Error::Listen { address, source })
    }
}

/// One route. They stand as data, so that tests can try each of them.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Its HTTP method.
    pub method: &'static str,
    /// Its path.
    pub path: &'static str,
    serve: fn() -> MethodRouter<Desk>,
}

/// Every route of the door.
pub const ROUTES: &[Route] = &[
    Route { method: "POST", path: "/rpc", serve: || post(rpc::call) },
    Route { method: "GET", path: "/events", serve: || get(sse::follow) },
    Route { method: "GET", path: "/ws", serve: || get(websocket::open) },
    Route { method: "GET", path: "/health", serve: || get(rpc::health) },
    Route { method: "GET", path: "/metrics", serve: || get(metrics::show) },
    Route { method: "GET", path: "/openrpc.json", serve: || get(open_rpc) },
];

/// What handlers share.
#[derive(Debug, Clone)]
struct Desk(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    serves: Serves,
    tokens: Tokens,
    port: u16,
    ending: Ending,
    started: orchflow_runtime::clock::Stopwatch,
}

fn router(desk: Desk) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, (route.serve)());
    }
    router
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is nothing here\n") })
        .layer(DefaultBodyLimit::max(MAX_FRAME))
        // The last layer is the outermost: nothing comes before the guard.
        .layer(from_fn_with_state(desk.clone(), guard::guard))
        .with_state(desk)
}

async fn open_rpc() -> Response {
    json(StatusCode::OK, &discover::document())
}

/// An answer in JSON.
fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    (status, axum::Json(body)).into_response()
}

/// An answer that says what is wrong, in the shape errors have everywhere.
fn refusal(status: StatusCode, error: &Told) -> Response {
    json(status, &serde_json::json!({ "error": error }))
}
