//! One operation of the document: what it is for, what it takes, what it answers, and why it refuses.

use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Makes the schema of a type.
pub type Of = fn(&mut SchemaGenerator) -> Schema;

/// The body of a request.
#[derive(Clone, Copy)]
pub struct Body {
    /// Its media types.
    pub kinds: &'static [&'static str],
    /// Its schema; `None` for bytes.
    pub schema: Option<Of>,
    /// Whether it may be left out.
    pub is_optional: bool,
}

/// A good answer.
#[derive(Clone, Copy)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its media types; empty without a body.
    pub kinds: &'static [&'static str],
    /// Its schema; `None` without a body and for bytes.
    pub schema: Option<Of>,
    /// Whether it sets the cookie of a log-in or of a screen.
    pub sets_cookie: bool,
    /// Whether it is a page of a list.
    pub is_page: bool,
}

/// An operation. What the table of permissions says of it is added later.
#[derive(Clone)]
pub struct Operation {
    /// Method.
    pub method: Method,
    /// Path, as in the table of permissions.
    pub path: &'static str,
    /// The area it belongs to.
    pub tag: &'static str,
    /// What it does, in English and Chinese.
    pub summary: (&'static str, &'static str),
    /// More about it; may be empty.
    pub about: &'static str,
    /// Its query.
    pub query: Option<Of>,
    /// Its body.
    pub body: Option<Body>,
    /// Words that its parameter `operation` may be.
    pub operations: &'static [&'static str],
    /// Its good answer.
    pub answer: Answer,
    /// Refusals of its own, beside those that every operation of its kind has.
    pub refusals: Vec<u16>,
}

const JSON: &[&str] = &["application/json"];

/// An operation that reads.
pub const fn get(path: &'static str, tag: &'static str, summary: (&'static str, &'static str)) -> Operation {
    operation(Method::GET, path, tag, summary)
}

/// An operation that acts.
pub const fn post(path: &'static str, tag: &'static str, summary: (&'static str, &'static str)) -> Operation {
    operation(Method::POST, path, tag, summary)
}

/// An operation that takes away.
pub const fn delete(
    path: &'static str,
    tag: &'static str,
    summary: (&'static str, &'static str),
) -> Operation {
    operation(Method::DELETE, path, tag, summary)
}

const fn operation(
    method: Method,
    path: &'static str,
    tag: &'static str,
    summary: (&'static str, &'static str),
) -> Operation {
    let answer = Answer { status: 204, kinds: &[], schema: None, sets_cookie: false, is_page: false };
    Operation {
        method,
        path,
        tag,
        summary,
        about: "",
        query: None,
        body: None,
        operations: &[],
        answer,
        refusals: Vec::new(),
    }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

// === impl Operation ===

impl Operation {
    /// More about it.
    pub fn about(mut self, text: &'static str) -> Self {
        self.about = text;
        self
    }

    /// It takes this query, whose members are the parameters.
    pub fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(|generator| T::json_schema(generator));
        self
    }

    /// It takes this JSON.
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { kinds: JSON, schema: Some(of::<T>), is_optional: false });
        self
    }

    /// It takes this JSON, or nothing.
    pub fn may_take<T: JsonSchema>(mut self) -> Self {
        self.body = Some(Body { kinds: JSON, schema: Some(of::<T>), is_optional: true });
        self
    }

    /// It takes bytes of one of these kinds.
    pub fn takes_bytes(mut self, kinds: &'static [&'static str], is_optional: bool) -> Self {
        self.body = Some(Body { kinds, schema: None, is_optional });
        self
    }

    /// Its path ends in one of these words.
    pub fn operations(mut self, words: &'static [&'static str]) -> Self {
        self.operations = words;
        self
    }

    /// It answers this JSON.
    pub fn gives<T: JsonSchema>(self) -> Self {
        self.answers(200, JSON, Some(of::<T>))
    }

    /// It makes something new and answers this JSON.
    pub fn creates<T: JsonSchema>(self) -> Self {
        self.answers(201, JSON, Some(of::<T>))
    }

    /// It answers JSON of a kind of its own.
    pub fn gives_kind<T: JsonSchema>(self, kinds: &'static [&'static str]) -> Self {
        self.answers(200, kinds, Some(of::<T>))
    }

    /// Its answer sets a cookie.
    pub fn sets_cookie(mut self) -> Self {
        self.answer.sets_cookie = true;
        self
    }

    /// Its answer is a page of a list.
    pub fn paged(mut self) -> Self {
        self.answer.is_page = true;
        self
    }

    fn answers(mut self, status: u16, kinds: &'static [&'static str], schema: Option<Of>) -> Self {
        self.answer = Answer { status, kinds, schema, ..self.answer };
        self
    }

    /// Refusals of its own.
    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend_from_slice(statuses);
        self
    }

    /// A service does it, which may be busy or stopping.
    pub fn by_service(self) -> Self {
        self.refuses(&[503])
    }

    /// It is stored before it is answered, for which the store may have no room.
    pub fn stored(self) -> Self {
        self.refuses(&[503, 507])
    }
}
