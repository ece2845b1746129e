//! A daemon of one's own: the real binary, in a home folder that goes away.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use orchflow_client::Client;
use orchflow_runtime::clock::Stopwatch;
use orchflow_runtime::process::{self, Child, Spec, Stdio};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tempfile::TempDir;

/// The longest a daemon may take to answer, on a machine that is busy with other tests.
const READY: Duration = Duration::from_secs(30);

/// The longest a command may take.
const COMMAND: Duration = Duration::from_secs(180);

/// The most of a command's output that is kept.
const OUTPUT: usize = 32 * 1024 * 1024;

/// A running daemon with its own home. Dropping it ends it with all it has started.
#[derive(Debug)]
pub struct TestDaemon {
    program: PathBuf,
    home: TempDir,
    env: Vec<(OsString, OsString)>,
    child: Option<Child>,
}

/// What a command said and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// Its data.
    pub stdout: String,
    /// Its talk.
    pub stderr: String,
}

impl Output {
    /// Its data as JSON.
    ///
    /// # Panics
    /// When it is none; the message has all that the command said.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, when the command ended with 0.
    ///
    /// # Panics
    /// When it did not; the message has all that the command said.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

impl TestDaemon {
    /// A home for the daemon of `program` (the built `orchflow`) with this `config.toml` and
    /// these variables; nothing runs yet.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn home(
        program: impl Into<PathBuf>,
        config: &str,
        env: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let home = TempDir::with_prefix("orchflow-")?;
        std::fs::write(home.path().join("config.toml"), config)?;
        let mut variables: Vec<(OsString, OsString)> =
            vec![("ORCHFLOW_HOME".into(), home.path().into())];
        variables.extend(env.iter().map(|(name, value)| (name.into(), value.into())));
        Ok(Self { program: program.into(), home, env: variables, child: None })
    }

    /// Starts a daemon with no configuration, and waits until it answers.
    ///
    /// # Errors
    /// When it does not; the message has its log.
    pub async fn start(program: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let mut daemon = Self::home(program, "", &[])?;
        daemon.up().await?;
        Ok(daemon)
    }

    /// Starts the daemon in this home, and waits until it answers.
    ///
    /// # Errors
    /// When it does not; the message has its log.
    pub async fn up(&mut self) -> anyhow::Result<()> {
        self.launch(&[])?;
        if self.answers().await? {
            return Ok(());
        }
        bail!("the daemon ended:\n{}", self.log())
    }

    /// Starts the daemon with these variables beside those of the home, and does not wait.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn launch(&mut self, env: &[(&str, &str)]) -> anyhow::Result<()> {
        let argv: [OsString; 3] = [self.program.clone().into(), "up".into(), "--foreground".into()];
        let mut variables = self.env.clone();
        variables.extend(env.iter().map(|(name, value)| (name.into(), value.into())));
        let spec = Spec::new(argv, self.home.path());
        let spec = Spec { env: variables, stdio: Stdio::Null, ..spec };
        self.child = Some(process::spawn(&spec).context("cannot start the daemon")?);
        Ok(())
    }

    /// Waits until the launched daemon answers; false when it ended before it did.
    ///
    /// # Errors
    /// When it does neither; the message has its log.
    pub async fn answers(&self) -> anyhow::Result<bool> {
        let watch = Stopwatch::start();
        while watch.elapsed() < READY {
            match orchflow_client::connect(&self.socket()).await {
                Ok(_) => return Ok(true),
                Err(_) if self.has_ended() => return Ok(false),
                // One that dies while it greets cuts its greeting off.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        bail!("the daemon did not answer in {READY:?}:\n{}", self.log())
    }

    /// Whether the daemon that was started here has ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.child.as_ref().is_none_or(|child| child.exit.now().is_some())
    }

    /// Waits for the end of the daemon; the answer is the signal that killed it, if one did.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        child.exit.wait().await.signal
    }

    /// Ends the daemon as a power cut would: SIGKILL, nothing else.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            signal(child.pid, child.start_time, Signal::KILL);
            child.exit.wait().await;
        }
    }

    /// Kills the daemon and starts it again in the same home.
    ///
    /// # Errors
    /// As [`TestDaemon::up`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill().await;
        self.up().await
    }

    /// A client connected to the daemon.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let connected = orchflow_client::connect(&self.socket()).await;
        connected.map(|(client, _)| client).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Runs `orchflow ARGS…` in `dir`, without input and without a terminal.
    ///
    /// # Errors
    /// When it could not be started or did not end in three minutes.
    pub async fn cli_in(&self, dir: &Path, args: &[&str]) -> anyhow::Result<Output> {
        let mut argv: Vec<OsString> = vec![self.program.clone().into()];
        argv.extend(args.iter().map(OsString::from));
        let spec = Spec { env: self.env.clone(), ..Spec::new(argv, dir) };
        let output = process::output(&spec, OUTPUT, COMMAND).await?;
        if output.timed_out {
            bail!("`orchflow {}` did not end in {COMMAND:?}", args.join(" "));
        }
        Ok(Output {
            code: output.status.code,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs `orchflow ARGS…` in the home folder.
    ///
    /// # Errors
    /// As [`TestDaemon::cli_in`].
    pub async fn cli(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.cli_in(self.home.path(), args).await
    }

    /// The home folder: state, configuration, logs.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.home.path().join("run/orchflow.sock")
    }

    /// The daemon's process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(|child| child.pid)
    }

    /// All that the daemon has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("logs/daemon.log")).unwrap_or_default()
    }

    /// The process that holds the terminals of this home, if there is one.
    #[must_use]
    pub fn holder(&self) -> Option<(u32, u64)> {
        let text = std::fs::read_to_string(self.home.path().join("run/muxd.lock")).ok()?;
        let pid = text.trim().parse().ok()?;
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let home = self.home.path().display().to_string();
        let ours = String::from_utf8_lossy(&words).contains(&home);
        ours.then_some((pid, process::start_time(pid)?))
    }

    /// Daemons that were started on demand by a command write their pid into the lock.
    fn on_demand(&self) -> Option<(u32, u64)> {
        let text = std::fs::read_to_string(self.home.path().join("run/daemon.lock")).ok()?;
        let pid = text.trim().parse().ok()?;
        let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let home = format!("ORCHFLOW_HOME={}", self.home.path().display());
        let ours = environ.split(|byte| *byte == 0).any(|entry| entry == home.as_bytes());
        ours.then_some((pid, process::start_time(pid)?))
    }
}

impl Drop for TestDaemon {
    fn drop(&mut self) {
        let started = self.child.take().map(|child| (child.pid, child.start_time));
        // The daemon first: it ends its holder of terminals, when it is asked politely.
        for (pid, start_time) in started.into_iter().chain(self.on_demand()) {
            end(pid, start_time);
        }
        if let Some((pid, start_time)) = self.holder() {
            end(pid, start_time);
        }
    }
}

/// Ends a daemon politely, then not, and then what it had started.
fn end(pid: u32, start_time: u64) {
    let below = descendants(pid);
    signal(pid, start_time, Signal::TERM);
    wait_for_end(pid, Duration::from_secs(10));
    signal(pid, start_time, Signal::KILL);
    for (pid, start_time) in below {
        signal(pid, start_time, Signal::KILL);
    }
}

fn signal(pid: u32, start_time: u64, signal: Signal) {
    if let Some(found) = raw(pid).filter(|_| process::is_alive(pid, start_time)) {
        let _ = kill_process(found, signal);
    }
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn wait_for_end(pid: u32, limit: Duration) {
    let Some(Ok(fd)) = raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { return };
    let limit = Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: 0 };
    let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit));
}

/// Every process below `root`, with its start time.
fn descendants(root: u32) -> Vec<(u32, u64)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut at = 0;
    while let Some(above) = found.get(at).copied() {
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        at += 1;
    }
    found.into_iter().skip(1).filter_map(|pid| Some((pid, process::start_time(pid)?))).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
