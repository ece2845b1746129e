//! Every setting there is: its dotted name, what it may hold, its default, and whether it
//! has an effect in this version. The one table that reading, writing and showing share.

use serde_json::{Value, json};

/// One setting, or a family of settings where a part of the name is the user's (`*`).
#[derive(Debug)]
pub(crate) struct Key {
    /// Its dotted name; `*` stands for a name the user gives.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) shape: Shape,
    /// What it holds when nobody says; `null` for settings that then do not exist.
    pub(crate) default: fn() -> Value,
    /// What becomes of it in this version.
    pub(crate) effect: Effect,
}

/// What a setting may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// True or false.
    Flag,
    /// A whole number between two bounds, both included.
    Whole(i64, i64),
    /// A number that is not negative.
    Amount,
    /// A text.
    Text,
    /// A list of texts.
    Texts,
    /// A command: a text whose words are quoted as in a shell, or a list of its words.
    Words,
    /// A table of texts.
    TextTable,
    /// One of these words; the second list is known, but not possible in this version.
    Choice(&'static [&'static str], &'static [&'static str]),
}

impl Shape {
    /// What it may hold, in words.
    #[must_use]
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Flag => "true or false".into(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Amount => "a number that is not negative".into(),
            Self::Text => "a text in quotes".into(),
            Self::Texts => "a list of texts".into(),
            Self::Words => "a text, or a list of words".into(),
            Self::TextTable => "a table of texts".into(),
            Self::Choice(words, _) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", quoted.join(", "))
            }
        }
    }
}

/// What becomes of a setting in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It does what it says.
    Full,
    /// It is read and checked, and nothing acts on it yet.
    None,
}

const MINUTES: Shape = Shape::Whole(0, 525_600);
const SECONDS: Shape = Shape::Whole(0, 604_800);

const fn key(name: &'static str, shape: Shape, default: fn() -> Value, effect: Effect) -> Key {
    Key { name, shape, default, effect }
}

/// The table, in the order it is shown.
pub(crate) static KEYS: &[Key] = &[
    key(
        "orchestrator.mode",
        Shape::Choice(&["embedded"], &["sidecar", "service"]),
        || json!("embedded"),
        Effect::Full,
    ),
    key("orchestrator.service_url", Shape::Text, || json!("ws://localhost:3000"), Effect::None),
    key("features.ai_agents", Shape::Flag, || json!(true), Effect::None),
    key("features.memory_manager", Shape::Flag, || json!(true), Effect::None),
    key("features.mcp_integration", Shape::Flag, || json!(true), Effect::None),
    key(
        "terminal.backend",
        Shape::Choice(&["auto", "native"], &["tmux", "wezterm"]),
        || json!("auto"),
        Effect::Full,
    ),
    key(
        "run.mode",
        Shape::Choice(&["sequential", "parallel"], &["pipeline", "watch"]),
        || json!("sequential"),
        Effect::Full,
    ),
    key("run.max_concurrency", Shape::Whole(1, 1000), || json!(4), Effect::Full),
    key("run.max_iterations", Shape::Whole(0, 100), || json!(3), Effect::Full),
    key("run.max_recovery_attempts", Shape::Whole(0, 100), || json!(3), Effect::None),
    key("run.auto_approve", Shape::Flag, || json!(false), Effect::Full),
    key("run.commit", Shape::Flag, || json!(true), Effect::Full),
    key("run.turn_seconds", SECONDS, || json!(1800), Effect::Full),
    key("run.idle_seconds", SECONDS, || json!(600), Effect::Full),
    key("budget.usd", Shape::Amount, || Value::Null, Effect::None),
    key("budget.tokens", Shape::Whole(0, i64::MAX), || Value::Null, Effect::None),
    key("budget.minutes", MINUTES, || json!(120), Effect::Full),
    key("models.chain", Shape::Texts, || json!([]), Effect::None),
    key("roles.*.chain", Shape::Texts, || Value::Null, Effect::Full),
    key("roles.*.prompt", Shape::Text, || Value::Null, Effect::Full),
    key(
        "agents.*.kind",
        Shape::Choice(&["claude-code", "command", "tool"], &["codex", "acp", "api"]),
        || Value::Null,
        Effect::Full,
    ),
    key("agents.*.command", Shape::Words, || Value::Null, Effect::Full),
    key("agents.*.env", Shape::TextTable, || Value::Null, Effect::Full),
    key("agents.*.pass_env", Shape::Texts, || Value::Null, Effect::Full),
    key("agents.*.mode", Shape::Choice(&["pipes", "tty"], &[]), || Value::Null, Effect::Full),
    key(
        "agents.*.format",
        Shape::Choice(&["text", "codex", "gemini", "opencode"], &[]),
        || Value::Null,
        Effect::Full,
    ),
    key(
        "providers.*.kind",
        Shape::Choice(&["anthropic", "openai", "openai-compatible", "gemini", "glm"], &[]),
        || Value::Null,
        Effect::None,
    ),
    key("providers.*.base_url", Shape::Text, || Value::Null, Effect::None),
    key("providers.*.key_env", Shape::Text, || Value::Null, Effect::None),
];

/// The names `roles.*` may have.
pub(crate) const ROLES: [&str; 4] = ["architect", "executor", "auditor", "consultant"];

/// The row a dotted name belongs to.
#[must_use]
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    let found = KEYS.iter().find(|key| matches(key.name, name))?;
    let role = name.strip_prefix("roles.").and_then(|rest| rest.split('.').next());
    (role.is_none_or(|role| ROLES.contains(&role))).then_some(found)
}

/// Whether a dotted name stands above settings: a table of the file.
#[must_use]
pub(crate) fn is_table(name: &str) -> bool {
    let depth = name.split('.').count();
    KEYS.iter()
        .any(|key| key.name.split('.').count() > depth && matches(&first(key.name, depth), name))
        && name.strip_prefix("roles.").is_none_or(|role| ROLES.contains(&role))
}

fn first(name: &str, parts: usize) -> String {
    name.split('.').take(parts).collect::<Vec<_>>().join(".")
}

fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.split('.'), name.split('.'));
    loop {
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some("*"), Some(part)) if !part.is_empty() => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}

/// The known name nearest to one that is not: a user's own parts are kept as they are.
#[must_use]
pub(crate) fn nearest(name: &str) -> Option<String> {
    let depth = name.split('.').count();
    let parts: Vec<&str> = name.split('.').collect();
    let filled = KEYS.iter().flat_map(|key| fill(&first(key.name, depth), &parts));
    let scored = filled.map(|known| (strsim::damerau_levenshtein(&known, name), known));
    let (distance, known) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance > 0 && distance <= 2 + name.len() / 4).then_some(known)
}

fn fill(pattern: &str, parts: &[&str]) -> Vec<String> {
    let is_role = pattern.starts_with("roles.");
    let own = parts.get(1).copied().unwrap_or_default();
    if is_role && !ROLES.contains(&own) {
        return ROLES.iter().map(|role| pattern.replacen('*', role, 1)).collect();
    }
    vec![pattern.replacen('*', own, 1)]
}

/// What to tell of a setting that was given a value, when nothing acts on it in this version.
#[must_use]
pub fn without_effect(name: &str) -> Option<String> {
    let key = find(name)?;
    (key.effect == Effect::None)
        .then(|| format!("`{name}` is known, but has no effect in this version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_users_own_stands_for_the_star() {
        assert_eq!(find("agents.claude.kind").map(|key| key.name), Some("agents.*.kind"));
        assert!(find("agents..kind").is_none());
        assert!(find("agents.claude").is_none());
        assert!(is_table("agents.claude") && is_table("run") && !is_table("run.mode"));
    }

    #[test]
    fn only_the_four_roles_are_roles() {
        assert!(find("roles.auditor.chain").is_some());
        assert!(find("roles.judge.chain").is_none());
        assert!(!is_table("roles.judge"));
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        assert_eq!(nearest("run.max_concurency").as_deref(), Some("run.max_concurrency"));
        assert_eq!(nearest("agents.claude.comand").as_deref(), Some("agents.claude.command"));
        assert_eq!(nearest("orchestrater").as_deref(), Some("orchestrator"));
        assert_eq!(nearest("roles.audiotr").as_deref(), Some("roles.auditor"));
        assert_eq!(nearest("zzzzzzzz"), None);
    }
}
