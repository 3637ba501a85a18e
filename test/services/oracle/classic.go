//go:build !go1.26 && !(go1.24 && goexperiment.swissmap)

package main

import "unsafe"

const implementation = "classic"

// The runtime's structures, as far as a lookup reads them. Source: runtime/map.go and runtime/type.go (from Go 1.20 on
// internal/abi) of each version; they are the same from Go 1.17 to Go 1.23.

const slotsPerBucket = 8

// Values of a bucket's tophash bytes; anything from smallestTop on is of a hash.
const (
	emptyRest   = 0
	emptyOne    = 1
	smallestTop = 5
)

const (
	flagSameSizeGrow = 8 // of mapHeader.flags
	flagIndirectKey  = 1 // of mapType.flags
	flagIndirectElem = 2
)

type mapHeader struct {
	count      int
	flags      uint8
	b          uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
}

type mapType struct {
	typeHeader
	key, elem, bucket *typeHeader
	hasher            func(unsafe.Pointer, uintptr) uintptr
	keySize           uint8
	valueSize         uint8
	bucketSize        uint16
	flags             uint32
}

// bucket is a bucket in memory: 8 tophash bytes, 8 keys, 8 elements, the pointer to the overflow bucket.
type bucket struct {
	t *mapType
	p unsafe.Pointer
}

func (b bucket) top(i int) uint8 { return *(*uint8)(add(b.p, uintptr(i))) }

func (b bucket) overflow() bucket {
	return bucket{b.t, *(*unsafe.Pointer)(add(b.p, uintptr(b.t.bucketSize)-8))}
}

// evacuated says whether the entries of an old bucket have moved to the new buckets.
func (b bucket) evacuated() bool { return b.top(0) > emptyOne && b.top(0) < smallestTop }

func (b bucket) key(i int) unsafe.Pointer {
	k := add(b.p, slotsPerBucket+uintptr(i)*uintptr(b.t.keySize))
	if b.t.flags&flagIndirectKey != 0 {
		k = *(*unsafe.Pointer)(k)
	}
	return k
}

func (b bucket) elem(i int) unsafe.Pointer {
	e := add(b.p, slotsPerBucket+slotsPerBucket*uintptr(b.t.keySize)+uintptr(i)*uintptr(b.t.valueSize))
	if b.t.flags&flagIndirectElem != 0 {
		e = *(*unsafe.Pointer)(e)
	}
	return e
}

// examine finds out what a lookup of key in the map m does.
func examine(m interface{}, key unsafe.Pointer, class keyClass) truth {
	typeWord, dataWord := wordsOf(m)
	t, h := (*mapType)(typeWord), (*mapHeader)(dataWord)
	if h == nil || h.count == 0 {
		return truth{}
	}
	out := truth{
		entries:     uint64(h.count),
		homes:       1 << h.b,
		loadEntries: uint64(h.count),
		loadSlots:   slotsPerBucket << h.b,
		growing:     h.oldbuckets != nil,
	}
	first := bucket{t, h.buckets}
	if h.b == 0 && class != classGeneric {
		if class != classString {
			out.walkUnhashed(first, key)
			return out
		}
		if out.walkOneStringBucket(first, key) {
			return out
		}
	}
	hash := t.hasher(noescape(key), uintptr(h.hash0))
	mask := uintptr(1)<<h.b - 1
	out.home = uint64(hash & mask)
	out.walkHashed(h.chainOf(t, hash, mask), key, class, hash)
	return out
}

// chainOf is the bucket that a lookup starts at: in a growing map the old one, unless its entries have moved.
func (h *mapHeader) chainOf(t *mapType, hash, mask uintptr) bucket {
	if h.oldbuckets != nil {
		oldMask := mask
		if h.flags&flagSameSizeGrow == 0 {
			oldMask >>= 1
		}
		old := bucket{t, add(h.oldbuckets, (hash&oldMask)*uintptr(t.bucketSize))}
		if !old.evacuated() {
			return old
		}
	}
	return bucket{t, add(h.buckets, (hash&mask)*uintptr(t.bucketSize))}
}

// walkHashed follows a chain of buckets in the way of the key class.
func (out *truth) walkHashed(b bucket, key unsafe.Pointer, class keyClass, hash uintptr) {
	switch class {
	case classString:
		out.walkStrings(b, key, hash)
	case classGeneric:
		out.walkGeneric(b, key, topOf(hash))
	default:
		out.walkUnhashed(b, key)
	}
}

func topOf(hash uintptr) uint8 {
	top := uint8(hash >> 56)
	if top < smallestTop {
		top += smallestTop
	}
	return top
}

// walkGeneric is mapaccess1, mapaccess2: the tophash decides which keys are compared.
func (out *truth) walkGeneric(b bucket, key unsafe.Pointer, top uint8) {
	for ; b.p != nil; b = b.overflow() {
		out.probeLength++
		for i := 0; i < slotsPerBucket; i++ {
			if b.top(i) == emptyRest {
				return
			}
			if b.top(i) != top {
				continue
			}
			out.keyComparisons++
			if b.t.key.equal(noescape(key), b.key(i)) {
				out.found = b.elem(i)
				return
			}
		}
	}
}

// walkUnhashed is mapaccess1_fast32, mapaccess1_fast64 and their like: raw keys are compared first, in every slot, and
// only an equal one is tested for being there.
func (out *truth) walkUnhashed(b bucket, key unsafe.Pointer) {
	for ; b.p != nil; b = b.overflow() {
		out.probeLength++
		for i := 0; i < slotsPerBucket; i++ {
			out.keyComparisons++
			if b.t.key.equal(noescape(key), b.key(i)) && b.top(i) > emptyOne {
				out.found = b.elem(i)
				return
			}
		}
	}
}

// walkStrings is mapaccess1_faststr, mapaccess2_faststr with a hash: length and tophash decide which keys are compared.
func (out *truth) walkStrings(b bucket, key unsafe.Pointer, hash uintptr) {
	wanted := *(*string)(key)
	for ; b.p != nil; b = b.overflow() {
		out.probeLength++
		for i := 0; i < slotsPerBucket; i++ {
			k := *(*string)(b.key(i))
			if len(k) != len(wanted) || b.top(i) != topOf(hash) {
				continue
			}
			out.keyComparisons++
			if k == wanted {
				out.found = b.elem(i)
				return
			}
		}
	}
}

// walkOneStringBucket is the string lookup in a map of one bucket. It says whether the lookup ended without a hash.
func (out *truth) walkOneStringBucket(b bucket, key unsafe.Pointer) bool {
	wanted := *(*string)(key)
	candidate := -1
	comparisons := 0
	for i := 0; i < slotsPerBucket; i++ {
		k := *(*string)(b.key(i))
		if len(k) != len(wanted) || b.top(i) <= emptyOne {
			if b.top(i) == emptyRest {
				break
			}
			continue
		}
		switch {
		case len(wanted) < 32:
			comparisons++
			if k == wanted {
				out.finish(1, comparisons, b.elem(i))
				return true
			}
		case dataOf(k) == dataOf(wanted):
			out.finish(1, 1, b.elem(i))
			return true
		case k[:4] == wanted[:4] && k[len(k)-4:] == wanted[len(k)-4:]:
			if candidate >= 0 {
				return false
			}
			candidate = i
		}
	}
	var found unsafe.Pointer
	if candidate >= 0 {
		comparisons = 1
		if *(*string)(b.key(candidate)) == wanted {
			found = b.elem(candidate)
		}
	}
	out.finish(1, comparisons, found)
	return true
}
