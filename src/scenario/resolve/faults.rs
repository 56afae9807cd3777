//! Times of trouble with the cloud.

use super::report_unknown;
use crate::model::Fault;
use crate::openapi::{Api, ErrorCode};
use crate::scenario::diagnostics::quoted_list;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::show;
use crate::scenario::written;
use crate::time::{Instant, Span};

/// Codes of a server in trouble. Every other code says that something is used up, which the
/// simulation decides itself.
const CODES: [ErrorCode; 2] = [ErrorCode::Internal, ErrorCode::Throttling];

/// The faults in the order of their beginning; `None` = something is wrong with one, which is
/// reported.
pub(super) fn faults(loader: &mut Loader, written: &[written::Fault], horizon: Option<Span>) -> Option<Vec<Fault>> {
    let faults: Vec<_> = written.iter().enumerate().map(|(i, written)| fault(loader, i, written, horizon)).collect();
    let mut faults = faults.into_iter().collect::<Option<Vec<_>>>()?;
    faults.sort_by_key(|fault| fault.from);
    Some(faults)
}

fn fault(loader: &mut Loader, index: usize, written: &written::Fault, horizon: Option<Span>) -> Option<Fault> {
    let apis = apis(loader, written.apis.as_ref());
    let code = code(loader, written);
    let time = time(loader, written, horizon);
    let fail = written.fail.as_ref().map_or(0.0, |at| at.value.0);
    let slow = written.slow.as_ref().map_or(1.0, |at| at.value.0);
    if let Some(at) = written.fail.as_ref().filter(|_| fail > 1.0) {
        loader.problems.error(at.place, "more than 100 % of the calls cannot fail");
        return None;
    }
    if written.sound && fail == 0.0 && slow == 1.0 {
        let problem = loader.problems.error(written.place, "nothing happens in this fault");
        problem.help("let calls `fail`, such as `fail: 100 %`, or make them `slow`, such as `slow: 10`");
        return None;
    }
    if !written.sound {
        return None;
    }
    let (from, to) = time?;
    let fault = Fault { apis: apis?, from, to, fail, code: code?, slow };
    loader.written(format!("cloud.faults[{index}]"), shown(&fault), written.place);
    Some(fault)
}

/// When it begins and ends.
fn time(loader: &mut Loader, written: &written::Fault, horizon: Option<Span>) -> Option<(Instant, Instant)> {
    let (from, lasts) = (written.from.as_ref()?, written.lasts.as_ref()?);
    if lasts.value.0 == Span::ZERO {
        loader.problems.error(lasts.place, "this must be longer than nothing");
        return None;
    }
    if horizon.is_some_and(|horizon| from.value.0 >= horizon) {
        let problem = loader.problems.warning(from.place, "this fault begins after the end");
        problem.help("`horizon` is the time that is simulated");
    }
    let from = Instant::ZERO + from.value.0;
    Some((from, from + lasts.value.0))
}

fn apis(loader: &mut Loader, written: Option<&At<Vec<At<String>>>>) -> Option<[bool; Api::ALL.len()]> {
    let Some(list) = written else { return Some([true; Api::ALL.len()]) };
    if list.value.is_empty() {
        loader.problems.error(list.place, "a fault concerns at least one action").help("without `apis` it is all");
        return None;
    }
    let known = Api::ALL.map(Api::name);
    let unknown: Vec<_> = list.value.iter().filter(|at| !known.contains(&at.value.as_str())).collect();
    for at in &unknown {
        report_unknown(loader, "action", &at.value, at.place, &known);
    }
    unknown.is_empty().then(|| known.map(|name| list.value.iter().any(|at| at.value == name)))
}

fn code(loader: &mut Loader, written: &written::Fault) -> Option<ErrorCode> {
    let Some(at) = &written.code else { return Some(ErrorCode::Internal) };
    let known = CODES.map(ErrorCode::name);
    if let Some(code) = CODES.into_iter().find(|code| code.name() == at.value) {
        if written.sound && written.fail.is_none() {
            let problem = loader.problems.error(at.place, "no call fails, so this code is never answered");
            problem.help("write which share of the calls fails: `fail: 100 %`");
            return None;
        }
        return Some(code);
    }
    if ErrorCode::ALL.iter().any(|code| code.name() == at.value) {
        let title = format!("`{}` is no trouble of the API but the answer where something is used up", at.value);
        loader.problems.error(at.place, title).help(format!("a fault answers with {}", quoted_list(known)));
    } else {
        report_unknown(loader, "code of a fault", &at.value, at.place, &known);
    }
    None
}

/// Such as `3d to 3d 2h, AssignPrivateIpAddresses: 100 % fail with InternalError`.
fn shown(fault: &Fault) -> String {
    let names: Vec<_> = Api::ALL.into_iter().filter(|api| fault.apis[api.index()]).map(Api::name).collect();
    let which = if names.len() == Api::ALL.len() { "every action".to_owned() } else { names.join(", ") };
    let fails = (fault.fail > 0.0).then(|| format!("{} fail with {}", show::percent(fault.fail), fault.code.name()));
    let slow = (fault.slow > 1.0).then(|| format!("{} times as slow", fault.slow));
    let time = |at: Instant| at.since(Instant::ZERO);
    let what: Vec<_> = [fails, slow].into_iter().flatten().collect();
    format!("{} to {}, {which}: {}", time(fault.from), time(fault.to), what.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load_text;

    const SCENARIO: &str = "
horizon: 10d
vpc:
  cidr: 10.0.0.0/8
  vswitches:
    - {id: vsw-a, zone: a, cidr: 10.0.0.0/24, used: [{name: nlb, load_balancers: 4}, {name: rds, addresses: 40}]}
terway: {eni_config: {vswitches: {a: [vsw-a]}}}
node_pools: [{name: default, instance_type: ecs.g7.2xlarge, node_vswitch: vsw-a, nodes: 1}]
workloads: [{name: web, deployment: {replicas: 1}}]
cloud:
  faults:
    - {from: 5d, lasts: 1h, apis: [AttachNetworkInterface], slow: 10}
    - {from: 3d, lasts: 2h, apis: [AssignPrivateIpAddresses, CreateNetworkInterface], fail: 12.5 %, slow: 1.5}
    - {from: 10d, lasts: 2h, fail: 100 %, code: Throttling}
";

    #[test]
    fn faults_and_tenants_are_read_as_they_are_meant() {
        let loaded = load_text("trouble.yaml", SCENARIO, std::path::Path::new("")).expect("it is right");
        let at = |hours| Instant::ZERO + Span::hours(hours);
        let only = |names: &[Api]| Api::ALL.map(|api| names.contains(&api));
        let expected = [
            Fault {
                apis: only(&[Api::AssignPrivateIpAddresses, Api::CreateNetworkInterface]),
                from: at(72),
                to: at(74),
                fail: 0.125,
                code: ErrorCode::Internal,
                slow: 1.5,
            },
            Fault {
                apis: only(&[Api::AttachNetworkInterface]),
                from: at(120),
                to: at(121),
                fail: 0.0,
                code: ErrorCode::Internal,
                slow: 10.0,
            },
            Fault {
                apis: only(&Api::ALL),
                from: at(240),
                to: at(242),
                fail: 1.0,
                code: ErrorCode::Throttling,
                slow: 1.0,
            },
        ];
        assert_eq!(loaded.model.cloud.faults, expected);
        assert_eq!(loaded.model.vpc.vswitches[0].wanted_by_others(at(5)), 52);
        assert!(loaded.warnings.iter().any(|warning| warning.contains("begins after the end")));
        let shown = loaded.settings.iter().filter(|s| s.path.starts_with("cloud.faults") || s.path.contains("used"));
        let shown: Vec<_> = shown.map(|setting| format!("{}: {}", setting.path, setting.value)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        vpc.vswitches[0].used[0]: nlb, 4 load balancers, of 3 addresses each
        vpc.vswitches[0].used[1]: rds, 40 addresses
        cloud.faults[0]: 5d to 5d 1h, AttachNetworkInterface: 10 times as slow
        cloud.faults[1]: 3d to 3d 2h, CreateNetworkInterface, AssignPrivateIpAddresses: 12.5 % fail with InternalError, 1.5 times as slow
        cloud.faults[2]: 10d to 10d 2h, every action: 100 % fail with Throttling
        ");
    }
}
