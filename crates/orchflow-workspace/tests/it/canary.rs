//! A repository full of traps: hooks, monitors, filters, drivers, an embedded bare repository.
//! Whatever runs touches a file; no such file may be there at the end.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use orchflow_types::{ErrorKind, Explain};
use orchflow_workspace::git::{DiffTo, RefKind, Repo};
use orchflow_workspace::{project, trust};

use crate::fixture::{Fixture, git, run, write};

/// Configures everything git could be made to run, each with a canary of its own.
async fn arm(fixture: &Fixture, canaries: &Path) {
    let touch = |name: &str| format!("touch {}/{name}; cat", canaries.display());
    let settings = [
        ("core.fsmonitor", touch("fsmonitor")),
        ("core.pager", touch("pager")),
        ("core.editor", touch("editor")),
        ("core.sshCommand", touch("ssh")),
        ("core.askPass", touch("askpass")),
        ("credential.helper", format!("!{}", touch("credential"))),
        ("diff.external", touch("external")),
        ("diff.trap.command", touch("diff-command")),
        ("diff.trap.textconv", touch("textconv")),
        ("merge.trap.driver", format!("{}; exit 0", touch("merge"))),
        ("filter.trap.clean", touch("clean")),
        ("filter.trap.smudge", touch("smudge")),
        ("filter.trap.required", "true".to_owned()),
        ("filter.a=b.clean", touch("clean-equals")),
        ("filter.a=b.smudge", touch("smudge-equals")),
        ("filter.long.process", touch("process")),
        ("commit.gpgSign", "true".to_owned()),
        ("gpg.program", canaries.join("../trap.sh").display().to_string()),
        ("log.showSignature", "true".to_owned()),
        ("trailer.Run.command", touch("trailer")),
        ("trailer.Run.cmd", touch("trailer-cmd")),
        ("gc.auto", "1".to_owned()),
        ("uploadpack.packObjectsHook", touch("pack-objects")),
        ("protocol.ext.allow", "always".to_owned()),
        ("extensions.partialClone", "origin".to_owned()),
        ("remote.origin.promisor", "true".to_owned()),
        ("remote.origin.url", format!("ext::touch {}/ext", canaries.display())),
    ];
    for (key, value) in &settings {
        fixture.git(&["config", key, value]).await;
    }
    fixture.git(&["config", "core.repositoryFormatVersion", "1"]).await;
    // What another file of the repository's, or a worktree's own file, adds to them.
    let included = format!("[filter \"inc\"]\n\tclean = {}\n", touch("included"));
    std::fs::write(fixture.root.join(".git/included"), included.replace(';', "&&")).unwrap();
    fixture.git(&["config", "include.path", "included"]).await;
    fixture.git(&["config", "extensions.worktreeConfig", "true"]).await;
    fixture.git(&["config", "--worktree", "filter.own.clean", &touch("worktree-config")]).await;
    let hooks = [
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
        "post-checkout",
        "post-merge",
        "pre-merge-commit",
        "reference-transaction",
        "post-index-change",
        "pre-auto-gc",
        "post-rewrite",
        "fsmonitor-watchman",
    ];
    for hook in hooks {
        let path = fixture.root.join(".git/hooks").join(hook);
        let script = format!("#!/bin/sh\ntouch {}/hook-{hook}\n", canaries.display());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

async fn trapped() -> (Fixture, std::path::PathBuf) {
    let fixture = Fixture::new().await;
    let canaries = fixture.beside("canaries");
    std::fs::create_dir(&canaries).unwrap();
    let trap = fixture.beside("trap.sh");
    std::fs::write(&trap, format!("#!/bin/sh\ntouch {}/gpg\n", canaries.display())).unwrap();
    std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
    fixture.write(
        ".gitattributes",
        "*.txt filter=trap diff=trap merge=trap\n*.eq filter=a=b\n*.long filter=long\n*.inc filter=inc\n*.own filter=own\n",
    );
    fixture.write("x.eq", "x\n");
    fixture.write("x.long", "x\n");
    fixture.write("x.inc", "x\n");
    fixture.write("x.own", "x\n");
    fixture.commit("attributes").await;
    fixture.git(&["init", "-q", "--bare", "embedded.git"]).await;
    let bare = fixture.root.join("embedded.git");
    git(&bare, &["config", "core.fsmonitor", &format!("touch {}/bare", canaries.display())]).await;
    arm(&fixture, &canaries).await;
    (fixture, canaries)
}

fn sprung(canaries: &Path) -> Vec<String> {
    let names = std::fs::read_dir(canaries).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn the_traps_would_spring_under_a_plain_git() {
    let (fixture, canaries) = trapped().await;
    fixture.write("a.txt", "changed\n");
    fixture.write("x.eq", "changed\n");
    fixture.write("x.long", "changed\n");
    fixture.write("x.inc", "changed\n");
    fixture.write("x.own", "changed\n");
    let path = fixture.beside("plain");
    let commands: [&[&str]; 8] = [
        &["status"],
        &["diff"],
        &["diff", "--no-ext-diff"],
        &["commit", "-q", "-a", "-m", "signed"],
        &["-c", "commit.gpgSign=false", "commit", "-q", "-a", "-m", "m", "--trailer", "Run=x"],
        &["-c", "filter.trap.required=false", "worktree", "add", path.to_str().unwrap()],
        &["cat-file", "-p", "0123456789012345678901234567890123456789"],
        &["-C", "embedded.git", "status"],
    ];
    for command in commands {
        run(&fixture.root, &[&["git"], command].concat()).await;
    }
    let sprung = sprung(&canaries);
    for expected in [
        "fsmonitor",
        "diff-command",
        "clean",
        "clean-equals",
        "smudge",
        "process",
        "included",
        "worktree-config",
        "gpg",
        "trailer-cmd",
        "textconv",
        "ext",
        "hook-pre-commit",
        "hook-post-checkout",
    ] {
        assert!(sprung.iter().any(|name| name == expected), "{expected} is not in {sprung:?}");
    }
}

#[tokio::test]
async fn no_function_runs_anything_the_repository_brings_along() {
    let (fixture, canaries) = trapped().await;
    let repo = fixture.repo().await;
    let inside = Repo::open(&fixture.root.join("embedded.git")).await.unwrap_err();
    assert_eq!(inside.kind(), ErrorKind::BareRepository);
    fixture.write("a.txt", "changed\n");
    fixture.write("new.txt", "new\n");
    fixture.write("x.eq", "changed\n");
    fixture.write("x.long", "changed\n");
    fixture.write("x.inc", "changed\n");
    fixture.write("x.own", "changed\n");

    repo.state().await.unwrap();
    repo.diff("HEAD", DiffTo::WorkingTree, &[], false).await.unwrap();
    repo.diff("HEAD", DiffTo::WorkingTree, &[], true).await.unwrap();
    repo.changes("HEAD", DiffTo::WorkingTree).await.unwrap();
    repo.log("HEAD", 5).await.unwrap();
    let snapshot = repo.snapshot("s").await.unwrap();
    repo.save_ref(RefKind::Saved, "s", &snapshot).await.unwrap();
    repo.list_saved(RefKind::Saved).await.unwrap();
    repo.restore_saved("s", "restored").await.unwrap();
    repo.branch_create("orchflow/b", "HEAD").await.unwrap();
    repo.branch_delete("orchflow/b").await.unwrap();
    repo.info_exclude("x").unwrap();

    let one = repo.worktree_add(&fixture.beside("one"), "orchflow/one", "HEAD").await.unwrap();
    let two = repo.worktree_add(&fixture.beside("two"), "orchflow/two", "HEAD").await.unwrap();
    write(one.root(), "dir/c.txt", "one\n");
    write(two.root(), "b.txt", "two\n");
    write(two.root(), "dir/c.txt", "two\n");
    one.commit_all("one", &[("Run".into(), "x".into())]).await.unwrap().unwrap();
    let second = two.commit_all("two", &[]).await.unwrap().unwrap();
    let conflict = one.merge(&second, "m").await.unwrap();
    assert!(
        matches!(&conflict, orchflow_workspace::git::Merge::Conflict { files } if files.len() == 1),
        "a driver that is undone must still be a true merge: {conflict:?}"
    );
    write(one.root(), "b.txt", "changed, too\n");
    repo.worktree_list().await.unwrap();
    repo.worktree_repair(&fixture.beside("")).await.unwrap();
    repo.worktree_remove(one.root()).await.unwrap().unwrap();
    let landed = repo.fast_forward(&second, None).await.unwrap();
    assert!(matches!(landed, orchflow_workspace::git::FastForward::Landed { .. }), "{landed:?}");
    // An object that is missing would be fetched by a program the configuration names.
    let missing = "0123456789012345678901234567890123456789";
    let _ = repo.log(missing, 1).await;
    let _ = repo.diff(missing, DiffTo::WorkingTree, &[], false).await;
    assert!(project::detect(&fixture.root).problems.is_empty());
    trust::fingerprint(&fixture.root).unwrap();
    assert_eq!(sprung(&canaries), Vec::<String>::new());
}
