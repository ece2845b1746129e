//! Trust is in one content, and ends with it.

use orchflow_manager::{projects, trust};
use orchflow_protocol::project::DetectParams;
use orchflow_protocol::trust::{DirParams, GrantParams};
use orchflow_types::{ErrorKind, Explain};

use crate::bed::{Bed, text, write};

#[tokio::test]
async fn trust_is_in_what_was_shown_and_a_changed_byte_ends_it() {
    let bed = Bed::new();
    let project = bed.path().join("project");
    write(&project, ".orchflow/config.toml", "[run]\n");
    let dir = text(&project);
    let get = || trust::get(bed.manager.clone(), DirParams { dir: dir.clone() });
    let grant = |hash: &str| {
        trust::grant(bed.manager.clone(), GrantParams { dir: dir.clone(), hash: hash.to_owned() })
    };
    let before = get().await.unwrap();
    assert!(!before.trusted && !before.changed && before.granted_at.is_none());
    assert_eq!(before.files[0].path, ".orchflow/config.toml");
    let error = grant("another").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!get().await.unwrap().trusted);
    assert!(grant(&before.hash).await.unwrap().trusted);
    let granted = get().await.unwrap();
    assert!(granted.trusted && !granted.changed && granted.granted_at.is_some());

    write(&project, ".orchflow/config.toml", "[run]\nmode = 1\n");
    let changed = get().await.unwrap();
    assert!(!changed.trusted && changed.changed);
    let error = grant(&before.hash).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(grant(&changed.hash).await.unwrap().trusted);
    for _ in 0..2 {
        trust::revoke(bed.manager.clone(), DirParams { dir: dir.clone() }).await.unwrap();
    }
    let revoked = get().await.unwrap();
    assert!(!revoked.trusted && !revoked.changed);
}

#[tokio::test]
async fn a_folder_that_configures_nothing_needs_no_trust_until_it_does() {
    let bed = Bed::new();
    let project = bed.path().join("project");
    write(&project, "Cargo.toml", "[package]\nname = \"x\"\nversion = \"0.1.0\"\n");
    let dir = text(&project);
    let get = || trust::get(bed.manager.clone(), DirParams { dir: dir.clone() });
    assert!(get().await.unwrap().trusted);
    write(&project, ".orchflow/policies/a.toml", "");
    assert!(!get().await.unwrap().trusted);
    let found = projects::detect(bed.manager.clone(), DetectParams { dir: dir.clone() });
    assert_eq!(found.await.unwrap().ecosystems, ["cargo"]);
    let nowhere = DetectParams { dir: "relative".to_owned() };
    let error = projects::detect(bed.manager.clone(), nowhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParams);
}
