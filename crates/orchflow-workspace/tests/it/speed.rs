//! What the hardening costs: a worktree of ours against a bare `git worktree add`.

use orchflow_runtime::clock::Stopwatch;

use crate::fixture::Fixture;

#[tokio::test]
#[ignore = "a measurement: its result means something on a quiet machine only"]
async fn a_worktree_costs_at_most_a_third_more_than_a_bare_one() {
    const ROUNDS: u32 = 30;
    let fixture = Fixture::new().await;
    for number in 0..300 {
        fixture.write(&format!("many/{number}.txt"), &"line\n".repeat(200));
    }
    fixture.commit("many").await;
    let repo = fixture.repo().await;
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let path = fixture.beside(&format!("bare{round}"));
        let branch = format!("bare{round}");
        let watch = Stopwatch::start();
        fixture.git(&["worktree", "add", "-q", "-b", &branch, path.to_str().unwrap()]).await;
        bare.push(watch.elapsed());
        let path = fixture.beside(&format!("ours{round}"));
        let watch = Stopwatch::start();
        repo.worktree_add(&path, &format!("orchflow/{round}"), "HEAD").await.unwrap();
        ours.push(watch.elapsed());
    }
    bare.sort_unstable();
    ours.sort_unstable();
    let (bare, ours) = (bare[bare.len() / 2], ours[ours.len() / 2]);
    assert!(ours <= bare * 13 / 10, "ours {ours:?}, bare {bare:?}");
}
