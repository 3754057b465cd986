// The gate of ../../apps/httpd/gate.c: how many run, how many may wait, who is
// turned away at once.
package main

import (
	"context"
	"sync"
	"time"
)

type gate struct {
	places  chan struct{}
	queue   int
	lock    sync.Mutex
	waiting int
	mean    time.Duration
}

func newGate(running, queue int) *gate {
	return &gate{places: make(chan struct{}, running), queue: queue}
}

func (g *gate) enter(ctx context.Context) error {
	select {
	case g.places <- struct{}{}:
		return nil
	default:
	}
	deadline, _ := ctx.Deadline()
	g.lock.Lock()
	turn := g.mean / time.Duration(cap(g.places)) * time.Duration(g.waiting+1)
	if g.waiting >= g.queue ||
		(g.waiting > 0 && time.Now().Add(turn+g.mean).After(deadline)) {
		g.lock.Unlock()
		return errShed
	}
	g.waiting++
	g.lock.Unlock()
	defer func() {
		g.lock.Lock()
		g.waiting--
		g.lock.Unlock()
	}()
	select {
	case g.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *gate) run(ctx context.Context, f func() error) error {
	if g == nil {
		return f()
	}
	if err := g.enter(ctx); err != nil {
		return err
	}
	begun := time.Now()
	err := f()
	took := time.Since(begun)
	<-g.places
	g.lock.Lock()
	if err == nil || took > g.mean {
		g.mean += (took - g.mean) / 8
	}
	g.lock.Unlock()
	return err
}
