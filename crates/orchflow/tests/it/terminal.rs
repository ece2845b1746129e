//! The program at a terminal: questions, the live tree, a command in raw mode.

use std::fs::File;
use std::io::{Read, Write};

use orchflow_runtime::process::{self, Child, Spec, Stdio};
use orchflow_testkit::{Repo, Scripts, TestDaemon};
use orchflow_types::pane::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{ORCHFLOW, home};

/// The longest a word may take to appear.
const LIMIT: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// A command at a terminal of its own.
struct Terminal {
    child: Child,
    tty: File,
    seen: String,
    /// Where the part of `seen` begins that no wait has passed over.
    fresh: usize,
}

impl Terminal {
    fn run(daemon: &TestDaemon, dir: &std::path::Path, args: &[&str]) -> Self {
        let spec = Spec::new([&[ORCHFLOW], args].concat(), dir)
            .env("ORCHFLOW_HOME", daemon.path())
            .env("TERM", "xterm-256color")
            .env("VISUAL", "sed -i s/around/upside-down/");
        let stdio = Stdio::Tty(Size { cols: 100, rows: 30 });
        let mut child = process::spawn(&Spec { stdio, ..spec }).expect("orchflow starts");
        let tty = child.tty.take().expect("a terminal was asked for");
        Self { child, tty: File::from(tty), seen: String::new(), fresh: 0 }
    }

    /// Reads until `word` appears beyond the last one that was waited for.
    fn until(&mut self, word: &str) {
        while !self.seen[self.fresh..].contains(word) {
            assert!(self.read(), "no `{word}` in:\n{}", self.seen);
        }
        let at = self.seen[self.fresh..].find(word).expect("it was just found");
        self.fresh += at + word.len();
    }

    /// Whether something more came.
    fn read(&mut self) -> bool {
        let ready = poll(&mut [PollFd::new(&self.tty, PollFlags::IN)], Some(&LIMIT));
        let mut buffer = [0; 4096];
        // The end of a terminal is an error (EIO).
        let count = if ready == Ok(1) { self.tty.read(&mut buffer).unwrap_or(0) } else { 0 };
        self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        count > 0
    }

    fn types(&mut self, text: &str) {
        self.tty.write_all(text.as_bytes()).expect("the terminal takes keys");
    }

    /// Reads to the end; the exit code, and all that was on the terminal.
    async fn end(mut self) -> (i32, String) {
        while self.read() {}
        (self.child.exit.wait().await.code, self.seen)
    }
}

async fn editing() -> (Scripts, Repo, TestDaemon) {
    let scripts = Scripts::new().expect("a temporary folder can be made");
    let repo = Repo::python(true).await.expect("git works");
    let text = "def add(a, b):\n    return b + a\n\n\ndef multiply(a, b):\n    return b * a\n";
    let agent = scripts.edits("editor", "calc.py", text).expect("a script can be written");
    let daemon = home(&format!("{}[roles.executor]\nchain = [\"editor\"]\n", agent.config()));
    (scripts, repo, daemon)
}

#[tokio::test]
async fn a_plan_is_shown_edited_and_approved_where_it_was_asked_for() {
    let (_scripts, repo, daemon) = editing().await;
    let mut terminal = Terminal::run(&daemon, repo.path(), &["run", "turn it around"]);
    terminal.until("[a]pprove, [e]dit, [r]eject: ");
    terminal.types("e\n");
    terminal.until("turn it upside-down");
    terminal.until("[a]pprove, [e]dit, [r]eject: ");
    terminal.types("a\n");
    terminal.until("succeeded · 1/1 tasks");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Merged: "), "{seen}");
}

#[tokio::test]
async fn a_plan_file_that_has_changed_is_shown_before_a_yes_counts() {
    let (_scripts, repo, daemon) = editing().await;
    let mut terminal = Terminal::run(&daemon, repo.path(), &["run", "turn it around"]);
    terminal.until("[r]eject: ");
    let plan = repo.read(".orchflow/plan.md").unwrap();
    repo.write(".orchflow/plan.md", &format!("{plan}tpye: dev\n")).unwrap();
    terminal.types("a\n");
    terminal.until("no setting is called `tpye`");
    terminal.until("[r]eject: ");
    terminal.types("a\n");
    terminal.until("cannot be approved as it is");
    terminal.until("[r]eject: ");
    repo.write(".orchflow/plan.md", &plan.replace("so it is work for", "says a person: it is for"))
        .unwrap();
    terminal.types("a\n");
    terminal.until("no rule matched, says a person");
    terminal.until("has changed: this is the plan now");
    terminal.until("[r]eject: ");
    terminal.types("a\n");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 0, "{seen}");
    let run = daemon.cli_in(repo.path(), &["runs", "show", "--json"]).await.unwrap().ok().json();
    let reason = run["plan"]["tasks"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("says a person"), "{run}");
}

#[tokio::test]
async fn an_edit_made_between_two_looks_at_a_run_is_kept_and_shown() {
    let (_scripts, repo, daemon) = editing().await;
    daemon.cli_in(repo.path(), &["run", "turn it around"]).await.unwrap();
    let plan = repo.read(".orchflow/plan.md").unwrap();
    repo.write(".orchflow/plan.md", &plan.replace("so it is work for", "says a person: it is for"))
        .unwrap();
    let mut terminal = Terminal::run(&daemon, repo.path(), &["run", "--resume"]);
    terminal.until("no rule matched, says a person");
    terminal.until("this is the plan as `.orchflow/plan.md` was changed");
    terminal.until("[r]eject: ");
    terminal.types("a\n");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 0, "{seen}");
    let run = daemon.cli_in(repo.path(), &["runs", "show", "--json"]).await.unwrap().ok().json();
    let reason = run["plan"]["tasks"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("says a person"), "{run}");
}

#[tokio::test]
async fn a_red_run_leaves_its_failing_tests_and_its_verdict_on_the_screen() {
    let (daemon, repo) = (home(""), Repo::python(false).await.unwrap());
    let terminal = Terminal::run(&daemon, repo.path(), &["run", "run the tests"]);
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 1, "{seen}");
    assert_eq!(seen.trim_end().lines().last(), Some("failed: 0 of 1 tasks done"), "{seen}");
    let (output, failing) = (seen.find("Traceback"), seen.find("  - failing: "));
    assert!(output.is_some() && output < failing, "{seen}");
}

#[tokio::test]
async fn a_rejected_plan_changes_nothing() {
    let (_scripts, repo, daemon) = editing().await;
    let before = repo.fingerprint().await.unwrap();
    let mut terminal = Terminal::run(&daemon, repo.path(), &["run", "turn it around"]);
    terminal.until("[r]eject: ");
    terminal.types("r\n");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 1, "{seen}");
    assert_eq!(repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn control_c_at_the_question_cancels_the_run() {
    let (_scripts, repo, daemon) = editing().await;
    let mut terminal = Terminal::run(&daemon, repo.path(), &["run", "turn it around"]);
    terminal.until("[r]eject: ");
    terminal.types("\x03");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 130, "{seen}");
    assert!(seen.contains("cancelling run_"), "{seen}");
}

#[tokio::test]
async fn exec_gives_the_command_a_terminal_of_the_callers_size_and_its_control_c() {
    let daemon = home("");
    let script =
        "stty size; trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    let mut terminal = Terminal::run(&daemon, daemon.path(), &["exec", "--", "sh", "-c", script]);
    terminal.until("30 100");
    terminal.until("ready");
    terminal.types("\x03");
    let (code, seen) = terminal.end().await;
    assert_eq!(code, 9, "{seen}");
    assert!(seen.contains("caught"), "{seen}");
}

#[tokio::test]
async fn trust_shows_what_it_is_about_and_takes_only_a_yes() {
    let (daemon, repo) = (home(""), Repo::empty().await.unwrap());
    repo.write(".orchflow/config.toml", "[run]\nmax_concurrency = 2 # \u{1b}[2J\n").unwrap();
    for (answer, code) in [("\n", 4), ("y\n", 0)] {
        let mut terminal = Terminal::run(&daemon, repo.path(), &["trust"]);
        terminal.until("Trust exactly this? [y/N] ");
        assert!(terminal.seen.contains(r"max_concurrency = 2 # \u{1b}[2J"), "{}", terminal.seen);
        terminal.types(answer);
        let (ended, seen) = terminal.end().await;
        assert_eq!(ended, code, "{seen}");
    }
}
