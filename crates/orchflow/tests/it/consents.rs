//! What asking for a goal consents to: the agents as they were then, in that repository.

use orchflow_client::Client;
use orchflow_protocol::attention::{Answer, AnswerParams, List, ListParams};
use orchflow_protocol::run::{Approve, ApproveParams, Choices, Start, StartParams};
use orchflow_testkit::{Repo, wait_until};
use orchflow_types::attention::{Attention, AttentionKind};
use orchflow_types::plan::{Plan, PlanTask};
use orchflow_types::run::RunStatus;
use orchflow_types::{AgentType, RunId};

use crate::stage::{Stage, look};

/// An agent whose every turn changes something.
const ADDS: &str = "echo x >> notes.txt";

/// Two leaves for one agent, one after the other.
fn plan() -> Plan {
    let task = |key: &str, depends: &[&str]| PlanTask {
        key: key.to_owned(),
        title: format!("Work on {key}"),
        description: String::new(),
        agent_type: AgentType::Dev,
        agent: Some("writer".to_owned()),
        command: Vec::new(),
        dir: String::new(),
        writes: true,
        files: Vec::new(),
        depends: depends.iter().map(|key| (*key).to_owned()).collect(),
        reason: String::new(),
    };
    let tasks = vec![task("one", &[]), task("two", &["one"])];
    Plan { goal: "two things".to_owned(), tasks, notes: Vec::new(), by: None }
}

async fn start(client: &Client, repo: &Repo) -> RunId {
    let dir = repo.path().to_str().unwrap().to_owned();
    let choices = Choices::default();
    let params = StartParams { goal: "two things".to_owned(), dir, choices, plan: Some(plan()) };
    client.call::<Start>(params).await.unwrap().run_id
}

async fn approve(client: &Client, run_id: RunId) {
    let params = ApproveParams { run_id, plan: None, markdown: None };
    client.call::<Approve>(params).await.unwrap();
}

/// Every question about a command that a run has asked.
async fn permissions(client: &Client, run_id: RunId) -> Vec<Attention> {
    let params = ListParams { run_id: Some(run_id), all: true };
    let mut items = client.call::<List>(params).await.unwrap().items;
    items.retain(|item| item.kind == AttentionKind::Permission);
    items
}

async fn asked(client: &Client, run_id: RunId) -> Attention {
    wait_until("a question about a command", || async {
        !permissions(client, run_id).await.is_empty()
    })
    .await;
    permissions(client, run_id).await.remove(0)
}

async fn answer(client: &Client, item: &Attention, answer: &str) {
    let params = AnswerParams { attention_id: item.attention_id, answer: answer.to_owned() };
    client.call::<Answer>(params).await.unwrap();
}

#[tokio::test]
async fn an_agent_that_was_changed_after_it_was_shown_asks_once_per_repository() {
    let mut stage = Stage::with(|scripts| scripts.script("writer", ADDS).unwrap(), "").await;
    stage.daemon.up().await.unwrap();
    let client = stage.daemon.client().await.unwrap();
    let other = Repo::python(true).await.unwrap();
    let (here, there) = (start(&client, &stage.repo).await, start(&client, &other).await);

    // The agent keeps its name and its program, and is told one word more.
    let config = stage.daemon.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let changed = text.replacen("\"{prompt}\"", "\"{prompt}\", \"--yolo\"", 1);
    assert_ne!(changed, text);
    std::fs::write(&config, changed).unwrap();

    approve(&client, here).await;
    let item = asked(&client, here).await;
    assert!(item.question.contains("--yolo"), "{}", item.question);
    answer(&client, &item, "always").await;
    assert_eq!(stage.end_of(here).await.status, RunStatus::Succeeded);
    let questions = permissions(&client, here).await;
    assert_eq!(questions.len(), 1, "another prompt is no other question: {questions:?}");

    approve(&client, there).await;
    let item = asked(&client, there).await;
    answer(&client, &item, "never").await;
    assert_eq!(stage.end_of(there).await.status, RunStatus::Failed);
    assert_eq!(look(&client, there).await.unwrap().status, RunStatus::Failed);
}

#[tokio::test]
async fn an_agent_as_it_was_shown_is_not_asked_about() {
    let mut stage = Stage::with(|scripts| scripts.script("writer", ADDS).unwrap(), "").await;
    stage.daemon.up().await.unwrap();
    let client = stage.daemon.client().await.unwrap();
    let run_id = start(&client, &stage.repo).await;
    approve(&client, run_id).await;
    assert_eq!(stage.end_of(run_id).await.status, RunStatus::Succeeded);
    assert_eq!(permissions(&client, run_id).await, []);
}
