//! stub
use crate::chance::{SpanDist, Stream};
use crate::model::TracePod;
use crate::time::Instant;
pub fn synthesize(_p: &[(Instant, u32)], _l: &SpanDist, _h: Instant, _s: &mut Stream) -> Vec<TracePod> {
    Vec::new()
}
