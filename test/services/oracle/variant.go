package main

import "reflect"

// keyClass says by which family of lookup functions a map is read.
type keyClass int

const (
	classGeneric keyClass = iota
	class32
	class64
	classString
)

var classSuffix = [...]string{classGeneric: "", class32: "_fast32", class64: "_fast64", classString: "_faststr"}

// largestFastElem is the size of the largest element that the fast lookup functions handle.
const largestFastElem = 128

// classOf applies the compiler's rule (mapfast in cmd/compile/internal/walk) to a map type.
func classOf(t reflect.Type) keyClass {
	if t.Elem().Size() > largestFastElem {
		return classGeneric
	}
	key := unwrap(t.Key())
	switch {
	case key.Kind() == reflect.String:
		return classString
	case plainMemory(key) && key.Size() == 4:
		return class32
	case plainMemory(key) && key.Size() == 8:
		return class64
	}
	return classGeneric
}

// unwrap removes structs of one field and arrays of one element: their equality is that of what they hold.
func unwrap(t reflect.Type) reflect.Type {
	for {
		switch {
		case t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Name != "_":
			t = t.Field(0).Type
		case t.Kind() == reflect.Array && t.Len() == 1:
			t = t.Elem()
		default:
			return t
		}
	}
}

// plainMemory says whether values of the type are equal exactly when their bytes are.
func plainMemory(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128, reflect.String, reflect.Interface:
		return false
	case reflect.Array:
		return t.Len() == 0 || plainMemory(t.Elem())
	case reflect.Struct:
		end := uintptr(0)
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			if f.Name == "_" && t.NumField() > 1 || f.Offset != end || !plainMemory(f.Type) {
				return false
			}
			end += f.Type.Size()
		}
		return end == t.Size()
	}
	return true
}

// largestPlainElem is the size of the largest element whose zero value the runtime keeps; the lookup of larger ones goes
// through mapaccess1_fat or mapaccess2_fat.
const largestPlainElem = 1024

// variantOf names the runtime function that searches the map when code asks for one result or for two. Up to Go 1.26
// both mapaccess1_fat and mapaccess2_fat have mapaccess1 search.
func variantOf(class keyClass, two bool, elemSize uintptr) string {
	if oneResultSearchesAsTwo || two && elemSize <= largestPlainElem {
		return "mapaccess2" + classSuffix[class]
	}
	return "mapaccess1" + classSuffix[class]
}
