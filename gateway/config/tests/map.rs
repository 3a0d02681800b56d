//! The map: drawings below it and proposals for it, through the files as people write them.

use std::path::Path;

use linli_config::proposal::{About, LARGEST, Proposal, ProposedRoom};
use linli_config::{keep_last_good, load, load_proposed};
use linli_domain::Id;

const DRAWING: &str = "<svg viewBox=\"0 0 180 80\"><rect width=\"9\" height=\"9\"/></svg>";

/// The example centre with a drawing below its north site.
fn centre(entry: &str, svg: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/example");
    for name in ["gateway.toml", "devices.toml", "alarms.toml", "matters.toml"] {
        std::fs::copy(example.join(name), dir.path().join(name)).unwrap();
    }
    let facility = std::fs::read_to_string(example.join("facility.toml")).unwrap();
    std::fs::write(dir.path().join("facility.toml"), format!("{facility}\n{entry}")).unwrap();
    std::fs::create_dir(dir.path().join("maps")).unwrap();
    std::fs::write(dir.path().join("maps/north.svg"), svg).unwrap();
    dir
}

const ENTRY: &str = "[[background]]\nsite = \"north\"\nfile = \"north.svg\"\nsize = [18, 8]\n";

#[test]
fn a_drawing_is_read_cleaned_and_kept_with_the_last_good_configuration() {
    let dir = centre(ENTRY, DRAWING);
    let checked = load(dir.path()).map_err(|report| report.to_string()).unwrap();
    let [drawing] = checked.centre.backgrounds.as_slice() else { panic!("one drawing") };
    assert_eq!((drawing.corner, drawing.size, drawing.floor), ([0.0, 0.0], [18.0, 8.0], 1));
    assert!(drawing.svg.starts_with("<svg xmlns=") && drawing.id.len() == 16);
    let data = tempfile::tempdir().unwrap();
    keep_last_good(dir.path(), data.path()).unwrap();
    assert_eq!(std::fs::read_to_string(data.path().join("last-good/maps/north.svg")).unwrap(), DRAWING);
}

#[test]
fn a_wrong_drawing_is_a_problem_with_its_place() {
    for (entry, svg, words) in [
        (
            ENTRY.to_owned(),
            "<svg viewBox=\"0 0 1 1\">\n<script/></svg>".to_owned(),
            "maps/north.svg:2:1: has <script>",
        ),
        (ENTRY.to_owned(), " ".repeat(600 * 1024), "600 KiB long"),
        (ENTRY.replace("north.svg", "south.svg"), DRAWING.to_owned(), "maps/south.svg cannot be read"),
        (
            ENTRY.replace("north.svg", "../gateway.toml"),
            DRAWING.to_owned(),
            "is not the name of an SVG file in maps/",
        ),
        (ENTRY.replace("[18, 8]", "[0, 8]"), DRAWING.to_owned(), "is no size of a floor"),
        (ENTRY.replace("[18, 8]", "[18, 8]\ncorner = [-1, 0]"), DRAWING.to_owned(), "is outside the site"),
        (ENTRY.replace("site = \"north\"\n", ""), DRAWING.to_owned(), "this centre has several sites"),
        (ENTRY.repeat(2), DRAWING.to_owned(), "this is the second"),
        (
            ENTRY.replace("site = \"north\"", "site = \"north\"\nfloor = 0"),
            DRAWING.to_owned(),
            "0 is no floor",
        ),
    ] {
        let dir = centre(&entry, &svg);
        let report = load(dir.path()).map(|_| ()).unwrap_err().to_string();
        assert!(report.contains(words), "{entry}: {report}");
    }
}

/// The drawing as it is served.
fn clean(text: &str) -> Result<String, String> {
    let dir = centre(ENTRY, text);
    let checked = load(dir.path()).map_err(|report| report.to_string())?;
    Ok(checked.centre.backgrounds[0].svg.to_string())
}

fn drawn(inner: &str) -> Result<String, String> {
    clean(&format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 180 80\">{inner}</svg>"))
}

#[test]
fn what_draws_is_kept_and_what_a_program_adds_is_left_out() {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- by hand -->\n<svg:svg xmlns:svg=\"http://www.w3.org/2000/svg\" \
        xmlns:inkscape=\"i\" width=\"180px\" height=\"80\" onlooker=\"\" class=\"x\"></svg:svg>";
    assert!(clean(text).unwrap_err().contains("draws nothing"));
    let kept = drawn(
        "<metadata><a><b/></a></metadata><inkscape:grid x=\"1\"/><defs><linearGradient id=\"g\"/></defs>\
         <g id=\"walls\" inkscape:label=\"墙\" style=\"fill:none; stroke:#000;-inkscape-x:y;stroke-width:2 !important\">\
         <path d=\"M0 0L9 9\" class=\"w\" stroke=\"red\"/>\n<text x=\"3\">楼&amp;梯 &#60;1&gt;<tspan>上</tspan></text></g>",
    );
    assert_eq!(
        kept.unwrap(),
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 180 80\" preserveAspectRatio=\"none\">\
         <g fill=\"none\" stroke=\"#000\" stroke-width=\"2\"><path d=\"M0 0L9 9\" stroke=\"red\"/>\
         <text x=\"3\">楼&amp;梯 &lt;1&gt;<tspan>上</tspan></text></g></svg>"
    );
    let own = drawn("<rect width=\"1\" height=\"2\"/>").unwrap();
    assert_eq!(clean(&own).unwrap(), own, "what was cleaned is clean");
}

#[test]
fn what_runs_loads_or_refers_is_refused_with_words() {
    for (inner, word) in [
        ("<script>alert(1)</script>", "<script>"),
        ("<g><foreignObject><p/></foreignObject></g>", "<foreignObject>"),
        ("<image href=\"https://a/b.png\"/>", "<image>"),
        ("<use href=\"#a\"/>", "<use>"),
        ("<a href=\"javascript:alert(1)\"><rect/></a>", "<a>"),
        ("<style>@import url(https://a)</style>", "<style>"),
        ("<rect onclick=\"alert(1)\"/>", "onclick"),
        ("<rect ONLOAD=\"alert(1)\"/>", "ONLOAD"),
        ("<rect fill=\"url(https://a/b#c)\"/>", "plain colour"),
        ("<rect style=\"fill: URL(#g)\"/>", "plain colour"),
        ("<rect style=\"mask:x\"/>", "mask"),
        ("<path xlink:href=\"#x\" d=\"\"/>", "href"),
        ("<rect clip-path=\"circle(1)\"/>", "clip-path"),
        ("<animate attributeName=\"x\"/>", "<animate>"),
        ("<blink/>", "<blink>"),
        ("<text>&secret;</text>", "entity"),
        ("<?xml-stylesheet href=\"a.css\"?>", "style sheet"),
        ("<g><rect/></path>", "no XML"),
        ("", "draws nothing"),
        (&"<g>".repeat(70), "ungroup"),
        (&"<rect/>".repeat(20_001), "simplify"),
    ] {
        let found = drawn(inner).unwrap_err();
        assert!(found.contains(word), "{inner:.60}: {found}");
    }
    for (text, word) in [
        ("<!DOCTYPE svg [<!ENTITY a \"b\">]><svg viewBox=\"0 0 1 1\"><rect/></svg>", "DOCTYPE"),
        ("<svg><rect/></svg>", "viewBox"),
        ("<svg viewBox=\"0 0 0 1\"><rect/></svg>", "viewBox"),
        ("<svg viewBox=\"0 0 nan 1\"><rect/></svg>", "viewBox"),
        ("<html/>", "one <svg>"),
        ("<svg viewBox=\"0 0 1 1\"><rect/></svg><svg viewBox=\"0 0 1 1\"/>", "one <svg>"),
        (&format!("<svg viewBox=\"0 0 1 1\"><rect/>{}</svg>", " ".repeat(512 * 1024)), "512 KiB"),
    ] {
        let found = clean(text).unwrap_err();
        assert!(found.contains(word), "{text:.60}: {found}");
    }
}

const FACILITY: &str = include_str!("../../../deploy/example/facility.toml");

fn proposal(rooms: &[(&str, i8, &[[f64; 2]])]) -> Proposal {
    let about =
        About {
            name: "二层改隔断".to_owned(), by: "zhao".to_owned(), at: "2026-11-30T10:00:00Z".to_owned()
        };
    let room = |(id, floor, outline): &(&str, i8, &[[f64; 2]])| ProposedRoom {
        id: Id::new(id).unwrap(),
        floor: *floor,
        outline: outline.to_vec(),
    };
    Proposal { proposal: about, room: rooms.iter().map(room).collect() }
}

const LARGER: &[[f64; 2]] = &[[0.0, 0.0], [13.5, 0.0], [13.5, 6.0], [0.0, 6.004]];

#[test]
fn a_proposal_changes_its_lines_and_nothing_else() {
    let drawn = proposal(&[("hall", 2, LARGER)]);
    let read = Proposal::parse("p.toml", &drawn.text()).map_err(|problem| problem.to_string()).unwrap();
    assert_eq!(read.room[0].outline[1], [13.5, 0.0]);
    let proposed = read.put_into(FACILITY).unwrap();
    let old = "outline = [[0, 0], [14, 0], [14, 6], [0, 6]]";
    let new = "outline = [[0, 0], [13.5, 0], [13.5, 6], [0, 6]]";
    assert_eq!(proposed.text, FACILITY.replacen(old, new, 1), "comments and all other lines stay");
    let [change] = proposed.changes.as_slice() else { panic!("one room: {:?}", proposed.changes) };
    assert_eq!((change.before[1].as_str(), change.after[1].as_str()), (old, new));
    let again = read.put_into(&proposed.text).unwrap();
    assert_eq!((again.text, again.changes), (proposed.text, Vec::new()), "drawn so already");
}

#[test]
fn a_room_without_an_outline_gets_one_and_a_comment_stays() {
    let text = "# the centre\n[[room]]\nid = \"a\" # first\nname = \"A\"\n\n[[room]]\nid = \"b\"\nfloor = 1   # ground\noutline = [\n  [0, 0], # corner\n  [2, 0],\n  [2, 2],\n]  # old\nname = \"B\"\n";
    let square: &[[f64; 2]] = &[[0.0, 0.0], [2.0, 0.0], [2.0, 2.25]];
    let proposed = proposal(&[("a", 1, square), ("b", -1, square)]).put_into(text).unwrap().text;
    assert_eq!(
        proposed,
        "# the centre\n[[room]]\nid = \"a\" # first\nname = \"A\"\noutline = [[0, 0], [2, 0], [2, 2.25]]\n\n[[room]]\nid = \"b\"\nfloor = -1   # ground\noutline = [[0, 0], [2, 0], [2, 2.25]]  # old\nname = \"B\"\n"
    );
}

#[test]
fn what_is_no_proposal_is_told() {
    let good = proposal(&[("hall", 2, LARGER)]).text();
    for (text, words) in [
        (String::new(), "missing field `proposal`"),
        ("x".repeat(LARGEST + 1), "longer than 256 kib"),
        (good.replace("name = ", "name = \"\" #"), "proposal.name must be one line"),
        (good.replace("2026-11-30T10", "yesterday"), "is no time such as"),
        (good.replace("id = \"hall\"", "id = \"Hall 2\""), "hall"),
        (format!("{good}\n[[room]]\nid = \"hall\"\nfloor = 1\noutline = []\n"), "room hall is there twice"),
        (good.replace("floor = 2", "floor = 2\ncolour = 3"), "colour"),
    ] {
        let found = Proposal::parse("p.toml", &text).map(|_| ()).unwrap_err().to_string();
        assert!(found.to_lowercase().contains(words), "{text:.40}: {found}");
    }
    let problems = proposal(&[("hal", 2, LARGER)]).put_into(FACILITY).unwrap_err();
    assert!(problems[0].to_string().contains("has no room hal"), "{problems:?}");
    assert!(proposal(&[("hall", 2, LARGER)]).put_into("[centre]\n").is_err());
    assert!(proposal(&[("hall", 2, LARGER)]).put_into("[centre").is_err());
}

#[test]
fn the_check_judges_the_outlines() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/example");
    let checked = |rooms: &[(&str, i8, &[[f64; 2]])]| {
        load_proposed(&example, &proposal(rooms))
            .map(|(_, proposed)| proposed.changes.len())
            .map_err(|report| report.to_string())
    };
    assert_eq!(checked(&[("hall", 2, LARGER)]), Ok(1));
    let over: &[[f64; 2]] = &[[5.0, 0.0], [18.0, 0.0], [18.0, 6.0], [5.0, 6.0]];
    let found = checked(&[("reading-room", 1, over)]).unwrap_err();
    assert!(found.contains("overlaps the outline of room health-cabin"), "{found}");
    let found = checked(&[("lost", 1, over)]).unwrap_err();
    assert!(found.contains("has no room lost"), "{found}");
}
