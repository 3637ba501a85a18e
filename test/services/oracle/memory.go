package main

import "unsafe"

// typeHeader is the runtime's description of a type, up to where this program reads it. Source: runtime/type.go, from Go
// 1.20 on internal/abi/type.go; the same from Go 1.17 to 1.27.
type typeHeader struct {
	size       uintptr
	ptrBytes   uintptr
	hash       uint32
	tflag      uint8
	align      uint8
	fieldAlign uint8
	kind       uint8
	equal      func(unsafe.Pointer, unsafe.Pointer) bool
	gcData     *byte
	str        int32
	ptrToThis  int32
}

// wordsOf are the two words of an interface value: the type descriptor and, when the value is a map, the map itself. They
// are hidden from escape analysis, so that a map may lie on a goroutine's stack.
func wordsOf(v interface{}) (typeWord, dataWord unsafe.Pointer) {
	words := (*[2]unsafe.Pointer)(unsafe.Pointer(&v))
	return noescape(words[0]), noescape(words[1])
}

func dataOf(s string) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&s)) }

func add(p unsafe.Pointer, offset uintptr) unsafe.Pointer { return unsafe.Pointer(uintptr(p) + offset) }

// noescape hides a pointer from escape analysis, so that keys stay on the goroutine's stack although they are handed to a
// function that the compiler does not know.
//
//go:nosplit
//go:nocheckptr
func noescape(p unsafe.Pointer) unsafe.Pointer {
	x := uintptr(p)
	return unsafe.Pointer(x ^ 0)
}

// bytesAt is the memory at p as a slice.
func bytesAt(p unsafe.Pointer, n uintptr) []byte { return (*[1 << 30]byte)(p)[:n:n] }
