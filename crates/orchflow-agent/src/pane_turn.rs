//! The one way a turn runs: in a pane of a manager, permitted first, watched to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use orchflow_client::{Error, Output as Stream};
use orchflow_protocol::pane::{
    CloseStdin, Create, CreateParams, Info, Kill, KillParams, Output, PaneParams,
};
use orchflow_protocol::stream::{OpenParams, PaneOutput};
use orchflow_runtime::clock::Stopwatch;
use orchflow_types::pane::Size;
use orchflow_types::{ErrorKind, PaneId};

use crate::text::{Lines, span};
use crate::{AgentConfig, Cx, Failure, Mode, Outcome, Request, Turn};

/// How long a manager may take to end a pane; it gives the process five seconds of it.
const KILL_LIMIT: Duration = Duration::from_secs(30);

/// A terminal wide enough that agents do not break their lines.
const SIZE: Size = Size { cols: 200, rows: 50 };

/// What a turn starts.
#[derive(Debug)]
pub(crate) struct Job<'a> {
    /// The agent's name.
    pub(crate) agent: &'a str,
    pub(crate) argv: Vec<String>,
    /// Its words before the turn was filled in.
    pub(crate) template: Vec<String>,
    pub(crate) cwd: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) tty: bool,
}

impl<'a> Job<'a> {
    /// This command in this folder, with what its configuration gives an agent.
    pub(crate) fn new(
        config: &'a AgentConfig,
        argv: Vec<String>,
        template: Vec<String>,
        cwd: String,
    ) -> Self {
        let tty = config.mode == Mode::Tty;
        Self { agent: &config.name, argv, template, cwd, env: config.environment(), tty }
    }
}

/// A process that came to its own end.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) pane: PaneId,
    pub(crate) code: i32,
    pub(crate) signal: Option<i32>,
    pub(crate) millis: u64,
}

impl Ended {
    /// How it ended, for a sentence: `exited with 3`.
    pub(crate) fn how(&self) -> String {
        match self.signal {
            Some(signal) => format!("was ended by signal {signal}"),
            None => format!("exited with {}", self.code),
        }
    }
}

/// A process that did not start, or that was ended.
#[derive(Debug)]
pub(crate) struct Broken {
    failure: Failure,
    reason: String,
    pane: Option<PaneId>,
}

impl From<Broken> for Outcome {
    fn from(broken: Broken) -> Self {
        Self::failed(broken.failure, broken.reason, broken.pane)
    }
}

/// Takes the lines of a pane as they come, each with the output it was written to.
pub(crate) type Each<'a> = dyn FnMut(Output, &str) + Send + 'a;

/// Asks for permission, starts the job in a pane, gives its lines to `each` and waits for
/// its end; past a limit, or when it is called off, the pane is killed.
pub(crate) async fn run(
    cx: &Cx,
    turn: &Turn,
    job: Job<'_>,
    each: &mut Each<'_>,
) -> Result<Ended, Broken> {
    let agent = job.agent.to_owned();
    let no_pane = |(failure, reason)| Broken { failure, reason, pane: None };
    permit(cx, turn, &job).await.map_err(no_pane)?;
    let time = Stopwatch::start();
    let tty = job.tty;
    let pane = create(cx, turn, job).await.map_err(no_pane)?;
    cx.watch.pane(pane);
    let broken = |(failure, reason)| Broken { failure, reason, pane: Some(pane) };
    let followed = follow(cx, turn, &agent, (pane, tty), each).await;
    let millis = time.millis();
    // After its own end, too: what it left behind in the background ends with the turn.
    kill(cx, pane).await;
    followed.map_err(broken)?;
    let info = cx.client.call::<Info>(PaneParams { pane_id: pane }).await;
    let info = info.map_err(|error| broken((Failure::Environment, told(&error))))?;
    match info.exit_code {
        Some(code) => Ok(Ended { pane, code, signal: info.signal, millis }),
        None => Err(broken((Failure::Environment, format!("how `{agent}` ended nobody saw")))),
    }
}

type Why = (Failure, String);

async fn permit(cx: &Cx, turn: &Turn, job: &Job<'_>) -> Result<(), Why> {
    let request = Request {
        agent: job.agent.to_owned(),
        argv: job.argv.clone(),
        template: job.template.clone(),
        line: None,
        cwd: job.cwd.clone(),
        task_id: turn.task_id,
        run_id: turn.run_id,
    };
    tokio::select! {
        biased;
        () = cx.cancel.cancelled() => Err(cancelled()),
        said = cx.permission.permit(&request) => {
            said.map_err(|refused| (Failure::Denied, refused.reason))
        }
    }
}

async fn create(cx: &Cx, turn: &Turn, job: Job<'_>) -> Result<PaneId, Why> {
    let install = job.argv.first().and_then(|program| crate::discover::install(program));
    let params = CreateParams {
        command: job.argv,
        cwd: Some(job.cwd),
        env: job.env,
        size: job.tty.then_some(SIZE),
        tty: job.tty,
        title: format!("{}: {}", job.agent, turn.plan.title),
        idempotency_key: Some(turn.key.clone()),
    };
    let created = cx.client.call::<Create>(params).await.map_err(|mut error| {
        if let (ErrorKind::ProgramNotFound, Some(install)) = (error.kind(), install) {
            error.data.hint = Some(format!("`{install}` installs it"));
        }
        (Failure::Environment, told(&error))
    })?;
    Ok(created.pane_id)
}

async fn follow(
    cx: &Cx,
    turn: &Turn,
    agent: &str,
    (pane, tty): (PaneId, bool),
    each: &mut Each<'_>,
) -> Result<(), Why> {
    let lost = |error: Error| (Failure::Environment, told(&error));
    if !tty {
        // Agents that may read their input wait for its end. One that is gone already has none.
        if let Err(error) = cx.client.call::<CloseStdin>(PaneParams { pane_id: pane }).await {
            tracing::debug!(%pane, %error, "the input of a pane could not be closed");
        }
    }
    let mut output = Feed::open(cx, pane, Output::Output).await.map_err(lost)?;
    let mut errors = if tty {
        Feed::none()
    } else {
        Feed::open(cx, pane, Output::Errors).await.map_err(lost)?
    };
    let over = after(turn.limits.turn);
    tokio::pin!(over);
    while !(output.ended() && errors.ended()) {
        tokio::select! {
            () = cx.cancel.cancelled() => return Err(cancelled()),
            limit = &mut over => {
                return Err((Failure::TimedOut, format!("`{agent}` took longer than {}", span(limit))));
            }
            chunk = output.next(), if !output.ended() => output.take(chunk, each)?,
            chunk = errors.next(), if !errors.ended() => errors.take(chunk, each)?,
            // Made anew in each pass, so it counts from the last output.
            limit = after(turn.limits.idle) => {
                return Err((Failure::TimedOut, format!("`{agent}` was silent for {}", span(limit))));
            }
        }
    }
    Ok(())
}

/// One output of a pane, cut into lines.
struct Feed {
    stream: Option<Stream>,
    of: Output,
    lines: Lines,
}

impl Feed {
    fn none() -> Self {
        Self { stream: None, of: Output::Errors, lines: Lines::default() }
    }

    async fn open(cx: &Cx, pane_id: PaneId, of: Output) -> Result<Self, Error> {
        let stream = cx.client.output(OpenParams { pane_id, output: of, from: 0 }).await?;
        Ok(Self { stream: Some(stream), of, lines: Lines::default() })
    }

    const fn ended(&self) -> bool {
        self.stream.is_none()
    }

    async fn next(&mut self) -> Result<Option<PaneOutput>, Error> {
        match &mut self.stream {
            Some(stream) => stream.next().await,
            None => Ok(None),
        }
    }

    fn take(
        &mut self,
        chunk: Result<Option<PaneOutput>, Error>,
        each: &mut Each<'_>,
    ) -> Result<(), Why> {
        let chunk = chunk.map_err(|error| (Failure::Environment, told(&error)))?;
        let Some(chunk) = chunk else {
            return Err((Failure::Environment, "the manager went away".to_owned()));
        };
        let of = self.of;
        if chunk.skipped > 0 {
            self.lines.skip();
        }
        self.lines.push(&chunk.bytes, &mut |line| each(of, line));
        if chunk.end {
            self.lines.finish(&mut |line| each(of, line));
            self.stream = None;
        }
        Ok(())
    }
}

async fn kill(cx: &Cx, pane_id: PaneId) {
    let killed = cx.client.call::<Kill>(KillParams { pane_id, grace_ms: None });
    match tokio::time::timeout(KILL_LIMIT, killed).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%pane_id, %error, "a pane could not be killed"),
        Err(_) => tracing::warn!(%pane_id, "the manager did not end a pane in time"),
    }
}

/// Waits for the limit and answers it; without one, forever.
async fn after(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

fn cancelled() -> Why {
    (Failure::Cancelled, "it was cancelled".to_owned())
}

/// An error of the manager with the one thing that mends it.
fn told(error: &Error) -> String {
    match &error.data.hint {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message.clone(),
    }
}
