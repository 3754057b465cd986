//! The loops of ../../../parallel/loops.h, in chunks that Rayon chooses.

use crate::work::{mix, Work};
use rayon::prelude::*;

const SUM_ITEMS: usize = 100_000_000;
const SAXPY_ITEMS: usize = 50_000_000;
const TRIANGLE_ROWS: usize = 20_000;
const PICTURE_ROWS: usize = 600;
const PICTURE_TURNS: u32 = 1000;

/// mix of ../../../parallel/driver.c: what the arrays hold.
pub fn item(i: usize) -> u32 {
    let x = (i as u64 + 1).wrapping_mul(0x9e3779b97f4a7c15);

    (mix(x) >> 32) as u32
}

// --- sum ---

pub struct Sum {
    items: Vec<u32>,
    sum: u64,
    right: u64,
}

impl Sum {
    pub fn new() -> Self {
        let items: Vec<u32> = (0..SUM_ITEMS).map(item).collect();
        let right = items.iter().map(|&x| u64::from(x)).sum();

        Sum { items, sum: 0, right }
    }
}

impl Work for Sum {
    fn prepare(&mut self) {
        self.sum = 0;
    }

    fn run(&mut self) {
        self.sum = self.items.par_iter().map(|&x| u64::from(x)).sum();
    }

    fn check(&mut self) -> bool {
        self.sum == self.right
    }
}

// --- saxpy ---

pub struct Saxpy {
    x: Vec<f32>,
    y: Vec<f32>,
    right: f32, // each y
}

impl Saxpy {
    pub fn new() -> Self {
        // All written, so that no page is the kernel's one page of zeros.
        let mut y = vec![1.0; SAXPY_ITEMS];

        y.fill(0.0);
        Saxpy { x: vec![1.0; SAXPY_ITEMS], y, right: 0.0 }
    }
}

fn saxpy(a: f32, x: &[f32], y: &mut [f32]) {
    y.par_iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

impl Work for Saxpy {
    fn run(&mut self) {
        saxpy(2.0, &self.x, &mut self.y);
        self.right += 2.0;
    }

    fn check(&mut self) -> bool {
        self.y.iter().all(|&y| y == self.right)
    }
}

// --- triangle, picture ---

/// Row i has i cells. Not affine: no compiler folds several cells into one.
fn triangle_row(row: usize) -> u32 {
    (0..row).fold(row as u32, |x, i| (x ^ i as u32).wrapping_mul(1664525))
}

/// The turns that the points of a row of the Mandelbrot set take, added up.
fn picture_row(row: usize) -> u32 {
    let rows = PICTURE_ROWS as f32;

    (0..PICTURE_ROWS)
        .map(|column| {
            let cr = 3.0 * column as f32 / rows - 2.0;
            let ci = 2.0 * row as f32 / rows - 1.0;
            let (mut r, mut i) = (0.0f32, 0.0);
            let mut turns = 0;

            while turns < PICTURE_TURNS && r * r + i * i < 4.0 {
                (r, i) = (r * r - i * i + cr, 2.0 * r * i + ci);
                turns += 1;
            }
            turns
        })
        .sum()
}

pub struct Rows {
    run: fn(&mut [u32]),
    out: Vec<u32>,
    right: Vec<u32>,
}

impl Rows {
    fn new(rows: usize, row: fn(usize) -> u32, run: fn(&mut [u32])) -> Self {
        let right = (0..rows).map(row).collect();

        Rows { run, out: vec![0; rows], right }
    }
}

pub fn triangle() -> Rows {
    Rows::new(TRIANGLE_ROWS, triangle_row, |out| {
        out.par_iter_mut().enumerate().for_each(|(i, x)| *x = triangle_row(i))
    })
}

pub fn picture() -> Rows {
    Rows::new(PICTURE_ROWS, picture_row, |out| {
        out.par_iter_mut().enumerate().for_each(|(i, x)| *x = picture_row(i))
    })
}

impl Work for Rows {
    fn prepare(&mut self) {
        self.out.fill(0);
    }

    fn run(&mut self) {
        (self.run)(&mut self.out);
    }

    fn check(&mut self) -> bool {
        self.out == self.right
    }
}
