//! A Terway of before v1.7: which version, and which of its defects are simulated.

use crate::ipam::classic::{Defect, Defects, Profile, Version};
use crate::ipam::eni_config::IpamType;
use crate::scenario::defaults;
use crate::scenario::loader::Loader;
use crate::scenario::read::At;
use crate::scenario::words::Word;
use crate::scenario::written;
use crate::scenario::written::Terway;

/// What the written version does, or the usual one of `classic`; `None` = neither is written.
pub(super) fn profile(loader: &mut Loader, written: &Terway) -> Option<Profile> {
    let is_classic = |at: &&At<IpamType>| at.value == IpamType::Classic;
    let version = match (&written.version, written.ipam.as_ref().filter(is_classic)) {
        (Some(version), _) => {
            check_ipam(loader, written, version.value);
            loader.written("terway.version", version.value.word(), version.place);
            version.value
        }
        (None, Some(ipam)) => {
            loader.written("terway.ipam", ipam.value.word(), ipam.place);
            loader.default("terway.version", Version::default().word(), "the last that was measured (P3)");
            Version::default()
        }
        (None, None) => {
            check_no_defects(loader, written);
            return None;
        }
    };
    Some(Profile { defects: defects(loader, written, version), ..version.profile() })
}

fn check_ipam(loader: &mut Loader, written: &Terway, version: Version) {
    if let Some(ipam) = written.ipam.as_ref().filter(|ipam| ipam.value != IpamType::Classic) {
        let title = format!("Terway {version} has no other allocator than `classic`");
        let problem = loader.problems.error(ipam.place, title);
        problem.label("versions are told apart before v1.7 only (P3)").help("leave `ipam` or `version` out");
    }
}

fn check_no_defects(loader: &mut Loader, written: &Terway) {
    if let Some(defects) = &written.defects {
        let problem = loader.problems.error(defects.place, "`defects` are those of a Terway of before v1.7");
        problem.label("none of them is in the Terway of today").help("remove `defects`, or write `version`");
    }
}

/// The defects of a version, as written.
fn defects(loader: &mut Loader, written: &Terway, version: Version) -> Defects {
    let mut defects = Defects::of(version);
    for defect in Defect::ALL {
        let at = written.defects.as_ref().and_then(|defects| of(defects, defect));
        let path = format!("terway.defects.{}", defect.word());
        match at {
            Some(at) if !defect.is_in(version) => {
                let title = format!("Terway {version} has no `{}`", defect.word());
                let having = Version::ALL.into_iter().filter(|&version| defect.is_in(version)).map(Version::name);
                let having = having.collect::<Vec<_>>().join(", ");
                let problem = loader.problems.error(at.place, title);
                problem.label(defect.name().english()).help(format!("remove it; it is a defect of {having} alone"));
            }
            Some(at) => {
                loader.written(path, at.value.to_string(), at.place);
                defects = defects.with(defect, at.value);
            }
            None if defect.is_in(version) => {
                loader.default(path, defects.has(defect).to_string(), defaults::defect(defect));
            }
            None => {}
        }
    }
    defects
}

fn of(written: &written::Defects, defect: Defect) -> Option<&At<bool>> {
    let at = match defect {
        Defect::NilInterface => &written.nil_interface,
        Defect::RollbackDeadlock => &written.rollback_deadlock,
        Defect::ResultDeadlock => &written.result_deadlock,
        Defect::SlotDeadlock => &written.slot_deadlock,
    };
    at.as_ref()
}
