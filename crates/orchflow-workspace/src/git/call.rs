//! The one place that builds a git command line, and the one that reads its failure.
//!
//! What is set here: no hook, no file system monitor, no pager, no editor, no prompt, no
//! signing program, no transport, no background maintenance, no look into submodules, no
//! repository that was not named. Drivers a repository defines are in `drivers`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orchflow_runtime::process::{self, Output, Spec};

use super::{Repo, drivers};
use crate::{Error, Result};

/// Settings given on every command line; they win over every file.
const SETTINGS: &[&str] = &[
    // What the database records as committed or merged has to survive a power cut as it does:
    // by default git leaves loose objects and refs to the system's own time.
    "core.fsync=committed,reference",
    "core.fsyncMethod=batch",
    // Two that end at once wait for each other, also on a slow disk.
    "core.filesRefLockTimeout=1000",
    "core.packedRefsTimeout=2000",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.editor=false",
    "core.askPass=false",
    "core.sshCommand=false",
    "core.gitProxy=",
    "core.quotePath=false",
    "core.safecrlf=false",
    "credential.helper=",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.file.allow=never",
    "safe.bareRepository=explicit",
    "gc.auto=0",
    "maintenance.auto=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gpg.program=false",
    "gpg.x509.program=false",
    "gpg.ssh.program=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "merge.autoStash=false",
    "merge.conflictStyle=merge",
    "rerere.enabled=false",
    "diff.external=",
    "diff.submodule=short",
    "diff.ignoreSubmodules=dirty",
    "diff.noPrefix=false",
    "diff.mnemonicPrefix=false",
    "diff.relative=false",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
    "status.relativePaths=false",
    "branch.autoSetupMerge=false",
    "color.ui=never",
    "column.ui=never",
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    // A partial clone would otherwise fetch what is missing by a program its config names.
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_EDITOR", "false"),
    ("GIT_ASKPASS", "false"),
    ("GIT_MERGE_AUTOEDIT", "no"),
    ("LC_ALL", "C"),
];

/// The most bytes of an answer that are kept.
const LIMIT: usize = 64 << 20;
/// How long git may take; a checkout of a large repository on a slow disk fits.
const TIME: Duration = Duration::from_secs(600);

static CALLS: AtomicU64 = AtomicU64::new(0);

/// How git is asked about one checkout.
pub(super) struct Git<'a> {
    repo: &'a Repo,
    env: Vec<(OsString, OsString)>,
    mark: String,
    /// Where an answer is cut; none makes a longer one than [`LIMIT`] an error.
    most: Option<usize>,
}

impl Repo {
    /// For commands that neither read nor write files of the working tree.
    pub(super) fn plain(&self) -> Git<'_> {
        Git { repo: self, env: Vec::new(), mark: "git:".to_owned(), most: None }
    }

    /// For commands that do: what drivers the repository defines are switched off.
    pub(super) async fn guarded(&self) -> Result<Git<'_>> {
        let args = ["config", "--list", "--show-scope", "-z"];
        let listed = self.plain().run("read the git configuration", args).await?;
        let env = drivers::overrides(&listed.stdout);
        Ok(Git { env, ..self.plain() })
    }
}

impl Git<'_> {
    /// The same with a variable of git's set.
    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same with children whose marks begin with this one.
    pub(super) fn marked(mut self, mark: String) -> Self {
        self.mark = mark;
        self
    }

    /// The same with answers cut after so many bytes.
    pub(super) const fn at_most(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    /// Runs git; an exit code other than 0 is an error that says what was `attempted`.
    pub(super) async fn run<S: AsRef<OsStr>>(
        &self,
        attempted: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Output> {
        let output = self.attempt(attempted, args).await?;
        if output.status.success() {
            return Ok(output);
        }
        Err(self.failure(attempted, &output))
    }

    /// Runs git and leaves it to the caller what its exit code means.
    pub(super) async fn attempt<S: AsRef<OsStr>>(
        &self,
        attempted: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Output> {
        let mut spec = spec(self.repo.root(), args);
        // Named, not discovered: whoever replaces `.git` in a worktree steers nothing.
        spec.env.push(("GIT_DIR".into(), self.repo.git_dir().into()));
        spec.env.push(("GIT_WORK_TREE".into(), self.repo.root().into()));
        spec.env.extend(self.env.iter().cloned());
        // One mark for each call: a call that takes too long is swept away by it, alone.
        let number = CALLS.fetch_add(1, Ordering::Relaxed);
        spec.mark = format!("{}{}-{number}.", self.mark, std::process::id());
        let output = process::output(&spec, self.most.unwrap_or(LIMIT), TIME).await;
        let output = output.map_err(Error::Start)?;
        let place = self.repo.root().to_owned();
        if output.timed_out {
            return Err(Error::Timeout { attempted: attempted.to_owned(), place });
        }
        if self.most.is_none() && output.stdout.len() >= LIMIT {
            return Err(Error::TooLong { attempted: attempted.to_owned(), place });
        }
        Ok(output)
    }

    /// The error that says what was attempted and what git said.
    pub(super) fn failure(&self, attempted: &str, output: &Output) -> Error {
        Error::Git {
            attempted: attempted.to_owned(),
            place: self.repo.root().to_owned(),
            said: summary(output),
        }
    }
}

/// What was found around a folder.
pub(super) enum Discovery {
    /// Git's folder, the common one, the root of the checkout.
    Checkout([PathBuf; 3]),
    Bare,
    Nothing,
}

/// Asks git which repository a folder is in.
pub(super) async fn discover(dir: &Path) -> Result<Discovery> {
    let args = [
        "rev-parse",
        "--path-format=absolute",
        "--is-bare-repository",
        "--absolute-git-dir",
        "--git-common-dir",
        "--show-toplevel",
    ];
    let output = process::output(&spec(dir, args), LIMIT, TIME).await.map_err(Error::Start)?;
    let mut lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let bare = lines.next() == Some(b"true".as_slice());
    let paths: Vec<PathBuf> = lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect();
    if output.status.success()
        && let Ok(paths) = paths.try_into()
    {
        return Ok(Discovery::Checkout(paths));
    }
    let said = output.error_text();
    if bare || said.contains("cannot use bare repository") || said.contains("in a work tree") {
        return Ok(Discovery::Bare);
    }
    if said.contains("not a git repository") {
        return Ok(Discovery::Nothing);
    }
    let attempted = "look for a git repository".to_owned();
    Err(Error::Git { attempted, place: dir.to_owned(), said: summary(&output) })
}

fn spec<S: AsRef<OsStr>>(cwd: &Path, args: impl IntoIterator<Item = S>) -> Spec {
    let mut argv: Vec<OsString> = vec!["git".into(), "--no-pager".into()];
    for setting in SETTINGS {
        argv.extend(["-c".into(), (*setting).into()]);
    }
    argv.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
    let mut spec = Spec::new(argv, cwd);
    spec.env.extend(ENVIRONMENT.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    spec
}

/// The lines of git's complaint that say something, without its prefixes.
fn summary(output: &Output) -> String {
    let text = output.error_text();
    let told: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("hint:") && !line.trim().is_empty())
        .take_while(|line| !line.starts_with("To add an exception")) // our own hint says it
        .map(|line| line.trim_start_matches("fatal: ").trim_start_matches("error: ").trim())
        .take(6)
        .collect();
    if told.is_empty() {
        return match output.status.signal {
            Some(signal) => format!("git was ended by signal {signal}"),
            None => format!("git gave no reason (exit code {})", output.status.code),
        };
    }
    told.join("; ").chars().take(600).collect()
}

/// Refuses what git would take for an option.
pub(super) fn revision(text: &str) -> Result<()> {
    if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
        return Err(Error::BadName { what: "revision", given: text.to_owned() });
    }
    Ok(())
}

/// The fields of an answer to `-z`.
pub(super) fn fields(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty())
}

/// A path as git gave it.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Text as git gave it.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
