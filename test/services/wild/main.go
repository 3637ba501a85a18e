// Command wild looks up a key a thousand times as programs do, and once with a return address that leads nowhere, as it may be on the
// stack of a program that is broken, or wants to mislead whoever looks. It crashes then.
package main

import (
	"debug/elf"
	"os"
	"strconv"
	"unsafe"
)

const function = "runtime.mapaccess1_fast64"

// lookup calls a function with the arguments of a map lookup, and has it return to `back`.
func lookup(function, typ, m uintptr, key uint64, back uintptr)

//go:noinline
func find(m map[uint64]int, key uint64) int { return m[key] }

func main() {
	key, err := strconv.ParseUint(os.Args[1], 0, 64)
	must(err)
	back, err := strconv.ParseUint(os.Args[2], 0, 64)
	must(err)
	m := map[uint64]int{1: 1}
	for i := range uint64(100) {
		m[i] = 1
	}
	for range 1000 {
		find(m, 5)
	}
	of := any(m)
	words := (*[2]uintptr)(unsafe.Pointer(&of))
	lookup(address(), words[0], words[1], key, uintptr(back))
}

// address of the lookup function in this program, which is where the linker has put it.
func address() uintptr {
	file, err := elf.Open("/proc/self/exe")
	must(err)
	symbols, err := file.Symbols()
	must(err)
	for _, symbol := range symbols {
		if symbol.Name == function {
			return uintptr(symbol.Value)
		}
	}
	panic("there is no " + function)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
