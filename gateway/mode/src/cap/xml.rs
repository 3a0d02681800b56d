//! The subset of XML that messages need: elements and text. No document type, no entities but the
//! five predefined ones; bounded in size, depth and number against malicious messages.

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use super::{LARGEST, NAMESPACE};

/// Deepest nesting; a message has four levels.
const DEEPEST: usize = 16;

/// Most elements of a message.
const MOST: usize = 10_000;

/// An element of the message's namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name.
    pub name: String,
    /// Its text, without blanks around it.
    pub text: String,
    /// Its child elements.
    pub children: Vec<Element>,
}

/// Why a text is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is too long.
    #[error("{0} bytes is too long for a message, at most {LARGEST} are looked at")]
    Large(usize),
    /// Not UTF-8.
    #[error("not UTF-8 text")]
    NotText,
    /// Not XML, or XML that no message needs.
    #[error("not the XML of a message: {0}")]
    Xml(String),
    /// Elements are missing or wrong.
    #[error("not a CAP 1.2 message: {0}")]
    Message(String),
}

/// Reads the one element of a document.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, Malformed> {
    if bytes.len() > LARGEST {
        return Err(Malformed::Large(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let wrong = |what: &str| Malformed::Xml(what.to_owned());
    let mut reader = NsReader::from_str(text);
    let mut tree = Tree::default();
    loop {
        let (space, event) =
            reader.read_resolved_event().map_err(|error| Malformed::Xml(error.to_string()))?;
        let is_ours = matches!(space, ResolveResult::Bound(space) if space.0 == NAMESPACE);
        match event {
            Event::Start(start) => tree.open(start.local_name().as_ref(), is_ours)?,
            Event::Empty(start) => {
                tree.open(start.local_name().as_ref(), is_ours)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.write(&text.xml10_content())?,
            Event::CData(text) => tree.write(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let character =
                    reference.resolve_char_ref().map_err(|error| Malformed::Xml(error.to_string()))?;
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => tree.write(character.encode_utf8(&mut [0; 4]))?,
                    (None, Some(text)) => tree.write(text)?,
                    (None, None) => return Err(Malformed::Xml(format!("the entity &{name}; is not known"))),
                }
            }
            Event::DocType(_) => return Err(wrong("a document type is not allowed")),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    tree.end()
}

/// The state of the parser.
#[derive(Default)]
struct Tree {
    /// Elements that are open, the outermost first.
    open: Vec<Element>,
    /// Number of open foreign elements, whose content is skipped.
    foreign: usize,
    /// The root element, once it is closed.
    whole: Option<Element>,
    count: usize,
}

// === impl Tree ===

impl Tree {
    fn open(&mut self, name: &str, is_ours: bool) -> Result<(), Malformed> {
        let wrong = |what: String| Err(Malformed::Xml(what));
        self.count += 1;
        if self.count > MOST {
            return wrong(format!("more than {MOST} elements"));
        }
        if self.open.len() + self.foreign >= DEEPEST {
            return wrong(format!("deeper than {DEEPEST} elements"));
        }
        if self.whole.is_some() {
            return wrong("something follows after the message".to_owned());
        }
        if self.foreign > 0 || (!is_ours && !self.open.is_empty()) {
            self.foreign += 1;
            return Ok(());
        }
        if !is_ours {
            return Err(Malformed::Message(format!("<{name}> is not of the namespace {NAMESPACE}")));
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Malformed> {
        if self.foreign > 0 {
            self.foreign -= 1;
            return Ok(());
        }
        let mut closed = self.open.pop().ok_or(Malformed::Xml("an end without a beginning".to_owned()))?;
        closed.text = closed.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.whole = Some(closed),
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), Malformed> {
        if self.foreign > 0 {
            return Ok(());
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Malformed::Xml("text outside of the message".to_owned())),
        }
        Ok(())
    }

    fn end(self) -> Result<Element, Malformed> {
        match self.whole {
            Some(whole) if self.open.is_empty() && self.foreign == 0 => Ok(whole),
            _ => Err(Malformed::Xml("it ends in the middle".to_owned())),
        }
    }
}
