//! A manager of a few lines: real processes behind the real client, in one process.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use orchflow_agent::{
    AgentConfig, Cx, Limits, Outcome, Permission, Refused, Request, Turn, Watch, adapter,
};
use orchflow_client::{Call, Client, Error, Notification, NotificationSender, Payload, in_process};
use orchflow_protocol::Method;
use orchflow_protocol::method::Empty;
use orchflow_protocol::pane::{self, Create, CreateParams, CreateResult, KillParams, PaneParams};
use orchflow_protocol::stream::{self, OpenParams, OpenResult, PaneOutput};
use orchflow_runtime::process::{self, Exit, Spec, Stdio};
use orchflow_runtime::{CancellationToken, Clock, Supervisor, TaskKind, ids};
use orchflow_types::pane::{PaneInfo, PaneState};
use orchflow_types::plan::PlanTask;
use orchflow_types::{AgentKind, AgentType, ErrorKind, PaneId, Role};
use tokio::sync::watch;

/// Between TERM and KILL.
const GRACE: Duration = Duration::from_millis(200);

/// What was written so far, and whether that is all.
type Log = watch::Receiver<(Vec<u8>, bool)>;

struct Pane {
    pid: u32,
    started: u64,
    exit: Exit,
    stdin: Mutex<Option<OwnedFd>>,
    logs: [Log; 2],
    params: CreateParams,
}

/// Serves panes until it is dropped.
#[derive(Clone, Default)]
pub(crate) struct Manager(Arc<Mutex<HashMap<PaneId, Arc<Pane>>>>);

impl Manager {
    pub(crate) fn start() -> (Self, Client) {
        let (client, mut endpoint) = in_process();
        let manager = Self::default();
        let served = manager.clone();
        let supervisor = Supervisor::new();
        let tasks = supervisor.clone();
        supervisor.spawn(TaskKind::Background, "manager", async move {
            while let Some(call) = endpoint.next().await {
                let manager = served.clone();
                let feeds = tasks.clone();
                tasks.spawn(TaskKind::Request, "call", async move {
                    manager.answer(call, &feeds).await;
                    Ok::<(), Error>(())
                });
            }
            Ok::<(), Error>(())
        });
        (manager, client)
    }

    /// The panes there ever were.
    pub(crate) fn panes(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether any process of any pane, descendants included, is still there.
    pub(crate) fn has_live_processes(&self) -> bool {
        let panes = self.0.lock().unwrap();
        panes.iter().any(|(id, pane)| {
            // Killing is how marks are looked for; what it finds should not have been there.
            process::is_alive(pane.pid, pane.started) || process::sweep(&id.to_string()) > 0
        })
    }

    async fn answer(&self, call: Call, tasks: &Supervisor) {
        let Call { method, params, notify, reply } = call;
        let answer = match method.as_str() {
            Create::NAME => {
                params.typed(&method).and_then(|params| self.create(params, tasks)).map(typed)
            }
            pane::CloseStdin::NAME => self.close_stdin(params).map(typed),
            pane::Info::NAME => self.info(params).map(typed),
            pane::Kill::NAME => self.kill(params).await.map(typed),
            stream::Open::NAME => self.open(params, notify.unwrap(), tasks).map(typed),
            _ => Err(Error::new(ErrorKind::MethodNotFound, method)),
        };
        let _ = reply.send(answer);
    }

    fn create(&self, params: CreateParams, tasks: &Supervisor) -> Result<CreateResult, Error> {
        let mut panes = self.0.lock().unwrap();
        let same =
            panes.iter().find(|(_, pane)| pane.params.idempotency_key == params.idempotency_key);
        if let Some((id, _)) = same {
            return Ok(CreateResult { pane_id: *id });
        }
        let pane_id: PaneId = ids::mint(&Clock::system());
        let mut spec = Spec::new(params.command.clone(), params.cwd.clone().unwrap());
        spec.mark = pane_id.to_string();
        spec.stdio = if params.tty { Stdio::Tty(params.size.unwrap()) } else { Stdio::Pipes };
        spec.env = params.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let child = process::spawn(&spec)?;
        let logs = [child.tty.or(child.stdout), child.stderr].map(|from| log(from, tasks));
        let (pid, started) = (child.pid, child.start_time);
        let stdin = Mutex::new(child.stdin);
        panes.insert(
            pane_id,
            Arc::new(Pane { pid, started, exit: child.exit, stdin, logs, params }),
        );
        Ok(CreateResult { pane_id })
    }

    fn pane(&self, id: PaneId) -> Arc<Pane> {
        self.0.lock().unwrap()[&id].clone()
    }

    fn close_stdin(&self, params: Payload) -> Result<Empty, Error> {
        let PaneParams { pane_id } = params.typed(pane::CloseStdin::NAME)?;
        self.pane(pane_id).stdin.lock().unwrap().take();
        Ok(Empty {})
    }

    fn open(
        &self,
        params: Payload,
        to: NotificationSender,
        tasks: &Supervisor,
    ) -> Result<OpenResult, Error> {
        let OpenParams { pane_id, output, from } = params.typed(stream::Open::NAME)?;
        let pane = self.pane(pane_id);
        let mut log = pane.logs[usize::from(output == pane::Output::Errors)].clone();
        let mut exit = pane.exit.clone();
        tasks.spawn(TaskKind::Pane, "feed", async move {
            let mut offset = usize::try_from(from).unwrap();
            loop {
                let (bytes, end) = {
                    let seen = log.borrow_and_update();
                    (seen.0[offset..].to_vec(), seen.1)
                };
                let at = offset as u64;
                offset += bytes.len();
                if end {
                    exit.wait().await;
                }
                let chunk =
                    PaneOutput { stream_id: 1, pane_id, offset: at, bytes, skipped: 0, end };
                if to.send(Notification::Output(chunk)).await.is_err()
                    || end
                    || log.changed().await.is_err()
                {
                    return Ok::<(), Error>(());
                }
            }
        });
        Ok(OpenResult { stream_id: 1 })
    }

    fn info(&self, params: Payload) -> Result<PaneInfo, Error> {
        let PaneParams { pane_id } = params.typed(pane::Info::NAME)?;
        Ok(told(pane_id, &self.pane(pane_id)))
    }

    async fn kill(&self, params: Payload) -> Result<PaneInfo, Error> {
        let KillParams { pane_id, .. } = params.typed(pane::Kill::NAME)?;
        let pane = self.pane(pane_id);
        let mut exit = pane.exit.clone();
        process::terminate(pane.pid, pane.started, &mut exit, &pane_id.to_string(), GRACE).await;
        Ok(told(pane_id, &pane))
    }
}

fn told(pane_id: PaneId, pane: &Pane) -> PaneInfo {
    let ended = pane.exit.now();
    let now = Clock::system().now();
    PaneInfo {
        pane_id,
        title: pane.params.title.clone(),
        command: pane.params.command.clone(),
        cwd: pane.params.cwd.clone().unwrap_or_default(),
        tty: pane.params.tty,
        pid: ended.is_none().then_some(pane.pid),
        state: if ended.is_some() { PaneState::Exited } else { PaneState::Running },
        exit_code: ended.map(|status| status.code),
        signal: ended.and_then(|status| status.signal),
        output_bytes: 0,
        output_from: 0,
        size: None,
        created_at: now,
        exited_at: None,
    }
}

fn typed<T: Send + 'static>(value: T) -> Payload {
    Payload::Typed(Box::new(value))
}

fn log(from: Option<OwnedFd>, tasks: &Supervisor) -> Log {
    let (sender, receiver) = watch::channel((Vec::new(), from.is_none()));
    let Some(from) = from else {
        tasks.spawn(TaskKind::Pane, "empty", async move {
            sender.closed().await;
            Ok::<(), Error>(())
        });
        return receiver;
    };
    let read = move || {
        let mut file = File::from(from);
        let mut buffer = vec![0; 64 * 1024];
        // The end of a terminal is an error on Linux.
        while let Ok(count @ 1..) = file.read(&mut buffer) {
            sender.send_modify(|log| log.0.extend_from_slice(&buffer[..count]));
        }
        sender.send_modify(|log| log.1 = true);
    };
    tokio::task::spawn_blocking(read);
    receiver
}

/// Permits all, or nothing; keeps what was asked.
pub(crate) struct Permits {
    pub(crate) refuse: Option<String>,
    pub(crate) asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Permission for Permits {
    async fn permit(&self, request: &Request) -> Result<(), Refused> {
        self.asked.lock().unwrap().push(request.clone());
        match &self.refuse {
            Some(reason) => Err(Refused { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

/// Keeps the panes it is told of; may call the turn off as soon as there is one.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) panes: Mutex<Vec<PaneId>>,
    pub(crate) cancel: Option<CancellationToken>,
}

impl Watch for Seen {
    fn pane(&self, pane: PaneId) {
        self.panes.lock().unwrap().push(pane);
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }
}

/// A manager, a context and a folder to work in.
pub(crate) struct Stage {
    pub(crate) manager: Manager,
    pub(crate) cx: Cx,
    pub(crate) permits: Arc<Permits>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) dir: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(None, false)
    }

    /// One that refuses, or one that calls every turn off once its pane is there.
    pub(crate) fn with(refuse: Option<&str>, cancels: bool) -> Self {
        let (manager, client) = Manager::start();
        let cancel = CancellationToken::new();
        let permits =
            Arc::new(Permits { refuse: refuse.map(str::to_owned), asked: Mutex::default() });
        let seen =
            Arc::new(Seen { panes: Mutex::default(), cancel: cancels.then(|| cancel.clone()) });
        let cx = Cx { client, permission: permits.clone(), cancel, watch: seen.clone() };
        Self { manager, cx, permits, seen, dir: tempfile::tempdir().unwrap() }
    }

    /// A turn in the folder, with the words of a tool.
    pub(crate) fn turn(&self, command: &[&str]) -> Turn {
        let clock = Clock::system();
        Turn {
            run_id: ids::mint(&clock),
            task_id: ids::mint(&clock),
            role: Role::Executor,
            key: ids::secret(),
            cwd: self.dir.path().display().to_string(),
            plan: PlanTask {
                agent_type: AgentType::Test,
                command: command.iter().map(|word| (*word).to_owned()).collect(),
                writes: false,
                ..PlanTask::new("the-leaf", "Do it")
            },
            goal: "the goal".into(),
            iteration: 0,
            findings: vec![],
            red_gates: vec![],
            diff: None,
            limits: Limits {
                turn: Some(Duration::from_secs(60)),
                idle: Some(Duration::from_secs(30)),
            },
            handoff: None,
            commands: vec![],
            extra: None,
        }
    }

    /// An executable shell script in the folder, as a word of a template.
    pub(crate) fn script(&self, name: &str, text: &str) -> String {
        script(self.dir.path(), name, text)
    }

    pub(crate) async fn take(&self, config: &AgentConfig, turn: &Turn) -> Outcome {
        let outcome = adapter(config).turn(&self.cx, turn).await;
        assert!(!self.manager.has_live_processes(), "a process was left behind: {outcome:?}");
        outcome
    }
}

fn script(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

/// An agent by its command line.
pub(crate) fn agent(kind: AgentKind, command: &str) -> AgentConfig {
    AgentConfig { command: command.to_owned(), ..AgentConfig::bare("mine", kind) }
}

/// What a failed turn tells.
#[track_caller]
pub(crate) fn failure(outcome: &Outcome) -> (orchflow_agent::Failure, &str) {
    match outcome {
        Outcome::Failed { failure, reason, .. } => (*failure, reason),
        Outcome::Done { .. } => panic!("it is done: {outcome:?}"),
    }
}

/// What a turn that is done tells at its end.
#[track_caller]
pub(crate) fn summary(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Done { summary, .. } => summary,
        Outcome::Failed { .. } => panic!("it failed: {outcome:?}"),
    }
}
