// A plugin that looks keys up in a map of a type that only it knows.
package main

import (
	"os"
	"time"
)

type partKey struct{ a, b int }

//go:noinline
func partGet(m map[partKey]string, key partKey) string { return m[key] }

//go:noinline
func Run() {
	m := map[partKey]string{}
	for i := 0; i < 100; i++ {
		m[partKey{i, i}] = "there"
	}
	for i := 0; ; i++ {
		if partGet(m, partKey{i % 100, i % 100}) != "there" {
			os.Exit(9)
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {}
