// A library for programs of other languages: looks keys up on a goroutine of its own from Begin on. Two of three are there.
package main

import "C"

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:noinline
func get(m map[string]int, key string) bool {
	_, found := m[key]
	return found
}

func work() {
	m := map[string]int{}
	for i := 0; i < 1000; i++ {
		m["k"+strconv.Itoa(i)] = i
	}
	for i := 0; ; i++ {
		key := strconv.Itoa(i % 1000)
		if !get(m, "k"+key) || !get(m, "k"+key) || get(m, "n"+key) {
			os.Exit(9) // somebody has damaged the program
		}
		if i%10 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

//export Begin
func Begin() { go work() }

// A program of Go's own that does the same.
func main() {
	fmt.Println("ready")
	work()
}
