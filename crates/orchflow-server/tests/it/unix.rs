//! The Unix socket: who may enter, what it holds back, what it answers to bad frames.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use orchflow_protocol::method::Empty;
use orchflow_protocol::{rpc, system};
use orchflow_server::{Error, Table, unix};
use orchflow_types::{ErrorKind, Explain};
use tokio::io::AsyncWriteExt;

use crate::daemon::{Daemon, pane, soon, write_call};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_folder_is_0700_and_the_socket_0600() {
    let daemon = Daemon::start().await;
    assert_eq!(mode(daemon.socket.parent().unwrap()), 0o700);
    assert_eq!(mode(&daemon.socket), 0o600);
    let beside = std::fs::read_dir(daemon.socket.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1, "nothing is left beside the socket");
}

#[tokio::test]
async fn a_folder_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o750)).unwrap();
    let options = unix::Options { path: folder.path().join("s") };
    let error = options.bind(Table::builder().build()).unwrap_err();
    assert!(matches!(error, Error::Exposed { mode: 0o750, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn a_path_longer_than_a_socket_may_have_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d".repeat(120)).join("s");
    let error = unix::Options { path }.bind(Table::builder().build()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SocketPathTooLong);
}

#[tokio::test]
async fn a_socket_left_by_a_daemon_that_died_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let path = folder.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    unix::Options { path: path.clone() }.bind(Table::builder().build()).unwrap();
    assert_eq!(mode(&path), 0o600);
}

/// Needs root, which alone may become somebody else; without it the test says so and passes.
#[tokio::test]
async fn another_user_is_refused_before_a_byte_is_exchanged() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: nobody to become, nothing tried");
        return;
    }
    let daemon = Daemon::start().await;
    // Open every door but the last, as a careless chmod would.
    for path in [daemon.folder.path(), daemon.socket.parent().unwrap(), &daemon.socket] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let socket = daemon.socket.clone();
    let as_nobody = move || {
        let nobody = rustix::process::Uid::from_raw(65534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap(); // this thread only
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut heard = Vec::new();
        // A reset instead of an end is as good a refusal.
        let _ = stream.read_to_end(&mut heard);
        heard
    };
    let thread = std::thread::spawn(as_nobody);
    let heard = tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    assert_eq!(heard, b"", "not even the first message");
    daemon.client().await.call::<system::Health>(Empty {}).await.unwrap();
}

#[tokio::test]
async fn a_frame_over_the_limit_is_answered_and_ends_the_connection() {
    let daemon = Daemon::start().await;
    let mut wire = daemon.wire().await;
    let chunk = vec![b'x'; 1024 * 1024];
    for _ in 0..=rpc::MAX_FRAME / chunk.len() {
        if wire.write.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let answer = wire.next().await.unwrap();
    assert_eq!(answer["error"]["code"], -32600);
    assert!(wire.next().await.is_none());
}

#[tokio::test]
async fn an_answer_over_the_limit_is_an_error_and_the_rest_of_its_batch_is_answered() {
    let daemon = Daemon::start().await;
    let mut wire = daemon.wire().await;
    let read = |id, limit| {
        let pane = pane();
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"pane.read","params":{{"pane_id":"{pane}","limit":{limit}}}}}"#
        )
    };
    wire.send(&read(1, rpc::MAX_FRAME)).await;
    assert_eq!(wire.next().await.unwrap()["error"]["data"]["kind"], "invalid_params");
    let part = rpc::MAX_FRAME / 3;
    wire.send(&format!("[{},{},{},{}]", read(1, part), read(2, part), read(3, part), read(4, 5)))
        .await;
    let answers = wire.next().await.unwrap();
    assert_eq!(answers.as_array().map(Vec::len), Some(4));
    assert!(answers[1].get("result").is_some() && answers[3].get("result").is_some());
    assert_eq!(answers[2]["error"]["data"]["kind"], "invalid_params");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_parse_error_and_blank_lines_are_nothing() {
    let daemon = Daemon::start().await;
    let mut wire = daemon.wire().await;
    wire.write.write_all(b"\r\n\n\xff\xfe\n").await.unwrap();
    assert_eq!(wire.next().await.unwrap()["error"]["code"], -32700);
    wire.send(&write_call("1", pane(), "on")).await;
    assert_eq!(wire.next().await.unwrap()["id"], 1);
}

#[tokio::test]
async fn a_client_that_closes_its_writing_side_still_gets_its_answers() {
    let (daemon, pane) = (Daemon::start().await, pane());
    let mut wire = daemon.wire().await;
    wire.write.write_all(write_call("1", pane, "last words").as_bytes()).await.unwrap();
    wire.write.shutdown().await.unwrap();
    assert_eq!(wire.next().await.unwrap()["id"], 1);
    assert!(wire.next().await.is_none());
}

#[tokio::test]
async fn a_client_that_does_not_read_makes_nobody_else_wait_and_loses_nothing() {
    const CALLS: usize = 300; // more than may be under way
    let daemon = Daemon::start().await;
    let mut slow = daemon.wire().await;
    let mut lines = String::new();
    for id in 0..CALLS {
        lines += &format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"pane.read","params":{{"pane_id":"{}","limit":200000}}}}"#,
            pane()
        );
        lines.push('\n');
    }
    slow.write.write_all(lines.as_bytes()).await.unwrap();
    let client = daemon.client().await;
    for _ in 0..100 {
        soon(client.call::<system::Health>(Empty {})).await.unwrap();
    }
    let mut seen = vec![false; CALLS];
    for _ in 0..CALLS {
        let id = slow.next().await.unwrap()["id"].as_u64().unwrap();
        seen[usize::try_from(id).unwrap()] = true;
    }
    assert!(seen.into_iter().all(|seen| seen));
}
