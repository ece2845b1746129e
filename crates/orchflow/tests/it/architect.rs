//! Plans made by architects: shell scripts that print one, or do not.

use std::path::PathBuf;

use orchflow_protocol::attention::{List, ListParams};
use orchflow_protocol::run::{
    Choices, Get, List as ListRuns, ListParams as ListRunsParams, RunParams, Start, StartParams,
};
use orchflow_testkit::{Output, Repo, Script, Scripts, TestDaemon, wait_until};
use orchflow_types::RunId;
use orchflow_types::attention::AttentionKind;
use orchflow_types::run::{Run, RunStatus};

use crate::home;

/// The crash points around an architect's turn.
const PLANNING: [&str; 2] = ["plan.before_turn", "plan.after_turn"];

const GOAL: &str = "turn the factors around";

const MULTIPLY: &str =
    "def add(a, b):\n    return a + b\n\n\ndef multiply(a, b):\n    return b * a\n";

const PLAN: &str = "Here is my plan.\n\n```markdown\n# Plan: Turn them\n\n> The sum stays.\n\n\
                    ## turn-factors: Turn the factors, says the architect\n\nIn multiply.\n\n\
                    - calc.py\n```\nGood luck!\n";

/// A green project, architects in this order, and an executor that keeps what it was told.
struct Stage {
    daemon: TestDaemon,
    repo: Repo,
    scripts: Scripts,
}

impl Stage {
    async fn new(scripts: Scripts, architects: &[Script], more: &str) -> Self {
        let repo = Repo::python(true).await.expect("the stage stands");
        let executor = scripts.edits("editor", "calc.py", MULTIPLY).expect("the stage stands");
        let chain: Vec<&str> = architects.iter().map(Script::name).collect();
        let mut config = format!(
            "[roles.architect]\nchain = {chain:?}\n[roles.executor]\nchain = [\"editor\"]\n\
             [roles.auditor]\nchain = []\n"
        );
        let all = architects.iter().chain([&executor]);
        all.for_each(|agent| config.push_str(&agent.config()));
        Self { daemon: home(&format!("{config}{more}")), repo, scripts }
    }

    async fn cli(&self, args: &[&str]) -> Output {
        self.daemon.cli_in(self.repo.path(), args).await.expect("the stage stands")
    }

    /// The plan that waits for approval after `orchflow run`.
    async fn plan(&self) -> String {
        let asked = self.cli(&["run", GOAL]).await;
        assert_eq!(asked.code, 4, "{asked:?}");
        self.repo.read(".orchflow/plan.md").expect("the stage stands")
    }

    /// No worktree and no branch but the user's is there.
    async fn assert_left_nothing(&self) {
        assert_eq!(
            self.repo
                .git(&["worktree", "list", "--porcelain"])
                .await
                .expect("the stage stands")
                .matches("worktree ")
                .count(),
            1
        );
        assert_eq!(
            self.repo.git(&["branch", "--list", "*plan*"]).await.expect("the stage stands"),
            ""
        );
    }
}

/// A script that prints what a file beside it holds, after `before`.
fn says(scripts: &Scripts, name: &str, before: &str, text: &str) -> Script {
    let file = file(scripts, &format!("{name}.answer"));
    std::fs::write(&file, text).expect("the stage stands");
    scripts.script(name, &format!("{before}\ncat {}", file.display())).expect("the stage stands")
}

/// A file beside the scripts.
fn file(scripts: &Scripts, name: &str) -> PathBuf {
    scripts.script("unused", "").expect("the stage stands").path().with_file_name(name)
}

#[tokio::test]
async fn the_architect_s_plan_is_shown_edited_approved_and_carried_out() {
    let scripts = Scripts::new().unwrap();
    let architect = says(&scripts, "planner", "echo thinking", PLAN);
    let stage = Stage::new(scripts, &[architect], "").await;
    let asked = stage.cli(&["run", GOAL]).await;
    assert_eq!(asked.code, 4, "{asked:?}");
    assert!(asked.stderr.contains("planning"), "{asked:?}");
    assert!(asked.stderr.contains("note: planned by planner"), "{asked:?}");
    let plan = stage.repo.read(".orchflow/plan.md").unwrap();
    assert!(plan.starts_with(&format!("# Plan: {GOAL}\n")), "{plan}");
    assert!(plan.contains("> The sum stays."), "{plan}");
    stage
        .repo
        .write(".orchflow/plan.md", &plan.replace("says the architect", "says a person"))
        .unwrap();
    stage.assert_left_nothing().await;
    stage.cli(&["runs", "approve"]).await.ok();
    let done = stage.cli(&["run", "--resume"]).await;
    // It may have ended before it could be taken up again.
    assert!(done.code == 0 || done.code == 3, "{done:?}");
    let report = stage.cli(&["runs", "report"]).await.ok().stdout;
    assert!(report.contains("Turn the factors, says a person"), "{report}");
    assert_eq!(stage.repo.read("calc.py").as_deref(), Some(MULTIPLY), "{report}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_asked_for_once_more_with_its_line() {
    let scripts = Scripts::new().unwrap();
    let told = file(&scripts, "told");
    let good = file(&scripts, "good");
    std::fs::write(&good, PLAN).unwrap();
    let script = format!(
        "if [ -e {told} ]; then printf %s \"$1\" > {told}; cat {good}; \
         else touch {told}; printf '# Plan: g\\n\\n## no key\\n'; fi",
        told = told.display(),
        good = good.display()
    );
    let architect = scripts.script("planner", &script).unwrap();
    let stage = Stage::new(scripts, &[architect], "").await;
    let plan = stage.plan().await;
    assert!(plan.contains("> planned by planner"), "{plan}");
    assert!(plan.contains("says the architect"), "{plan}");
    let told = std::fs::read_to_string(told).unwrap();
    assert!(told.contains("line 3:") && told.contains("## no key"), "{told}");
    assert!(told.contains("python3 -m unittest"), "{told}");
}

#[tokio::test]
async fn the_next_of_the_chain_is_asked_when_one_gives_up() {
    let scripts = Scripts::new().unwrap();
    let architects = [
        scripts.fails("broken", 3).unwrap(),
        says(&scripts, "vague", "", "Just do it.\n"),
        says(&scripts, "planner", "", PLAN),
    ];
    let stage = Stage::new(scripts, &architects, "").await;
    let plan = stage.plan().await;
    assert!(plan.contains("> planned by planner"), "{plan}");
    assert!(plan.contains("> broken made no plan: `broken` exited with 3"), "{plan}");
    assert!(plan.contains("> vague made no plan: its answer could not be read, twice"), "{plan}");
}

#[tokio::test]
async fn the_rules_stand_in_when_no_architect_makes_a_plan_and_say_so() {
    let scripts = Scripts::new().unwrap();
    let architects = [says(&scripts, "vague", "", "Just do it.\n")];
    let stage = Stage::new(scripts, &architects, "").await;
    let plan = stage.plan().await;
    assert!(plan.contains("vague made no plan: its answer could not be read"), "{plan}");
    assert!(plan.contains("planned by rules"), "{plan}");
    stage.assert_left_nothing().await;
}

#[tokio::test]
async fn what_the_architect_changes_is_saved_and_never_in_the_user_s_checkout() {
    let scripts = Scripts::new().unwrap();
    let before = "echo broken > calc.py; echo mine > new.txt; git add -A; \
                  git -c user.name=a -c user.email=a@b commit -qm mine; echo more > new.txt";
    let architect = says(&scripts, "planner", before, PLAN);
    let stage = Stage::new(scripts, &[architect], "").await;
    let fingerprint = stage.repo.fingerprint().await.unwrap();
    let plan = stage.plan().await;
    assert_eq!(stage.repo.fingerprint().await.unwrap(), fingerprint);
    assert!(plan.contains("What was changed during the planning is not used"), "{plan}");
    let saved = stage.repo.git(&["for-each-ref", "refs/orchflow"]).await.unwrap();
    assert!(saved.contains("-plan"), "{saved}");
    stage.assert_left_nothing().await;
}

#[tokio::test]
async fn commands_of_the_project_need_no_architect() {
    let scripts = Scripts::new().unwrap();
    let asked = file(&scripts, "asked");
    let architect = says(&scripts, "planner", &format!("touch {}", asked.display()), PLAN);
    let stage = Stage::new(scripts, &[architect], "").await;
    stage.cli(&["run", "run the tests"]).await.ok();
    assert!(!asked.exists());
    let shown = stage.cli(&["plan", GOAL]).await.ok();
    assert!(shown.stdout.contains("asks the architect planner"), "{shown:?}");
    assert!(!asked.exists());
}

#[tokio::test]
async fn a_folder_without_a_repository_is_refused_before_anybody_is_asked() {
    let scripts = Scripts::new().unwrap();
    let architect = says(&scripts, "planner", "", PLAN);
    let stage = Stage::new(scripts, &[architect], "").await;
    let folder = file(&stage.scripts, "plain");
    std::fs::create_dir(&folder).unwrap();
    let refused = stage.daemon.cli_in(&folder, &["run", GOAL]).await.unwrap();
    assert!(refused.code != 0 && refused.stderr.contains("repository"), "{refused:?}");
}

#[tokio::test]
async fn commands_that_only_look_are_approved_too_when_an_architect_wrote_them() {
    let scripts = Scripts::new().unwrap();
    let touched = file(&scripts, "touched");
    let plan =
        format!("# Plan: g\n\n## look: Look\n\ntype: repl\ncommand: touch {}\n", touched.display());
    let architect = says(&scripts, "planner", "", &plan);
    let stage = Stage::new(scripts, &[architect], "").await;
    let plan = stage.plan().await;
    assert!(plan.contains("command: touch"), "{plan}");
    assert!(!touched.exists());
    // Who answers elsewhere sees it, too.
    let words = format!("\"Look\": runs {:?}", ["touch", touched.to_str().unwrap()]);
    wait_until("the question with its command", || async {
        stage.cli(&["attention"]).await.ok().stdout.contains(&words)
    })
    .await;
}

#[tokio::test]
async fn a_command_nobody_has_seen_asks_for_permission_although_plans_are_approved() {
    let scripts = Scripts::new().unwrap();
    let touched = file(&scripts, "touched");
    let plan =
        format!("# Plan: g\n\n## look: Look\n\ntype: repl\ncommand: touch {}\n", touched.display());
    let architect = says(&scripts, "planner", "", &plan);
    let mut stage = Stage::new(scripts, &[architect], "").await;
    stage.daemon.up().await.unwrap();
    let run_id = start(&stage).await;
    let client = stage.daemon.client().await.unwrap();
    let open = ListParams { all: false, run_id: Some(run_id) };
    wait_until("the question", || async {
        let open = client.call::<List>(open.clone()).await.unwrap().items;
        open.iter().any(|one| one.kind == AttentionKind::Permission)
    })
    .await;
    assert!(!touched.exists());
    stage.cli(&["runs", "cancel", &run_id.to_string()]).await.ok();
}

#[tokio::test]
async fn the_words_of_a_role_s_setting_are_told_to_it() {
    let scripts = Scripts::new().unwrap();
    let told = file(&scripts, "told");
    let architect =
        says(&scripts, "planner", &format!("printf %s \"$1\" > {}", told.display()), PLAN);
    let stage = Stage::new(scripts, &[architect], "").await;
    stage.cli(&["config", "set", "roles.architect.prompt", "Think of the sea."]).await.ok();
    stage.plan().await;
    assert!(std::fs::read_to_string(told).unwrap().contains("Think of the sea."));
}

#[tokio::test]
async fn a_planning_that_a_crash_cut_short_is_shown_and_begins_again() {
    let scripts = Scripts::new().unwrap();
    let (begun, go) = (file(&scripts, "begun"), file(&scripts, "go"));
    let wait = format!(
        "echo x >> {}\necho half > half.txt\necho musing\nwhile [ ! -e {} ]; do sleep 0.05; done",
        begun.display(),
        go.display()
    );
    let architect = says(&scripts, "planner", &wait, PLAN);
    let mut stage = Stage::new(scripts, &[architect], "").await;
    stage.daemon.up().await.unwrap();
    let run_id = start(&stage).await;
    wait_until("the architect's pane", || async {
        let run = look(&stage, run_id).await;
        run.status == RunStatus::Planning
            && run.planner.is_some_and(|one| one.agent == "planner" && one.pane_id.is_some())
    })
    .await;
    wait_until("the architect", || async { begun.exists() }).await;
    stage.daemon.restart().await.unwrap();
    std::fs::write(&go, "").unwrap();
    wait_until("the end of the run", || async { look(&stage, run_id).await.status.is_final() })
        .await;
    let run = look(&stage, run_id).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(run.plan.unwrap().by.as_deref(), Some("planner"));
    assert_eq!(run.planner, None);
    assert_eq!(std::fs::read_to_string(begun).unwrap().lines().count(), 2);
    assert_eq!(stage.repo.read("calc.py").as_deref(), Some(MULTIPLY));
    assert_eq!(stage.repo.read("half.txt"), None);
    stage.assert_left_nothing().await;
}

#[tokio::test]
async fn a_death_before_or_after_the_architect_s_turn_takes_it_once_more() {
    for point in PLANNING {
        let scripts = Scripts::new().unwrap();
        let architect = says(&scripts, "planner", "true", PLAN);
        let mut stage = Stage::new(scripts, &[architect], "").await;
        stage.daemon.launch(&[("ORCHFLOW_CRASH", point)]).unwrap();
        assert!(stage.daemon.answers().await.unwrap());
        let client = stage.daemon.client().await.unwrap();
        let _ = client.call::<Start>(params(&stage)).await; // its answer may die with the daemon
        assert_eq!(stage.daemon.ended().await, Some(9), "{point}");
        stage.daemon.up().await.unwrap();
        let client = stage.daemon.client().await.unwrap();
        let runs = client.call::<ListRuns>(ListRunsParams::default()).await.unwrap().runs;
        assert_eq!(runs.len(), 1, "{point}");
        let run_id = runs[0].run_id;
        wait_until("the end of the run", || async { look(&stage, run_id).await.status.is_final() })
            .await;
        assert_eq!(look(&stage, run_id).await.status, RunStatus::Succeeded, "{point}");
        assert_eq!(stage.repo.read("calc.py").as_deref(), Some(MULTIPLY));
        stage.assert_left_nothing().await;
    }
}

#[tokio::test]
async fn a_run_that_is_cancelled_while_it_is_planned_ends_and_leaves_nothing() {
    let scripts = Scripts::new().unwrap();
    let architect = scripts.hangs("planner").unwrap();
    let mut stage = Stage::new(scripts, &[architect], "").await;
    stage.daemon.up().await.unwrap();
    let run_id = start(&stage).await;
    wait_until("the architect's pane", || async {
        look(&stage, run_id).await.planner.is_some_and(|one| one.pane_id.is_some())
    })
    .await;
    stage.cli(&["runs", "cancel", &run_id.to_string()]).await.ok();
    wait_until("the end of the run", || async { look(&stage, run_id).await.status.is_final() })
        .await;
    assert_eq!(look(&stage, run_id).await.status, RunStatus::Cancelled);
    stage.assert_left_nothing().await;
}

async fn start(stage: &Stage) -> RunId {
    let client = stage.daemon.client().await.expect("the stage stands");
    client.call::<Start>(params(stage)).await.expect("the stage stands").run_id
}

fn params(stage: &Stage) -> StartParams {
    let choices = Choices { auto_approve: Some(true), ..Choices::default() };
    let dir = stage.repo.path().to_str().expect("the stage stands").to_owned();
    StartParams { goal: GOAL.to_owned(), dir, choices, plan: None }
}

async fn look(stage: &Stage, run_id: RunId) -> Run {
    stage
        .daemon
        .client()
        .await
        .expect("the stage stands")
        .call::<Get>(RunParams { run_id })
        .await
        .expect("the stage stands")
}
