//! What is special about interfaces of pods' own: they may be members of a trunk, and those with a
//! fixed address outlive their pods and their instances.

use super::{Cloud, Standing};
use crate::id::EniId;

impl Cloud {
    /// An interface is to be attached to its instance's trunk, or else directly; a call is about to ask
    /// for it.
    pub fn goes_to_trunk(&mut self, eni: EniId, member: bool) {
        if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
            interface.member = member;
        }
    }

    /// An interface was created such that it outlives the instance that it is attached to (rule C148).
    pub fn outlives_instance(&mut self, eni: EniId) {
        if let Some(interface) = self.enis[eni.index()].as_deref_mut() {
            interface.outlives_instance = true;
        }
    }

    /// An interface belongs to no instance, and is kept with its address for a pod that is to come again
    /// (rule C152).
    pub fn hold(&mut self, eni: EniId) {
        let Some(interface) = self.enis[eni.index()].as_deref_mut() else { return };
        interface.attached = false;
        self.instances[interface.instance.index()].enis.retain(|&other| other != eni);
        self.stands(eni, Standing::Held);
    }

    /// Whether somebody has an interface for an instance: it is neither held for a pod nor leaked.
    #[must_use]
    pub fn is_known(&self, eni: EniId) -> bool {
        self.interface(eni).is_some_and(|interface| interface.standing == Standing::Known)
    }

    /// Whether an interface is held for a pod.
    #[must_use]
    pub fn is_held(&self, eni: EniId) -> bool {
        self.interface(eni).is_some_and(|interface| interface.standing == Standing::Held)
    }
}
