//! `.orchflow/plan.md`: the copy of a plan that a person edits, kept out of git. The plan
//! itself lives in the daemon; its grammar is `orchflow_workflow::plan_markdown`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use orchflow_runtime::env;
use orchflow_runtime::process::{self, Spec, Stdio};
use orchflow_types::plan::Plan;
use orchflow_types::run::{Run, RunStatus};
use orchflow_types::{ErrorKind, RunId};
use orchflow_workflow::plan_markdown;

use crate::stop::Stop;

/// How long git may take to say where its own folder is.
const GIT_TIME: Duration = Duration::from_secs(10);

/// Where the copy of a run's plan is.
#[must_use]
pub(crate) fn path(run: &Run) -> PathBuf {
    Path::new(&run.project).join(".orchflow/plan.md")
}

/// Writes the plan of a run for editing, unless it stands there already as a person changed
/// it, and keeps the file out of git. Answers what stands there now.
///
/// # Errors
/// When it cannot be written, or a link stands in its way.
pub(crate) async fn write(run: &Run, plan: &Plan) -> Result<String, Stop> {
    let path = path(run);
    let text = match edited(run) {
        Ok(Some(there)) => there,
        // What nobody can say the run of may be what a person has just written.
        Err(stop) if std::fs::read_to_string(&path).is_ok_and(|text| named(&text).is_none()) => {
            return Err(stop);
        }
        _ => {
            let text = plan_markdown::print_for(run.run_id, plan);
            write_to(&path, &text).map_err(|error| Stop::file("write", &path, &error))?;
            text
        }
    };
    exclude(Path::new(&run.project)).await;
    Ok(text)
}

fn write_to(path: &Path, text: &str) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(path);
    if !dir.exists() {
        std::fs::create_dir(dir)?;
    }
    // The repository owns this folder: a link in it could lead a write anywhere.
    let link = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    if link(dir) || link(path) {
        return Err(std::io::Error::other("it is a symbolic link, which is not followed"));
    }
    std::fs::write(path, text)
}

/// The run that a text names above its tasks; the rest of it may be wrong.
fn named(text: &str) -> Option<RunId> {
    let head = text.lines().take_while(|line| !line.starts_with("## "));
    head.filter_map(|line| line.strip_prefix("run: ")).find_map(|id| id.trim().parse().ok())
}

/// The file of a run that waits for approval, as it stands now; none when there is no file, or
/// it was left there before the run and is of another.
///
/// # Errors
/// When it cannot be read, or was written since the run began and is not the run's.
pub(crate) fn edited(run: &Run) -> Result<Option<String>, Stop> {
    let path = path(run);
    if run.status != RunStatus::AwaitingApproval {
        return Ok(None);
    }
    let Ok(meta) = path.metadata() else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| Stop::file("read", &path, &error))?;
    if named(&text) == Some(run.run_id) {
        return Ok(Some(text));
    }
    let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let changed = changed.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
    if changed < run.created_at.as_millis() {
        return Ok(None);
    }
    Err(foreign(&text, run.run_id))
}

/// The text of the file, when it is this run's.
///
/// # Errors
/// When it cannot be read, or is not the run's.
pub(crate) fn read(run: &Run) -> Result<String, Stop> {
    let path = path(run);
    let text = std::fs::read_to_string(&path).map_err(|error| Stop::file("read", &path, &error))?;
    if named(&text) == Some(run.run_id) { Ok(text) } else { Err(foreign(&text, run.run_id)) }
}

/// That the file is not the run's, whose it is, and what to do.
fn foreign(text: &str, run: RunId) -> Stop {
    let whose = named(text).map_or_else(
        || format!("does not say that it is the plan of {run}"),
        |other| format!("is the plan of {other}, not of {run}"),
    );
    Stop::new(ErrorKind::Plan, format!("`.orchflow/plan.md` {whose}")).hint(format!(
        "write `run: {run}` below its goal if it is meant for this run, or take the file away; \
         `orchflow run --resume {run}` then writes the plan of this run there"
    ))
}

/// Opens the file in the person's editor and waits for its end.
///
/// # Errors
/// When the editor could not be started, or failed.
pub(crate) async fn edit(path: &Path) -> Result<(), Stop> {
    let editor = env::var("VISUAL").or_else(|| env::var("EDITOR")).unwrap_or_else(|| "vi".into());
    // A shell, as for git: the variable may hold words of its own (`code --wait`).
    let script = format!("{editor} \"$1\"");
    let argv: [std::ffi::OsString; 5] =
        ["sh".into(), "-c".into(), script.into(), "sh".into(), path.into()];
    let spec =
        Spec { stdio: Stdio::Inherit, ..Spec::new(argv, path.parent().unwrap_or(Path::new("/"))) };
    let mut child =
        process::spawn(&spec).map_err(|error| orchflow_client::Error::explain(&error))?;
    let status = child.exit.wait().await;
    if status.success() {
        return Ok(());
    }
    let text = format!("the editor `{editor}` ended with {}", status.code);
    Err(Stop::new(ErrorKind::ProgramNotFound, text).hint("set EDITOR to the editor you use"))
}

/// Names the file in `.git/info/exclude`, once. Where there is no git there is nothing to do,
/// and a file that cannot be written only means that git shows the copy.
async fn exclude(project: &Path) {
    let argv = ["git", "rev-parse", "--git-path", "info/exclude", "--show-prefix"];
    let spec = Spec::new(argv, project);
    let Ok(told) = process::output(&spec, 64 * 1024, GIT_TIME).await else { return };
    if !told.status.success() {
        return;
    }
    let text = String::from_utf8_lossy(&told.stdout);
    let mut lines = text.lines();
    let (Some(file), prefix) = (lines.next(), lines.next().unwrap_or_default()) else { return };
    let file = project.join(file);
    let line = format!("/{prefix}.orchflow/plan.md");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    if before.lines().any(|old| old == line) {
        return;
    }
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    if let Some(dir) = file.parent() {
        let _ = std::fs::create_dir_all(dir);
    }
    if let Ok(mut open) = std::fs::OpenOptions::new().create(true).append(true).open(&file) {
        let _ = open.write_all(format!("{end}{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use orchflow_types::plan::PlanTask;

    use super::*;

    fn git(dir: &Path, args: &[&str]) -> Spec {
        Spec::new([&["git"], args].concat(), dir)
    }

    #[tokio::test]
    async fn git_does_not_see_the_copy_and_is_told_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("sub");
        std::fs::create_dir(&project).unwrap();
        let run = |spec: Spec| async move {
            process::output(&spec, 1 << 16, GIT_TIME).await.unwrap().text()
        };
        run(git(dir.path(), &["init", "-q"])).await;
        let path = project.join(".orchflow/plan.md");
        write_to(&path, "# Plan: x\n").unwrap();
        exclude(&project).await;
        exclude(&project).await;
        assert_eq!(run(git(dir.path(), &["status", "--porcelain", "-uall"])).await, "");
        let text = std::fs::read_to_string(dir.path().join(".git/info/exclude")).unwrap();
        assert_eq!(text.matches("/sub/.orchflow/plan.md").count(), 1);
    }

    #[test]
    fn a_link_in_the_repository_leads_no_write_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::create_dir_all(dir.path().join("repo")).unwrap();
        std::os::unix::fs::symlink(&outside, dir.path().join("repo/.orchflow")).unwrap();
        write_to(&dir.path().join("repo/.orchflow/plan.md"), "x").unwrap_err();
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn a_copy_is_of_the_run_it_names_and_of_no_other() {
        let [ours, other]: [RunId; 2] =
            ["1", "2"].map(|end| format!("run_{end:0>32}").parse().unwrap());
        let plan = Plan::new("Fix it", vec![PlanTask::new("fix", "Fix it")]);
        let text = plan_markdown::print_for(ours, &plan);
        assert_eq!(named(&text), Some(ours));
        assert_eq!(named(&plan_markdown::print(&plan)), None);
        let stop = foreign(&text, other);
        let Stop::Error(error) = stop else { unreachable!("it is an error") };
        assert!(error.message.contains(&format!("the plan of {ours}, not of {other}")), "{error}");
    }
}
