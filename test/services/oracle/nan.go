package main

import (
	"math"
	"math/rand"
	"unsafe"
)

// NaN equals nothing, itself included, and hashes to another value each time: such keys are stored and never found, and
// where their lookup leads cannot be known. The maps stay small enough that Swiss maps have a single table.

var nanCases = []testCase{
	{"map[float64]int64/nan", lookUpNaN64},
	{"map[float32]int64/nan", lookUpNaN32},
	{"map[interface {}]int64/nan", lookUpNaNInterface},
	{"map[measure]int64/nan", lookUpNaNStruct},
}

// randomHash makes the site of lookups whose keys have no hash of their own.
func randomHash(s *site) *site {
	s.hashIsRandom = true
	return s
}

const nanEntries = 200

func lookUpNaN64(rng *rand.Rand, n float64) {
	m := map[float64]int64{0.5: 7}
	stored, unknown := newSite(m, true), randomHash(newSite(m, true))
	for i := 0; i < int(n)/2; i++ {
		if i < nanEntries {
			m[math.NaN()] = 1
		}
		lookUpFloat64(stored, m, 0.5)
		lookUpFloat64NaN(unknown, m, math.NaN())
	}
}

func lookUpFloat64(s *site, m map[float64]int64, k float64) {
	v, ok := m[k]
	s.checkFound(m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}

func lookUpFloat64NaN(s *site, m map[float64]int64, k float64) {
	v, ok := m[k]
	s.checkFound(m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}

func lookUpNaN32(rng *rand.Rand, n float64) {
	m := map[float32]int64{0.5: 7}
	nan := float32(math.NaN())
	stored, unknown := newSite(m, false), randomHash(newSite(m, false))
	for i := 0; i < int(n)/2; i++ {
		if i < nanEntries {
			m[nan] = 1
		}
		lookUpFloat32(stored, m, 0.5)
		lookUpFloat32NaN(unknown, m, nan)
	}
}

func lookUpFloat32(s *site, m map[float32]int64, k float32) {
	v := m[k]
	s.check(m, unsafe.Pointer(&k), unsafe.Pointer(&v))
}

func lookUpFloat32NaN(s *site, m map[float32]int64, k float32) {
	v := m[k]
	s.check(m, unsafe.Pointer(&k), unsafe.Pointer(&v))
}

func lookUpNaNInterface(rng *rand.Rand, n float64) {
	m := map[interface{}]int64{"a": 7}
	unknown := randomHash(newSite(m, true))
	for i := 0; i < int(n); i++ {
		if i < nanEntries {
			m[math.NaN()] = 1
		}
		lookUpInterfaceNaN(unknown, m, math.NaN())
	}
}

func lookUpInterfaceNaN(s *site, m map[interface{}]int64, k interface{}) {
	v, ok := m[k]
	s.checkFound(m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}

func lookUpNaNStruct(rng *rand.Rand, n float64) {
	nan := measure{v: math.NaN(), n: 1}
	m := map[measure]int64{}
	unknown := randomHash(newSite(m, true))
	for i := 0; i < int(n); i++ {
		if i < nanEntries {
			m[nan] = 1
		}
		lookUpStructNaN(unknown, m, nan)
	}
}

func lookUpStructNaN(s *site, m map[measure]int64, k measure) {
	v, ok := m[k]
	s.checkFound(m, unsafe.Pointer(&k), unsafe.Pointer(&v), ok)
}
