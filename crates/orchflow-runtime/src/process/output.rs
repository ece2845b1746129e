//! A child whose output is wanted whole: git, `--version`, and the like.

use std::io;
use std::time::Duration;

use orchflow_types::pane::ExitStatus;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

use super::{SpawnError, Spec, end, spawn};

/// What a child printed and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output, cut at the limit.
    pub stdout: Vec<u8>,
    /// Its standard error, cut at the limit.
    pub stderr: Vec<u8>,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
}

impl Output {
    /// Standard output as text, without white space at the end.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// Standard error as text, without white space at the ends.
    #[must_use]
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}

/// Runs a child to its end and keeps at most `limit` bytes of each of its outputs; past
/// `time` it is ended with all that came of it.
///
/// # Errors
/// When it could not be started.
pub async fn output(spec: &Spec, limit: usize, time: Duration) -> Result<Output, SpawnError> {
    let mut child = spawn(spec)?;
    let reads = async {
        tokio::join!(
            read(child.stdout.take(), limit),
            read(child.stderr.take(), limit),
            child.exit.clone_wait()
        )
    };
    match tokio::time::timeout(time, reads).await {
        Ok((stdout, stderr, status)) => Ok(Output { status, stdout, stderr, timed_out: false }),
        Err(_) => {
            end::terminate(
                child.pid,
                child.start_time,
                &mut child.exit,
                &spec.mark,
                Duration::from_secs(1),
            )
            .await;
            let status = child.exit.wait().await;
            Ok(Output { status, stdout: Vec::new(), stderr: Vec::new(), timed_out: true })
        }
    }
}

async fn read(from: Option<std::os::fd::OwnedFd>, limit: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(Ok(mut pipe)) = from.map(pipe::Receiver::from_owned_fd) else { return kept };
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) => return kept,
            Ok(count) => {
                let room = limit.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}
