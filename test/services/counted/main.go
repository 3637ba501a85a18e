// Makes a known number of lookups: as a program, or as a library for a program of another language.
package main

import "C"

import (
	"fmt"
	"os"
	"strconv"
)

//go:noinline
func get(m map[string]int, key string) bool {
	_, found := m[key]
	return found
}

// Work looks keys up, three times as often as it is told: two of three are there.
//
//export Work
func Work(times int) {
	m := map[string]int{}
	for i := 0; i < 1000; i++ {
		m["k"+strconv.Itoa(i)] = i
	}
	for i := 0; i < times; i++ {
		key := strconv.Itoa(i % 1000)
		if !get(m, "k"+key) || !get(m, "k"+key) || get(m, "n"+key) {
			os.Exit(9) // somebody has damaged the program
		}
	}
}

func main() {
	times, _ := strconv.Atoi(os.Args[1])
	Work(times)
	fmt.Println("done")
}
