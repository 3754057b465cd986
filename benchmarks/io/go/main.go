// The same in Go: a goroutine a connection.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

func echo(c net.Conn) {
	room := make([]byte, 4096)
	for {
		n, err := c.Read(room)
		if err != nil {
			break
		}
		if _, err = c.Write(room[:n]); err != nil {
			break
		}
	}
	c.Close()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		c, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go echo(c)
	}
}
