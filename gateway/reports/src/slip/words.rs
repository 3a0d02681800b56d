//! Texts of the slip, in Chinese and English.

use linli_domain::vital::Quantity;

/// A text in Chinese and in English.
pub type Text = (&'static str, &'static str);

/// Heading.
pub const TITLE: Text = ("测量结果单", "Measurement results");
/// Heading of a referral note.
pub const REFERRAL: Text = ("转诊单", "Referral note");
/// Above a critical value.
pub const CRITICAL: Text = ("危急值", "Critical value");
/// Before who referred the resident, and when.
pub const REFERRED_BY: Text = ("转诊人", "Referred by");
/// What a referral note asks for.
pub const REFERRAL_HOW: Text = (
    "请尽快到医院就诊，并出示本单。测量结果为筛查所得，不作诊断。",
    "Please go to a hospital without delay and show this note. Screening values, no diagnosis.",
);
/// Before the signature of the health worker.
pub const SIGNED: Text = ("经办人签字", "Signed");
/// Before the signature of whoever receives the resident.
pub const RECEIVED: Text = ("接诊签字", "Received by");
/// Before the name of the resident.
pub const NAME: Text = ("姓名", "Name");
/// Before the code of the visit.
pub const CODE: Text = ("编号", "No.");
/// Before the time of the visit.
pub const TIME: Text = ("时间", "Time");
/// Before the room.
pub const ROOM: Text = ("地点", "Room");
/// Where nothing was measured.
pub const NOTHING: Text = ("没有测量结果", "Nothing was measured");
/// Before the reasons to doubt a value.
pub const DOUBTFUL: Text = ("存疑", "doubtful");
/// What the slip is not.
pub const NO_DIAGNOSIS: Text =
    ("仅供参考，不作诊断；不适请就医。", "For information only, no diagnosis; see a doctor if unwell.");
/// Before the documents that the words beside the values come from.
pub const SOURCES: Text = ("判断依据", "Ranges");
/// What the square code is.
pub const QR: Text = ("扫码得数值（不含姓名）", "The code holds the values and no name");
/// When the slip was made.
pub const MADE: Text = ("打印", "Printed");

/// Where a blood pressure is the mean of several.
pub fn mean(count: u64) -> (String, String) {
    (format!("血压为最近 {count} 次的平均"), format!("mean of the last {count} blood pressures"))
}

/// What a row is called; the blood pressure has two quantities.
pub fn label(quantities: &[Quantity]) -> Text {
    match quantities {
        [Quantity::Systolic, Quantity::Diastolic] => ("血压", "Blood pressure"),
        [quantity, ..] => (quantity.chinese(), short(*quantity)),
        [] => ("", ""),
    }
}

/// English names that fit on a narrow roll.
const fn short(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Systolic => "Systolic",
        Quantity::Diastolic => "Diastolic",
        Quantity::MeanArterial => "Mean pressure",
        Quantity::PulseRate => "Pulse",
        Quantity::OxygenSaturation => "Oxygen saturation",
        Quantity::RespirationRate => "Respiration",
        Quantity::Temperature => "Temperature",
        Quantity::Weight => "Weight",
        Quantity::Height => "Height",
        Quantity::BodyMassIndex => "Body mass index",
        Quantity::Glucose => "Glucose (capillary)",
        Quantity::WaistCircumference => "Waist",
    }
}

/// A unit as people write it, by its UCUM code.
pub fn unit(ucum: &str) -> &str {
    match ucum {
        "mm[Hg]" => "mmHg",
        "Cel" => "°C",
        "/min" => "次/分",
        "kg/m2" => "kg/m²",
        other => other,
    }
}
