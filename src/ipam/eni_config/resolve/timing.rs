//! Periods, reclaim and deadlines (rules R15, R19 to R22, R31).

use super::{Origin, Resolver};
use crate::ipam::eni_config::go::{self, Duration};
use crate::ipam::node_local::Reclaim;
use crate::ipam::note::{Note, Place};
use crate::ipam::{GC_PERIOD, RPC_TIMEOUT};
use crate::time::Span;

const SYNC_PERIOD: Span = Span::secs(120);
const RECLAIM_INTERVAL: Span = Span::mins(10);
const RECLAIM_BATCH: u32 = 5;
const RECLAIM_FACTOR: f64 = 0.1;

impl Resolver<'_> {
    /// Base period of the pool sync; `None` = it never runs (R15).
    pub fn sync_period(&mut self) -> Option<Span> {
        let key = "ip_pool_sync_period";
        let source = "R15, types/daemon/config.go:109-115";
        let Some((text, place)) = self.text(key).filter(|(text, _)| !text.is_empty()) else {
            self.set(key, SYNC_PERIOD, Origin::default(source));
            return Some(SYNC_PERIOD);
        };
        match go::parse_duration(text) {
            Ok(Duration::Span(Span::ZERO) | Duration::Negative) => {
                let note =
                    Note::warning("the pool sync never runs", "a period of zero or less (R15, pkg/eni/manager.go:134)");
                self.note(note.hint("nothing prefetches, trims or reclaims; write a positive duration"), place);
                self.set(key, "never", Origin::changed(text, place, "R15, pkg/eni/manager.go:134"));
                None
            }
            Ok(Duration::Span(period)) => {
                self.set(key, period, Origin::written(place));
                Some(period)
            }
            Err(error) => {
                let note = Note::warning(format!("`{key}` is not a duration of Go; Terway takes 120 s"), error);
                self.note(note.hint(GO_UNITS), place);
                self.set(key, SYNC_PERIOD, Origin::changed(text, place, source));
                Some(SYNC_PERIOD)
            }
        }
    }

    /// Idle reclaim; `None` = off (R19 to R22).
    pub fn reclaim(&mut self) -> Option<Reclaim> {
        let (reclaim, after) = self.reclaim_with_after();
        // The pool sync tests for zero (R78, pkg/eni/manager.go:422-427).
        let after = after.filter(|&after| after > Span::ZERO)?;
        Some(Reclaim { after, ..reclaim })
    }

    /// Everything about reclaim, and after which time it is wanted, if it is.
    pub fn reclaim_with_after(&mut self) -> (Reclaim, Option<Span>) {
        let after = self.duration("idle_ip_reclaim_after", None, "R19, daemon/config.go:179-185");
        let interval = "R20, types/daemon/config.go:138";
        let interval = self.duration("idle_ip_reclaim_interval", Some(RECLAIM_INTERVAL), interval);
        let (batch, factor) = (self.reclaim_batch(), self.reclaim_factor());
        let interval = interval.unwrap_or(RECLAIM_INTERVAL);
        (Reclaim { after: after.unwrap_or_default(), interval, batch, factor }, after)
    }

    /// A duration without which a daemon does not start; `default` = nobody wrote it.
    fn duration(&mut self, key: &'static str, default: Option<Span>, source: &str) -> Option<Span> {
        let shown = |span: Option<Span>| span.map_or("off".to_owned(), |span| span.to_string());
        let Some((text, place)) = self.text(key) else {
            self.set(key, shown(default), Origin::default(source));
            return default;
        };
        match go::parse_duration(text) {
            Ok(Duration::Span(span)) => {
                let off = span == Span::ZERO && default.is_none();
                let value = if off { "off".to_owned() } else { span.to_string() };
                self.set(key, value, Origin::written(place));
                Some(span)
            }
            Ok(Duration::Negative) => {
                let note = Note::error(format!("`{key}` is negative"), "a duration");
                self.note(note.hint("Terway takes it as it is, which is not simulated; write 0s or more"), place);
                None
            }
            Err(error) => {
                self.not_started(key, &error, place, GO_UNITS);
                None
            }
        }
    }

    fn reclaim_batch(&mut self) -> u32 {
        let key = "idle_ip_reclaim_batch_size";
        let source = "R21, types/daemon/config.go:135";
        match self.int(key) {
            None => self.set(key, format!("{RECLAIM_BATCH} addresses"), Origin::default(source)),
            Some((size, place)) if size <= 0 => {
                self.set(key, format!("{RECLAIM_BATCH} addresses"), Origin::changed(size, place, source));
            }
            Some((size, place)) => {
                self.set(key, format!("{size} addresses"), Origin::written(place));
                return u32::try_from(size).unwrap_or(u32::MAX);
            }
        }
        RECLAIM_BATCH
    }

    fn reclaim_factor(&mut self) -> f64 {
        let key = "idle_ip_reclaim_jitter_factor";
        let Some((text, place)) = self.text(key) else {
            self.set(key, RECLAIM_FACTOR, Origin::default("R22, types/daemon/config.go:141"));
            return RECLAIM_FACTOR;
        };
        match go::parse_float(text) {
            Ok(0.0) => {
                let source = "zero is 0.1 at run time (R22, pkg/eni/manager.go:436-439)";
                self.set(key, RECLAIM_FACTOR, Origin::changed(text, place, source));
                return RECLAIM_FACTOR;
            }
            Ok(factor) if factor.is_finite() && factor > 0.0 => {
                self.set(key, factor, Origin::written(place));
                return factor;
            }
            Ok(_) => {
                let note = Note::error(format!("`{key}` is no positive number"), "R22");
                self.note(note.hint("Terway takes it as it is, which is not simulated; write 0 or more"), place);
            }
            Err(error) => self.not_started(key, &error, place, "write a number in quotes, such as \"0.1\""),
        }
        RECLAIM_FACTOR
    }

    fn not_started(&mut self, key: &str, error: &str, place: &Place, hint: &str) {
        let title = format!("Terway does not start on this `{key}`");
        self.note(Note::error(title, error).hint(hint), place);
    }

    /// Period of the garbage collection; `off` = a dynamic document switched it off (R6, R31).
    pub fn gc_period(&mut self, off: bool) -> Option<Span> {
        let key = "gc_period";
        if off {
            let source = "`ipam_type: crd` in the dynamic document (R6, daemon/builder.go:419-422)".to_owned();
            self.set(key, "never", Origin::Changed { from: GC_PERIOD.to_string(), place: None, source });
            return None;
        }
        self.set(key, GC_PERIOD, Origin::default("fixed (R31, daemon/daemon.go:45)"));
        Some(GC_PERIOD)
    }

    /// Deadline of an AllocIP call (R31).
    pub fn rpc_timeout(&mut self) -> Span {
        self.set("rpc_timeout", RPC_TIMEOUT, Origin::default("fixed (R31, daemon/server.go:37)"));
        RPC_TIMEOUT
    }
}

const GO_UNITS: &str = "write a number with h, m, s or ms, such as 90s or 1h30m; Go knows no days";
