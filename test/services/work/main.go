// Lookups that take long, or would never end: long keys, keys of many interfaces, a bucket that follows itself.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

//go:noinline
func getString(m map[string]int, key string) bool {
	_, found := m[key]
	return found
}

//go:noinline
func getInterfaces(m map[[60]interface{}]int, key [60]interface{}) bool {
	_, found := m[key]
	return found
}

//go:noinline
func getNumber(m map[int64]int64, key int64) int64 { return m[key] }

// Keys of n bytes that differ near their end only.
func longKeys(n int) {
	key := func(c string) string { return strings.Repeat("h", n-100) + c + strings.Repeat("t", 99) }
	// The same hash would be luck: the map is small, and its long keys are not hashed.
	m := map[string]int{key("a"): 1}
	hit, miss := key("a"), key("b")
	for i := 0; i < 100; i++ {
		if !getString(m, hit) || getString(m, miss) {
			panic("a wrong result")
		}
	}
}

// Keys that differ in their last element only.
func interfaces() {
	var key, other [60]interface{}
	for i := range key {
		key[i], other[i] = strconv.Itoa(1000+i), strconv.Itoa(1000+i)
	}
	other[59] = "another"
	m := map[[60]interface{}]int{key: 1}
	for i := 0; i < 100; i++ {
		if !getInterfaces(m, key) || getInterfaces(m, other) {
			panic("a wrong result")
		}
	}
}

// A classic bucket whose overflow bucket is itself: the lookup of what is not in it goes round for ever.
func loop() {
	m := make(map[int64]int64)
	for i := int64(0); i < 8; i++ {
		m[i] = i
	}
	header := *(*unsafe.Pointer)(unsafe.Pointer(&m))
	bucket := *(*unsafe.Pointer)(unsafe.Pointer(uintptr(header) + 16)) // hmap.buckets
	*(*unsafe.Pointer)(unsafe.Pointer(uintptr(bucket) + 8 + 64 + 64)) = bucket
	go getNumber(m, 99)
	time.Sleep(200 * time.Millisecond)
}

func main() {
	switch os.Args[1] {
	case "long":
		n, _ := strconv.Atoi(os.Args[2])
		longKeys(n)
	case "interfaces":
		interfaces()
	case "loop":
		loop()
	}
	fmt.Println("done")
}
