// Command signals says which signals it gets: it ends half a second after the first one.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	received := make(chan os.Signal, 16)
	signal.Notify(received, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	m := map[string]int{"a": 1}
	key := "a"
	fmt.Println("ready")
	var over <-chan time.Time
	for {
		select {
		case s := <-received:
			fmt.Println("received", s)
			if over == nil {
				over = time.After(500 * time.Millisecond)
			}
		case <-over:
			fmt.Println("over")
			return
		case <-time.After(time.Millisecond):
			if m[key] != 1 {
				panic("a lookup failed")
			}
		}
	}
}
