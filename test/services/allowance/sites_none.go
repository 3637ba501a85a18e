//go:build !sites

package main

// sites are the functions that look keys up at call sites of their own; the benchmark generates thousands of them.
var sites []func(map[int]int, int) int
