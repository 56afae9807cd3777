//! stub
use super::World;
use crate::chance::Stream;
use crate::model::Model;
#[derive(Debug)]
pub(super) struct State;
impl State {
    pub fn new(_m: &Model, _s: &dyn Fn(&str) -> Stream) -> Self {
        Self
    }
}
impl World<'_> {
    pub(super) fn scan(&mut self) {}
    pub(super) fn scan_soon(&mut self) {}
}
