package main

// The sizes of ../../waits/waits.h, where it is told what they are of.
const (
	yields      = 400000
	pingRounds  = 50000
	chanItems   = 400000
	chanRoom    = 128
	ringTasks   = 1000
	ringLaps    = 100
	joinRounds  = 20000
	semTasks    = 1000
	semPermits  = 10
	semRounds   = 100
	freeLocks   = 1000000
	shortTasks  = 4
	shortLocks  = 400000
	heldTasks   = 4
	heldLocks   = 40000
	rwTasks     = 8
	rwLocks     = 40000
	rwWrites    = 10
	selectReady = 100000
	selectWaits = 50000
	fan         = 8
	fanBurst    = 64
	fanBursts   = 400
	eventRounds = 50000
	pipeItems   = 100000
	pipeRoom    = 64
	leaves      = 1000000
	many        = 100000
	million     = 1000000
	deadlines   = 200000
)

// sumTo is 0 + 1 + ... + (n - 1).
func sumTo(n uint64) uint64 {
	return n * (n - 1) / 2
}
