//! What main.rs asks of a case, and what several of them need.

use std::arch::asm;

/// Only `run` is timed.
pub trait Work {
    fn prepare(&mut self) {}
    fn run(&mut self);
    /// Of the last run: false is a wrong result.
    fn check(&mut self) -> bool;
    /// Of one run: a kernel's tasks; a loop is one.
    fn ops(&self) -> u64 {
        1
    }
}

/// The compiler cannot know what *p is: no kernel is folded to its result.
/// std::hint::black_box came after the compiler of Debian 12.
pub fn opaque<T>(p: &mut T) {
    // Nothing is done: the compiler has to believe that *p is read and written.
    unsafe { asm!("/* {0} */", in(reg) p, options(nostack, preserves_flags)) }
}

/// uts_mix of ../../../kernels/work.h.
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d049bb133111eb);
    x ^ (x >> 31)
}
