//! What `policy.check` answers on behalf of a run is what the run itself is answered.

use orchflow_protocol::policy::CheckParams;
use orchflow_store::policies as grants;
use orchflow_types::policy::Decision;
use orchflow_types::run::Gate;

use super::bed::Bed;
use super::*;
use crate::policies::{self, Wanted};

async fn decision(bed: &Bed, params: CheckParams) -> Decision {
    policies::check(bed.cx.clone(), params).await.unwrap().decision
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn a_check_for_a_run_consents_to_its_commands_in_their_folder_alone() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    bed.next("execute").await;
    let on_behalf =
        CheckParams { argv: words(&["true"]), run_id: Some(run_id), ..Default::default() };
    let within = |dir: &str| CheckParams { dir: Some(dir.to_owned()), ..on_behalf.clone() };
    assert_eq!(decision(&bed, CheckParams { run_id: None, ..within("/") }).await, Decision::Ask);
    assert_eq!(decision(&bed, on_behalf.clone()).await, Decision::Allow, "in its project");
    assert_eq!(decision(&bed, within("/")).await, Decision::Allow);
    assert_eq!(decision(&bed, within("/web")).await, Decision::Ask, "in another folder");
    // An agent is consented to as it is started, whatever a leaf runs.
    let agent = CheckParams { agent: Some("writer".to_owned()), ..within("/") };
    assert_eq!(decision(&bed, agent).await, Decision::Ask);
    let tool = crate::agents::by_name(&bed.cx, "/", None).await.unwrap().name;
    assert_eq!(
        decision(&bed, CheckParams { agent: Some(tool), ..within("/") }).await,
        Decision::Allow
    );
}

#[tokio::test]
async fn the_gates_of_a_run_are_consented_to_and_an_agent_as_it_was_shown() {
    let mut bed = Bed::new();
    let run_id = bed.start(false, true).await;
    bed.next("execute").await;
    let (mut run, _) = with_gates(&bed.cx, run_id).await.unwrap();
    let argv = words(&["make", "test"]);
    let gate = Gate {
        name: "test".into(),
        argv: argv.clone(),
        dir: "web/".into(),
        framework: String::new(),
    };
    let start = words(&["/bin/writer", "{prompt}"]);
    run.options.agents.insert("writer".to_owned(), start.clone());
    let consented = |folder: Option<&str>, agent| {
        let wanted = Wanted { argv: &argv, folder, agent };
        policies::consented(&run, std::slice::from_ref(&gate), wanted)
    };
    assert!(consented(Some("web"), None));
    assert!(!consented(Some(""), None) && !consented(None, None));
    assert!(consented(Some(""), Some(("writer", &start))));
    assert!(!consented(Some(""), Some(("writer", &argv))), "another start");
    assert!(!consented(Some("web"), Some(("writer", &start))), "in another folder");
}

#[tokio::test]
async fn an_always_is_found_whether_or_not_its_folder_is_given_with_a_slash() {
    let bed = Bed::new();
    let argv = words(&["true"]);
    let grant = grants::Grant {
        agent: "writer".to_owned(),
        folder: "/web".to_owned(),
        pattern: policies::start(&argv),
        granted_at: bed.clock.now(),
    };
    bed.store.write(move |tx| grants::grant(tx, &grant)).await.unwrap();
    for (dir, right) in
        [("/web", Decision::Allow), ("/web/", Decision::Allow), ("/", Decision::Ask)]
    {
        let (agent, dir) = (Some("writer".to_owned()), Some(dir.to_owned()));
        let params = CheckParams { argv: argv.clone(), agent, dir, ..Default::default() };
        assert_eq!(decision(&bed, params.clone()).await, right, "{params:?}");
    }
}
