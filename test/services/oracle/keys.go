package main

import (
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// Key number i of each type: different numbers give different keys. Where a function takes `again`, it then makes a key
// that is equal to the first one but looks different: another copy of a string, -0 for 0, other bytes in blank fields.

// scatter spreads numbers over all 64 bits, one to one.
func scatter(i int) uint64 {
	x := uint64(i) * 0x9e3779b97f4a7c15
	return x ^ x>>29
}

func scatter32(i int) uint32 { return uint32(i) * 2654435761 }

// objects and channels give pointer and channel keys.
var (
	objects  = make([]int64, defaultUniverse)
	channels = makeChannels(defaultUniverse)
	namers   = make([]namerByPointer, defaultUniverse)
)

func makeChannels(n int) []chan int {
	all := make([]chan int, n)
	for i := range all {
		all[i] = make(chan int)
	}
	return all
}

func floatKey(i int, again bool) float64 {
	if again && i == 0 {
		return math.Copysign(0, -1)
	}
	return float64(i) * 0.25
}

func complexKey(i int, again bool) complex128 {
	return complex(floatKey(i, again), floatKey(i/3, again))
}

func decimal(i int) string { return strconv.Itoa(i) }

// stringKey gives strings of all lengths: empty, short, medium, long and huge ones.
func stringKey(i int) string {
	switch {
	case i == 0:
		return ""
	case i%50 == 0:
		return string(hugeKey(i))
	case i%5 == 0:
		return string(longKey(i))
	case i%3 == 0:
		return string(mediumKey(i))
	}
	return string(shortKey(i))
}

// shortKey gives strings of up to 31 bytes.
func shortKey(i int) shortString {
	if i%3 == 0 {
		return shortString(marked(i, 31))
	}
	return shortString("id-" + decimal(i))
}

// The lengths are those at which lookups change their ways, and others.

func mediumKey(i int) mediumString { return mediumString(marked(i, [...]int{32, 40, 64}[i/2%3])) }

func longKey(i int) longString { return longString(marked(i, [...]int{65, 90, 200}[i/2%3])) }

func hugeKey(i int) hugeString { return hugeString(marked(i, 1200)) }

// marked gives strings of n bytes that differ in a few bytes only: half of them in the middle, the others around the
// borders of the first and last 4 and 8 bytes, which lookups compare before the rest.
func marked(i, n int) string {
	const width = 7
	number := decimal(i)
	number = strings.Repeat("0", width-len(number)) + number
	before := n / 2
	if i%2 == 1 {
		border := [...]int{0, 3, 4, 7, 8}[i/2%5]
		if i/2%10 < 5 {
			before, number = border, reversed(number) // The digit that differs most comes first.
		} else {
			before = n - width - border
		}
	}
	return strings.Repeat("k", before) + number + strings.Repeat("k", n-width-before)
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

func bytes4(i int) (a [4]byte) {
	*(*uint32)(unsafe.Pointer(&a)) = scatter32(i)
	return a
}

func bytes200(i int) (a [200]byte) {
	copy(a[:], decimal(i))
	a[199] = byte(i)
	return a
}

func blankKey(i int, again bool) blank {
	k := blank{a: int32(i), b: int32(i / 2)}
	if again {
		(*[3]int32)(unsafe.Pointer(&k))[1] = int32(-i)
	}
	return k
}

func personKey(i int) person { return person{name: decimal(i / 2), age: i % 2} }

func wideKey(i int) wide {
	k := wide{name: decimal(i)}
	k.rest[i%160] = byte(i)
	return k
}

// anyKey gives interface values of many dynamic types, nil among them.
func anyKey(i int, again bool) interface{} {
	switch i % 9 {
	case 0:
		if i == 0 {
			return nil
		}
		return i
	case 1:
		return int16(i)
	case 2:
		return stringKey(i)
	case 3:
		return personKey(i)
	case 4:
		return &objects[i%len(objects)]
	case 5:
		return floatKey(i-5, again)
	case 6:
		return point{int32(i), 1}
	case 7:
		return [2]string{decimal(i), "x"}
	}
	return uint64(i) << 40
}

// anyScalar gives interface values that hold integers of different types.
func anyScalar(i int) interface{} {
	switch i % 4 {
	case 0:
		return i
	case 1:
		return uint16(i)
	case 2:
		return int64(scatter(i))
	}
	return int32(i)
}

func anyDeepKey(i int) anyDeep {
	if i%2 == 0 {
		return holder{v: personKey(i), n: int8(i)}
	}
	return [2]interface{}{anyScalar(i), decimal(i)}
}

func holderKey(i int) holder {
	if i%2 == 0 {
		return holder{v: anyScalar(i), n: int8(i)}
	}
	return holder{v: decimal(i), n: int8(i)}
}

func namerKey(i int) namer {
	switch i % 3 {
	case 0:
		return namerByValue{int64(i)}
	case 1:
		return &namers[i]
	}
	return namerOfString(decimal(i))
}

// The element number i of each type; no element is all zero, and different numbers mostly give different elements.

func elem128(i int) (e [128]byte) {
	fill(e[:], i)
	return e
}

func elem129(i int) (e [129]byte) {
	fill(e[:], i)
	return e
}

func elem1024(i int) (e [1024]byte) {
	fill(e[:], i)
	return e
}

func elem1025(i int) (e [1025]byte) {
	fill(e[:], i)
	return e
}

func elem2000(i int) (e [2000]byte) {
	fill(e[:], i)
	return e
}

func fill(e []byte, i int) {
	for at := range e {
		e[at] = byte(i>>(uint(at%4)*8)) | 1
	}
}
