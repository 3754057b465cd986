package main

import (
	"runtime"
	"sync"
)

func init() {
	cases["sem"] = sem
	cases["mutex/free"] = func(b *bench) {
		mutex(b, 1, freeLocks, false)
	}
	cases["mutex/short"] = func(b *bench) {
		mutex(b, shortTasks, shortLocks, false)
	}
	cases["mutex/held"] = func(b *bench) {
		mutex(b, heldTasks, heldLocks, true)
	}
	cases["rwlock/free"] = rwlockFree
	cases["rwlock/held"] = rwlockHeld
}

// sem: a channel of permits is Go's semaphore.
func sem(b *bench) {
	permits := make(chan struct{}, semPermits)
	var here, all sync.WaitGroup
	for i := 0; i < semPermits; i++ {
		permits <- struct{}{}
	}
	here.Add(semTasks)
	all.Add(semTasks)
	for i := 0; i < semTasks; i++ {
		go func() {
			here.Done()
			for k := 0; k < semRounds; k++ {
				permits <- struct{}{}
				runtime.Gosched()
				<-permits
			}
			all.Done()
		}()
	}
	here.Wait()
	b.start()
	for i := 0; i < semPermits; i++ {
		<-permits
	}
	all.Wait()
	b.stop(semTasks * semRounds)
}

func mutex(b *bench, tasks, ops int, held bool) {
	var m sync.Mutex
	number, rounds := 0, ops/tasks
	b.start()
	crowd(tasks, func() {
		for i := 0; i < rounds; i++ {
			m.Lock()
			number++
			if held {
				runtime.Gosched()
			}
			m.Unlock()
		}
	})
	b.stop(uint64(ops))
	b.check(number == ops, "the number is wrong")
}

func rwlockFree(b *bench) {
	var m sync.RWMutex
	b.start()
	crowd(1, func() {
		for i := 0; i < freeLocks; i++ {
			m.RLock()
			m.RUnlock()
		}
	})
	b.stop(freeLocks)
}

func rwlockHeld(b *bench) {
	var m sync.RWMutex
	b.start()
	crowd(rwTasks, func() {
		for i := 0; i < rwLocks/rwTasks; i++ {
			if i%rwWrites == 0 {
				m.Lock()
				runtime.Gosched()
				m.Unlock()
			} else {
				m.RLock()
				runtime.Gosched()
				m.RUnlock()
			}
		}
	})
	b.stop(rwLocks)
}
