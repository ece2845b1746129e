//! The attention queue: questions, and the one answer each gets.

use orchflow_types::attention::Attention;
use orchflow_types::{AttentionId, RunId, TaskId, Timestamp};
use rusqlite::{Row, params};

use crate::column::{At, Json, Key, Word, key, key_opt};
use crate::{Error, Reader, Tx};

macro_rules! columns {
    () => {
        "SELECT attention_id, kind, run_id, task_id, question, options, raised_at, answer, \
         answered_at FROM attention "
    };
}

/// Raises a question.
///
/// # Errors
/// A conflict when it is there already.
pub fn raise(tx: &mut Tx<'_>, attention: &Attention) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO attention (attention_id, kind, run_id, task_id, question, options, \
         raised_at, answer, answered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            key(attention.attention_id),
            Word(attention.kind),
            key_opt(attention.run_id),
            key_opt(attention.task_id),
            attention.question,
            Json(&attention.options),
            At(attention.raised_at),
            attention.answer,
            attention.answered_at.map(At),
        ],
    )?;
    Ok(())
}

/// Answers a question and gives it back as it now is. The first answer stands.
///
/// # Errors
/// [`Error::AttentionNotFound`]; [`Error::AlreadyAnswered`] with the answer that stands;
/// [`Error::NotAnOption`].
pub fn answer(
    tx: &mut Tx<'_>,
    id: AttentionId,
    answer: &str,
    at: Timestamp,
) -> Result<Attention, Error> {
    let asked = get(tx, id)?.ok_or(Error::AttentionNotFound(id))?;
    if let Some(answer) = asked.answer {
        return Err(Error::AlreadyAnswered { attention: id, answer });
    }
    if !asked.options.iter().any(|option| option == answer) {
        let given = answer.to_owned();
        return Err(Error::NotAnOption { attention: id, given, options: asked.options });
    }
    settle(tx, asked, answer, at)
}

/// Closes a question that nobody needs to answer any more, with a word that need not be
/// among its options; none when it is not open.
///
/// # Errors
/// When the database cannot be written.
pub fn close(
    tx: &mut Tx<'_>,
    id: AttentionId,
    answer: &str,
    at: Timestamp,
) -> Result<Option<Attention>, Error> {
    let open = get(tx, id)?.filter(|asked| asked.answer.is_none());
    open.map(|asked| settle(tx, asked, answer, at)).transpose()
}

/// A question.
///
/// # Errors
/// When the database cannot be read.
pub fn get(reader: &Reader<'_>, id: AttentionId) -> Result<Option<Attention>, Error> {
    reader.one(concat!(columns!(), "WHERE attention_id = ?1"), [key(id)], attention)
}

/// Every open question, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn open(reader: &Reader<'_>) -> Result<Vec<Attention>, Error> {
    reader.all(concat!(columns!(), "WHERE answer IS NULL ORDER BY attention_id"), [], attention)
}

/// At most `limit` questions, answered or not, newest first, older than `before`.
///
/// # Errors
/// When the database cannot be read.
pub fn all(
    reader: &Reader<'_>,
    before: Option<AttentionId>,
    limit: u32,
) -> Result<Vec<Attention>, Error> {
    reader.all(
        concat!(columns!(), "WHERE attention_id < ?1 ORDER BY attention_id DESC LIMIT ?2"),
        params![before.map_or([0xff; 16], key), limit],
        attention,
    )
}

/// Every question of a run, answered or not, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn of_run(reader: &Reader<'_>, run_id: RunId) -> Result<Vec<Attention>, Error> {
    reader.all(
        concat!(columns!(), "WHERE run_id = ?1 ORDER BY attention_id"),
        [key(run_id)],
        attention,
    )
}

/// The open questions that hold a run up, oldest first.
///
/// # Errors
/// When the database cannot be read.
pub fn open_for_run(reader: &Reader<'_>, run_id: RunId) -> Result<Vec<Attention>, Error> {
    reader.all(
        concat!(columns!(), "WHERE run_id = ?1 AND answer IS NULL ORDER BY attention_id"),
        [key(run_id)],
        attention,
    )
}

fn settle(
    tx: &mut Tx<'_>,
    asked: Attention,
    answer: &str,
    at: Timestamp,
) -> Result<Attention, Error> {
    tx.execute(
        "UPDATE attention SET answer = ?2, answered_at = ?3 WHERE attention_id = ?1",
        params![key(asked.attention_id), answer, At(at)],
    )?;
    Ok(Attention { answer: Some(answer.to_owned()), answered_at: Some(at), ..asked })
}

fn attention(row: &Row<'_>) -> rusqlite::Result<Attention> {
    Ok(Attention {
        attention_id: row.get::<_, Key<AttentionId>>(0)?.0,
        kind: row.get::<_, Word<_>>(1)?.0,
        run_id: row.get::<_, Option<Key<RunId>>>(2)?.map(|id| id.0),
        task_id: row.get::<_, Option<Key<TaskId>>>(3)?.map(|id| id.0),
        question: row.get(4)?,
        options: row.get::<_, Json<_>>(5)?.0,
        raised_at: row.get::<_, At>(6)?.0,
        answer: row.get(7)?,
        answered_at: row.get::<_, Option<At>>(8)?.map(|at| at.0),
    })
}
