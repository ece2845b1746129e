//! Reading one configuration file: TOML in, checked settings with their lines out.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;
use toml_edit::{Document, Item, TableLike};

use super::error::{Error, Place};
use super::keys::{self, Shape};

/// One setting as a file (or a variable) gives it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    /// Its dotted name.
    pub(crate) key: String,
    /// Its value, checked.
    pub(crate) value: Value,
    /// Where it stands: `FILE:LINE`, or a variable.
    pub(crate) origin: String,
}

/// Reads a file; one that is not there gives nothing.
///
/// # Errors
/// When it cannot be read, is no TOML, or holds what no setting takes.
pub(crate) fn read(path: &Path) -> Result<Vec<Given>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::File { attempt: "read", path: path.to_owned(), source }),
    }
}

/// Reads the text of the file at `path`, which is only named.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse(path: &Path, text: &str) -> Result<Vec<Given>, Error> {
    let document = Document::parse(text).map_err(|error| Error::Syntax {
        place: place(path, text, error.span()),
        message: error.message().lines().next().unwrap_or_default().to_owned(),
    })?;
    let mut found = Vec::new();
    Reader { path, text }.table("", document.as_table(), &mut found)?;
    Ok(found)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn table(
        &self,
        above: &str,
        table: &dyn TableLike,
        found: &mut Vec<Given>,
    ) -> Result<(), Error> {
        for (name, item) in table.iter() {
            let key = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
            // A dot inside a quoted name would read as two names everywhere else.
            let unknown = name.contains('.') || name.is_empty();
            let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            let place = place(self.path, self.text, span);
            match (keys::find(&key), item.as_table_like()) {
                _ if unknown => return Err(Error::Unknown { place, key, nearest: None }),
                (Some(row), _) => {
                    let value = checked(row.shape, &key, json(item), &place)?;
                    found.push(Given { key, value, origin: place.0 });
                }
                (None, Some(below)) if keys::is_table(&key) => self.table(&key, below, found)?,
                (None, None) if keys::is_table(&key) => {
                    return Err(Error::WrongValue {
                        place,
                        expected: "a table".into(),
                        found: describe(&json(item)),
                        key,
                    });
                }
                _ => return Err(Error::Unknown { place, nearest: keys::nearest(&key), key }),
            }
        }
        Ok(())
    }
}

fn place(path: &Path, text: &str, span: Option<Range<usize>>) -> Place {
    let start = span.map_or(0, |span| span.start).min(text.len());
    let line = 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count();
    Place(format!("{}:{line}", path.display()))
}

fn json(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(name, item)| (name.to_owned(), json(item))).collect();
    }
    item.as_value().map_or(Value::Null, value_json)
}

fn value_json(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => Value::String(text.value().clone()),
        Toml::Integer(number) => Value::from(*number.value()),
        Toml::Float(number) => Value::from(*number.value()),
        Toml::Boolean(flag) => Value::Bool(*flag.value()),
        Toml::Datetime(moment) => Value::String(moment.value().to_string()),
        Toml::Array(list) => list.iter().map(value_json).collect(),
        Toml::InlineTable(table) => {
            table.iter().map(|(name, value)| (name.to_owned(), value_json(value))).collect()
        }
    }
}

/// The value as the setting keeps it, or why it cannot hold it.
///
/// # Errors
/// [`Error::WrongValue`] and [`Error::NotYet`].
pub(crate) fn checked(
    shape: Shape,
    key: &str,
    value: Value,
    place: &Place,
) -> Result<Value, Error> {
    if let (Shape::Choice(words, later), Value::String(word)) = (shape, &value)
        && !words.contains(&word.as_str())
        && later.contains(&word.as_str())
    {
        return Err(Error::NotYet {
            place: place.clone(),
            key: key.to_owned(),
            value: word.clone(),
            possible: shape.describe(),
        });
    }
    if fits(shape, &value) {
        return Ok(value);
    }
    Err(Error::WrongValue {
        place: place.clone(),
        key: key.to_owned(),
        expected: shape.describe(),
        found: describe(&value),
    })
}

fn fits(shape: Shape, value: &Value) -> bool {
    let texts =
        |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    match shape {
        Shape::Flag => value.is_boolean(),
        Shape::Whole(least, most) => value.as_i64().is_some_and(|n| (least..=most).contains(&n)),
        Shape::Amount => value.as_f64().is_some_and(|n| n >= 0.0),
        Shape::Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Shape::Texts => texts(value),
        Shape::Words => {
            value.as_str().is_some_and(|text| !text.trim().is_empty())
                || (texts(value) && value.as_array().is_some_and(|list| !list.is_empty()))
        }
        Shape::TextTable => {
            value.as_object().is_some_and(|table| table.values().all(Value::is_string))
        }
        Shape::Choice(words, _) => value.as_str().is_some_and(|word| words.contains(&word)),
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(_) | Value::Number(_) => format!("{value}"),
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => format!("the list {value}"),
        Value::Object(_) => "a table".into(),
    }
}
