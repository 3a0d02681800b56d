//! Checks the outlines of rooms and areas: the map that screens draw.

use super::checked::{Area, Corner, Room};
use super::diagnostics::{Diagnostics, nth};
use super::raw::FacilityFile;
use super::site::named_site;
use linli_mode::facility::Site;

/// Largest number of corners.
const MOST_CORNERS: usize = 64;

/// Length of a site that is accepted, in metres.
const LONGEST: f64 = 1000.0;

/// Smallest area that can be drawn and touched, in m².
const SMALLEST: f64 = 1.0;

/// Corners nearer than this are the same: walls that touch do not overlap.
const SAME: f64 = 0.01;

/// Floors that are accepted: 1 is the ground floor, -1 the first below it; there is no 0.
const FLOORS: std::ops::RangeInclusive<i8> = -9..=99;

/// Checks the outline of every room that has one, and the areas. Outlines of rooms must not overlap.
pub fn check(
    file: &FacilityFile,
    rooms: &[Room],
    sites: &[Site],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Area> {
    for (index, raw) in file.room.iter().enumerate() {
        floor(raw.floor, &nth("room", index, "floor"), diagnostics);
        if let Some(outline) = &raw.outline {
            drawn(outline, &nth("room", index, "outline"), diagnostics);
        }
    }
    for (index, raw) in file.room.iter().enumerate() {
        let Some(room) = rooms.iter().find(|room| room.id.as_str() == raw.id) else { continue };
        let before = file.room[..index].iter().filter_map(|other| {
            rooms.iter().find(|room| room.id.as_str() == other.id).filter(|other| other.id != room.id)
        });
        let same_floor = before.filter(|other| other.site == room.site && other.floor == room.floor);
        let is_drawn = |room: &Room| problem(&room.outline).is_none();
        let overlapping = same_floor
            .filter(|other| is_drawn(other) && is_drawn(room) && overlap(&other.outline, &room.outline));
        for other in overlapping {
            let message = format!(
                "overlaps the outline of room {}; rooms of one floor may touch, not overlap",
                other.id
            );
            diagnostics.wrong(&nth("room", index, "outline"), message);
        }
    }
    file.area.iter().enumerate().filter_map(|(index, raw)| area(raw, index, sites, diagnostics)).collect()
}

fn area(
    raw: &super::raw::Area,
    index: usize,
    sites: &[Site],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Area> {
    if raw.name.trim().is_empty() {
        diagnostics.wrong(&nth("area", index, "name"), "must not be empty: the map shows it");
    }
    floor(raw.floor, &nth("area", index, "floor"), diagnostics);
    let is_drawn = drawn(&raw.outline, &nth("area", index, "outline"), diagnostics);
    let site = named_site("area", raw.site.as_deref(), index, sites, diagnostics);
    let outline = raw.outline.clone();
    is_drawn.then(|| Area { name: raw.name.clone(), site, floor: raw.floor.unwrap_or(1), outline })
}

/// Records what is wrong with a floor.
pub fn floor(floor: Option<i8>, place: &[super::text::Step], diagnostics: &mut Diagnostics<'_, '_>) {
    let floor = floor.unwrap_or(1);
    if floor == 0 || !FLOORS.contains(&floor) {
        let message =
            format!("{floor} is no floor: 1 is the ground floor, -1 the first below it, at most 99");
        diagnostics.wrong(place, message);
    }
}

/// Records what is wrong with an outline; true if nothing is.
fn drawn(outline: &[Corner], place: &[super::text::Step], diagnostics: &mut Diagnostics<'_, '_>) -> bool {
    let problem = problem(outline);
    let is_good = problem.is_none();
    if let Some(problem) = problem {
        diagnostics.wrong(place, problem);
    }
    is_good
}

fn problem(outline: &[Corner]) -> Option<String> {
    let count = outline.len();
    if !(3..=MOST_CORNERS).contains(&count) {
        return Some(format!(
            "has {count} corners; write 3 to {MOST_CORNERS}, in metres, such as [[0, 0], [6, 0], [6, 4], [0, 4]]"
        ));
    }
    let is_outside = |corner: &&Corner| corner.iter().any(|length| !(0.0..=LONGEST).contains(length));
    if let Some([east, south]) = outline.iter().find(is_outside) {
        return Some(format!(
            "[{east}, {south}] is outside the site: metres from its north-west corner, 0 to {LONGEST}"
        ));
    }
    let area = area_of(outline).abs();
    if area < SMALLEST {
        return Some(format!("encloses {area:.1} m²; a room has at least {SMALLEST} m²"));
    }
    let edges: Vec<(Corner, Corner)> = edges(outline).collect();
    let crossing =
        edges.iter().enumerate().any(|(at, edge)| edges[at + 1..].iter().any(|other| cross(*edge, *other)));
    crossing.then(|| "crosses itself; write the corners in the order of walking along the walls".to_owned())
}

fn edges(outline: &[Corner]) -> impl Iterator<Item = (Corner, Corner)> + '_ {
    outline.iter().copied().zip(outline.iter().copied().cycle().skip(1))
}

/// Area in m²; its sign is the direction of walking (shoelace formula).
fn area_of(outline: &[Corner]) -> f64 {
    edges(outline).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

/// On which side of a line a point lies; 0 within [`SAME`] of it.
fn side((a, b): (Corner, Corner), point: Corner) -> i8 {
    let length = (b[0] - a[0]).hypot(b[1] - a[1]).max(SAME);
    let distance = ((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])) / length;
    if distance.abs() <= SAME {
        0
    } else if distance > 0.0 {
        1
    } else {
        -1
    }
}

/// Whether two edges cross in their middle; touching is no crossing.
fn cross(one: (Corner, Corner), other: (Corner, Corner)) -> bool {
    side(one, other.0) * side(one, other.1) < 0 && side(other, one.0) * side(other, one.1) < 0
}

/// Whether a point lies inside, not on the border (even-odd rule).
fn is_inside(outline: &[Corner], [x, y]: Corner) -> bool {
    let is_on_border = edges(outline).any(|(a, b)| {
        let between =
            |low: f64, high: f64, value: f64| value >= low.min(high) - SAME && value <= low.max(high) + SAME;
        side((a, b), [x, y]) == 0 && between(a[0], b[0], x) && between(a[1], b[1], y)
    });
    let crossed = edges(outline)
        .filter(|(a, b)| (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]);
    !is_on_border && crossed.count() % 2 == 1
}

/// Whether two outlines share more than walls.
fn overlap(one: &[Corner], other: &[Corner]) -> bool {
    let crossing = edges(one).any(|edge| edges(other).any(|wall| cross(edge, wall)));
    // Corners, middles of the walls and a point well inside: enough for outlines that do not cross.
    let points = |outline: &[Corner]| {
        let middles = edges(outline).map(|(a, b)| [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])]);
        outline.iter().copied().chain(middles).chain(inner(outline)).collect::<Vec<_>>()
    };
    crossing
        || points(one).into_iter().any(|point| is_inside(other, point))
        || points(other).into_iter().any(|point| is_inside(one, point))
}

/// A point inside: the middle of a triangle of neighbouring corners that lies inside.
fn inner(outline: &[Corner]) -> Option<Corner> {
    let count = outline.len();
    (0..count)
        .map(|at| {
            let corner = |step: usize| outline[(at + step) % count];
            let (a, b, c) = (corner(0), corner(1), corner(2));
            [(a[0] + b[0] + c[0]) / 3.0, (a[1] + b[1] + c[1]) / 3.0]
        })
        .find(|point| is_inside(outline, *point))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [Corner; 4] = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];

    fn moved(outline: &[Corner], east: f64, south: f64) -> Vec<Corner> {
        outline.iter().map(|[x, y]| [x + east, y + south]).collect()
    }

    #[test]
    fn only_outlines_that_can_be_drawn_are_accepted() {
        assert_eq!(problem(&SQUARE), None);
        let l_shaped = [[0.0, 0.0], [9.0, 0.0], [9.0, 3.0], [3.0, 3.0], [3.0, 9.0], [0.0, 9.0]];
        assert_eq!(problem(&l_shaped), None);
        for (outline, word) in [
            (vec![[0.0, 0.0], [1.0, 1.0]], "2 corners"),
            (vec![[0.0, 0.0], [4.0, 0.0], [8.0, 0.0]], "0.0 m²"),
            (vec![[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 5.0]], "crosses itself"),
            (vec![[0.0, 0.0], [4.0, 0.0], [-4.0, 4.0]], "[-4, 4] is outside"),
            (vec![[0.0, 0.0], [f64::NAN, 0.0], [4.0, 4.0]], "outside"),
            (moved(&SQUARE, 999.0, 0.0), "outside"),
        ] {
            let found = problem(&outline).unwrap_or_default();
            assert!(found.contains(word), "{outline:?}: {found}");
        }
    }

    #[test]
    fn rooms_may_share_walls_and_nothing_else() {
        for (east, south, is_overlapping) in [
            (4.0, 0.0, false),
            (4.0, 2.0, false),
            (4.0, 4.0, false),
            (3.995, 0.0, false),
            (0.0, 0.0, true),
            (3.0, 0.0, true),
            (2.0, 2.0, true),
            (20.0, 0.0, false),
        ] {
            let other = moved(&SQUARE, east, south);
            assert_eq!(overlap(&SQUARE, &other), is_overlapping, "{east}, {south}");
            assert_eq!(overlap(&other, &SQUARE), is_overlapping, "{east}, {south}, the other way round");
        }
        let small = [[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]];
        assert!(overlap(&SQUARE, &small) && overlap(&small, &SQUARE), "one inside the other");
        let l_shaped = [[0.0, 0.0], [9.0, 0.0], [9.0, 3.0], [3.0, 3.0], [3.0, 9.0], [0.0, 9.0]];
        assert!(!overlap(&l_shaped, &moved(&SQUARE, 3.0, 3.0)), "in the corner of an L");
    }
}
