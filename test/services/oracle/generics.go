//go:build go1.18

package main

import (
	"math/rand"
	"unsafe"
)

// Lookups in generic code: one line serves maps of many types, and the code is shared by types of the same shape.

var genericCases = []testCase{
	{"generic/int64", func(rng *rand.Rand, n float64) {
		lookUpGeneric(rng, n, func(i int) int64 { return int64(scatter(i)) })
	}},
	{"generic/int32", func(rng *rand.Rand, n float64) {
		lookUpGeneric(rng, n, func(i int) int32 { return int32(i) })
	}},
	{"generic/string", func(rng *rand.Rand, n float64) { lookUpGeneric(rng, n, stringKey) }},
	{"generic/named-string", func(rng *rand.Rand, n float64) { lookUpGeneric(rng, n, shortKey) }},
	{"generic/pointer", func(rng *rand.Rand, n float64) {
		lookUpGeneric(rng, n, func(i int) *int64 { return &objects[i] })
	}},
	{"generic/point", func(rng *rand.Rand, n float64) {
		lookUpGeneric(rng, n, func(i int) point { return point{int32(i), 2} })
	}},
	{"generic/person", func(rng *rand.Rand, n float64) { lookUpGeneric(rng, n, personKey) }},
	{"generic/strings", func(rng *rand.Rand, n float64) {
		lookUpGeneric(rng, n, func(i int) [2]string { return [2]string{decimal(i), ""} })
	}},
}

// lookUpGeneric looks up keys of one type in a small and in a big map.
func lookUpGeneric[K comparable](rng *rand.Rand, n float64, key func(int) K) {
	for _, entries := range []int{5, 500} {
		m := make(map[K]int64)
		for i := 0; i < entries; i++ {
			m[key(2*i)] = int64(i + 1)
		}
		one, two := newSite(m, false), newSite(m, true)
		held := holds[K, int64]{newSite(m, true), m}
		for i := 0; i < int(n)/6; i++ {
			genericOne(one, m, key(rng.Intn(2*entries)))
			genericTwo(two, m, key(rng.Intn(2*entries)))
			held.get(key(rng.Intn(2 * entries)))
		}
	}
}

func genericOne[K comparable, V any](s *site, m map[K]V, k K) {
	v := m[k]
	s.check(m, unsafe.Pointer(&k), unsafe.Pointer(&v))
}

func genericTwo[K comparable, V any](s *site, m map[K]V, k K) {
	v, ok := m[k]
	s.checkFound(m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}

// holds is a generic type with a method.
type holds[K comparable, V any] struct {
	site *site
	m    map[K]V
}

func (h *holds[K, V]) get(k K) {
	v, ok := h.m[k]
	h.site.checkFound(h.m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}
