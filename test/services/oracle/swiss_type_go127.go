//go:build go1.27

package main

import "unsafe"

// mapType is internal/abi.MapType from Go 1.27 on. Its offsets and strides hold for both layouts of a group.
type mapType struct {
	typeHeader
	key, elem, group *typeHeader
	hasher           func(unsafe.Pointer, uintptr) uintptr
	groupSize        uintptr
	keysOff          uintptr
	keyStride        uintptr
	elemsOff         uintptr
	elemStride       uintptr
	elemOff          uintptr
	flags            uint32
}

func (t *mapType) keyOffset(i uintptr) uintptr { return t.keysOff + i*t.keyStride }

func (t *mapType) elemOffset(i uintptr) uintptr { return t.elemsOff + i*t.elemStride }
