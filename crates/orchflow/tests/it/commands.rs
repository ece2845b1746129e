//! The command line as scripts use it: JSON, exit codes, what goes to which stream.

use orchflow_testkit::{Repo, TestDaemon};
use serde_json::{Value, json};

use crate::stage::{Stage, kind};
use crate::{ORCHFLOW, home};

fn editor(scripts: &orchflow_testkit::Scripts) -> orchflow_testkit::Script {
    scripts.edits("editor", "notes.txt", "hello\n").unwrap()
}

#[tokio::test]
async fn a_noun_alone_lists_what_there_is() {
    let home = home("");
    for (noun, verb) in [("runs", "list"), ("task", "list"), ("pane", "list"), ("config", "show")] {
        let alone = home.cli(&[noun]).await.unwrap().ok();
        let said = home.cli(&[noun, verb]).await.unwrap().ok();
        assert_eq!((alone.stdout, alone.stderr), (said.stdout, said.stderr), "{noun}");
    }
}

#[tokio::test]
async fn a_run_with_json_prints_events_and_ends_with_the_end_of_the_run() {
    let stage = Stage::with(editor, "").await;
    let said = stage.run(&["--json", "run", "--auto-approve", "Add a file notes.txt"]).await.ok();
    let lines: Vec<Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "run.finished", "{last}");
    assert_eq!(last["data"]["status"], "succeeded");
    assert_eq!(last["data"]["merged"], true);
    assert_eq!(last["data"]["commits"].as_array().unwrap().len(), 1);
    assert_eq!(last["data"]["tasks"][0]["status"], "completed");
    let ends = lines.iter().filter(|line| line["type"] == "run.finished").count();
    assert_eq!(ends, 1);
    let cursors: Vec<u64> = lines.iter().filter_map(|line| line["cursor"].as_u64()).collect();
    assert!(cursors.is_sorted_by(|before, after| before < after), "{cursors:?}");
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
}

#[tokio::test]
async fn a_commit_says_which_task_agent_gates_and_audit_it_comes_from() {
    let stage = Stage::with(editor, "").await;
    let not = format!("^{}", stage.repo.head().await.unwrap());
    stage.run(&["run", "--auto-approve", "Add a file notes.txt"]).await.ok();
    let message =
        stage.repo.git(&["log", "--no-merges", "--format=%B", "main", &not]).await.unwrap();
    for trailer in [
        "Orchflow-Run: run_",
        "Orchflow-Task: task_",
        "Orchflow-Agent: editor",
        "Orchflow-Audit: approved",
        "test (python3 -m unittest)",
    ] {
        assert!(message.contains(trailer), "{trailer} in {message}");
    }
}

#[tokio::test]
async fn the_report_is_data_and_the_progress_is_talk() {
    let stage = Stage::with(editor, "").await;
    let said = stage.run(&["run", "--auto-approve", "Add a file notes.txt"]).await.ok();
    assert!(said.stdout.contains("Succeeded (1 of 1 tasks done)"), "{said:?}");
    assert!(said.stdout.contains("Merged: 1 commit on `main`"), "{said:?}");
    assert!(!said.stderr.contains("Succeeded (1 of 1"), "{said:?}");
    assert!(!said.stderr.is_empty());
    assert!(!format!("{}{}", said.stdout, said.stderr).contains('\x1b'), "{said:?}");
}

#[tokio::test]
async fn exit_codes_say_what_kind_of_end_it_was() {
    let red = Repo::python(false).await.unwrap();
    let stage = Stage::new(red, orchflow_testkit::Scripts::new().unwrap(), &[], "");
    let nobody = "0".repeat(32);
    let (no_task, no_run) = (format!("task_{nobody}"), format!("run_{nobody}"));
    let table: [(&[&str], i32); 8] = [
        (&["status"], 0),
        (&["run", "run the tests"], 1),
        (&["run"], 2),
        (&["task", "show", "nonsense"], 2),
        (&["run", "  "], 2),
        (&["task", "show", &no_task], 3),
        (&["runs", "show", &no_run], 3),
        (&["runs", "approve"], 7),
    ];
    for (args, code) in table {
        let said = stage.run(args).await;
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        if code > 1 {
            assert_eq!(said.stdout, "", "an error is talk: {args:?}");
            assert!(!said.stderr.is_empty());
        }
    }
}

#[tokio::test]
async fn the_tests_of_a_red_project_end_with_1_and_name_what_fails() {
    let red = Repo::python(false).await.unwrap();
    let stage = Stage::new(red, orchflow_testkit::Scripts::new().unwrap(), &[], "");
    let before = stage.repo.fingerprint().await.unwrap();
    let said = stage.run(&["run", "run the tests"]).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("1 passed, 1 failed"), "{said:?}");
    assert!(said.stdout.contains("test_add"), "{said:?}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
}

#[tokio::test]
async fn a_tree_that_was_exported_comes_back_the_same_by_import() {
    let home = TestDaemon::home(ORCHFLOW, "", &[]).unwrap();
    let create = async |args: &[&str]| -> String {
        let all = [&["task", "create"], args].concat();
        home.cli(&all).await.unwrap().ok().stdout.trim().to_owned()
    };
    let root = create(&["Make the page faster", "--description", "All of it.\nAnd more."]).await;
    let first = create(&["Measure", "--parent", &root, "--", "make", "it's so"]).await;
    create(&["Cache", "--parent", &root, "--depends", &first, "--agent", "claude"]).await;
    let tree = home.cli(&["task", "export", &root]).await.unwrap().ok().stdout;
    let file = home.path().join("tree.json");
    std::fs::write(&file, &tree).unwrap();
    let copy = home.cli(&["task", "import", file.to_str().unwrap()]).await.unwrap().ok();
    let copy = copy.stdout.trim().to_owned();
    assert_ne!(copy, root);
    let again = home.cli(&["task", "export", &copy]).await.unwrap().ok().stdout;
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(titles(&parse(&again)), titles(&parse(&tree)));
    assert!(again.contains("it's so") && again.contains("And more."), "{again}");
    let bad = home.path().join("bad.json");
    std::fs::write(&bad, "{\"title\": 3}").unwrap();
    let said = home.cli(&["task", "import", bad.to_str().unwrap()]).await.unwrap();
    assert_eq!(said.code, 2, "{said:?}");
}

/// The titles of a tree, as they are nested.
fn titles(node: &Value) -> Value {
    let children = node["children"].as_array().cloned().unwrap_or_default();
    json!([node["title"], children.iter().map(titles).collect::<Vec<_>>()])
}

#[tokio::test]
async fn a_plan_waits_for_approval_with_4_and_the_file_of_it_continues_the_run() {
    let stage = Stage::with(editor, "").await;
    let not = format!("^{}", stage.repo.head().await.unwrap());
    let said = stage.run(&["--json", "run", "Add a file notes.txt"]).await;
    assert_eq!((said.code, kind(&said).as_str()), (4, "approval_needed"), "{said:?}");
    assert_eq!(stage.repo.read("notes.txt"), None);
    let plan = stage.repo.path().join(".orchflow/plan.md");
    let text = std::fs::read_to_string(&plan).unwrap();
    assert_eq!(stage.repo.git(&["status", "--porcelain"]).await.unwrap(), "", "git sees no copy");
    let file = stage.daemon.path().join("edited.md");
    let at = text.lines().position(|line| line.starts_with("## ")).unwrap();
    let key = text.lines().nth(at).unwrap().split(':').next().unwrap().to_owned();
    let edited: Vec<String> = text
        .lines()
        .enumerate()
        .map(
            |(place, line)| {
                if place == at { format!("{key}: Written by hand") } else { line.to_owned() }
            },
        )
        .collect();
    std::fs::write(&file, edited.join("\n")).unwrap();
    stage.run(&["runs", "approve", "--plan", file.to_str().unwrap()]).await.ok();
    stage.run(&["run", "--resume"]).await.ok();
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    let subject =
        stage.repo.git(&["log", "--no-merges", "--format=%s", "main", &not]).await.unwrap();
    assert_eq!(subject, "Written by hand");
}

#[tokio::test]
async fn the_first_answer_to_a_question_stands_and_the_second_is_a_conflict() {
    let stage = Stage::with(editor, "").await;
    assert_eq!(stage.run(&["run", "Add a file notes.txt"]).await.code, 4);
    let items = stage.run(&["--json", "attention"]).await.ok().json();
    let id = items["items"][0]["attention_id"].as_str().unwrap().to_owned();
    let wrong = stage.run(&["--json", "attention", "answer", &id, "perhaps"]).await;
    assert_eq!((wrong.code, kind(&wrong).as_str()), (2, "invalid_params"), "{wrong:?}");
    stage.run(&["attention", "answer", &id, "reject"]).await.ok();
    let second = stage.run(&["--json", "attention", "answer", &id, "approve"]).await;
    assert_eq!((second.code, kind(&second).as_str()), (7, "conflict"), "{second:?}");
    let ended = stage.run(&["--json", "runs", "show"]).await.ok().json();
    let run_id = ended["run_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(stage.end_of(run_id).await.status.as_str(), "cancelled");
    assert_eq!(stage.leavings().await, Vec::<String>::new());
    assert_eq!(stage.repo.read("notes.txt"), None);
}

#[tokio::test]
async fn no_commit_leaves_the_result_on_its_branch_and_the_printed_command_takes_it() {
    let stage = Stage::with(editor, "").await;
    let before = stage.repo.fingerprint().await.unwrap();
    let args = ["--json", "run", "--auto-approve", "--no-commit", "Add a file notes.txt"];
    let said = stage.run(&args).await.ok();
    let last: Value = serde_json::from_str(said.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["data"]["merged"], false, "{last}");
    assert_eq!(stage.repo.fingerprint().await.unwrap(), before);
    let run = stage.run(&["--json", "runs", "show"]).await.ok().json();
    let command = run["landing"]["command"].as_str().unwrap().to_owned();
    let words: Vec<&str> = command.strip_prefix("git ").unwrap().split(' ').collect();
    stage.repo.git(&words).await.unwrap();
    assert_eq!(stage.repo.read("notes.txt").as_deref(), Some("hello\n"));
    assert_eq!(stage.worktrees(), Vec::<String>::new());
}

#[tokio::test]
async fn every_method_of_the_table_has_a_row_in_the_daemon() {
    let mut daemon = home("");
    daemon.up().await.unwrap();
    let client = daemon.client().await.unwrap();
    // Bad params are answered before a method does anything; what takes none is left to do it.
    let ends = "system.shutdown";
    for entry in orchflow_protocol::table::TABLE.iter().filter(|entry| entry.name != ends) {
        let told = client.call_json(entry.name, json!({ "no_such_field": true })).await;
        let missing =
            told.is_err_and(|error| error.kind() == orchflow_types::ErrorKind::MethodNotFound);
        assert!(!missing, "{} has no row", entry.name);
    }
}
