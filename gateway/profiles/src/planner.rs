//! Which requests read all points of a device: few and long, but never against its limits.

use crate::data::{Span, Table};
use crate::profile::{Point, Profile};

/// One read request and the points it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The addresses to read.
    pub span: Span,
    /// Positions in the device's layout, in ascending order of address.
    pub points: Vec<u16>,
}

/// Plans the read requests for every point of a profile.
#[must_use]
pub fn plan(profile: &Profile) -> Vec<Block> {
    let mut points: Vec<(Span, u16)> = profile.points.iter().map(Point::reach).zip(0..).collect();
    points.sort();
    let mut blocks: Vec<Block> = Vec::new();
    for (span, point) in points {
        let limits = &profile.limits;
        let (longest, gap) = match span.table {
            Table::Coil | Table::DiscreteInput => {
                (limits.block_bits, limits.gap_registers.saturating_mul(16))
            }
            _ => (limits.block_registers, limits.gap_registers),
        };
        match blocks.last_mut().filter(|block| joins(block.span, span, longest, gap)) {
            Some(block) => {
                block.span.count = block.span.count.max(span.start - block.span.start + span.count);
                block.points.push(point);
            }
            None => blocks.push(Block { span, points: vec![point] }),
        }
    }
    blocks
}

/// Returns the request that reads these points of a profile, which are in one table in ascending order of address.
#[must_use]
pub fn block(profile: &Profile, points: &[u16]) -> Block {
    let spans = points.iter().map(|point| profile.points[usize::from(*point)].reach());
    let span = spans.reduce(|all, next| {
        let end = |span: Span| u32::from(span.start) + u32::from(span.count);
        let (start, end) = (all.start.min(next.start), end(all).max(end(next)));
        Span { start, count: u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX), ..all }
    });
    Block { span: span.expect("a block has points"), points: points.to_vec() }
}

/// Whether `next` may be read together with what is before it.
fn joins(so_far: Span, next: Span, longest: u16, gap: u16) -> bool {
    let end = u32::from(so_far.start) + u32::from(so_far.count);
    let reach = u32::from(next.start) + u32::from(next.count);
    so_far.table == next.table
        && u32::from(next.start) <= end + u32::from(gap)
        && reach.max(end) - u32::from(so_far.start) <= u32::from(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ProfileSet;
    use proptest::prelude::*;

    fn profile_with(spans: &[Span], registers: u16, gap: u16) -> Profile {
        let mut profile = Profile::clone(&ProfileSet::embedded().find("xy/md02").expect("built in"));
        let template = profile.points[0].clone();
        profile.points =
            spans.iter().map(|span| crate::profile::Point { span: *span, ..template.clone() }).collect();
        profile.limits.block_registers = registers;
        profile.limits.gap_registers = gap;
        profile
    }

    fn span(start: u16, count: u16) -> Span {
        Span { table: Table::InputRegister, start, count }
    }

    #[test]
    fn neighbours_are_read_together_and_gaps_decide() {
        let spans = [span(0, 2), span(2, 2), span(12, 2), span(30, 1)];
        let blocks = |gap| plan(&profile_with(&spans, 125, gap)).iter().map(|b| b.span).collect::<Vec<_>>();
        assert_eq!(blocks(0), [span(0, 4), span(12, 2), span(30, 1)]);
        assert_eq!(blocks(8), [span(0, 14), span(30, 1)]);
        assert_eq!(blocks(16), [span(0, 31)]);
    }

    #[test]
    fn a_value_is_never_split() {
        let spans: Vec<Span> = (0..10).map(|i| span(i * 4, 4)).collect();
        let blocks = plan(&profile_with(&spans, 10, 0));
        assert!(blocks.iter().all(|b| b.span.count == 8), "{blocks:?}");
    }

    proptest! {
        #[test]
        fn every_point_once_within_the_limits_and_no_needless_block(
            starts in proptest::collection::btree_set(0..16_000_u16, 1..80),
            longest in 4..=125_u16,
            gap in 0..20_u16,
        ) {
            let spans: Vec<Span> = starts.iter().map(|s| span(s * 4, 4)).collect();
            let blocks = plan(&profile_with(&spans, longest, gap));
            let mut seen: Vec<u16> = blocks.iter().flat_map(|b| b.points.clone()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..u16::try_from(spans.len()).unwrap()).collect::<Vec<_>>());
            for block in &blocks {
                prop_assert!(block.span.count <= longest);
                for point in &block.points {
                    let inner = spans[usize::from(*point)];
                    prop_assert!(inner.start >= block.span.start);
                    prop_assert!(inner.start + inner.count <= block.span.start + block.span.count);
                }
            }
            for pair in blocks.windows(2) {
                let next = spans[usize::from(pair[1].points[0])];
                prop_assert!(!joins(pair[0].span, next, longest, gap), "two blocks that could be one");
            }
        }
    }
}
