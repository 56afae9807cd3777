//! The toy pool of `../pool_simpy.py` on dslab's engine (crate `simcore`), with its events as messages to one
//! component.
//!
//! ```text
//! cargo run --release --manifest-path benches/others/simcore/Cargo.toml -- 10000 300000 3600
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};

const LOW: usize = 2;
const HIGH: usize = 20;
const BATCH: u32 = 10;
const REFILL_S: f64 = 0.5;
const TRIM_S: f64 = 120.0;
const LIFE_S: f64 = 3600.0;

#[derive(Clone, Serialize)]
struct Arrive;

#[derive(Clone, Serialize)]
struct Leave {
    node: usize,
}

#[derive(Clone, Serialize)]
struct Filled {
    node: usize,
}

#[derive(Clone, Serialize)]
struct Trim {
    node: usize,
}

/// A node's idle addresses, a stack, and the pods that wait for one, which are just counted.
#[derive(Default)]
struct Node {
    idle: VecDeque<u32>,
    waiting: u32,
    is_filling: bool,
}

struct Pool {
    context: SimulationContext,
    nodes: Vec<Node>,
    free: u32,
    rate: f64,
    events: u64,
}

impl Pool {
    fn after(&self, mean: f64) -> f64 {
        -mean * (1.0 - self.context.rand()).ln()
    }

    fn come(&mut self) {
        let node = self.context.gen_range(0..self.nodes.len());
        self.events += 1;
        match self.nodes[node].idle.pop_back() {
            Some(_) => self.serve(node),
            None => self.nodes[node].waiting += 1,
        }
        self.fill(node);
    }

    fn serve(&mut self, node: usize) {
        self.context.emit_self(Leave { node }, self.after(LIFE_S));
    }

    /// An address is idle, unless somebody waits for it.
    fn give(&mut self, node: usize, address: u32) {
        if self.nodes[node].waiting > 0 {
            self.nodes[node].waiting -= 1;
            self.serve(node);
        } else {
            self.nodes[node].idle.push_back(address);
        }
    }

    fn fill(&mut self, node: usize) {
        let state = &mut self.nodes[node];
        if state.idle.len() < LOW && !state.is_filling && self.free >= BATCH {
            self.free -= BATCH;
            state.is_filling = true;
            self.context.emit_self(Filled { node }, REFILL_S);
        }
    }

    fn trim(&mut self, node: usize) {
        let surplus = self.nodes[node].idle.len().saturating_sub(HIGH);
        self.nodes[node].idle.drain(..surplus);
        self.free += surplus as u32;
        self.context.emit_self(Trim { node }, TRIM_S * (1.0 + self.context.rand()));
    }
}

impl EventHandler for Pool {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrive {} => {
                self.come();
                self.context.emit_self(Arrive, self.after(1.0 / self.rate));
            }
            Leave { node } => {
                self.events += 1;
                self.give(node, 0);
            }
            Filled { node } => {
                self.nodes[node].is_filling = false;
                for address in 0..BATCH {
                    self.give(node, address);
                }
                self.fill(node);
            }
            Trim { node } => {
                self.trim(node);
            }
        })
    }
}

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).map(|arg| arg.parse().expect("a number")).collect();
    let [nodes, pods, seconds] = numbers[..] else { panic!("give nodes, pods at a time, and seconds") };
    let mut simulation = Simulation::new(42);
    let context = simulation.create_context("pool");
    let rate = f64::from(pods) / LIFE_S;
    let all = (0..nodes).map(|_| Node::default()).collect();
    let pool = Rc::new(RefCell::new(Pool { context, nodes: all, free: 3 * pods, rate, events: 0 }));
    simulation.add_handler("pool", pool.clone());
    for node in 0..nodes as usize {
        pool.borrow_mut().trim(node);
    }
    for _ in 0..pods {
        pool.borrow_mut().come();
    }
    pool.borrow().context.emit_self_now(Arrive);
    simulation.step_until_time(60.0); // Everybody has come.
    let (before, start) = (pool.borrow().events, std::time::Instant::now());
    simulation.step_until_time(60.0 + f64::from(seconds));
    let (events, took) = ((pool.borrow().events - before) as f64, start.elapsed().as_secs_f64());
    println!(
        "dslab's simcore, {nodes} nodes, {pods} pods: {:.0} ns per pod event, {:.0} a second",
        took * 1e9 / events,
        events / took
    );
}
