//! `test.*`: what test tools said, read out of the logs of the panes they ran in.

use orchflow_protocol::pane::Output;
use orchflow_protocol::test::{ResultsParams, ResultsResult};
use orchflow_terminal::LogReader;
use orchflow_workspace::test_output::summarise;

use crate::manager::blocking;
use crate::panes::Source;
use crate::{Error, Manager};

/// What is read of the beginning of an output.
const HEAD: u64 = 1 << 20;
/// What is read of its end.
const TAIL: u64 = 4 << 20;

/// Reads counts and the names of failing tests out of what a test tool printed in a pane.
///
/// # Errors
/// [`Error::NoPane`], or its log cannot be read.
pub async fn results(cx: Manager, params: ResultsParams) -> Result<ResultsResult, Error> {
    let mut logs = Vec::new();
    for output in [Output::Output, Output::Errors] {
        logs.extend(Source::of(&cx, params.pane_id, output).await?.log);
    }
    let summary = blocking("read test results", move || -> Result<_, Error> {
        let mut text = String::new();
        for log in &logs {
            text.push_str(&bounded(log)?);
            text.push('\n');
        }
        Ok(summarise(&params.framework, &text))
    });
    Ok(ResultsResult { summary: summary.await?? })
}

fn bounded(log: &LogReader) -> Result<String, Error> {
    let len = log.len();
    let tail = len.saturating_sub(TAIL).max(HEAD.min(len));
    let mut bytes = Vec::new();
    read_range(log, 0, tail.min(HEAD), &mut bytes)?;
    if tail > HEAD {
        bytes.push(b'\n'); // what lies between is left out
    }
    read_range(log, tail, len, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_range(log: &LogReader, from: u64, to: u64, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let mut at = from;
    while at < to {
        let max = usize::try_from((to - at).min(1 << 20)).unwrap_or(1 << 20);
        let chunk = log.read(at, max)?;
        if chunk.bytes.is_empty() || chunk.offset >= to {
            break;
        }
        at = chunk.offset + chunk.bytes.len() as u64;
        bytes.extend(chunk.bytes);
    }
    Ok(())
}
