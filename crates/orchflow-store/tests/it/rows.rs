//! Rows of each noun: what is written reads back, and the first of two wins.

use orchflow_store::actions::{self, Action};
use orchflow_store::runs::LeafRow;
use orchflow_store::{Error, Store, attention, journal, panes, policies, runs, trust};
use orchflow_types::attention::{Attention, AttentionKind};
use orchflow_types::pane::{PaneInfo, PaneState, Size};
use orchflow_types::plan::PlanTask;
use orchflow_types::run::{Leaf, LeafPhase, Run, RunOptions, RunStatus};
use orchflow_types::{AttentionId, ErrorKind, Explain, RunId};

use crate::{Place, at, mint};

fn run() -> Run {
    Run {
        run_id: mint(),
        task_id: mint(),
        goal: "make it so".to_owned(),
        project: "/tmp/project".to_owned(),
        status: RunStatus::Planning,
        options: RunOptions::default(),
        planner: None,
        plan: None,
        leaves: Vec::new(),
        base: None,
        landing: None,
        reason: None,
        created_at: at(1),
        finished_at: None,
    }
}

fn leaf(name: &str) -> Leaf {
    Leaf::new(mint(), PlanTask::new(name, name))
}

fn written(store: &Store, run: &Run) {
    let run = run.clone();
    store.write_blocking(move |tx| runs::upsert(tx, &run)).unwrap();
}

fn row(position: usize, leaf: &Leaf) -> LeafRow {
    LeafRow::new(u32::try_from(position).unwrap(), leaf)
}

#[test]
fn a_run_reads_back_with_its_leaves_in_the_plans_order_as_each_was_written_last() {
    let place = Place::new();
    let store = place.open();
    let mut run = run();
    let mut leaves = [leaf("a"), leaf("b"), leaf("c")];
    written(&store, &run);
    let (id, given) = (run.run_id, leaves.clone());
    store
        .write_blocking(move |tx| {
            [2, 0, 1].into_iter().try_for_each(|n| runs::upsert_leaf(tx, id, &row(n, &given[n])))
        })
        .unwrap();
    leaves[1].phase = LeafPhase::Gating;
    let changed = row(1, &leaves[1]);
    store.write_blocking(move |tx| runs::upsert_leaf(tx, id, &changed)).unwrap();
    run.status = RunStatus::Running;
    written(&store, &run);
    run.leaves = leaves.to_vec();
    assert_eq!(store.read_blocking(|r| runs::get(r, id)).unwrap(), Some(run.clone()));
    let kept = [run.leaves[2].task_id, mint()];
    let gone = store.write_blocking(move |tx| runs::retain_leaves(tx, id, &kept)).unwrap();
    assert_eq!(gone, [run.leaves[0].task_id, run.leaves[1].task_id]);
    let left = store.read_blocking(|r| runs::get(r, id)).unwrap().unwrap().leaves;
    assert_eq!(left, run.leaves[2..]);
    let nobodys = store.write_blocking(|tx| runs::upsert_leaf(tx, mint(), &row(0, &leaf("a"))));
    assert_eq!(nobodys.unwrap_err().kind(), ErrorKind::RunNotFound);
}

#[test]
fn runs_are_listed_newest_first_by_pages_and_by_status() {
    let place = Place::new();
    let store = place.open();
    let mut all: Vec<Run> = (0..5).map(|_| run()).collect();
    all[1].status = RunStatus::Succeeded;
    all[1].finished_at = Some(at(9));
    all[4].project = "/else".to_owned();
    all.iter().for_each(|run| written(&store, run));
    let ids = |runs: Vec<Run>| runs.into_iter().map(|run| run.run_id).collect::<Vec<_>>();
    let page =
        |status, before| store.read_blocking(|r| runs::list(r, status, None, before, 3)).unwrap();
    let first = ids(page(None, None));
    assert_eq!(first, [all[4].run_id, all[3].run_id, all[2].run_id]);
    assert_eq!(ids(page(None, Some(first[2]))), [all[1].run_id, all[0].run_id]);
    assert_eq!(ids(page(Some(RunStatus::Succeeded), None)), [all[1].run_id]);
    let newest_of =
        |dir: &str| ids(store.read_blocking(|r| runs::list(r, None, Some(dir), None, 1)).unwrap());
    assert_eq!(newest_of("/else"), [all[4].run_id]);
    assert_eq!(newest_of(&all[0].project), [all[3].run_id]);
    assert_eq!(newest_of(&format!("{}/src", all[0].project)), [all[3].run_id]);
    assert_eq!(newest_of("/nowhere"), []);
    let unfinished = ids(store.read_blocking(runs::unfinished).unwrap());
    assert_eq!(unfinished, [0, 2, 3, 4].map(|n| all[n].run_id));
    let of_task = store.read_blocking(|r| runs::of_task(r, all[2].task_id)).unwrap();
    assert_eq!(of_task, [all[2].run_id]);
}

#[test]
fn an_action_is_finished_once_and_only_by_who_holds_the_newest_epoch() {
    let place = Place::new();
    let store = place.open();
    let run = run();
    written(&store, &run);
    let id = run.run_id;
    let action = move |key: &str, ordinal, epoch| Action {
        key: key.to_owned(),
        run_id: id,
        epoch,
        ordinal,
        payload: "{}".to_owned(),
    };
    let insert = |action: Action| store.write_blocking(move |tx| actions::insert(tx, &action));
    let finish = |key: &'static str, epoch| {
        store.write_blocking(move |tx| actions::finish(tx, key, epoch)).unwrap()
    };
    let (first, second) = (1, 2);
    store.write_blocking(move |tx| runs::claim(tx, id, first)).unwrap();
    for (key, ordinal) in [("b", 3), ("c", 1), ("a", 2)] {
        assert!(insert(action(key, ordinal, first)).unwrap());
    }
    assert!(!insert(action("a", 4, first)).unwrap(), "a key is used once");
    assert!(finish("a", first));
    assert!(!finish("a", first));
    assert!(!insert(action("a", 4, first)).unwrap(), "also when it is finished");
    let taken = store
        .write_blocking(move |tx| {
            runs::claim(tx, id, second)?;
            actions::take_over(tx, id, second)
        })
        .unwrap();
    assert_eq!(taken, [action("c", 1, 2), action("b", 3, 2)]);
    assert!(!finish("c", first), "the owner before is fenced off");
    assert!(finish("c", second));
    assert_eq!(store.read_blocking(|r| actions::pending(r, id)).unwrap(), [action("b", 3, 2)]);
    assert_eq!(store.read_blocking(|r| runs::epoch(r, id)).unwrap(), 2);
    let fence = |epoch| store.read_blocking(move |r| runs::fence(r, id, epoch));
    fence(second).unwrap();
    let refused = fence(first).unwrap_err();
    assert!(matches!(refused, Error::Fenced { given: 1, current: 2, .. }), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let again = store.write_blocking(move |tx| runs::claim(tx, id, second)).unwrap_err();
    assert!(matches!(again, Error::Fenced { given: 2, current: 2, .. }), "{again}");
}

#[test]
fn journals_of_two_runs_are_counted_apart_and_have_no_gaps() {
    let place = Place::new();
    let store = place.open();
    let (a, b): (RunId, RunId) = (mint(), mint());
    let append = |run, seq, command: &'static str| {
        store.write_blocking(move |tx| journal::append(tx, run, seq, [(at(1), command)]))
    };
    append(a, 0, "1").unwrap();
    append(b, 0, "2").unwrap();
    for wrong in [0, 2] {
        let refused = append(a, wrong, "no").unwrap_err();
        assert!(matches!(refused, Error::JournalPlace { next: 1, .. }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
    }
    append(a, 1, "3").unwrap();
    let both = [(at(2), "4"), (at(3), "5")];
    store.write_blocking(move |tx| journal::append(tx, a, 2, both)).unwrap();
    let replayed = store.read_blocking(|r| journal::replay(r, a)).unwrap();
    let told: Vec<_> = replayed.iter().map(|e| (e.seq, e.command.as_str())).collect();
    assert_eq!(told, [(0, "1"), (1, "3"), (2, "4"), (3, "5")]);
}

#[test]
fn a_command_built_on_one_that_failed_is_refused_too() {
    let place = Place::new();
    let store = place.open();
    let run: RunId = mint();
    let fails = store.submit_blocking(move |tx| {
        journal::append(tx, run, 0, [(at(1), "fails")])?;
        runs::claim(tx, run, 1)
    });
    let follows =
        store.submit_blocking(move |tx| journal::append(tx, run, 1, [(at(1), "follows")]));
    assert_eq!(fails.unwrap().wait_blocking().unwrap_err().kind(), ErrorKind::RunNotFound);
    assert_eq!(follows.unwrap().wait_blocking().unwrap_err().kind(), ErrorKind::Conflict);
    assert!(store.read_blocking(|r| journal::replay(r, run)).unwrap().is_empty());
}

fn question(run_id: Option<RunId>) -> Attention {
    Attention {
        attention_id: mint(),
        kind: AttentionKind::Permission,
        run_id,
        task_id: None,
        question: "may it?".to_owned(),
        options: vec!["once".to_owned(), "never".to_owned()],
        raised_at: at(1),
        answer: None,
        answered_at: None,
    }
}

#[test]
fn of_two_who_answer_at_once_one_wins_and_the_other_is_told_the_answer() {
    let place = Place::new();
    let store = place.open();
    for _ in 0..20 {
        let asked = question(None);
        let id = asked.attention_id;
        store.write_blocking(move |tx| attention::raise(tx, &asked)).unwrap();
        let answer = |words: &'static str| {
            let store = store.clone();
            move || store.write_blocking(move |tx| attention::answer(tx, id, words, at(2)))
        };
        let (a, b) = std::thread::scope(|scope| {
            let (a, b) = (scope.spawn(answer("once")), scope.spawn(answer("never")));
            (a.join().unwrap(), b.join().unwrap())
        });
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        let (won, lost) = (won.unwrap(), lost.unwrap_err());
        assert_eq!(lost.kind(), ErrorKind::Conflict);
        assert!(lost.to_string().ends_with(won.answer.as_deref().unwrap()), "{lost}");
        let kept = store.read_blocking(|r| attention::get(r, id)).unwrap();
        assert_eq!(kept, Some(won));
    }
}

#[test]
fn questions_are_listed_open_or_all_and_take_only_their_options() {
    let place = Place::new();
    let store = place.open();
    let run: RunId = mint();
    let asked = [question(Some(run)), question(None), question(Some(run))];
    let given = asked.clone();
    store
        .write_blocking(move |tx| given.iter().try_for_each(|asked| attention::raise(tx, asked)))
        .unwrap();
    let answer = |id: AttentionId, words: &'static str| {
        store.write_blocking(move |tx| attention::answer(tx, id, words, at(2)))
    };
    let wrong = answer(asked[0].attention_id, "maybe").unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidParams);
    assert_eq!(answer(mint(), "once").unwrap_err().kind(), ErrorKind::NotFound);
    answer(asked[0].attention_id, "once").unwrap();
    let open = store.read_blocking(attention::open).unwrap();
    assert_eq!(open, asked[1..]);
    assert_eq!(store.read_blocking(|r| attention::all(r, None, 2)).unwrap().len(), 2);
    let of_run = store.read_blocking(|r| attention::open_for_run(r, run)).unwrap();
    assert_eq!(of_run, asked[2..]);
    let close = |id| store.write_blocking(move |tx| attention::close(tx, id, "withdrawn", at(3)));
    let closed = close(asked[2].attention_id).unwrap().unwrap();
    assert_eq!(closed.answer.as_deref(), Some("withdrawn"));
    assert_eq!(close(asked[2].attention_id).unwrap(), None);
    assert_eq!(close(mint()).unwrap(), None);
    let of_run = store.read_blocking(|r| attention::of_run(r, run)).unwrap();
    assert_eq!(of_run.len(), 2);
    assert_eq!(of_run[1], closed);
}

#[test]
fn panes_read_back_and_those_said_to_run_are_lost_at_a_start() {
    let place = Place::new();
    let store = place.open();
    let pane = |state| PaneInfo {
        pane_id: mint(),
        title: "sh".to_owned(),
        command: vec!["sh".to_owned()],
        cwd: "/".to_owned(),
        tty: true,
        pid: Some(7),
        state,
        exit_code: None,
        signal: None,
        output_bytes: 0,
        output_from: 0,
        size: Some(Size::default()),
        created_at: at(1),
        exited_at: None,
    };
    let (runs, ends) = (pane(PaneState::Running), pane(PaneState::Running));
    let (first, second) = (runs.clone(), ends.clone());
    store
        .write_blocking(move |tx| {
            panes::insert(tx, &first, "/tmp/a.log".as_ref(), Some("key"))?;
            panes::insert(tx, &second, "/tmp/b.log".as_ref(), None)
        })
        .unwrap();
    let again = pane(PaneState::Running);
    let twice =
        store.write_blocking(move |tx| panes::insert(tx, &again, "/c".as_ref(), Some("key")));
    assert_eq!(twice.unwrap_err().kind(), ErrorKind::Conflict);
    let found = store.read_blocking(|r| panes::by_key(r, "key")).unwrap();
    assert_eq!(found, Some(runs.pane_id));
    let ended = PaneInfo { state: PaneState::Exited, exit_code: Some(3), ..ends };
    let end = ended.clone();
    store.write_blocking(move |tx| panes::update(tx, &end)).unwrap();
    let lost = store.write_blocking(|tx| panes::lose_running(tx, at(5), &[])).unwrap();
    assert_eq!(lost.iter().map(|pane| pane.info.pane_id).collect::<Vec<_>>(), [runs.pane_id]);
    let all = store.read_blocking(|r| panes::list(r, None, None, 10)).unwrap();
    assert_eq!(all[0].info, ended);
    assert_eq!(all[0].log, std::path::Path::new("/tmp/b.log"));
    let lost = PaneInfo { state: PaneState::Lost, pid: None, exited_at: Some(at(5)), ..runs };
    assert_eq!(all[1].info, lost);
}

#[test]
fn trust_is_in_one_content_and_can_be_taken_back() {
    let place = Place::new();
    let store = place.open();
    let grant = |hash: &str, n| {
        let trust = trust::Trust { content_hash: hash.to_owned(), granted_at: at(n) };
        store.write_blocking(move |tx| trust::grant(tx, "/p", &trust)).unwrap();
    };
    let get = || store.read_blocking(|r| trust::get(r, "/p")).unwrap().map(|t| t.content_hash);
    grant("one", 1);
    grant("two", 2);
    assert_eq!(get().as_deref(), Some("two"));
    assert!(store.write_blocking(|tx| trust::revoke(tx, "/p")).unwrap());
    assert!(!store.write_blocking(|tx| trust::revoke(tx, "/p")).unwrap());
    assert_eq!(get(), None);
}

#[test]
fn an_always_is_remembered_once_and_can_be_forgotten() {
    let place = Place::new();
    let store = place.open();
    let words = vec!["cargo".to_owned(), "test".to_owned()];
    let grant = |folder: &str| policies::Grant {
        agent: "a".to_owned(),
        folder: folder.to_owned(),
        pattern: words.clone(),
        granted_at: at(1),
    };
    let (grant, elsewhere) = (grant("/p"), grant("/q"));
    for _ in 0..2 {
        let grant = grant.clone();
        store.write_blocking(move |tx| policies::grant(tx, &grant)).unwrap();
    }
    let other = elsewhere.clone();
    store.write_blocking(move |tx| policies::grant(tx, &other)).unwrap();
    assert_eq!(store.read_blocking(policies::list).unwrap(), [grant, elsewhere.clone()]);
    assert!(store.write_blocking(move |tx| policies::revoke(tx, "a", "/p", &words)).unwrap());
    assert_eq!(store.read_blocking(policies::list).unwrap(), [elsewhere]);
}
