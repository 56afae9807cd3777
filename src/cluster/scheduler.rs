//! naive
use crate::chance::SmallStream;
use crate::id::NodeId;
use crate::model::{Resources, Scoring, Strictness, ZoneSpread};
#[derive(Debug, Clone, Copy)]
pub struct GroupSpec {
    pub pool: usize,
    pub zone: usize,
    pub allocatable: Resources,
    pub max_pods: u32,
}
#[derive(Debug, Clone)]
pub struct Rules {
    pub node_pools: Vec<usize>,
    pub zone_spread: Option<ZoneSpread>,
    pub anti_affinity: Option<Strictness>,
    pub takes_address: bool,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    NoNode,
    MaxPods,
    Cpu,
    Memory,
    ZoneSpread,
    AntiAffinity,
}
#[derive(Debug, Clone)]
struct N {
    group: usize,
    ok: bool,
    pods: u32,
    req: Resources,
}
#[derive(Debug)]
pub struct Scheduler {
    groups: Vec<GroupSpec>,
    rules: Vec<Rules>,
    nodes: Vec<Option<N>>,
    chance: SmallStream,
}
impl Scheduler {
    pub fn new(
        groups: impl IntoIterator<Item = GroupSpec>,
        workloads: impl IntoIterator<Item = Rules>,
        _s: Scoring,
        chance: SmallStream,
    ) -> Self {
        Self { groups: groups.into_iter().collect(), rules: workloads.into_iter().collect(), nodes: Vec::new(), chance }
    }
    pub fn add_node(&mut self, node: NodeId, group: usize, reserved: Resources) {
        self.nodes.resize(node.index() + 1, None);
        self.nodes[node.index()] = Some(N { group, ok: true, pods: 0, req: reserved });
    }
    pub fn remove_node(&mut self, node: NodeId) {
        self.nodes[node.index()] = None;
    }
    pub fn set_schedulable(&mut self, node: NodeId, yes: bool) {
        self.nodes[node.index()].as_mut().expect("x").ok = yes;
    }
    pub fn place(&mut self, w: usize, r: Resources) -> Result<NodeId, Unfit> {
        let mut best: Vec<NodeId> = Vec::new();
        let mut least = u32::MAX;
        let mut why = Unfit::NoNode;
        for (i, n) in self.nodes.iter().enumerate() {
            let Some(n) = n else { continue };
            let g = &self.groups[n.group];
            if !n.ok || !self.rules[w].node_pools.contains(&g.pool) {
                continue;
            }
            if n.pods >= g.max_pods {
                why = Unfit::MaxPods;
                continue;
            }
            if n.req.cpu_milli + r.cpu_milli > g.allocatable.cpu_milli {
                why = Unfit::Cpu;
                continue;
            }
            if n.pods < least {
                best.clear();
                least = n.pods;
            }
            if n.pods == least {
                best.push(NodeId::new(i));
            }
        }
        if best.is_empty() {
            return Err(why);
        }
        let node = best[self.chance.below(best.len() as u32) as usize];
        self.add(w, r, node);
        Ok(node)
    }
    pub fn add(&mut self, _w: usize, r: Resources, node: NodeId) {
        let n = self.nodes[node.index()].as_mut().expect("x");
        n.pods += 1;
        n.req.cpu_milli += r.cpu_milli;
        n.req.memory_mib += r.memory_mib;
    }
    pub fn remove(&mut self, _w: usize, r: Resources, node: NodeId) {
        let n = self.nodes[node.index()].as_mut().expect("x");
        n.pods -= 1;
        n.req.cpu_milli -= r.cpu_milli;
        n.req.memory_mib -= r.memory_mib;
    }
    pub fn pods(&self, node: NodeId) -> u32 {
        self.nodes[node.index()].as_ref().expect("x").pods
    }
    pub fn emptiest(&self, pool: usize) -> Option<NodeId> {
        let nodes = self.nodes.iter().enumerate().filter_map(|(i, n)| Some((i, n.as_ref()?)));
        nodes
            .filter(|(_, n)| n.ok && self.groups[n.group].pool == pool)
            .min_by_key(|(i, n)| (n.pods, std::cmp::Reverse(*i)))
            .map(|(i, _)| NodeId::new(i))
    }
}
