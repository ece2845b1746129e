//! `config.*` as methods: what the daemon answers with what the settings hold.

use std::path::{Path, PathBuf};

use orchflow_client::Error as Told;
use orchflow_protocol::config::{GetParams, SetParams, Setting, ShowResult};
use orchflow_types::ErrorKind;

use super::{Error, Layers, Place, Settings, Sourced, keys, project_file, set as write};
use crate::places::Places;

/// `config.get`; `trusted` says whether the project's own file counts.
///
/// # Errors
/// `config` when no setting has this name or a file is wrong; `not_found` when it has no value.
pub fn get(places: &Places, params: &GetParams, trusted: bool) -> Result<Setting, Told> {
    let key = &params.key;
    if keys::find(key).is_none() {
        let place = Place::default();
        let nearest = keys::nearest(key);
        return Err(Error::Unknown { place, key: key.clone(), nearest }.into());
    }
    let dir = params.dir.as_deref().filter(|_| trusted);
    let settings = Settings::of_process(&layers(places, dir))?;
    let found = settings.values.get(key).map(|sourced| setting(key, sourced));
    found.ok_or_else(|| {
        Told::new(ErrorKind::NotFound, format!("`{key}` has no value"))
            .hint(format!("`orchflow config set {key} VALUE` gives it one"))
    })
}

/// `config.set`, into the user's file. An agent is set one part after the other: what it still
/// lacks is told by whoever reads the settings next.
///
/// # Errors
/// `config` when no setting has this name or it cannot hold the value; `file`.
pub fn set(places: &Places, params: &SetParams) -> Result<Setting, Told> {
    write(places.config(), &params.key, &params.value)?;
    match Settings::of_process(&layers(places, None)) {
        Err(Error::Agent { .. }) => {
            let (key, origin) = (params.key.clone(), places.config().display().to_string());
            Ok(Setting { key, value: params.value.clone(), origin })
        }
        _ => get(places, &GetParams { key: params.key.clone(), dir: None }, false),
    }
}

/// `config.show`; `trusted` says whether the project's own file counts.
///
/// # Errors
/// `config` when a file is wrong.
pub fn show(places: &Places, dir: Option<&str>, trusted: bool) -> Result<ShowResult, Told> {
    let settings = Settings::of_process(&layers(places, dir.filter(|_| trusted)))?;
    let left_out: Option<PathBuf> = dir
        .filter(|_| !trusted)
        .map(|dir| project_file(Path::new(dir)))
        .filter(|file| file.exists());
    Ok(ShowResult {
        settings: settings.values.iter().map(|(key, sourced)| setting(key, sourced)).collect(),
        file: places.config().display().to_string(),
        untrusted: left_out.map(|file| file.display().to_string()),
    })
}

fn layers(places: &Places, trusted_dir: Option<&str>) -> Layers {
    trusted_dir.map_or_else(
        || Layers::of_user(places),
        |dir| Layers::of_trusted_project(places, Path::new(dir)),
    )
}

fn setting(key: &str, sourced: &Sourced) -> Setting {
    Setting { key: key.to_owned(), value: sourced.value.clone(), origin: sourced.origin.clone() }
}
