"""A toy pool on SimPy, the scale for `docs/performance.md`: far simpler than Terway.

Pods arrive at random (Poisson) at a random node and live for an exponential time. A pod takes an idle address of its
node, the one that was given back last; if there is none it waits. A node with fewer than LOW idle addresses asks
for BATCH more, which come after half a second, if the vSwitch has them. About every two minutes a node gives back
what it has above HIGH.

    pip install simpy==4.1.1
    python3 benches/others/pool_simpy.py 10000 300000 3600     # nodes, pods at a time, seconds; prints ns per pod event
"""

import collections
import random
import sys
import time

import simpy

LOW, HIGH, BATCH = 2, 20, 10
REFILL_S, TRIM_S, LIFE_S = 0.5, 120.0, 3600.0


class Node:
    """A node's addresses, idle ones as a stack, and the pods that wait for one."""

    def __init__(self):
        self.idle = []
        self.waiting = collections.deque()
        self.is_filling = False


class Pool:
    """All nodes and the free addresses of one vSwitch, which are just counted."""

    def __init__(self, env, nodes, pods, free, chance):
        self.env, self.chance = env, chance
        self.nodes = [Node() for _ in range(nodes)]
        self.free = free
        self.events = 0
        for node in self.nodes:
            env.process(self.trim(node))
        for _ in range(pods):
            env.process(self.pod())
        env.process(self.arrive(pods / LIFE_S))

    def arrive(self, rate):
        while True:
            yield self.env.timeout(self.chance.expovariate(rate))
            self.env.process(self.pod())

    def pod(self):
        node = self.nodes[self.chance.randrange(len(self.nodes))]
        self.events += 1
        if node.idle and not node.waiting:
            address = node.idle.pop()
            self.fill(node)
        else:
            served = self.env.event()
            node.waiting.append(served)
            self.fill(node)
            address = yield served
        yield self.env.timeout(self.chance.expovariate(1 / LIFE_S))
        self.events += 1
        if node.waiting:
            node.waiting.popleft().succeed(address)
        else:
            node.idle.append(address)

    def fill(self, node):
        if len(node.idle) < LOW and not node.is_filling and self.free >= BATCH:
            self.free -= BATCH
            node.is_filling = True
            self.env.process(self.filled(node))

    def filled(self, node):
        yield self.env.timeout(REFILL_S)
        node.is_filling = False
        for address in range(BATCH):
            if node.waiting:
                node.waiting.popleft().succeed(address)
            else:
                node.idle.append(address)
        self.fill(node)

    def trim(self, node):
        while True:
            yield self.env.timeout(TRIM_S * (1 + self.chance.random()))
            surplus = max(0, len(node.idle) - HIGH)
            if surplus:
                del node.idle[:surplus]
                self.free += surplus


def main():
    nodes, pods, seconds = (int(arg) for arg in sys.argv[1:4])
    env = simpy.Environment()
    pool = Pool(env, nodes, pods, 3 * pods, random.Random(42))
    env.run(until=60)  # Everybody has come.
    before, start = pool.events, time.perf_counter()
    env.run(until=60 + seconds)
    took = time.perf_counter() - start
    events = pool.events - before
    print(f"SimPy, {nodes} nodes, {pods} pods: {took * 1e9 / events:,.0f} ns per pod event, {events / took:,.0f} a second")


if __name__ == "__main__":
    main()
