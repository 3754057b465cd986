// What /hash, /fan and /thumb compute: as ../../apps/httpd/work.c does it. Each
// looks at its context as often as that looks at its scope.
package main

import (
	"context"
	"runtime"
	"sync"
)

const (
	roundsALook = 4096
	box         = 8
	band        = 64
)

func mix(h uint64) uint64 {
	return (h^(h>>30))*0xbf58476d1ce4e5b9 + 0x9e3779b97f4a7c15
}

func hash(ctx context.Context, rounds, h uint64) (uint64, error) {
	for rounds > 0 {
		n := rounds
		if n > roundsALook {
			n = roundsALook
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rounds -= n
		for ; n > 0; n-- {
			h = mix(h)
		}
	}
	return h, nil
}

func fan(ctx context.Context, n int, rounds uint64) (uint64, error) {
	hashes := make([]uint64, n)
	var wait sync.WaitGroup
	for i := 0; i < n; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			hashes[i], _ = hash(ctx, rounds, uint64(i))
		}(i)
	}
	wait.Wait()
	sum := uint64(0)
	for _, h := range hashes {
		sum += h
	}
	return sum, ctx.Err()
}

func pixel(x, y uint32) uint32 {
	return (x*x + y*y*3 + (x * y >> 3)) & 255
}

func meanOfBox(x, y uint32) byte {
	sum := uint32(0)
	for i := uint32(0); i < box; i++ {
		for j := uint32(0); j < box; j++ {
			sum += pixel(x*box+j, y*box+i)
		}
	}
	return byte(sum / (box * box))
}

// thumb hands out bands of rows; each is made by as many goroutines as there
// are processors.
func thumb(ctx context.Context, w, h int, out func([]byte) error) error {
	columns, rows := w/box, h/box
	parts := runtime.GOMAXPROCS(0)
	for first := 0; first < rows; first += band {
		n := rows - first
		if n > band {
			n = band
		}
		made := make([]byte, n*columns)
		var wait sync.WaitGroup
		for p := 0; p < parts; p++ {
			wait.Add(1)
			go func(lo, hi int) {
				defer wait.Done()
				for y := lo; y < hi && ctx.Err() == nil; y++ {
					for x := 0; x < columns; x++ {
						made[y*columns+x] = meanOfBox(uint32(x), uint32(first+y))
					}
				}
			}(n*p/parts, n*(p+1)/parts)
		}
		wait.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out(made); err != nil {
			return err
		}
	}
	return nil
}
