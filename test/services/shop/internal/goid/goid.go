// Package goid tells which goroutine is running, cheaply enough for every piece of work.
package goid

import (
	"bytes"
	"runtime"
	"strconv"
	"sync"
	"unsafe"
)

// offset is where the runtime keeps a goroutine's number; 0: it is not known.
var offset = findOffset()

// Get is the number of the goroutine that calls it, as stack traces print it.
func Get() uint64 {
	if offset == 0 {
		return printed()
	}
	return *(*uint64)(unsafe.Add(descriptor(), offset))
}

// printed reads the number off the beginning of a stack trace, "goroutine 18 [running]:". That walks the whole stack.
func printed() uint64 {
	trace := make([]byte, 40)
	trace = trace[len("goroutine "):runtime.Stack(trace, false)]
	id, err := strconv.ParseUint(string(trace[:bytes.IndexByte(trace, ' ')]), 10, 64)
	if err != nil {
		panic(err)
	}
	return id
}

const (
	// searched are the bytes of a goroutine's descriptor to look at; descriptors are longer in all releases of Go.
	searched = 320
	word     = 8
)

// findOffset looks for the one place where the descriptors of different goroutines have the number that is printed.
func findOffset() uintptr {
	if descriptor() == nil {
		return 0
	}
	var mutex sync.Mutex
	var group sync.WaitGroup
	agreeing := map[uintptr]int{}
	const goroutines = 8
	for range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			id := printed()
			mutex.Lock()
			defer mutex.Unlock()
			for at := uintptr(word); at < searched; at += word {
				if *(*uint64)(unsafe.Add(descriptor(), at)) == id {
					agreeing[at]++
				}
			}
		}()
	}
	group.Wait()
	found := uintptr(0)
	for at, times := range agreeing {
		if times == goroutines {
			if found != 0 {
				return 0
			}
			found = at
		}
	}
	return found
}
