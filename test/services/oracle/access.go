package main

import (
	"math/rand"
	"reflect"
	"unsafe"
)

// The ways of looking a key up that differ in how the call reaches the runtime.

var accessCases = []testCase{
	{"access/inlined", lookUpInlined},
	{"access/closure", lookUpInClosure},
	{"access/deferred", lookUpDeferred},
	{"access/bytes", lookUpBytes},
	{"access/literal", lookUpLiteral},
	{"access/stack", lookUpOnStack},
	{"access/reflect", lookUpByReflection},
	{"access/reflect-made", lookUpMadeByReflection},
}

// pointerTo hides from escape analysis that a variable's address is taken for a check.
func pointerTo(n *int64) unsafe.Pointer { return noescape(unsafe.Pointer(n)) }

// numbers is a map of some entries: the even numbers below 2n.
func numbers(n int) map[int64]int64 {
	m := make(map[int64]int64)
	for i := 0; i < n; i++ {
		m[int64(2*i)] = int64(i + 1)
	}
	return m
}

func words(n int) map[string]int64 {
	m := make(map[string]int64)
	for i := 0; i < n; i++ {
		m[stringKey(2*i)] = int64(i + 1)
	}
	return m
}

// Functions on one line, small enough to be inlined into whoever calls them.

func inlinedOne(m map[int64]int64, k int64) int64 { return m[k] }

func inlinedTwo(m map[string]int64, k string) (v int64, ok bool) { v, ok = m[k]; return v, ok }

func inlinedTwice(m map[int64]int64, k int64) int64 { return inlinedOne(m, k) }

func lookUpInlined(rng *rand.Rand, n float64) {
	integers, strings := numbers(300), words(300)
	one := newSite(integers, false).at(inlinedOne)
	two := newSite(strings, true).at(inlinedTwo)
	for i := 0; i < int(n)/3; i++ {
		k := int64(rng.Intn(600))
		v := inlinedOne(integers, k)
		one.check(integers, pointerTo(&k), pointerTo(&v))
		v = inlinedTwice(integers, k)
		one.check(integers, pointerTo(&k), pointerTo(&v))
		word := stringKey(rng.Intn(600))
		v, ok := inlinedTwo(strings, word)
		two.checkFound(strings, unsafe.Pointer(&word), pointerTo(&v), ok)
	}
}

func lookUpInClosure(rng *rand.Rand, n float64) {
	m := numbers(100)
	s := newSite(m, true)
	get := func(k int64) {
		v, ok := m[k]
		s.checkFound(m, pointerTo(&k), pointerTo(&v), ok)
	}
	for i := 0; i < int(n); i++ {
		get(int64(rng.Intn(200)))
	}
}

func lookUpDeferred(rng *rand.Rand, n float64) {
	m := numbers(100)
	s := newSite(m, false)
	for i := 0; i < int(n); i++ {
		deferred(s, m, int64(rng.Intn(200)))
	}
}

func deferred(s *site, m map[int64]int64, k int64) {
	defer func() {
		v := m[k]
		s.check(m, pointerTo(&k), pointerTo(&v))
	}()
}

// lookUpBytes uses bytes as a string key, which makes no string of them.
func lookUpBytes(rng *rand.Rand, n float64) {
	small, big := words(6), words(300)
	inSmall, inBig := newSite(small, true), newSite(big, true)
	for i := 0; i < int(n)/2; i++ {
		lookUpBytesIn(inSmall, small, []byte(stringKey(rng.Intn(12))))
		lookUpBytesIn(inBig, big, []byte(stringKey(rng.Intn(600))))
	}
}

func lookUpBytesIn(s *site, m map[string]int64, b []byte) {
	k := string(b)
	v, ok := m[string(b)]
	s.checkFound(m, unsafe.Pointer(&k), pointerTo(&v), ok)
}

// lookUpLiteral makes the key where it is used.
func lookUpLiteral(rng *rand.Rand, n float64) {
	m := make(map[point]int64)
	for i := int32(0); i < 50; i++ {
		m[point{i, 1}] = int64(i) + 1
	}
	s := newSite(m, false)
	for i := 0; i < int(n); i++ {
		lookUpPoint(s, m, int32(rng.Intn(100)))
	}
}

func lookUpPoint(s *site, m map[point]int64, x int32) {
	k := point{x, 1}
	v := m[point{x, 1}]
	s.check(m, unsafe.Pointer(&k), pointerTo(&v))
}

// lookUpOnStack uses a map that never leaves its function: it lies on the goroutine's stack.
func lookUpOnStack(rng *rand.Rand, n float64) {
	s := newSite(map[int32]int64(nil), true)
	for i := 0; i < int(n)/8; i++ {
		smallOnStack(s, int32(i))
	}
}

//go:noinline
func smallOnStack(s *site, first int32) {
	m := make(map[int32]int64)
	for i := int32(0); i < 4; i++ {
		m[first+2*i] = int64(i) + 1
	}
	for i := int32(0); i < 8; i++ {
		k := first + i
		v, ok := m[k]
		s.checkFound(m, noescape(unsafe.Pointer(&k)), pointerTo(&v), ok)
	}
}

// lookUpByReflection calls MapIndex: the call site is the line of that call.
func lookUpByReflection(rng *rand.Rand, n float64) {
	integers, strings := numbers(300), words(300)
	named := map[shortString]int64{}
	for i := 0; i < 100; i++ {
		named[shortKey(2*i)] = int64(i + 1)
	}
	ofIntegers := newReflectSite(integers)
	ofStrings := newReflectSite(strings)
	ofNamed := newReflectSite(named)
	for i := 0; i < int(n)/3; i++ {
		k := int64(rng.Intn(600))
		mapIndex(ofIntegers, reflect.ValueOf(integers), reflect.ValueOf(k), integers, pointerTo(&k))
		word := stringKey(rng.Intn(600))
		mapIndex(ofStrings, reflect.ValueOf(strings), reflect.ValueOf(word), strings, unsafe.Pointer(&word))
		name := shortKey(rng.Intn(200))
		mapIndex(ofNamed, reflect.ValueOf(named), reflect.ValueOf(name), named, unsafe.Pointer(&name))
	}
}

// onlyReflected is the key of a map type that does not occur in the source, so it is made at run time.
type onlyReflected uint64

func lookUpMadeByReflection(rng *rand.Rand, n float64) {
	t := reflect.MapOf(reflect.TypeOf(onlyReflected(0)), reflect.TypeOf(int64(0)))
	m := reflect.MakeMap(t)
	for i := 0; i < 200; i++ {
		m.SetMapIndex(reflect.ValueOf(onlyReflected(2*i)), reflect.ValueOf(int64(i+1)))
	}
	s := newReflectSite(m.Interface())
	for i := 0; i < int(n); i++ {
		k := onlyReflected(rng.Intn(400))
		mapIndex(s, m, reflect.ValueOf(k), m.Interface(), noescape(unsafe.Pointer(&k)))
	}
}

func mapIndex(s *site, m, k reflect.Value, plain interface{}, key unsafe.Pointer) {
	v := m.MapIndex(k)
	s.checkReflected(plain, key, v)
}

// newReflectSite makes the site of lookups by reflection, which knows string keys and all others.
func newReflectSite(like interface{}) *site {
	t := reflect.TypeOf(like)
	class := classGeneric
	if reflectKnowsStrings && t.Key().Kind() == reflect.String && t.Elem().Size() <= largestFastElem {
		class = classString
	}
	return newSiteOfClass(like, true, class)
}

// checkReflected is check for a lookup `v := m.MapIndex(k)` of an int64 element.
//
//go:noinline
func (s *site) checkReflected(m interface{}, key unsafe.Pointer, v reflect.Value) {
	s.locate()
	ok := v.IsValid()
	var value int64
	if ok {
		value = v.Int()
	}
	s.prove(m, key, pointerTo(&value), &ok)
}
