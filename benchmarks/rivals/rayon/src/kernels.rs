//! The kernels of ../../../kernels/work.h but matmul: join where a node makes
//! one task, a scope where it makes many. The numbers are those of work.h.

use crate::work::{mix, opaque, Work};
use rayon::{join, scope};

// --- fib ---

const FIB_N: u32 = 33; // 0.2 s; 36, which roost has, is 0.8 s

/// Spawns of fib(n): its nodes with n >= 2, which is F(n + 1) - 1.
fn fib_tasks(n: u32) -> u64 {
    let (mut a, mut b) = (0, 1);

    for _ in 0..n {
        (a, b) = (b, a + b);
    }
    b - 1
}

fn fib(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    let (left, right) = join(|| fib(n - 1), || fib(n - 2));
    left + right
}

#[derive(Default)]
pub struct Fib {
    result: u64,
}

impl Work for Fib {
    fn run(&mut self) {
        let mut n = FIB_N;

        opaque(&mut n);
        self.result = fib(n);
    }

    /// F(n) = (F(n + 1) - 1) - (F(n - 1) - 1)
    fn check(&mut self) -> bool {
        self.result == fib_tasks(FIB_N) - fib_tasks(FIB_N - 2)
    }

    fn ops(&self) -> u64 {
        fib_tasks(FIB_N)
    }
}

// --- nqueens ---

const QUEENS: usize = 12;
const QUEENS_SOLUTIONS: u64 = 14200;

#[derive(Clone, Copy, Default)]
struct Queens {
    solutions: u64, // out: below this board
    placed: u8,
    row: [u8; QUEENS + 3], // of the queen in each column
}

impl Queens {
    /// Would a queen in the next column stand safely in `row`?
    fn fits(&self, row: u8) -> bool {
        let placed = &self.row[..self.placed as usize];

        placed.iter().zip(0..).all(|(&other, i)| {
            let apart = self.placed - i;

            other != row && other + apart != row && row + apart != other
        })
    }

    fn place(&self, row: u8) -> Queens {
        let mut child = *self;

        child.row[child.placed as usize] = row;
        child.placed += 1;
        child.solutions = 0;
        child
    }

    fn full(&self) -> bool {
        self.placed as usize == QUEENS
    }

    /// The rows of the next column in which a queen fits.
    fn rows(&self) -> impl Iterator<Item = u8> + '_ {
        (0..QUEENS as u8).filter(|&row| self.fits(row))
    }
}

fn queens(q: &Queens) -> u64 {
    if q.full() {
        return 1;
    }
    let mut children = [Queens::default(); QUEENS]; // the unused: 0 solutions

    scope(|s| {
        for (child, row) in children.iter_mut().zip(q.rows()) {
            *child = q.place(row);
            s.spawn(move |_| child.solutions = queens(child));
        }
    });
    children.iter().map(|child| child.solutions).sum()
}

fn queens_nodes(q: &Queens) -> u64 {
    if q.full() {
        return 0;
    }
    q.rows().map(|row| 1 + queens_nodes(&q.place(row))).sum()
}

pub struct Nqueens {
    result: u64,
    nodes: u64,
}

impl Nqueens {
    pub fn new() -> Self {
        Nqueens { result: 0, nodes: queens_nodes(&Queens::default()) }
    }
}

impl Work for Nqueens {
    fn run(&mut self) {
        let mut empty = Queens::default();

        opaque(&mut empty);
        self.result = queens(&empty);
    }

    fn check(&mut self) -> bool {
        self.result == QUEENS_SOLUTIONS
    }

    fn ops(&self) -> u64 {
        self.nodes
    }
}

// --- skynet ---

const SKYNET_WIDTH: usize = 10;
const SKYNET_LEAVES: u64 = 1_000_000;
const SKYNET_TASKS: u64 = 1_111_110; // all nodes but the root
const SKYNET_SUM: u64 = SKYNET_LEAVES * (SKYNET_LEAVES - 1) / 2;

struct Subtree {
    number: u64, // in: of the first leaf; out: the sum of the leaves
    leaves: u64,
}

fn skynet(tree: &Subtree) -> u64 {
    if tree.leaves == 1 {
        return tree.number;
    }
    let leaves = tree.leaves / SKYNET_WIDTH as u64;
    let mut children: [Subtree; SKYNET_WIDTH] = std::array::from_fn(|i| {
        Subtree { number: tree.number + i as u64 * leaves, leaves }
    });

    scope(|s| {
        for child in &mut children {
            s.spawn(move |_| child.number = skynet(child));
        }
    });
    children.iter().map(|child| child.number).sum()
}

#[derive(Default)]
pub struct Skynet {
    result: u64,
}

impl Work for Skynet {
    fn run(&mut self) {
        let mut root = Subtree { number: 0, leaves: SKYNET_LEAVES };

        opaque(&mut root);
        self.result = skynet(&root);
    }

    fn check(&mut self) -> bool {
        self.result == SKYNET_SUM
    }

    fn ops(&self) -> u64 {
        SKYNET_TASKS
    }
}

// --- uts ---

const UTS_DEPTH: u32 = 10;
const UTS_WIDTH: u64 = 100;
const UTS_ROOT: u64 = 19;

struct Node {
    state: u64,
    nodes: u64, // out: in this subtree
    depth: u32,
}

impl Node {
    fn root() -> Node {
        let mut root = Node { state: UTS_ROOT, nodes: 0, depth: 0 };

        opaque(&mut root);
        root
    }

    fn child(&self, i: u64) -> Node {
        let step = (i + 1).wrapping_mul(0x9e3779b97f4a7c15);
        let state = mix(self.state.wrapping_add(step));

        Node { state, nodes: 0, depth: self.depth + 1 }
    }

    /// How many children it has.
    fn width(&self) -> u64 {
        let mut bits = self.state;
        let mut count = 0;

        if self.depth >= UTS_DEPTH {
            return 0;
        }
        while count < UTS_WIDTH && (bits & 0xffff) < 52429 {
            count += 1;
            bits >>= 16;
            if count % 4 == 0 {
                bits = mix(self.state.wrapping_add(count));
            }
        }
        if self.depth == 0 { count.max(4) } else { count }
    }
}

fn uts(node: &Node) -> u64 {
    let width = node.width();

    if width == 0 {
        return 1;
    }
    // A Vec, as most nodes have few: room for UTS_WIDTH is slow to make.
    let mut children: Vec<Node> = (0..width).map(|i| node.child(i)).collect();

    scope(|s| {
        for child in &mut children {
            s.spawn(move |_| child.nodes = uts(child));
        }
    });
    1 + children.iter().map(|child| child.nodes).sum::<u64>()
}

fn uts_nodes(node: &Node) -> u64 {
    (0..node.width()).map(|i| uts_nodes(&node.child(i))).sum::<u64>() + 1
}

pub struct Uts {
    result: u64,
    nodes: u64,
}

impl Uts {
    pub fn new() -> Self {
        Uts { result: 0, nodes: uts_nodes(&Node::root()) }
    }
}

impl Work for Uts {
    fn run(&mut self) {
        self.result = uts(&Node::root());
    }

    fn check(&mut self) -> bool {
        self.result == self.nodes
    }

    fn ops(&self) -> u64 {
        self.nodes - 1
    }
}

// --- storm ---

const STORM_TASKS: usize = 2_000_000;

fn storm_work(slot: &mut u8) {
    *slot = slot.wrapping_add(1);
    opaque(slot); // as the other systems' work
}

pub struct Storm {
    slots: Vec<u8>,
    round: u8, // each slot has counted every run so far
}

impl Storm {
    pub fn new() -> Self {
        Storm { slots: vec![0; STORM_TASKS], round: 0 }
    }
}

impl Work for Storm {
    fn run(&mut self) {
        scope(|s| {
            for slot in &mut self.slots {
                s.spawn(move |_| storm_work(slot));
            }
        });
    }

    fn check(&mut self) -> bool {
        self.round = self.round.wrapping_add(1);
        self.slots.iter().all(|&slot| slot == self.round)
    }

    fn ops(&self) -> u64 {
        STORM_TASKS as u64
    }
}
