//! `trust.*`: what a repository's own configuration may do, granted by content hash.

use orchflow_protocol::method::Empty;
use orchflow_protocol::trust::{DirParams, GrantParams, TrustFile, TrustResult};
use orchflow_store::trust as rows;
use orchflow_workspace::trust::{Fingerprint, fingerprint};

use crate::manager::{blocking, folder};
use crate::{Error, Manager};

/// Tells what a folder's own configuration holds and whether exactly this content is trusted.
/// A folder that configures nothing needs no trust and has it.
///
/// # Errors
/// The folder is not absolute or not there, or its configuration cannot be read.
pub async fn get(cx: Manager, params: DirParams) -> Result<TrustResult, Error> {
    let (dir, found) = look(&params.dir).await?;
    let granted = {
        let dir = dir.clone();
        cx.store().read(move |tx| rows::get(tx, &dir)).await?
    };
    Ok(answer(dir, found, granted))
}

/// Trusts a folder's configuration as it is now; a changed byte ends the trust.
///
/// # Errors
/// [`Error::TrustMoved`] when it is not what was shown, or its configuration cannot be read.
pub async fn grant(cx: Manager, params: GrantParams) -> Result<TrustResult, Error> {
    let (dir, found) = look(&params.dir).await?;
    if found.hash != params.hash {
        return Err(Error::TrustMoved { dir, given: params.hash });
    }
    let trust =
        rows::Trust { content_hash: found.hash.clone(), granted_at: cx.options().clock.now() };
    let (place, written) = (dir.clone(), trust.clone());
    cx.store().write(move |tx| rows::grant(tx, &place, &written)).await?;
    Ok(answer(dir, found, Some(trust)))
}

/// Takes the trust back; where there is none, it is taken back already.
///
/// # Errors
/// The folder is not absolute, or the database cannot be written.
pub async fn revoke(cx: Manager, params: DirParams) -> Result<Empty, Error> {
    let path = std::path::Path::new(&params.dir);
    if !path.is_absolute() {
        return Err(Error::RelativePath { path: path.to_owned() });
    }
    // A folder that is gone by now can be taken out of trust all the same.
    let dir = path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
    cx.store().write(move |tx| rows::revoke(tx, &dir)).await?;
    Ok(Empty {})
}

/// The folder without links, and what it configures.
async fn look(dir: &str) -> Result<(String, Fingerprint), Error> {
    let dir = folder(dir)?.to_owned();
    let dir = dir.canonicalize().map_err(|_| Error::NoFolder { path: dir })?;
    let name = dir.display().to_string();
    let found = blocking("read a project's configuration", move || fingerprint(&dir)).await??;
    Ok((name, found))
}

fn answer(dir: String, found: Fingerprint, granted: Option<rows::Trust>) -> TrustResult {
    let same = granted.as_ref().is_some_and(|granted| granted.content_hash == found.hash);
    let files = found.files.into_iter();
    let files: Vec<_> =
        files.map(|file| TrustFile { path: file.path, size: file.size, hash: file.hash }).collect();
    TrustResult {
        dir,
        trusted: same || files.is_empty(),
        hash: found.hash,
        changed: granted.is_some() && !same,
        granted_at: granted.map(|granted| granted.granted_at),
        files,
    }
}
