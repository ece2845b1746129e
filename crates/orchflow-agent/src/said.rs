//! What an agent said, out of the lines it printed: its last words, its failure, its use.

use serde_json::Value;

use crate::text::{clip, clip_start, plain};
use crate::{Format, Usage};

/// The most bytes of an agent's words that are kept; of more, the end.
const LIMIT: usize = 1 << 20;

/// What was read so far.
#[derive(Debug)]
pub(crate) struct Said {
    format: Format,
    /// Its last words; for plain text, all of them.
    pub(crate) text: String,
    /// Whether the beginning of `text` was let go.
    pub(crate) cut: bool,
    /// Why it failed, in its own words.
    pub(crate) error: Option<String>,
    /// Whether it told that its turn came to an end.
    pub(crate) complete: bool,
    /// Its own name for the conversation.
    pub(crate) session: Option<String>,
    /// What it used.
    pub(crate) usage: Option<Usage>,
    /// Whether the next piece of text begins a new message.
    fresh: bool,
}

impl Said {
    pub(crate) const fn new(format: Format) -> Self {
        // Plain text has no way to tell; neither has opencode, which tells of errors only.
        let complete = matches!(format, Format::Text | Format::Opencode);
        Self {
            format,
            text: String::new(),
            cut: false,
            error: None,
            complete,
            session: None,
            usage: None,
            fresh: true,
        }
    }

    /// Takes a line of standard output. What is no event, or an unknown one, says nothing.
    pub(crate) fn line(&mut self, line: &str) {
        if self.format == Format::Text {
            self.add(&plain(line));
            self.add("\n");
            return;
        }
        let Ok(event) = serde_json::from_str::<Value>(line) else { return };
        match self.format {
            Format::Text => {}
            Format::Codex => self.codex(&event),
            Format::Gemini => self.gemini(&event),
            Format::Opencode => self.opencode(&event),
        }
    }

    fn add(&mut self, more: &str) {
        if self.text.len() + more.len() > 2 * LIMIT {
            self.text = clip_start(&self.text, LIMIT).to_owned();
            self.cut = true;
        }
        self.text.push_str(clip(more, LIMIT));
        self.cut |= more.len() > LIMIT;
    }

    fn codex(&mut self, event: &Value) {
        match word(event, "/type") {
            Some("thread.started") => self.session = owned(event, "/thread_id"),
            Some("item.completed") if word(event, "/item/type") == Some("agent_message") => {
                self.text.clear();
                self.add(word(event, "/item/text").unwrap_or_default());
            }
            Some("turn.failed") => {
                let message = word(event, "/error/message").unwrap_or("its turn failed");
                self.error = Some(message.to_owned());
            }
            Some("turn.completed") => {
                let cached = number(event, "/usage/cached_input_tokens");
                // Here the cached tokens are part of the input's.
                let input = number(event, "/usage/input_tokens").saturating_sub(cached);
                self.complete = true;
                self.count(input, number(event, "/usage/output_tokens"), cached, None);
            }
            // An `error` by itself is a retry under way; `turn.failed` says when it gave up.
            _ => {}
        }
    }

    fn gemini(&mut self, event: &Value) {
        match word(event, "/type") {
            Some("init") => self.session = owned(event, "/session_id"),
            Some("message") if word(event, "/role") == Some("assistant") => {
                if std::mem::take(&mut self.fresh) {
                    self.text.clear();
                }
                self.add(word(event, "/content").unwrap_or_default());
            }
            Some("tool_use") => self.fresh = true,
            Some("result") => {
                self.complete = true;
                if word(event, "/status") != Some("success") {
                    let message = word(event, "/error/message").unwrap_or("its turn failed");
                    self.error = Some(message.to_owned());
                }
                let cached = number(event, "/stats/cached");
                let input = number(event, "/stats/input_tokens").saturating_sub(cached);
                self.count(input, number(event, "/stats/output_tokens"), cached, None);
            }
            _ => {}
        }
    }

    fn opencode(&mut self, event: &Value) {
        if self.session.is_none() {
            self.session = owned(event, "/sessionID");
        }
        match word(event, "/type") {
            Some("step_start") => self.fresh = true,
            Some("text") => {
                if std::mem::take(&mut self.fresh) {
                    self.text.clear();
                }
                self.add(word(event, "/part/text").unwrap_or_default());
            }
            Some("step_finish") => {
                let tokens = |name: &str| number(event, &format!("/part/tokens/{name}"));
                let cost = event.pointer("/part/cost").and_then(Value::as_f64);
                self.count(tokens("input"), tokens("output"), tokens("cache/read"), cost);
            }
            Some("error") => {
                let message = word(event, "/error/data/message")
                    .or_else(|| word(event, "/error/name"))
                    .unwrap_or("it gave no reason");
                self.error = Some(match event.pointer("/error/data/statusCode") {
                    Some(status) => format!("the model answered {status}: {message}"),
                    None => message.to_owned(),
                });
            }
            _ => {}
        }
    }

    fn count(&mut self, input: u64, output: u64, cached: u64, cost: Option<f64>) {
        let usage = self.usage.get_or_insert_default();
        usage.input_tokens += input;
        usage.output_tokens += output;
        usage.cached_tokens += cached;
        if let Some(cost) = cost {
            usage.cost_usd = Some(usage.cost_usd.unwrap_or(0.0) + cost);
        }
    }
}

/// The end of an agent's words, short enough for a report.
pub(crate) fn summary(text: &str) -> String {
    const LINES: usize = 12;
    const BYTES: usize = 2_000;
    let lines: Vec<String> = clip_start(text.trim(), BYTES)
        .lines()
        .map(|line| plain(line).trim_end().to_owned())
        .collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n").trim().to_owned()
}

/// The text at a place of an event.
pub(crate) fn word<'a>(event: &'a Value, at: &str) -> Option<&'a str> {
    event.pointer(at).and_then(Value::as_str)
}

/// The same to keep.
pub(crate) fn owned(event: &Value, at: &str) -> Option<String> {
    word(event, at).map(str::to_owned)
}

/// The count at a place of an event, 0 when there is none.
pub(crate) fn number(event: &Value, at: &str) -> u64 {
    event.pointer(at).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
