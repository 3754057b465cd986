//! The sorts of ../../../parallel/loops.h by par_sort_by, which is stable.

use crate::loops::item;
use crate::work::Work;
use rayon::prelude::*;

const SORT_ITEMS: usize = 10_000_000;
const SORT_STRINGS: usize = 1_000_000;
const TEXT: usize = 11; // and no zero at the end

// --- sort of ints ---

pub struct Ints {
    items: Vec<i32>,
}

impl Ints {
    pub fn new() -> Self {
        Ints { items: vec![0; SORT_ITEMS] }
    }
}

impl Work for Ints {
    fn prepare(&mut self) {
        for (i, x) in self.items.iter_mut().enumerate() {
            *x = item(i) as i32;
        }
    }

    fn run(&mut self) {
        self.items.par_sort_by(|a, b| a.cmp(b));
    }

    /// In order, and with the sum of what there was.
    fn check(&mut self) -> bool {
        let there: i64 = self.items.iter().map(|&x| i64::from(x)).sum();
        let were = (0..SORT_ITEMS).map(|i| i64::from(item(i) as i32));

        there == were.sum() && self.items.windows(2).all(|w| w[0] <= w[1])
    }
}

// --- sort of strings ---

pub struct Strings {
    items: Vec<&'static str>,
    texts: &'static str, // end to end
}

impl Strings {
    pub fn new() -> Self {
        let mut texts = String::with_capacity(SORT_STRINGS * TEXT);

        for i in 0..SORT_STRINGS {
            let mut x = item(i);

            for _ in 0..TEXT {
                texts.push((b'0' + (x % 10) as u8) as char);
                x /= 10;
            }
        }
        // There until the end, as the C program's: else they could not be
        // pointed to from beside them.
        Strings { items: Vec::new(), texts: Box::leak(texts.into_boxed_str()) }
    }
}

impl Work for Strings {
    fn prepare(&mut self) {
        let texts = self.texts;
        let text = |i| &texts[i * TEXT..(i + 1) * TEXT];

        self.items.clear();
        self.items.extend((0..SORT_STRINGS).map(text));
    }

    fn run(&mut self) {
        self.items.par_sort_by(|a, b| a.cmp(b));
    }

    /// In order, equal ones in the order in which they were: so none is there
    /// twice and none is lost.
    fn check(&mut self) -> bool {
        let place = |s: &&'static str| (*s, s.as_ptr());

        self.items.len() == SORT_STRINGS
            && self.items.windows(2).all(|w| place(&w[0]) < place(&w[1]))
    }
}
