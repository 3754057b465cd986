package main

import (
	"sync"
	"syscall"
	_ "unsafe" // for the two names of the runtime below
)

// The sizes of ../../micro/offload.c.
const (
	calls    = 20000
	inFlight = 64
	regions  = 1000000
)

func init() {
	cases["offload/1"] = func(b *bench) { offload(b, 1) }
	cases["offload/64"] = func(b *bench) { offload(b, inFlight) }
	cases["region"] = region
	cases["region/blocks"] = blocks
}

// call is made in place: the scheduler is told that it may block, which Go has
// instead of a pool. (syscall.Getppid would not tell it.)
func call() bool {
	parent, _, _ := syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
	return parent > 0
}

// So many goroutines, each of which makes so many calls.
func callers(goroutines, each int) bool {
	var all sync.WaitGroup
	good := make([]bool, goroutines)
	all.Add(goroutines)
	for i := range good {
		go func(i int) {
			good[i] = true
			for k := 0; k < each; k++ {
				good[i] = call() && good[i]
			}
			all.Done()
		}(i)
	}
	all.Wait()
	for _, g := range good {
		if !g {
			return false
		}
	}
	return true
}

func offload(b *bench, goroutines int) {
	each := calls / goroutines
	b.start()
	good := callers(goroutines, each)
	b.stop(uint64(each * goroutines))
	b.check(good, "a call failed")
}

// What syscall.Syscall does before and after the call itself.
//
//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

//go:nosplit
func emptyRegion() {
	entersyscall()
	exitsyscall()
}

func region(b *bench) {
	b.start()
	for i := 0; i < regions; i++ {
		emptyRegion()
	}
	b.stop(regions)
}

func blocks(b *bench) {
	var all sync.WaitGroup
	failed := make([]error, inFlight)
	all.Add(inFlight)
	b.start()
	for i := range failed {
		go func(i int) {
			ms := syscall.Timespec{Nsec: 1000000}
			/* Go's own signals, by which it preempts, interrupt it. */
			failed[i] = syscall.EINTR
			for failed[i] == syscall.EINTR {
				failed[i] = syscall.Nanosleep(&ms, &ms)
			}
			all.Done()
		}(i)
	}
	all.Wait()
	b.stop(inFlight)
	for _, err := range failed {
		b.check(err == nil, "a sleep failed")
	}
}
