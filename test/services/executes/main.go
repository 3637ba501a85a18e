// Looks keys up until it is told to execute another program: a line "exec PATH ARGS..." on its standard input, from the main
// thread, or "thread PATH ARGS..." from another one.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

//go:noinline
func get(m map[string]int, key string) bool {
	_, found := m[key]
	return found
}

// Go's main function runs on the main thread only while it is locked there.
func init() { runtime.LockOSThread() }

var wrong int64

func work() {
	// Made at run time, so that no key is the very string that is looked up: the runtime hashes them, with keys of its own
	// that it chooses at each start.
	small := map[string]int{}
	for i := 0; i < 7; i++ {
		small["k"+strconv.Itoa(i)] = i
	}
	large := map[string]int{}
	for i := 0; i < 1000; i++ {
		large[fmt.Sprint(i)] = i
	}
	for i := 0; ; i++ {
		if !get(small, "k"+strconv.Itoa(i%7)) || get(small, "n"+strconv.Itoa(i%7)) || !get(large, fmt.Sprint(i%1000)) {
			atomic.AddInt64(&wrong, 1)
		}
		if i%50 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func execute(arguments []string) {
	err := syscall.Exec(arguments[0], arguments, os.Environ())
	fmt.Println("failed", err)
}

func main() {
	go work()
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "exec":
			execute(words[1:])
		case "thread":
			done := make(chan bool)
			go func() {
				runtime.LockOSThread()
				execute(words[1:])
				done <- true
			}()
			<-done
		case "protect": // From now on it is not dumpable.
			const setDumpable = 4
			syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0)
			fmt.Println("protected")
		case "wrong":
			fmt.Println("wrong", atomic.LoadInt64(&wrong))
		}
	}
}
