//! `project.*`: what a folder is and how it is built, tested, linted and formatted.

use orchflow_protocol::project::DetectParams;
use orchflow_types::project::Project;

use crate::manager::{blocking, folder};
use crate::{Error, Manager};

/// Finds the commands of a folder, each with its reason; runs nothing of it.
///
/// # Errors
/// The folder is not absolute or not there.
pub async fn detect(_cx: Manager, params: DetectParams) -> Result<Project, Error> {
    let dir = folder(&params.dir)?.to_owned();
    let found = blocking("look at a project", move || orchflow_workspace::project::detect(&dir));
    let found = found.await?;
    for problem in &found.problems {
        tracing::warn!(dir = %params.dir, %problem, "a file of a project could not be read");
    }
    Ok(found.project)
}
