//! Whether the tasks of a plan fit together: each named once, no dependency that is not
//! there, no circle.

use std::collections::BTreeMap;

use orchflow_types::plan::Plan;

use super::PlanError;
use super::parse::TaskLines;

pub(super) fn check(plan: &Plan, lines: &[TaskLines]) -> Result<(), PlanError> {
    if plan.tasks.is_empty() {
        return Err(PlanError::new(1, "the plan has no task: add one, `## key: title`"));
    }
    let mut places = BTreeMap::new();
    for (place, task) in plan.tasks.iter().enumerate() {
        if let Some(first) = places.insert(task.key.as_str(), place) {
            let reason = format!(
                "another task is called `{}` (line {}): give this one a key of its own",
                task.key, lines[first].heading
            );
            return Err(PlanError::new(lines[place].heading, reason));
        }
    }
    let mut waits = Vec::with_capacity(plan.tasks.len());
    for (task, at) in plan.tasks.iter().zip(lines) {
        let place_of = |key: &String| {
            places.get(key.as_str()).copied().ok_or_else(|| {
                let reason = format!(
                    "`{}` depends on `{key}`, and no task has that key: add `## {key}: title`, \
                     or take it away here",
                    task.key
                );
                PlanError::new(at.depends, reason)
            })
        };
        waits.push(task.depends.iter().map(place_of).collect::<Result<Vec<usize>, _>>()?);
    }
    match stuck(&waits) {
        None => Ok(()),
        Some(circle) => {
            let keys: Vec<&str> = circle.iter().map(|&at| plan.tasks[at].key.as_str()).collect();
            let reason = format!(
                "{} waits for itself ({}): take one of these dependencies away",
                keys[0],
                keys.iter().chain([&keys[0]]).copied().collect::<Vec<_>>().join(" → ")
            );
            Err(PlanError::new(lines[circle[0]].depends, reason))
        }
    }
}

/// The tasks of one circle in which each waits for the next, if there is one.
fn stuck(waits: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut open: Vec<usize> = waits.iter().map(Vec::len).collect();
    let mut dependents = vec![Vec::new(); waits.len()];
    for (task, on) in waits.iter().enumerate() {
        on.iter().for_each(|&on| dependents[on].push(task));
    }
    let mut free: Vec<usize> = (0..waits.len()).filter(|&task| open[task] == 0).collect();
    while let Some(task) = free.pop() {
        for &dependent in &dependents[task] {
            open[dependent] -= 1;
            if open[dependent] == 0 {
                free.push(dependent);
            }
        }
    }
    // Whoever is not free waits for somebody who is not free either: following that leads
    // into a circle.
    let mut path = vec![(0..waits.len()).find(|&task| open[task] > 0)?];
    let mut place_on_path = BTreeMap::from([(path[0], 0)]);
    loop {
        let here = *path.last().expect("the path begins with one task");
        let next = waits[here].iter().copied().find(|&on| open[on] > 0)?;
        if let Some(&start) = place_on_path.get(&next) {
            return Some(path.split_off(start));
        }
        place_on_path.insert(next, path.len());
        path.push(next);
    }
}
