// A plugin that looks keys up in maps of a type that only it knows, and of types that the program that loads it has as well.
package main

import (
	"os"
	"reflect"
	"strconv"
	"time"
)

type partKey struct {
	a    int
	name string
}

//go:noinline
func partGet(m map[partKey]string, key partKey) bool {
	_, found := m[key]
	return found
}

//go:noinline
func sharedGet(m map[string]int, key string) bool {
	_, found := m[key]
	return found
}

//go:noinline
func interfaceGet(m map[interface{}]int, key interface{}) bool {
	_, found := m[key]
	return found
}

//go:noinline
func reflectGet(m, key reflect.Value) bool {
	return m.MapIndex(key).IsValid()
}

func check(ok bool) {
	if !ok {
		os.Exit(9) // somebody has damaged the program
	}
}

//go:noinline
func Run() {
	parts := map[partKey]string{}
	small, large := map[string]int{}, map[string]int{}
	mixed := map[interface{}]int{}
	for i := 0; i < 100; i++ {
		name := "k" + strconv.Itoa(i)
		parts[partKey{i, name}] = name
		large[name] = i
		mixed[name] = i
		mixed[i] = i
		mixed[partKey{i, name}] = i
		if i < 8 {
			small[name] = i
		}
	}
	for i := 0; ; i++ {
		hit, miss := "k"+strconv.Itoa(i%8), "n"+strconv.Itoa(i%8)
		check(partGet(parts, partKey{i % 8, hit}))
		check(!partGet(parts, partKey{i % 8, miss}))
		for _, m := range []map[string]int{small, large} {
			check(sharedGet(m, hit))
			check(!sharedGet(m, miss))
		}
		for _, key := range []interface{}{hit, i % 8, partKey{i % 8, hit}} {
			check(interfaceGet(mixed, key))
		}
		check(!interfaceGet(mixed, miss))
		check(reflectGet(reflect.ValueOf(small), reflect.ValueOf(hit)))
		time.Sleep(time.Millisecond)
	}
}

func main() {}
