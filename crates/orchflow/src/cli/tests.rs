//! Command lines: what is understood, and what is refused with words that help.

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, String> {
    let words = std::iter::once("orchflow").chain(line.split_whitespace());
    Cli::try_parse_from(words).map_err(|error| error.to_string())
}

#[test]
fn the_words_of_the_command_line_do_not_contradict_each_other() {
    Cli::command().debug_assert();
}

#[test]
fn every_documented_line_is_understood() {
    const RUN: &str = "run_0193e4c2d1f07cc3a1b2c3d4e5f60718";
    const TASK: &str = "task_0193e4c2d1f07cc3a1b2c3d4e5f60718";
    const PANE: &str = "pane_0193e4c2d1f07cc3a1b2c3d4e5f60718";
    const ATTENTION: &str = "attention_0193e4c2d1f07cc3a1b2c3d4e5f60718";
    for line in [
        "",
        "--json status",
        "up --listen 127.0.0.1:7777",
        "up --foreground",
        "down",
        "status --json",
        "run run the tests",
        "run --auto-approve --role executor=a,b --role auditor=c --mode parallel --max-concurrency 2 --max-iterations 1 --from-working-tree --no-commit --detach --json fix it",
        "run --resume",
        "plan add a flag",
        "runs",
        "runs list --all --limit 5",
        "runs show",
        "agents --json",
        "attention",
        "attention list --all",
        "route run tests for authentication",
        "exec -- sh -c true",
        "pane create --cwd /tmp --cols 100 --rows 30 --json -- htop -d 5",
        "pane list --running",
        "trust",
        "trust /tmp --yes",
        "trust --revoke",
        "config show --origin",
        "config get run.mode",
        "config set run.max_iterations -1",
        "config path",
        "doctor /tmp",
        "policy check --json --policy p.toml --agent a -- git push --force",
        "rpc system.info",
        "rpc run.list {} --json",
        "logs -f -n 5",
        "completions bash",
        "task create title --description d -- make test",
        "task list",
        "task import tree.json",
        "-C /tmp status",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    for line in [
        format!("run --task {TASK}"),
        format!("run --resume {RUN} --json"),
        format!("runs approve {RUN} --plan plan.md"),
        format!("runs reject {RUN} --reason no"),
        format!("runs pause {RUN}"),
        format!("runs resume {RUN}"),
        format!("runs cancel {RUN}"),
        format!("runs report {RUN}"),
        "runs rescue refs/x".to_owned(),
        format!("attention answer {ATTENTION} once"),
        format!("pane info {PANE} --json"),
        format!("pane read {PANE} --raw --from 5"),
        format!("pane read {PANE} --screen"),
        format!("pane read {PANE} --history 20"),
        format!("pane write {PANE} -rf --enter"),
        format!("pane resize {PANE} 80 24"),
        format!("pane wait {PANE}"),
        format!("pane kill {PANE} --grace-ms 10"),
        format!("task tree {TASK}"),
        format!("task update {TASK} --title x"),
        format!("task move {TASK} --parent {TASK} --position 0"),
        format!("task delete {TASK}"),
        format!("task start {TASK} --auto-approve"),
        format!("task complete {TASK}"),
        format!("task cancel {TASK}"),
        format!("task export {TASK}"),
    ] {
        parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_could_be() {
    for (line, expected) in [
        ("rum the tests", "'run'"),
        ("run", "<GOAL"),
        ("run --role judge=a fix", "roles are architect, executor, auditor, consultant"),
        ("run --role auditor= fix", "no agent is named for `auditor`"),
        ("run --mode watch fix", "parallel"),
        ("run --max-concurrency 0 fix", "1..=1000"),
        ("runs show task_01", "is no run id"),
        ("trust --yes --revoke", "cannot be used with"),
        ("exec", "<CMD>"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

#[test]
fn the_first_page_of_help_is_short() {
    let help = Cli::command().term_width(100).render_help().to_string();
    insta::assert_snapshot!(help);
}
