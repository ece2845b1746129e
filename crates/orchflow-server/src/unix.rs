//! The Unix socket: JSON-RPC frames, one a line, for the user who runs the daemon.
//!
//! Who may connect is decided three times: by the folder (0700), by the socket (0600)
//! and by the uid of the other side, which is asked of the kernel before a byte is read.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use orchflow_protocol::rpc::MAX_FRAME;
use orchflow_runtime::{CancellationToken, TaskKind};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};

use crate::connection::{Connection, Queue};
use crate::ending::Ending;
use crate::{Caller, Error, Table};

/// Connections at the same time; further ones wait until one ends.
const CONNECTIONS: usize = 512;

/// Bytes a socket's path may have: `sun_path` of Linux, less the zero at its end.
const LONGEST_PATH: usize = 107;

/// Where the door is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The path of the socket. Its folder is made with mode 0700 when it is not there.
    pub path: PathBuf,
}

/// The door, listening. Nobody is served before [`Door::run`].
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of our socket, so that only ours is removed at the end.
    identity: (u64, u64),
    table: Table,
}

impl Options {
    /// Makes the socket. A socket that is there already is replaced: that no daemon
    /// listens at it is for the daemon's lock to say. Call it within the async runtime.
    ///
    /// # Errors
    /// [`Error::Exposed`] when the folder is open to others, [`Error::PathTooLong`],
    /// [`Error::Socket`] for what else the system says.
    pub fn bind(self, table: Table) -> Result<Door, Error> {
        let path = self.path;
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(Error::PathTooLong { path });
        }
        let failed = |source| Error::Socket { path: path.clone(), source };
        private_folder(&path)?;
        // Bound under another name and renamed once its mode is right, so that there is
        // never a socket at `path` that others could open.
        let hidden = path.with_file_name(format!(".{}", std::process::id()));
        let _ = fs::remove_file(&hidden);
        let listener = UnixListener::bind(&hidden).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => Error::PathTooLong { path: path.clone() },
            _ => failed(error),
        })?;
        let show = || -> io::Result<Metadata> {
            fs::set_permissions(&hidden, Permissions::from_mode(0o600))?;
            fs::rename(&hidden, &path)?;
            fs::symlink_metadata(&path)
        };
        let meta = show().map_err(failed)?;
        Ok(Door { listener, path, identity: (meta.dev(), meta.ino()), table })
    }
}

impl Door {
    /// Serves until `shutdown`: then nobody new is let in, calls under way have five
    /// seconds, and the socket is removed.
    ///
    /// # Errors
    /// None today; the type is what a supervised task answers.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let ending = Ending::new(&shutdown);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let accept = async {
            loop {
                let place = places.clone().acquire_owned().await;
                match self.listener.accept().await {
                    Ok((stream, _)) => {
                        let (table, ending) = (self.table.clone(), ending.clone());
                        let tasks = ending.tasks.clone();
                        let work = async move {
                            let _place = place;
                            serve(stream, table, ending).await
                        };
                        tasks.spawn(TaskKind::Connection, "connection", work);
                    }
                    Err(error) => {
                        // Usually out of descriptors: asking again at once would only spin.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = shutdown.cancelled() => {}
        }
        self.remove();
        let Self { listener, .. } = self;
        drop(listener); // who is still in the backlog learns it now
        ending.finish().await;
        Ok(())
    }

    fn remove(&self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| (meta.dev(), meta.ino()) == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the socket could not be removed");
        }
    }
}

/// Makes the socket's folder, or makes sure that nobody else may enter it.
fn private_folder(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Socket { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let meta = fs::metadata(folder).map_err(failed)?;
    if meta.mode() & 0o077 != 0 || meta.uid() != our_uid() {
        let (mode, owner) = (meta.mode() & 0o7777, meta.uid());
        return Err(Error::Exposed { path: folder.to_owned(), mode, owner });
    }
    Ok(())
}

fn our_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

async fn serve(stream: UnixStream, table: Table, ending: Ending) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    if peer.uid() != our_uid() {
        tracing::warn!(uid = peer.uid(), pid = peer.pid(), "another user was refused");
        return Ok(());
    }
    let (read, write) = stream.into_split();
    let (connection, queue) = Connection::open(table, Caller::user(), ending);
    let (_, written) = tokio::join!(read_all(read, connection), write_all(write, queue));
    written.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ok(()),
        _ => Err(error),
    })
}

async fn read_all(read: OwnedReadHalf, connection: Connection) {
    let lines = AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), MAX_FRAME);
    let mut frames = FramedRead::new(read, lines);
    loop {
        let frame = tokio::select! {
            frame = frames.next() => frame,
            () = connection.stopped() => None,
        };
        match frame {
            Some(Ok(frame)) if frame.iter().all(u8::is_ascii_whitespace) => {}
            Some(Ok(frame)) => connection.frame(&frame).await,
            Some(Err(AnyDelimiterCodecError::MaxChunkLengthExceeded)) => {
                connection.too_long().await;
                break;
            }
            Some(Err(AnyDelimiterCodecError::Io(_))) | None => break,
        }
    }
    connection.finish().await;
}

async fn write_all(mut write: OwnedWriteHalf, mut queue: Queue) -> io::Result<()> {
    let ended = queue.ended();
    while let Some(mut outgoing) = queue.next().await {
        outgoing.text.push('\n');
        // A client that does not read must not keep the connection from being dropped.
        tokio::select! {
            written = write.write_all(outgoing.text.as_bytes()) => written?,
            () = ended.cancelled() => break,
        }
    }
    Ok(())
}
