//! What blocked visitors get, through the public interface.
#![allow(clippy::unwrap_used)]

mod compile;
mod fields;
mod formats;
mod hostile;
mod page;

use std::path::Path;
use std::sync::Arc;

use maintenance_mode::answer::{Answer, AnswerConfig, AnswerPolicy, AnswerSet, Notice};
use maintenance_mode::policy::Complaints;
use maintenance_mode::state::Message;
use maintenance_mode::{Facts, Mode, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_795_212_000_000);

const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
);
const JSON: (&str, &str) = ("accept", "application/json");
const TEXT: (&str, &str) = ("accept", "text/plain");

type Fields = Vec<(&'static str, &'static str)>;

fn config(toml: &str) -> AnswerConfig {
    toml::from_str(toml).unwrap()
}

fn policy_in(base: &Path, toml: &str) -> AnswerPolicy {
    let mut complaints = Complaints::new();
    let policy = AnswerPolicy::compile(&config(toml), "answer", base, &mut complaints);
    assert!(complaints.is_empty(), "{complaints}");
    policy
}

fn policy(toml: &str) -> AnswerPolicy {
    policy_in(Path::new("."), toml)
}

fn set_of(policy: AnswerPolicy, notice: Notice) -> AnswerSet {
    AnswerSet::new(Arc::new(policy), notice)
}

/// A closed default site with this `[answer]` section.
fn set(toml: &str) -> AnswerSet {
    set_of(policy(toml), Notice::new(Mode::Offline))
}

fn message(text: &str) -> Option<Message> {
    Some(Message::new(text).unwrap())
}

fn ask<'s>(set: &'s AnswerSet, method: &str, headers: &Fields) -> Answer<'s> {
    set.answer(&Facts::new(method, "/").headers(headers), NOW, None)
}

fn get<'s>(set: &'s AnswerSet, headers: &Fields) -> Answer<'s> {
    ask(set, "GET", headers)
}

fn all_fields(answer: &Answer<'_>) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    answer.for_each_field(|name, value| {
        fields.push((name.to_owned(), String::from_utf8(value.to_vec()).unwrap()));
    });
    fields
}

/// The only field with this name.
fn field(answer: &Answer<'_>, name: &str) -> Option<String> {
    let mut values = all_fields(answer)
        .into_iter()
        .filter(|(field, _)| field == name);
    let value = values.next().map(|(_, value)| value);
    assert_eq!(values.next(), None, "{name} is there twice");
    value
}

fn body(answer: &Answer<'_>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

fn json(answer: &Answer<'_>) -> serde_json::Value {
    serde_json::from_slice(answer.body()).unwrap()
}
