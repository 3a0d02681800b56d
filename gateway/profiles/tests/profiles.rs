//! Every built-in profile is whole, and every wrong one is told what is wrong with it.

use linli_profiles::profile::{ProfileSet, problems_of, vectors_hold};

#[test]
fn every_built_in_profile_is_whole_and_its_captures_decode() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../devices");
    let mut files = 0;
    for vendor in std::fs::read_dir(root).unwrap().flatten() {
        for model in std::fs::read_dir(vendor.path()).unwrap().flatten() {
            let name = format!("{}/{}", vendor.file_name().display(), model.file_name().display());
            let text = std::fs::read_to_string(model.path()).unwrap();
            assert_eq!(problems_of(&name, &text), Vec::<String>::new(), "{name}");
            files += 1;
        }
    }
    let set = ProfileSet::embedded();
    assert_eq!(set.iter().count(), files, "each file is embedded");
    assert!(files >= 12);
    for profile in set.iter() {
        assert_eq!(vectors_hold(profile), Vec::<String>::new(), "{}", profile.name());
        assert!(profile.explain(true).contains(profile.title_zh()));
    }
}

const GOOD: &str = r#"
vendor = "acme"
model = "one"
title = "One"
title_zh = "一"
source = "manual"

[[point]]
name = "t"
input = 1
type = "i16"
scale = 0.1
unit = "Cel"

[[test]]
input = { 1 = "0131" }
expect = { t = 30.5 }
"#;

fn check(wrong: &str, right: &str, expect: &str) {
    assert!(GOOD.contains(right), "{right}");
    let problems = problems_of("acme/one.toml", &GOOD.replacen(right, wrong, 1)).join("\n");
    assert!(problems.contains(expect), "{wrong:?} should say {expect:?}, says:\n{problems}");
}

#[test]
fn each_wrong_profile_is_told_what_is_wrong() {
    assert_eq!(problems_of("acme/one.toml", GOOD), Vec::<String>::new());
    check("vendor = \"Acme\"", "vendor = \"acme\"", "vendor \"Acme\" contains 'A'");
    check("model = \"two\"", "model = \"one\"", "belongs into the file acme/two.toml");
    check("title = \" \"", "title = \"One\"", "title is empty");
    check("source = \"\"", "source = \"manual\"", "source is empty");
    check("maker = 1\nmodel = \"one\"", "model = \"one\"", "unknown field `maker`");
    check("", "vendor = \"acme\"", "missing field `vendor`");
    check("unit = \"cel\"", "unit = \"Cel\"", "did you mean \"Cel\"?");
    check("unit = \"°C\"", "unit = \"Cel\"", "did you mean \"Cel\"?");
    check("unit = \"bananas\"", "unit = \"Cel\"", "is not a UCUM code");
    check("", "unit = \"Cel\"", "needs a unit");
    check("type = \"i17\"", "type = \"i16\"", "unknown variant `i17`");
    check("", "type = \"i16\"", "needs a type");
    check("type = \"bool\"", "type = \"i16\"", "a bool in a register is type = \"bit\"");
    check("type = \"bit\"", "type = \"i16\"", "type bit needs bit = 0 to 15");
    check("type = \"text\"", "type = \"i16\"", "type text needs registers");
    check("input = 1\nholding = 1", "input = 1", "exactly one of coil, discrete, input, holding");
    check("", "input = 1\n", "exactly one of coil, discrete, input, holding");
    check("coil = 1", "input = 1", "type I16 needs registers");
    check("input = 65535\nrepeat = 3", "input = 1", "beyond 65535");
    check("input = 70000", "input = 1", "70000 is no address");
    check("scale = 0.0", "scale = 0.1", "scale must be a decimal number");
    check("scale = 0.1\nrange = [5.0, 1.0]", "scale = 0.1", "range must be [low, high]");
    check("scale = 0.1\nwrite = { min = 0, max = 1 }", "scale = 0.1", "only coils and holding registers");
    check("holding = 1\nwrite = {}", "input = 1", "write needs min and max");
    check("holding = 1\nwrite = { min = 0, max = 99999 }", "input = 1", "write limit 99999 does not fit");
    check("name = \"T 1\"", "name = \"t\"", "contains 'T'");
    check(
        "input = { 1 = \"0131\" }\nnothing = [\"x\"]",
        "input = { 1 = \"0131\" }",
        "there is no point \"x\"",
    );
    check("expect = { t = 31.5 }", "expect = { t = 30.5 }", "expected Number(31.5), got Some(Float(30.5))");
    check("expect = {}", "expect = { t = 30.5 }", "expects nothing");
    check("input = { 2 = \"0131\" }", "input = { 1 = \"0131\" }", "its registers are not given");
    check("input = { 1 = \"013G\" }", "input = { 1 = \"0131\" }", "is not register words in hex");
    check("[limits]\nblock_registers = 126\n\n[[point]]", "[[point]]", "block_registers 126 is not 1 to 125");
    check("[limits]\nrequest_gap = \"5 s\"\n\n[[point]]", "[[point]]", "\"5 s\" is not a duration");
    check(
        "[identify]\ntype = \"u16\"\nplausible = [1, 2]\n\n[[point]]",
        "[[point]]",
        "identify needs exactly one",
    );
    let quality = |register: u16, codes: &str| {
        format!("scale = 0.1\nquality = {{ register = {register}, codes = {{ {codes} }} }}")
    };
    check(&quality(1, "0 = \"good\""), "scale = 0.1", "one of the 8 registers after the value");
    check(&quality(2, "0 = \"fine\""), "scale = 0.1", "\"fine\" is not a quality");
    check(&quality(2, "1 = \"bad:stale\""), "scale = 0.1", "needs a code that means \"good\"");
    let leased = "holding = 1\nwrite = { min = 0, max = 1, refresh = \"100ms\" }";
    check(leased, "input = 1", "write.refresh is too short");
    check("[serial]\ninput = 1\ntype = \"f32\"\n\n[[point]]", "[[point]]", "serial.type F32 is not u16");
    let far = "[[identify]]\ninput = 1\ntype = \"u16\"\nplausible = [1, 2]\n\n[serial]\ninput = 500\ntype = \"u64\"\n\n[[point]]";
    check(far, "[[point]]", "in one table within 125 registers");
    let twice = GOOD
        .replace("[[test]]", "[[point]]\nname = \"t\"\ninput = 1\ntype = \"u16\"\nunit = \"1\"\n\n[[test]]");
    let problems = problems_of("acme/one.toml", &twice).join("\n");
    assert!(problems.contains("used twice") && problems.contains("overlaps"), "{problems}");
    let without = GOOD.split("[[test]]").next().unwrap();
    assert!(problems_of("acme/one.toml", without).join("").contains("has no [[test]]"));
}
