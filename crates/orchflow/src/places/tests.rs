//! Where everything stands, by what the environment says.

use orchflow_types::{ErrorKind, Explain};

use super::*;

fn given(orchflow_home: Option<&str>, runtime: Option<&str>) -> Given {
    Given {
        orchflow_home: orchflow_home.map(PathBuf::from),
        home: Some("/home/ada".into()),
        xdg_runtime: runtime.map(PathBuf::from),
        ..Given::default()
    }
}

#[test]
fn without_orchflow_home_everything_stands_where_xdg_says() {
    let places = Places::from(&given(None, Some("/run/user/7"))).unwrap();
    assert_eq!(places.config(), Path::new("/home/ada/.config/orchflow/config.toml"));
    assert_eq!(places.database(), Path::new("/home/ada/.local/state/orchflow/state.db"));
    assert_eq!(places.worktrees(), Path::new("/home/ada/.local/state/orchflow/worktrees"));
    assert_eq!(places.socket(), Path::new("/run/user/7/orchflow/orchflow.sock"));
    assert_eq!(places.token(), Path::new("/run/user/7/orchflow/token"));
}

#[test]
fn without_a_runtime_folder_the_sockets_are_with_the_state() {
    let places = Places::from(&given(None, None)).unwrap();
    assert_eq!(places.run(), Path::new("/home/ada/.local/state/orchflow/run"));
}

#[test]
fn orchflow_home_holds_everything() {
    let places = Places::from(&given(Some("/srv/of"), Some("/run/user/7"))).unwrap();
    assert_eq!(places.config(), Path::new("/srv/of/config.toml"));
    assert_eq!(places.database(), Path::new("/srv/of/state.db"));
    assert_eq!(places.log(), Path::new("/srv/of/logs/daemon.log"));
    assert_eq!(places.socket(), Path::new("/srv/of/run/orchflow.sock"));
}

#[test]
fn a_socket_path_of_107_bytes_stays_and_one_of_108_moves_to_a_short_folder_by_hash() {
    let of_length = |bytes: usize| {
        let home = format!("/{}", "h".repeat(bytes - 1 - "/run/orchflow.sock".len()));
        Places::from(&given(Some(&home), None)).unwrap()
    };
    let (longest, moved, other) = (of_length(107), of_length(108), of_length(109));
    assert_eq!(longest.socket(), longest.run().join("orchflow.sock"));
    assert!(moved.socket().starts_with("/tmp") && fits(moved.socket()), "{moved:?}");
    assert_ne!(moved.socket(), other.socket());
    assert!(moved.token().starts_with(moved.run()));
}

#[test]
fn without_any_home_the_error_says_what_to_set() {
    let error = Places::from(&Given::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint().unwrap().contains("ORCHFLOW_HOME"));
}

#[test]
fn prepared_folders_are_private_even_when_they_were_open_before() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    std::fs::create_dir_all(home.join("run")).unwrap();
    std::fs::set_permissions(home.join("run"), Permissions::from_mode(0o755)).unwrap();
    let places = Places::from(&given(Some(home.to_str().unwrap()), None)).unwrap();
    places.prepare().unwrap();
    assert_eq!(places.run().metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(places.logs().metadata().unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_file_in_the_way_is_told_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("run"), "").unwrap();
    let places = Places::from(&given(Some(dir.path().to_str().unwrap()), None)).unwrap();
    let error = places.prepare().unwrap_err();
    assert!(error.to_string().contains("/run"), "{error}");
}
