//! Questions of monitors: who is at this bed? `QRY^A19` (HL7 v2.5.1, 3.3.19; query segments in 5.10.5.3 and 5.10.5.4),
//! `QBP^Q22` and `QBP^ZV1` (IHE ITI TF-2, 3.21 and 3.22: Patient Demographics Query, with visit), and their answers.
//!
//! What is answered is decided elsewhere: this reads what is asked and writes what was found.

use linli_domain::Timestamp;
use linli_domain::vital::Sex;

use super::acknowledge::{Code, acknowledge, escape, header, is_wanted};
use super::message::{Message, Segment};

/// Longest query that is repeated in its answer, in characters.
const LONGEST_ECHO: usize = 1000;

/// Most things that one query may ask for.
const MOST: usize = 32;

/// What the fields of a demographics query are called, and what they are here (ITI TF-2, table 3.21.4.1.2.2-2).
const FIELDS: [(&str, Field); 13] = [
    ("PID.3.1", Field::Id),
    ("PID.3", Field::Id),
    ("PID.2.1", Field::Id),
    ("PID.18.1", Field::Id),
    ("PID.18", Field::Id),
    ("PV1.19.1", Field::Id),
    ("PV1.19", Field::Id),
    ("PID.5.1", Field::FamilyName),
    ("PID.5.2", Field::GivenName),
    ("PID.5", Field::FamilyName),
    ("PID.7", Field::Birth),
    ("PID.8", Field::Sex),
    ("PV1.3", Field::Place),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    FamilyName,
    GivenName,
    Birth,
    Sex,
    Place,
}

/// The kind of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `QRY^A19`, answered with `ADR^A19`.
    A19,
    /// `QBP^Q22` (ITI-21), answered with `RSP^K22`.
    Q22,
    /// `QBP^ZV1` (ITI-22), answered with `RSP^ZV2`.
    Zv1,
}

/// What a monitor asks. What is empty is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Identifiers of the patient or the visit; each must be theirs.
    pub ids: Vec<String>,
    /// Family and given name.
    pub name: String,
    /// Birthday as digits, to the day or less.
    pub birth: String,
    /// Sex as it was written.
    pub sex: String,
    /// Point of care, room, bed.
    pub places: Vec<String>,
}

/// A query of a monitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its kind.
    pub form: Form,
    /// What is asked; or why it is not answered, in words.
    pub asked: Result<Asked, String>,
    /// By what its sender knows the answer again.
    tag: String,
}

/// The patient that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The id of the visit, by which results find it.
    pub visit: String,
    /// The resident's pseudonym, if one is named.
    pub pseudonym: Option<String>,
    /// The name, or what stands in its place.
    pub name: String,
    /// It is no name of a person.
    pub is_code: bool,
    /// `YYYY` or `YYYYMMDD`; empty when it is not known.
    pub birth: String,
    /// Sex, if it is known.
    pub sex: Option<Sex>,
    /// The room of the visit.
    pub room: String,
}

/// What becomes of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// This patient.
    Found(Found),
    /// Nobody of whom this is true is here.
    Nobody,
    /// It is not answered as it is asked (`AE`).
    Wrong(String),
    /// It is not answered, or not now (`AR`).
    Refused(String),
}

// === impl Query ===

impl Query {
    /// The query in a message; `None` if it is none.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        let kind = message.segment("MSH")?;
        let part = |nth: usize| kind.component(9, nth).trim().to_uppercase();
        let form = match (part(1).as_str(), part(2).as_str()) {
            ("QRY", "A19") => Form::A19,
            ("QBP", "Q22") => Form::Q22,
            ("QBP", "ZV1") => Form::Zv1,
            _ => return None,
        };
        Some(match form {
            Form::A19 => Self::by_definition(message),
            Form::Q22 | Form::Zv1 => Self::by_parameters(message, form),
        })
    }

    /// By QRD and QRF. QRD-8 is who is asked for, QRF-5 (what else limits it) the place; neither: who is here?
    fn by_definition(message: &Message) -> Self {
        let form = Form::A19;
        let Some(definition) = message.segment("QRD") else {
            return Self { form, asked: Err("QRD is missing".to_owned()), tag: String::new() };
        };
        let tag = definition.text(4);
        let mut asked = Asked::default();
        for parts in definition.components(8).into_iter().take(MOST) {
            let part = |nth: usize| parts.get(nth).map(|text| text.trim().to_owned()).unwrap_or_default();
            asked.ids.extend(Some(part(0)).filter(|id| !id.is_empty()));
            if asked.name.is_empty() {
                asked.name = part(1) + &part(2);
            }
        }
        if let Some(filter) = message.segment("QRF") {
            let places = filter.components(5).into_iter().flatten().take(MOST);
            asked
                .places
                .extend(places.map(|place| place.trim().to_owned()).filter(|place| !place.is_empty()));
        }
        Self { form, asked: Ok(asked), tag }
    }

    /// By QPD-3: `@PID.3.1^A1~@PID.5.1^张`.
    fn by_parameters(message: &Message, form: Form) -> Self {
        let Some(definition) = message.segment("QPD") else {
            return Self { form, asked: Err("QPD is missing".to_owned()), tag: String::new() };
        };
        let tag = definition.text(2);
        let mut asked = Asked::default();
        let (mut family, mut given) = (String::new(), String::new());
        for parts in definition.components(3).into_iter().take(MOST) {
            let name = parts.first().map(|name| name.trim().to_uppercase()).unwrap_or_default();
            let value = parts.get(1).map(|value| value.trim().to_owned()).unwrap_or_default();
            if name.is_empty() || value.is_empty() {
                continue;
            }
            let name = name.strip_prefix('@').unwrap_or(&name);
            let known = FIELDS
                .iter()
                .find(|(known, _)| name == *known || (*known == "PV1.3" && name.starts_with("PV1.3.")));
            match known.map(|(_, field)| field) {
                Some(Field::Id) => asked.ids.push(value),
                Some(Field::FamilyName) => family = value,
                Some(Field::GivenName) => given = value,
                Some(Field::Birth) => asked.birth = value,
                Some(Field::Sex) => asked.sex = value,
                Some(Field::Place) => asked.places.push(value),
                None => {
                    let why =
                        format!("QPD-3: {name} cannot be asked for; PID.3, PID.5, PID.7, PID.8, PV1.3 can");
                    return Self { form, asked: Err(why), tag };
                }
            }
        }
        asked.name = family + &given;
        Self { form, asked: Ok(asked), tag }
    }

    /// The answers to the message of this query, in their order. In enhanced mode a commit answer comes first where
    /// MSH-15 wants one, and none of content where MSH-16 is `NE`.
    #[must_use]
    pub fn answer(
        &self,
        message: &Message,
        answer: &Answer,
        control_id: &str,
        now: Timestamp,
    ) -> Vec<Vec<u8>> {
        let modes = [message.header(15), message.header(16)];
        let is_enhanced = modes.iter().any(|mode| !mode.trim().is_empty());
        let code = match answer {
            Answer::Found(_) | Answer::Nobody => Code::Accept(String::new()),
            Answer::Wrong(why) => Code::Error(why.clone()),
            Answer::Refused(why) => Code::Reject(why.clone()),
        };
        if matches!(answer, Answer::Refused(_)) {
            return acknowledge(message, &code, control_id, now);
        }
        let mut answers = Vec::new();
        if is_enhanced && is_wanted(&modes[0], &Code::Accept(String::new())) {
            answers.push(super::acknowledge::committed(message, control_id, now));
        }
        if !is_enhanced || modes[1].trim().is_empty() || is_wanted(&modes[1], &code) {
            let own = if answers.is_empty() { control_id.to_owned() } else { format!("{control_id}-A") };
            answers.push(self.content(message, answer, &own, now));
        }
        answers
    }

    fn content(&self, message: &Message, answer: &Answer, control_id: &str, now: Timestamp) -> Vec<u8> {
        let (kind, echoed): (&str, &[&str]) = match self.form {
            Form::A19 => ("ADR^A19^ADR_A19", &["QRD", "QRF"]),
            Form::Q22 => ("RSP^K22^RSP_K21", &["QPD"]),
            Form::Zv1 => ("RSP^ZV2^RSP_ZV2", &["QPD"]),
        };
        let (code, status, why) = match answer {
            Answer::Found(_) => ("AA", "OK", ""),
            Answer::Nobody => ("AA", "NF", ""),
            Answer::Wrong(why) | Answer::Refused(why) => ("AE", "AE", why.as_str()),
        };
        let control = escape(&message.header(10).chars().take(200).collect::<String>());
        let mut text = header(message, kind, control_id, now);
        text += &format!("\rMSA|{code}|{control}");
        if !why.is_empty() {
            text += &format!("|{}", escape(why));
        }
        let hits = usize::from(matches!(answer, Answer::Found(_)));
        let tag = escape(&self.tag.chars().take(64).collect::<String>());
        text += &format!("\rQAK|{tag}|{status}||{hits}|{hits}|0");
        for name in echoed {
            if let Some(segment) = message.segment(name) {
                text.push('\r');
                text += &echo(message, &segment);
            }
        }
        if let Answer::Found(found) = answer {
            text += &patient(found, self.form);
        }
        text.push('\r');
        text.into_bytes()
    }
}

/// A segment of the query as it came, or, where its sender has delimiters of its own, its first texts.
fn echo(message: &Message, segment: &Segment<'_>) -> String {
    let is_plain = message.raw_header(2) == "^~\\&" && message.is_separated_by('|');
    let fields = (1..segment.length()).map(|number| match is_plain {
        true => segment.raw(number).to_owned(),
        false => escape(&segment.text(number)),
    });
    let text = std::iter::once(segment.name().to_owned()).chain(fields).collect::<Vec<_>>().join("|");
    // Whatever frames messages or acts on a terminal is none of it.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_ECHO).collect()
}

/// PID and PV1 (HL7 v2.5.1, 3.4.2 and 3.4.3): the visit is PV1-19 and the first identifier, so that whatever the monitor
/// repeats of it names this visit.
fn patient(found: &Found, form: Form) -> String {
    let mut ids = format!("{}^^^LINLI^VN", escape(&found.visit));
    if let Some(pseudonym) = &found.pseudonym {
        ids += &format!("~{}^^^LINLI^PI", escape(pseudonym));
    }
    // A name of type S is a pseudonym (table 0200).
    let kind = if found.is_code { "S" } else { "L" };
    let sex = match found.sex {
        Some(Sex::Female) => "F",
        Some(Sex::Male) => "M",
        _ => "U",
    };
    let (name, room, visit) = (escape(&found.name), escape(&found.room), escape(&found.visit));
    let mut text = format!("\rPID|1||{ids}||{name}^^^^^^{kind}||{}|{sex}", found.birth);
    if form != Form::Q22 {
        text += &format!("\rPV1|1|O|^{room}^{room}||||||||||||||||{visit}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_397_410_000);

    fn message(text: &str) -> Message {
        Message::parse(text.as_bytes()).unwrap()
    }

    fn text(answers: &[Vec<u8>]) -> Vec<String> {
        answers.iter().map(|answer| String::from_utf8(answer.clone()).unwrap().replace('\r', "\n")).collect()
    }

    const A19: &str = "MSH|^~\\&|MON|BED1|GW|S|20261130||QRY^A19|77|P|2.3.1\r\
                       QRD|20261130|R|I|Q-1|||1^RD|A1^张^三|DEM|||\rQRF|MON||||^cabin^1\r";

    fn found() -> Found {
        Found {
            visit: "v-1".to_owned(),
            pseudonym: Some("ABC".to_owned()),
            name: "张三|丰".to_owned(),
            is_code: false,
            birth: "1949".to_owned(),
            sex: Some(Sex::Female),
            room: "cabin".to_owned(),
        }
    }

    #[test]
    fn a_monitor_asks_by_card_and_bed() {
        let asking = message(A19);
        let query = Query::of(&asking).unwrap();
        let asked = query.asked.clone().unwrap();
        assert_eq!((asked.ids, asked.name.as_str()), (vec!["A1".to_owned()], "张三"));
        assert_eq!(asked.places, ["cabin", "1"]);
        let answers = text(&query.answer(&asking, &Answer::Found(found()), "9", NOW));
        assert_eq!(answers.len(), 1);
        for line in [
            "|ADR^A19^ADR_A19|9|P|2.3.1|",
            "\nMSA|AA|77\nQAK|Q-1|OK||1|1|0\nQRD|20261130|R|I|Q-1|||1^RD|A1^张^三|DEM|||\nQRF|MON||||^cabin^1\n",
            "\nPID|1||v-1^^^LINLI^VN~ABC^^^LINLI^PI||张三\\F\\丰^^^^^^L||1949|F\n",
            "\nPV1|1|O|^cabin^cabin||||||||||||||||v-1\n",
        ] {
            assert!(answers[0].contains(line), "{line}: {}", answers[0]);
        }
        let nobody = text(&query.answer(&asking, &Answer::Nobody, "9", NOW));
        assert!(
            nobody[0].contains("\nMSA|AA|77\nQAK|Q-1|NF||0|0|0\n") && !nobody[0].contains("PID|"),
            "{}",
            nobody[0]
        );
        let refused = text(&query.answer(&asking, &Answer::Refused("not now".to_owned()), "9", NOW));
        assert!(
            refused[0].contains("|ACK^A19^ACK|") && refused[0].contains("\nMSA|AR|77|not now\n"),
            "{}",
            refused[0]
        );
    }

    #[test]
    fn a_demographics_query_names_its_fields() {
        let asking = message(
            "MSH|^~\\&|MON|S|GW|S|20261130||QBP^Q22^QBP_Q21|8|P|2.5|||AL|AL\r\
             QPD|IHE PDQ Query|T1|@PID.3.1^A1~@PID.5.1^张~@PID.5.2^三~@PID.8^F~@PV1.3.3^1\rRCP|I|1^RD\r",
        );
        let query = Query::of(&asking).unwrap();
        let asked = query.asked.clone().unwrap();
        assert_eq!((asked.ids.len(), asked.name.as_str(), asked.sex.as_str()), (1, "张三", "F"));
        assert_eq!(asked.places, ["1"]);
        let answers = text(&query.answer(&asking, &Answer::Found(found()), "9", NOW));
        assert_eq!(answers.len(), 2, "{answers:?}");
        assert!(answers[0].contains("\nMSA|CA|8\n"), "{}", answers[0]);
        assert!(answers[1].contains("|RSP^K22^RSP_K21|9-A|"), "{}", answers[1]);
        assert!(answers[1].contains("\nQPD|IHE PDQ Query|T1|@PID.3.1^A1~@PID.5.1^张"), "{}", answers[1]);
        assert!(!answers[1].contains("PV1|1"), "the structure RSP_K21 has none");
        let free = message("MSH|^~\\&|M|S|G|S|1||QBP^Q22|8|P|2.5\rQPD|IHE PDQ Query|T1|@PID.11.3^上海\r");
        let why = Query::of(&free).unwrap().asked.unwrap_err();
        assert!(why.contains("PID.11.3"), "{why}");
        let wrong = Query::of(&free).unwrap().answer(&free, &Answer::Wrong(why), "9", NOW);
        assert!(text(&wrong)[0].contains("\nMSA|AE|8|QPD-3: PID.11.3"), "{wrong:?}");
    }

    #[test]
    fn what_is_no_query_and_what_lacks_its_definition() {
        assert_eq!(Query::of(&message("MSH|^~\\&|M|S|G|S|1||ORU^R01|8|P|2.5\r")), None);
        assert_eq!(Query::of(&message("MSH|^~\\&|M|S|G|S|1||QBP^Q23|8|P|2.5\r")), None);
        for kind in ["QRY^A19", "QBP^Q22", "QBP^ZV1"] {
            let asking = message(&format!("MSH|^~\\&|M|S|G|S|1||{kind}|8|P|2.5\rZZZ|1\r"));
            let query = Query::of(&asking).unwrap();
            assert!(query.asked.clone().unwrap_err().contains("missing"));
            let answers = query.answer(&asking, &Answer::Wrong("x".to_owned()), "9", NOW);
            assert!(answers.iter().all(|answer| Message::parse(answer).is_ok()));
        }
        // Delimiters of its own, and what would end a frame: the answer is a message all the same.
        let asking = message("MSH#*+!%#M#S#G#S#1##QRY*A19#8#P#2.3\rQRD#1#R#I#Q\u{1c}1####A|1#DEM\r");
        let query = Query::of(&asking).unwrap();
        assert_eq!(query.asked.clone().unwrap().ids, ["A|1"]);
        let answers = query.answer(&asking, &Answer::Nobody, "9", NOW);
        let answer = Message::parse(&answers[0]).unwrap();
        assert_eq!(answer.segment("QRD").unwrap().text(8), "A|1");
        assert!(!answers[0].contains(&0x1c));
    }
}
