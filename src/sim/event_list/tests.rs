//! The list against a plain one, and under crowds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the list has to do, in the most obvious way.
#[derive(Default)]
struct Reference {
    events: BTreeMap<(u64, usize), u32>,
    pushed: usize,
}

impl Reference {
    fn push(&mut self, at: u64, event: u32) {
        self.events.insert((at, self.pushed), event);
        self.pushed += 1;
    }

    fn pop(&mut self) -> Option<(Instant, u32)> {
        self.events.pop_first().map(|((at, _), event)| (Instant(at), event))
    }

    fn pop_by(&mut self, until: u64) -> Option<(Instant, u32)> {
        let is_due = self.events.first_key_value().is_some_and(|((at, _), _)| *at <= until);
        if is_due { self.pop() } else { None }
    }
}

/// One step of a random run; times count from the last event taken, as in a simulation.
#[derive(Debug, Clone)]
enum Step {
    /// Push this many, each this much later than now.
    Push(Vec<u64>),
    /// Push this many at one time.
    Burst {
        after: u64,
        events: usize,
    },
    /// Push at the time of the earliest event.
    AtMinimum,
    /// Push at the end of time.
    Never,
    Peek,
    Pop(usize),
    /// Pop everything of the next instant, if that comes so soon.
    PopInstant(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![
        4 => 0..20u64,
        4 => 0..1_000_000u64,
        2 => (0..63u32).prop_flat_map(|bits| 0..=1u64 << bits),
    ];
    prop_oneof![
        4 => prop::collection::vec(gap.clone(), 1..200).prop_map(Step::Push),
        1 => (gap.clone(), 1..500usize).prop_map(|(after, events)| Step::Burst { after, events }),
        2 => gap.prop_map(Step::PopInstant),
        2 => Just(Step::AtMinimum),
        1 => Just(Step::Never),
        1 => Just(Step::Peek),
        4 => (1..200usize).prop_map(Step::Pop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_come_in_order_of_time_then_of_arrival(steps in prop::collection::vec(step(), 1..80)) {
        let (mut list, mut reference) = (EventList::new(), Reference::default());
        let mut now = 0u64;
        let mut event = 0;
        let mut push = |list: &mut EventList, reference: &mut Reference, at| {
            event += 1;
            list.push(Instant(at), event);
            reference.push(at, event);
        };
        for step in steps {
            match step {
                Step::Push(gaps) => for gap in gaps {
                    push(&mut list, &mut reference, now.saturating_add(gap));
                },
                Step::Burst { after, events } => for _ in 0..events {
                    push(&mut list, &mut reference, now.saturating_add(after));
                },
                Step::AtMinimum => {
                    let at = list.peek_time().unwrap_or(Instant(now));
                    push(&mut list, &mut reference, at.0);
                }
                Step::Never => push(&mut list, &mut reference, u64::MAX),
                Step::Peek => {
                    let first = reference.events.first_key_value().map(|((at, _), _)| Instant(*at));
                    prop_assert_eq!(list.peek_time(), first);
                }
                Step::Pop(n) => for _ in 0..n {
                    let popped = list.pop();
                    prop_assert_eq!(popped, reference.pop());
                    now = popped.map_or(now, |(at, _)| at.0);
                },
                Step::PopInstant(soon) => {
                    let until = now.saturating_add(soon);
                    let popped = list.pop_by(Instant(until));
                    prop_assert_eq!(popped, reference.pop_by(until));
                    if let Some((at, _)) = popped {
                        now = at.0;
                        while let Some(event) = list.pop_at(at) {
                            prop_assert_eq!(Some((at, event)), reference.pop_by(now));
                        }
                        prop_assert_eq!(reference.pop_by(now), None);
                    }
                }
            }
        }
        while let Some(expected) = reference.pop() {
            prop_assert_eq!(list.pop(), Some(expected));
        }
        prop_assert_eq!(list.pop(), None);
    }
}

/// Takes all events of a list, of which each of the first `more` pushes another `after` its
/// own time, and returns how many there were.
fn run(list: &mut EventList, more: usize, after: impl Fn(usize) -> u64) -> usize {
    let mut taken = 0;
    let mut last = Instant::ZERO;
    while let Some((at, _)) = list.pop() {
        assert!(at >= last, "time goes forward");
        last = at;
        if taken < more {
            list.push(Instant(at.0.saturating_add(after(taken))), 0);
        }
        taken += 1;
    }
    taken
}

/// A rollout: very many events at one instant, each of which makes another at once.
#[test]
fn a_rollout_at_one_instant_is_no_burden() {
    const N: usize = 300_000;
    for spread in [0, 1, 7] {
        let mut list = EventList::new();
        for i in 0..N {
            list.push(Instant(1_000 + i as u64 % (spread + 1)), i as u32);
        }
        list.push(Instant::NEVER, 0);
        assert_eq!(run(&mut list, N, |_| 0), 2 * N + 1);
    }
}

/// Many events are known at `T` when many more come up before it.
#[test]
fn a_crowd_ahead_does_not_slow_down_what_comes_before() {
    const N: usize = 100_000;
    let mut list = EventList::new();
    for i in 0..N {
        list.push(Instant(1 << 40), i as u32);
    }
    assert_eq!(list.peek_time(), Some(Instant(1 << 40)));
    for i in 0..N {
        list.push(Instant(((i * 7_919) % N) as u64), 0);
        assert!(list.peek_time().is_some_and(|at| at.0 < 1 << 40));
    }
    assert_eq!(run(&mut list, N, |i| i as u64 % 10), 3 * N);
}

/// One event at the end of time must not make a sorted list of all the others.
#[test]
fn an_event_at_the_end_of_time_spoils_nothing() {
    const N: usize = 200_000;
    let mut list = EventList::new();
    list.push(Instant::NEVER, 0);
    assert_eq!(list.peek_time(), Some(Instant::NEVER));
    for i in 0..N {
        list.push(Instant((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20), 0);
    }
    assert_eq!(run(&mut list, N, |i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24), 2 * N + 1);
}

/// Memory follows what is pending, not what was ever pushed.
#[test]
fn chunks_are_used_again() {
    let mut list = EventList::new();
    for i in 0..10_000 {
        list.push(Instant(i * 1_000), 0);
    }
    for i in 0..200_000u64 {
        let (at, _) = list.pop().expect("as many are pushed as popped");
        list.push(Instant(at.0 + 1 + i.wrapping_mul(0x9e37_79b9) % 20_000_000), 0);
    }
    assert!(list.arena.chunks.len() < 20_000, "{} chunks for 10,000 events", list.arena.chunks.len());
}
