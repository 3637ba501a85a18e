// Command labels does map lookups on goroutines that carry pprof labels with a trace id, as tracing libraries set them, and
// on one that carries none. Each trace id is the id of the goroutine it is set on, so that whoever reads both can tell
// whether they belong together; the goroutines that such a goroutine starts inherit its labels.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
)

var catalog = map[string]int{}

var sink int

// lookUpInRequest and its like are functions of their own, so that their lookups are told apart.
//
//go:noinline
func lookUpInRequest(keys []string) (sum int) {
	for _, key := range keys {
		sum += catalog[key]
	}
	return sum
}

//go:noinline
func lookUpInChild(keys []string) (sum int) {
	for _, key := range keys {
		sum += catalog[key]
	}
	return sum
}

//go:noinline
func lookUpOutside(keys []string) (sum int) {
	for _, key := range keys {
		sum += catalog[key]
	}
	return sum
}

// goroutineID reads the id from the first line of a traceback, "goroutine 7 [running]:".
func goroutineID() uint64 {
	buffer := make([]byte, 64)
	fields := bytes.Fields(buffer[:runtime.Stack(buffer, false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return id
}

func request(keys []string) int {
	id := goroutineID()
	labels := pprof.Labels(
		"endpoint", "/catalog",
		"trace_id", fmt.Sprintf("%032x", id),
		"span_id", fmt.Sprintf("%016x", id),
	)
	sum := 0
	pprof.Do(context.Background(), labels, func(context.Context) {
		sum += lookUpInRequest(keys)
		child := make(chan int)
		go func() { child <- lookUpInChild(keys) }()
		sum += <-child
	})
	return sum
}

func main() {
	requests := flag.Int("requests", 2000, "requests, each on a goroutine of its own")
	flag.Parse()
	var keys []string
	for i := 0; i < 400; i++ {
		key := fmt.Sprintf("product-%04d", i)
		keys = append(keys, key)
		if i%2 == 0 {
			catalog[key] = i
		}
	}
	for i := 0; i < *requests; i++ {
		var group sync.WaitGroup
		group.Add(1)
		go func() {
			defer group.Done()
			sink += request(keys)
		}()
		group.Wait()
		sink += lookUpOutside(keys)
	}
}
