//! C += A B by halving the longest side down to blocks: matmul of
//! ../../../kernels/work_matmul.h, where the cuts are told.

use crate::work::{mix, Work};
use rayon::join;

const SIZE: usize = 1024;
const BLOCK: usize = 64;

/// C is m by n, A m by k, B k by n, all in rows of SIZE.
#[derive(Clone, Copy)]
struct Part {
    c: *mut f32,
    a: *const f32,
    b: *const f32,
    m: usize,
    n: usize,
    k: usize,
}

// The parts that run side by side write different cells of C, and nobody writes
// A or B. Pointers, as a block's rows lie between another's: no two slices.
unsafe impl Send for Part {}

#[derive(Clone, Copy, PartialEq)]
enum Cut {
    Leaf,
    Rows,
    Columns,
    Depth,
}

fn cut(m: usize, n: usize, k: usize) -> Cut {
    if m.max(n).max(k) <= BLOCK {
        Cut::Leaf
    } else if m >= n && m >= k {
        Cut::Rows
    } else if n >= k {
        Cut::Columns
    } else {
        Cut::Depth
    }
}

impl Part {
    /// # Safety
    /// The matrices hold the whole part, as they do for each below.
    unsafe fn halves(self, cut: Cut) -> [Part; 2] {
        let (mut first, mut second) = (self, self);

        match cut {
            Cut::Rows => {
                first.m /= 2;
                second.m = first.m;
                second.c = self.c.add(first.m * SIZE);
                second.a = self.a.add(first.m * SIZE);
            }
            Cut::Columns => {
                first.n /= 2;
                second.n = first.n;
                second.c = self.c.add(first.n);
                second.b = self.b.add(first.n);
            }
            _ => {
                first.k /= 2;
                second.k = first.k;
                second.a = self.a.add(first.k);
                second.b = self.b.add(first.k * SIZE);
            }
        }
        [first, second]
    }

    /// # Safety
    /// As halves; and nobody else is at these cells of C.
    unsafe fn leaf(self) {
        for i in 0..self.m {
            let c = &mut *self.c.add(i * SIZE).cast::<[f32; BLOCK]>();

            for l in 0..self.k {
                let a = *self.a.add(i * SIZE + l);
                let b = &*self.b.add(l * SIZE).cast::<[f32; BLOCK]>();

                for j in 0..BLOCK {
                    c[j] += a * b[j];
                }
            }
        }
    }
}

/// # Safety
/// As leaf.
unsafe fn multiply(p: Part) {
    let cut = cut(p.m, p.n, p.k);

    if cut == Cut::Leaf {
        return p.leaf();
    }
    let [first, second] = p.halves(cut);

    if cut == Cut::Depth {
        // The same cells of C: one after the other.
        multiply(first);
        multiply(second);
    } else {
        join(move || multiply(first), move || multiply(second));
    }
}

/// Spawns: the cuts that run side by side.
fn tasks(m: usize, n: usize, k: usize) -> u64 {
    match cut(m, n, k) {
        Cut::Leaf => 0,
        Cut::Rows => 1 + 2 * tasks(m / 2, n, k),
        Cut::Columns => 1 + 2 * tasks(m, n / 2, k),
        Cut::Depth => 2 * tasks(m, n, k / 2),
    }
}

/// Row by row on one thread. Whatever the cuts, each cell adds up in the order
/// of l: equal to the last bit.
fn plainly(a: &[f32], b: &[f32]) -> Vec<f32> {
    let mut c = vec![0.0; SIZE * SIZE];

    for (c, a) in c.chunks_exact_mut(SIZE).zip(a.chunks_exact(SIZE)) {
        for (a, b) in a.iter().zip(b.chunks_exact(SIZE)) {
            c.iter_mut().zip(b).for_each(|(c, b)| *c += a * b);
        }
    }
    c
}

pub struct Matmul {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    right: Vec<f32>,
}

impl Matmul {
    pub fn new() -> Self {
        let item = |i| (mix(i as u64) % 1000) as f32 / 1000.0;
        let a: Vec<f32> = (0..SIZE * SIZE).map(item).collect();
        let b: Vec<f32> = (SIZE * SIZE..2 * SIZE * SIZE).map(item).collect();
        let right = plainly(&a, &b);

        Matmul { a, b, c: vec![0.0; SIZE * SIZE], right }
    }
}

impl Work for Matmul {
    fn prepare(&mut self) {
        self.c.fill(0.0);
    }

    fn run(&mut self) {
        let whole = Part {
            c: self.c.as_mut_ptr(),
            a: self.a.as_ptr(),
            b: self.b.as_ptr(),
            m: SIZE,
            n: SIZE,
            k: SIZE,
        };

        // The matrices are SIZE by SIZE, and C is ours alone.
        unsafe { multiply(whole) }
    }

    fn check(&mut self) -> bool {
        let mut cells = self.c.iter().zip(&self.right);

        cells.all(|(c, right)| c.to_bits() == right.to_bits())
    }

    fn ops(&self) -> u64 {
        tasks(SIZE, SIZE, SIZE)
    }
}
