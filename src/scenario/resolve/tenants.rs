//! Other tenants of a vSwitch: together they never use more than it has.

use super::{about, report_duplicates};
use crate::address::usable;
use crate::model::{Schedule, Tenant, VSwitch};
use crate::scenario::defaults;
use crate::scenario::diagnostics::Place;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::schedule::{About, most_of_others, peak, schedule};
use crate::scenario::show;
use crate::scenario::written::{self, Used};
use crate::time::{Instant, Span};
use crate::units::thousands;

/// Addresses that an ALB or NLB instance takes in each of its vSwitches: one that serves clients
/// and two that it reaches its backends from ("Specify a private IP for an NLB instance", "Specify
/// a private IP address when creating an instance", help.aliyun.com/en/slb). It may take more when
/// it scales out, for which Alibaba Cloud recommends to keep eight.
const ADDRESSES_PER_LOAD_BALANCER: u32 = 3;

/// Most load balancers: what the largest vSwitch, a /16, has room for.
const MOST_LOAD_BALANCERS: u64 = 65_532 / ADDRESSES_PER_LOAD_BALANCER as u64;

/// Name of those who are not told apart.
const OTHERS: &str = "others";

/// The vSwitch with the tenants that were written; `None` = something is wrong with them, which is
/// reported.
pub(super) fn with_tenants(
    loader: &mut Loader,
    path: &str,
    written: Option<&Used>,
    vswitch: Option<VSwitch>,
    horizon: Option<Span>,
) -> Option<VSwitch> {
    let (tenants, place) = match written {
        None => {
            let default = defaults::USED;
            loader.default(path, show::count(default.value, "address", "addresses"), default.source);
            return vswitch;
        }
        Some(Used::Together(at)) => {
            let addresses = schedule(loader, at, about(horizon, "addresses"));
            if let Some(addresses) = &addresses {
                loader.written(path, show::schedule(addresses, "addresses"), at.place);
            }
            (vec![addresses.map(|addresses| Tenant { name: OTHERS.to_owned(), addresses })], at.place)
        }
        Some(Used::Tenants(list)) => {
            report_duplicates(loader, "tenants", list.value.iter().map(|tenant| tenant.name.as_ref()));
            let tenants = list.value.iter().enumerate();
            let tenants = tenants.map(|(i, written)| tenant(loader, &format!("{path}[{i}]"), written, horizon));
            (tenants.collect(), list.place)
        }
    };
    let tenants = tenants.into_iter().collect::<Option<Vec<_>>>()?;
    let vswitch = VSwitch { tenants, ..vswitch? };
    check_room(loader, &vswitch, place, horizon).then_some(vswitch)
}

fn tenant(loader: &mut Loader, path: &str, written: &written::Tenant, horizon: Option<Span>) -> Option<Tenant> {
    let name = written.name.as_ref().map(|at| at.value.clone());
    let addresses = match (&written.load_balancers, &written.addresses) {
        (Some(balancers), None) => load_balancers(loader, path, written, balancers, horizon),
        (None, Some(at)) => {
            let addresses = schedule(loader, at, about(horizon, "addresses"))?;
            note(loader, path, written, &show::schedule(&addresses, "addresses"));
            Some(addresses)
        }
        (Some(first), Some(second)) => {
            let problem = loader.problems.error(second.place, "a tenant has either load balancers or addresses");
            problem.context(first.place, "the load balancers").help("make two tenants of it");
            None
        }
        (None, None) if written.sound => {
            let problem = loader.problems.error(written.place, "a tenant takes something");
            problem.label("it has no number").help("add `load_balancers` or `addresses`");
            None
        }
        (None, None) => None,
    };
    Some(Tenant { name: name?, addresses: addresses? })
}

/// What load balancers take, three addresses at once.
fn load_balancers(
    loader: &mut Loader,
    path: &str,
    written: &written::Tenant,
    at: &At<written::Schedule>,
    horizon: Option<Span>,
) -> Option<Schedule> {
    let about = About { most: MOST_LOAD_BALANCERS, ..about(horizon, "load balancers") };
    let balancers = schedule(loader, at, about)?;
    let shown = show::schedule(&balancers, "load balancers");
    note(loader, path, written, &format!("{shown}, of {ADDRESSES_PER_LOAD_BALANCER} addresses each"));
    Some(multiplied(&balancers, ADDRESSES_PER_LOAD_BALANCER, Instant::ZERO + horizon?))
}

fn note(loader: &mut Loader, path: &str, written: &written::Tenant, what: &str) {
    if let Some(name) = &written.name {
        loader.written(path, format!("{}, {what}", name.value), name.place);
    }
}

/// `each` times the whole numbers of a schedule until `horizon`.
fn multiplied(schedule: &Schedule, each: u32, horizon: Instant) -> Schedule {
    let value = |at| f64::from(schedule.count(at)) * f64::from(each);
    let mut steps = vec![(Instant::ZERO, value(Instant::ZERO))];
    let mut at = Instant::ZERO;
    while let Some(next) = schedule.next_change(at, horizon) {
        steps.push((next, value(next)));
        at = next;
    }
    match steps[..] {
        [(_, only)] => Schedule::Constant(only),
        _ => Schedule::Steps(steps),
    }
}

/// Whether the tenants fit in their vSwitch; reports if not.
fn check_room(loader: &mut Loader, vswitch: &VSwitch, place: Place, horizon: Option<Span>) -> bool {
    let (room, horizon) = (f64::from(usable(vswitch.cidr) - vswitch.reserved()), horizon.unwrap_or(Span::ZERO));
    // One alone may change so often that adding up would take long.
    let alone = vswitch.tenants.iter().map(|tenant| peak(&tenant.addresses, horizon)).fold(0.0, f64::max);
    let reached = if alone.round() > room { alone } else { f64::from(most_of_others(vswitch, horizon)) };
    if reached > room {
        let problem = loader.problems.error(place, "others use more addresses than the vSwitch has");
        problem.label(format!("this reaches {}", show::large(reached)));
        let but = if vswitch.reserved() == 0 { "" } else { " that are not kept for prefixes" };
        problem.help(format!("it has {} usable addresses{but}", thousands(room as u64)));
    }
    reached <= room
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: u64) -> Instant {
        Instant::ZERO + Span::days(n)
    }

    #[test]
    fn load_balancers_come_with_all_their_addresses() {
        let growing = Schedule::Linear { from: 1.0, to: 3.0, over: Span::days(2) };
        let at = |hours| Instant::ZERO + Span::hours(hours);
        assert_eq!(multiplied(&growing, 3, day(9)), Schedule::Steps(vec![(at(0), 3.0), (at(12), 6.0), (at(36), 9.0)]));
        assert_eq!(multiplied(&Schedule::Constant(4.0), 3, day(9)), Schedule::Constant(12.0));
    }
}
