//! Thermal disinfection.

use linli_domain::Timestamp;
use linli_domain::alarm::Tick;
use linli_domain::canteen::Kept;
use linli_domain::canteen::wash::{Cycle, Wash};

fn run(values: &[Option<f64>]) -> Vec<Cycle> {
    let mut wash = Wash::default();
    let steps = (0_u64..).zip(values).filter_map(|(step, value)| {
        let at = Timestamp((step * 10_000).cast_signed());
        wash.see(Kept::DishMachine, Tick(step * 10_000), at, *value)
    });
    steps.collect()
}

#[test]
fn hot_long_enough_without_a_break_is_clean() {
    let hot =
        [Some(60.0), Some(75.0), Some(86.0), Some(87.0), Some(86.0), Some(88.0), Some(86.0), Some(50.0)];
    let cycles = run(&hot);
    assert_eq!(
        (cycles.len(), cycles[0].held, cycles[0].is_clean, cycles[0].highest),
        (1, 40_000, true, 88.0)
    );
    let mut broken = hot;
    broken[4] = None;
    assert!(!run(&broken)[0].is_clean, "nobody saw that it was hot all the time");
    assert!(!run(&[Some(72.0), Some(80.0), Some(40.0)])[0].is_clean);
    assert_eq!(run(&[Some(60.0), Some(69.0), Some(40.0)]), []);
}
