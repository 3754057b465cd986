// crawl.go - ../crawl.c in Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

type site struct {
	name    string
	latency time.Duration // 0: nobody answers
	result  string
}

func visit(ctx context.Context, s *site) error {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	latency := s.latency
	if latency == 0 {
		latency = time.Second
	}
	select {
	case <-time.After(latency):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func lookAt(ctx context.Context, s *site) {
	s.result = "is there"
	if errors.Is(visit(ctx, s), context.DeadlineExceeded) {
		s.result = "no answer"
	}
}

func main() {
	sites := []site{
		{name: "a", latency: time.Millisecond},
		{name: "b", latency: 2 * time.Millisecond},
		{name: "c"},
		{name: "d", latency: 3 * time.Millisecond},
		{name: "e"},
		{name: "f", latency: 1},
	}
	ctx := context.Background()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 3)
	for i := range sites {
		slots <- struct{}{}
		wg.Add(1)
		go func(s *site) {
			defer wg.Done()
			defer func() { <-slots }()
			lookAt(ctx, s)
		}(&sites[i])
	}
	wg.Wait()
	for _, s := range sites {
		fmt.Printf("%s: %s\n", s.name, s.result)
	}
}
