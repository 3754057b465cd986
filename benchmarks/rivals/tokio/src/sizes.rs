//! The sizes of ../../../waits/waits.h, where it is told what they are of.

pub const YIELDS: u64 = 400_000;
pub const PING_ROUNDS: u64 = 50_000;
pub const CHAN_ITEMS: u64 = 400_000;
pub const CHAN_ROOM: usize = 128;
pub const RING_TASKS: u64 = 1000;
pub const RING_LAPS: u64 = 100;
pub const JOINS: u64 = 20_000;
pub const SEM_TASKS: u64 = 1000;
pub const SEM_PERMITS: usize = 10;
pub const SEM_ROUNDS: u64 = 100;
pub const LOCKS: u64 = 1_000_000;
pub const SHORT_TASKS: u64 = 4;
pub const SHORT_LOCKS: u64 = 400_000;
pub const HELD_TASKS: u64 = 4;
pub const HELD_LOCKS: u64 = 40_000;
pub const RW_TASKS: u64 = 8;
pub const RW_LOCKS: u64 = 40_000;
pub const RW_WRITES: u64 = 10;
pub const SELECT_READY: u64 = 100_000;
pub const SELECT_WAITS: u64 = 50_000;
pub const FAN: u64 = 8;
pub const FAN_BURST: u64 = 64;
pub const FAN_BURSTS: u64 = 400;
pub const EVENT_ROUNDS: u64 = 50_000;
pub const PIPE_ITEMS: u64 = 100_000;
pub const PIPE_ROOM: usize = 64;
pub const LEAVES: u64 = 1_000_000;
pub const MANY: u64 = 100_000;
pub const MILLION: u64 = 1_000_000;
pub const DEADLINES: u64 = 200_000;
pub const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

/// 0 + 1 + ... + (n - 1)
pub fn sum_to(n: u64) -> u64 {
    n * (n - 1) / 2
}
