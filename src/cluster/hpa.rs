//! stub
use crate::chance::Stream;
use crate::model::Hpa;
use crate::time::Instant;
#[derive(Debug)]
pub struct Autoscaler(Hpa);
impl Autoscaler {
    pub fn new(h: &Hpa, _s: Stream) -> Self {
        Self(h.clone())
    }
    pub fn look(&mut self, now: Instant, _r: u32, _u: u32, _w: u32) -> u32 {
        (self.0.load.base.value(now) / self.0.target) as u32
    }
}
