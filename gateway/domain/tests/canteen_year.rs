//! A canteen's year in simulated time: weather, doors, defrosting, failing compressors, failing
//! sensors, restarts. Every true excursion is found, and what is found beside them is counted.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test says what it expects")]

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use linli_domain::alarm::{Engine, Event, Kept as KeptAlarm, Rule, Source, State, Tick};
use linli_domain::canteen::{Account, Kept};
use linli_domain::{Id, Timestamp};

/// A sample a minute.
const STEP: u64 = 60;
const DAYS: u64 = 365;
const FRIDGES: usize = 6;

/// What the rule says: above 8 °C for ten minutes.
const LIMIT: f64 = 8.0;
const ON_DELAY: u64 = 600;

/// The sensor's error: what lies closer to the limit it cannot tell.
const ERROR: f64 = 0.45;

/// Whether something happens that does so with this probability.
fn happens(random: &mut Rng, probability: f64) -> bool {
    random.f64() < probability
}

fn between(random: &mut Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * random.f64()
}

/// Around zero, at most as far as the sensor's error.
fn noise(random: &mut Rng) -> f64 {
    (random.f64() + random.f64() + random.f64() - 1.5) * ERROR / 1.5
}

/// A fridge as it really is.
struct Fridge {
    air: f64,
    is_cooling: bool,
    broken_until: u64,
    deaf_until: u64,
    /// Since when it is too warm, by more than the sensor's error.
    warm_since: Option<u64>,
    /// Since when it is too warm, or nearly so.
    near_since: Option<u64>,
}

// === impl Fridge ===

impl Fridge {
    /// A minute passes; the sensor's value.
    fn pass(&mut self, random: &mut Rng, now: u64) -> Option<f64> {
        let (day, hour) = (now / 86_400, now / 3600 % 24);
        let season = (day as f64 / DAYS as f64 * std::f64::consts::TAU).sin();
        let kitchen = 24.0 + 8.0 * season + if (10..20).contains(&hour) { 4.0 } else { 0.0 };
        let is_defrosting = matches!(hour, 3 | 15) && now / 60 % 60 < 18;
        if now >= self.broken_until && happens(random, 7.0 / (DAYS * 1440) as f64) {
            self.broken_until = now + (between(random, 0.3, 9.0) * 3600.0) as u64;
        }
        if now >= self.deaf_until && happens(random, 12.0 / (DAYS * 1440) as f64) {
            self.deaf_until = now + (between(random, 0.05, 12.0) * 3600.0) as u64;
        }
        let is_broken = now < self.broken_until;
        self.is_cooling = if self.air > 5.0 {
            true
        } else if self.air < 3.0 {
            false
        } else {
            self.is_cooling
        };
        self.air += (kitchen - self.air) / 480.0;
        if self.is_cooling && !is_broken && !is_defrosting {
            self.air -= 0.25;
        }
        if (6..20).contains(&hour) && happens(random, 45.0 / 840.0) {
            // A door stands open for up to a minute.
            self.air += (kitchen - self.air) * 0.10 * random.f64();
        }
        let since = |above: f64, since: Option<u64>| (self.air > above).then(|| since.unwrap_or(now));
        self.warm_since = since(LIMIT + ERROR, self.warm_since);
        self.near_since = since(LIMIT - ERROR, self.near_since);
        if now < self.deaf_until || happens(random, 0.002) {
            return None;
        }
        if happens(random, 0.0005) {
            return Some(between(random, 20.0, 60.0));
        }
        Some(self.air + noise(random))
    }
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn rules() -> Vec<Rule> {
    let blank = |name: String, fridge: usize, condition, on: u64| Rule {
        id: id(&name),
        source: Source { device: id(&format!("f{fridge}")), point: id("temperature") },
        condition,
        on_delay: Duration::from_secs(on),
        off_delay: Duration::ZERO,
        is_latching: false,
        priority: linli_domain::alarm::Priority::High,
        shelve_at_most: None,
        suppressed_by: None,
        group: None,
        text: String::new(),
    };
    let limit = &Kept::Cold.limits()[0];
    (0..FRIDGES)
        .flat_map(|n| {
            let silent = format!("f{n}.silent");
            let warm = blank(format!("f{n}.warm"), n, limit.condition(), limit.on_delay.as_secs());
            [
                blank(silent.clone(), n, linli_domain::alarm::Condition::Silent, 3 * STEP),
                Rule { suppressed_by: Some(id(&silent)), ..warm },
            ]
        })
        .collect()
}

/// What the year came to.
#[derive(Debug, Default)]
struct Year {
    excursions: u32,
    found: u32,
    unseen: u32,
    raised: u32,
    unfounded: u32,
    silences: u32,
    samples: u64,
}

/// The fridges, the engine that watches them, and when each warm alarm was last raised.
struct Canteen {
    random: Rng,
    engine: Engine,
    fridges: Vec<Fridge>,
    accounts: Vec<Account>,
    raised: BTreeMap<Id, u64>,
    year: Year,
}

// === impl Canteen ===

impl Canteen {
    fn new() -> Self {
        let fridge = || Fridge {
            air: 4.0,
            is_cooling: false,
            broken_until: 0,
            deaf_until: 0,
            warm_since: None,
            near_since: None,
        };
        Self {
            random: Rng::with_seed(20_261_124),
            engine: Engine::new(rules(), |_| None, Tick(0)),
            fridges: (0..FRIDGES).map(|_| fridge()).collect(),
            accounts: (0..FRIDGES).map(|_| Account::new(Tick(0))).collect(),
            raised: BTreeMap::new(),
            year: Year::default(),
        }
    }

    fn minute(&mut self, now: u64) {
        let tick = Tick(now * 1000);
        for n in 0..FRIDGES {
            let warm_before = self.fridges[n].warm_since;
            let value = self.fridges[n].pass(&mut self.random, now);
            let source =
                self.engine.source(&Source { device: id(&format!("f{n}")), point: id("temperature") });
            let mut told = self.engine.sample(tick, source.unwrap(), value);
            told.extend(self.engine.tick(tick));
            let at = Timestamp((now * 1000).cast_signed());
            self.accounts[n].see(Kept::Cold, tick, at, value, Duration::from_secs(3 * STEP));
            self.year.samples += 1;
            for step in
                told.iter().filter(|step| step.to == State::Unacknowledged && step.event == Event::Raised)
            {
                self.announced(&step.alarm, now);
            }
            if let (Some(since), None) = (warm_before, self.fridges[n].warm_since) {
                self.over(n, since, now);
            }
        }
    }

    fn announced(&mut self, alarm: &Id, now: u64) {
        let fridge: usize = alarm.as_str()[1..2].parse().unwrap();
        if alarm.as_str().ends_with("silent") {
            self.year.silences += 1;
        } else {
            self.year.raised += 1;
            self.raised.insert(alarm.clone(), now);
            let near =
                self.fridges[fridge].near_since.is_some_and(|since| now - since >= ON_DELAY - 2 * STEP);
            self.year.unfounded += u32::from(!near);
        }
        // Somebody answers within the minute.
        let acknowledge = linli_domain::alarm::Action::Acknowledge;
        let _ = self.engine.act(Tick(now * 1000), alarm, acknowledge);
    }

    /// A true excursion is over: it was found in time, or its sensor was known to be deaf.
    fn over(&mut self, n: usize, since: u64, now: u64) {
        if now - since < ON_DELAY + 3 * STEP {
            return;
        }
        self.year.excursions += 1;
        let raised = self.raised.get(&id(&format!("f{n}.warm"))).copied();
        let is_found = raised.is_some_and(|at| at >= since && at <= since + ON_DELAY + 5 * STEP);
        let was_standing = raised.is_some_and(|at| at < since) && self.is_standing(n);
        let was_deaf = self.fridges[n].deaf_until + ON_DELAY + 5 * STEP > since;
        if is_found || was_standing {
            self.year.found += 1;
        } else if was_deaf {
            self.year.unseen += 1;
        }
    }

    fn is_standing(&self, n: usize) -> bool {
        let alarm = id(&format!("f{n}.warm"));
        self.engine.alarms().any(|view| view.rule.id == alarm && view.is_active)
    }

    /// The process dies and comes back a moment later.
    fn restart(&mut self, now: u64) {
        let tick = Tick(now * 1000);
        let kept: BTreeMap<Id, KeptAlarm> = rules()
            .iter()
            .filter_map(|rule| Some((rule.id.clone(), self.engine.kept(&rule.id, tick)?)))
            .collect();
        self.engine = Engine::new(rules(), |id| kept.get(id).copied(), tick);
    }
}

#[test]
fn every_true_excursion_is_found() {
    let mut canteen = Canteen::new();
    for minute in 0..DAYS * 1440 {
        canteen.minute(minute * STEP);
        if minute % 9973 == 9972 {
            canteen.restart(minute * STEP);
        }
    }
    let year = &canteen.year;
    let weeks = DAYS as f64 / 7.0;
    println!(
        "{} samples, {} excursions: {} found, {} while the sensor was told as silent; {} warm alarms, \
         {:.2} unfounded a week over {FRIDGES} fridges; {} silences",
        year.samples,
        year.excursions,
        year.found,
        year.unseen,
        year.raised,
        f64::from(year.unfounded) / weeks,
        year.silences
    );
    assert!(year.excursions > 20, "{year:?}");
    assert_eq!(year.found + year.unseen, year.excursions, "{year:?}");
    assert!(year.silences >= 40 && f64::from(year.unfounded) / weeks < 1.0, "{year:?}");
    for account in &canteen.accounts {
        let day = &account.day;
        assert_eq!(day.within + day.beyond + day.unknown, (DAYS * 1440 - 1) * STEP * 1000);
    }
}
