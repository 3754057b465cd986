// The server of ../../apps/httpd in Go, on net/http: the same routes, work,
// deadlines, and the same gate of heavy requests.
//
//	httpd_go --port N [--running N] [--queue N]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

var errShed = errors.New("too much to do")
var errWrong = errors.New("a parameter is missing or wrong")

type route func(context.Context, http.ResponseWriter, *http.Request) error

func number(r *http.Request, name string, usual, most uint64) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most {
		return 0, errWrong
	}
	return n, nil
}

func runHash(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	rounds, err := number(r, "rounds", 100000, 1e12)
	if err != nil {
		return err
	}
	h, err := hash(ctx, rounds, 1)
	if err == nil {
		fmt.Fprintf(w, "%016x\n", h)
	}
	return err
}

func runFan(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	n, err := number(r, "n", 8, 10000)
	if err != nil {
		return err
	}
	rounds, err := number(r, "rounds", 10000, 1e12)
	if err != nil {
		return err
	}
	sum, err := fan(ctx, int(n), rounds)
	if err == nil {
		fmt.Fprintf(w, "%016x\n", sum)
	}
	return err
}

func runThumb(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	width, err := number(r, "w", 1024, 8192)
	if err != nil {
		return err
	}
	height, err := number(r, "h", 768, 8192)
	if err != nil || width < box || height < box {
		return errWrong
	}
	fmt.Fprintf(w, "P5\n%d %d\n255\n", width/box, height/box)
	return thumb(ctx, int(width), int(height), func(rows []byte) error {
		_, err := w.Write(rows)
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		return err
	})
}

func runSleep(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	ms, err := number(r, "ms", 100, 3600000)
	if err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		fmt.Fprintf(w, "slept %d ms\n", ms)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func explain(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	case errors.Is(err, errShed):
		w.Header().Set("Retry-After", "1")
		status = http.StatusServiceUnavailable
	case errors.Is(err, errWrong):
		status = http.StatusBadRequest
	}
	http.Error(w, err.Error(), status)
}

// handle runs a route under its deadline; g is nil where it is not heavy.
func handle(run route, g *gate) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		timeout := 10 * time.Second
		text := r.URL.Query().Get("deadline")
		if text == "" {
			text = r.Header.Get("X-Deadline")
		}
		if text != "" {
			asked, err := time.ParseDuration(text)
			if err != nil {
				explain(w, errWrong)
				return
			}
			if asked < timeout {
				timeout = asked
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		if err := g.run(ctx, func() error { return run(ctx, w, r) }); err != nil {
			explain(w, err)
		}
	}
}

func main() {
	port := flag.Int("port", 8080, "0: any")
	running := flag.Int("running", runtime.GOMAXPROCS(0), "heavy requests")
	queue := flag.Int("queue", 64, "that may wait")
	flag.Parse()
	g := newGate(*running, *queue)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "roost\n")
	})
	mux.Handle("/hash", handle(runHash, g))
	mux.Handle("/fan", handle(runFan, g))
	mux.Handle("/thumb", handle(runThumb, g))
	mux.Handle("/sleep", handle(runSleep, nil))
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("httpd: listening on port %d\n",
		listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 8192}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan struct{})
	go func() {
		<-stop
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
		close(ended)
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	<-ended
}
