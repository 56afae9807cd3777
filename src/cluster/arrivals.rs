//! stub
use crate::chance::Stream;
use crate::model::{CountDist, Schedule};
use crate::time::{Instant, Span};
#[derive(Debug)]
pub struct Arrivals(Stream);
impl Arrivals {
    pub fn new(s: Stream) -> Self {
        Self(s)
    }
    pub fn due(&mut self, p: &Schedule, _g: &CountDist, now: Instant, _h: Instant) -> (u32, Option<Instant>) {
        let n = crate::chance::SpanDist::Exponential(Span::hours(1)).sample(&mut self.0);
        (u32::from(now > Instant::ZERO), Some(now + n.mul_f64(1.0 / p.value(now))))
    }
}
