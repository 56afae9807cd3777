//! The OpenAPI layer: several calls and waits that make one step (`pkg/aliyun/aliyun.go`, rules P77
//! to P88).

use super::Trouble;
use super::defect::Defect;
use super::pool::Resource;
use super::process::Process;
use super::profile::{METADATA, RELEASE};
use super::sync::{Lock, Mode};
use crate::id::EniId;
use crate::ipam::backoff::ENI_OPS;
use crate::ipam::{Addresses, Answer, Eni, Kind, Request};
use crate::time::Instant;

impl Process {
    /// Creates an interface with `first` addresses and attaches it (rules P65, P78 to P80).
    pub async fn create_eni(&self, first: u8) -> Result<(Eni, Addresses), Trouble> {
        let config = self.config();
        let vswitch = self.vswitches().await[0];
        let create = Request::Create { vswitch, kind: Kind::Secondary, addresses: first, ipv6: 0 };
        let answer = self.call_again(create, config.profile.create, Instant::NEVER).await.map_err(Trouble::Api)?;
        let Answer::Created(id, addresses, _) = answer else { unreachable!("that is what was asked") };
        let attached = self.attach_eni(id).await;
        if let Err(trouble) = attached {
            let limit = config.profile.rollback_limit;
            let until = limit.map_or(Instant::NEVER, |limit| self.state().now + limit);
            self.delete_eni(id, until).await;
            return Err(trouble);
        }
        Ok((Eni { id, vswitch, primary: addresses[0] }, addresses))
    }

    /// Attaches an interface and waits until it can be used.
    async fn attach_eni(&self, eni: EniId) -> Result<(), Trouble> {
        let profile = self.config().profile;
        let answer = self.call_again(Request::Attach(eni), profile.attach, Instant::NEVER).await;
        let Answer::Attached(shown) = answer.map_err(Trouble::Api)? else { unreachable!("that is what was asked") };
        self.sleep(profile.eni_state.base()).await;
        let mut step = 1;
        while !matches!(self.call(Request::Describe(eni)).await, Ok(Answer::Described { in_use: true, .. })) {
            if !self.pause(profile.eni_state, step, Instant::NEVER).await {
                return Err(Trouble::NotShown);
            }
            step += 1;
        }
        let is_shown = self.look(profile.eni_state, Instant::NEVER, |state| shown <= state.now).await;
        if is_shown { Ok(()) } else { Err(Trouble::NotShown) }
    }

    /// Detaches and deletes an interface (rule P82).
    pub async fn delete_eni(&self, eni: EniId, until: Instant) -> bool {
        let profile = self.config().profile;
        self.state().leaving.push(eni);
        // Upstream goes on whatever became of the detach.
        let _ = self.call_again(Request::Detach(eni), RELEASE, until).await;
        self.sleep(profile.eni_state.base()).await;
        let deleted = self.call_again(Request::Delete(eni), profile.delete, until).await.is_ok();
        self.state().leaving.retain(|&leaving| leaving != eni);
        deleted
    }

    /// Assigns `count` addresses, all or none (rules P56, P83 to P85).
    pub async fn assign(&self, eni: EniId, count: u8) -> Result<Addresses, Trouble> {
        self.lock(Lock::Addresses, Mode::Write).await;
        let answer = self.call_again(Request::Assign(eni, count), ENI_OPS, Instant::NEVER).await;
        let (addresses, trouble) = match answer {
            Ok(Answer::Assigned(addresses, _)) if addresses.len() < usize::from(count) => {
                (addresses, Some(Trouble::Incomplete))
            }
            Ok(Answer::Assigned(addresses, shown)) => {
                let is_shown = self.look(METADATA, Instant::NEVER, |state| shown <= state.now).await;
                (addresses, (!is_shown).then_some(Trouble::NotShown))
            }
            Ok(answer) => unreachable!("an assign is not answered with {answer:?}"),
            Err(code) => (Addresses::EMPTY, Some(Trouble::Api(code))),
        };
        if trouble.is_some() {
            self.roll_back(eni, addresses).await;
        }
        self.unlock(Lock::Addresses, Mode::Write);
        trouble.map_or(Ok(addresses), Err)
    }

    /// Gives back what a failed assign has left, also if that is nothing (rules P84, P85).
    async fn roll_back(&self, eni: EniId, addresses: Addresses) {
        let profile = self.config().profile;
        if profile.defects.has(Defect::RollbackDeadlock) {
            self.stuck(Defect::RollbackDeadlock);
            self.lock(Lock::Addresses, Mode::Write).await;
        }
        let until = profile.rollback_limit.map_or(Instant::NEVER, |limit| self.state().now + limit);
        self.unassign_locked(eni, addresses, until).await;
    }

    /// Gives an address back (rule P87).
    pub async fn unassign(&self, resource: Resource) -> bool {
        self.lock(Lock::Addresses, Mode::Write).await;
        let addresses = Addresses::collect([resource.address]);
        let done = self.unassign_locked(resource.eni, addresses, Instant::NEVER).await;
        self.unlock(Lock::Addresses, Mode::Write);
        done
    }

    async fn unassign_locked(&self, eni: EniId, addresses: Addresses, until: Instant) -> bool {
        let mut gone = self.state().now;
        if !addresses.is_empty() {
            match self.call_again(Request::Unassign(eni, addresses), ENI_OPS, until).await {
                Ok(Answer::Unassigned(shown)) => gone = shown,
                Ok(answer) => unreachable!("an un-assign is not answered with {answer:?}"),
                Err(_) => return false,
            }
        }
        self.sleep(METADATA.base()).await;
        self.look(METADATA, until, |state| gone <= state.now).await
    }

    /// Idle addresses that instance metadata does not show (rule P36): each interface is looked at
    /// under the lock of the API, one after the other.
    pub async fn missing(&self) -> Vec<Resource> {
        self.lock(Lock::Factory, Mode::Read).await;
        let attached = self.state().attached.clone();
        let mut shown = Vec::new();
        for eni in attached {
            self.lock(Lock::Addresses, Mode::Read).await;
            {
                let mut state = self.state();
                let ips = state.factory.of(eni).map_or_else(Vec::new, |entry| entry.ips.clone());
                let ips = ips.into_iter().map(|address| Resource { eni, address });
                shown.extend(ips.filter(|&resource| state.shows(resource)));
            }
            self.unlock(Lock::Addresses, Mode::Read);
        }
        self.unlock(Lock::Factory, Mode::Read);
        let state = self.state();
        state.pool.idle.iter().map(|idle| idle.resource).filter(|resource| !shown.contains(resource)).collect()
    }

    /// Whether instance metadata shows an address (rule P38).
    pub async fn is_shown(&self, resource: Resource) -> bool {
        self.lock(Lock::Addresses, Mode::Read).await;
        let shown = self.state().shows(resource);
        self.unlock(Lock::Addresses, Mode::Read);
        shown
    }
}
