// Command states looks keys up in maps whose state changes: one that has been large and is small now, one whose entries are deleted and
// replaced all the time, and very many small ones. It goes on until its input ends.
package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

//go:noinline
func shrunken(m map[int]int, key int) int { return m[key] }

//go:noinline
func churning(m map[int]int, key int) int { return m[key] }

//go:noinline
func one(m map[int]int, key int) int { return m[key] }

func main() {
	large := map[int]int{}
	for i := range 100_000 {
		large[i] = i
	}
	many := make([]map[int]int, 20_000)
	for i := range many {
		many[i] = map[int]int{1: 1}
	}
	fmt.Println("ready")
	start := make([]byte, 1)
	if _, err := os.Stdin.Read(start); err != nil {
		os.Exit(1)
	}
	shrunken(large, 5)
	for i := 10; i < 100_000; i++ {
		delete(large, i)
	}
	for _, m := range many {
		one(m, 1)
	}
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	churn := make(map[int]int, 100)
	low, high := 0, 0
	for ; high < 56; high++ {
		churn[high] = high
	}
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Millisecond):
		}
		for range 5 {
			delete(churn, low)
			low++
			churn[high] = high
			high++
		}
		shrunken(large, 5)
		churning(churn, low+3)
	}
}
