//! `config.*` as methods: what the daemon answers with what the settings hold.

use std::path::{Path, PathBuf};

use orchflow_client::Error as Told;
use orchflow_protocol::config::{GetParams, SetParams, Setting, ShowResult};
use orchflow_protocol::trust::TrustFile;
use orchflow_types::ErrorKind;

use super::{Error, Layers, Place, Settings, Sourced, keys, project_file, set as write};
use crate::places::Places;

/// `config.get`; of the project's own files the `trusted` ones count.
///
/// # Errors
/// `config` when no setting has this name or a file is wrong; `not_found` when it has no value.
pub fn get(places: &Places, params: &GetParams, trusted: &[TrustFile]) -> Result<Setting, Told> {
    let key = &params.key;
    if keys::find(key).is_none() {
        let place = Place::default();
        let nearest = keys::nearest(key);
        return Err(Error::Unknown { place, key: key.clone(), nearest }.into());
    }
    let settings = Settings::of_process(&layers(places, params.dir.as_deref(), trusted)?)?;
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
    match Settings::of_process(&Layers::of_user(places)) {
        Err(Error::Agent { .. }) => {
            let (key, origin) = (params.key.clone(), places.config().display().to_string());
            Ok(Setting { key, value: params.value.clone(), origin })
        }
        _ => get(places, &GetParams { key: params.key.clone(), dir: None }, &[]),
    }
}

/// `config.show`; of the project's own files the `trusted` ones count.
///
/// # Errors
/// `config` when a file is wrong.
pub fn show(places: &Places, dir: Option<&str>, trusted: &[TrustFile]) -> Result<ShowResult, Told> {
    let layers = layers(places, dir, trusted)?;
    let settings = Settings::of_process(&layers)?;
    let left_out: Option<PathBuf> = dir
        .filter(|_| layers.project.is_none())
        .map(|dir| project_file(Path::new(dir)))
        .filter(|file| file.exists());
    Ok(ShowResult {
        settings: settings.values.iter().map(|(key, sourced)| setting(key, sourced)).collect(),
        file: places.config().display().to_string(),
        untrusted: left_out.map(|file| file.display().to_string()),
    })
}

fn layers(places: &Places, dir: Option<&str>, trusted: &[TrustFile]) -> Result<Layers, Error> {
    match dir {
        Some(dir) => Layers::of_project(places, Path::new(dir), trusted),
        None => Ok(Layers::of_user(places)),
    }
}

fn setting(key: &str, sourced: &Sourced) -> Setting {
    Setting { key: key.to_owned(), value: sourced.value.clone(), origin: sourced.origin.clone() }
}
