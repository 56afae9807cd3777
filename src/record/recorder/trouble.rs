//! Why a daemon leaves pods without an address: what last went wrong with its calls.

use crate::id::VSwitchId;
use crate::model::Quota;
use crate::openapi::{Api, ErrorCode};
use crate::record::{Cause, FailureReason, SLOW_CALL};
use crate::time::{Instant, Span};

/// How long a daemon leaves alone what was used up (rules R60, R89).
const SHORTAGE: Span = Span::mins(10);

/// How long a pod has asked for its address when the daemon gives up: 118 s (rule R112), rounded
/// up.
const PATIENCE: Span = Span::mins(2);

/// What is known of the troubles of a daemon.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trouble {
    /// What it last found used up.
    shortage: Option<Cause>,
    /// What last kept it from getting addresses, and until when that may last.
    last: Option<(Instant, Cause)>,
}

impl Trouble {
    /// A call leaves at `at`, to be answered after `latency`.
    pub fn call_left(&mut self, at: Instant, api: Api, latency: Span) {
        if latency >= SLOW_CALL && is_on_the_way(api) {
            self.last = Some((at + latency, Cause::SlowApi(api)));
        }
    }

    /// A call was refused; `vswitch` is that of the interface or of the call, `quota` the one that
    /// has no room for what it asked for.
    pub fn refused(
        &mut self,
        now: Instant,
        api: Api,
        code: ErrorCode,
        vswitch: Option<VSwitchId>,
        quota: Option<Quota>,
    ) {
        match code {
            ErrorCode::IpNotEnough => {
                if let Some(vswitch) = vswitch {
                    self.is_short(now, Cause::VSwitch(vswitch));
                }
            }
            ErrorCode::QuotaPrivateIp | ErrorCode::SecurityGroup | ErrorCode::EniPerRegion => {
                if let Some(quota) = quota {
                    self.is_short(now, Cause::Quota(quota));
                }
            }
            ErrorCode::EniPerInstance => self.is_short(now, Cause::EniSlots),
            ErrorCode::IpPerEni => self.is_short(now, Cause::AddressesPerEni),
            ErrorCode::Throttling => self.fails(now, api, Cause::Api(api)),
            ErrorCode::Internal => self.fails(now, api, Cause::Outage(api)),
            // Another call deleted the interface meanwhile, or attached it, or the node is gone.
            ErrorCode::NotFound | ErrorCode::NoInstance | ErrorCode::EniState => {}
            ErrorCode::PrefixNotEnough => {
                if let Some(vswitch) = vswitch {
                    self.is_short(now, Cause::Prefixes(vswitch));
                }
            }
        }
    }

    /// Something is used up.
    pub fn is_short(&mut self, now: Instant, cause: Cause) {
        self.shortage = Some(cause);
        self.last = Some((now + SHORTAGE, cause));
    }

    fn fails(&mut self, now: Instant, api: Api, cause: Cause) {
        if is_on_the_way(api) {
            self.last = Some((now, cause));
        }
    }

    /// Why the daemon leaves a pod without an address at `now`, as far as it is known.
    pub fn cause(&self, now: Instant, failure: FailureReason) -> Option<Cause> {
        match failure {
            FailureReason::NodeFull => Some(Cause::NodeCapacity),
            FailureReason::Inhibited => self.shortage,
            FailureReason::Refused => self.last.map(|(_, cause)| cause),
            FailureReason::Deadline => self.last.filter(|&(until, _)| now <= until + PATIENCE).map(|(_, cause)| cause),
            FailureReason::Peeked => Some(Cause::Peeked),
            FailureReason::Restart
            | FailureReason::Down
            | FailureReason::Busy
            | FailureReason::Foreign
            | FailureReason::Processing => None,
        }
    }
}

/// Whether a pod's address depends on calls of this action.
fn is_on_the_way(api: Api) -> bool {
    match api {
        Api::CreateNetworkInterface
        | Api::AttachNetworkInterface
        | Api::AssignPrivateIpAddresses
        | Api::AssignIpv6Addresses
        | Api::DescribeNetworkInterfaces
        | Api::DescribeVSwitches => true,
        Api::DetachNetworkInterface
        | Api::DeleteNetworkInterface
        | Api::UnassignPrivateIpAddresses
        | Api::UnassignIpv6Addresses => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VSWITCH: Cause = Cause::VSwitch(VSwitchId(0));
    const OUTAGE: Cause = Cause::Outage(Api::AssignPrivateIpAddresses);

    fn at(mins: u64) -> Instant {
        Instant::ZERO + Span::mins(mins)
    }

    #[test]
    fn what_went_wrong_last_keeps_pods_waiting_for_a_while() {
        let mut trouble = Trouble::default();
        assert_eq!(trouble.cause(at(0), FailureReason::Deadline), None);
        trouble.refused(at(1), Api::AssignPrivateIpAddresses, ErrorCode::Internal, None, None);
        assert_eq!(trouble.cause(at(3), FailureReason::Deadline), Some(OUTAGE));
        assert_eq!(trouble.cause(at(4), FailureReason::Deadline), None, "the pod asked after that");
        assert_eq!(trouble.cause(at(3), FailureReason::Inhibited), None, "nothing is used up");
    }

    #[test]
    fn what_is_used_up_is_left_alone_for_longer() {
        let mut trouble = Trouble::default();
        trouble.is_short(at(1), VSWITCH);
        assert_eq!(trouble.cause(at(13), FailureReason::Deadline), Some(VSWITCH));
        trouble.refused(at(2), Api::AssignPrivateIpAddresses, ErrorCode::Internal, None, None);
        assert_eq!(trouble.cause(at(3), FailureReason::Deadline), Some(OUTAGE));
        assert_eq!(trouble.cause(at(9), FailureReason::Inhibited), Some(VSWITCH));
    }

    #[test]
    fn a_slow_call_counts_from_its_start_to_its_answer() {
        let mut trouble = Trouble::default();
        let attach = Api::AttachNetworkInterface;
        trouble.call_left(at(1), attach, Span::secs(29));
        assert_eq!(trouble.cause(at(1), FailureReason::Deadline), None);
        trouble.call_left(at(1), attach, Span::mins(5));
        assert_eq!(trouble.cause(at(8), FailureReason::Deadline), Some(Cause::SlowApi(attach)));
        assert_eq!(trouble.cause(at(9), FailureReason::Deadline), None);
    }

    #[test]
    fn giving_back_is_not_on_the_way() {
        let mut trouble = Trouble::default();
        trouble.refused(at(1), Api::UnassignPrivateIpAddresses, ErrorCode::Internal, None, None);
        trouble.call_left(at(1), Api::DeleteNetworkInterface, Span::mins(5));
        assert_eq!(trouble.cause(at(1), FailureReason::Deadline), None);
    }
}
