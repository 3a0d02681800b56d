//! The canonical form of a plan that is tied to a building: bytes that depend on what the plan and
//! the building say and on no name in the source text.
//!
//! A form is a sequence of items, each with a tag, so that no two different plans have the same bytes:
//!
//! | item | bytes |
//! |---|---|
//! | text | `s`, its length in bytes, `:`, its UTF-8 |
//! | whole number | `i`, decimal, `;` |
//! | number | `f`, the 16 hexadecimal digits of its IEEE 754 bits, `;` |
//! | truth | `t` or `u` (untrue) |
//! | nothing | `n` |
//! | list | `l`, how many items, `:`, the items |
//! | members | `m`, how many members, `:`, for each a text (its key) and an item, in the order below |
//! | variant | `v`, a text (its word), an item (what it carries) |
//!
//! A span of time is a whole number of nanoseconds. The keys and words are written out here; they are
//! part of the form and never change with the names of fields and types. A change of the form itself
//! is a new version.

use std::time::Duration;

use super::super::resolved_plan::ResolvedPlan;

/// The bytes of a plan that is tied to a building.
#[must_use]
pub(super) fn of(plan: &ResolvedPlan) -> Vec<u8> {
    let mut form = Form(Vec::new());
    form.resolved(plan);
    form.0
}

/// A form that is being written.
pub(super) struct Form(Vec<u8>);

/// Writes one item.
pub(super) type Item<'i> = &'i dyn Fn(&mut Form);

// === impl Form ===

impl Form {
    pub(super) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.raw(&format!("s{}:{text}", text.len()));
    }

    pub(super) fn whole(&mut self, number: impl Into<i128>) {
        self.raw(&format!("i{};", number.into()));
    }

    pub(super) fn position(&mut self, position: usize) {
        self.whole(i128::try_from(position).expect("a position fits 128 bits"));
    }

    pub(super) fn number(&mut self, number: f64) {
        self.raw(&format!("f{:016x};", number.to_bits()));
    }

    pub(super) fn truth(&mut self, is_true: bool) {
        self.raw(if is_true { "t" } else { "u" });
    }

    pub(super) fn span(&mut self, span: Duration) {
        self.whole(i128::try_from(span.as_nanos()).expect("a span of 64 bits of seconds fits"));
    }

    pub(super) fn maybe<T>(&mut self, item: Option<&T>, each: impl Fn(&mut Self, &T)) {
        match item {
            Some(item) => each(self, item),
            None => self.raw("n"),
        }
    }

    pub(super) fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.raw(&format!("l{}:", items.len()));
        items.iter().for_each(|item| each(self, item));
    }

    pub(super) fn texts(&mut self, items: &[String]) {
        self.list(items, |form, text| form.text(text));
    }

    pub(super) fn positions(&mut self, items: &[usize]) {
        self.list(items, |form, position| form.position(*position));
    }

    pub(super) fn members(&mut self, members: &[(&str, Item<'_>)]) {
        self.raw(&format!("m{}:", members.len()));
        for (key, item) in members {
            self.text(key);
            item(self);
        }
    }

    pub(super) fn variant(&mut self, word: &str, item: impl Fn(&mut Self)) {
        self.raw("v");
        self.text(word);
        item(self);
    }

    pub(super) fn bare(&mut self, word: &str) {
        self.variant(word, |form| form.raw("n"));
    }
}
