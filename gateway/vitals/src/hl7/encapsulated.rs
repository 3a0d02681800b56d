//! Documents in a message: OBX of type ED (encapsulated data, HL7 v2.5.1, 2.A.24), as devices send electrocardiograms and
//! spirometry reports. One of type RP only points to a document elsewhere, which is not fetched.

use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};
use linli_domain::vital::{Attachment, LARGEST_ATTACHMENT, media_type};

use super::message::Segment;
use super::refused::Refused;

/// Longest title that is kept, in characters.
const LONGEST_TITLE: usize = 80;

/// The document of an observation; `None` if it has none.
pub(super) fn document(segment: &Segment<'_>) -> Option<Result<Attachment, Refused>> {
    let set = segment.text(1);
    let refuse = |why: &'static str| Some(Err(Refused::Document { set: set.clone(), why }));
    match segment.text(2).trim() {
        "ED" => {}
        "RP" => return refuse("it only points to a document elsewhere, which is not fetched; send it as ED"),
        _ => return None,
    }
    // Deleted, posted as wrong, cannot be obtained.
    if matches!(segment.text(11).trim().to_uppercase().as_str(), "D" | "W" | "X") {
        return refuse("it is withdrawn or missing (OBX-11)");
    }
    // Source application, type of data, subtype, encoding, data (2.A.24.1 to 5).
    let encoding = segment.component(5, 4).trim().to_uppercase();
    let text: String = segment.component(5, 5).chars().filter(|c| !c.is_whitespace()).collect();
    if text.len() / 4 * 3 > LARGEST_ATTACHMENT + 3 {
        return refuse("it is larger than 768 KiB");
    }
    let data = match encoding.as_str() {
        "BASE64" => BASE64.decode(text.as_bytes()).ok(),
        "HEX" => HEXUPPER_PERMISSIVE.decode(text.as_bytes()).ok(),
        _ => return refuse("its encoding (OBX-5.4) is neither Base64 nor Hex"),
    };
    let Some(data) = data.filter(|data| !data.is_empty()) else {
        return refuse("its data (OBX-5.5) is not what its encoding says, or missing");
    };
    if data.len() > LARGEST_ATTACHMENT {
        return refuse("it is larger than 768 KiB");
    }
    let Some(media_type) = media_type(&data) else {
        return refuse("it is no PDF, PNG, JPEG or TIFF");
    };
    let title = [segment.component(3, 2), segment.component(3, 5), segment.component(3, 1)];
    let title = title.into_iter().map(|title| title.trim().to_owned()).find(|title| !title.is_empty());
    let title: String = title.unwrap_or_default().chars().take(LONGEST_TITLE).collect();
    Some(Ok(Attachment { title, media_type, data }))
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::super::oru::results;
    use super::super::refused::Refused;
    use crate::zone::Zone;
    use linli_domain::{ClockQuality, Stamp, Timestamp};

    const HEAD: &str =
        "MSH|^~\\&|ECG|S|GW|S|20261130091000||ORU^R01|E1|P|2.5\rPID|||A012\rOBR|1|||11524-6^EKG study^LN\r";

    fn read(rest: &str) -> Result<super::super::oru::Results, Refused> {
        let now = Stamp { at: Timestamp(1_795_946_400_000), clock: ClockQuality::Synchronised };
        let message = Message::parse(format!("{HEAD}{rest}").as_bytes()).unwrap();
        results(&message, now, &Zone::East(0))
    }

    #[test]
    fn a_document_alone_is_a_measurement_without_readings() {
        let pdf = "OBX|1|ED|18844-1^EKG report^LN||ECG^AP^PDF^Base64^JVBERi0xLjQK||||||F\r";
        let read = read(pdf).unwrap();
        assert_eq!((read.measurements.len(), read.flawed.len()), (1, 0));
        let measurement = &read.measurements[0];
        assert!(measurement.readings.is_empty());
        let document = &measurement.attachments[0];
        assert_eq!((document.title.as_str(), document.media_type), ("EKG report", "application/pdf"));
        assert_eq!(document.data, b"%PDF-1.4\n");
        assert!(!format!("{document:?}").contains("EKG"), "a title may name somebody");
    }

    #[test]
    fn documents_are_with_what_was_measured_beside_them() {
        let both = "OBX|1|NM|8867-4^HR^LN||72|/min||||||F\r\
                    OBX|2|ED|1^ECG^L||^IM^PNG^Hex^89504E470D0A1A0A||||||F\r\
                    OBX|3|ED|2^ECG^L||^AP^PDF^base64^JVBERi0xLjQK||||||F\r";
        let read = read(both).unwrap();
        let kinds: Vec<&str> = read.measurements[0].attachments.iter().map(|one| one.media_type).collect();
        assert_eq!((read.measurements[0].readings.len(), kinds), (1, vec!["image/png", "application/pdf"]));
    }

    #[test]
    fn what_is_no_document_is_refused_with_words_and_costs_no_value() {
        let long = "A".repeat(1_100_000);
        let long = format!("OBX|1|ED|1^ECG^L||^AP^PDF^Base64^{long}||||||F\r");
        for (segment, why) in [
            ("OBX|1|RP|1^ECG^L||\\\\server\\ecg.pdf||||||F\r", "points to a document elsewhere"),
            ("OBX|1|ED|1^ECG^L||^AP^PDF^A^JVBERi0xLjQK||||||F\r", "neither Base64 nor Hex"),
            ("OBX|1|ED|1^ECG^L||^AP^PDF^Base64^!!!!||||||F\r", "not what its encoding says"),
            ("OBX|1|ED|1^ECG^L||^AP^PDF^Base64^||||||F\r", "missing"),
            ("OBX|1|ED|1^ECG^L||^TEXT^HTML^Base64^PGh0bWw+||||||F\r", "no PDF, PNG, JPEG or TIFF"),
            ("OBX|1|ED|1^ECG^L||^AP^PDF^Base64^JVBERi0xLjQK||||||W\r", "withdrawn"),
            (long.as_str(), "larger than 768 KiB"),
        ] {
            let refused = read(segment).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            let beside = read(&format!("{segment}OBX|2|NM|8867-4^HR^LN||72|/min||||||F\r")).unwrap();
            assert_eq!((beside.measurements[0].readings.len(), beside.flawed.len()), (1, 1), "{why}");
        }
    }
}
