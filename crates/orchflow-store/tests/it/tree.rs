//! The task tree: order, pages, moves against a model, and size.

use std::collections::BTreeMap;

use orchflow_store::tasks::{self, Place as Sibling};
use orchflow_store::{Error, Store};
use orchflow_types::task::{Task, TaskStatus};
use orchflow_types::{ErrorKind, Explain, TaskId};
use proptest::prelude::*;

use crate::{Place, at, child, mint, task};

fn put(store: &Store, task: &Task) {
    let task = task.clone();
    store.write_blocking(move |tx| tasks::insert(tx, &task, None)).unwrap();
}

fn ids(tasks: &[Task]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}

#[test]
fn a_task_reads_back_as_it_was_written_and_updated() {
    let place = Place::new();
    let store = place.open();
    let mut given = task("title");
    given.spec.depends = vec![mint()];
    given.metadata.insert("key".to_owned(), serde_json::json!([1, "ü"]));
    put(&store, &given);
    let get = |id| store.read_blocking(move |r| tasks::get(r, id)).unwrap();
    assert_eq!(get(given.id), Some(given.clone()));
    given.title = "other".to_owned();
    given.status = TaskStatus::Active;
    given.updated_at = at(5);
    let update = given.clone();
    store.write_blocking(move |tx| tasks::update(tx, &update)).unwrap();
    assert_eq!(get(given.id), Some(given.clone()));
    let id = given.id;
    store
        .write_blocking(move |tx| tasks::set_status(tx, id, TaskStatus::Completed, at(6)))
        .unwrap();
    let expected = Task { status: TaskStatus::Completed, updated_at: at(6), ..given };
    assert_eq!(get(id), Some(expected));
    assert_eq!(get(mint()), None);
}

#[test]
fn a_child_of_nobody_and_a_task_that_is_there_already_are_refused() {
    let place = Place::new();
    let store = place.open();
    let orphan = child(mint(), 0);
    let refused = store.write_blocking(move |tx| tasks::insert(tx, &orphan, None)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TaskNotFound);
    let twice = task("a");
    put(&store, &twice);
    let refused = store.write_blocking(move |tx| tasks::insert(tx, &twice, None)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
}

#[test]
fn children_and_roots_come_in_pages_in_their_order() {
    let place = Place::new();
    let store = place.open();
    let root = task("root");
    put(&store, &root);
    let children: Vec<Task> = (0..7).map(|n| child(root.id, 6 - n)).collect();
    children.iter().for_each(|child| put(&store, child));
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.read_blocking(|r| tasks::children(r, root.id, after, 3)).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Sibling::from(last));
        seen.extend(ids(&page));
    }
    assert_eq!(seen, children.iter().rev().map(|child| child.id).collect::<Vec<_>>());
    let next = store.read_blocking(|r| tasks::next_position(r, Some(root.id))).unwrap();
    assert_eq!(next, 7);
    let done = Task { status: TaskStatus::Completed, ..task("done") };
    put(&store, &done);
    let roots = |status, before| {
        ids(&store.read_blocking(|r| tasks::roots(r, status, before, 10)).unwrap())
    };
    assert_eq!(roots(None, None), [done.id, root.id]);
    assert_eq!(roots(None, Some(done.id)), [root.id]);
    assert_eq!(roots(Some(TaskStatus::Completed), None), [done.id]);
    let counts = store.read_blocking(tasks::count_by_status).unwrap();
    assert_eq!(counts, [(TaskStatus::Completed, 1), (TaskStatus::Pending, 8)]);
}

#[test]
fn a_move_below_itself_is_refused_and_changes_nothing() {
    let place = Place::new();
    let store = place.open();
    let top = task("top");
    let middle = child(top.id, 0);
    let bottom = child(middle.id, 0);
    [&top, &middle, &bottom].into_iter().for_each(|task| put(&store, task));
    let (id, below) = (top.id, bottom.id);
    for parent in [top.id, middle.id, bottom.id] {
        let refused = store
            .write_blocking(move |tx| tasks::move_to(tx, id, Some(parent), 0, at(2)))
            .unwrap_err();
        assert!(matches!(refused, Error::Cycle { .. }), "{refused}");
        assert_eq!(refused.kind(), ErrorKind::Conflict);
    }
    let tree = store.read_blocking(|r| tasks::subtree(r, id)).unwrap();
    assert_eq!(tree, [top.clone(), middle.clone(), bottom]);
    let above = store.read_blocking(|r| tasks::ancestors(r, below)).unwrap();
    assert_eq!(above, [middle.id, top.id]);
}

#[test]
fn deleting_a_task_takes_all_below_it_and_nothing_else() {
    let place = Place::new();
    let store = place.open();
    let (top, other) = (task("top"), task("other"));
    let middle = child(top.id, 0);
    let bottom = child(middle.id, 0);
    [&top, &other, &middle, &bottom].into_iter().for_each(|task| put(&store, task));
    let id = top.id;
    let gone = store.write_blocking(move |tx| tasks::delete(tx, id)).unwrap();
    assert_eq!(gone, [top.id, middle.id, bottom.id]);
    let left = store.read_blocking(|r| tasks::roots(r, None, None, 10)).unwrap();
    assert_eq!(left, [other]);
    let again = store.write_blocking(move |tx| tasks::delete(tx, id)).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::TaskNotFound);
}

/// A tree as a test keeps it: parent and children in order.
#[derive(Debug, Default)]
struct Model {
    parents: BTreeMap<TaskId, Option<TaskId>>,
    children: BTreeMap<Option<TaskId>, Vec<(u32, TaskId)>>,
}

impl Model {
    fn detach(&mut self, id: TaskId) {
        let parent = self.parents[&id];
        self.children.get_mut(&parent).unwrap().retain(|(_, other)| *other != id);
    }

    fn attach(&mut self, id: TaskId, parent: Option<TaskId>, position: u32) {
        let siblings = self.children.entry(parent).or_default();
        if siblings.iter().any(|(taken, _)| *taken == position) {
            siblings.iter_mut().filter(|(p, _)| *p >= position).for_each(|(p, _)| *p += 1);
        }
        siblings.push((position, id));
        siblings.sort_unstable();
        self.parents.insert(id, parent);
    }

    fn is_below(&self, id: TaskId, above: TaskId) -> bool {
        let up = |id: &TaskId| self.parents[id];
        std::iter::successors(Some(id), up).any(|id| id == above)
    }

    fn delete(&mut self, id: TaskId) {
        self.detach(id);
        let gone: Vec<_> =
            self.parents.keys().copied().filter(|other| self.is_below(*other, id)).collect();
        for id in gone {
            self.parents.remove(&id);
            self.children.remove(&Some(id));
        }
    }

    /// Depth first, with the position of each.
    fn tree(&self, parent: Option<TaskId>, into: &mut Vec<(TaskId, u32)>) {
        for (position, id) in self.children.get(&parent).into_iter().flatten() {
            into.push((*id, *position));
            self.tree(Some(*id), into);
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Insert { parent: usize },
    Move { id: usize, parent: usize, position: u32 },
    Delete { id: usize },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..30_usize).prop_map(|parent| Op::Insert { parent }),
        4 => (0..30_usize, 0..30_usize, 0..4_u32)
            .prop_map(|(id, parent, position)| Op::Move { id, parent, position }),
        1 => (0..30_usize).prop_map(|id| Op::Delete { id }),
    ]
}

fn apply(store: &Store, model: &mut Model, op: &Op) {
    let known: Vec<TaskId> = model.parents.keys().copied().collect();
    let pick = |n: usize| (!known.is_empty()).then(|| known[n % known.len()]);
    match *op {
        Op::Insert { parent } => {
            let parent = (parent % 5 > 0).then(|| pick(parent)).flatten();
            let position = store.read_blocking(|r| tasks::next_position(r, parent)).unwrap();
            let task = Task { parent_id: parent, position, ..task("a") };
            put(store, &task);
            model.attach(task.id, parent, position);
        }
        Op::Move { id, parent, position } => {
            let (Some(id), parent) = (pick(id), (parent % 5 > 0).then(|| pick(parent)).flatten())
            else {
                return;
            };
            let moved =
                store.write_blocking(move |tx| tasks::move_to(tx, id, parent, position, at(2)));
            if parent.is_some_and(|parent| model.is_below(parent, id)) {
                assert!(matches!(moved, Err(Error::Cycle { .. })), "{moved:?}");
            } else {
                moved.unwrap();
                model.detach(id);
                model.attach(id, parent, position);
            }
        }
        Op::Delete { id } => {
            let Some(id) = pick(id) else { return };
            store.write_blocking(move |tx| tasks::delete(tx, id)).unwrap();
            model.delete(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_sequence_of_moves_leaves_the_tree_the_model_has(ops in prop::collection::vec(op(), 1..40)) {
        let place = Place::new();
        let store = place.open();
        let mut model = Model::default();
        ops.iter().for_each(|op| apply(&store, &mut model, op));
        let mut expected = Vec::new();
        model.tree(None, &mut expected);
        let mut tree = Vec::new();
        for (_, root) in model.children.get(&None).into_iter().flatten() {
            let subtree = store.read_blocking(|r| tasks::subtree(r, *root)).unwrap();
            tree.extend(subtree.iter().map(|task| (task.id, task.position)));
        }
        prop_assert_eq!(tree, expected);
        let count = store.read_blocking(tasks::count_by_status).unwrap();
        prop_assert_eq!(count.iter().map(|(_, n)| *n).sum::<u64>(), model.parents.len() as u64);
    }
}
