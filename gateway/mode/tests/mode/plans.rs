//! Plans that must not be loaded.

use linli_mode::facility::{Interlock, Site};
use linli_mode::{Drill, Plan, ResolvedPlan, Work, check_exits, forecast};

use super::building::{back, enter, facility, resolved};

fn faults(change: impl Fn(&mut Plan)) -> String {
    let mut plan = enter();
    change(&mut plan);
    match ResolvedPlan::new(plan, &facility()) {
        Ok(_) => "accepted".to_owned(),
        Err(faults) => faults.iter().map(|fault| format!("{}: {}; ", fault.key, fault.message)).collect(),
    }
}

fn wrong(change: impl Fn(&mut Plan), said: &str) {
    let told = faults(change);
    assert!(told.contains(said), "expected {said:?} in {told:?}");
}

#[test]
fn good_plans_are_loaded() {
    resolved(enter());
    resolved(back());
}

#[test]
fn a_plan_has_one_name() {
    for version in [0, 1, 9, 10, 4_294_967_295] {
        let plan = Plan { version, ..enter() };
        assert!(plan.is_named(&plan.key()), "{}", plan.key());
        let id = &plan.id;
        let more = format!("{}0", plan.key());
        let others = [
            format!("{id}@0{version}"),
            format!("{id}@+{version}"),
            format!("{id}"),
            format!("{id}@"),
            more,
            format!("{id}x@{version}"),
            format!(" {id}@{version}"),
        ];
        // Nothing follows the largest number, and a zero before or after it is another text.
        assert!(others.iter().all(|other| !plan.is_named(other)), "{others:?}");
    }
}

#[test]
fn steps_in_a_ring_are_refused() {
    wrong(|plan| plan.steps[0].after = vec!["open".to_owned()], "ring");
    wrong(|plan| plan.steps[3].after = vec!["nothing".to_owned()], "no step \"nothing\"");
}

#[test]
fn what_is_not_read_back_is_refused() {
    wrong(
        |plan| {
            if let Work::Actuate { verify, .. } = &mut plan.steps[1].work {
                *verify = None;
            }
        },
        "what is not read back is not believed",
    );
}

#[test]
fn lamps_need_everything_that_keeps_them_harmless() {
    for needed in ["presence", "door_opened", "fire", "stop"] {
        wrong(
            |plan| {
                if let Work::Process { abort_on, .. } = &mut plan.steps[2].work {
                    abort_on.retain(|on| on != needed);
                }
            },
            "abort_on lacks",
        );
    }
    wrong(
        |plan| {
            if let Work::Process { lease, .. } = &mut plan.steps[2].work {
                *lease = None;
            }
        },
        "lease is missing",
    );
    wrong(
        |plan| {
            if let Work::Process { lease, .. } = &mut plan.steps[2].work {
                *lease = Some(std::time::Duration::from_secs(60));
            }
        },
        "longer than 10s",
    );
    wrong(|plan| plan.steps[2].pre.retain(|pre| pre != "vacant(2)"), "lamps harm people");
    wrong(|plan| plan.steps[2].drill = Drill::Live, "a drill must not move a uv");
    // Lamps as a step that switches on, and one that switches off, is how doses get lost.
    wrong(
        |plan| {
            let Work::Actuate { retry, compensate, .. } = plan.steps[1].work.clone() else { return };
            let Work::Process { device, set, verify, .. } = plan.steps[2].work.clone() else { return };
            plan.steps[2].work =
                Work::Actuate { device, set, verify, retry, compensate, is_reasserted: false };
        },
        "lamps are a process",
    );
    let mut soft = facility();
    soft.fixtures[1].interlock = Interlock::None;
    let told = format!("{:?}", ResolvedPlan::new(enter(), &soft).expect_err("lamps without an interlock"));
    assert!(told.contains("left to people"), "{told}");
}

#[test]
fn nobody_is_shut_in_by_a_plan() {
    for pre in ["vacant(2)", "exit_free", "fire == normal"] {
        wrong(|plan| plan.steps[1].pre.retain(|text| text != pre), "nobody may be shut in");
    }
    wrong(|plan| plan.steps[1].pre[0] = "vacant(1)".to_owned(), "nobody may be shut in");
}

#[test]
fn every_room_keeps_a_way_out_at_every_moment() {
    let mut one_way = facility();
    one_way.fixtures[0].sets[0].entry_only = vec!["staff_only".to_owned()];
    let ok = ResolvedPlan::new(enter(), &one_way).expect("the garden door stays");
    assert!(check_exits(&ok, &[], &one_way).is_empty());
    one_way.openings.truncate(1);
    let shut = ResolvedPlan::new(enter(), &one_way).expect("what one plan does alone is well formed");
    let told = format!("{:?}", check_exits(&shut, &[], &one_way));
    assert!(told.contains("nobody gets out of reading-room"), "{told}");
}

#[test]
fn what_belongs_to_safety_is_never_moved() {
    let mut panel = facility();
    panel.fixtures[3].kind = linli_mode::facility::Kind::Safety;
    let told =
        format!("{:?}", ResolvedPlan::new(enter(), &panel).expect_err("a plan that moves the fire panel"));
    assert!(told.contains("must not move it"), "{told}");
}

#[test]
fn a_plan_that_cannot_be_done_is_refused() {
    wrong(|plan| plan.ready_within = std::time::Duration::from_secs(60), "1 min cannot be kept");
    wrong(|plan| plan.return_plan = None, "the way back");
    wrong(
        |plan| {
            if let Work::Human(task) = &mut plan.steps[0].work {
                task.count = 3;
            }
        },
        "3 people with the role",
    );
    wrong(
        |plan| {
            if let Work::Human(task) = &mut plan.steps[0].work {
                task.role = "pilot".to_owned();
            }
        },
        "pilot",
    );
    wrong(
        |plan| {
            plan.steps.pop();
        },
        "somebody else looks at it",
    );
    wrong(
        |plan| {
            if let Work::Human(task) = &mut plan.steps[0].work {
                task.void_on.presence = false;
            }
        },
        "worth nothing",
    );
    wrong(
        |plan| {
            if let Work::Actuate { compensate: Some(remedy), .. } = &mut plan.steps[3].work {
                remedy.pre.clear();
            }
        },
        "guard of its own",
    );
    wrong(|plan| plan.steps[3].pre.push("lock.contact > closed".to_owned()), "only == and !=");
    wrong(|plan| plan.steps[3].pre.push("lock.contact == ajar".to_owned()), "never \"ajar\"");
    wrong(|plan| plan.steps[3].pre.push("fan.flow >= params.max".to_owned()), "no parameter \"max\"");
    wrong(|plan| plan.role = "palace".to_owned(), "cannot become");
}

#[test]
fn the_longest_way_is_forecast() {
    let forecast = forecast(&resolved(enter()));
    // Grace, sweep, lock, lamps (10 s, 30 min, 10 s), fan, lock, gate, accept.
    assert_eq!(forecast.at_most.as_secs(), 30 + 600 + 10 + 1820 + 10 + 10 + 10 + 600);
    assert_eq!(forecast.critical, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn who_comes_first_to_a_site_is_given_the_time_to_walk_there() {
    let walk = std::time::Duration::from_secs(6 * 60);
    let mut far = facility();
    let south = super::building::id("south");
    far.sites = vec![Site { id: south.clone(), name: "南站".to_owned(), travel_time: walk }];
    far.rooms[0].site = Some(south);
    let mut plan = enter();
    plan.steps[0].escalate = vec![("site_lead".to_owned(), std::time::Duration::from_secs(60))];
    let mut again = plan.steps[0].clone();
    (again.id, again.after) = (super::building::id("again"), vec![plan.steps[0].id.to_string()]);
    plan.steps.insert(1, again);
    let (near, far) = (ResolvedPlan::new(plan.clone(), &facility()), ResolvedPlan::new(plan, &far));
    let (near, far) = (near.expect("beside the door"), far.expect("down the street"));
    let later: Vec<u64> = near
        .steps
        .iter()
        .zip(&far.steps)
        .map(|(near, far)| (far.deadline - near.deadline).as_secs())
        .collect();
    // The staff that sweep walk once, and so does whoever accepts; machines do not walk.
    assert_eq!(later, [360, 0, 0, 0, 0, 0, 0, 360]);
    assert_eq!(far.steps[0].escalate[0].1 - near.steps[0].escalate[0].1, walk);
    assert_eq!((forecast(&far).at_most - forecast(&near).at_most).as_secs(), 720);
}
